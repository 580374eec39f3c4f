"""Find the line of every key in a TOML text.

The standard library reads TOML but keeps no positions. The text is known to be valid TOML 1.0 (https://toml.io/en/v1.0.0) when it
comes here, so nothing is checked again.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Final

Where = tuple[str | int, ...]
"""The way from the top of a document to a value: keys, and indexes from 0."""

_TOKEN: Final = re.compile(
    r"""
    (?P<comment>\#[^\n]*) | (?P<newline>\n) | (?P<space>[ \t\r]+)
    | (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?P<mark>[\[\]{}=,.]) | (?P<bare>[^\s\[\]{}=,.#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


def locate(text: str) -> dict[Where, int]:
    """Return the line, counted from 1, of every table, key and array element of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


@dataclass
class _Scanner:
    """One pass over the tokens; ``table`` is where the last header led, ``counts`` the length so far of each array of tables."""

    text: str
    lines: dict[Where, int] = field(default_factory=dict)
    table: Where = ()
    counts: dict[Where, int] = field(default_factory=dict)
    position: int = 0
    line: int = 1

    def peek(self) -> str:
        """Return the next token that is neither white space nor a comment: the end is an empty one."""
        while (match := _TOKEN.match(self.text, self.position)) and match.lastgroup in ("space", "comment"):
            self.position = match.end()
        return match[0] if match else ""

    def take(self) -> str:
        """Return the next token and go past it."""
        token = self.peek()
        self.position += len(token)
        self.line += token.count("\n")
        return token

    def skip_newlines(self) -> str:
        """Go past line ends; return the token after them."""
        while self.peek() == "\n":
            self.take()
        return self.peek()

    def document(self) -> None:
        """Read the whole text."""
        while start := self.skip_newlines():
            if start == "[":
                self.header()
            else:
                self.pair(self.table)

    def header(self) -> None:
        """Read ``[table]`` or ``[[table]]``."""
        self.take()
        is_array = self.peek() == "["
        if is_array:
            self.take()
        *parents, last = self.key()
        while self.peek() == "]":
            self.take()
        where: Where = ()
        for part in parents:
            where = self.newest((*where, part))
        where = (*where, last)
        if is_array:
            self.lines.setdefault(where, self.line)
            self.counts[where] = self.counts.get(where, 0) + 1
        self.table = self.newest(where)
        self.lines.setdefault(self.table, self.line)

    def newest(self, where: Where) -> Where:
        """Return the last element of an array of tables, any other place as it is."""
        return (*where, self.counts[where] - 1) if where in self.counts else where

    def key(self) -> list[str]:
        """Read a key with its dots."""
        parts = [self.word()]
        while self.peek() == ".":
            self.take()
            parts.append(self.word())
        return parts

    def word(self) -> str:
        """Read one part of a key, without its quotes."""
        token = self.take()
        return str(tomllib.loads(f"word = {token}")["word"]) if token[0] in "\"'" else token

    def pair(self, table: Where) -> None:
        """Read ``key = value``."""
        where = table
        for part in self.key():
            where = (*where, part)
            self.lines.setdefault(where, self.line)
        self.take()
        self.value(where)

    def value(self, where: Where) -> None:
        """Read a value and whatever is inside it."""
        match self.take():
            case "[":
                self.array(where)
            case "{":
                self.inline_table(where)
            case _:
                # Numbers and dates are several tokens; nothing in them can be mistaken for the end of a value.
                while self.peek() not in (",", "]", "}", "\n", ""):
                    self.take()

    def array(self, where: Where) -> None:
        """Read an array from after its bracket."""
        index = 0
        while self.skip_newlines() != "]":
            self.lines[*where, index] = self.line
            self.value((*where, index))
            if self.skip_newlines() == ",":
                self.take()
            index += 1
        self.take()

    def inline_table(self, where: Where) -> None:
        """Read an inline table from after its brace."""
        while self.skip_newlines() != "}":
            self.pair(where)
            if self.skip_newlines() == ",":
                self.take()
        self.take()
