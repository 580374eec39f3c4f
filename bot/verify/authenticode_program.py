"""Find the signatures within a Windows program (PE), and refuse what is not whole or hides something beside them.

Where they lie: https://learn.microsoft.com/en-us/windows/win32/debug/pe-format#the-attribute-certificate-table-image-only. The table itself
is covered by no signature, so it may hold nothing but signatures.
"""

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Final

from bot.verify.authenticode_signify import AuthenticodeSignature, SignedPEFile, length_of_der
from bot.verify.result import NotProven

MAX_PROGRAM: Final = 512 * 1024 * 1024
"""Bytes; the installers of CPython have some 30 million."""

MAX_TABLE: Final = 1024 * 1024
"""Bytes; a signature has some 15 thousand."""

MAX_SIGNATURES: Final = 8
"""Microsoft's own files have two."""

_HEADER: Final = struct.Struct("<IHH")
_REVISION_2: Final = 0x200
_SIGNED_DATA: Final = 2
_ALIGNMENT: Final = 8


class SignedProgram:
    """A program and its signatures, none of which is verified yet."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Read the headers and the table; raise NotProven where the file is no whole program, not signed, or holds more than it should."""
        self._stream, self._name = stream, name
        self._length = stream.seek(0, os.SEEK_END)
        if self._length > MAX_PROGRAM:
            raise NotProven(f"{name} is larger than any Windows program of a release, so it was not read.", f"{self._length} bytes")
        self.program = SignedPEFile(stream)
        start, size = self._table_place()
        stream.seek(start)
        self.signatures = tuple(islice(self._signatures(stream.read(size)), MAX_SIGNATURES + 1))
        if len(self.signatures) > MAX_SIGNATURES:
            raise NotProven(f"{name} bears more than {MAX_SIGNATURES} signatures, which no file of a release does, so none was verified.")

    def _table_place(self) -> tuple[int, int]:
        """Return where the table of signatures lies: its first byte and its length."""
        parts = self.program.get_authenticode_omit_sections()
        if parts is None:
            raise NotProven(f"{self._name} is no Windows program (PE), or only the beginning of one; download or build it again.")
        if "datadir_certtable" not in parts:
            raise self._unsigned()
        self._stream.seek(parts["datadir_certtable"].start)
        start, size = struct.unpack("<II", self._stream.read(8))
        if not size:
            raise self._unsigned()
        where = f"the signature should be in the bytes {start} to {start + size} of {self._length}"
        if start + size > self._length:
            raise NotProven(
                f"{self._name} is cut short: its end, where the signature belongs, is missing; download or build it again.", where
            )
        if start + size < self._length:
            raise NotProven(f"{self._name} holds something after its signature, which Windows programs do not; do not use it.", where)
        if "certtable" not in parts or size > MAX_TABLE:
            raise NotProven(f"{self._name} has a table of signatures that cannot be one; do not use it.", where)
        return start, size

    def _signatures(self, table: bytes) -> Iterator[AuthenticodeSignature]:
        """Yield the signatures, each followed by those nested within it."""
        position = 0
        while position < len(table):
            if position + _HEADER.size > len(table):
                raise self._damaged("the last entry has no header")
            length, revision, kind = _HEADER.unpack_from(table, position)
            if length <= _HEADER.size or position + length > len(table) or revision != _REVISION_2 or kind != _SIGNED_DATA:
                raise self._damaged(f"the entry at byte {position} has length {length}, revision {revision:#x} and type {kind}")
            yield from self._one(table[position + _HEADER.size : position + length])
            position += length + -length % _ALIGNMENT

    def _one(self, content: bytes) -> Iterator[AuthenticodeSignature]:
        """Yield one signature and those nested within it."""
        try:
            padding = content[length_of_der(content) :]
            nested = AuthenticodeSignature.from_envelope(content, signed_file=self.program).iter_recursive_nested()
            signatures = tuple(islice(nested, MAX_SIGNATURES + 1))
        except Exception as error:  # noqa: BLE001 - foreign bytes reach deep into the libraries
            raise self._damaged(f"{type(error).__name__}: {error}") from None
        if len(padding) >= _ALIGNMENT or any(padding):
            raise NotProven(f"{self._name} hides {len(padding)} bytes behind its signature, which nothing vouches for; do not use it.")
        yield from signatures

    def _unsigned(self) -> NotProven:
        return NotProven(f"{self._name} is not signed; it must bear an Authenticode signature.")

    def _damaged(self, detail: str) -> NotProven:
        return NotProven(f"{self._name} has a signature that cannot be read, so it is damaged or was changed; do not use it.", detail)
