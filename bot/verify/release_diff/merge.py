"""Judge the merge of a release that was cut from an older commit than the branch's head: what rules settle, and what a person settled.

Two files say which version it is, so both sides always change them: the branch by the Post commit of the candidate before, the release by
its own. What they say besides the version is merged as in any file; what they say of the version is that of the release. See
https://peps.python.org/pep-0101/ and ``release.py`` in https://github.com/python/release-tools.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.release.counting import counted
from bot.release.facts import Finding, Severity
from bot.release.quoting import shown
from bot.release.version import Version
from bot.verify.release_diff import patchlevel, readme
from bot.verify.release_diff.audit import CHECK
from bot.verify.release_diff.model import FileChange
from bot.verify.release_diff.text import added_lines, listed, runs_of

MERGE: Final = "merge"
PREPARED: Final = "prepared-merge"
PICKED_NEWS: Final = "picked-news"

_WRITERS: Final[dict[str, Callable[[bytes, Version], bytes]]] = {
    readme.PATH: readme.with_sentence,
    patchlevel.PATH: patchlevel.with_constants,
}
VERSION_FILES: Final = tuple(_WRITERS)
"""The files that say which version it is, which rules settle."""

_MOST_FINDINGS: Final = 20
_MOST_RUNS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Sides:
    """One file as the common ancestor, the branch and the release have it; None where it is not there."""

    base: bytes | None = field(repr=False)
    ours: bytes | None = field(repr=False)
    theirs: bytes | None = field(repr=False)


def settled(path: str, version: Version, sides: Sides) -> bytes | None:
    """Return a file of the version as the merge has to have it; None where rules cannot settle it.

    With the version of the release in all three, whatever only one side changes is taken from it.
    """
    write = _WRITERS[path]
    if sides.base is None or sides.ours is None or sides.theirs is None:
        return None
    try:
        base, ours, theirs = (write(content, version) for content in (sides.base, sides.ours, sides.theirs))
    except (readme.NoSentence, patchlevel.NoConstants):
        return None
    if _same(base, theirs) or _same(ours, theirs):
        return ours
    return theirs if _same(base, ours) else None


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """News that a release took along with its cherry-picks, by path.

    ``same`` still lies on the branch as the release had it, so that the release's file holds all of it; ``changed`` was changed there.
    """

    same: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def of_the_fragments(before: Fragments, after: Fragments, version: Version, head: str) -> tuple[Finding, ...]:
    """Return what is to be said of the fragments that lie on the branch ``before`` its new ``head``, and of those that lie there then."""
    news, found = version.news_file, []
    if gone := tuple(path for path in before.same if path not in after.same):
        what = f"{counted(len(gone), 'picked news fragment')}, now in {news}, no longer lie under Misc/NEWS.d/next in {head}."
        found.append(_finding(PICKED_NEWS, Severity.EXPLAINED, what, gone))
    if after.same:
        what = (
            f"{counted(len(after.same), 'picked news fragment')}, now in {news}, still lie under Misc/NEWS.d/next in {head}: "
            "delete them there, or the next release tells them again."
        )
        found.append(_finding(PICKED_NEWS, Severity.ACKNOWLEDGE, what, after.same))
    if after.changed:
        names = listed([shown(path, longest=120) for path in after.changed])
        what = (
            f"News that was picked was changed on the branch since, so it stays under Misc/NEWS.d/next in {head}: {names}. "
            f"Look whether {news} says it right, and delete there what the next release is not to tell again."
        )
        found.append(_finding(PICKED_NEWS, Severity.ACKNOWLEDGE, what, after.changed))
    return tuple(found)


def of_a_prepared_merge(
    changes: Sequence[FileChange], sides: dict[str, Sides], conflicts: Collection[str], head: str
) -> tuple[Finding, ...]:
    """Return a finding for every file in which a merge made by hand is not what git and the rules make of it.

    ``changes`` lead from that to the merge ``head``. ``conflicts`` are the paths that git could not merge, with the ``sides`` of each: what
    became of them was decided by a person, whatever it is. Each finding names the head, for other content is another commit.
    """
    by_path = {change.path: change for change in changes}
    paths = sorted({*by_path, *conflicts})
    told = [_different(path, by_path.get(path), sides.get(path) if path in conflicts else None) for path in paths]
    most = told[: _MOST_FINDINGS - 1] if len(told) > _MOST_FINDINGS else told
    found = [_finding(PREPARED, Severity.WAIVER, f"In the merge {head}: {what}", (path,)) for path, what in zip(paths, most, strict=False)]
    if rest := tuple(paths[len(most) :]):
        names = listed([shown(path, longest=120) for path in rest], limit=len(rest))
        what = f"In the merge {head}: {counted(len(rest), 'more file')} are not what git and the rules merge: {names}."
        found.append(_finding(PREPARED, Severity.WAIVER, what, rest))
    return tuple(found)


def _different(path: str, change: FileChange | None, sides: Sides | None) -> str:
    name = shown(path, longest=200)
    if change is None:
        return f"{name} has a conflict, and is left as git leaves it: compare it with both sides."
    if change.new_mode is None:
        return f"{name} is gone, which the merge does not ask for{_conflict(sides)}."
    if change.old_mode is not None and change.old_mode != change.new_mode:
        return f"{name} has the mode {change.new_mode} where the merge has {change.old_mode}{_conflict(sides)}."
    if change.new is None:
        return f"{name} is not what the merge has, and could not be read{_conflict(sides)}."
    if sides is not None:
        return f"{name} was merged by hand, because both sides change it: {_by_hand(sides, change.new)}."
    kind = "is added" if change.old_mode is None else "is not what git merges"
    return f"{name} {kind}, {_lines(added_lines(change.old, change.new))}."


def _by_hand(sides: Sides, settled_as: bytes) -> str:
    """Say what a person made of a file that both sides change."""
    if settled_as in (sides.ours, sides.theirs):
        side = "the branch" if settled_as == sides.ours else "the release"
        other = sides.theirs if settled_as == sides.ours else sides.ours
        return f"it is that of {side}, other than the other side's in {_lines(added_lines(other, settled_as))}"
    known = set((sides.ours or b"").split(b"\n")) | set((sides.theirs or b"").split(b"\n"))
    lines = settled_as.removesuffix(b"\n").split(b"\n")
    own = [number for number, line in enumerate(lines, start=1) if line not in known]
    from_both = f"it differs from the branch's in {_lines(added_lines(sides.ours, settled_as))}"
    return f"{from_both}, and neither side has {_lines(own)}" if own else from_both


def _conflict(sides: Sides | None) -> str:
    return "" if sides is None else ", where both sides change it"


def _lines(numbers: Sequence[int]) -> str:
    runs = [str(first) if first == last else f"{first}-{last}" for first, last in runs_of(numbers)]
    return f"line {listed(runs, limit=_MOST_RUNS)}" if len(numbers) == 1 else f"lines {listed(runs, limit=_MOST_RUNS)}"


def _finding(rule: str, severity: Severity, what: str, subject: tuple[str, ...]) -> Finding:
    return Finding(check=CHECK, rule=rule, severity=severity, what=what, count=len(subject), subject=subject)


def of_the_merge(what: str, commits: tuple[str, ...]) -> Finding:
    """Return the finding that tells of the merge itself, by the ids of its commits."""
    return _finding(MERGE, Severity.EXPLAINED, what, commits)


def of_other_commits(commits: tuple[str, ...], head: str) -> Finding:
    """Return the finding that a merge made by hand brings commits that are neither the branch's nor the release's nor their merge."""
    names = listed(list(commits), limit=min(len(commits), _MOST_FINDINGS))
    what = f"The merge {head} brings commits that are neither on the branch nor in the release, nor the merge of the two: {names}."
    return _finding(PREPARED, Severity.WAIVER, what, commits)


def _same(one: bytes, other: bytes) -> bool:
    """Tell whether two contents are the same but for a newline at the end, which versions of the release tools treat differently."""
    return one.removesuffix(b"\n") == other.removesuffix(b"\n")
