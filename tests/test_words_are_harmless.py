"""Whatever outsiders write into titles, names, reasons and tags, the bot repeats it without mentioning, linking or marking up anything."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.commands import NotUnderstood, parse
from bot.words import answers, markdown

HOSTILE = (
    "@python/core",
    "`@python/core",
    "\\`@python/core`",
    "```@python/core`",
    "``x`@python/core`",
    "`a``@python/core`",
    "\\[log in\\](https://example.com)",
    "!\\[x\\](https://example.com/seen.png)",
    "```[log in](https://example.com)`",
    "\\<b>bold\\</b>",
    "\\*\\*approved\\*\\*",
    "\\| @python/core |",
    "`x\\|@python/core`",
    "`x|@python/core`",
    "&#64;python",
)
PIECES = st.lists(
    st.sampled_from(["`", "``", "\\", "|", "@python", "[a](https://e.example)", "<b>", "*", "_", " ", "x", "!", "~"]), max_size=12
)

MENTION = re.compile(r"@(?=[A-Za-z0-9])")


def inside(source: str) -> list[Token]:
    """Return the inline tokens of a rendered text."""
    return [child for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source) for child in token.children or ()]


def harmless(source: str) -> None:
    """See that nothing but text and code comes of it, and that nobody is mentioned outside code."""
    for token in inside(source):
        assert token.type in ("text", "text_special", "code_inline", "softbreak"), (source, token)
        if token.type == "text":
            assert not MENTION.search(token.content), (source, token)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("frame", ["It says: {}", "| a | b |\n|-|-|\n| `ours` | {} `ours` |"])
def test_a_sentence_repeats_without_acting(text: str, frame: str) -> None:
    harmless(frame.format(markdown.plain(f"The issue “{text}” is labelled")))


@given(PIECES)
def test_no_sentence_acts(pieces: list[str]) -> None:
    harmless(f"| a |\n|-|\n| {markdown.plain('x' + ''.join(pieces))} `ours` |")


@given(PIECES)
def test_no_code_acts(pieces: list[str]) -> None:
    source = f"| a |\n|-|\n| {markdown.code(''.join(pieces))} |"
    assert [token.type for token in inside(source) if token.type not in ("text", "text_special")] in ([], ["code_inline"])
    harmless(source)


def test_code_spans_of_ours_survive() -> None:
    [text, code, more] = inside(markdown.plain("write `/release halt REASON` now"))
    assert (text.content, code.type, code.content, more.content) == ("write ", "code_inline", "/release halt REASON", " now")


@pytest.mark.parametrize("reason", ["` @python/core `", "[log in](https://example.com)", "`` **approved** ``"])
def test_a_hint_repeats_without_acting(reason: str) -> None:
    heard = parse(f"/relaese halt {reason}")
    assert isinstance(heard, NotUnderstood)
    harmless(answers.not_understood(heard.why, heard.did_you_mean))


def test_an_address_stays_whole_and_what_hides_one_does_not() -> None:
    address = "https://dev.azure.com/Python/cpython/_build/results?buildId=1&view=results"
    assert markdown.plain(f"Approve it at {address}.") == f"Approve it at {address}."
    assert markdown.plain("[log in](https://example.com/a_b)") == "\\[log in\\](https://example.com/a_b)"
    assert "@\N{ZERO WIDTH SPACE}python" in markdown.plain("https://example.com/@python")
