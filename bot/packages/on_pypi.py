"""Compare what PyPI has of a package with what was built, and see who owns it there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from bot.release.facts import BuiltFile, Finding, Severity
from bot.release.model import Release
from bot.release.version import Version as ReleaseVersion
from bot.services.pypi import Project, PublishedFile
from bot.tools import Tools

BUILDER: Final = "package-build"
"""The step whose files have to be there."""

_OWNER: Final = "owner"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What PyPI has of the version: what ``differs`` from what was built, in whole sentences, and which built files are ``missing``."""

    files: tuple[PublishedFile, ...]
    differs: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Tell whether exactly the files that were built are there."""
        return not self.differs and not self.missing


def page(version: ReleaseVersion) -> str:
    """Return where everybody finds a version: https://docs.pypi.org/."""
    return f"https://pypi.org/project/{version.package}/{version.number}/"


def compare(built: Sequence[BuiltFile], published: Sequence[PublishedFile]) -> Seen:
    """Compare every file by its name, its size and its hash; whatever else is there differs as well."""
    wanted, there = {file.name: file for file in built}, {file.name: file for file in published}
    differs = [sentence for name in sorted(there) for sentence in _differences(there[name], wanted.get(name))]
    missing = tuple(sorted(wanted.keys() - there.keys()))
    return Seen(files=tuple(published), differs=tuple(differs), missing=missing)


def _differences(published: PublishedFile, built: BuiltFile | None) -> Iterator[str]:
    if built is None:
        yield f"{published.name} is on PyPI and was not built."
        return
    if published.sha256 != built.sha256:
        yield f"{published.name} on PyPI has the SHA-256 {published.sha256}, and was built with {built.sha256}."
    if published.size is not None and built.size is not None and published.size != built.size:
        yield f"{published.name} on PyPI has {published.size} bytes, and was built with {built.size}."
    if published.yanked:
        yield f"{published.name} was yanked on PyPI."


async def look(release: Release, tools: Tools) -> Seen:
    """Read what PyPI has of the version now; raise Unavailable."""
    built = release.build(BUILDER)
    project = await tools.pypi.project(release.version.package)
    published = project.of(release.version.number) if project else ()
    return compare(built.files if built else (), published)


async def findings_before(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return what PyPI says against releasing the version: that it is there already, or that somebody has to see to its owner."""
    version, project = release.version, await tools.pypi.project(release.version.package)
    there = project.of(version.number) if project else ()
    if there:
        what = f"PyPI has {there[0].name} already, and no file is ever replaced there: take the next version."
        return (Finding(check="pypi", rule="spent", severity=Severity.WAIVER, what=what, subject=tuple(file.name for file in there)),)
    return await _owner_before(release, project, tools)


async def _owner_before(release: Release, project: Project | None, tools: Tools) -> tuple[Finding, ...]:
    owner, name = tools.profile.package.owner if tools.profile.package else "", release.version.package
    if not owner:
        return ()
    if project is None or not project.versions - {Version(release.version.number)}:
        what = (
            f"This is the first release of {name}: whoever uploads it owns the project on PyPI, and {owner} has to be among its owners. "
            "See that the account of the pipeline is the right one."
        )
        return (Finding(check="pypi", rule=_OWNER, severity=Severity.ACKNOWLEDGE, what=what, subject=(name, owner)),)
    return await owner_findings(release, tools)


async def owner_findings(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return that the project on PyPI is not owned as the profile wants it, where PyPI tells; raise Unavailable."""
    owner, name = tools.profile.package.owner if tools.profile.package else "", release.version.package
    told = await tools.pypi.ownership(name) if owner else None
    if told is None or told.has(owner):
        return ()
    owners = ", ".join(sorted(told.owners)) or told.organization
    what = f"{owner} is not among the owners of {name} on PyPI, who are {owners}: one of them has to invite it."
    return (Finding(check="pypi", rule=_OWNER, severity=Severity.ACKNOWLEDGE, what=what, subject=(name, owner)),)
