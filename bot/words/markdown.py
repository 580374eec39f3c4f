"""Make text from outside harmless in GitHub's Markdown: no mention, no markup, no reordering, no end of a table cell.

Source: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.release.quoting import unseen

LONGEST_BODY: Final = 65_000
"""GitHub takes 65,536 characters; a little stays free."""

_MENTION: Final = re.compile(r"@(?=[A-Za-z0-9])")
_CODE: Final = re.compile(r"((?<!`)`[^`]+`(?!`))")
"""A code span as every reader of Markdown sees it: a run of backticks ends only at a run as long (https://spec.commonmark.org/0.31.2/#code-spans)."""
_ADDRESS: Final = re.compile(r"(https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._/?#=&%+,;:-]*[A-Za-z0-9/=])")
"""An address that shows where it leads: GitHub makes a link of it, in which nothing is markup, and a backslash would break it.

https://github.github.com/gfm/#autolinks-extension-
"""
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "&#92;", "`": "&#96;", "|": "&#124;"}
"""What may start markup, or undo our own escaping, as entities: those never act as markup."""


def visible(text: str) -> str:
    """Return the text on one line, with every character one cannot see replaced."""
    return "".join(" " if character in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" if unseen(character) else character for character in text)


def plain(text: str, limit: int = 600) -> str:
    """Return a sentence that may hold code spans but no other markup, and that mentions nobody."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    parts = _CODE.split(visible(short))
    return "".join(_cell(part) if index % 2 else _escaped(part) for index, part in enumerate(parts))


def code(text: str, limit: int = 200) -> str:
    """Return the text as a code span, which notifies nobody and is no markup."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    inside = visible(short).replace("`", "'").strip()
    return _cell(f"`{inside}`") if inside else "–"


def fenced(text: str) -> str:
    """Return lines as a code block whose fence no line in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(visible(line) for line in text.splitlines())
    return f"{fence}\n{lines}\n{fence}"


def clock(moment: datetime | None) -> str:
    """Return a moment as people read it: day and minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "–"


def duration(length: timedelta) -> str:
    """Return a length of time with its two largest units."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def clipped(body: str) -> str:
    """Return a comment's body within GitHub's limit; what identifies it stands at its top."""
    return body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}\n\n… (cut)"


def _cell(span: str) -> str:
    """Keep a code span from ending the cell of a table; of a backslash before a bar readers think differently, so there is none."""
    return re.sub(r"(?<=\\)\|", "\N{BROKEN BAR}", span).replace("|", "\\|")


def _escaped(text: str) -> str:
    return "".join(part if index % 2 else _escaped_words(part) for index, part in enumerate(_ADDRESS.split(text)))


def _escaped_words(text: str) -> str:
    entities = "".join(_ENTITIES.get(character, character) for character in text)
    return re.sub(r"([*_~\[\]])", r"\\\1", _MENTION.sub("@\N{ZERO WIDTH SPACE}", entities))
