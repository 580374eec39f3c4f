"""The slash commands: what is understood, what is answered with advice, and what is passed over."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.command_arguments import ARGUMENTS, LONGEST_REASON
from bot.command_types import open_package
from bot.commands import (
    GRAMMAR,
    Abort,
    Acknowledge,
    Approve,
    Command,
    Defer,
    Done,
    Form,
    Freeze,
    Go,
    Halt,
    Help,
    NotUnderstood,
    Open,
    Refreeze,
    Resume,
    Retry,
    Status,
    Unfreeze,
    Waive,
    help_text,
    is_candidate,
    parse,
)
from bot.release.ids import ObjectId
from bot.release.version import Kind, Version

SHA = ObjectId("0123456789abcdef" * 2 + "01234567")
DIGEST = "0123456789ab"
SHA256 = "0123456789abcdef" * 4
VERSION = Version.parse("3.15.0a3")

UNDERSTOOD: list[tuple[str, Command]] = [
    ("/release 3.15.0a3", Open(version=VERSION)),
    ("/release 3.15.0a3 --as alpha", Open(version=VERSION, kind=Kind.ALPHA)),
    ("/release 3.14.7 --as security", Open(version=Version.parse("3.14.7"), kind=Kind.SECURITY)),
    ("/release 3.15.0b1 --as beta1", Open(version=Version.parse("3.15.0b1"), kind=Kind.FIRST_BETA)),
    ("/release status", Status()),
    (f"/release approve {SHA}", Approve(sha=SHA)),
    (f"/release go {SHA}", Go(sha=SHA)),
    ("/release done macos", Done(name="macos")),
    (f"/release done macos {SHA256}", Done(name="macos", sha256=SHA256)),
    (f"/release done macos {SHA256.upper()}", Done(name="macos", sha256=SHA256)),
    ("/release defer macos the notary service is down", Defer(name="macos", reason="the notary service is down")),
    (f"/release ack {DIGEST}", Acknowledge(digest=DIGEST)),
    (f"/release waive tier-1 {SHA} a known flake, gh-1", Waive(check="tier-1", sha=SHA, reason="a known flake, gh-1")),
    ("/release retry preflight", Retry(step="preflight")),
    ("/release refreeze gh-123 must go in", Refreeze(reason="gh-123 must go in")),
    ("/release halt the tarball is broken, so wait 🛑", Halt(reason="the tarball is broken, so wait 🛑")),
    ("/release resume", Resume()),
    ("/release abort wrong version", Abort(reason="wrong version")),
    ("/release help", Help()),
    ("/freeze main history is rewritten", Freeze(branch="main", reason="history is rewritten")),
    ("/freeze 3.14 a reason", Freeze(branch="3.14", reason="a reason")),
    ("/unfreeze 3.14", Unfreeze(branch="3.14")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "command"), UNDERSTOOD, ids=[body for body, _ in UNDERSTOOD])
def test_a_command_is_understood(body: str, command: Command) -> None:
    assert parse(body) == command
    assert is_candidate(body)


@pytest.mark.parametrize(
    "body",
    [
        "/release status\n",
        "/release status\r\n",
        "\n \n\t\r\n/release status",
        "   /release status",
        "/release \t status \t ",
        "/release status\nsome words below",
        "/release status\r\n\r\nsome words below\r\n\r\n> /release halt is quoted, which is fine",
        "/release status\n\n```\n/release abort in code\n```",
        "/release status\n\n- /release abort in a list",
        "/release status\n\n    /release abort in indented code",
        "/release status\n\n<!-- /release abort in an HTML comment -->",
        "/release status\n\n# /release abort in a heading",
        "/release status\n\nthe command /release abort within a line",
    ],
)
def test_what_is_around_the_line_does_not_matter(body: str) -> None:
    assert parse(body) == Status()


@pytest.mark.parametrize(
    "body",
    [
        "", "\n", "hello", "please /release status", "release status", "\\/release status",
        "hello\n/release status", "hello\n\n/release status",
        "> /release status", ">/release status", "> > /release status",
        "    /release status", "\t/release status", "  \t/release status", "\n\n    /release status",
        "```\n/release status\n```", "~~~\n/release status\n~~~", "```\n\n\n/release status", "`/release status`", "``/release status``",
        "<!-- /release status -->", "<!--\n/release status\n-->", "<!-- brother-maynard release=x -->\n/release status",
        "<details>\n/release status\n</details>", "<pre>\n/release status\n</pre>",
        "# /release status", "/release status\n===", "/release status\n---",
        "- /release status", "* /release status", "1. /release status", "- [ ] /release status",
        "/release halt a | b\n--- | ---", "| /release status |\n|---|",
        "[x]: /release\n\n/release status", "[/release status](https://example.org)", "**/release status**",
        "/rebase", "/retest", "/lgtm", "/ok-to-test", "/approve", "/help", "/label bug", "/merge 3.14", "/assign @someone", "/", "/r",
        "/release/3.15.0", "/releasethekraken", "/freezer-is-broken",
        "\u200b/release status", "\ufeff/release status", "\u00a0/release status",
        "\f/release status",
    ],
)  # fmt: skip
def test_everything_else_is_passed_over(body: str) -> None:
    assert parse(body) is None


@pytest.mark.parametrize(
    ("body", "why", "advice"),
    [
        ("/release", "needs a version", "/release help"),
        (f"/release aprove {SHA}", "`aprove` is neither a version nor a command of mine", f"/release approve {SHA}"),
        ("/release aprove SHA", "`aprove` is neither", "/release approve FULL-SHA"),
        ("/release Status", "`Status` is neither", "/release status"),
        ("/release make it so", "`make` is neither", "/release help"),
        ("/relase 3.15.0a3", "`/relase` is not a command of mine", "/release 3.15.0a3"),
        ("/Release status", "`/Release` is not", "/release status"),
        ("/relase", "`/relase` is not", "/release VERSION [--as KIND]"),
        ("/unfreze main", "`/unfreze` is not", "/unfreeze main"),
        ("/freez 3.14", "`/freez` is not", "/freeze BRANCH REASON"),
        ("/release v3.15.0a3", "the name of a tag", "/release 3.15.0a3"),
        ("/release V3.15.0A3", "the name of a tag", "/release 3.15.0a3"),
        ("/release 3.15", "3.15 is a series and not a version", "/release VERSION [--as KIND]"),
        ("/release 3.15 --as final", "end the series by `/release 3.15 --as eol`", "/release VERSION [--as KIND]"),
        ("/release 3.15.1 --as eol", "cannot be released as end of life", "/release VERSION [--as KIND]"),
        ("/release azure_core 1.30.0", "`azure_core` is not the name of a package", "/release PACKAGE VERSION"),
        ("/release azure-core 1.30", "1.30 is not a version of a package", "/release PACKAGE VERSION"),
        ("/release azure-core 1.30.0.dev1", "`1.30.0.dev1` is not a version to release", "/release PACKAGE VERSION"),
        ("/release azure-core 1.30.0 --as final", "is too much for this command", "/release PACKAGE VERSION"),
        ("/release approve-stage Azure", "`Azure` is not the name of a package", "/release approve-stage ARTIFACT"),
        ("/release 3.15.0a3 --as", "KIND is missing", "/release VERSION [--as KIND]"),
        ("/release 3.15.0a3 --as=alpha", "too much", "/release VERSION [--as KIND]"),
        ("/release 3.15.0a3 --as omega", "`omega` is not a kind of release: write alpha, beta1, beta, rc", "/release VERSION [--as KIND]"),
        ("/release 3.15.0a3 --as final", "cannot be released as final: leave `--as` out or write `--as alpha`", ""),
        ("/release 3.15.1a1", "alphas and betas are made for 3.15.0 only", ""),
        ("/release 3.15.0a3 now", "`now` is too much for this command", ""),
        ("/release status please", "`please` is too much", "/release status"),
        ("/release approve", "FULL-SHA is missing: write `/release approve FULL-SHA`", ""),
        ("/release approve 0123abc", "exactly 40 lower-case hexadecimal digits, but `0123abc` has 7 characters", ""),
        (f"/release approve {SHA}0", "has 41 characters", ""),
        (f"/release approve {SHA.upper()}", "has others", ""),
        (f"/release approve {SHA} {SHA}", "is too much", ""),
        (f"/release ack {SHA}", "exactly 12 lower-case hexadecimal digits", ""),
        ("/release retry", "STEP is missing", ""),
        ("/release retry Preflight!", "`Preflight!` is not the name of a step or check", ""),
        ("/release retry -x", "`-x` is not the name", ""),
        (f"/release waive audit {SHA}", "REASON is missing", "/release waive CHECK FULL-SHA REASON"),
        (f"/release waive {SHA} audit because", "is not the name of a step or check", ""),
        ("/release halt", "REASON is missing", ""),
        ("/release halt \t ", "REASON is missing", ""),
        (f"/release halt {'x' * 501}", "The reason has 501 characters, but at most 500 fit", ""),
        ("/release halt <!-- hidden -->", "HTML comment", ""),
        ("/release halt turn \u202eback", "invisible character U+202E", ""),
        ("/release halt zero\u200bwidth", "U+200B", ""),
        ("/release halt bell\x07", "U+0007", ""),
        ("/release halt line\u2028separator", "U+2028", ""),
        ("/release halt nul\x00", "\ufffd", None),
        ("/release\u00a0status", "U+00A0", ""),
        ("/freeze", "BRANCH is missing", ""),
        ("/freeze main", "REASON is missing", ""),
        ("/freeze master because", "`master` is not a branch that I freeze", ""),
        ("/freeze refs/heads/main because", "is not a branch", ""),
        ("/freeze 3.014 because", "is not a branch", ""),
        ("/freeze 3.14.1 because", "is not a branch", ""),
        ("/unfreeze main now", "too much", ""),
        ("/release status\n/release abort x", "more than one command", ""),
        ("/release status\n\nand then\n\n/freeze main x", "more than one command", ""),
        ("/release status\r\n\r\n  /unfreeze main", "more than one command", ""),
    ],
)  # fmt: skip
def test_a_failed_attempt_is_answered_with_advice(body: str, why: str, advice: str | None) -> None:
    answer = parse(body)
    if advice is None:  # a null character arrives as the replacement character, which anyone can see
        assert answer == Halt(reason="nul\ufffd")
        return
    assert isinstance(answer, NotUnderstood)
    assert why in answer.why
    assert advice in answer.did_you_mean
    assert answer.why.endswith(".")
    assert is_candidate(body)


def test_the_longest_reason_fits() -> None:
    assert parse(f"/release halt {'x' * LONGEST_REASON}") == Halt(reason="x" * LONGEST_REASON)


def test_the_quoted_line_is_kept_short() -> None:
    answer = parse(f"/release {'x' * 60_000}")
    assert isinstance(answer, NotUnderstood)
    assert len(answer.line) == 200


names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
shas = st.from_regex(r"[0-9a-f]{40}", fullmatch=True)
examples: dict[str, st.SearchStrategy[str]] = {
    "PACKAGE": st.sampled_from(["azure-core", "azure-storage-blob", "six"]),
    "ARTIFACT": st.sampled_from(["azure-core", "azure-core-tracing-opencensus"]),
    "VERSION": st.sampled_from(["3.15.0a3", "3.15.0b1", "3.14.5rc1", "3.15.0", "3.14.7"]),
    "FULL-SHA": shas,
    "NAME": names,
    "FINDINGS-DIGEST": st.from_regex(r"[0-9a-f]{12}", fullmatch=True),
    "CHECK": names,
    "STEP": names,
    "BRANCH": st.sampled_from(["main", "3.14", "3.9"]),
    "REASON": st.sampled_from(["because", "a longer, better reason (gh-1)", "--as it is"]),
}


@st.composite
def lines(draw: st.DrawFn) -> tuple[Form, str]:
    """Fill in the usage line of a command."""
    chosen = draw(st.sampled_from(GRAMMAR))
    words = [draw(examples[word]) if word in examples else word for word in chosen.usage.split(" [")[0].split()]
    return chosen, " ".join(words)


@given(lines())
def test_every_usage_line_parses_back(line: tuple[Form, str]) -> None:
    form, text = line
    command = parse(text)
    assert command is not None
    assert not isinstance(command, NotUnderstood)
    assert command.verb is form.verb
    if form.make is open_package:
        assert isinstance(command, Open)
        assert (command.version.package, command.version.number) == tuple(text.split()[1:])
        return
    assert isinstance(command, form.make) if isinstance(form.make, type) else False
    for name, word in zip([w for w in form.usage.split(" [")[0].split() if w in ARGUMENTS], text.split()[len(form.words) :], strict=False):
        assert str(getattr(command, ARGUMENTS[name].field)).startswith(word)


WRAPPINGS = [
    "> {}", "> > {}", "```\n{}\n```", "~~~text\n{}\n~~~", "```\n{}", "    {}", "\t{}", "`{}`", "<!-- {} -->", "<!--\n{}\n-->",
    "# {}", "### {}", "{}\n===", "{}\n---", "- {}", "1. {}", "* > {}", "<div>\n{}\n</div>", "<pre>\n{}",
    "words {}", "words\n{}", "words\n\n{}", "**{}**", "_{}_", "[{}](https://example.org)", "\\{}", "@somebody {}",
]  # fmt: skip


@given(lines(), st.sampled_from(WRAPPINGS), st.sampled_from(["", "\n", "\r\n\r\n", " \n"]))
def test_a_command_that_is_only_talked_about_never_parses(line: tuple[Form, str], wrapping: str, before: str) -> None:
    assert parse(before + wrapping.format(line[1])) is None


pieces = st.sampled_from(
    [
        "/release",
        "/freeze",
        "/unfreeze",
        " ",
        "\n",
        "\r\n",
        "\t",
        "status",
        "approve",
        SHA,
        "3.15.0a3",
        "--as",
        "> ",
        "```",
        "<!--",
        "-->",
        "|",
    ]
)


@given(st.text() | st.lists(pieces | st.text(max_size=4)).map("".join))
@example("/rel\x00ase x")
@example("/release status\n\n[x]: y")
def test_parsing_never_raises_and_the_cheap_test_misses_nothing(body: str) -> None:
    answer = parse(body)
    if answer is not None:
        assert is_candidate(body)
    if isinstance(answer, NotUnderstood):
        assert "\n" not in answer.line + answer.why + answer.did_you_mean


@given(lines(), st.text(max_size=20))
def test_one_command_per_comment(line: tuple[Form, str], between: str) -> None:
    answer = parse(f"/release status\n\n{line[1]}\n\n{between}")
    assert isinstance(answer, NotUnderstood)


@pytest.mark.parametrize(
    "body",
    [
        "\r\n" * 30_000,
        " \r" * 30_000,
        f"/release status\n{'> ' * 30_000}",
        "/release status\n\n" + "[a]: <" * 9_000,
        "/" + "release" * 9_000,
    ],
)
def test_no_comment_takes_long_to_read(body: str) -> None:
    before = time.process_time()
    parse(body)
    assert time.process_time() - before < 1


def test_the_help_lists_every_command_and_is_none() -> None:
    text = help_text()
    assert all(f"| `{form.usage}` | {form.does} | {form.who} |" in text for form in GRAMMAR)
    assert parse(text) is None
