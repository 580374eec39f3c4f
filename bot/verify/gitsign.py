"""Verify the tags that gitsign signs (https://github.com/sigstore/gitsign), offline.

Such a signature is a CMS one by a certificate that lives ten minutes. Only an entry of the signature log says that it was made within them;
gitsign keeps that entry in the signature since 0.17. Its body is left out, because it follows from the rest: so a bundle is put together
over what the signature covers, and verified as any other.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, ObjectIdentifier

from bot.verify import cms
from bot.verify.log_entry import MalformedEntry, entry_json
from bot.verify.result import NotProven, Proven, Unusable
from bot.verify.sigstore_bundle import OidcIdentity, plain, prove
from bot.verify.sigstore_root import SigstoreRoot

LARGEST_SIGNATURE: Final = 1 << 17
"""Bytes of the armored block; a real one has about three thousand."""

_ARMOR: Final = re.compile(rb"-----BEGIN SIGNED MESSAGE-----\n([A-Za-z0-9+/=\n]+)\n-----END SIGNED MESSAGE-----\n?")
_T = TypeVar("_T")
_BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"


class Gitsign:
    """Verifies detached signatures of gitsign by one trusted root."""

    def __init__(self, root: SigstoreRoot | bytes | Path | None = None) -> None:
        """Trust this root; None is the public instance's, as the pinned library ships it. Raises RootUnusable."""
        self._root = SigstoreRoot.of(root)

    def verify(self, payload: bytes, signature: bytes, *, allowed: Collection[OidcIdentity]) -> Proven:
        """Prove that one of these logins signed the payload; this blocks for some milliseconds.

        Anyone in the world can log in, so an empty collection allows nobody. Raises Unusable for what cannot be read, or not be completed
        offline; NotProven for a signature that does not prove it.
        """
        try:
            signed = cms.read_signed(_unarmored(signature))
            signers = signed.signers.as_list()
            if len(signers) != 1:
                raise NotProven("It has not exactly one signer, so it is not a signature that gitsign made.", f"{len(signers)} signers")
            certificate = cms.certificate_of(signed, signers[0])
            _fits(payload, signed, signers[0])
            bundle = _bundle(signers[0], certificate)
        except (cms.MalformedCms, MalformedEntry) as error:
            raise Unusable("It cannot be read as a signature of gitsign.", plain(str(error))) from None
        return prove(self._root, bundle, hashlib.sha256(signers[0].covered()).hexdigest(), allowed)


def _unarmored(block: bytes) -> bytes:
    found = _ARMOR.fullmatch(block) if len(block) <= LARGEST_SIGNATURE else None
    try:
        return base64.b64decode(found[1].replace(b"\n", b""), validate=True) if found else b""
    except binascii.Error:
        return b""


def _fits(payload: bytes, signed: cms.SignedData, signer: cms.Signer) -> None:
    """Raise NotProven unless the signed attributes are those of this payload."""
    if signer.digest.algorithm != cms.SHA256:
        raise NotProven("It does not rest on SHA-256, as a signature of gitsign does.")
    kind = signer.signed_value(cms.CONTENT_TYPE)
    if signed.content.kind != cms.DATA or kind is None or _parsed(kind, ObjectIdentifier) != cms.DATA:
        raise NotProven("It was made for another kind of content than a tag.")
    digest = signer.signed_value(cms.MESSAGE_DIGEST)
    if digest is None or _parsed(digest, bytes) != hashlib.sha256(payload).digest():
        raise NotProven("It was made for another content: the tag was altered, or the signature belongs to another one.")


def _bundle(signer: cms.Signer, certificate: Certificate) -> bytes:
    """Put the bundle together whose signature is that over the signed attributes."""
    value = signer.unsigned_value(cms.LOG_ENTRY)
    if value is None:
        raise Unusable(
            "It holds no entry of the signature log, as those of gitsign up to 0.16 do not, so it cannot be completed offline; "
            "sign with gitsign 0.17 or later."
        )
    digest, entry = hashlib.sha256(signer.covered()).digest(), entry_json(_parsed(value, bytes))
    bundle = {
        "mediaType": _BUNDLE,
        "verificationMaterial": {
            "certificate": {"rawBytes": _base64(certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [{"canonicalizedBody": _base64(_body(digest, signer.signature, certificate)), **entry}],
        },
        "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": _base64(digest)}, "signature": _base64(signer.signature)},
    }
    return json.dumps(bundle).encode()


def _body(digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """Return the body of the entry, as the log writes it (https://github.com/sigstore/rekor/tree/main/pkg/types/hashedrekord)."""
    pem = certificate.public_bytes(Encoding.PEM)
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
        "signature": {"content": _base64(signature), "publicKey": {"content": _base64(pem)}},
    }
    body = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
    return json.dumps(body, separators=(",", ":"), sort_keys=True).encode()


def _parsed(value: asn1.TLV, kind: type[_T]) -> _T:
    """Return a value of which only now is known what it has to be."""
    try:
        return asn1.decode_der(kind, asn1.encode_der(value))
    except ValueError as error:
        raise cms.MalformedCms(str(error)) from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
