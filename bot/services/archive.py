"""Read a zip archive that may have been made to do harm: within bounds, and without giving any of its names to the file system.

The format is https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT; what a hostile one can do to its reader is told in
https://docs.python.org/3/library/zipfile.html#decompression-pitfalls
"""

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from bot.errors import UserError
from bot.services.answers import one_line

_PIECE: Final = 1024 * 1024
_END: Final = struct.Struct("<4s4H2LH")
"""The end record: its signature, four counts, size and place of the list of files, and the length of a comment."""
_END_SIGNATURE: Final = b"PK\x05\x06"
_LONGER_END: Final = struct.Struct("<4sLQL")
_LONGER_END_SIGNATURE: Final = b"PK\x06\x07"
_LIST_ENTRY: Final = 46 + 1_024
"""Bytes that the list of files may take for each of them: the fixed part, and far more than an ordinary name and its extras."""
_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LONGEST_NAME: Final = 255
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, LookupError, RuntimeError)
"""What the library raises for an archive that is not sound; RuntimeError is also its NotImplementedError."""


class HostileArchive(UserError):
    """An archive is not one that an honest builder makes."""


@dataclass(frozen=True, kw_only=True)
class ArchiveBounds:
    """How much an archive may hold: a number of files, and bytes of them all together, unpacked."""

    files: int
    unpacked: int


@dataclass(frozen=True, kw_only=True)
class ArchivedFile:
    """A file of an archive: its length in bytes, its SHA-256 in hexadecimal digits, and its content where that was asked for."""

    size: int
    sha256: str
    content: bytes | None = field(default=None, repr=False)


def read_archive(archive: BinaryIO, bounds: ArchiveBounds, *, keep: Collection[str] = (), what: str) -> dict[str, ArchivedFile]:
    """Return every file of a zip archive by its name, with the contents of those in ``keep``.

    This blocks: call it in a thread. ``what`` names the archive in errors. Raises HostileArchive for an archive that is broken, encrypted,
    split or larger than the bounds, or that holds a link, a name twice, or a name that leads elsewhere.
    """
    try:
        _require_plain_end(archive, bounds)
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            _require_bounds(entries, bounds)
            files = [entry for entry in entries if not _is_folder(entry)]
            return {entry.filename: _read(opened, entry, keep=entry.filename in keep) for entry in files}
    except _Problem as problem:
        raise HostileArchive(f"{what} was not read: {problem}, so it is not what the builder makes; look at the run that left it") from None
    except _UNREADABLE as error:
        reason = one_line(str(error), 100) or type(error).__name__
        raise HostileArchive(f"{what} was not read: it is not a sound zip archive ({reason}); look at the run that left it") from None


class _Problem(Exception):
    """What is wrong with the archive, as part of a sentence."""


def _require_plain_end(archive: BinaryIO, bounds: ArchiveBounds) -> None:
    """Refuse a list of files that is longer than the bounds before the library reads it whole into memory.

    Archives with a comment, or in the form for more than four gigabytes, hide their end from this look; no builder makes them.
    """
    length = archive.seek(0, os.SEEK_END)
    if length < _END.size:
        raise _Problem("it is too short for a zip archive")
    archive.seek(-min(length, _END.size + _LONGER_END.size), os.SEEK_END)
    tail = archive.read()
    signature, _, _, _, entries, size, _, comment = _END.unpack(tail[-_END.size :])
    if signature != _END_SIGNATURE or comment or tail.startswith(_LONGER_END_SIGNATURE):
        raise _Problem("it does not end as a plain zip archive does")
    if entries > bounds.files or size > bounds.files * _LIST_ENTRY:
        raise _Problem(f"it holds more than {bounds.files} files")


def _require_bounds(entries: list[zipfile.ZipInfo], bounds: ArchiveBounds) -> None:
    """Refuse an archive for what its list of files says."""
    if len(entries) > bounds.files:
        raise _Problem(f"it holds more than {bounds.files} files")
    if sum(entry.file_size for entry in entries) > bounds.unpacked:
        raise _Problem(f"its files are longer than {bounds.unpacked} bytes")
    for entry in entries:
        _require_plain(entry)
    if len({entry.filename.casefold() for entry in entries}) < len(entries):
        raise _Problem("it holds two files of one name")


def _require_plain(entry: zipfile.ZipInfo) -> None:
    """Refuse everything but ordinary files and folders below the top."""
    shown = one_line(repr(entry.orig_filename), 120)
    name = entry.filename.removesuffix("/") if _is_folder(entry) else entry.filename
    if entry.filename != entry.orig_filename or not name.isprintable() or set(name) & set('\\:*?"<>|'):
        raise _Problem(f"it holds {shown}, which is no plain name")
    if len(name) > _LONGEST_NAME or set(name.split("/")) & {"", ".", ".."}:
        raise _Problem(f"it holds {shown}, which leads elsewhere")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if _is_folder(entry) else stat.S_IFREG):
        raise _Problem(f"it holds {shown}, which is no ordinary file")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise _Problem(f"it holds {shown}, which is encrypted or packed in an unusual way")


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry only makes a folder; one with content is taken for a file, whose name is then refused."""
    return entry.is_dir() and entry.file_size == 0


def _read(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, *, keep: bool) -> ArchivedFile:
    """Unpack one file piece by piece; the library gives no more than the list promised, and checks the checksum at its end."""
    digest, size, content = hashlib.sha256(), 0, bytearray()
    with opened.open(entry) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            if keep:
                content += piece
    if size != entry.file_size:
        raise _Problem(f"{one_line(entry.filename, 120)} is shorter in it than its list says")
    return ArchivedFile(size=size, sha256=digest.hexdigest(), content=bytes(content) if keep else None)
