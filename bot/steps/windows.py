"""Have Windows built on Azure Pipelines from exactly the pinned tag, before anything of it becomes public.

1. One run is ordered for the tag and its commit, checked by the service first (``bot.azure.orders``).
2. It is followed: who has to approve which stage, what failed, what is tried again (``bot.azure.course``).
3. It counts only if it was built with the parameters it was ordered with, and signed with the real certificate (``bot.azure.results``).

4. What counts is kept from then on. A run that was ordered after it takes its place as soon as it counts itself.

By default this run does not publish. Where the profile wants one run for all, the stage that publishes is not looked at here.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot import keeping
from bot.azure import course, orders, parameters, results, trouble, words
from bot.azure import view as views
from bot.azure.view import View
from bot.profile.builders import Azure, AzurePlan
from bot.release.facts import Build, Built, RunSeen, Tag
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.services.azure_devops import AzureRefused
from bot.tools import Tools

STEP: Final = "windows"


async def advance(release: Release, tools: Tools) -> Outcome:
    """See that Windows is built and signed, order it, or say who is waited for."""
    tag, policy = release.tag, tools.profile.azure
    if tag is None or policy is None:
        return Failed(why="There is no tag yet, or the profile has no table [azure].", retryable=True, look_again=tools.poll())
    before = release.step(STEP)
    if release.build(STEP) is not None and before.status is StepStatus.PASSED and release.retry != STEP:
        return Passed(why=before.why, evidence=before.evidence)
    with tools.azure.together():
        try:
            return await _advance(release, tag, policy, tools)
        except AzureRefused as refusal:
            return views.shut_out(refusal, tools)


async def _advance(release: Release, tag: Tag, policy: Azure, tools: Tools) -> Outcome:
    known, again = release.latest_run(STEP, parameters.BUILD), release.retry == STEP
    if known is None or await orders.begun(known, tools):
        return await _order(release, policy, tools)
    view = await views.look(known, tools)
    if view is None:
        return await _order(release, policy, tools) if again else views.gone(STEP, known, tools)
    outcome = await _judged(view, release, tag, policy, tools)
    if not isinstance(outcome, Failed) or not again or not await _is_over(view, tools):
        return outcome
    ordered = await _order(release, policy, tools)
    return replace(ordered, facts=(RunSeen(run=replace(view.known, over=True)), *ordered.facts))


async def _order(release: Release, policy: Azure, tools: Tools) -> Outcome:
    return await orders.place(parameters.to_build(release, policy, tools.profile), release, policy, tools)


async def _is_over(view: View, tools: Tools) -> bool:
    """Tell whether nothing will come of a run any more, so that another one may take its place."""
    run = await views.read(view.run.id, tools)
    return run is None or views.is_ending(run)


async def _judged(view: View, release: Release, tag: Tag, policy: Azure, tools: Tools) -> Outcome:
    wrong = views.other_parameters(view)
    if wrong:
        return await _refused(f"The run {view.run.name} was built with other parameters than it was ordered with: {wrong}.", view, tools)
    one_run = policy.plan is AzurePlan.ONE_RUN
    outcome = await course.follow(STEP, view.without(policy.publish_stage) if one_run else view, release, tools)
    if outcome is not None:
        return outcome
    if not one_run and not view.succeeded:
        return views.unsuccessful(STEP, view, tools)
    if unsigned := await results.certificate_problem(view.run, policy.certificate, tools):
        return await _refused(f"The run {view.run.name} does not count, because {unsigned}", view, tools)
    build = await _build(view, release, tag, tools)
    passed = _passed(build, view, policy)
    seen = RunSeen(run=replace(view.known, certificate=policy.certificate))
    facts = (seen, course.issues(STEP, tag.object, view), Built(build=build))
    return replace(passed, evidence=(*words.evidence(view.run, view.stages, tools), *passed.evidence), facts=facts)


async def _refused(why: str, view: View, tools: Tools) -> Outcome:
    """Say that a run does not count, and stop it."""
    await trouble.cancel(STEP, view, tools)
    over = RunSeen(run=replace(view.known, over=True))
    return replace(views.failed(STEP, why, view, tools), facts=(over,))


async def _build(view: View, release: Release, tag: Tag, tools: Tools) -> Build:
    """Return what a run that counts built, and see that it stays: it is needed for publishing, and that may be a while from now."""
    known = release.build(STEP)
    if known is not None and known.url == view.known.url:
        return known
    if tools.profile.wrap_up.retain:
        # Where the bot may not do so, that is told when everything is tidied up.
        with suppress(AzureRefused):
            await keeping.keep(STEP, view.run, release, tools)
    return Build(step=STEP, tag=tag.object, commit=tag.commit, files=(), url=view.known.url, at=tools.now())


def _passed(build: Build, view: View, policy: Azure) -> Passed:
    gate = ""
    if policy.plan is AzurePlan.ONE_RUN:
        gate = (
            f" Take care: the run waits for one more approval, that of its stage {words.quoted(policy.publish_stage)}. It makes everything "
            "public at once and must not be given before the go."
        )
    why = f"Windows is built and signed by the run {view.run.name}, from the commit {build.commit}.{gate}"
    return Passed(why=why, evidence=(Evidence(what="commit", value=build.commit, url=build.url),))
