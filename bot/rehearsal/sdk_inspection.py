"""Look at the world after the release of a package: exactly that package is on PyPI, and exactly its tag is upstream."""

import asyncio
from collections.abc import Iterator, Mapping

from bot.rehearsal.inspection import of_the_issue, of_the_release, unshown
from bot.rehearsal.repository import GitFailed, LocalRepository
from bot.rehearsal.sdk_cast import SdkScene
from bot.rehearsal.sdk_stage import OWNER
from bot.rehearsal.sdk_tree import NEIGHBOURS


async def sdk_problems(scene: SdkScene, refs_before: Mapping[str, str], begun: int) -> list[str]:
    """Give a sentence for everything that is wrong; ``begun`` is how long the log of the world was before the first act."""
    world = scene.world
    refs = await world.github.refs(scene.upstream)
    found = [*scene.refused, *of_the_release(scene, refs), *of_the_issue(scene), *unshown([scene], begun)]
    found += [*_of_the_runs(scene), *_of_pypi(scene)]
    found += await asyncio.to_thread(lambda: list(_of_the_refs(scene, refs_before, refs)))
    found += [f"the rule “{ruleset.name}” is left in {scene.upstream}" for ruleset in world.github.rulesets(scene.upstream)]
    return found + [f"something was done that the real systems do not allow: {violation}" for violation in world.violations]


def _of_the_refs(scene: SdkScene, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    tag = f"refs/tags/{scene.stage.tag}"
    for ref in sorted(before.keys() | after.keys()):
        if before.get(ref) != after.get(ref) and ref != tag:
            yield f"{ref} moved, which nobody approved"
    if tag not in after or after[tag] != scene.approved:
        yield f"{scene.stage.tag} is upstream as {after.get(tag, 'nothing')}, but {scene.approved or 'nothing'} was approved"
        return
    upstream = LocalRepository(scene.world.github.repository(scene.upstream).git.directory)
    try:
        commit = upstream.resolve(f"{tag}^{{commit}}")
        kind = upstream.text("cat-file", "-t", after[tag])
    except GitFailed as error:
        yield f"{scene.stage.tag} cannot be read upstream: {error}"
        return
    if kind != "tag":
        yield f"{scene.stage.tag} is a {kind}, not an annotated tag"
    yield from (f"run {run.name} built {run.commit}, but {scene.stage.tag} is at {commit}" for run in scene.runs if run.commit != commit)


def _of_the_runs(scene: SdkScene) -> Iterator[str]:
    """Yield what is wrong; that a run of which only one package was released counts as failed is the normal picture."""
    if len(scene.runs) != 1:
        yield f"the pipeline had {len(scene.runs)} runs, not one"
    for run in scene.runs:
        if run.status != "completed":
            yield f"the run {run.name} on Azure is {run.status}; nobody decided about what waits there"
        for stage in run.stages:
            wanted = "succeeded" if not stage.plan.asks or stage.plan.display == f"Release: {scene.stage.package}" else "failed"
            if stage.result != wanted:
                yield f"the stage {stage.plan.name} of run {run.name} ended with {stage.result}, not {wanted}"
            status = stage.approval.status if stage.approval else None
            if stage.plan.asks and wanted == "failed" and status != "rejected":
                yield f"the stage {stage.plan.name} of run {run.name} was to be rejected, but is {status or 'not asked about'}"


def _of_pypi(scene: SdkScene) -> Iterator[str]:
    pypi, stage = scene.world.pypi, scene.stage
    built = {name: content for run in scene.runs for name, content in scene.built(run, stage.package).items()}
    if not built or pypi.files(stage.package, stage.version) != built:
        yield f"PyPI does not have exactly the files of {stage.package} {stage.version} that were built"
    if OWNER not in pypi.owners(stage.package):
        yield f"{OWNER} does not own {stage.package} on PyPI"
    for package in NEIGHBOURS:
        versions = {name for name in pypi.files(package.name) if f"-{package.version}" not in name} - built.keys()
        if versions:
            yield f"PyPI has files of {package.name} that nobody released: {', '.join(sorted(versions))}"
