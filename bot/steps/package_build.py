"""Have a package built and tested on Azure Pipelines, of exactly the pinned commit, before anything of it becomes public.

1. The pipeline of its service is found by its name, and one run is ordered of the commit (``bot.azure.orders``).
2. The stages that build and test are followed; those that release wait for people, and are none of this step's.
3. It counts only if it was built of the ordered commit with the ordered variables.
4. Every file of the package is read, checked and hashed: nothing else may be on PyPI afterwards.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot import keeping
from bot.azure import course, orders, parameters, trouble, words
from bot.azure import view as views
from bot.azure.parameters import Order
from bot.azure.view import View
from bot.errors import UserError
from bot.packages import files as package_files
from bot.packages import source as package_source
from bot.packages.source import Listed
from bot.profile.builders import Azure
from bot.profile.package import PackagePipeline
from bot.release.counting import counted
from bot.release.facts import Build, Built, RunSeen, Tag
from bot.release.ids import branch_ref
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.runs import EVERY_NAME
from bot.store.model import Fresh
from bot.tools import Tools

STEP: Final = "package-build"


async def advance(release: Release, tools: Tools) -> Outcome:
    """See that the package is built and tested, order it, or say who is waited for."""
    tag, before = release.tag, release.step(STEP)
    if tag is None:
        return Failed(why="There is no tag yet.", retryable=True, look_again=tools.poll())
    if release.build(STEP) is not None and before.status is StepStatus.PASSED and release.retry != STEP:
        return Passed(why=before.why, evidence=before.evidence)
    _, pipeline = package_source.policy_of(tools)
    listed = await package_source.listed(release, tag.commit, tools)
    with tools.azure.together():
        try:
            return await _advance(release, tag, listed, pipeline, tools)
        except AzureRefused as refusal:
            return views.shut_out(refusal, tools)


async def _advance(release: Release, tag: Tag, listed: Listed, pipeline: PackagePipeline, tools: Tools) -> Outcome:
    # What was let go is public, or about to be: another run would build other bytes of the same version.
    known, again = release.latest_run(STEP, parameters.BUILD), release.retry == STEP and release.go is None
    if known is None or await orders.begun(known, tools):
        return await _order(release, tag, listed, pipeline, tools)
    view = await views.look(known, tools)
    if view is None:
        return await _order(release, tag, listed, pipeline, tools) if again else views.gone(STEP, known, tools)
    outcome = await _judged(view, release, tag, listed, pipeline, tools)
    if not isinstance(outcome, Failed) or not again or not await _is_over(view, tools):
        return outcome
    ordered = await _order(release, tag, listed, pipeline, tools)
    return replace(ordered, facts=(RunSeen(run=replace(view.known, over=True)), *ordered.facts))


async def _is_over(view: View, tools: Tools) -> bool:
    """Tell whether nothing will come of a run any more, so that another one may take its place."""
    run = await views.read(view.run.id, tools)
    return run is None or views.is_ending(run)


async def _order(release: Release, tag: Tag, listed: Listed, pipeline: PackagePipeline, tools: Tools) -> Outcome:
    name, ref = package_source.pipeline_name(release, listed, pipeline), branch_ref(release.branch)
    wanted = Order(
        step=STEP,
        purpose=parameters.BUILD,
        ref=ref,
        run_name=EVERY_NAME,
        parameters={},
        resources={},
        commit=tag.commit,
        variables=pipeline.variables,
    )
    policy = Azure(project=pipeline.project, definition=name, folder=pipeline.folder, ref=ref, run_name=EVERY_NAME)
    return await orders.place(wanted, release, policy, tools)


async def _judged(view: View, release: Release, tag: Tag, listed: Listed, pipeline: PackagePipeline, tools: Tools) -> Outcome:
    if wrong := await _other_source(view, tag, tools):
        await trouble.cancel(STEP, view, tools)
        over = RunSeen(run=replace(view.known, over=True))
        why = f"The run {view.run.name} was built of something else than it was ordered with: {wrong}."
        return replace(views.failed(STEP, why, view, tools), facts=(over,))
    building = view.only(*pipeline.build_stages)
    lacking = set(pipeline.build_stages) - {stage.name for stage in building.stages}
    if view.stages and lacking:
        why = f"The run {view.run.name} has no stage {words.listed(words.quoted(name) for name in sorted(lacking))}, which has to end well."
        return views.failed(STEP, why, view, tools)
    outcome = await course.follow(STEP, building, release, tools)
    return outcome or await _read(building, release, tag, listed, pipeline, tools)


async def _other_source(view: View, tag: Tag, tools: Tools) -> str:
    """Return what the run was built of, where that is not what was ordered, or an empty string."""
    if view.run.commit != tag.commit:
        return f"the commit {words.quoted(view.run.commit)}"
    intent = await tools.door.known(STEP, parameters.effect(view.known.purpose, view.known.number))
    if isinstance(intent, Fresh) or orders.as_ordered(STEP, view.known.purpose, intent.parameters).fits(view.run):
        return ""
    return "another branch, or other variables"


async def _read(view: View, release: Release, tag: Tag, listed: Listed, pipeline: PackagePipeline, tools: Tools) -> Outcome:
    """Read, check and hash what was built."""
    try:
        files = await package_files.read(view.run.id, listed.artifact, pipeline, tools)
    except AzureRefused as refusal:
        if refusal.denied:
            raise
        return views.failed(STEP, str(refusal), view, tools)
    if wrong := await package_files.problems(files, release.version):
        return _unfit(wrong, view, tools)
    with suppress(UserError):
        # Where the bot may not do so, that is told when everything is tidied up.
        await _keep(view, release, tools)
    built = await package_files.hashed(files)
    build = Build(step=STEP, tag=tag.object, commit=tag.commit, files=built, url=view.known.url, at=tools.now())
    facts = (RunSeen(run=view.known), course.issues(STEP, tag.object, view), Built(build=build))
    return replace(_passed(build, view), evidence=(*words.evidence(view.run, view.stages, tools), *_files(build)), facts=facts)


async def _keep(view: View, release: Release, tools: Tools) -> None:
    """Let the run stay: it is needed for releasing, and that may be a while from now."""
    if tools.profile.wrap_up.retain:
        await keeping.keep(STEP, view.run, release, tools)


def _unfit(wrong: Sequence[str], view: View, tools: Tools) -> Failed:
    why = f"What the run {view.run.name} built cannot be released. {' '.join(wrong)}"
    advice = f"Mend it on the branch and say `/release refreeze REASON`, which pins the commit anew. The run: {view.known.url}"
    return views.failed(STEP, why, view, tools, advice=advice)


def _files(build: Build) -> tuple[Evidence, ...]:
    return tuple(Evidence(what=file.name, value=f"sha256:{file.sha256}, {file.size} bytes", url=build.url) for file in build.files)


def _passed(build: Build, view: View) -> Passed:
    files = counted(len(build.files), "file says inside what its name says", "files say inside what their names say")
    return Passed(why=f"Built and tested by the run {view.run.name}, of the commit {build.commit}; {files}.")
