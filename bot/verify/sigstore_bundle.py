"""Verify Sigstore bundles offline: that a certain person, by a certain login, signed the bytes with a certain digest, and when.

The format: https://docs.sigstore.dev/about/bundle/; who signs CPython: https://www.python.org/downloads/metadata/sigstore/. The digest is
given, so the file is not read again.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat import asn1
from cryptography.x509 import (
    Certificate,
    DuplicateExtension,
    ExtensionNotFound,
    ObjectIdentifier,
    OtherName,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    UnrecognizedExtension,
    UnsupportedGeneralNameType,
)
from sigstore.errors import CertValidationError, VerificationError
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.verify import policy
from sigstore_models.bundle.v1 import Bundle as Document
from sigstore_models.common.v1 import HashAlgorithm

from bot.verify.result import NotProven, Proven, Unusable
from bot.verify.sigstore_root import SigstoreRoot

LARGEST_BUNDLE: Final = 1 << 16
"""Bytes; a bundle of CPython has 5 to 6 kilobytes, and one with time stamps not much more."""

_DIGEST: Final = 32
_LONGEST: Final = 200
# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_ISSUER: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_OLD_ISSUER: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")

_UNREADABLE: Final = (ExtensionNotFound, DuplicateExtension, UnsupportedGeneralNameType, ValueError)
_FAULTS: Final = (
    ("not valid at validation time", "the certificate was not valid at the time that is recorded for the signature"),
    ("failed to build timestamp certificate chain", "its certificate was not issued by the trusted certificate authority"),
    ("failed to verify SCT", "its certificate is not in the trusted log of certificates"),
    ("not enough sources of verified time", "nothing that is trusted says when it was made"),
    ("no Timestamp Authorities", "its time stamp is by nobody who is trusted"),
    ("invalid signing cert: expired", "its certificate had expired when it was signed"),
    ("invalid log entry", "its entry in the log of signatures is not genuine"),
    ("transparency log entry is inconsistent", "its entry in the log of signatures is one of another signature"),
)
"""How the library begins or describes a fault, and what that is in plain words."""


@dataclass(frozen=True, kw_only=True, order=True)
class OidcIdentity:
    """A login by OpenID Connect: who it is, mostly a mail address, and the address of the provider who vouches for that."""

    identity: str
    issuer: str

    def __post_init__(self) -> None:
        """Refuse half a login: the library would take a missing issuer for any issuer at all."""
        if not self.identity or not self.issuer:
            raise ValueError("A login needs both an identity and an issuer.")

    def __str__(self) -> str:
        """Return the login for people."""
        return f"{plain(self.identity)} (logged in at {plain(self.issuer)})"


class SigstoreBundle:
    """Proves that the bytes with a digest were signed by one login."""

    def __init__(self, root: SigstoreRoot | bytes | Path | None = None, *, identity: str, issuer: str) -> None:
        """Trust this root (None: the public instance's, as the pinned library ships it) and expect this login, both halves of it.

        Raises RootUnusable, and ValueError for half a login.
        """
        self._root = SigstoreRoot.of(root)
        self._expected = (OidcIdentity(identity=identity, issuer=issuer),)

    @property
    def root_sha256(self) -> str:
        """The SHA-256 of the trusted root's document."""
        return self._root.sha256

    def verify(self, bundle: bytes, sha256: str) -> Proven:
        """Prove it from the bundle's JSON and the file's SHA-256 in hexadecimal; this blocks for some milliseconds.

        Raises Unusable for what is not a bundle or lacks a part, NotProven for a bundle that does not prove it, ValueError for what is not
        a SHA-256.
        """
        return prove(self._root, bundle, sha256, self._expected)


def prove(root: SigstoreRoot, bundle: bytes, sha256: str, expected: Collection[OidcIdentity]) -> Proven:
    """Do what SigstoreBundle.verify does, where any of several logins may sign; none of an empty collection may."""
    digest = bytes.fromhex(sha256)
    if len(digest) != _DIGEST:
        raise ValueError("A SHA-256 has 64 hexadecimal digits.")
    opened = _Opened.read(bundle)
    try:
        opened.check(root, digest, expected)
    except _Other as other:
        raise NotProven(_whose(other.signer, expected), *opened.diagnostics()) from None
    except Exception as error:  # noqa: BLE001 - the library, and those below it, refuse altered bundles in many ways
        raise NotProven(opened.fault(root, digest, expected, error), *opened.diagnostics(error)) from None
    signer = signer_of(opened.bundle.signing_certificate)
    why = f"It was signed by {signer}" + (f" on {opened.time:%Y-%m-%d}." if opened.time else ".")
    return Proven(why=why, signer=signer.identity, diagnostics=opened.diagnostics())


class _Other(VerificationError):
    """The certificate is genuine, but somebody else's."""

    def __init__(self, signer: OidcIdentity) -> None:
        super().__init__("another identity")
        self.signer = signer


class _AnyOf:
    """A policy in the sense of the library, which asks it only after it has verified the certificate itself."""

    def __init__(self, expected: Collection[OidcIdentity]) -> None:
        self._policy = policy.AnyOf([policy.Identity(identity=one.identity, issuer=one.issuer) for one in expected])

    def verify(self, cert: Certificate) -> None:
        """Raise _Other unless the certificate is of one of those who are expected."""
        try:
            self._policy.verify(cert)
        except (VerificationError, ExtensionNotFound, UnicodeDecodeError):
            raise _Other(signer_of(cert)) from None


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A bundle twice: as the library verifies it, and as the plain document for what people want to know of it."""

    bundle: Bundle
    document: Document
    signed: bytes
    """The digest that the bundle says it is of; empty where it says none."""

    @classmethod
    def read(cls, content: bytes) -> "_Opened":
        """Read the JSON; raise Unusable."""
        if len(content) > LARGEST_BUNDLE:
            raise Unusable(f"The bundle has more than {LARGEST_BUNDLE} bytes, so it is not read; a Sigstore bundle has some thousands.")
        try:
            document = Document.from_json(content)
        except (ValueError, RecursionError) as error:
            raise Unusable("It cannot be read as a Sigstore bundle: it is cut off, altered or something else.", _said(error)) from None
        if not all(entry.inclusion_proof.checkpoint for entry in document.verification_material.tlog_entries):
            raise Unusable(
                "The bundle lacks the log's checkpoint, as those from before the migration of September 2024 do; "
                "it proves nothing either way until it is replaced by its migrated form."
            )
        if document.message_signature is None:
            raise Unusable("The bundle holds a signed statement instead of the signature of a file.")
        try:
            bundle = Bundle.from_json(content)
        except Exception as error:  # noqa: BLE001 - certificates and time stamps are refused by other libraries in many ways
            raise Unusable("The Sigstore bundle lacks a part or holds one that cannot be read.", _said(error)) from None
        hashed = document.message_signature.message_digest
        of_sha256 = hashed is not None and hashed.algorithm is HashAlgorithm.SHA2_256 and len(hashed.digest) == _DIGEST
        return cls(bundle=bundle, document=document, signed=hashed.digest if hashed and of_sha256 else b"")

    def check(self, root: SigstoreRoot, digest: bytes, expected: Collection[OidcIdentity]) -> None:
        """Verify by the library; raises whatever it raises."""
        root.verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest), self.bundle, _AnyOf(expected))

    def fault(self, root: SigstoreRoot, digest: bytes, expected: Collection[OidcIdentity], error: Exception) -> str:
        """Say in one sentence why the bundle does not prove it."""
        if self.signed and self.signed != digest and self._holds_for_its_own(root, expected):
            return (
                f"The bundle is genuine, but of other bytes, those with the SHA-256 {self.signed.hex()}: it was swapped, or the file was."
            )
        said = str(error)
        for start, words in _FAULTS:
            if start in said and isinstance(error, VerificationError | CertValidationError):
                return f"The signature does not hold: {words}."
        return "The signature does not hold: it does not fit the bytes; it or they were altered."

    def _holds_for_its_own(self, root: SigstoreRoot, expected: Collection[OidcIdentity]) -> bool:
        try:
            self.check(root, self.signed, expected)
        except Exception:  # noqa: BLE001 - see prove
            return False
        return True

    @property
    def time(self) -> datetime | None:
        """When the log or a time stamper saw the signature; only to be believed of a verified bundle.

        Only its promise binds the log to its time; of several time stamps one that is genuine is enough for the library, so none is told.
        """
        entry = self.document.verification_material.tlog_entries[0]
        try:
            if entry.integrated_time and entry.inclusion_promise:
                return datetime.fromtimestamp(entry.integrated_time, UTC)
            data = self.bundle.verification_material.timestamp_verification_data
            stamps = data.rfc3161_timestamps if data else []
            return stamps[0].tst_info.gen_time if len(stamps) == 1 else None
        except (ValueError, OverflowError, OSError, VerificationError):
            return None

    def diagnostics(self, error: Exception | None = None) -> tuple[str, ...]:
        """Return what the bundle says of itself, line by line, and what the library said."""
        return tuple(self._lines(error))

    def _lines(self, error: Exception | None) -> Iterator[str]:
        signer, time = signer_of(self.bundle.signing_certificate), self.time
        yield f"certificate of {plain(signer.identity)}"
        yield f"issuer {plain(signer.issuer)}"
        yield f"log index {self.document.verification_material.tlog_entries[0].log_index}"
        if time:
            yield f"integrated {time:%Y-%m-%d %H:%M:%S} UTC"
        if self.signed:
            yield f"of SHA-256 {self.signed.hex()}"
        if error:
            yield _said(error)


def signer_of(certificate: Certificate) -> OidcIdentity:
    """Return whose certificate it says it is, with a question mark for what it does not say."""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        found = [*names.get_values_for_type(RFC822Name), *names.get_values_for_type(UniformResourceIdentifier)]
        found += [_text(name.value) for name in names.get_values_for_type(OtherName)]
    except _UNREADABLE:
        found = []
    issuers = [text for oid in (_OLD_ISSUER, _ISSUER) if (text := _extension(certificate, oid))]
    return OidcIdentity(identity=", ".join(found) or "?", issuer=next(iter(issuers), "?"))


def _extension(certificate: Certificate, oid: ObjectIdentifier) -> str:
    """Return the text of an extension: the older one holds it bare, the newer one as a string of ASN.1."""
    try:
        extension = certificate.extensions.get_extension_for_oid(oid).value
    except _UNREADABLE:
        return ""
    raw = extension.value if isinstance(extension, UnrecognizedExtension) else b""
    return raw.decode(errors="replace") if oid == _OLD_ISSUER else _text(raw)


def _text(raw: bytes) -> str:
    try:
        return asn1.decode_der(str, raw)
    except ValueError:
        return ""


def _whose(signer: OidcIdentity, expected: Collection[OidcIdentity]) -> str:
    """Say whose certificate it is instead of whose it should be."""
    if any(one.identity == signer.identity for one in expected):
        wanted = " or ".join(plain(one.issuer) for one in sorted(expected) if one.identity == signer.identity)
        return f"It was signed by {plain(signer.identity)}, but logged in at {plain(signer.issuer)}, not at {wanted}."
    if not expected:
        return f"It was signed by {signer}, but nobody's login is allowed to sign it."
    return f"It was signed by {signer}, not by {' or '.join(str(one) for one in sorted(expected))}."


def _said(error: Exception) -> str:
    """Return what a library said, short and on one line."""
    return plain(f"{type(error).__name__}: {error}")


def plain(text: str) -> str:
    """Return text of others so that it can stand in a line."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(character if character.isprintable() else " " for character in short)
