"""What the jobs of a workflow print is read as GitHub keeps it: with times, colours, groups, and whatever else stands there."""

import hashlib

import pytest

from bot.workflow.logs import EXCERPT, LONGEST_LINE, Told, excerpt, hashes, lines, values

COMMIT = "5d2a1c8f0e9b7a6d4c3b2a190817263544536271"
SUM = hashlib.sha256(b"sources").hexdigest()
NAMES = ("git_remote", "git_commit", "cpython_release")


def kept(*said: str) -> str:
    return "\ufeff" + "".join(f"2026-11-20T10:00:00.1234567Z {line}\r\n" for line in said)


def test_inputs_are_shown_among_much_else() -> None:
    log = kept(
        '##[group]Run echo "git_remote: $GIT_REMOTE"',
        '\x1b[36;1mecho "git_remote: $GIT_REMOTE"\x1b[0m',
        "env:",
        "  GIT_COMMIT: 0000",
        "##[endgroup]",
        "git_remote: hugovk",
        f"git_commit: {COMMIT}",
        "cpython_release: 3.15.0a3 ",
        "git_commit: what somebody else prints later does not count",
    )
    assert values(log, NAMES) == {"git_remote": "hugovk", "git_commit": COMMIT, "cpython_release": "3.15.0a3"}


@pytest.mark.parametrize("log", ["", "no colon", "  git_commit: indented", "my git_commit: 5", "GIT_COMMIT: 5"])
def test_what_only_looks_like_an_input_is_none(log: str) -> None:
    assert values(kept(log), NAMES) == {}


def test_a_log_without_times_is_read_too() -> None:
    assert lines("first\r\n\x1b[31msecond\x1b[0m\n") == ["first", "second"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"  {SUM}   1234567  Python-3.15.0a3.tgz", Told(sha256=SUM, size=1234567)),
        (f"  {SUM}   1234567  3.15.0a3/src/Python-3.15.0a3.tgz", Told(sha256=SUM, size=1234567)),
        (f"{SUM} *Python-3.15.0a3.tgz".replace("*", ""), Told(sha256=SUM, size=None)),
        (f"SHA256({SUM}) Python-3.15.0a3.tgz", Told(sha256=SUM, size=None)),
    ],
)
def test_hashes_are_read_in_whatever_columns(line: str, told: Told) -> None:
    assert hashes(kept("Calculating digests", line)) == {"Python-3.15.0a3.tgz": (told,)}


@pytest.mark.parametrize("line", [SUM, f"Python-3.15.0a3.tgz {SUM}", f"{SUM}0 name", f"{SUM[:40]} name", "", f"{SUM.upper()} name"])
def test_what_is_no_hash_of_a_file_is_none(line: str) -> None:
    assert hashes(kept(line)) == {}


def test_two_hashes_of_one_file_are_both_told() -> None:
    other = hashlib.sha256(b"other").hexdigest()
    assert [told.sha256 for told in hashes(kept(f"{SUM} 7 a.tgz", f"{other} 7 a.tgz"))["a.tgz"]] == [SUM, other]


def test_an_excerpt_ends_with_the_last_error() -> None:
    said = [f"line {number}" for number in range(30)]
    shown = excerpt(kept(*said, "##[group]tidy", "##[error]Process completed with exit code 1.", "Post job cleanup.", "", "bye"))
    assert len(shown) == EXCERPT
    assert shown[-2:] == ("`line 29`", "`Process completed with exit code 1.`")


def test_an_excerpt_without_an_error_is_the_end_of_the_log() -> None:
    assert excerpt(kept("one", "  ", "##[debug]x", "two")) == ("`one`", "`two`")
    assert excerpt("") == ()


def test_an_excerpt_is_short_harmless_and_calls_nobody() -> None:
    (line,) = excerpt(kept("@python/everyone `rm` \u202e | <b> " + "x" * 500))
    assert len(line) <= LONGEST_LINE + 2
    assert line.startswith("`@python/everyone 'rm' \ufffd | <b> ")
    assert line.count("`") == 2
