"""A small log of signatures: a tree of hashes that only grows, with proofs that something is in it (https://www.rfc-editor.org/rfc/rfc6962).

As Rekor is one (https://github.com/sigstore/rekor): an entry comes with the log's promise, which also says when, and with a proof up to a
checkpoint that the log has signed (https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md).
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_NAME: Final = "rekor.rehearsal.invalid"
_ORIGIN: Final = f"{_NAME} - 1"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry with all that proves it; ``index`` counts from 0, ``time`` is in seconds since 1970, ``size`` the log's at that moment."""

    index: int
    body: bytes
    log_id: bytes
    time: int
    promise: bytes
    size: int
    root: bytes
    path: Sequence[bytes]
    checkpoint: str

    def as_json(self) -> Mapping[str, object]:
        """Return the entry as a bundle holds it."""
        return {
            "logIndex": str(self.index),
            "logId": {"keyId": _base64(self.log_id)},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
            "integratedTime": str(self.time),
            "inclusionPromise": {"signedEntryTimestamp": _base64(self.promise)},
            "inclusionProof": {
                "logIndex": str(self.index),
                "rootHash": _base64(self.root),
                "treeSize": str(self.size),
                "hashes": [_base64(one) for one in self.path],
                "checkpoint": {"envelope": self.checkpoint},
            },
            "canonicalizedBody": _base64(self.body),
        }

    def as_protobuf(self) -> bytes:
        """Return the entry as gitsign keeps it: binary and without its body (https://protobuf.dev/programming-guides/encoding/)."""
        hashed = b"".join(_field(4, one) for one in self.path)
        checkpoint = _field(1, self.checkpoint.encode())
        proof = _field(1, self.index) + _field(2, self.root) + _field(3, self.size) + hashed + _field(5, checkpoint)
        kind = _field(1, b"hashedrekord") + _field(2, b"0.0.1")
        parts: tuple[int | bytes, ...] = (self.index, _field(1, self.log_id), kind, self.time, _field(1, self.promise), proof)
        return b"".join(_field(number, part) for number, part in enumerate(parts, 1))


@dataclass(frozen=True, kw_only=True)
class SignatureLog:
    """The log; of its tree it keeps only the full subtrees, from the largest to the smallest, which is enough to grow."""

    key: ec.EllipticCurvePrivateKey
    _peaks: list[tuple[int, bytes]] = field(default_factory=list)
    _alone: Lock = field(default_factory=Lock)

    @classmethod
    def create(cls) -> "SignatureLog":
        """Make an empty log with a key of its own."""
        return cls(key=ec.generate_private_key(ec.SECP256R1()))

    def add(self, body: bytes, now: datetime) -> Entry:
        """Take a body in and return the entry, whose proof is up to this very entry."""
        leaf = sha256(b"\0" + body).digest()
        with self._alone:
            path = [root for _, root in reversed(self._peaks)]
            index = sum(size for size, _ in self._peaks)
            self._grow(leaf)
        root = leaf
        for left in path:
            root = _node(left, root)
        log_id, time = sha256(public_der(self.key)).digest(), int(now.timestamp())
        promised = {"body": _base64(body), "integratedTime": time, "logID": log_id.hex(), "logIndex": index}
        promise = self._sign(json.dumps(promised, separators=(",", ":"), sort_keys=True).encode())
        return Entry(
            index=index,
            body=body,
            log_id=log_id,
            time=time,
            promise=promise,
            size=index + 1,
            root=root,
            path=path,
            checkpoint=self._checkpoint(index + 1, root, log_id),
        )

    def _grow(self, leaf: bytes) -> None:
        """Put the leaf at the right end, and join full subtrees of one size."""
        size, root = 1, leaf
        while self._peaks and self._peaks[-1][0] == size:
            _, left = self._peaks.pop()
            size, root = size * 2, _node(left, root)
        self._peaks.append((size, root))

    def _checkpoint(self, size: int, root: bytes, log_id: bytes) -> str:
        """Return the signed note that says how large the log is and what its tree's root is."""
        note = f"{_ORIGIN}\n{size}\n{_base64(root)}\n"
        return f"{note}\n\N{EM DASH} {_NAME} {_base64(log_id[:4] + self._sign(note.encode()))}\n"

    def _sign(self, content: bytes) -> bytes:
        return self.key.sign(content, ec.ECDSA(hashes.SHA256()))


def public_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half in the form whose digest names a log, or an authority in promises."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _field(number: int, value: int | bytes) -> bytes:
    """Return one field of a message; a number that is 0 is left out, as the encoding wants it."""
    if isinstance(value, int):
        return bytes([*_varint(number << 3), *_varint(value)]) if value else b""
    return bytes([*_varint(number << 3 | 2), *_varint(len(value))]) + value


def _varint(value: int) -> Iterator[int]:
    while value > 0x7F:  # noqa: PLR2004 - seven bits go into each byte
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
