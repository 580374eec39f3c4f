"""Generated files: they cannot be made again here, but their structure shows that they can do no harm, or that a person has to look."""

import ast
import io
import tokenize
import warnings
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from bot.release.counting import counted
from bot.verify.release_diff.model import Context, FileChange, Verdict, acknowledge, explained, waiver
from bot.verify.release_diff.text import added_lines, changed_lines

_INPUTS: Final = ("acinclude.m4", "configure.ac")
_ENCODING: Final = "utf-8"
_MOST_TOKENS: Final = 200_000
_PUNCTUATION: Final = frozenset("={}:,()")
_TOKENS: Final = frozenset(
    {
        tokenize.ENCODING,
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.STRING,
        tokenize.ENDMARKER,
    }
)
_UNREADABLE: Final = "is not Python that can be read"


class NotLiteral(ValueError):
    """A module is more than one literal dictionary of strings; the text of the error completes "The file …", from ``line`` on."""

    def __init__(self, why: str, line: int = 1) -> None:
        """Say what it is instead, and where."""
        super().__init__(why)
        self.line = line


class GeneratedLiteral:
    """A module of pydoc_data is one dictionary of strings, written out, named like the file (https://docs.python.org/3/library/pydoc.html)."""

    name: Final = "generated"
    required: Final = False
    proves: Final = "the module is one dictionary of literal strings, the same as before; nothing in it can run"

    def verify(self, change: FileChange, _context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Parse the module without running it; compare the texts with the old ones."""
        if change.new is None:
            return waiver("is deleted: restore it")
        name = PurePosixPath(change.path).stem
        try:
            texts = literal_dictionary(change.new, name)
        except NotLiteral as error:
            return waiver(f"{error}, so it may run code in pydoc: generate it again", [error.line])
        try:
            old_texts = literal_dictionary(change.old or b"", name)
        except NotLiteral:
            return acknowledge(f"is generated: a dictionary of {counted(len(texts), 'text')} and nothing else")
        if texts == old_texts:
            return explained(f"is generated anew with the same {counted(len(texts), 'text')}")
        changes = _counted(old_texts, texts)
        why = f"is generated anew: a dictionary of {counted(len(texts), 'text')} and nothing else, {changes}"
        return acknowledge(why, added_lines(change.old, change.new))


class Regenerated:
    """A file of the build system that autoconf makes (https://devguide.python.org/getting-started/setup-building/#regenerate-configure).

    Every pull request has to regenerate it, so at a release nothing is left to do; and what it holds is run by everybody who builds.
    """

    name: Final = "autoconf"
    required: Final = False
    proves: Final = "nothing: a file that is run by everybody who builds is always looked at"

    def verify(self, change: FileChange, _context: Context, all_changes: Sequence[FileChange], /) -> Verdict:
        """Refuse every change: its content cannot be proved without autoconf, so a second person has to regenerate and compare it."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted: restore it")
        count = changed_lines(change.old, change.new)
        inputs = {other.path for other in all_changes}.intersection(_INPUTS)
        why = f"together with {', '.join(sorted(inputs))}" if inputs else "although nothing that it is made from is changed"
        advice = "restore it, or let a second person regenerate it in the pinned container and compare"
        return waiver(f"is changed, {why}, with {count} lines added or removed: {advice}", added_lines(change.old, change.new))


def literal_dictionary(content: bytes, name: str) -> Mapping[str, str]:
    """Return the dictionary of a module that is nothing but ``name = {...}`` with literal strings, and comments; raise NotLiteral."""
    _refuse_code(content, name)
    match _parsed(content).body:
        case [ast.Assign(targets=[ast.Name(id=found)], value=ast.Dict(keys=keys, values=values))] if found == name:
            texts = {_string(key): _string(value) for key, value in zip(keys, values, strict=True)}
        case _:
            raise NotLiteral(f"is not the one dictionary `{name}`")
    if len(texts) != len(keys):
        raise NotLiteral("has a key twice")
    return texts


def _refuse_code(content: bytes, name: str) -> None:
    """Look at the tokens one by one, which bounds what the parser is given: strings, punctuation, and one name."""
    try:
        for number, token in enumerate(tokenize.tokenize(io.BytesIO(content).readline)):
            if number > _MOST_TOKENS:
                raise NotLiteral("is too long to be examined", token.start[0])
            # A comment may name a codec, with which Python would read another text than we do.
            if token.type == tokenize.ENCODING and token.string != _ENCODING:
                raise NotLiteral("has another encoding than UTF-8")
            if not (token.type in _TOKENS or token.string in _PUNCTUATION or (token.type == tokenize.NAME and token.string == name)):
                raise NotLiteral("holds something else than literal strings", token.start[0])
    except (SyntaxError, tokenize.TokenError) as error:
        raise NotLiteral(_UNREADABLE) from error


def _parsed(content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotLiteral(_UNREADABLE) from error


def _string(node: ast.expr | None) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case _:
            raise NotLiteral("holds something else than literal strings", node.lineno if node else 1)


def _counted(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    changed = sum(1 for key in new.keys() & old.keys() if new[key] != old[key])
    return f"{added} added, {removed} removed, {changed} changed"
