"""The certificates of the small Sigstore's authorities (https://www.rfc-editor.org/rfc/rfc5280)."""

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when all of them count: before any moment that a world may stand at."""

_END: Final = datetime(2100, 1, 1, tzinfo=UTC)
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def root_authority(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make an authority that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP384R1())
    builder = certificate_of_authority(name, key.public_key(), length=1).issuer_name(_name(name))
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA384()), key


def certificate_of_authority(name: str, key: ec.EllipticCurvePublicKey, *, length: int) -> x509.CertificateBuilder:
    """Begin the certificate of an authority, below which there may be so many others."""
    builder = lasting(name, key).add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
    return builder.add_extension(usage("key_cert_sign", "crl_sign"), critical=True)


def lasting(name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """Begin a certificate that lasts as long as any world."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINNING)
        .not_valid_after(_END)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def issued(builder: x509.CertificateBuilder, issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Sign a certificate as this issuer."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.issuer_name(issuer.subject).add_extension(identifier, critical=False).sign(key, hashes.SHA384())


def usage(*wanted: str) -> x509.KeyUsage:
    """Return for what a key may be used."""
    return x509.KeyUsage(**{one: one in wanted for one in _USAGES})


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "rehearsal"), x509.NameAttribute(NameOID.COMMON_NAME, common)])
