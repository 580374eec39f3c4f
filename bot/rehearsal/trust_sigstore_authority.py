"""A small certificate authority for logins, with its log of certificates, as Fulcio is one (https://github.com/sigstore/fulcio).

A certificate lives ten minutes, names a login and where it was made, and carries the promise of the log to list it
(https://www.rfc-editor.org/rfc/rfc6962#section-3.2).
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from bot.rehearsal.trust_sigstore_certificates import certificate_of_authority, issued, root_authority, usage
from bot.rehearsal.trust_sigstore_log import public_der

_LIFE: Final = timedelta(minutes=10)
# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_OLD_ISSUER: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_PROMISES: Final = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


@dataclass(frozen=True, kw_only=True)
class CertificateAuthority:
    """An intermediate authority that issues, below a root; ``chain`` goes from the one to the other."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, x509.Certificate]
    log_key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls) -> "CertificateAuthority":
        """Make one with keys of its own."""
        root, root_key = root_authority("sigstore")
        key = ec.generate_private_key(ec.SECP384R1())
        builder = certificate_of_authority("sigstore-intermediate", key.public_key(), length=0)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        chain = (issued(builder, root, root_key), root)
        return cls(key=key, chain=chain, log_key=ec.generate_private_key(ec.SECP256R1()))

    def issue(self, key: ec.EllipticCurvePublicKey, identity: str, issuer: str, now: datetime) -> x509.Certificate:
        """Issue a certificate for a login; an identity with ``://`` in it is an address, any other is one of mail."""
        name = x509.UniformResourceIdentifier(identity) if "://" in identity else x509.RFC822Name(identity)
        start = now.astimezone(UTC).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.chain[0].subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + _LIFE)
            .add_extension(usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_OLD_ISSUER, issuer.encode()), critical=False)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, asn1.encode_der(issuer)), critical=False)
        )
        promised = self._promise(builder.sign(self.key, hashes.SHA384()).tbs_certificate_bytes, now)
        return builder.add_extension(x509.UnrecognizedExtension(_PROMISES, promised), critical=False).sign(self.key, hashes.SHA384())

    def _promise(self, content: bytes, now: datetime) -> bytes:
        """Return the extension in which the log of certificates promises to list what was issued."""
        moment = int(now.timestamp() * 1000)
        entry = sha256(public_der(self.key)).digest() + len(content).to_bytes(3, "big") + content
        signature = self.log_key.sign(struct.pack("!BBQH", 0, 0, moment, 1) + entry + b"\0\0", ec.ECDSA(hashes.SHA256()))
        promise = struct.pack("!B32sQHBBH", 0, sha256(public_der(self.log_key)).digest(), moment, 0, 4, 3, len(signature)) + signature
        return asn1.encode_der(struct.pack("!HH", len(promise) + 2, len(promise)) + promise)
