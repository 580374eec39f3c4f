"""The files of blurb: entries of news, one per fragment between releases, merged into one file by ``blurb release``.

Sources: the format at the head of https://github.com/python/blurb/blob/main/src/blurb/_blurb_file.py, the names of fragments in
https://devguide.python.org/getting-started/pull-request-lifecycle/#news-entries, the layout in ``blurb._utils.text``.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot.release.quoting import shown

RELEASE_DATE: Final = "release date"
NO_CHANGES: Final = "no changes"

_SEPARATOR: Final = ".."
_NOT_NAMED: Final = "does not have the name of a fragment"
_WIDTH: Final = 76
_LIST_ITEM: Final = ("* ", "1. ", "#. ")
_LITERAL_FOLLOWS: Final = "::"
_ISSUE: Final = re.compile(r"(gh-issue|bpo)-([0-9]{1,9})")
_DATE: Final = re.compile(r"[0-9][0-9-]{0,30}")
_NONCE: Final = re.compile(r"[A-Za-z0-9_=-]{1,40}")
# Folders cannot hold these characters, so blurb writes the sections' names differently there.
_SECTIONS: Final = {
    "C_API": "C API",
    "C API": "C API",
    "Core_and_Builtins": "Core and Builtins",
    "Core and Builtins": "Core and Builtins",
    "Tools-Demos": "Tools/Demos",
    **{name: name for name in ("Security", "Library", "Documentation", "Tests", "Build", "Windows", "macOS", "IDLE")},
}


_OLDER_ORDER: Final = (
    *("Security", "Core and Builtins", "Library", "Documentation", "Tests", "Build", "Windows", "macOS", "IDLE", "Tools/Demos", "C API"),
)


class NewsError(ValueError):
    """A text is not in the format of blurb; the text of the error completes "The file …"."""


@dataclass(frozen=True)
class Entry:
    """One piece of news: what is known about it, sorted by name, and its text as blurb lays it out, with a newline at the end."""

    metadata: tuple[tuple[str, str], ...]
    body: str

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Return what identifies the entry: section, issue, date and nonce, but not the day of the release."""
        return tuple(pair for pair in self.metadata if pair[0] != RELEASE_DATE)

    def known(self, name: str) -> str:
        """Return one piece of metadata, or an empty string."""
        return dict(self.metadata).get(name, "")

    @property
    def issue(self) -> str:
        """Return the issue in short: ``gh-144125`` or ``bpo-42278``."""
        number = self.known("gh-issue")
        return f"gh-{number}" if number else f"bpo-{self.known('bpo')}"


def parse(text: str, known: dict[str, str] | None = None) -> list[Entry]:
    """Read the entries of a file; ``known`` is what a fragment's name tells about its entry. Raises NewsError."""
    pieces: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.rstrip() == _SEPARATOR:
            pieces.append([])
        else:
            pieces[-1].append(line)
    return [_entry(piece, dict(known or {})) for piece in pieces]


def parse_fragment(path: str, text: str) -> Entry:
    """Read a fragment by its path, such as ``Misc/NEWS.d/next/Library/2026-01-31-17-15-49.gh-issue-144363.X9f0sU.rst``; raise NewsError."""
    entries = parse(text, named(path))
    if len(entries) != 1:
        raise NewsError("has more than one entry")
    return entries[0]


def named(path: str) -> dict[str, str]:
    """Return what the path of a fragment tells: section, date, issue and nonce; raise NewsError for another path."""
    folders, _, name = path.rpartition("/")
    section = _SECTIONS.get(folders.rpartition("/")[2])
    fields = name.split(".")
    issues = [_ISSUE.fullmatch(field) for field in fields[1:-2]]
    if section is None or not issues or fields[-1] != "rst" or not (_DATE.fullmatch(fields[0]) and is_nonce(fields[-2])):
        raise NewsError(_NOT_NAMED)
    numbers = {issue[1]: issue[2] for issue in issues if issue}
    if len(numbers) != len(issues):
        raise NewsError(_NOT_NAMED)
    return {"date": fields[0], "nonce": fields[-2], "section": section, **numbers}


def is_in_order(entries: Sequence[Entry]) -> bool:
    """Tell whether entries stand as blurb sorts them: by sections, and within each the newest first.

    Sections go from Z to A, and in older versions of blurb in the order in which the documentation shows them. Both are seen in
    https://github.com/python/cpython/tree/main/Misc/NEWS.d.
    """
    newest_first = all(
        before.known("date") >= after.known("date")
        for before, after in pairwise(entries)
        if before.known("section") == after.known("section")
    )
    sections = list(dict.fromkeys(entry.known("section") for entry in entries))
    together = sum(before.known("section") != after.known("section") for before, after in pairwise(entries)) + 1 == len(sections)
    older = [section for section in _OLDER_ORDER if section in sections]
    return newest_first and together and sections in (sorted(sections, reverse=True), older)


def lines_of(content: bytes, *names: str) -> list[int]:
    """Return the numbers of the lines that hold metadata of these names or, for names such as ``gh-144125``, that name these issues."""
    whole = {f".. gh-issue: {name[3:]}" if name.startswith("gh-") else f".. {name.replace('-', ': ', 1)}" for name in names}
    starts = tuple(f".. {name}:" for name in names)
    lines = enumerate(content.decode(errors="replace").split("\n"), start=1)
    return [number for number, line in lines if line.rstrip() in whole or line.startswith(starts)]


def is_nonce(text: str) -> bool:
    """Tell whether a text is one of the short random marks that blurb gives to fragments."""
    return bool(_NONCE.fullmatch(text))


def written(entries: list[Entry]) -> str:
    """Return the file that blurb writes for these entries."""
    return "\n..\n\n".join(_written(entry) for entry in entries)


def laid_out(body: str) -> str:
    """Return the text of an entry as blurb wraps it: paragraphs filled, lists and literal blocks as they are, a newline at the end."""
    paragraphs: list[str] = []
    as_it_is = False
    for paragraph in "\n".join(line.rstrip() for line in body.split("\n")).split("\n\n"):
        as_it_is = as_it_is or paragraph.startswith(_LIST_ITEM)
        # Filling may close up double spaces and so make room for a word: the second time it stays.
        paragraphs.append(paragraph if as_it_is else _filled(_filled(paragraph)))
        as_it_is = paragraphs[-1].endswith(_LITERAL_FOLLOWS)
    return "\n\n".join(paragraphs).rstrip() + "\n"


def _filled(paragraph: str) -> str:
    return textwrap.fill(paragraph.strip(), width=_WIDTH, break_long_words=False, break_on_hyphens=False)


def _written(entry: Entry) -> str:
    lines = [f".. {name}: {value}\n" for name, value in entry.metadata]
    return "".join(lines) + "\n" + entry.body


def _entry(lines: list[str], known: dict[str, str]) -> Entry:
    """Read one entry: lines ``.. name: value``, comments and blank lines, then its text to the end."""
    start = 0
    for line in lines:
        if line.startswith(_SEPARATOR):
            name, value = _told(line)
            if name in known:
                raise NewsError(f"tells {shown(name)} twice in one entry")
            known[name] = value
        elif line.strip() and not line.startswith("#"):
            break
        start += 1
    body = "\n".join(lines[start:]).rstrip()
    if not body:
        raise NewsError("has an entry without text")
    if not {"gh-issue", "bpo"}.intersection(known) or "section" not in known:
        raise NewsError("has an entry without an issue or a section")
    return Entry(tuple(sorted(known.items())), laid_out(body))


def _told(line: str) -> tuple[str, str]:
    name, colon, value = line.removeprefix(_SEPARATOR).partition(":")
    if not colon or not name.strip():
        raise NewsError("has a line of metadata without a name")
    return name.strip().lower(), value.strip()
