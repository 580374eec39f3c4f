"""What holds for every version, every file and every mutation."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.release.facts import Severity
from bot.release.version import Level, Version
from bot.verify.release_diff import RULES, FileChange, audit, post_release
from bot.verify.release_diff.generated import NotLiteral, literal_dictionary
from bot.verify.release_diff.news_format import laid_out, parse, written
from bot.verify.release_diff.patchlevel import with_constants
from bot.verify.release_diff.text import added_lines, mixed_added, runs_of, unseen_in
from tests.release_diff.diff_builders import PEPS, before, by_severity, context, difference, merged, patchlevel, readme, released

VERSIONS = [
    Version(3, minor, patch, level, 0 if level is Level.FINAL else serial)
    for minor in range(10, 17)
    for patch, level, serial in [
        (0, Level.ALPHA, 1),
        (0, Level.ALPHA, 12),
        (0, Level.BETA, 1),
        (0, Level.CANDIDATE, 2),
        (0, Level.FINAL, 0),
        (5, Level.CANDIDATE, 1),
        (15, Level.FINAL, 0),
    ]
]
versions = st.sampled_from(VERSIONS)
DIRECTIVES = st.sampled_from(["versionadded", "versionchanged", "versionremoved", "deprecated", "deprecated-removed"])


def judged(rule: str, path: str, old: bytes, new: bytes, version: Version) -> Severity:
    change = FileChange(path=path, old_mode="100644", new_mode="100644", old=old, new=new)
    return RULES[rule].verify(change, context(version), [change]).severity


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_every_version_is_understood_from_any_other_of_its_series(version: Version) -> None:
    for last in (other for other in VERSIONS if other.series == version.series and other != version):
        for suffix in ("", last.development_suffix):
            head = before(last, suffix)
            after = released(head, version)
            found = audit(difference(head, after), context(version, after))
            assert not by_severity(found, Severity.WAIVER)
            assert {"patchlevel", "readme", "news"} <= set(by_severity(found, Severity.EXPLAINED))


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_the_commit_after_every_version_adds_the_mark_of_development_only(version: Version) -> None:
    made = post_release(version, readme(version).encode(), patchlevel(version).encode())
    suffix = "+dev" if version.minor >= 15 else "+"
    assert made == {"README.rst": readme(version, suffix).encode(), "Include/patchlevel.h": patchlevel(version, suffix).encode()}


def mutated(content: bytes, position: int, byte: int, kind: str) -> bytes:
    position %= len(content)
    end = position if kind == "insert" else position + 1
    put = b"" if kind == "delete" else bytes([byte])
    return content[:position] + put + content[end:]


@given(versions, st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["insert", "delete", "replace"]))
def test_any_mutation_of_a_proven_file_is_refused(version: Version, position: int, byte: int, kind: str) -> None:
    last = Version.parse(f"{version.series}.99")
    for rule, path, old, new in (
        ("patchlevel", "Include/patchlevel.h", patchlevel(last, "+"), patchlevel(version)),
        ("readme", "README.rst", readme(last), readme(version) + "\n"),
    ):
        changed = mutated(new.encode(), position, byte, kind)
        same = changed == new.encode() or (rule == "readme" and changed == new.encode()[:-1])
        expected = Severity.EXPLAINED if same else Severity.WAIVER
        assert judged(rule, path, old.encode(), changed, version) is expected


@given(versions, DIRECTIVES, st.data())
def test_a_byte_changed_outside_the_token_of_a_directive_is_never_explained(version: Version, name: str, data: st.DataObject) -> None:
    head = data.draw(st.sampled_from(["", "   ", "\t"])).encode() + b".. " + name.encode() + b":: "
    tail = data.draw(st.sampled_from(["", " 4.0", " as x", "\n   It was.\n"])).encode()
    token = version.next_directive.encode()
    old, new = head + b"next" + tail, head + token + tail
    assert judged("next-directive", "Doc/x.rst", old, new, version) is Severity.EXPLAINED
    outside = [*range(len(head)), *range(len(head) + len(token), len(new))]
    position = data.draw(st.sampled_from(outside))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != new[position]))
    changed = new[:position] + bytes([byte]) + new[position + 1 :]
    assert judged("next-directive", "Doc/x.rst", old, changed, version) is not Severity.EXPLAINED


@given(versions, st.lists(st.tuples(DIRECTIVES, st.sampled_from(["next", "3.9", "NEXT", "nexte", "next 4.0"])), max_size=8), st.binary())
def test_replacing_the_tokens_is_explained_whatever_stands_around(version: Version, lines: list[tuple[str, str]], noise: bytes) -> None:
    text = b"\n".join([*(f".. {name}:: {argument}".encode() for name, argument in lines), noise.replace(b"next", b"")])
    tokens = [(argument.replace("next", version.next_directive, 1) if argument.split()[0] == "next" else argument) for _, argument in lines]
    after = b"\n".join(
        [*(f".. {name}:: {token}".encode() for (name, _), token in zip(lines, tokens, strict=True)), noise.replace(b"next", b"")]
    )
    assert judged("next-directive", "Doc/x.rst", text, after, version) is Severity.EXPLAINED


words = st.text(string.ascii_letters + string.digits + ".`:*-_é", min_size=1, max_size=30).filter(
    lambda word: not word.startswith((".", "#"))
)
paragraphs = st.lists(words, min_size=1, max_size=40).map(" ".join)
bodies = st.lists(paragraphs, min_size=1, max_size=3).map(lambda parts: "\n\n".join(parts) + "\n")


@given(st.lists(bodies, min_size=1, max_size=5), st.randoms())
def test_merged_fragments_are_explained_in_any_order_and_none_may_be_missing(texts: list[str], random: object) -> None:
    version = Version.parse("3.14.7")
    fragments = [(f"Misc/NEWS.d/next/Library/2026-02-0{n + 1}.gh-issue-{n + 50000}.aaaaa{n}.rst", text) for n, text in enumerate(texts)]
    laid = [(path, laid_out(laid_out(text))) for path, text in fragments]
    random.shuffle(laid)  # type: ignore[attr-defined]  # Hypothesis hands over a random.Random that it controls
    removed = [FileChange(path=path, old_mode="100644", new_mode=None, old=text.encode(), new=None) for path, text in fragments]

    def of(file: str) -> Severity:
        change = FileChange(path=version.news_file, old_mode=None, new_mode="100644", old=None, new=file.encode())
        return RULES["news"].verify(change, context(version), [change, *removed]).severity

    assert of(merged(laid)) in (Severity.EXPLAINED, Severity.ACKNOWLEDGE)
    if all(laid_out(text) == text for _, text in laid):
        assert of(merged(laid)) is Severity.EXPLAINED
    if len(laid) > 1:
        assert of(merged(laid[1:])) is Severity.WAIVER


@given(bodies)
def test_an_entry_survives_writing_and_reading(text: str) -> None:
    entries = parse(f".. gh-issue: 1\n.. section: Library\n\n{text}")
    assert [entry.key for entry in parse(written(entries))] == [entry.key for entry in entries]


@given(st.dictionaries(st.text(), st.text()), st.text(min_size=1).filter(str.strip))
def test_what_repr_writes_is_data_and_anything_after_it_is_not(texts: dict[str, str], more: str) -> None:
    source = f"topics = {texts!a}\n"
    assert literal_dictionary(source.encode(), "topics") == texts
    try:
        assert literal_dictionary((source + more).encode("utf-8", "replace"), "topics") == texts
    except NotLiteral:
        return
    assert all(line.lstrip("\ufeff \t\f").startswith("#") or not line.strip(" \t\f\\") for line in more.splitlines())


@given(
    st.lists(
        st.builds(
            FileChange,
            path=st.sampled_from(
                ["README.rst", "Include/patchlevel.h", "Misc/NEWS.d/3.15.0a3.rst", "Lib/pydoc_data/topics.py", "configure"]
            )
            | st.text(max_size=20)
            | st.just("Misc/NEWS.d/next/Library/2026-01-31-17-15-49.gh-issue-144363.X9f0sU.rst"),
            old_mode=st.sampled_from([None, "100644", "100755", "120000"]),
            new_mode=st.sampled_from([None, "100644", "100755", "160000"]),
            old=st.none() | st.binary(),
            new=st.none() | st.binary() | st.text().map(str.encode),
        ),
        max_size=6,
    )
)
def test_no_change_whatever_makes_the_audit_fall(changes: list[FileChange]) -> None:
    version = Version.parse("3.15.0a3")
    found = audit(changes, context(version))
    assert {path for finding in found for path in finding.subject} >= {change.path for change in changes}
    for finding in found:
        shown = {place.path for place in finding.places}
        assert shown == (set() if finding.severity is Severity.EXPLAINED else set(finding.subject))
        assert all(1 <= place.line <= place.last and "\n" not in place.message for place in finding.places)
    assert by_severity(found, Severity.WAIVER)


@given(versions, st.binary())
def test_rewriting_the_constants_twice_is_the_same_as_once(version: Version, noise: bytes) -> None:
    around = noise.replace(b"constants", b"")
    content = around + b"\n/*--start constants--*/\nold\n/*--end constants--*/\n" + around
    once = with_constants(content, version)
    assert with_constants(once, version) == once


@given(versions, st.integers(0, 10_000), st.integers(0, 10_000), st.binary(max_size=3), st.data())
def test_one_edit_anywhere_in_a_whole_release_is_never_explained_away(
    version: Version, first: int, second: int, put: bytes, data: st.DataObject
) -> None:
    """Whatever is done to one file of a release that the tools made: it is refused, or a person reads it, or it is what they could make."""
    last = Version.parse(f"{version.series}.99")
    head = before(last)
    after = released(head, version)
    path = data.draw(st.sampled_from(sorted(after)))
    mode, content = after[path]
    start, end = sorted((first % (len(content) + 1), second % (len(content) + 1)))
    after.put(path, content[:start] + put + content[end:], mode)
    usual = {finding.rule for finding in audit(difference(head, released(head, version)), context(version)) if not finding.places}
    changed = after[path][1]
    found = audit(difference(head, after), context(version, after))
    explained = {subject for finding in found if finding.severity is Severity.EXPLAINED for subject in finding.subject}
    if changed == content or path not in explained:
        return
    assert usual
    # The end of the README is left alone by some tools, and of generated texts only the comments and the way they are written may differ.
    settled = path == "README.rst" and changed.removesuffix(b"\n") == content.removesuffix(b"\n")
    written = path.startswith("Lib/pydoc_data/") and literal_dictionary(changed, path[15:-3]) == literal_dictionary(
        head[path][1], path[15:-3]
    )
    unreplaced = changed == head[path][1] if path in head else False
    assert settled or written or unreplaced, (path, changed)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_added_lines_are_lines_of_the_new_content(old: bytes, new: bytes) -> None:
    lines = new.removesuffix(b"\n").split(b"\n")
    for before_ in (old, None):
        numbers = added_lines(before_, new)
        assert numbers == tuple(sorted(set(numbers)))
        assert 1 <= numbers[0] <= numbers[-1] <= len(lines)
    assert [number for first, last in runs_of(added_lines(old, new)) for number in range(first, last + 1)] == list(added_lines(old, new))


@given(st.text("ab\u0430\u03b1z .\n", max_size=40), st.text("ab\u0430\u03b1z .\n", max_size=40))
def test_words_that_only_move_are_not_new_and_mixed_ones_are_found(text: str, more: str) -> None:
    assert mixed_added(text, (text.encode(),)) == ((), ())
    words, lines = mixed_added(more, (text.encode(),))
    assert bool(words) == bool(lines)
    assert set(words) <= set(more.split())
    assert all(number <= more.count("\n") + 1 for number in lines)


def test_bidirectional_and_zero_width_characters_are_all_unseen() -> None:
    for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xAD, 0x61C, 0xFEFF, 0x180E):
        assert unseen_in(chr(code)), hex(code)
    assert len(PEPS) == 7
