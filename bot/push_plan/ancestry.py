"""Trace how the tag's commit descends from the frozen head.

The release tools make exactly one commit on top of the branch; or, for later candidates and finals, cherry-picks on top of the last
candidate and one commit on top of them: https://peps.python.org/pep-0101/
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot.push_plan.objects import frozen_head
from bot.release.facts import Tag
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.git import Range
from bot.tools import Tools

MAY_CHERRY_PICK: Final = frozenset({Kind.CANDIDATE, Kind.FINAL})


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Where the release commit starts from: ``base`` is its parent.

    ``apart``: it does not descend from the frozen head, and stands on ``picked`` cherry-picks. With a ``problem`` nothing else counts.
    """

    base: CommitId
    apart: bool = False
    picked: tuple[CommitId, ...] = ()
    problem: str = ""
    advice: str = ""


async def trace(release: Release, tag: Tag, span: Range, tools: Tools) -> Descent:
    """Return how the tag's commit descends, or why it does not."""
    head = frozen_head(release)
    if release.kind is Kind.END_OF_LIFE:
        return _at_the_end(release, tag, head)
    commit = await tools.git.commit(tag.commit)
    if len(commit.parents) != 1:
        return _problem(head, f"The release commit {tag.commit} has {len(commit.parents)} parents; the release tools make it with one.")
    [parent] = commit.parents
    subject = commit.message.partition("\n")[0]
    if subject != release.version.tag_message:
        return _problem(head, f"The release commit says “{subject[:80]}” where “{release.version.tag_message}” is expected.")
    if parent == head:
        return Descent(base=head)
    if await tools.git.is_ancestor(head, tag.commit):
        extra = len(span.commits) - 1
        return _problem(head, f"{extra} more commits lie between the frozen head {head} and the release commit.")
    return await _cherry_picked(release, tag, parent, tools)


def _at_the_end(release: Release, tag: Tag, head: CommitId) -> Descent:
    """Tell whether the tag that ends a series names its last commit, for no release commit is made."""
    if tag.commit == head:
        return Descent(base=head)
    why = f"The tag names {tag.commit}, but it has to name the last commit of {release.branch}, which is frozen at {head}."
    return Descent(base=head, problem=why, advice=f"Tag it anew: git tag -s -f -m 'Python {release.version}' {release.version} {head}")


async def _cherry_picked(release: Release, tag: Tag, parent: CommitId, tools: Tools) -> Descent:
    head = frozen_head(release)
    base = await tools.git.merge_base(head, tag.commit)
    if release.kind not in MAY_CHERRY_PICK or base is None:
        return _problem(head, f"The tag's commit {tag.commit} does not descend from the frozen head {head}.")
    await tools.git.fetch_range(release.repository, base, head)
    await tools.git.fetch_range(tag.fork, base, tag.commit)
    on_branch: dict[str, list[CommitId]] = defaultdict(list)
    for one in await tools.git.commits_between(base, head):
        on_branch[await tools.git.patch_id(one)].append(one)
    picked = [one for one in await tools.git.commits_between(base, tag.commit) if one != tag.commit]
    if not await _in_a_row(base, [*picked, tag.commit], tools):
        return _problem(parent, f"The commits between {base} and the release commit are not one after the other: there is a merge.")
    same = {one: on_branch.get(await tools.git.patch_id(one), []) for one in picked}
    if foreign := [one for one in picked if not same[one]]:
        commits = ", ".join(foreign)
        return _problem(parent, f"These commits are not on {release.branch}, not even as others with the same change: {commits}.")
    if elsewhere := [one for one in picked if not await _is_replay(one, same[one], tools)]:
        commits = ", ".join(elsewhere)
        return _problem(parent, f"These commits change what others on {release.branch} change, but not in the same place: {commits}.")
    return Descent(base=parent, apart=True, picked=tuple(picked))


async def _in_a_row(base: CommitId, commits: Sequence[CommitId], tools: Tools) -> bool:
    """Tell whether each commit has the one before it as its only parent, the first the base."""
    return all([(await tools.git.commit(one)).parents == (before,) for before, one in pairwise([base, *commits])])


async def _is_replay(picked: CommitId, originals: Sequence[CommitId], tools: Tools) -> bool:
    """Tell whether picking one of the originals onto the commit's parent gives exactly its tree.

    The id of a patch says nothing of where in a file it applies, so the same lines could go where others look alike.
    """
    commit = await tools.git.commit(picked)
    for original in originals:
        if await tools.git.replayed(original, commit.parents[0]) == commit.tree:
            return True
    return False


def _problem(base: CommitId, problem: str) -> Descent:
    return Descent(base=base, problem=problem, advice="Cut the release again from the frozen head.")
