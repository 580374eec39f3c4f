"""Unpack a compressed tar as a bounded stream, so that a bomb costs no more than the bounds allow.

The formats: https://www.rfc-editor.org/rfc/rfc1952 (gzip) and https://tukaani.org/xz/xz-file-format.txt. Both allow several streams in one
file, and bytes behind the last of them, which programs treat in different ways; here there is exactly one stream and nothing behind it.
"""

import hashlib
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final, assert_never

from bot.verify.result import NotProven

_BLOCK: Final = 1 << 18
_FREE: Final = 1 << 24
_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS


class Compression(StrEnum):
    """How an archive is compressed."""

    GZIP = "gzip"
    XZ = "xz"


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """What an archive may have at most; sizes are in bytes.

    Python 3.14.4 has 120 MB in 5,500 members, the largest of 4.3 MB, packed to a fifth; its longest path has 113 characters. ``ratio`` is
    the unpacked size as a multiple of the packed one, and counts from 16 MiB on. ``memory`` is what unpacking may take; xz -9 needs
    65 MiB. A text whose line ends have to be undone may have ``text`` bytes.
    """

    unpacked: int = 1 << 30
    member: int = 1 << 26
    members: int = 50_000
    path: int = 400
    ratio: int = 100
    memory: int = 80 << 20
    text: int = 1 << 23


class Unpacked:
    """The tar inside a compressed file, read from its beginning to its end once.

    ``sha256`` and ``size`` are those of all that was read so far.
    """

    def __init__(self, file: BinaryIO, name: str, limits: ArchiveLimits, packed: int) -> None:
        """Read from a file with ``packed`` bytes that stands at its beginning; ``name`` is what people call it."""
        self._name = name
        self._limits = limits
        self._most = min(limits.unpacked, max(_FREE, packed * limits.ratio))
        self.compression = _compression(file, name)
        self._blocks = self._bounded(_gunzip(file) if self.compression is Compression.GZIP else _unxz(file, limits.memory))
        self._block = memoryview(b"")
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the digest of what was read so far, in whole blocks."""
        return self._digest.hexdigest()

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Give the next ``size`` bytes in pieces; raise NotProven when the file ends before."""
        while size:
            if not self._block:
                self._block = memoryview(next(self._blocks, b""))
                if not self._block:
                    raise NotProven(f"{self._name} ends in the middle of its tar archive, so it was cut off; download or build it again.")
            piece = self._block[:size]
            self._block = self._block[size:]
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes; raise NotProven when the file ends before."""
        return b"".join(self.pieces(size))

    def rest(self) -> Iterator[memoryview]:
        """Give everything up to the end, which also proves that the file arrived whole."""
        block, self._block = self._block, memoryview(b"")
        yield block
        yield from (memoryview(one) for one in self._blocks)

    def _bounded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Count, digest and stop in time."""
        try:
            for block in blocks:
                self.size += len(block)
                if self.size > self._most:
                    raise NotProven(
                        f"{self._name} unpacks to more than {self._most:,} bytes, which no source archive of its size does; "
                        "do not unpack it, and build it again."
                    )
                self._digest.update(block)
                yield block
        except _Broken as error:
            raise NotProven(f"{self._name} cannot be unpacked: {error}; download or build it again.") from None
        except (lzma.LZMAError, zlib.error) as error:
            raise NotProven(
                f"{self._name} is damaged, or wants more than {self._limits.memory:,} bytes of memory; download or build it again.",
                str(error),
            ) from None


class _Broken(Exception):
    """The compressed file is not one whole stream."""


def _compression(file: BinaryIO, name: str) -> Compression:
    """Tell how the file is compressed by its first bytes, which must agree with its name."""
    beginning = file.read(6)
    file.seek(0)
    if beginning.startswith(b"\x1f\x8b"):
        found = Compression.GZIP
    elif beginning == b"\xfd7zXZ\0":
        found = Compression.XZ
    else:
        raise NotProven(f"{name} is neither a gzip nor an xz file, so it is no source archive; download or build it again.")
    if wrong := _suffixes(found).get(name.rpartition(".")[2]):
        raise NotProven(f"{name} is called like {wrong} but is {found}; it was renamed or mixed up, so publish the right file.")
    return found


def _suffixes(found: Compression) -> dict[str, str]:
    """Return the ends of names that promise another compression."""
    match found:
        case Compression.GZIP:
            return {"xz": "xz", "txz": "xz"}
        case Compression.XZ:
            return {"gz": "gzip", "tgz": "gzip"}
        case _:
            assert_never(found)


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    """Give blocks out of a gzip file."""
    decompressor = zlib.decompressobj(_GZIP_HEADER)
    packed = b""
    while not decompressor.eof:
        packed = packed or file.read(_BLOCK)
        block = decompressor.decompress(packed, _BLOCK)
        if not block and not packed:
            raise _Broken("its end is missing")
        packed = decompressor.unconsumed_tail
        if block:
            yield block
    _end(file, decompressor.unused_data)


def _unxz(file: BinaryIO, memory: int) -> Iterator[bytes]:
    """Give blocks out of an xz file."""
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=memory)
    while not decompressor.eof:
        packed = file.read(_BLOCK) if decompressor.needs_input else b""
        if not packed and decompressor.needs_input:
            raise _Broken("its end is missing")
        if block := decompressor.decompress(packed, _BLOCK):
            yield block
    _end(file, decompressor.unused_data)


def _end(file: BinaryIO, unused: bytes) -> None:
    """Refuse whatever stands behind the one stream."""
    if unused or file.read(1):
        raise _Broken("something stands behind its end, which some programs read and others do not")
