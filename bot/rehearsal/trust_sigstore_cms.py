"""Signatures in the form CMS (https://www.rfc-editor.org/rfc/rfc5652), in which gitsign and time stampers write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Final

from cryptography.hazmat import asn1
from cryptography.x509 import Certificate, ObjectIdentifier

DATA: Final = ObjectIdentifier("1.2.840.113549.1.7.1")
SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")

_SIGNED_DATA: Final = ObjectIdentifier("1.2.840.113549.1.7.2")
_ECDSA: Final = ObjectIdentifier("1.2.840.10045.4.3.2")
_CONTENT_TYPE: Final = ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_TIME: Final = ObjectIdentifier("1.2.840.113549.1.9.5")


@asn1.sequence
class Algorithm:
    """An algorithm without parameters."""

    algorithm: ObjectIdentifier


@asn1.sequence
class Attribute:
    """An attribute of a signature."""

    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _Content:
    kind: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _CertificateName:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _Signer:
    version: int
    certificate: _CertificateName
    digest: Algorithm
    signed: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
    algorithm: Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digests: asn1.SetOf[Algorithm]
    content: _Content
    certificates: Annotated[asn1.SetOf[Certificate], asn1.Implicit(0)]
    signers: asn1.SetOf[_Signer]


@asn1.sequence
class _Message:
    kind: ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


class CmsSignature:
    """A signature in the making: first what has to be signed, then the message with everything in it."""

    def __init__(self, content: bytes, now: datetime, *, kind: ObjectIdentifier = DATA, more: Sequence[Attribute] = ()) -> None:
        """Say what is signed, when, and with which further attributes."""
        self._kind = kind
        moment = asn1.UTCTime(now.astimezone(UTC).replace(microsecond=0))
        digest = attribute(_MESSAGE_DIGEST, sha256(content).digest())
        self._signed = asn1.SetOf([attribute(_CONTENT_TYPE, kind), attribute(_SIGNING_TIME, moment), digest, *more])

    @property
    def covered(self) -> bytes:
        """The bytes that have to be signed, by ECDSA with SHA-256."""
        return asn1.encode_der(self._signed)

    def message(
        self, signature: bytes, certificate: Certificate, *, content: bytes | None = None, unsigned: Sequence[Attribute] = ()
    ) -> bytes:
        """Return the message, with the content in it or apart from it."""
        algorithm, attached = Algorithm(algorithm=SHA256), content is not None
        signer = _Signer(
            version=1,
            certificate=_CertificateName(issuer=_tlv(certificate.issuer.public_bytes()), serial=certificate.serial_number),
            digest=algorithm,
            signed=self._signed,
            algorithm=Algorithm(algorithm=_ECDSA),
            signature=signature,
            unsigned=asn1.SetOf(list(unsigned)) if unsigned else None,
        )
        data = _SignedData(
            version=3 if attached else 1,
            digests=asn1.SetOf([algorithm]),
            content=_Content(kind=self._kind, content=content),
            certificates=asn1.SetOf([certificate]),
            signers=asn1.SetOf([signer]),
        )
        return asn1.encode_der(_Message(kind=_SIGNED_DATA, content=data))


def attribute(kind: ObjectIdentifier, value: object) -> Attribute:
    """Return an attribute with one value."""
    return Attribute(kind=kind, values=asn1.SetOf([_tlv(asn1.encode_der(value))]))


def _tlv(der: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, der)
