"""Look at what a release has outside of its list of files: its documentation, and its packages on NuGet."""

from collections.abc import Sequence
from typing import Final

from bot.profile_types import StepName
from bot.release.facts import Finding, Severity
from bot.release.model import Release
from bot.release.version import Version
from bot.services.docs import Docs
from bot.tools import Tools
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
    page, listing = await docs.page(str(version)), await docs.listing(str(version))
    try:
        return Result.of(str(version), ProofName.DOCS, proof.verify(page, listing))
    except NotProven as reason:
        return Result.of(str(version), ProofName.DOCS, reason)


async def packages(release: Release, tools: Tools) -> tuple[Result, ...]:
    """Return whether everybody can fetch its packages from NuGet; nothing for a release that has none. Raises Unavailable."""
    names = tools.profile.series_of(release.version).nuget
    if not names or not release.has_step(StepName.WINDOWS_PUBLISH):
        return ()
    listed = {name: await tools.nuget.versions(name) for name in names}
    try:
        outcome = NuGetVisible(packages=names, version=release.version).verify(listed)
    except NotProven as trouble:
        return (Result.of(release.version.tag_message, ProofName.NUGET, trouble),)
    return (Result.of(release.version.tag_message, ProofName.NUGET, outcome),)


def findings(results: Sequence[Result], *, check: str) -> tuple[Finding, ...]:
    """Return what people have to know before the push, and may take upon themselves."""
    rules = {ProofName.DOCS: DOCUMENTATION, ProofName.NUGET: NUGET}
    return tuple(_finding(one, rules[one.proof], check) for one in results if not one.verdict.good)


def _finding(result: Result, rule: str, check: str) -> Finding:
    advice = "Once it is there, say `/release retry publication`; or acknowledge that it follows later."
    subject = (result.why, *result.diagnostics)
    return Finding(check=check, rule=rule, severity=Severity.ACKNOWLEDGE, what=f"{result.why} {advice}", count=1, subject=subject)
