"""The merge of a release that was cut from an older commit: what rules settle, and what is told of what a person settled."""

import pytest

from bot.release.facts import Severity
from bot.release.version import Version
from bot.verify.release_diff import FileChange, Fragments, Sides, of_a_prepared_merge, of_the_fragments, settled
from tests.release_diff.diff_builders import patchlevel, readme

BEFORE, NOW = Version.parse("3.15.0rc1"), Version.parse("3.15.0rc2")
HEAD = "a" * 40
BY_HAND = "was merged by hand, because both sides change it:"
NEWS = ("Misc/NEWS.d/next/Library/2026-02-01.gh-issue-1.aaaaaa.rst", "Misc/NEWS.d/next/Library/2026-02-02.gh-issue-2.bbbbbb.rst")


def sides(base: str | None, ours: str | None, theirs: str | None) -> Sides:
    base_, ours_, theirs_ = (None if text is None else text.encode() for text in (base, ours, theirs))
    return Sides(base=base_, ours=ours_, theirs=theirs_)


def change(path: str, old: str | None, new: str | None, *, mode: str = "100644") -> FileChange:
    before, after = (text.encode() if text is not None else None for text in (old, new))
    return FileChange(path=path, old_mode=None if old is None else "100644", new_mode=None if new is None else mode, old=before, new=after)


def test_the_version_is_that_of_the_release_and_the_rest_is_merged() -> None:
    usual = sides(readme(BEFORE), readme(BEFORE, "+dev"), readme(NOW))
    assert settled("README.rst", NOW, usual) == readme(NOW).encode()
    usual = sides(patchlevel(BEFORE), patchlevel(BEFORE, "+dev"), patchlevel(NOW))
    assert settled("Include/patchlevel.h", NOW, usual) == patchlevel(NOW).encode()
    extended, wanted = (text.replace("nobody.", "everybody.") for text in (readme(BEFORE, "+dev"), readme(NOW)))
    assert settled("README.rst", NOW, sides(readme(BEFORE), extended, readme(NOW) + "\n")) == wanted.encode()
    with_links = readme(NOW).replace("pep-0790", "pep-0791")
    assert settled("README.rst", NOW, sides(readme(BEFORE), readme(BEFORE, "+dev"), with_links)) == with_links.encode()


@pytest.mark.parametrize(
    "odd",
    [
        sides(readme(BEFORE), readme(BEFORE, "+dev").replace("nobody", "us"), readme(NOW).replace("nobody", "them")),
        sides(readme(BEFORE), "No sentence\n", readme(NOW)),
        sides(None, readme(BEFORE, "+dev"), readme(NOW)),
        sides(readme(BEFORE), None, readme(NOW)),
    ],
)
def test_what_both_sides_change_otherwise_is_not_settled(odd: Sides) -> None:
    assert settled("README.rst", NOW, odd) is None


def test_every_difference_is_a_finding_that_names_file_lines_and_commit() -> None:
    changes = [
        change("Lib/added.py", None, "one\ntwo\n"),
        change("Lib/changed.py", "one\ntwo\n", "one\nthree\n"),
        change("Lib/gone.py", "one\n", None),
        change("Lib/mode.py", "one\n", "one\n", mode="100755"),
        change("Doc/both.rst", "<<<<<<<\n", "mine\nours\ntheirs\n"),
        change("Doc/ours.rst", "<<<<<<<\n", "same\nours\n"),
    ]
    conflicts = ("Doc/both.rst", "Doc/left.rst", "Doc/ours.rst")
    both = {path: sides("same\nbase\n", "same\nours\n", "same\ntheirs\n") for path in conflicts}
    found = of_a_prepared_merge(changes, both, conflicts, HEAD)
    assert {(one.severity, one.rule, one.count) for one in found} == {(Severity.WAIVER, "prepared-merge", 1)}
    assert all(HEAD in one.what for one in found)
    assert {one.subject[0]: one.what.partition("`: ")[2] or one.what.partition("` ")[2] for one in found} == {
        "Doc/both.rst": f"{BY_HAND} it differs from the branch's in lines 1, 3, and neither side has line 1.",
        "Doc/left.rst": "has a conflict, and is left as git leaves it: compare it with both sides.",
        "Doc/ours.rst": f"{BY_HAND} it is that of the branch, other than the other side's in line 2.",
        "Lib/added.py": "is added, lines 1-2.",
        "Lib/changed.py": "is not what git merges, line 2.",
        "Lib/gone.py": "is gone, which the merge does not ask for.",
        "Lib/mode.py": "has the mode 100755 where the merge has 100644.",
    }


def test_many_differences_are_all_named() -> None:
    paths = [f"Lib/{number:03}.py" for number in range(60)]
    found = of_a_prepared_merge([change(path, None, "x\n") for path in paths], {}, (), HEAD)
    assert len(found) == 20
    assert [path for one in found for path in one.subject] == paths
    assert all(path in found[-1].what for path in paths[19:])


def test_picked_news_is_deleted_or_told_of() -> None:
    before = Fragments(same=NEWS)
    [gone] = of_the_fragments(before, Fragments(), NOW, HEAD)
    assert (gone.severity, gone.count) == (Severity.EXPLAINED, 2)
    gone, left, changed = of_the_fragments(before, Fragments(same=NEWS[:1], changed=("Misc/NEWS.d/next/Tests/x.rst",)), NOW, HEAD)
    assert (gone.subject, left.subject) == (NEWS[1:], NEWS[:1])
    assert {left.severity, changed.severity} == {Severity.ACKNOWLEDGE}
    assert "the next release tells them again" in left.what
    assert "was changed on the branch since" in changed.what
