"""Have the Windows files published that were built before the go: only after it, and only what it was given for.

1. Without a valid go nothing is ordered.
2. The run that built is looked at again: it is there, built with the ordered parameters, ended well, and signed with the real certificate.
   The pipeline itself would publish test-signed files: it looks only at the parameters of the run that publishes.
3. A second run is ordered that takes up exactly that one, and followed. Where the plan has one run, that run itself is followed. One
   release at a time publishes (``bot.azure.turns``).
4. The hashes of what it published are read, so that everybody can compare. From then on nothing is ordered any more, whatever becomes of
   the run: what is public stays so.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot import people
from bot.azure import course, orders, parameters, results, trouble, turns, words
from bot.azure import view as views
from bot.azure.view import View
from bot.command_types import Go
from bot.profile.builders import Azure, AzurePlan
from bot.release.counting import counted
from bot.release.facts import Build, Built, Checked, Finding, Run, RunSeen, Severity, Tag
from bot.release.gate import valid_go
from bot.release.ids import ObjectId
from bot.release.model import Go as Given
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.shapes import WorkResult
from bot.tools import Tools

STEP: Final = "windows-publish"

CLOCKS: Final = timedelta(seconds=5)
"""How far the clocks of the bot and of Azure may differ."""

_RECALL: Final = "recall the release with `/release abort REASON`"

_ONLY_RUN: Final = f"It is the only run of this plan, so none can be ordered in its place: {_RECALL}."

BUILDER: Final = "windows"
"""The step whose run built what is published."""


async def advance(release: Release, tools: Tools) -> Outcome:
    """See that everything for Windows is published, have it published, or say who is waited for."""
    tag, policy, go = release.tag, tools.profile.azure, valid_go(release)
    if tag is None or policy is None:
        return Failed(why="There is no tag yet, or the profile has no table [azure].", retryable=True, look_again=tools.poll())
    build, before = release.build(STEP), release.step(STEP)
    if build is not None and before.status is StepStatus.PASSED and release.retry != STEP:
        return Passed(why=before.why, evidence=before.evidence)
    if build is not None and go is None:
        return _passed(build)
    if go is None:
        return Failed(why="The go was not given for these results, so nothing is published.", retryable=True, look_again=tools.poll())
    first = release.latest_run(BUILDER, parameters.BUILD)
    if first is None:
        return Failed(
            why="No run is known that built for Windows, so there is nothing to publish.", retryable=True, look_again=tools.poll()
        )
    with tools.azure.together():
        try:
            return await _advance(release, tag, policy, go, first, tools)
        except AzureRefused as refusal:
            return views.shut_out(refusal, tools)


async def _advance(release: Release, tag: Tag, policy: Azure, go: Given, first: Run, tools: Tools) -> Outcome:
    one_run = policy.plan is AzurePlan.ONE_RUN
    known, again = first if one_run else release.latest_run(STEP, parameters.PUBLISH), release.retry == STEP
    if build := release.build(STEP):
        return await _looked_again(build, known, release, tag, policy, go, tools)
    if known is None or (not one_run and await orders.begun(known, tools)):
        return await _order(release, policy, go, first, tools)
    view = await views.look(known, tools)
    if view is None and again and not one_run:
        return await _order(release, policy, go, first, tools)
    if view is None:
        return views.gone(STEP, known, tools, advice=_ONLY_RUN if one_run else "")
    view = replace(view, advice=f"Look at {known.url}. {_ONLY_RUN}" if one_run else "")
    outcome = await _judged(view, release, tag, policy, go, tools)
    if one_run or not isinstance(outcome, Failed) or not again or not view.ended or view.succeeded:
        return outcome
    ordered = await _order(release, policy, go, first, tools)
    return replace(ordered, facts=(RunSeen(run=replace(view.known, over=True)), *ordered.facts))


async def _looked_again(build: Build, known: Run | None, release: Release, tag: Tag, policy: Azure, go: Given, tools: Tools) -> Outcome:
    """Read once more what was published, and do nothing else about it."""
    if known is None:
        return _passed(build)
    view = await views.look(known, tools)
    if view is None:
        passed = _passed(build)
        return replace(passed, why=f"{passed.why} The run {known.name} was deleted on Azure since; what it published stays.")
    outcome = await _judged(view, replace(release, retry=""), tag, policy, go, tools)
    if not isinstance(outcome, Failed):
        return outcome
    advice = f"It had published everything before, and nothing is ordered again. Mend it at {known.url}; I look again by myself."
    return replace(outcome, diagnostics=(*outcome.diagnostics[:-1], advice))


async def _order(release: Release, policy: Azure, go: Given, first: Run, tools: Tools) -> Outcome:
    """Order the run that publishes, if the go still counts and what was built is still what it was given for."""
    refusal = await people.no_longer_entitled(Go(sha=ObjectId(go.tag)), go.by, release, tools)
    if refusal:
        return Failed(why=f"The go by {go.by.login} no longer counts: {refusal}", retryable=False, look_again=words.later(tools))
    view = await views.look(first, tools)
    if view is None:
        return views.gone(STEP, first, tools, advice=f"There is nothing to publish any more: {_RECALL}.")
    if problem := await _unpublishable(view, policy, tools):
        why = f"The run {first.name} must not be published: {problem}"
        return views.failed(STEP, why, view, tools, advice=f"Look at {first.url}; nothing of it is public. If it stays so, {_RECALL}.")
    return await orders.place(parameters.to_publish(release, policy, view.run.name, tools.profile), release, policy, tools)


async def _unpublishable(view: View, policy: Azure, tools: Tools) -> str:
    """Return why a run must not be published, or an empty string."""
    wrong = views.other_parameters(view)
    if wrong:
        return f"it was built with other parameters than it was ordered with: {wrong}."
    if not view.succeeded:
        return "it has not ended well."
    return await results.certificate_problem(view.run, policy.certificate, tools)


async def _judged(view: View, release: Release, tag: Tag, policy: Azure, go: Given, tools: Tools) -> Outcome:
    wrong = views.other_parameters(view)
    if wrong:
        await trouble.cancel(STEP, view, tools)
        why = f"The run {view.run.name} publishes with other parameters than it was ordered with: {wrong}."
        stopped = RunSeen(run=replace(view.known, over=True))
        return replace(views.failed(STEP, why, view, tools), facts=(stopped,))
    if held := await turns.before_publishing(view, release, policy, tools):
        return held
    outcome = await course.follow(STEP, view, release, tools)
    if outcome is not None:
        return _explained(outcome, view, policy)
    if not view.succeeded:
        return views.unsuccessful(STEP, view, tools)
    try:
        files = await results.published_files(view.run, tools)
    except results.Unreadable as error:
        advice = f"Look at {view.known.url}. I look again by myself; without the hashes nobody can tell whether the right files are public."
        return views.failed(STEP, str(error), view, tools, advice=advice)
    build = Build(step=STEP, tag=tag.object, commit=tag.commit, files=files, url=view.known.url, at=tools.now())
    checked = _with_early(course.issues(STEP, tag.object, view), view, policy, go)
    facts = (RunSeen(run=view.known), checked, Built(build=build))
    return replace(_passed(build), facts=facts)


def _explained(outcome: Outcome, view: View, policy: Azure) -> Outcome:
    """Say what the failure of the job means that stops where somebody else changed the index meanwhile."""
    jobs = (job for stage in view.stages for job in stage.jobs)
    stopped = any(policy.index_job in job.name.split(".") and job.result is WorkResult.FAILED for job in jobs)
    if not isinstance(outcome, Failed) or not policy.index_job or not stopped:
        return outcome
    index = (
        f"The job {words.quoted(policy.index_job)} stops when somebody else changed the index of the install manager while it was at work: "
        f"the packages are up then, the index is not. See in its log whether it was that; then `/release retry {STEP}` is all it takes, "
        "because the job begins from the index as it is by then, and I wait for any other run that publishes."
    )
    return replace(outcome, diagnostics=(*outcome.diagnostics[:-1], index, *outcome.diagnostics[-1:]))


def _with_early(checked: Checked, view: View, policy: Azure, go: Given) -> Checked:
    """Add a finding where somebody on Azure let everything become public before the go."""
    stage = next((one for one in view.stages if one.name == policy.publish_stage), None)
    # Two clocks are compared, and one of them may tell whole seconds only.
    if stage is None or stage.started is None or stage.started + CLOCKS >= go.at:
        return checked
    what = f"The run {view.run.name} published at {words.moment(stage.started)}, before the go of {words.moment(go.at)}."
    finding = Finding(check=STEP, rule="published early", severity=Severity.ACKNOWLEDGE, what=what)
    return replace(checked, findings=(*checked.findings, finding))


def _passed(build: Build) -> Passed:
    told = f"the run tells the hashes of {counted(len(build.files), 'file')}" if build.files else "the run tells no hashes"
    installers = "" if any(file.name.endswith(".exe") for file in build.files) else "; this series has no installers"
    return Passed(
        why=f"The files for Windows are published; {told}{installers}.",
        evidence=(
            Evidence(what="run", value=f"commit {build.commit}", url=build.url),
            *(Evidence(what=file.name, value=f"sha256:{file.sha256}") for file in build.files),
        ),
    )
