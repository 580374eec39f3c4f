"""Prove that the Windows files of a release bear the signatures that they must have.

What is proved: every signature of a file is good, by whom and when it was signed, and that nothing was changed since. Whoever wants more,
compares what the signer says that it is (``descriptions``) with the tag. What cannot be proved here: the signatures within .msi, .msix and
.pkg files, for which there are only digests and Sigstore; and whether a certificate was revoked, which needs the network.

A file that is cut short, or no Windows program although it should be one, counts as failed and not as unusable, because it is not what the
release has; unusable are kinds of files that cannot be read here, and files that this machine cannot give.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from bot.verify.authenticode_policy import AuthenticodePolicy, AuthenticodeProven, Signature, named_like
from bot.verify.authenticode_roots import Roots
from bot.verify.authenticode_zip import Member, ZipLimits, members
from bot.verify.result import NotProven, Unusable

__all__ = ["Authenticode", "AuthenticodePolicy", "AuthenticodeProven", "Roots", "Signature", "ZipLimits"]

UNREADABLE: Final = ("*.msi", "*.msix", "*.msixbundle", "*.msixupload", "*.appx", "*.pkg", "*.cab")
"""Kinds of files that bear signatures, but in ways that are not verified here."""

_MOST_NAMES: Final = 12


class Authenticode:
    """Verifies Windows files against roots and a policy."""

    def __init__(self, roots: Roots, policy: AuthenticodePolicy, *, limits: ZipLimits | None = None) -> None:
        """Trust the roots, and expect what the policy says."""
        self._roots = roots
        self._policy = policy
        self._limits = limits or ZipLimits()

    def verify(self, content: Path | bytes, name: str = "") -> AuthenticodeProven:
        """Verify a Windows program, such as an installer; ``name`` decides what the policy expects, and is the path's where it is empty.

        Raises NotProven, Unusable, and OpenSSLMissing, which is a UserError. This blocks for some milliseconds, and some tenths of a second
        at first.
        """
        name = _name(content, name)
        if named_like(name, UNREADABLE):
            raise Unusable(f"The signature within {name} cannot be verified here; its digest and its Sigstore bundle vouch for it alone.")
        with _opened(content, name) as stream:
            signatures = self._program(stream, name)
        when = max(signature.signed_at for signature in signatures)
        signer = signatures[0].common_name
        return self._proven(f"{name} was signed by {signer} on {when:%Y-%m-%d}, and not changed since.", signer, signatures)

    def verify_zip(self, content: Path | bytes, name: str = "") -> AuthenticodeProven:
        """Verify all Windows programs in an embeddable zip file; the diagnostics name what no signature covers.

        Raises as ``verify`` does; NotProven names every program that is not good.
        """
        name = _name(content, name)
        verified = _Verified()
        with _opened(content, name) as stream:
            for member in members(stream, name, self._limits):
                self._member(member, verified)
        if verified.faults:
            why = f"In {name}, {verified.faults[0].why}"
            if len(verified.faults) > 1:
                why = f"{len(verified.faults)} of the programs in {name} are not as they must be; the first: {verified.faults[0].why}"
            raise NotProven(why, *(line for fault in verified.faults for line in (fault.why, *fault.diagnostics)))
        if not verified.signatures:
            raise NotProven(f"{name} holds no Windows program; an embeddable zip file must hold python.exe.")
        signer = self._policy.common_name
        count = len({signature.file for signature in verified.signatures})
        why = f"All programs in {name} ({count}) bear the signatures that they must, and were not changed since."
        return self._proven(why, signer, tuple(verified.signatures), _uncovered(verified.uncovered))

    def verify_catalogue(self, catalogue: bytes, index: bytes, name: str = "index-windows.json.cat") -> AuthenticodeProven:
        """Verify the install manager's catalogue over its index; ``name`` is the catalogue's.

        The install manager asks the same: https://github.com/python/pymanager. Raises as ``verify`` does.
        """
        from bot.verify.authenticode_signature import verify_catalogue  # noqa: PLC0415 - signify is loaded only when there is a signature
        from bot.verify.authenticode_stores import stores_of  # noqa: PLC0415 - the same

        signature = verify_catalogue(catalogue, index, name, self._policy, stores_of(self._roots))
        why = f"{name}, signed by {signature.common_name} on {signature.signed_at:%Y-%m-%d}, lists the index exactly as it is."
        return self._proven(why, signature.common_name, (signature,))

    def _member(self, member: Member, verified: "_Verified") -> None:
        """Verify one member of a zip file, and keep how that ended."""
        if member.program is None or named_like(member.name, self._policy.unsigned):
            verified.uncovered.append(member.name)
            return
        try:
            verified.signatures += self._program(BytesIO(member.program), member.name)
        except NotProven as fault:
            verified.faults.append(fault)

    def _program(self, stream: BinaryIO, name: str) -> tuple[Signature, ...]:
        from bot.verify.authenticode_signature import verify_program  # noqa: PLC0415 - signify is loaded only when there is a signature
        from bot.verify.authenticode_stores import stores_of  # noqa: PLC0415 - the same

        return verify_program(stream, name, self._policy, stores_of(self._roots))

    def _proven(self, why: str, signer: str, signatures: tuple[Signature, ...], *more: str) -> AuthenticodeProven:
        own = [signature for signature in signatures if self._policy.is_own(signature.file)]
        return AuthenticodeProven(
            why=why,
            signer=signer,
            diagnostics=(*(signature.in_words for signature in signatures), *(line for line in more if line)),
            signatures=signatures,
            descriptions=frozenset(signature.description for signature in own),
        )


class _Verified:
    """What was found in a zip file."""

    def __init__(self) -> None:
        self.signatures: list[Signature] = []
        self.faults: list[NotProven] = []
        self.uncovered: list[str] = []


def _uncovered(names: list[str]) -> str:
    """Return which files no signature covers, in words."""
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}: covered by the digest and the Sigstore bundle of the zip file only"


def _name(content: Path | bytes, name: str) -> str:
    if name:
        return name
    return content.name if isinstance(content, Path) else "the file"


@contextmanager
def _opened(content: Path | bytes, name: str) -> Iterator[BinaryIO]:
    """Open what is to be verified; raise Unusable when this machine cannot give it."""
    if isinstance(content, bytes):
        yield BytesIO(content)
        return
    try:
        stream = content.open("rb")
    except OSError as error:
        raise Unusable(f"{name} cannot be read from this machine ({error.strerror}), so its signature was not verified.") from None
    with stream:
        yield stream
