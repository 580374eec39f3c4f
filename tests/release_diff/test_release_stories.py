"""A whole release commit is understood; the same commit with one thing amiss is not."""

from collections.abc import Callable

import pytest

from bot.release.facts import Finding, Severity
from bot.release.version import Version
from bot.verify.release_diff import LARGEST_FILE, audit
from tests.release_diff.diff_builders import (
    DAY,
    FRAGMENTS,
    Tree,
    before,
    by_severity,
    context,
    difference,
    entry,
    merged,
    no_changes,
    readme,
    released,
)

ALPHA = Version.parse("3.15.0a3")
BUGFIX = Version.parse("3.13.6")
LAST = {ALPHA: Version.parse("3.15.0a2"), BUGFIX: Version.parse("3.13.5")}


def findings(version: Version, tamper: Callable[[Tree], object] = bool) -> tuple[Finding, ...]:
    head = before(LAST[version])
    after = released(head, version)
    tamper(after)
    return audit(difference(head, after), context(version, after))


@pytest.mark.parametrize("version", [ALPHA, BUGFIX], ids=str)
def test_a_release_made_by_the_tools_is_explained_but_for_generated_texts(version: Version) -> None:
    found = findings(version)
    assert not by_severity(found, Severity.WAIVER)
    explained = by_severity(found, Severity.EXPLAINED)
    assert {rule: finding.count for rule, finding in explained.items()} == {
        "patchlevel": 1,
        "readme": 1,
        "news": 1,
        "news-fragment": 5,
        "next-directive": 2,
        "generated": 1,
    }
    acknowledge = by_severity(found, Severity.ACKNOWLEDGE)
    assert set(acknowledge) == {"generated"}
    assert acknowledge["generated"].subject == ("Lib/pydoc_data/module_docs.py",)
    assert acknowledge["generated"].what == (
        "The file `Lib/pydoc_data/module_docs.py` is generated anew: "
        "a dictionary of 2 texts and nothing else, 1 added, 0 removed, 0 changed."
    )
    assert {finding.check for finding in found} == {"audit"}
    assert all(finding.what.endswith(".") and len(finding.subject) == finding.count for finding in found)


def test_the_same_changes_give_the_same_findings_in_any_order() -> None:
    head = before(LAST[ALPHA])
    after = released(head, ALPHA)
    changes = difference(head, after)
    assert audit(changes, context(ALPHA, after)) == audit(changes[::-1], context(ALPHA, after))


def test_one_finding_stands_for_many_files_and_names_them_all() -> None:
    found = by_severity(findings(ALPHA), Severity.EXPLAINED)["news-fragment"]
    assert found.subject == tuple(sorted(path for path, _ in FRAGMENTS))
    assert found.what.startswith("Each of 5 files (`Misc/NEWS.d/next/C_API/")
    assert found.what.endswith("and 2 more) is a fragment that Misc/NEWS.d/3.15.0a3.rst holds now.")


def drop_first_entry(tree: Tree) -> None:
    tree.put("Misc/NEWS.d/3.15.0a3.rst", merged(FRAGMENTS[1:]))


def invent_entry(tree: Tree) -> None:
    extra = ("Misc/NEWS.d/next/Library/2026-02-02-00-00-00.gh-issue-99999.aaaaaa.rst", "Something else.\n")
    tree.put("Misc/NEWS.d/3.15.0a3.rst", merged([*FRAGMENTS, extra]))


def restore_fragment(tree: Tree) -> None:
    path, text = FRAGMENTS[0]
    tree.put(path, text)


def modify_fragment(tree: Tree) -> None:
    path, text = FRAGMENTS[0]
    tree.put(path, text + "More.\n")


TAMPERED: dict[str, tuple[str, Callable[[Tree], object]]] = {
    "code in the standard library": ("no-rule", lambda tree: tree.put("Lib/os.py", "import sys\nprint()\n")),
    "a new file": ("no-rule", lambda tree: tree.put("Lib/grail.py", "import os\n")),
    "a deleted file": ("no-rule", lambda tree: tree.pop("Lib/os.py")),
    "a workflow": ("workflow", lambda tree: tree.put(".github/workflows/build.yml", "on: push\n")),
    "a workflow in disguise": ("workflow", lambda tree: tree.put(".GitHub/workflows/build.rst", "on: push\n")),
    "an executable README": ("mode", lambda tree: tree.put("README.rst", tree["README.rst"][1], "100755")),
    "a symbolic link": ("special-file", lambda tree: tree.put("README.rst", "/etc/passwd", "120000")),
    "a submodule": ("special-file", lambda tree: tree.put("Doc/tools", "", "160000")),
    "binary content": ("binary", lambda tree: tree.put("Doc/c-api/bool.rst", b"\xff\xfe\0")),
    "bidirectional controls": ("invisible", lambda tree: tree.edit("Doc/c-api/bool.rst", "holy", "ho\u202ely")),
    "a zero-width space": ("invisible", lambda tree: tree.edit("README.rst", "nobody", "no\u200bbody")),
    "a wrong serial": ("patchlevel", lambda tree: tree.edit("Include/patchlevel.h", "SERIAL       3", "SERIAL       4")),
    "a macro after the constants": ("patchlevel", lambda tree: tree.edit("Include/patchlevel.h", "HEX 0", "HEX 1")),
    "no new patchlevel": ("patchlevel", lambda tree: tree.update(before(LAST[ALPHA]).copy())),
    "another sentence": ("readme", lambda tree: tree.edit("README.rst", "This is Python", "That is Python")),
    "a link elsewhere": ("readme", lambda tree: tree.edit("README.rst", "docs.python.org", "docs.example.org")),
    "news left out": ("news", drop_first_entry),
    "news made up": ("news", invent_entry),
    "news with markup": ("news", lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", "colour.\n", "colour.\n\n.. raw:: html\n\n   x\n")),
    "news of another issue": ("news", lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", "gh-issue: 144125", "gh-issue: 144126")),
    "news in another section": ("news", lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", "section: Security", "section: Windows")),
    "news without a day": ("news", lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", f".. release date: {DAY}\n", "")),
    "news rewritten from an old version": ("no-rule", lambda tree: tree.put("Misc/NEWS.d/3.15.0a2.txt", "x\n")),
    "a fragment left over": ("news-fragment", restore_fragment),
    "a fragment modified": ("news-fragment", modify_fragment),
    "a placeholder removed": ("news-fragment", lambda tree: tree.pop("Misc/NEWS.d/next/Library/README.rst")),
    "another version in a directive": ("next-directive", lambda tree: tree.edit("Doc/library/os.rst", "added:: 3.15", "added:: 3.14")),
    "another edit beside a directive": ("next-directive", lambda tree: tree.edit("Doc/c-api/bool.rst", "holy", "wholly")),
    "a longer page": ("next-directive", lambda tree: tree.edit("Doc/c-api/bool.rst", "holy.", "holy.\n   And more.")),
    "a new page": ("next-directive", lambda tree: tree.put("Doc/new.rst", "New\n")),
    "code among the topics": ("generated", lambda tree: tree.edit("Lib/pydoc_data/topics.py", "topics = {", "import os\ntopics = {")),
    "a call among the topics": ("generated", lambda tree: tree.edit("Lib/pydoc_data/topics.py", "'pass\\n'", "str()")),
    "configure changed": ("autoconf", lambda tree: tree.put("configure", "#! /bin/sh\nac_init=1\ncurl evil\n", "100755")),
    "a word of two alphabets": ("look-alike", lambda tree: tree.edit("README.rst", "nobody", "n\u043ebody")),
    "a blank that is none": ("invisible", lambda tree: tree.edit("Doc/c-api/bool.rst", "is holy", "is\u2009holy")),
    "a large file": ("content", lambda tree: tree.put("Doc/c-api/bool.rst", b" " * (LARGEST_FILE + 1))),
    "a NUL in the news": ("binary", lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", "colour", "col\0ur")),
    "another PEP": ("readme", lambda tree: tree.edit("README.rst", "`PEP 790", "`PEP 791")),
    "configure removed": ("autoconf", lambda tree: tree.pop("configure")),
    "a changed description of the series": ("whatsnew-date", lambda tree: tree.edit("Doc/whatsnew/3.15.rst", "All about", "Nothing about")),
}


@pytest.mark.parametrize("story", TAMPERED)
def test_a_release_with_one_thing_amiss_needs_a_waiver(story: str) -> None:
    rule, tamper = TAMPERED[story]
    refused = by_severity(findings(ALPHA, tamper), Severity.WAIVER)
    assert rule in refused
    assert refused[rule].what.endswith(".")


LINES: dict[str, list[tuple[str, int, int]]] = {
    "code in the standard library": [("Lib/os.py", 2, 2)],
    "a new file": [("Lib/grail.py", 1, 1)],
    "a deleted file": [("Lib/os.py", 1, 1)],
    "bidirectional controls": [("Doc/c-api/bool.rst", 2, 2)],
    "a word of two alphabets": [("README.rst", 13, 13)],
    "a wrong serial": [("Include/patchlevel.h", 8, 8)],
    "a macro after the constants": [("Include/patchlevel.h", 13, 13)],
    "another sentence": [("README.rst", 1, 1)],
    "news with markup": [("Misc/NEWS.d/3.15.0a3.rst", 2, 2)],
    "another version in a directive": [("Doc/library/os.rst", 3, 3)],
    "a longer page": [("Doc/c-api/bool.rst", 3, 3)],
    "a call among the topics": [("Lib/pydoc_data/topics.py", 10, 10)],
    "configure changed": [("configure", 3, 3)],
}


@pytest.mark.parametrize("story", LINES)
def test_what_is_amiss_is_shown_at_its_lines(story: str) -> None:
    rule, tamper = TAMPERED[story]
    [*places] = by_severity(findings(ALPHA, tamper), Severity.WAIVER)[rule].places
    assert [(place.path, place.line, place.last) for place in places] == LINES[story]
    assert all(place.message.startswith(f"The file `{place.path}` ") and place.message.endswith(".") for place in places)


def test_a_file_with_many_places_shows_the_first_and_counts_the_others() -> None:
    text = "".join(f"line {number}\n" for number in range(40))
    head = before(LAST[ALPHA])
    head.put("Doc/x.rst", text)
    after = released(head, ALPHA)
    after.put("Doc/x.rst", text.replace("5\n", "five\n").replace("8\n", "eight\n"))
    [*places] = by_severity(audit(difference(head, after), context(ALPHA, after)), Severity.WAIVER)["next-directive"].places
    assert [place.line for place in places] == [6, 9, 16, 19, 26]
    assert places[-1].message.endswith(" The same holds for 3 more places in this file.")


SEEN_TWICE = {
    "a NUL in the news",
    "a fragment left over",
    "a fragment modified",
    "news left out",
    "news of another issue",
    "news in another section",
    "no new patchlevel",
}


@pytest.mark.parametrize("story", sorted(TAMPERED.keys() - SEEN_TWICE))
def test_what_is_amiss_in_one_file_is_blamed_on_one_rule(story: str) -> None:
    rule, tamper = TAMPERED[story]
    assert set(by_severity(findings(ALPHA, tamper), Severity.WAIVER)) == {rule}


def test_news_left_out_is_also_seen_at_its_fragment() -> None:
    refused = by_severity(findings(ALPHA, drop_first_entry), Severity.WAIVER)
    assert refused["news"].what == (
        "The file `Misc/NEWS.d/3.15.0a3.rst` leaves out news whose fragments were removed (gh-144125): run blurb again."
    )
    assert refused["news-fragment"].subject == (FRAGMENTS[0][0],)


def test_news_polished_by_hand_is_to_be_read() -> None:
    found = findings(ALPHA, lambda tree: tree.edit("Misc/NEWS.d/3.15.0a3.rst", "Say hello", "Greet"))
    assert not by_severity(found, Severity.WAIVER)
    assert by_severity(found, Severity.ACKNOWLEDGE)["news"].what == (
        "The file `Misc/NEWS.d/3.15.0a3.rst` words 1 of 5 entries differently from their fragments (gh-144001): read them."
    )


def test_a_release_without_the_files_that_every_release_changes_is_not_complete() -> None:
    refused = by_severity(audit([], context(ALPHA)), Severity.WAIVER)
    assert {rule: finding.subject for rule, finding in refused.items()} == {
        "news": ("Misc/NEWS.d/3.15.0a3.rst",),
        "patchlevel": ("Include/patchlevel.h",),
        "readme": ("README.rst",),
    }


def test_a_release_without_any_news() -> None:
    head, after = Tree(), Tree()
    for version, tree in ((LAST[BUGFIX], head), (BUGFIX, after)):
        tree.put("README.rst", readme(version))
        tree.put("Include/patchlevel.h", before(version)["Include/patchlevel.h"][1])
    after.edit("Include/patchlevel.h", "3.13.6+", "3.13.6")
    after.put(BUGFIX.news_file, no_changes(BUGFIX))
    found = audit(difference(head, after), context(BUGFIX, after))
    assert set(by_severity(found, Severity.EXPLAINED)) == {"news", "patchlevel", "readme"}
    assert len(found) == 3


def test_the_day_of_the_release_is_written_into_whats_new_at_the_final_release_only() -> None:
    final, last = Version.parse("3.15.0"), Version.parse("3.15.0rc3")
    head = before(last)
    after = released(head, final)
    after.edit("Doc/whatsnew/3.15.rst", "will be released on 1 May 2027", "was released on 3 March 2026")
    found = audit(difference(head, after), context(final, after))
    assert not by_severity(found, Severity.WAIVER)
    assert by_severity(found, Severity.ACKNOWLEDGE)["whatsnew-date"].subject == ("Doc/whatsnew/3.15.rst",)

    def day(tree: Tree) -> None:
        tree.edit("Doc/whatsnew/3.13.rst", "will be released on 1 May 2027", "was released on 3 March 2026")

    assert "whatsnew-date" in by_severity(findings(BUGFIX, day), Severity.WAIVER)


def test_many_reasons_are_told_by_example() -> None:
    def tamper(tree: Tree) -> None:
        tree.put("Doc/a.rst", "New\n")
        tree.put("Doc/b.rst", "New\n")
        tree.edit("Doc/library/os.rst", ".. function", ".. method")
        tree.edit("Doc/c-api/bool.rst", "   It is holy.\n", "")

    told = by_severity(findings(ALPHA, tamper), Severity.WAIVER)["next-directive"]
    assert told.count == 4
    assert told.what == (
        "Each of 2 files (`Doc/a.rst`, `Doc/b.rst`) is added or deleted, where only its version directives may change: take that out; "
        "the file `Doc/c-api/bool.rst` changes more than the arguments of version directives: take the other edits out; "
        "the file `Doc/library/os.rst` changes something else than the argument of a version directive in line 1: take that out."
    )


def test_the_builders_write_an_entry_as_blurb_does() -> None:
    assert entry(*FRAGMENTS[1], DAY) == (
        ".. date: 2026-02-02-10-20-30\n.. gh-issue: 144001\n.. nonce: w_-1zz\n.. release date: 2026-03-03\n.. section: Tools/Demos\n\n"
        "Say hello in colour.\n"
    )
