"""Tell which files git writes with CRLF, by the ``.gitattributes`` of the tree itself.

The rules: https://git-scm.com/docs/gitattributes and, for patterns, https://git-scm.com/docs/gitignore#_pattern_format. Only what decides
about line ends is read: the attributes ``text``, ``eol`` and ``crlf``, and macros that set them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.verify.result import Unusable

LARGEST: Final = 1 << 20
"""Bytes of one file with attributes; CPython's has 4,000."""

_MOST_LINES: Final = 5_000
_MOST_STARS: Final = 8
_MOST_DOUBLE: Final = 2
_DECIDING: Final = frozenset({"text", "eol", "crlf"})
_BINARY: Final = ("-diff", "-merge", "-text")
_SET: Final = "set"
_UNSET: Final = "unset"
_UNSPECIFIED: Final = "unspecified"
_MEANINGFUL: Final = frozenset({_SET, _UNSET, "auto", "input"})
_STAR: Final = "[^/]*"
_FOLDERS: Final = "(?:.*/)?"
_ANYTHING: Final = ".*"
_WILDCARDS: Final = frozenset({_STAR, _FOLDERS, _ANYTHING})
_NAME: Final = re.compile(r"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}
_BRACKETS: Final = re.compile(r"\[(?P<not>[!^]?)(?P<set>\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*)\]")
_CLASSES: Final = {"[:alnum:]": "A-Za-z0-9", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9", "[:lower:]": "a-z", "[:upper:]": "A-Z"}


class LineEnds(StrEnum):
    """How git writes the lines of a file."""

    EXACT = "as they are"
    CRLF = "as CRLF"
    GUESSED = "as CRLF when git takes it for text"


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A pattern and the states it sets, in their order."""

    pattern: re.Pattern[str]
    states: tuple[tuple[str, str], ...]


class Attributes:
    """The attributes of one tree."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Read the contents of ``.gitattributes`` files by their path in the tree; raise Unusable for what cannot be followed safely."""
        self._macros: dict[str, tuple[tuple[str, str], ...]] = {"binary": tuple(map(_state, _BINARY))}
        self._lines: dict[str, tuple[_Line, ...]] = {}
        for path in sorted(files, key=len):
            folder = path.rpartition("/")[0]
            self._lines[folder] = tuple(reversed(list(self._read(folder, files[path]))))

    def line_ends(self, path: str) -> LineEnds:
        """Tell how git writes a file, as in convert_attrs of https://github.com/git/git/blob/master/convert.c."""
        states: dict[str, str] = {}
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            for line in self._lines.get(folder, ()):
                if line.pattern.fullmatch(path, len(folder) + 1 if folder else 0):
                    self._apply(line.states, states)
        text = next((states[name] for name in ("text", "crlf") if states.get(name) in _MEANINGFUL), _UNSPECIFIED)
        if text == _UNSET or states.get("eol") != "crlf":
            return LineEnds.EXACT
        return LineEnds.GUESSED if text == "auto" else LineEnds.CRLF

    def _apply(self, new: tuple[tuple[str, str], ...], states: dict[str, str]) -> None:
        """Set what nothing behind it has set; what stands last in a line counts."""
        for name, value in reversed(new):
            if name not in states:
                states[name] = value
                if value == _SET:
                    self._apply(self._macros.get(name, ()), states)

    def _read(self, folder: str, content: bytes) -> Iterator[_Line]:
        """Read one file."""
        if len(content) > LARGEST or content.count(b"\n") > _MOST_LINES:
            raise Unusable(f"The .gitattributes of {folder or 'the tree'} are longer than any that were seen; nothing is said about them.")
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            text = line.strip(" \t\r")
            if not text or text.startswith("#"):
                continue
            pattern, rest = _first_word(text)
            states = tuple(state for word in rest.split() if (state := _state(word))[0])
            if pattern.startswith("[attr]"):
                if not folder:
                    self._macros[pattern.removeprefix("[attr]")] = states
            elif not pattern.startswith("!") and self._matter(states):
                yield _Line(pattern=_translated(pattern, f"line {number} of {folder or 'the top'}'s .gitattributes"), states=states)

    def _matter(self, states: tuple[tuple[str, str], ...]) -> bool:
        """Tell whether a line may decide about line ends; a macro may be defined below the line that uses it."""
        return any(name in _DECIDING or name in self._macros or value in {_SET, _UNSET, _UNSPECIFIED} for name, value in states)


def _first_word(text: str) -> tuple[str, str]:
    """Split a line into its pattern and the rest; a pattern with spaces stands in quotes."""
    if not text.startswith('"'):
        pattern, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        head, tab, tail = pattern.partition("\t")
        return (head, f"{tail} {rest}") if tab else (pattern, rest)
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    if not quoted:
        return text, ""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), quoted[1]), text[quoted.end() :]


def _state(word: str) -> tuple[str, str]:
    """Read one attribute: ``text``, ``-text``, ``!text`` or ``eol=crlf``; the name is empty for what git ignores."""
    name, equals, value = word.lstrip("-!").partition("=") if word[:1] in "-!" else word.partition("=")
    if not _NAME.fullmatch(name):
        return "", ""
    if word.startswith("-"):
        return name, _UNSET
    if word.startswith("!"):
        return name, _UNSPECIFIED
    return name, value if equals else _SET


def _translated(pattern: str, where: str) -> re.Pattern[str]:
    """Return a pattern for paths below the folder of its file; raise Unusable for one that would take too long."""
    if pattern.count("*") > _MOST_STARS or pattern.count("**") > _MOST_DOUBLE:
        raise Unusable(f"A pattern with {pattern.count('*')} stars in {where} is not followed, because it may take for ever.")
    if pattern.endswith("/"):
        return re.compile(r"(?!)")  # folders have no line ends, and what lies in them is not meant
    anchored = "/" in pattern
    beginning = "" if anchored else _FOLDERS
    try:
        return re.compile(beginning + _in_bounds(_pieces(pattern.removeprefix("/"))), re.DOTALL)
    except re.error:
        raise Unusable(f"The pattern {pattern[:60]!r} in {where} is not understood.") from None


def _in_bounds(pieces: Iterable[str]) -> str:
    """Join pieces so that matching takes no time worth naming.

    What stands between a star and the next wildcard is sought once and not at every later place as well: where the rest fits behind a
    later one, it also fits behind the first, because the next wildcard takes what lies between.
    """
    groups = [""]
    for piece in pieces:
        if piece in _WILDCARDS:
            groups.append("")
        groups[-1] += piece
    *most, last = groups
    return "".join(f"(?>{_STAR}?{group.removeprefix(_STAR)})" if group.startswith(_STAR) else group for group in most) + last


def _pieces(pattern: str) -> Iterator[str]:
    """Give the regular expression of a pattern piece by piece, as in https://github.com/git/git/blob/master/wildmatch.c."""
    position = 0
    while position < len(pattern):
        rest = pattern[position:]
        at_part = position == 0 or pattern[position - 1] == "/"
        if at_part and rest.startswith("**/"):
            position, piece = position + 3, _FOLDERS
        elif at_part and rest == "**":
            position, piece = position + 2, _ANYTHING
        elif rest.startswith("*"):
            position, piece = position + 1, _STAR
        elif rest.startswith("?"):
            position, piece = position + 1, "[^/]"
        elif found := _BRACKETS.match(rest):
            position, piece = position + found.end(), _bracket(found)
        elif rest.startswith("\\") and len(rest) > 1:
            position, piece = position + 2, re.escape(rest[1])
        else:
            position, piece = position + 1, re.escape(rest[0])
        yield piece


def _bracket(found: re.Match[str]) -> str:
    """Return a set of characters."""
    inside = re.sub(r"\[:[a-z]+:\]", lambda name: _CLASSES.get(name[0], ""), found["set"])
    inside = re.sub(r"([\[\]&~|^])", r"\\\1", inside.replace("\\]", "]"))
    return f"(?!/)[{'^' if found['not'] else ''}{inside}]"
