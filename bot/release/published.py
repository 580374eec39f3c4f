"""What was read of what is published. Pure data, stored as JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Ended(StrEnum):
    """How the reading of one file ended."""

    READ = "read"
    MISSING = "missing"
    WITHHELD = "withheld"
    OVERSIZED = "oversized"


@dataclass(frozen=True, kw_only=True)
class FileRead:
    """What became of one file that python.org was asked for, and when that was.

    ``size`` is in bytes, and how many were too many where it is oversized; the hashes are those of a file that was read; ``status`` (of
    HTTP) and ``why`` are those of one that was withheld.
    """

    url: str
    at: datetime
    ended: Ended
    size: int = 0
    md5: str = ""
    sha256: str = ""
    status: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What python.org's list states of one file: ``size`` is in bytes, a hash is empty where none is stated."""

    url: str
    size: int
    md5: str = ""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class PublicationSeen:
    """Everything that was published was read, every byte of it.

    ``rows`` are the digests of what python.org listed then, one line for each row, and empty while nothing that is listed counts as read;
    ``first`` is when exactly that was first seen, ``again`` when it was seen for the second time, None until then. ``right`` tells whether
    nothing was wrong. ``content`` is the digest of the hashes of everything that was read, and ``partly`` is what was read already of a
    time of reading that could not be ended yet, because something else could not be read. ``files`` is what became of every file, at the
    latest time of reading, ``earlier`` at the one before, which found the same; ``stated`` is what the list stated of them then.
    """

    rows: str
    first: datetime
    again: datetime | None = None
    right: bool
    content: str = ""
    partly: tuple[FileRead, ...] = ()
    files: tuple[FileRead, ...] = ()
    earlier: tuple[FileRead, ...] = ()
    stated: tuple[Stated, ...] = ()
