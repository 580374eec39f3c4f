"""Read the Windows programs out of a zip file that nobody has looked into yet, within bounds.

The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from bot.verify.authenticode_policy import named_like
from bot.verify.result import NotProven

PROGRAMS: Final = ("*.exe", "*.dll", "*.pyd")
"""What Windows loads as a program by its name."""

_MARK: Final = b"MZ"
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_END: Final = struct.Struct("<4s4H2IH")
_LONGEST_COMMENT: Final = 0xFFFF
_END_64: Final = b"PK\x06\x07"
_END_64_SIZE: Final = 20
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, kw_only=True)
class ZipLimits:
    """How large a zip file may be; sizes are in bytes, and ``ratio`` is how far a member over one million bytes may have been packed."""

    members: int = 20_000
    directory: int = 4 * 1024 * 1024
    program: int = 64 * 1024 * 1024
    total: int = 1024 * 1024 * 1024
    ratio: int = 100


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in a zip file; ``program`` are its bytes where it is a Windows program, by its name or by how it begins."""

    name: str
    program: bytes | None


_SMALL: Final = 1_000_000


def members(stream: BinaryIO, name: str, limits: ZipLimits) -> Iterator[Member]:
    """Yield the files of a zip file; raise NotProven where it is none, is damaged, or is not such as a release has it."""
    _directory_is_small(stream, name, limits)
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            _plausible(infos, name, limits)
            _nothing_between(stream, infos, archive.start_dir, name)
            for info in infos:
                if not info.is_dir():
                    yield _member(archive, info, name, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError, struct.error) as error:
        raise NotProven(f"{name} is no whole zip file, so it is damaged or was changed; download it again.", f"{error}") from None


def _directory_is_small(stream: BinaryIO, name: str, limits: ZipLimits) -> None:
    """Refuse a directory that would not fit into memory, before it is read."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - _END.size - _LONGEST_COMMENT))
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise NotProven(f"{name} is no whole zip file, so it is damaged or was changed; download it again.", "its directory is missing")
    if place + _END.size < len(tail):
        raise _hides(name, f"{len(tail) - place - _END.size} bytes behind its directory")
    count, size = _END.unpack_from(tail, place)[4:6]
    if tail[max(0, place - _END_64_SIZE) :].startswith(_END_64) or count > limits.members or size > limits.directory:
        raise NotProven(f"{name} has a directory larger than any zip file of a release, so it was not read.", f"{count} members")


def _nothing_between(stream: BinaryIO, infos: list[zipfile.ZipInfo], directory: int, name: str) -> None:
    """Refuse what lies before, between or behind the members, where some programs look for members and others do not."""
    place = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < 0:
            raise zipfile.BadZipFile("its beginning is missing")
        if info.header_offset != place:
            break
        stream.seek(place)
        *_, names, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
        place += _LOCAL.size + names + extra + info.compress_size
    if place != directory:
        raise _hides(name, f"at byte {place} of {directory} before its directory")


def _hides(name: str, where: str) -> NotProven:
    return NotProven(f"{name} holds something that is not in its directory, which no zip file of a release does; do not use it.", where)


def _plausible(infos: list[zipfile.ZipInfo], name: str, limits: ZipLimits) -> None:
    """Raise NotProven when the directory says something that no release has."""
    seen: set[str] = set()
    for info in infos:
        fault = _fault(info, limits)
        if not fault and info.filename.casefold() in seen:
            fault = "is there twice"
        if fault:
            raise NotProven(
                f"{name} holds a member that no zip file of a release has, so nothing in it was used.", f"{info.filename!r} {fault}"
            )
        seen.add(info.filename.casefold())
    if len(infos) > limits.members or sum(info.file_size for info in infos) > limits.total:
        raise NotProven(f"{name} unpacks to more than any zip file of a release, so it was not unpacked.", f"{len(infos)} members")


def _fault(info: zipfile.ZipInfo, limits: ZipLimits) -> str:
    """Return what is wrong with a member; nothing where it may be read."""
    parts = info.orig_filename.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or any(letter in info.orig_filename for letter in '\\:\0<>"|?*'):
        return "has a path that leads elsewhere"
    if any(part.endswith((".", " ")) for part in parts):
        return "has a name that Windows would shorten to another one"
    mode = info.external_attr >> 16
    if mode and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) and stat.S_IFMT(mode):
        return "is a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {info.compress_type}"
    if info.file_size > max(_SMALL, limits.ratio * info.compress_size):
        return f"is packed from {info.file_size} to {info.compress_size} bytes"
    return ""


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limits: ZipLimits) -> Member:
    """Read one member if it is a program, and only its beginning otherwise."""
    with archive.open(info) as opened:
        start = opened.read(len(_MARK))
        if start != _MARK and not named_like(info.filename, PROGRAMS):
            return Member(name=info.filename, program=None)
        if info.file_size > limits.program:
            raise NotProven(f"{name} holds a program larger than any of a release, so it was not unpacked.", f"{info.filename!r}")
        # One byte more than there should be makes zipfile compare the checksum.
        return Member(name=info.filename, program=start + opened.read(info.file_size + 1))
