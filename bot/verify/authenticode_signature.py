"""Verify single Authenticode signatures: of a Windows program, and of a catalogue over other files.

How a program is digested and signed: https://learn.microsoft.com/en-us/windows-hardware/drivers/install/authenticode. signify verifies;
here it is told to be strict, and its answers are put into words. Revocation is not asked, because that needs the network.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any, BinaryIO, Final

from bot.verify.authenticode_policy import AuthenticodePolicy, Signature
from bot.verify.authenticode_program import SignedProgram
from bot.verify.authenticode_signify import (
    AuthenticodeSignature,
    AuthenticodeSignerInfo,
    Certificate,
    CertificateStore,
    CertificateTrustList,
    CertificateVerificationError,
    CounterSignerError,
    InvalidDigestError,
    RFC3161SignedData,
    SignerInfoVerificationError,
    VerificationContext,
    length_of_der,
)
from bot.verify.authenticode_stores import RootStores
from bot.verify.result import NotProven

STRONG: Final = frozenset({"sha256", "sha384", "sha512"})
"""What a signature and its timestamp may rest on; MD5 and SHA-1 can be forged."""

MAX_CERTIFICATES: Final = 10
MAX_NAMESAKES: Final = 2
"""So many certificates of one name may travel with a signature; with more, the search for a chain could be made endless."""

MAX_CATALOGUE: Final = 4 * 1024 * 1024
"""Bytes; the catalogue of a whole standard library has half a million."""

_LONGEST_TEXT: Final = 600

_ONE_AT_A_TIME: Final = Lock()
"""asn1crypto fills in what it has read when somebody first looks, also within roots that all share: two threads must not look at once."""


def verify_program(stream: BinaryIO, name: str, policy: AuthenticodePolicy, stores: RootStores) -> tuple[Signature, ...]:
    """Verify every signature of a program; raise NotProven for the first that is not good, or not the one that is expected."""
    with _ONE_AT_A_TIME:
        signed = SignedProgram(stream, name)
        found = []
        for number, signature in enumerate(signed.signatures, start=1):
            what = f"{name}, in signature {number} of {len(signed.signatures)}," if len(signed.signatures) > 1 else name
            with _readable(what):
                digest = _digest_that_fits(signed, signature, what)
                # Digests of single pages come last: only somebody who is trusted may say how many there are, and how long that takes.
                examined = _Examination(signature, name, what, stores, expected_hash=digest, verify_additional_hashes=False).verify()
                policy.check(examined)
                signed.program.verify_additional_hashes(signature.indirect_data)
            found.append(examined)
    return tuple(found)


def verify_catalogue(catalogue: bytes, listed: bytes, name: str, policy: AuthenticodePolicy, stores: RootStores) -> Signature:
    """Verify a catalogue's signature, and that it lists the digest of a file's bytes; raise NotProven otherwise.

    ``name`` is the catalogue's.
    """
    if len(catalogue) > MAX_CATALOGUE:
        raise NotProven(f"{name} is larger than any catalogue, so it was not read.", f"{len(catalogue)} bytes")
    with _ONE_AT_A_TIME, _readable(name):
        if length_of_der(catalogue) != len(catalogue):
            raise NotProven(f"{name} holds something after the signed catalogue, which nothing vouches for; do not use it.")
        signed = CertificateTrustList.from_envelope(catalogue)
        if not signed.is_catalog or signed.subject_algorithm().name not in STRONG:
            raise NotProven(f"{name} is no catalogue of SHA-256 digests; it must be one.", f"it is for {', '.join(signed.subject_usage)}")
        digest = hashlib.new(signed.subject_algorithm().name, listed).digest()
        subject = signed.find_subject(digest)
        if subject is None or subject.indirect_data is None or subject.indirect_data.digest != digest:
            why = f"{name} does not list this file, so the file is not signed or was changed; download both again, and do not use it."
            raise NotProven(why, f"the digest that it should list is {digest.hex()}")
        signature = _Examination(signed, name, name, stores).verify()
        policy.check(signature)
        return signature


def _digest_that_fits(signed: SignedProgram, signature: AuthenticodeSignature, what: str) -> bytes:
    """Return the digest of the program; raise NotProven when it is not the one that was signed."""
    content = signature.indirect_data
    if content.content_type != "microsoft_spc_pe_image_data":
        raise NotProven(f"{what} bears a signature for another kind of file; do not use it.", f"it is for {content.content_type}")
    algorithm = content.digest_algorithm
    if algorithm().name not in STRONG:
        raise _weak(what, "signature", algorithm().name)
    digest = signed.program.get_fingerprint(algorithm)
    if digest != content.digest:
        why = f"{what} is not what was signed: its digest does not fit the signature, so it was changed or damaged; do not use it."
        raise NotProven(why, f"signed was {algorithm().name} {content.digest.hex()}", f"the file has {digest.hex()}")
    return digest


class _Examination:
    """The examination of one signature, of a program or of a catalogue."""

    def __init__(
        self, signed: AuthenticodeSignature | CertificateTrustList, file: str, what: str, stores: RootStores, **known: bytes | bool
    ) -> None:
        """Take the signature.

        ``file`` is what it signs, ``what`` names the signature at the beginning of a sentence, and ``known`` is for signify alone.
        """
        self._signed, self._file, self._what, self._stores = signed, file, what, stores
        self._known: dict[str, Any] = {**known}

    def verify(self) -> Signature:
        """Return what the signature says once everything in it is proved."""
        info = self._info
        if info.digest_algorithm().name not in STRONG:
            raise _weak(self._what, "signature", info.digest_algorithm().name)
        certificates = self._bounded(self._signed.certificates)
        signer = self._signer(certificates)
        details = (f"the certificate is of {_plain(signer.subject.dn)}", f"issued by {_plain(signer.issuer.dn)}")
        signed_at, stamping = self._timestamp(certificates)
        if not signer.valid_from <= signed_at <= signer.valid_to:
            why = f"{self._what} was signed at a time at which its certificate was not valid; do not use it."
            life = f"{signer.valid_from:%Y-%m-%d %H:%M:%S} to {signer.valid_to:%Y-%m-%d %H:%M:%S}"
            raise NotProven(why, f"signed {signed_at:%Y-%m-%d %H:%M:%S}, valid {life}", *details)
        if "code_signing" not in _usages(signer, native=True):
            raise NotProven(f"{self._what} is signed with a certificate that is not for signing programs; do not use it.", *details)
        self._chained(signer, certificates, stamping, details)
        return Signature(
            file=self._file,
            common_name=_names(signer.subject.get_components("CN")),
            usages=_usages(signer, native=False),
            signed_at=signed_at,
            description=_plain(info.program_name or ""),
            issuer=_names(signer.issuer.get_components("CN")),
            serial=signer.serial_number,
        )

    @cached_property
    def _info(self) -> AuthenticodeSignerInfo:
        info = self._signed.signer_info
        if not isinstance(info, AuthenticodeSignerInfo):
            raise NotProven(f"{self._what} has a signature of another kind; do not use it.", type(info).__name__)
        return info

    def _bounded(self, certificates: CertificateStore) -> CertificateStore:
        """Refuse so many certificates that the search for a chain would not end."""
        names = Counter(one.subject.asn1.dump() for one in certificates)
        if names.total() > MAX_CERTIFICATES or max(names.values(), default=0) > MAX_NAMESAKES:
            why = f"{self._what} carries more certificates than any signature needs, so it was not verified; do not use it."
            raise NotProven(why, f"{names.total()} certificates")
        return certificates

    def _signer(self, certificates: CertificateStore) -> Certificate:
        """Return the certificate that signed; there must be exactly one that could have."""
        found = list(certificates.find_certificates(issuer=self._info.issuer, serial_number=self._info.serial_number))
        if len(found) != 1:
            why = f"{self._what} does not carry the certificate that signed it, so nobody can say whose signature it is; do not use it."
            raise NotProven(why, f"{len(found)} certificates fit")
        return found[0]

    def _timestamp(self, certificates: CertificateStore) -> tuple[datetime, CertificateStore]:
        """Return when it was signed, by the word of the timestamp, and the certificates of the timestamp; neither is verified yet."""
        stamp = self._info.countersigner
        signed_at = None if stamp is None else stamp.signing_time
        if stamp is None or signed_at is None:
            raise NotProven(f"{self._what} has no timestamp, so its signature ends with its certificate; it must be signed with one.")
        if not isinstance(stamp, RFC3161SignedData):
            if stamp.digest_algorithm().name not in STRONG:
                raise _weak(self._what, "timestamp", stamp.digest_algorithm().name)
            return signed_at, certificates
        for algorithm in (stamp.digest_algorithm().name, stamp.tst_info.hash_algorithm().name):
            if algorithm not in STRONG:
                raise _weak(self._what, "timestamp", algorithm)
        return signed_at, self._bounded(stamp.certificates)

    def _chained(self, signer: Certificate, certificates: CertificateStore, stamping: CertificateStore, details: tuple[str, ...]) -> None:
        """Raise NotProven unless signature and timestamp are sound and lead to trusted roots."""
        untrusted = f"{self._what} is signed by a certificate that does not lead to a trusted root; do not use it."
        try:
            chains = list(
                self._signed.verify(
                    verification_context=self._context(certificates, "code_signing"),
                    cs_verification_context=self._context(stamping, "time_stamping"),
                    **self._known,
                )
            )
        except CounterSignerError as error:
            why = f"{self._what} has a timestamp that is not good; do not use it." if self._rooted(certificates) else untrusted
            raise NotProven(why, _plain(str(error)), *details) from None
        except InvalidDigestError as error:
            raise NotProven(f"{self._what} has a signature that was changed; do not use it.", _plain(str(error)), *details) from None
        except SignerInfoVerificationError as error:
            why = f"{self._what} has a signature that the key of its certificate did not make; do not use it."
            raise NotProven(why, _plain(str(error)), *details) from None
        except CertificateVerificationError as error:
            raise NotProven(untrusted, _plain(str(error)), *details) from None
        if not chains or any(chain[-1] != signer or not self._stores.hold(chain[0]) for chain in chains):
            raise NotProven(untrusted, *details)

    def _rooted(self, certificates: CertificateStore) -> bool:
        """Tell whether the signature leads to a trusted root when its timestamp is left aside."""
        context = self._context(certificates, "code_signing")
        context.timestamp = self._timestamp(certificates)[0]
        try:
            self._signed.verify(verification_context=context, countersignature_mode="ignore", **self._known)
        except CertificateVerificationError:
            return False
        except SignerInfoVerificationError:
            return True  # whoever vouched, it is not the root that is at fault
        return True

    def _context(self, certificates: CertificateStore, usage: str) -> VerificationContext:
        """Return what may be used to build a chain, and what for."""
        return VerificationContext(
            *self._stores.named(certificates),
            certificates,
            key_usages=["digital_signature"],
            extended_key_usages=[usage],
            optional_eku=False,
            allow_legacy=False,
        )


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn whatever a reader of foreign bytes raises into one sentence."""
    try:
        yield
    except NotProven:
        raise
    except Exception as error:  # noqa: BLE001 - foreign bytes reach deep into the libraries
        why = f"{what} has a signature that cannot be read, so it is damaged or was changed; do not use it."
        raise NotProven(why, _plain(f"{type(error).__name__}: {error}")) from None


def _usages(certificate: Certificate, *, native: bool) -> tuple[str, ...]:
    """Return the extended key usages of a certificate, by signify's names where ``native``, otherwise as dotted numbers."""
    usages: Iterable[object] = certificate.asn1.extended_key_usage_value or ()
    return tuple(str(getattr(usage, "native" if native else "dotted")) for usage in usages)


def _weak(what: str, part: str, algorithm: str) -> NotProven:
    return NotProven(f"{what} has a {part} that rests on {algorithm.upper()}, which can be forged; it must be signed anew with SHA-256.")


def _names(names: Iterable[str]) -> str:
    """Return the names of one certificate; several are none that a policy could mean."""
    return " / ".join("".join(letter if letter.isprintable() else "?" for letter in name) for name in names)


def _plain(text: str) -> str:
    """Return a foreign text without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))[:_LONGEST_TEXT]
