"""The commit that makes main the next version: what its rules explain, what a person has to read, and what they refuse."""

import pytest

from bot.release.facts import Finding, Severity
from bot.release.version import Level, Version, VersionError
from bot.verify.release_diff import BUMP, Context, Development, FileChange, audit
from tests.release_diff.diff_builders import PATCHLEVEL, README

EXPLAINED, ACKNOWLEDGE, WAIVER = Severity.EXPLAINED, Severity.ACKNOWLEDGE, Severity.WAIVER

B1 = Version.parse("3.15.0b1")
NEW = Development.begin(B1)
INDEX = "What's New\n\n.. toctree::\n   :maxdepth: 2\n\n   3.15.rst\n   3.14.rst\n"
INDEX_AFTER = INDEX.replace("   3.15.rst\n", "   3.16.rst\n   3.15.rst\n")
PAGE = "****************************\n  What's new in Python 3.16\n****************************\n\n:Editor: TBD\n"


def patchlevel(minor: int, level: str, serial: int, text: str) -> str:
    return PATCHLEVEL.format(major=3, minor=minor, patch=0, level=level, serial=serial, text=text)


def readme(long: str, series: str, pep: int) -> str:
    title = f"This is Python version {long}"
    return README.format(long=long, underline="=" * len(title), series=series, pep=pep)


def change(path: str, old: str | None, new: str | None, mode: str = "100644") -> FileChange:
    return FileChange(
        path=path,
        old_mode=None if old is None else "100644",
        new_mode=None if new is None else mode,
        old=None if old is None else old.encode(),
        new=None if new is None else new.encode(),
    )


def good() -> dict[str, FileChange]:
    """Return a bump as the release tools and an editor make it, by path."""
    files = [
        change("Include/patchlevel.h", patchlevel(15, "BETA", 1, "3.15.0b1"), patchlevel(16, "ALPHA", 0, "3.16.0a0")),
        change("README.rst", readme("3.15.0 beta 1", "3.15", 790), readme("3.16.0 alpha 0", "3.16", 826)),
        change("Doc/whatsnew/index.rst", INDEX, INDEX_AFTER),
        change("Doc/whatsnew/3.16.rst", None, PAGE),
        change("configure.ac", "[3.15]\n", "[3.16]\n"),
        change("PC/pyconfig.h", "python315.lib\n", "python316.lib\n"),
        change(".github/ISSUE_TEMPLATE/bug.yml", '- "3.15"\n', '- "3.15"\n- "3.16"\n'),
    ]
    return {one.path: one for one in files}


def judged(*changes: FileChange, without: str = "") -> dict[str, Finding]:
    """Return what is said of a bump with some files changed otherwise, by the rule and the severity."""
    files = good() | {one.path: one for one in changes}
    files.pop(without, None)
    context = Context(version=NEW, series=NEW.series, pep=826, leftover_fragments=())
    return {f"{finding.rule} {finding.severity}": finding for finding in audit(list(files.values()), context, BUMP)}


def refused(*changes: FileChange, without: str = "") -> set[str]:
    """Return the files that need a waiver."""
    return {path for one in judged(*changes, without=without).values() if one.severity is WAIVER for path in one.subject}


def test_main_becomes_a_version_that_is_never_released() -> None:
    assert (str(NEW), NEW.series, NEW.level, NEW.serial) == ("3.16.0a0", "3.16", Level.ALPHA, 0)
    assert B1.next_development == str(NEW)
    with pytest.raises(VersionError):
        Version.parse(str(NEW))
    with pytest.raises(VersionError):
        Development(3, 16, 1, Level.ALPHA, 0)


def test_version_and_list_are_explained_and_the_rest_is_to_be_read() -> None:
    found = judged()
    assert {finding.rule for finding in found.values() if finding.severity is EXPLAINED} == {"patchlevel", "readme", "whatsnew-index"}
    assert {finding.rule: finding.count for finding in found.values() if finding.severity is ACKNOWLEDGE} == {
        "edited": 3,
        "whatsnew-page": 1,
    }
    assert not refused()


@pytest.mark.parametrize(
    "wrong",
    [
        change("Include/patchlevel.h", patchlevel(15, "BETA", 1, "3.15.0b1"), patchlevel(16, "ALPHA", 1, "3.16.0a1")),
        change("README.rst", readme("3.15.0 beta 1", "3.15", 790), readme("3.16.0 alpha 0", "3.16", 826) + "More.\n"),
        change("Doc/whatsnew/index.rst", INDEX, INDEX.replace("3.15", "3.16")),
        change("Doc/whatsnew/index.rst", INDEX.replace("   3.15.rst\n", ""), INDEX_AFTER),
        change("Doc/whatsnew/index.rst", None, INDEX_AFTER),
        change("Doc/whatsnew/3.16.rst", "old\n", PAGE),
        change("Doc/whatsnew/3.16.rst", None, PAGE.replace("3.16", "3.17")),
        change("configure.ac", "[3.15]\n", None),
        change("configure.ac", "[3.15]\n", "[3.16]\n", "100755"),
        change("configure", "x\n", "y\u202e\n"),
        change("PC/new.h", None, "new\n"),
        change("PC/layout/main.py", "x\n", "y\n"),
        change("Lib/os.py", "x\n", "y\n"),
        change(".github/workflows/build.yml", "x\n", "y\n"),
        change(".github/ISSUE_TEMPLATE/other.yml", "x\n", "y\n"),
        change("Doc/whatsnew/3.15.rst", "x\n", "y\n"),
    ],
    ids=lambda one: f"{one.path} {len(one.new or b'')}",
)
def test_everything_else_needs_a_waiver(wrong: FileChange) -> None:
    assert refused(wrong) == {wrong.path}


@pytest.mark.parametrize("path", ["Include/patchlevel.h", "README.rst"])
def test_a_bump_without_the_version_is_none(path: str) -> None:
    assert refused(without=path) == {path}
