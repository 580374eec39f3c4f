"""Read the entry of a signature log from its binary form into the JSON form of bundles.

The message TransparencyLogEntry: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_rekor.proto; its encoding:
https://protobuf.dev/programming-guides/encoding/; its JSON: https://protobuf.dev/programming-guides/json/. This reads that one message,
strictly: what it does not know, or what stands there twice, is refused. Nothing here is believed; the library verifies what comes out.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Final

LARGEST_ENTRY: Final = 1 << 16
"""Bytes; a real entry without its body has about one thousand."""

_VARINT, _BYTES = 0, 2
_LAST_SHIFT: Final = 63
_NUMBERS: Final = 1 << 64


class MalformedEntry(ValueError):
    """It is not the binary form of an entry of a signature log."""


def entry_json(message: bytes) -> dict[str, object]:
    """Return the entry as a bundle holds it; ``canonicalizedBody`` is missing where the entry left it out. Raises MalformedEntry."""
    if len(message) > LARGEST_ENTRY:
        raise MalformedEntry("the entry is too large")
    fields = _Fields(message, {1: _VARINT, 2: _BYTES, 3: _BYTES, 4: _VARINT, 5: _BYTES, 6: _BYTES, 7: _BYTES})
    kind = _Fields(fields.bytes(3), {1: _BYTES, 2: _BYTES})
    entry: dict[str, object] = {
        "logIndex": str(fields.number(1)),
        "logId": {"keyId": _Fields(fields.bytes(2), {1: _BYTES}).base64(1)},
        "kindVersion": {"kind": kind.text(1), "version": kind.text(2)},
        "inclusionProof": _proof(fields.bytes(6)),
    }
    if 4 in fields:  # noqa: PLR2004 - the numbers of the fields are those of the message
        entry["integratedTime"] = str(fields.number(4))
    if 5 in fields:  # noqa: PLR2004 - the same
        entry["inclusionPromise"] = {"signedEntryTimestamp": _Fields(fields.bytes(5), {1: _BYTES}).base64(1)}
    if 7 in fields:  # noqa: PLR2004 - the same
        entry["canonicalizedBody"] = fields.base64(7)
    return entry


def _proof(message: bytes) -> dict[str, object]:
    """Return the proof that the entry is in the log."""
    fields = _Fields(message, {1: _VARINT, 2: _BYTES, 3: _VARINT, 4: _BYTES, 5: _BYTES}, repeated=4)
    return {
        "logIndex": str(fields.number(1)),
        "rootHash": fields.base64(2),
        "treeSize": str(fields.number(3)),
        "hashes": [base64.b64encode(one).decode() for one in fields.many(4)],
        "checkpoint": {"envelope": _Fields(fields.bytes(5), {1: _BYTES}).text(1)},
    }


class _Fields:
    """The fields of one message by their numbers; those that are left out have no bytes or are 0."""

    def __init__(self, message: bytes, kinds: Mapping[int, int], *, repeated: int = 0) -> None:
        self._found: dict[int, list[int | bytes]] = {}
        for number, kind, value in _fields(message):
            if kinds.get(number) != kind:
                raise MalformedEntry(f"the entry has a field {number} that does not belong there")
            if number in self._found and number != repeated:
                raise MalformedEntry(f"the entry has its field {number} twice")
            self._found.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._found

    def number(self, number: int) -> int:
        value = self._found.get(number, [0])[0]
        return value if isinstance(value, int) else 0

    def many(self, number: int) -> list[bytes]:
        return [value for value in self._found.get(number, []) if isinstance(value, bytes)]

    def bytes(self, number: int) -> bytes:
        return next(iter(self.many(number)), b"")

    def base64(self, number: int) -> str:
        return base64.b64encode(self.bytes(number)).decode()

    def text(self, number: int) -> str:
        try:
            return self.bytes(number).decode()
        except UnicodeDecodeError:
            raise MalformedEntry("the entry holds text that is none") from None


def _fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield number, kind and value of each field."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == _VARINT:
            yield tag >> 3, _VARINT, value
        elif tag & 7 == _BYTES:
            if value > len(message) - at:
                raise MalformedEntry("the entry is cut off")
            yield tag >> 3, _BYTES, message[at : at + value]
            at += value
        else:
            raise MalformedEntry("the entry has a field of a kind that does not belong there")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins there, and where the next thing begins."""
    value = 0
    for shift in range(0, _LAST_SHIFT + 1, 7):
        if at >= len(message):
            raise MalformedEntry("the entry is cut off")
        value |= (message[at] & 0x7F) << shift
        at += 1
        if message[at - 1] < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            if value >= _NUMBERS:
                break
            return value, at
    raise MalformedEntry("the entry holds a number that is too large")
