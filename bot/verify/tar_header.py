"""Read one header of a tar archive as strictly as can be: what programs would understand in different ways is refused.

The format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ("ustar" and "pax") and
https://www.gnu.org/software/tar/manual/html_node/Standard.html (the GNU kind). Python's own tarfile does the reading; it stops in silence
at a damaged header and takes some fields for what they are not, so that what it would take is looked at first.
"""

import re
import tarfile
from dataclasses import dataclass, replace
from typing import Final

BLOCK: Final = tarfile.BLOCKSIZE
"""Bytes of a header; contents are filled up to a multiple of it."""

_MAGICS: Final = (tarfile.POSIX_MAGIC, tarfile.GNU_MAGIC)
_OCTAL: Final = re.compile(rb"[0-7 ]*[0-7][ \0]*")
_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_RECORD: Final = re.compile(rb"([1-9]\d{0,6}) ([^=\n]+)=")
# Fields by https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, table "ustar Header Block".
_NAME: Final = slice(0, 100)
_MODE: Final = slice(100, 108)
_SIZE: Final = slice(124, 136)
_MAGIC: Final = slice(257, 265)
_GNU_ONLY: Final = slice(345, 500)
_STRANGE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')

HARMLESS_GLOBAL: Final = frozenset({"comment"})
"""Keys of a global pax header that change nothing; ``git archive`` writes the id of the commit as a comment."""

_HARMLESS: Final = frozenset({"atime", "ctime", "comment", "uname", "gname"})
_NUMBERS: Final = frozenset({"mtime", "uid", "gid"})
_APPLIED: Final = _NUMBERS | {"path"}


class BadHeader(Exception):
    """A header that cannot be relied upon; the text is the end of a sentence about the archive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """One header: ``kind`` is tar's type flag, ``mode`` the permission bits, ``mtime`` seconds since 1970."""

    name: str
    kind: bytes
    size: int
    mode: int
    uid: int
    gid: int
    mtime: float

    @classmethod
    def parse(cls, block: bytes) -> "Header":
        """Read a block that is not all zeros; raise BadHeader."""
        if block[_MAGIC] not in _MAGICS:
            raise BadHeader("has a header of a kind that neither GNU tar nor the standard knows, or is damaged there")
        if block[_MAGIC] == tarfile.GNU_MAGIC and any(block[_GNU_ONLY]):
            raise BadHeader("has a header with fields of old GNU archives, which other programs read as a folder's name")
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except UnicodeDecodeError:
            raise BadHeader("has a header whose names are not UTF-8") from None
        except tarfile.TarError as error:
            raise BadHeader(f"has a damaged header ({error})") from None
        kind = block[156:157]
        if not (_OCTAL.fullmatch(block[_SIZE]) and _OCTAL.fullmatch(block[_MODE])) or min(found.uid, found.gid, found.mtime) < 0:
            raise BadHeader(f"has a header with numbers that programs read in different ways, at {found.name!r}")
        if block[_NAME].rstrip(b"\0").count(0):
            raise BadHeader(f"has a header that hides something behind the name {found.name!r}")
        slash = "/" if kind == tarfile.DIRTYPE or found.name.endswith("/") else ""
        return cls(
            name=found.name.rstrip("/") + slash,
            kind=kind,
            size=found.size,
            mode=found.mode,
            uid=found.uid,
            gid=found.gid,
            mtime=found.mtime,
        )


def records(content: bytes) -> dict[str, str]:
    """Read the records of a pax header; raise BadHeader for anything but well-formed ones, each key once."""
    found: dict[str, str] = {}
    position = 0
    while position < len(content):
        match = _RECORD.match(content, position)
        end = position + int(match[1]) if match else 0
        if not match or not match.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise BadHeader("has a pax header that is not well-formed")
        try:
            key, value = match[2].decode(), content[match.end() : end - 1].decode()
        except UnicodeDecodeError:
            raise BadHeader("has a pax header that is not UTF-8") from None
        if key in found:
            raise BadHeader(f"has a pax header with {key!r} twice")
        found[key] = value
        position = end
    return found


def applied(header: Header, extension: dict[str, str]) -> Header:
    """Return a header with what a pax header before it says; raise BadHeader for what could smuggle, such as sizes and sparse files."""
    if not extension:
        return header
    if strange := sorted(extension.keys() - _HARMLESS - _APPLIED):
        raise BadHeader(f"has a pax header with {strange[0]!r} at {header.name!r}, which could hide content or a link")
    numbers = {key: float(value) for key, value in extension.items() if key in _NUMBERS and _NUMBER.fullmatch(value)}
    if len(numbers) != len(extension.keys() & _NUMBERS):
        raise BadHeader(f"has a pax header with a number that is none, at {header.name!r}")
    return replace(
        header,
        name=extension.get("path", header.name),
        uid=int(numbers.get("uid", header.uid)),
        gid=int(numbers.get("gid", header.gid)),
        mtime=numbers.get("mtime", header.mtime),
    )


def long_name(content: bytes) -> str:
    """Return the name that stands in a header of GNU's for long names; raise BadHeader."""
    name, end, behind = content.partition(b"\0")
    if not end or behind:
        raise BadHeader("has a long name that is not well-formed")
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise BadHeader("has a long name that is not UTF-8") from None


def wrong_name(name: str, longest: int) -> str:
    """Tell what is wrong with a name of at most ``longest`` bytes, or return nothing."""
    parts = name.split("/")
    if len(name.encode(errors="replace")) > longest:
        return f"has a path of more than {longest} bytes"
    if name.startswith("/"):
        return "has an absolute path, so it would land outside its folder"
    if ".." in parts:
        return "has .. in its path, so it could land outside its folder"
    if "" in parts or "." in parts:
        return "has an empty part or a dot in its path, which programs read in different ways"
    if any(part.lower() == ".git" for part in parts):
        return "would be a part of git's own files"
    if found := _STRANGE.search(name):
        return f"has the character {found[0]!r} in its path, which hides or misleads on some systems"
    return ""
