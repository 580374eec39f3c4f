"""A small Sigstore for one world: it signs for whoever asks, with real certificates, logs and proofs, and is trusted nowhere else.

What it stands for: Fulcio, the log of certificates, Rekor (https://docs.sigstore.dev/about/overview/) and gitsign. Whoever verifies gets
its trusted root (https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto).
"""

import json
import textwrap
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, ObjectIdentifier

from bot.rehearsal.trust_sigstore_authority import CertificateAuthority
from bot.rehearsal.trust_sigstore_certificates import BEGINNING
from bot.rehearsal.trust_sigstore_cms import CmsSignature, attribute
from bot.rehearsal.trust_sigstore_log import Entry, SignatureLog, public_der
from bot.rehearsal.trust_sigstore_stamps import TimeStamper

_LOG_ENTRY: Final = ObjectIdentifier("1.3.6.1.4.1.57264.3.1")
_BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_ROOT: Final = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One signature with all that proves it."""

    digest: bytes
    signature: bytes
    certificate: Certificate
    entry: Entry
    stamp: bytes

    @property
    def bundle(self) -> bytes:
        """The bundle (https://docs.sigstore.dev/about/bundle/), version 0.3."""
        document = {
            "mediaType": _BUNDLE,
            "verificationMaterial": {
                "certificate": {"rawBytes": _base64(self.certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self.entry.as_json()],
                "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": _base64(self.stamp)}]},
            },
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": _base64(self.digest)},
                "signature": _base64(self.signature),
            },
        }
        return json.dumps(document, indent=2).encode()


@dataclass(frozen=True, kw_only=True)
class SmallSigstore:
    """One Sigstore: an authority, a log and a time stamper, and the clock that they live by."""

    authority: CertificateAuthority
    log: SignatureLog
    stamper: TimeStamper
    clock: Callable[[], datetime]

    @classmethod
    def create(cls, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> "SmallSigstore":
        """Make one with keys of its own."""
        return cls(authority=CertificateAuthority.create(), log=SignatureLog.create(), stamper=TimeStamper.create(), clock=clock)

    @cached_property
    def trusted_root_json(self) -> bytes:
        """The document that whoever verifies is given."""
        document = {
            "mediaType": _ROOT,
            "tlogs": [_log("https://rekor.rehearsal.invalid", self.log.key)],
            "certificateAuthorities": [_authority("https://fulcio.rehearsal.invalid", self.authority.chain)],
            "ctlogs": [_log("https://ctfe.rehearsal.invalid", self.authority.log_key)],
            "timestampAuthorities": [_authority("https://timestamp.rehearsal.invalid", self.stamper.chain)],
        }
        return json.dumps(document, indent=2).encode()

    def sign(self, sha256_hex: str, identity: str, issuer: str) -> bytes:
        """Return the bundle for a file with this SHA-256, signed by this login, now; this takes some milliseconds."""
        return self.signed(bytes.fromhex(sha256_hex), identity, issuer).bundle

    def sign_tag(self, payload: bytes, identity: str, issuer: str) -> bytes:
        """Return the block that gitsign 0.17 would put behind a tag's payload."""
        tag = CmsSignature(payload, self.clock())
        signed = self.signed(sha256(tag.covered).digest(), identity, issuer)
        unsigned = [attribute(_LOG_ENTRY, signed.entry.as_protobuf())]
        return armored(tag.message(signed.signature, signed.certificate, unsigned=unsigned))

    def signed(self, digest: bytes, identity: str, issuer: str) -> Signed:
        """Sign a digest with a key that is made for it and thrown away, as Sigstore's clients do."""
        now = self.clock()
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.authority.issue(key.public_key(), identity, issuer, now)
        signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        entry, stamp = self.log.add(body(digest, signature, certificate), now), self.stamper.stamp(signature, now)
        return Signed(digest=digest, signature=signature, certificate=certificate, entry=entry, stamp=stamp)


def armored(message: bytes) -> bytes:
    """Return the block in which git keeps a signature of this kind."""
    lines = textwrap.wrap(_base64(message), 64)
    return "\n".join(["-----BEGIN SIGNED MESSAGE-----", *lines, "-----END SIGNED MESSAGE-----", ""]).encode()


def body(digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """Return what the log keeps of a signature (https://github.com/sigstore/rekor/tree/main/pkg/types/hashedrekord), in canonical JSON."""
    spec: Mapping[str, object] = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
        "signature": {"content": _base64(signature), "publicKey": {"content": _base64(certificate.public_bytes(Encoding.PEM))}},
    }
    return json.dumps({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}, separators=(",", ":"), sort_keys=True).encode()


def _log(url: str, key: ec.EllipticCurvePrivateKey) -> Mapping[str, object]:
    """Describe a log by its key; its name is the digest of that."""
    der = public_der(key)
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": _base64(der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": _moment(BEGINNING)}},
        "logId": {"keyId": _base64(sha256(der).digest())},
    }


def _authority(url: str, chain: Sequence[Certificate]) -> Mapping[str, object]:
    """Describe an authority by its certificates, the root last."""
    return {
        "subject": {"organization": "rehearsal", "commonName": url.removeprefix("https://")},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": _base64(one.public_bytes(Encoding.DER))} for one in chain]},
        "validFor": {"start": _moment(BEGINNING)},
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
