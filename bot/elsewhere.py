"""Look at what a release has outside of its list of files: its documentation, and its packages on NuGet."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.errors import Unavailable
from bot.release.facts import Finding, Severity
from bot.release.version import Version
from bot.services.docs import Docs
from bot.services.nuget import NuGet
from bot.verify.docs import PAGES, Documentation
from bot.verify.nuget import NuGetVisible
from bot.verify.result import NotProven, ProofName, Result

DOCUMENTATION: Final = "documentation"
NUGET: Final = "NuGet packages"
RULES: Final = (DOCUMENTATION, NUGET)
"""The rules of the findings that are made here."""


async def documentation(version: Version, docs: Docs, *, base: str = PAGES) -> Result:
    """Return whether a version's own page shows it and its archives are listed; raise Unavailable.

    ``base`` is where people read it, for what is told. Like a file, a page that is not there is not to be asked for again by the clock:
    the network in front of it remembers that it is missing.
    """
    proof = Documentation(version, base)
    if not proof.belongs_to(version):
        return Result.absent(str(version), ProofName.DOCS, "Only candidates and finals have documentation of their own.")
    # Both at once: where one is missing already, the other's silence must not have it asked for again.
    page, listing = await asyncio.gather(docs.page(str(version)), docs.listing(str(version)), return_exceptions=True)
    if isinstance(page, BaseException) or isinstance(listing, BaseException):
        return _half(version, proof, page, listing)
    try:
        return Result.of(str(version), ProofName.DOCS, proof.verify(page, listing))
    except NotProven as reason:
        return Result.of(str(version), ProofName.DOCS, reason)


def _half(version: Version, proof: Documentation, *found: object) -> Result:
    """Return that one of the two is missing and the other silent; raise what was raised where none is missing."""
    silence = next(one for one in found if isinstance(one, BaseException))
    gone = next((place for place, one in zip((proof.url, proof.folder), found, strict=True) if one is None), "")
    if not gone or not isinstance(silence, Unavailable):
        raise silence
    why = f"There is nothing at {gone}, and what else belongs to the documentation could not be read."
    return Result.of(str(version), ProofName.DOCS, NotProven(why))


async def packages(version: Version, names: Sequence[str], nuget: NuGet) -> tuple[Result, ...]:
    """Return whether everybody can fetch the packages of these names from NuGet; nothing where there are none. Raises Unavailable."""
    if not names:
        return ()
    listed = {name: await nuget.versions(name) for name in names}
    try:
        return (Result.of(str(version), ProofName.NUGET, NuGetVisible(packages=names, version=version).verify(listed)),)
    except NotProven as trouble:
        return (Result.of(str(version), ProofName.NUGET, trouble),)


def findings(results: Sequence[Result], *, check: str) -> tuple[Finding, ...]:
    """Return what people have to know before the push, and may take upon themselves."""
    rules = {ProofName.DOCS: DOCUMENTATION, ProofName.NUGET: NUGET}
    return tuple(_finding(one, rules[one.proof], check) for one in results if not one.verdict.good)


def _finding(result: Result, rule: str, check: str) -> Finding:
    advice = "Once it is there, say `/release retry publication`; or acknowledge that it follows later."
    subject = (result.why, *result.diagnostics)
    return Finding(check=check, rule=rule, severity=Severity.ACKNOWLEDGE, what=f"{result.why} {advice}", count=1, subject=subject)
