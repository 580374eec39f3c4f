"""The shape of a detached CMS signature as gitsign makes it: one signer, signed attributes, no content of its own.

https://www.rfc-editor.org/rfc/rfc5652#section-5. Only this shape is read, and only in DER, so that everyone reads it the same way.
"""

from collections.abc import Iterable
from typing import Annotated, Final

from cryptography.hazmat import asn1
from cryptography.x509 import Certificate, InvalidVersion, ObjectIdentifier

SIGNED_DATA: Final = ObjectIdentifier("1.2.840.113549.1.7.2")
DATA: Final = ObjectIdentifier("1.2.840.113549.1.7.1")
SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
CONTENT_TYPE: Final = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST: Final = ObjectIdentifier("1.2.840.113549.1.9.4")
LOG_ENTRY: Final = ObjectIdentifier("1.3.6.1.4.1.57264.3.1")
"""The entry of the signature log: https://github.com/sigstore/rekor/blob/main/docs/oid-info.md."""


class MalformedCms(ValueError):
    """It is not a CMS signature of the shape that gitsign makes."""


@asn1.sequence
class Algorithm:
    """An algorithm; those that gitsign uses have no parameters, which some programs write as NULL."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class ContentKind:
    """What was signed: its kind alone, because the signature is detached."""

    kind: ObjectIdentifier


@asn1.sequence
class Attribute:
    """An attribute of the signature."""

    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class CertificateName:
    """Which certificate the signer used: by whom it was issued, with which number."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class Signer:
    """One signature: it covers the signed attributes, of which one is the digest of the content."""

    version: int
    certificate: CertificateName
    digest: Algorithm
    signed: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
    algorithm: Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(1)]

    def covered(self) -> bytes:
        """Return what the signature covers: the signed attributes as a plain set (https://www.rfc-editor.org/rfc/rfc5652#section-5.4)."""
        return asn1.encode_der(self.signed)

    def signed_value(self, kind: ObjectIdentifier) -> asn1.TLV | None:
        """Return the one value of a signed attribute; None when it is not there. Raises MalformedCms when there are several."""
        return _only(self.signed.as_list(), kind)

    def unsigned_value(self, kind: ObjectIdentifier) -> asn1.TLV | None:
        """Do the same for an attribute that the signature does not cover."""
        return _only(self.unsigned.as_list() if self.unsigned else (), kind)


@asn1.sequence
class SignedData:
    """The signatures of one content, and certificates for them."""

    version: int
    digests: asn1.SetOf[Algorithm]
    content: ContentKind
    certificates: Annotated[asn1.SetOf[Certificate], asn1.Implicit(0)]
    signers: asn1.SetOf[Signer]


@asn1.sequence
class SignedMessage:
    """The outermost form."""

    kind: ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


def read_signed(der: bytes) -> SignedData:
    """Read a signature; raise MalformedCms."""
    try:
        message = asn1.decode_der(SignedMessage, der)
    except (ValueError, InvalidVersion) as error:
        raise MalformedCms(str(error)) from None
    if message.kind != SIGNED_DATA:
        raise MalformedCms("it is not a signature")
    return message.content


def certificate_of(signed: SignedData, signer: Signer) -> Certificate:
    """Return the one certificate that the signer names; raise MalformedCms."""
    wanted = (signer.certificate.serial, asn1.encode_der(signer.certificate.issuer))
    try:
        found = [one for one in signed.certificates.as_list() if (one.serial_number, one.issuer.public_bytes()) == wanted]
    except (ValueError, InvalidVersion) as error:
        raise MalformedCms(str(error)) from None
    if len(found) != 1:
        raise MalformedCms("the certificate of the signer is not in it exactly once")
    return found[0]


def _only(attributes: Iterable[Attribute], kind: ObjectIdentifier) -> asn1.TLV | None:
    found = [attribute.values.as_list() for attribute in attributes if attribute.kind == kind]
    if not found:
        return None
    if len(found) != 1 or len(found[0]) != 1:
        raise MalformedCms("an attribute is there more than once, or has several values")
    return found[0][0]
