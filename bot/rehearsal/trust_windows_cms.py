"""The signed structures of a small Windows signing service, written out by hand: certificates, timestamps and catalogues.

Cryptographic Message Syntax: https://www.rfc-editor.org/rfc/rfc5652. Timestamps: https://www.rfc-editor.org/rfc/rfc3161. What Microsoft
adds: https://learn.microsoft.com/en-us/windows-hardware/drivers/install/authenticode and
https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-caeso/.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from asn1crypto import core, parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TIMESTAMP: Final = "1.3.6.1.4.1.311.3.3.1"
NESTED: Final = "1.3.6.1.4.1.311.2.4.1"
"""The attributes that hold a timestamp, and a further signature."""

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TIMESTAMP_CONTENT: Final = "1.2.840.113549.1.9.16.1.4"
_CATALOGUE_CONTENT: Final = "1.3.6.1.4.1.311.10.1"
_CATALOGUE: Final = "1.3.6.1.4.1.311.12.1.1"
_CATALOGUE_MEMBER: Final = "1.3.6.1.4.1.311.12.1.3"
_MEMBER_INFORMATION: Final = "1.3.6.1.4.1.311.12.2.3"
_INDIRECT_DATA: Final = "1.3.6.1.4.1.311.2.1.4"
_FLAT_FILE: Final = "1.3.6.1.4.1.311.2.1.25"
_DESCRIPTION: Final = "1.3.6.1.4.1.311.2.1.12"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
_STAMPING_POLICY: Final = "1.3.6.1.4.1.13762.3"
"""Any number will do for the policy of a timestamp; this one stands in the examples of OpenSSL's ``ts`` command."""

_LIFE_OF_ROOT: Final = timedelta(days=3650)
_SEQUENCE: Final = 16
_SET: Final = 17


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def root(cls, name: str, *, born: datetime) -> "Signer":
        """Make a root that trusts itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, key, born, born + _LIFE_OF_ROOT).issuer_name(_name(name))
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate=certificate, key=key)

    def issue(self, name: str, usages: tuple[str, ...], *, born: datetime, life: timedelta) -> "Signer":
        """Issue a certificate for some usages, given as dotted numbers."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, key, born, born + life).issuer_name(self.certificate.subject)
        if usages:
            stamps = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string in usages
            builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage) for usage in usages]), critical=stamps)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Signer(certificate=certificate, key=key)

    @property
    def certificate_pem(self) -> bytes:
        """Give the certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Give the key in PEM, not encrypted."""
        plain = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


@dataclass(frozen=True, kw_only=True)
class LooseSignature:
    """A signature taken apart as it is, so that what it does not cover can be exchanged; all parts are in DER.

    Only places are read and no meaning, because asn1crypto writes names that others have taught it since it first looked.
    """

    content: tuple[bytes, ...]
    certificates: tuple[bytes, ...]
    signer: tuple[bytes, ...]
    value: bytes
    attributes: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, signature: bytes) -> "LooseSignature":
        """Take apart a ContentInfo with one signer, whatever follows it."""
        version, digests, content, certificates, signers = _parts(_parts(_parts(signature)[1])[0])
        fields = _parts(_parts(signers)[0])
        attributes = tuple(_parts(fields[6])) if fields[6:] else ()
        return cls(
            content=(version, digests, content),
            certificates=tuple(_parts(certificates)),
            signer=tuple(fields[:5]),
            value=parser.parse(fields[5])[4],
            attributes=attributes,
        )

    def bearing(self, kind: str, value: bytes) -> "LooseSignature":
        """Return the signature with one more attribute that it does not cover."""
        return replace(self, attributes=(*self.attributes, _attribute(kind, value)))

    def whole(self) -> bytes:
        """Put it together again."""
        unsigned = _retagged(1, _set(*self.attributes)) if self.attributes else b""
        signer = _sequence(*self.signer, core.OctetString(self.value).dump(), unsigned)
        certificates = parser.emit(2, 1, 0, b"".join(self.certificates))
        data = _sequence(*self.content, certificates, _set(signer))
        return _sequence(_oid(_SIGNED_DATA), parser.emit(2, 1, 0, data))


def timestamp(signature: bytes, signer: Signer, *, at: datetime) -> bytes:
    """Return a timestamp over a signature, as a ContentInfo in DER."""
    digest = _sequence(_algorithm(_SHA256), core.OctetString(hashlib.sha256(signature).digest()).dump())
    serial = core.Integer(x509.random_serial_number()).dump()
    moment = core.GeneralizedTime(at.astimezone(UTC).replace(microsecond=0)).dump()
    content = _sequence(core.Integer(1).dump(), _oid(_STAMPING_POLICY), digest, serial, moment)
    wrapped = core.OctetString(content).dump()
    return _signed_data(3, _TIMESTAMP_CONTENT, wrapped, content, signer).whole()


def catalogue(files: tuple[bytes, ...], signer: Signer, stamper: Signer, *, description: str, at: datetime) -> bytes:
    """Return a signed catalogue that lists the SHA-256 digests of files of any kind, as a ContentInfo in DER."""
    content = b"".join(
        (
            _sequence(_oid(_CATALOGUE)),
            core.OctetString(hashlib.sha256(b"".join(files)).digest()[:16]).dump(),
            core.UTCTime(at.astimezone(UTC).replace(microsecond=0)).dump(),
            _algorithm(_CATALOGUE_MEMBER),
            _sequence(*(_listed(hashlib.sha256(file).digest()) for file in files)),
        )
    )
    text = parser.emit(2, 0, 0, description.encode("utf-16-be"))
    said = _attribute(_DESCRIPTION, _sequence(parser.emit(2, 1, 0, text)))
    signed = _signed_data(1, _CATALOGUE_CONTENT, _sequence(content), content, signer, said)
    return signed.bearing(TIMESTAMP, timestamp(signed.value, stamper, at=at)).whole()


def _listed(digest: bytes) -> bytes:
    """Return one line of a catalogue."""
    no_link = parser.emit(2, 1, 2, parser.emit(2, 0, 0, b""))
    indirect = _sequence(_sequence(_oid(_FLAT_FILE), no_link), _sequence(_algorithm(_SHA256), core.OctetString(digest).dump()))
    attributes = (_attribute(_MEMBER_INFORMATION, parser.emit(2, 0, 2, b"")), _attribute(_INDIRECT_DATA, indirect))
    return _sequence(core.OctetString(digest).dump(), _set(*attributes))


def _signed_data(
    version: int,
    content_type: str,
    wrapped: bytes,
    content: bytes,
    signer: Signer,
    *attributes: bytes,
) -> LooseSignature:
    """Sign ``content``, which stands in the structure as ``wrapped``; ``attributes`` are signed as well."""
    digest = core.OctetString(hashlib.sha256(content).digest()).dump()
    signed = _set(_attribute(_CONTENT_TYPE, _oid(content_type)), _attribute(_MESSAGE_DIGEST, digest), *attributes)
    signature = signer.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    issued = _sequence(signer.certificate.issuer.public_bytes(), core.Integer(signer.certificate.serial_number).dump())
    return LooseSignature(
        content=(
            core.Integer(version).dump(),
            _set(_algorithm(_SHA256)),
            _sequence(_oid(content_type), parser.emit(2, 1, 0, wrapped)),
        ),
        certificates=(signer.certificate.public_bytes(serialization.Encoding.DER),),
        signer=(core.Integer(1).dump(), issued, _algorithm(_SHA256), _retagged(0, signed), _sequence(_oid(_ECDSA_SHA256))),
        value=signature,
    )


def _builder(name: str, key: ec.EllipticCurvePrivateKey, born: datetime, ends: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(born)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(name: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "US"), (NameOID.ORGANIZATION_NAME, name), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def _algorithm(dotted: str) -> bytes:
    return _sequence(_oid(dotted), core.Null().dump())


def _attribute(dotted: str, value: bytes) -> bytes:
    return _sequence(_oid(dotted), _set(value))


def _sequence(*parts: bytes) -> bytes:
    return bytes(parser.emit(0, 1, _SEQUENCE, b"".join(parts)))


def _set(*parts: bytes) -> bytes:
    return bytes(parser.emit(0, 1, _SET, b"".join(sorted(parts))))


def _parts(whole: bytes) -> list[bytes]:
    """Return what a structure is made of."""
    content, parts = parser.parse(whole)[4], []
    while content:
        length = parser.peek(content)
        parts.append(content[:length])
        content = content[length:]
    return parts


def _retagged(tag: int, whole: bytes) -> bytes:
    """Return a set under the tag that it has within a structure."""
    return bytes(parser.emit(2, 1, tag, parser.parse(whole)[4]))
