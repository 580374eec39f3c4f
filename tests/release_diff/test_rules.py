"""Each rule alone, at its edges."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from bot.profile import load
from bot.release.facts import Severity
from bot.release.version import Version
from bot.verify.release_diff import BUMP, CPYTHON, RULES, AuditRow, FileChange, UnknownRule, Verdict, audit
from bot.verify.release_diff.audit import MOST_BYTES, MOST_CHANGES
from bot.verify.release_diff.generated import NotLiteral, literal_dictionary
from bot.verify.release_diff.guards import LARGEST_FILE
from bot.verify.release_diff.news_format import NewsError, laid_out, named, parse, parse_fragment, written
from bot.verify.release_diff.table import fits
from bot.verify.release_diff.text import added_lines, changed_lines, first_difference, mixed_added, runs_of, unseen_added
from tests.release_diff.diff_builders import before, by_severity, context, merged, no_changes, patchlevel, readme

NEXT = Version.parse("3.13.6")
FINAL = Version.parse("3.15.0")
EXPLAINED, ACKNOWLEDGE, WAIVER = Severity.EXPLAINED, Severity.ACKNOWLEDGE, Severity.WAIVER


def change(path: str, old: str | bytes | None, new: str | bytes | None) -> FileChange:
    sides = [side.encode() if isinstance(side, str) else side for side in (old, new)]
    modes = [None if side is None else "100644" for side in sides]
    return FileChange(path=path, old_mode=modes[0], new_mode=modes[1], old=sides[0], new=sides[1])


def judged(rule: str, one: FileChange, others: Sequence[FileChange] = (), version: Version = NEXT, *, pep: int | None = 0) -> Verdict:
    return RULES[rule].verify(one, context(version, pep=pep), [one, *others])


def test_rules_say_nothing_of_themselves_but_their_names() -> None:
    assert all(rule.name == name for name, rule in RULES.items())
    assert {name for name, rule in RULES.items() if rule.required} == {"patchlevel", "readme", "news"}
    assert {row.rule for row in (*CPYTHON, *BUMP)} == set(RULES)


@pytest.mark.parametrize("path", ["Include/patchlevel.h", "README.rst", "configure", "Lib/pydoc_data/topics.py", "Doc/whatsnew/3.13.rst"])
def test_files_that_only_change_are_not_deleted(path: str) -> None:
    found = audit([change(path, "x\n", None)], context(NEXT))
    assert path in {subject for finding in found if finding.severity is WAIVER for subject in finding.subject}


# --- patchlevel


@pytest.mark.parametrize(
    "markers",
    ["", "/*--end constants--*/\n/*--start constants--*/\n", "/*--start constants--*/\n/*--start constants--*/\n/*--end constants--*/\n"],
)
def test_a_patchlevel_without_one_block_cannot_be_recomputed(markers: str) -> None:
    verdict = judged("patchlevel", change("Include/patchlevel.h", markers, markers + "x"))
    assert verdict.severity is WAIVER
    assert "cannot be recomputed" in verdict.why


def test_a_wrong_patchlevel_is_shown_by_its_first_line() -> None:
    old = patchlevel(Version.parse("3.13.5"), "+")
    verdict = judged("patchlevel", change("Include/patchlevel.h", old, patchlevel(Version.parse("3.13.7"))))
    assert verdict.why == "is not what release.py makes of it for 3.13.6, from line 6 on: bump the version again"


# --- readme


def test_older_tools_drop_the_newline_at_the_end_of_the_readme_and_newer_ones_add_it() -> None:
    old, new = readme(Version.parse("3.13.5")), readme(NEXT)
    for ending in ("", "\n"):
        for former in ("", "\n"):
            assert judged("readme", change("README.rst", old + former, new + ending)).severity is EXPLAINED
    assert judged("readme", change("README.rst", old, new + "\n\n")).severity is WAIVER


def test_links_may_still_be_those_of_the_last_series_or_follow() -> None:
    first = Version.parse("3.16.0a1")
    old = readme(Version.parse("3.15.0b1"))
    assert judged("readme", change("README.rst", old, readme(first)), version=first).severity is EXPLAINED
    assert judged("readme", change("README.rst", old, readme(first, series="3.15")), version=first).severity is EXPLAINED
    assert judged("readme", change("README.rst", old, readme(first, series="3.14")), version=first).severity is WAIVER


def test_without_the_number_of_the_release_pep_its_link_stays() -> None:
    old = readme(Version.parse("3.13.5"))
    assert judged("readme", change("README.rst", old, readme(NEXT)), pep=None).severity is EXPLAINED
    assert judged("readme", change("README.rst", old, readme(NEXT).replace("719", "718")), pep=None).severity is WAIVER


@pytest.mark.parametrize("old", ["", "Python\n======\n", "This is Python version 3.13.5\n", "This is Python version 3.13.5\nno line\n"])
def test_a_readme_without_its_sentence_cannot_be_recomputed(old: str) -> None:
    assert "cannot be recomputed" in judged("readme", change("README.rst", old, readme(NEXT))).why


# --- version directives


@pytest.mark.parametrize("name", ["versionadded", "versionchanged", "versionremoved", "deprecated", "deprecated-removed"])
@pytest.mark.parametrize(
    "line", [".. {0}:: next\n", "\t..  {0} ::next", "x\n   .. {0}:: next 4.0\r\n", ".. {0}:: next\n.. {0}:: next as\tx"]
)
def test_next_becomes_the_version_in_five_directives(name: str, line: str) -> None:
    old = line.format(name)
    verdict = judged("next-directive", change("Doc/x.rst", old, old.replace("next", "3.13.6")))
    assert verdict.severity is EXPLAINED


@pytest.mark.parametrize(
    "line",
    [
        ".. versionadded:: NEXT",
        "..versionadded:: next",
        "... versionadded:: next",
        "x .. versionadded:: next",
        ".. other:: next",
        ".. versionadded:: nextling",
        ".. versionadded: next",
        ".. deprecated-removed:: 3.0 next",
        "next",
    ],
)
def test_next_stays_elsewhere(line: str) -> None:
    assert judged("next-directive", change("Doc/x.rst", line, line.replace("next", "3.13.6").replace("NEXT", "3.13.6"))).severity is WAIVER


def test_a_directive_that_still_says_next_is_to_be_acknowledged() -> None:
    old = ".. versionadded:: next\n.. deprecated:: next\n"
    assert judged("next-directive", change("Doc/x.rst", old, old.replace("next", "3.13.6", 1))).severity is ACKNOWLEDGE


def test_a_wrong_version_is_told_by_its_line() -> None:
    verdict = judged("next-directive", change("Doc/x.rst", "x\n.. versionadded:: next\n", "x\n.. versionadded:: 3.13\n"))
    assert verdict.why == "turns `next` into something else than 3.13.6 in line 2: correct it"


# --- the day in What's New


BEFORE = "Title\n\nPython 3.15 will be released on 1 May 2027.\nRead on.\n\n.. versionadded:: next\n\nEnd\n"


@pytest.mark.parametrize(
    ("after", "severity"),
    [
        ("Title\n\nPython 3.15 was released on 7 October 2026.\nRead on.\n\n.. versionadded:: 3.15\n\nEnd\n", ACKNOWLEDGE),
        ("Title\n\nPython 3.15 will be released on 1 May 2027.\nRead on.\n\n.. versionadded:: 3.15\n\nEnd\n", EXPLAINED),
        ("Title\n\nPython 3.15 was released on October 7, 2026.\nRead on.\n\n.. versionadded:: 3.15\n\nEnd\n", ACKNOWLEDGE),
        ("Title\n\nPython 3.14 was released on 7 October 2026.\nRead on.\n\n.. versionadded:: 3.15\n\nEnd\n", WAIVER),
        ("Title\n\nPython 3.15 was released on 7 October 2026.\n.. include:: x\n\n.. versionadded:: 3.15\n\nEnd\n", WAIVER),
        ("Title\n\nPython 3.15 was released on 7 October 2026.\nRead on.\n\n.. versionadded:: 3.15\n\nThe End\n", WAIVER),
        ("Title\n\nPython 3.15 was released on 7 October 2026.\n" + "More.\n" * 9 + "\n.. versionadded:: 3.15\n\nEnd\n", WAIVER),
        ("Title\n\nPython 3.15 was released on 7 October 2026.\n\nRead it.\n\n.. versionadded:: 3.15\n\nEnd\n", WAIVER),
        ("Title\n\n\nPython 3.15 was released on 7 October 2026.\n\nRead on.\n\n.. versionadded:: 3.15\n\nEnd\n", ACKNOWLEDGE),
    ],
)
def test_one_paragraph_may_tell_the_day(after: str, severity: Severity) -> None:
    assert judged("whatsnew-date", change("Doc/whatsnew/3.15.rst", BEFORE, after), version=FINAL).severity is severity


def test_a_paragraph_on_the_day_may_be_new() -> None:
    after = "Title\n\nPython 3.15 was released on 7 October 2026.\n\nEnd\n"
    assert judged("whatsnew-date", change("Doc/whatsnew/3.15.rst", "Title\n\nEnd\n", after), version=FINAL).severity is ACKNOWLEDGE
    assert judged("whatsnew-date", change("Doc/whatsnew/3.15.rst", None, after), version=FINAL).severity is WAIVER


# --- news


PATH = "Misc/NEWS.d/next/Library/2026-01-31-17-15-49.gh-issue-144363.X9f0sU.rst"
OLD_PATH = "Misc/NEWS.d/next/C API/2021-06-24-14-37-16.bpo-43066.Ti7ahX.rst"
HEAD = ".. date: 2026-01-31-17-15-49\n.. gh-issue: 144363\n.. nonce: X9f0sU\n.. release date: 2026-03-03\n.. section: Library\n\n"


def news(text: str, *fragments: tuple[str, str]) -> Verdict:
    return judged("news", change(NEXT.news_file, None, text), [change(path, body, None) for path, body in fragments])


def test_long_lines_of_a_fragment_are_wrapped_in_the_merged_file() -> None:
    body = "Update the bundled library to its newest version, which fixes a number of bugs.  It is well.\n"
    wrapped = "Update the bundled library to its newest version, which fixes a number of\nbugs.  It is well.\n"
    assert news(HEAD + wrapped, (PATH, body)).severity is EXPLAINED
    assert news(HEAD + body, (PATH, body)).severity is ACKNOWLEDGE
    assert "laid out in another way" in news(HEAD + body, (PATH, body)).why


def test_a_version_directive_inside_news_is_replaced_too() -> None:
    body = "New.\n\n.. versionadded:: next\n"
    assert news(HEAD + "New.\n\n.. versionadded:: 3.13.6\n", (PATH, body)).severity is EXPLAINED
    assert news(HEAD + "New!\n\n.. versionadded:: 3.13.6\n", (PATH, body)).severity is ACKNOWLEDGE
    layout = HEAD + "\n\nNew.\n\n.. versionadded:: 3.13.6\n"
    assert "laid out in another way" in news(layout, (PATH, body)).why


def test_news_of_the_old_tracker() -> None:
    head = ".. bpo: 43066\n.. date: 2021-06-24-14-37-16\n.. nonce: Ti7ahX\n.. release date: 2026-03-03\n.. section: C API\n\n"
    assert news(head + "Add a warning.\n", (OLD_PATH, "Add a warning.\n")).severity is EXPLAINED
    assert "(bpo-43066)" in news(head + "Add a hint.\n", (OLD_PATH, "Add a warning.\n")).why


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No metadata\n",
        HEAD,
        HEAD + "Text.\n\n..\n",
        HEAD.replace(".. gh-issue: 144363\n", "") + "Text.\n",
        HEAD.replace(".. section: Library\n", "") + "Text.\n",
        HEAD.replace("nonce", "date") + "Text.\n",
        "..:x\n" + HEAD + "Text.\n",
        ".. note\n" + HEAD + "Text.\n",
        HEAD.replace("2026-03-03", "20260303") + "Text.\n",
        HEAD.replace("2026-03-03", "today") + "Text.\n",
        HEAD + "Text.\n\n..\n\n" + HEAD.replace("144363", "144364") + "Text.\n",
        HEAD + "Text.\n\n..\n\n" + HEAD.replace(".. release date: 2026-03-03\n", "") + "Text.\n",
    ],
)
def test_news_that_blurb_would_not_write(text: str) -> None:
    assert news(text, (PATH, "Text.\n")).severity is WAIVER


def test_the_news_file_must_be_new_and_that_of_the_version() -> None:
    assert judged("news", change(NEXT.news_file, "x", HEAD)).severity is WAIVER
    assert judged("news", change("Misc/NEWS.d/3.13.5.rst", None, HEAD)).severity is WAIVER
    assert "one of these files does not have the name of a fragment" in news(HEAD + "Text.\n", ("Misc/NEWS.d/next/x.rst", "Text.\n")).why


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (no_changes(NEXT), EXPLAINED),
        (
            no_changes(NEXT)
            .replace("gh-issue: 0", "bpo: 0")
            .replace(".. date: 2026-03-03\n.. bpo: 0\n", ".. bpo: 0\n.. date: 2026-03-03\n"),
            EXPLAINED,
        ),
        (no_changes(NEXT).replace("There were", "We made"), ACKNOWLEDGE),
        (no_changes(NEXT).replace("gh-issue: 0", "gh-issue: 1"), ACKNOWLEDGE),
        (no_changes(NEXT).replace("a_B-3z", "a b"), ACKNOWLEDGE),
        (no_changes(NEXT).replace(".. section", ".. secret: 1\n.. section"), ACKNOWLEDGE),
        (no_changes(Version.parse("3.13.7")), ACKNOWLEDGE),
        (no_changes(NEXT).replace("True", "Yes"), WAIVER),
        (HEAD + "Text.\n", WAIVER),
    ],
)
def test_a_version_without_news_says_so(text: str, severity: Severity) -> None:
    assert news(text).severity is severity


SECTIONS = ("Windows", "Security", "Library", "Core_and_Builtins")
OLDER = ("Security", "Core_and_Builtins", "Library", "Windows")


def in_sections(names: Sequence[str], days: Sequence[int] = (1,)) -> list[tuple[str, str]]:
    """Fragments of each section in turn, made on these days of one month."""
    return [
        (f"Misc/NEWS.d/next/{name}/2026-01-0{day}-10-00-00.gh-issue-{100 * number + day}.aaaaaa.rst", "Text.\n")
        for number, name in enumerate(names)
        for day in days
    ]


@pytest.mark.parametrize(
    ("fragments", "severity"),
    [
        (in_sections(SECTIONS), EXPLAINED),
        (in_sections(OLDER), EXPLAINED),
        (in_sections(SECTIONS, [3, 2, 2]), EXPLAINED),
        (in_sections(SECTIONS, [2, 3]), ACKNOWLEDGE),
        (in_sections(["Library", "Windows", "Security"]), ACKNOWLEDGE),
        (in_sections(["Windows"], [3]) + in_sections(["Library"]) + in_sections(["Windows"], [2]), ACKNOWLEDGE),
    ],
    ids=["from Z to A", "as in the documentation", "newest first", "oldest first", "another order", "a section twice"],
)
def test_sections_stand_in_an_order_of_blurb_and_the_newest_entries_first(fragments: list[tuple[str, str]], severity: Severity) -> None:
    fragments = list(dict.fromkeys(fragments))
    assert news(merged(fragments, sort=False), *fragments).severity is severity


@pytest.mark.parametrize(
    ("tagged", "severity"),
    [
        (None, EXPLAINED),
        (date(2026, 3, 3), EXPLAINED),
        (date(2026, 3, 5), EXPLAINED),
        (date(2026, 3, 6), ACKNOWLEDGE),
        (date(2025, 3, 3), ACKNOWLEDGE),
    ],
)
def test_the_day_of_the_release_is_about_that_of_its_tag(tagged: date | None, severity: Severity) -> None:
    for text, removed in ((HEAD + "Text.\n", [change(PATH, "Text.\n", None)]), (no_changes(NEXT), [])):
        one = change(NEXT.news_file, None, text)
        verdict = RULES["news"].verify(one, replace(context(NEXT), tagged=tagged), [one, *removed])
        assert verdict.severity is severity
        assert verdict.lines == (() if severity is EXPLAINED else (text.split("\n").index(".. release date: 2026-03-03") + 1,))


def test_no_changes_is_wrong_when_there_are_some() -> None:
    assert "leaves out news" in news(no_changes(NEXT), (PATH, "Text.\n")).why


@pytest.mark.parametrize(
    "path",
    [
        "Misc/NEWS.d/next/Library/README.rst",
        "Misc/NEWS.d/next/Grail/2026-01-31.gh-issue-1.X9f0sU.rst",
        "Misc/NEWS.d/next/Library/2026-01-31.gh-issue-1.X9f0sU.txt",
        "Misc/NEWS.d/next/Library/today.gh-issue-1.X9f0sU.rst",
        "Misc/NEWS.d/next/Library/2026-01-31.gh-issue-one.X9f0sU.rst",
        "Misc/NEWS.d/next/Library/2026-01-31.gh-issue-1.X9 sU.rst",
        "Misc/NEWS.d/next/Library/2026-01-31.X9f0sU.rst",
        "rst",
    ],
)
def test_other_names_are_no_fragments(path: str) -> None:
    with pytest.raises(NewsError, match="does not have the name of a fragment"):
        named(path)


def test_a_fragment_is_one_entry() -> None:
    with pytest.raises(NewsError, match="without an issue"):
        parse("Text.\n")
    with pytest.raises(NewsError, match="more than one entry"):
        parse_fragment(PATH, "Text.\n..\nMore.\n")


def test_a_fragment_with_a_comment_and_one_that_cannot_be_read() -> None:
    merged = change(NEXT.news_file, None, HEAD + "Text.\n")
    assert judged("news-fragment", change(PATH, "# comment\n\nText.\n", None), [merged]).severity is EXPLAINED
    assert "has an entry without text" in judged("news-fragment", change(PATH, "# only\n", None), [merged]).why
    assert "does not hold it" in judged("news-fragment", change(PATH, "Text.\n", None)).why


def test_the_layout_of_blurb() -> None:
    long = "word " * 30
    lines = "\n".join(("word " * 15).strip() for _ in range(2))
    assert laid_out(long) == lines + "\n"
    assert laid_out(f"Look::\n\n   {long}\n\n{long}") == f"Look::\n\n   {long.rstrip()}\n\n{lines}\n"
    assert laid_out(f"* {long}") == f"* {long.rstrip()}\n"
    assert written(parse(HEAD + "Text.\n")) == HEAD + "Text.\n"


# --- generated files


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = {}", "something else than literal strings"),
        ("topics = {'a': 'b'}; import os", "something else than literal strings"),
        ("topics = {'a': f'{1}'}", "something else than literal strings"),
        ("topics = {'a': b'b'}", "something else than literal strings"),
        ("topics = {'a': topics}", "something else than literal strings"),
        ("topics = {'a': 'b', **{}}", "something else than literal strings"),
        ("topics = {'a': ('b', 'c')}", "something else than literal strings"),
        ("topics = {'a', 'b'}", "is not the one dictionary `topics`"),
        ("topics = topics = {}", "is not the one dictionary `topics`"),
        ("'a'\ntopics = {}", "is not the one dictionary `topics`"),
        ("", "is not the one dictionary `topics`"),
        ("topics = {'a': 'b', 'a': 'c'}", "has a key twice"),
        ("topics = {'a': ", "is not Python that can be read"),
        ("topics = {'a' 'b', : }", "is not Python that can be read"),
        ("topics = {'a': '\\x'}", "is not Python that can be read"),
        ("# coding: utf-7\ntopics = {}", "has another encoding than UTF-8"),
        ("# coding: grail\ntopics = {}", "is not Python that can be read"),
        ("topics = {" + "'a':'b'," * 60_000 + "}", "is too long to be examined"),
        ("topics = " + "(" * 500, "is not Python that can be read"),
    ],
)
def test_only_one_written_out_dictionary_is_data(text: str, why: str) -> None:
    with pytest.raises(NotLiteral, match=re.escape(why)):
        literal_dictionary(text.encode(), "topics")


def test_strings_may_be_written_in_pieces_and_with_odd_escapes() -> None:
    assert literal_dictionary(b"# -*- coding: utf-8 -*-\n# by Sphinx\ntopics = {'a': 'b\\d' 'c'}\n", "topics") == {"a": "b\\dc"}


def test_a_generated_file_is_explained_when_only_its_header_is_new() -> None:
    path = "Lib/pydoc_data/topics.py"
    assert judged("generated", change(path, "# then\ntopics = {'a': 'b'}\n", "# now\ntopics = {'a': 'b'}\n")).severity is EXPLAINED
    assert judged("generated", change(path, "topics = {'a': 'b'}\n", "topics = {'a': 'c'}\n")).severity is ACKNOWLEDGE
    assert judged("generated", change(path, None, "topics = {'a': 'b'}\n")).why == "is generated: a dictionary of 1 text and nothing else"


def test_configure_is_never_expected_to_change_and_a_second_person_compares_it() -> None:
    verdict = judged("autoconf", change("configure", "a\nb\n", "a\nc\nd\n"))
    assert (verdict.severity, verdict.lines) == (WAIVER, (2, 3))
    assert "although nothing that it is made from is changed, with 3 lines added or removed" in verdict.why
    with_input = judged("autoconf", change("configure", "a\nb\n", "a\nc\n"), [change("configure.ac", "x", "y")])
    assert with_input.severity is WAIVER
    assert "together with configure.ac" in with_input.why


# --- guards, tables, limits


@pytest.mark.parametrize(
    "path", ["Doc/x\u202e.rst", "D\u043ec/x.rst", "Doc\\x.rst", "Doc/../x.rst", "/Doc/x.rst", "Doc//x.rst", "Doc/./x.rst"]
)
def test_a_path_shows_what_it_is(path: str) -> None:
    assert "path" in by_severity(audit([change(path, "a", "b")], context(NEXT)), WAIVER)


@pytest.mark.parametrize(
    ("old_mode", "new_mode", "rule"),
    [
        ("100644", "100755", "mode"),
        ("100755", "100644", "mode"),
        (None, "100755", "mode"),
        ("120000", "100644", "special-file"),
        ("160000", None, "special-file"),
        ("100644", "040000", "special-file"),
        ("100644", "100644", "no-rule"),
        ("100755", "100755", "no-rule"),
        ("100755", None, "no-rule"),
    ],
)
def test_modes_stay(old_mode: str | None, new_mode: str | None, rule: str) -> None:
    one = FileChange(path="x", old_mode=old_mode, new_mode=new_mode, old=(old_mode and b"a") or None, new=(new_mode and b"b") or None)
    assert set(by_severity(audit([one], context(NEXT)), WAIVER)) - {"patchlevel", "readme", "news"} == {rule}


def test_content_that_was_not_read_or_is_too_large() -> None:
    unread = FileChange(path="Doc/x.rst", old_mode="100644", new_mode="100644", old=b"", new=None)
    large = change("Doc/y.rst", "", b" " * (LARGEST_FILE + 1))
    found = by_severity(audit([unread, large], context(NEXT)), WAIVER)["content"]
    assert found.subject == ("Doc/x.rst", "Doc/y.rst")
    assert "could not be read" in found.what
    assert "more than 8 MiB" in found.what


def test_a_commit_that_is_too_large_is_not_examined_at_all() -> None:
    one = change("Doc/x.rst", "a", "b")
    (many,) = audit([one] * (MOST_CHANGES + 1), context(NEXT))
    part = b" " * LARGEST_FILE
    (much,) = audit([change("Doc/x.rst", part, part)] * (MOST_BYTES // LARGEST_FILE // 2 + 1), context(NEXT))
    assert {many.rule, much.rule} == {"limit"}
    assert many.severity is WAIVER


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u2067", "U+2067 RIGHT-TO-LEFT ISOLATE"),
        ("\u2028", "U+2028 LINE SEPARATOR"),
        ("\u3164", "U+3164 HANGUL FILLER"),
        ("\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("\u2009", "U+2009 THIN SPACE"),
        ("\x1b", "U+001B CONTROL OR UNNAMED CHARACTER"),
        ("\r", "U+000D CONTROL OR UNNAMED CHARACTER"),
    ],
)
def test_unseen_characters_are_named(character: str, name: str) -> None:
    assert unseen_added(f"x\na{character}b c", (b"c",)) == ((name,), (2,))
    assert unseen_added(f"a{character}b c", (f"x a{character}b".encode(),)) == ((), ())


def test_ordinary_text_has_nothing_unseen() -> None:
    text = "Bénédikt\tŁukasz\n日本語 नमस्ते 🐍\u00a0… Łódź Ελλάδα Київ µs 5μm"
    assert unseen_added(text, ()) == mixed_added(text.replace("5μm", ""), ()) == ((), ())


@pytest.mark.parametrize("word", ["p\u0430tch", "\u0410ddress", "\u03bfpen", "re\u217fmove\uff41", "x\U0001d41a"])
def test_a_word_of_several_alphabets_is_refused_where_it_is_new(word: str) -> None:
    old = "One.\n\nTwo.\n"
    found = by_severity(audit([change("Doc/x.rst", old, f"One.\n\nTwo {word}.\n")], context(NEXT)), WAIVER)["look-alike"]
    assert [(place.path, place.line, place.last) for place in found.places] == [("Doc/x.rst", 3, 3)]
    assert "mix letters of several alphabets" in found.what
    moved = audit([change("Doc/x.rst", f"One {word}.\n", f"Two.\nOne {word}.\n")], context(NEXT))
    assert "look-alike" not in by_severity(moved, WAIVER)


def test_unseen_characters_that_only_move_from_a_fragment_are_not_new() -> None:
    body = "Zero\u200bwidth.\n"
    found = audit([change(PATH, body, None), change(NEXT.news_file, None, HEAD + body)], context(NEXT))
    assert set(by_severity(found, EXPLAINED)) == {"news", "news-fragment"}


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("README.rst", ["README.rst"], ["Doc/README.rst", "README.rst/x", "README_rst"]),
        ("**/*.rst", ["x.rst", "a/x.rst", "a/b/c/x.rst"], ["x.txt", "a/x.rst/y"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a", "ab/c"]),
        ("a/*/c", ["a/b/c"], ["a/c", "a/b/b/c"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c", "a/b/b/c"], ["a/c", "a/b", "b/c"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert all(fits(path, pattern) for path in yes)
    assert not any(fits(path, pattern) for path in no)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("Doc/whatsnew/3.15.rst", "x" + "\n" * 500_000, "y"),
        ("Doc/x.rst", " " * 1_000_000, " " * 999_999 + "x"),
        ("Doc/x.rst", ".. versionadded ::" * 50_000, ".. versionadded::" * 50_000),
        ("Misc/NEWS.d/3.15.0.rst", None, HEAD + "x\n..\n.. bpo: 1\n.. section: x\n" * 30_000),
        ("Misc/NEWS.d/3.15.0.rst", None, HEAD + "x\t" * 300_000),
        ("Misc/NEWS.d/3.15.0.rst", None, HEAD + "x\n\n" * 50_000),
        ("Lib/pydoc_data/topics.py", "", "topics = " + "(" * 1_000_000),
        ("Lib/pydoc_data/topics.py", "", "topics = '" + "\\" * 1_000_000),
    ],
)
def test_no_content_keeps_the_audit_busy(path: str, old: str | None, new: str) -> None:
    assert path in {subject for finding in audit([change(path, old, new)], context(FINAL)) for subject in finding.subject}


def test_a_pattern_is_followed_in_bounded_time() -> None:
    assert not fits("/".join("a" * 2000), "/".join(["**", "a"] * 40 + ["b"]))


def test_the_first_row_that_fits_decides_and_placeholders_are_filled_in() -> None:
    table = (AuditRow("Doc/{version}/{series}.rst", "autoconf"), AuditRow("Doc/**", "next-directive"))
    changes = [change("Doc/3.13.6/3.13.rst", "a", "b"), change("Doc/3.13.6/3.14.rst", "a", "b")]
    found = audit(changes, context(NEXT), table)
    assert [(finding.rule, finding.severity) for finding in found] == [("autoconf", WAIVER), ("next-directive", WAIVER)]


def test_a_table_with_an_unknown_rule_is_a_mistake_of_the_profile() -> None:
    with pytest.raises(UnknownRule, match=r"There is no audit rule `grail`: use one of patchlevel, "):
        audit([], context(NEXT), [AuditRow("x", "grail")])


def test_the_shipped_profile_has_the_table_of_cpython() -> None:
    rules = load("cpython").audit.rules
    assert [(row.path, str(row.rule)) for row in rules] == [(row.path, row.rule) for row in CPYTHON]
    assert audit([], context(NEXT), rules) == audit([], context(NEXT))


def test_an_empty_table_explains_nothing() -> None:
    head = before(Version.parse("3.13.5"))
    found = audit([change(path, None, content) for path, (_, content) in head.items()], context(NEXT), ())
    assert [(finding.rule, finding.count) for finding in found] == [("no-rule", len(head))]
    assert found[0].what.endswith("is not a file that a release changes: take the change out, or make it in a pull request of its own.")


def test_differences_are_counted_and_placed() -> None:
    assert first_difference(b"a\nb", b"a\nc") == 2
    assert first_difference(b"a", b"a\nb") == 2
    assert changed_lines(b"a\nb", b"b\na") == 0
    assert added_lines(b"a\nb\nb", b"c\na\nb\nb\nb") == (1, 5)
    assert added_lines(b"a\nb", b"a\n") == (1,)
    assert added_lines(None, b"a\n\nb\n") == (1, 2, 3)
    assert runs_of([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]


def test_more_reasons_than_are_told_are_counted() -> None:
    def told(number: int) -> str:
        changes = [change(f"Doc/{index}.rst", "a", "b\n" * index) for index in range(2)]
        changes += [change(f"Doc/x{index}.rst", "\n" * index + "a", "\n" * index + "b") for index in range(number)]
        return by_severity(audit(changes, context(NEXT)), WAIVER)["next-directive"].what

    assert told(1).endswith("take the other edits out.")
    assert told(3).endswith("in line 2: take that out; and one more reason.")
    assert told(4).endswith("in line 2: take that out; and 2 more reasons.")
