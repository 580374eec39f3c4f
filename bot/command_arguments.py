"""What the capital words of a usage line stand for, and how strictly each is read. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.errors import UserError
from bot.release.ids import ObjectId
from bot.release.quoting import shown
from bot.release.version import Kind, Version


class ArgumentError(UserError):
    """An argument of a command is missing, too much, or not what it must be."""


@dataclass(frozen=True, kw_only=True)
class Argument:
    """What a capital word of a usage line stands for: the field it fills, and how it is read (raising UserError)."""

    field: str
    read: Callable[[str], object]


LONGEST_REASON: Final = 500
"""Characters of a reason; longer texts belong into the comment below the command."""

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,49}")
_ENDING: Final = re.compile(r"(?:0|[1-9][0-9]{0,3})\.(?:0|[1-9][0-9]{0,3})")
# https://packaging.python.org/en/latest/specifications/name-normalization/
_PACKAGE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_BRANCH: Final = re.compile(r"main|(?:0|[1-9][0-9]{0,3})\.(?:0|[1-9][0-9]{0,3})")


def _digits(word: str, *, count: int, what: str) -> str:
    if re.fullmatch(rf"[0-9a-f]{{{count}}}", word):
        return word
    fault = f"{shown(word)} has {len(word)} characters" if len(word) != count else f"{shown(word)} has others"
    raise ArgumentError(f"{what} is exactly {count} lower-case hexadecimal digits, but {fault}: copy it in full from my comment.")


def _version(word: str) -> Version:
    """Read a version, or a series that is to be ended."""
    return Version.end_of(word) if _ENDING.fullmatch(word) else Version.parse(word)


def _package(word: str) -> str:
    if _PACKAGE.fullmatch(word):
        return word
    raise ArgumentError(f"{shown(word)} is not the name of a package: write it as PyPI does, in small letters, such as `azure-core`.")


def _sha(word: str) -> ObjectId:
    return ObjectId(_digits(word, count=40, what="The full SHA"))


def _sha256(word: str) -> str:
    return _digits(word.lower(), count=64, what="A SHA-256")


def _digest(word: str) -> str:
    return _digits(word, count=12, what="The digest of the findings")


def _name(word: str) -> str:
    if _NAME.fullmatch(word):
        return word
    raise ArgumentError(f"{shown(word)} is not the name of a step or check: copy one from the status comment, such as `preflight`.")


def _branch(word: str) -> str:
    if _BRANCH.fullmatch(word):
        return word
    raise ArgumentError(f"{shown(word)} is not a branch that I freeze: write `main` or a series such as `3.14`.")


def _kind(word: str) -> Kind:
    kind = Kind.from_slug(word)
    if kind:
        return kind
    raise ArgumentError(f"{shown(word)} is not a kind of release: write {', '.join(kind.slug for kind in Kind)}.")


def _reason(words: str) -> str:
    if len(words) > LONGEST_REASON:
        raise ArgumentError(
            f"The reason has {len(words)} characters, but at most {LONGEST_REASON} fit: shorten it, and write the rest below the command."
        )
    if "<!--" in words:
        raise ArgumentError("The reason contains an HTML comment, which readers would not see: write it in plain words.")
    return words


REASON: Final = "REASON"
"""The argument that takes the rest of the line."""

ARGUMENTS: Final[Mapping[str, Argument]] = {
    "VERSION": Argument(field="version", read=_version),
    "PACKAGE": Argument(field="package", read=_package),
    "ARTIFACT": Argument(field="artifact", read=_package),
    "KIND": Argument(field="kind", read=_kind),
    "FULL-SHA": Argument(field="sha", read=_sha),
    "NAME": Argument(field="name", read=_name),
    "SHA256": Argument(field="sha256", read=_sha256),
    "FINDINGS-DIGEST": Argument(field="digest", read=_digest),
    "CHECK": Argument(field="check", read=_name),
    "STEP": Argument(field="step", read=_name),
    "BRANCH": Argument(field="branch", read=_branch),
    REASON: Argument(field="reason", read=_reason),
}
