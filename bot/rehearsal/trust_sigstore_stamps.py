"""A small time stamper (https://www.rfc-editor.org/rfc/rfc3161), as Sigstore runs one: https://github.com/sigstore/timestamp-authority."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.rehearsal.trust_sigstore_certificates import issued, lasting, root_authority, usage
from bot.rehearsal.trust_sigstore_cms import SHA256, Algorithm, CmsSignature, attribute

_STAMP: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_SIGNING_CERTIFICATE: Final = ObjectIdentifier("1.2.840.113549.1.9.16.2.47")
_POLICY: Final = ObjectIdentifier("1.3.6.1.4.1.57264.2")


@asn1.sequence
class _Imprint:
    algorithm: Algorithm
    digest: bytes


@asn1.sequence
class _Stamp:
    version: int
    policy: ObjectIdentifier
    imprint: _Imprint
    serial: int
    time: asn1.GeneralizedTime


@asn1.sequence
class _Status:
    status: int


@asn1.sequence
class _Answer:
    status: _Status
    token: asn1.TLV


@asn1.sequence
class _CertificateDigest:
    digest: bytes


@asn1.sequence
class _SigningCertificate:
    certificates: list[_CertificateDigest]


@dataclass(frozen=True, kw_only=True)
class TimeStamper:
    """Says when it saw some bytes; ``chain`` goes from its certificate to the root."""

    key: ec.EllipticCurvePrivateKey
    chain: Sequence[x509.Certificate]

    @classmethod
    def create(cls) -> "TimeStamper":
        """Make one with keys of its own."""
        root, root_key = root_authority("sigstore-time")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = lasting("sigstore-time-stamper", key.public_key()).add_extension(usage("digital_signature"), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return cls(key=key, chain=(issued(builder, root, root_key), root))

    def stamp(self, content: bytes, now: datetime) -> bytes:
        """Return the answer of a time stamper, to the second."""
        imprint = _Imprint(algorithm=Algorithm(algorithm=SHA256), digest=sha256(content).digest())
        moment = asn1.GeneralizedTime(now.astimezone(UTC).replace(microsecond=0))
        stamp = asn1.encode_der(_Stamp(version=1, policy=_POLICY, imprint=imprint, serial=x509.random_serial_number(), time=moment))
        own = _CertificateDigest(digest=sha256(self.chain[0].public_bytes(Encoding.DER)).digest())
        named = attribute(_SIGNING_CERTIFICATE, _SigningCertificate(certificates=[own]))
        cms = CmsSignature(stamp, now, kind=_STAMP, more=[named])
        token = cms.message(self.key.sign(cms.covered, ec.ECDSA(hashes.SHA256())), self.chain[0], content=stamp)
        return asn1.encode_der(_Answer(status=_Status(status=0), token=asn1.decode_der(asn1.TLV, token)))
