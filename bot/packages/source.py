"""Read from the repository, at one commit, how a package is built and released: its folder, its pipeline, and what has to be right."""

import asyncio
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from bot.errors import UserError
from bot.packages import rules
from bot.packages.rules import Artifact, Unfit
from bot.profile.package import Package, PackagePipeline, fill
from bot.release.facts import Finding
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.services.git import EMPTY_TREE
from bot.tools import Tools


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a package lies: its folder and its service; ``ci`` is the path of its pipeline's source, ``paths`` are those of its files."""

    folder: str
    service: str
    ci: str
    paths: frozenset[str]


_LAYOUTS: Final[LRUCache[tuple[str, str, str, str], Layout]] = LRUCache(maxsize=64)
"""What was found before: a commit never changes, and the repository has a hundred thousand files, which are not listed at every look."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The package as its pipeline knows it: the service, its own entry in the list of artifacts, and the whole list."""

    service: str
    artifact: Artifact
    artifacts: tuple[Artifact, ...]


def policy_of(tools: Tools) -> tuple[Package, PackagePipeline]:
    """Return what the profile says about packages and their pipeline; raise UserError where it says nothing."""
    policy = tools.profile.package
    if policy is None or policy.pipeline is None:
        raise UserError("The profile says nothing about packages: add the tables [package] and [package.pipeline] to it.")
    return policy, policy.pipeline


async def layout(release: Release, commit: CommitId, tools: Tools) -> Layout:
    """Return where the package of a release lies at a commit; raise Unfit where that is not exactly one folder."""
    policy, _ = policy_of(tools)
    key = (release.repository, commit, release.version.package, policy.folder + policy.ci_file)
    if key not in _LAYOUTS:
        _LAYOUTS[key] = await _layout(release, commit, policy, tools)
    return _LAYOUTS[key]


async def _layout(release: Release, commit: CommitId, policy: Package, tools: Tools) -> Layout:
    package = release.version.package
    await tools.git.fetch(release.repository, [commit])
    paths = frozenset(entry.path for entry in await tools.git.diff(EMPTY_TREE, commit))
    found = rules.places_in(paths, policy.folder, package)
    wanted = policy.folder.replace("{package}", package)
    if len(found) != 1:
        there = f"are {', '.join(found)}, of which only one may be" if found else "is no such folder"
        raise Unfit(
            f"A package is looked for in {wanted}, and at {commit} there {there}: check the name {package}, or mend {release.branch}."
        )
    service = rules.service_of(found[0], policy.folder, package)
    ci = f"{rules.service_folder(found[0], policy.folder, package)}/{policy.ci_file}"
    if ci not in paths:
        raise Unfit(f"There is no {ci} at {commit}, so no pipeline releases {package}: add it to {release.branch}.")
    inside = frozenset(path for path in paths if path.startswith(f"{found[0]}/"))
    return Layout(folder=found[0], service=service, ci=ci, paths=inside)


async def artifacts(release: Release, commit: CommitId, where: Layout, tools: Tools) -> tuple[Artifact, ...]:
    """Return the list of artifacts at a commit; raise Unfit where it cannot be read."""
    source = (await tools.git.fetch_files(release.repository, commit, where.ci)).get(where.ci)
    if source is None:
        raise Unfit(f"{where.ci} is no file at {commit}, so no pipeline releases {release.version.package}.")
    return await asyncio.to_thread(rules.artifacts_of, source, where.ci)


async def listed(release: Release, commit: CommitId, tools: Tools) -> Listed:
    """Return the package as its pipeline knows it at a commit; raise Unfit where it is not listed exactly once."""
    where = await layout(release, commit, tools)
    found = await artifacts(release, commit, where, tools)
    own = rules.artifact_of(release.version.package, found)
    if own is None:
        raise Unfit(f"{where.ci} does not list {release.version.package} exactly once, so nobody can tell which stage releases it.")
    return Listed(service=where.service, artifact=own, artifacts=found)


async def findings(release: Release, commit: CommitId, where: Layout, tools: Tools) -> tuple[Finding, ...]:
    """Return everything at a commit that speaks against releasing the package from there."""
    policy, _ = policy_of(tools)
    version = release.version
    found = await artifacts(release, commit, where, tools)
    stating = rules.version_file(where.paths, where.folder, policy.version_file)
    changelog, readme = f"{where.folder}/{policy.changelog}", f"{where.folder}/{policy.readme}"
    wanted = [path for path in (stating, changelog, readme) if path in where.paths]
    contents = await tools.git.fetch_files(release.repository, commit, *wanted) if wanted else {}
    return (
        *rules.artifact_findings(version.package, found, where.ci),
        *rules.version_findings(version, stating, contents.get(stating or ""), policy.version_file),
        *rules.changelog_findings(version, changelog, contents.get(changelog)),
        *rules.readme_findings(version.package, readme, contents.get(readme)),
    )


def places(release: Release, listed: Listed) -> dict[str, str]:
    """Return what is filled in in the table of the profile for the package of a release."""
    return {"package": release.version.package, "service": listed.service, "safe_name": listed.artifact.safe}


def of_artifact(artifact: Artifact, listed: Listed) -> dict[str, str]:
    """Return the same for any entry of the list."""
    return {"package": artifact.name, "service": listed.service, "safe_name": artifact.safe}


def pipeline_name(release: Release, listed: Listed, pipeline: PackagePipeline) -> str:
    """Return the name of the pipeline: ``python - core``."""
    return fill(pipeline.name, places(release, listed))
