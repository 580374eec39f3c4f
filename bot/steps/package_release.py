"""See one artifact of a run released, and all others of the run kept back.

1. Every release stage that waits is shown; the manager says which one becomes public: that is the go of such a release.
2. Before it is approved, its files are read again: they have to be those that were built, checked and shown.
3. Where the bot is an approver, it approves exactly that stage by the ids of its approvals, and rejects those of all others of this run.
   Elsewhere people are given the links, and what they do is followed.
4. A stage of another artifact says nothing about this release, however it ended; its own has to end well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot import freezing, people
from bot.azure import parameters, trouble, words
from bot.azure import view as views
from bot.azure.view import View
from bot.command_types import ApproveStage
from bot.packages import files as package_files
from bot.packages import on_pypi, own_tag, stages
from bot.packages import source as package_source
from bot.packages.source import Listed
from bot.packages.stages import ReleaseStage
from bot.profile.package import PackagePipeline
from bot.release.facts import Build, Run, RunSeen, Tag
from bot.release.gate import valid_go
from bot.release.ids import tag_ref
from bot.release.model import Go, Release, StepStatus
from bot.release.outcomes import Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.stages import decided, plain
from bot.services.azure_devops import AzureRefused
from bot.tools import Tools, logins

STEP: Final = "package-release"

BUILDER: Final = "package-build"
"""The step whose run is released from."""

_GIVE_UP: Final = "nothing of it is public: give it up with `/release abort REASON`, or begin anew with `/release refreeze REASON`"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the run: what is released from it, and how far every artifact is."""

    view: View
    build: Build
    listed: Listed
    pipeline: PackagePipeline
    own: ReleaseStage
    others: tuple[ReleaseStage, ...]

    @property
    def waiting(self) -> tuple[ReleaseStage, ...]:
        """Return the stages of other artifacts that wait for an approval."""
        return tuple(one for one in self.others if one.asks)


async def advance(release: Release, tools: Tools) -> Outcome:
    """See that the artifact is released and nothing else is, or say who is waited for."""
    tag, build, before = release.tag, release.build(BUILDER), release.step(STEP)
    if before.status is StepStatus.PASSED and release.retry != STEP:
        return Passed(why=before.why, evidence=before.evidence)
    known = release.latest_run(BUILDER, parameters.BUILD)
    if tag is None or build is None or known is None:
        return Failed(why="Nothing was built that could be released.", retryable=True, look_again=tools.poll())
    _, pipeline = package_source.policy_of(tools)
    listed = await package_source.listed(release, tag.commit, tools)
    with tools.azure.together():
        try:
            view = await views.look(known, tools)
            if view is None:
                return await _gone(known, release, tools)
            return _plain(await _advance(view, release, tag, build, listed, pipeline, tools), view, listed, pipeline)
        except AzureRefused as refusal:
            return views.shut_out(refusal, tools)


async def _gone(known: Run, release: Release, tools: Tools) -> Outcome:
    """Say that the run is gone; what was let go of it is over where PyPI has exactly that: nothing can be released from it any more."""
    if valid_go(release) is None or not (await on_pypi.look(release, tools)).complete:
        return views.gone(STEP, known, tools, advice=_without_run(release))
    why = f"The run {known.name} was deleted on Azure, and PyPI has exactly what it built."
    return Passed(why=why, facts=(RunSeen(run=replace(known, over=True)),))


def _without_run(release: Release) -> str:
    if release.go is None:
        return f"With its run {_GIVE_UP}."
    return "I go on once PyPI has exactly what was built; where it never will, recall the release with `/release abort REASON`."


def _plain(outcome: Outcome, view: View, listed: Listed, pipeline: PackagePipeline) -> Outcome:
    """Show the artifacts, and not the stages as the pipeline's source names them: commands name artifacts."""
    undecided = plain(listed.artifact.name) if isinstance(outcome, NeedsPerson) and outcome.say else ""
    return replace(outcome, evidence=stages.evidence(stages.of(view, listed, pipeline), view, undecided=undecided))


async def _advance(
    view: View, release: Release, tag: Tag, build: Build, listed: Listed, pipeline: PackagePipeline, tools: Tools
) -> Outcome:
    if view.run.commit != tag.commit:
        why = f"The run {view.run.name} was built of {view.run.commit}, not of {tag.commit}, so nothing of it is released."
        return views.failed(STEP, why, view, tools, advice=_without_run(release))
    found = stages.of(view, listed, pipeline)
    own = stages.own(found, listed)
    if own is None:
        why = f"The run {view.run.name} has not exactly one stage that releases {listed.artifact.name}, so it cannot be released from it."
        return views.failed(STEP, why, view, tools, advice=_without_run(release))
    others = tuple(one for one in found if one is not own)
    look = Look(view=view, build=build, listed=listed, pipeline=pipeline, own=own, others=others)
    if own.ended and not own.released:
        return await _ended_badly(look, release, tools)
    if own.asks:
        return await _asked(look, release, tools)
    if valid_go(release) is None and (own.released or own.stage.decided):
        return _without_word(look, release, tools)
    if own.released:
        return await _others(look, release, tools)
    if view.ended:
        why = f"The run {view.run.name} has ended before {own.artifact} was released."
        return views.failed(STEP, why, view, tools, advice=_without_run(release))
    return views.at_work(view, tools)


# ---- its own stage ---------------------------------------------------------------------------------------------------------------------


async def _asked(look: Look, release: Release, tools: Tools) -> Outcome:
    """Say who lets the artifact become public; once somebody has, see that it does."""
    await _reject_as_told(look, release, tools)
    decision, go = decided(release, release.version.package), valid_go(release)
    if decision is not None and not decision.approved:
        return await _kept_back(look, release, decision.login, tools)
    if decision is None or go is None:
        return _whether(look, release, tools)
    if problem := await _last_look(look, release, go, tools):
        return problem
    approvable = await stages.mine([look.own], look.pipeline, tools)
    comment = f"{go.by.login} released it: {_issue(release, tools)}"
    if not approvable or not await stages.decide(look.own, look.view, tools, approved=True, comment=comment):
        return await _by_hand(look, release, tools, approve=True)
    await _reject_others(look, release, tools)
    why = f"The stage of {look.own.artifact} in the run {look.view.run.name} was approved; it goes to PyPI."
    return Waiting(on=views.ON, why=why, look_again=words.later(tools), facts=(RunSeen(run=look.view.known),))


def _whether(look: Look, release: Release, tools: Tools) -> NeedsPerson:
    package = release.version.package
    also = f" With it wait {_names(look.waiting)}, which are not part of this release and are rejected then." if look.waiting else ""
    what = (
        f"{package} {release.version.number} is built and tested, and its files were checked; their hashes are in the status. "
        f"It waits in the run {look.view.run.name} to be released to PyPI, where no version can be taken back.{also} "
        f"Look at {look.view.known.url}"
    )
    return NeedsPerson(
        who=logins(tools.managers(release)),
        what=what,
        say=f"/release approve-stage {look.own.artifact}",
        look_again=words.later(tools),
        facts=(RunSeen(run=look.view.known),),
    )


def _without_word(look: Look, release: Release, tools: Tools) -> NeedsPerson:
    """Ask for the word that should have come before: what became public goes on with it alone, and with it takes two to recall."""
    public = "it failed, and a part of it may be public" if look.own.ended and not look.own.released else "it is public, or about to be"
    what = (
        f"The stage of {look.own.artifact} in the run {look.view.run.name} was approved on Azure, and nobody told me that it should be: "
        f"{public}. Look into that, and say so now where it was right; else halt the release."
    )
    say = f"/release approve-stage {look.own.artifact}"
    return NeedsPerson(who=logins(tools.managers(release)), what=what, say=say, look_again=words.later(tools))


async def _last_look(look: Look, release: Release, go: Go, tools: Tools) -> Failed | None:
    """See, in the moment before the approval, that the word still counts, the files are those that were shown, and the tag can follow them.

    Nothing that is on PyPI can be taken back.
    """
    refusal = await people.no_longer_entitled(ApproveStage(artifact=release.version.package), go.by, release, tools)
    if refusal:
        why = f"The word of {go.by.login} for {release.version.package} no longer counts: {refusal}"
        return Failed(why=why, retryable=False, look_again=words.later(tools))
    if problem := await _tag_problem(release, tools):
        return Failed(why=problem, diagnostics=("Nothing was released. Find out who did that, and why.",), retryable=False, halt=True)
    now = await package_files.hashed(await package_files.read(look.view.run.id, look.listed.artifact, look.pipeline, tools))
    if now == look.build.files:
        return None
    changed = ", ".join(sorted({file.name for file in {*now} ^ {*look.build.files}}))
    why = f"The run {look.view.run.name} holds other files than those that were checked: {changed}. None of them is released."
    return Failed(why=why, diagnostics=("Find out who built them anew, and why.",), retryable=False, halt=True)


async def _tag_problem(release: Release, tools: Tools) -> str:
    """Return why the tag could not be pushed once the package is public, or an empty string."""
    tag = release.tag
    if tag is None or not release.frozen:
        return "The name of the tag is not held any more."
    for frozen in release.frozen:
        if problem := await freezing.problem(tools, release.repository, freezing.hold_of(frozen)):
            return f"The freeze of {frozen.ref} was changed from outside: {problem}"
    if (there := await tools.github.ref(release.repository, tag_ref(tag.name))) is not None:
        return f"{tag.name} is {there.id} upstream already, pushed outside the bot."
    return await own_tag.problem(release, tag, tools)


async def _kept_back(look: Look, release: Release, login: str, tools: Tools) -> Failed:
    """Keep the own artifact back, which ends this try."""
    comment = f"{login} kept it back: {_issue(release, tools)}"
    able = await stages.mine([look.own], look.pipeline, tools)
    done = [await stages.decide(one, look.view, tools, approved=False, comment=comment) for one in able]
    why = f"{login} kept {look.own.artifact} back, so it is not released."
    left = look.own.asks and not (done and all(done))
    by_hand = (f"Its stage still waits, so please reject it as well, at {look.view.known.url}",) if left else ()
    return Failed(why=why, diagnostics=(*by_hand, f"So far {_GIVE_UP}."), retryable=False, look_again=words.later(tools))


async def _ended_badly(look: Look, release: Release, tools: Tools) -> Outcome:
    own = look.view.only(look.own.stage.name)
    bad = await trouble.gone_wrong(own, tools)
    if bad and release.retry == STEP and valid_go(release) is not None:
        again = await trouble.retry(STEP, bad, own, tools)
        if again is not None:
            return again
    if valid_go(release) is None and bad and all(one.approval is None for one in bad):
        # Nobody kept it from running, so it ran, and the first of its files may be public.
        return _without_word(look, release, tools)
    decision = decided(release, release.version.package)
    if release.go is None and decision is not None and not decision.approved:
        return await _kept_back(look, release, decision.login, tools)
    if release.go is None:
        why = trouble.failed_stages(STEP, bad, own, tools).why if bad else f"The stage of {look.own.artifact} was skipped."
        return views.failed(STEP, f"{why} So {look.own.artifact} is not released.", look.view, tools, advice=f"So far {_GIVE_UP}.")
    if bad:
        return trouble.failed_stages(STEP, bad, own, tools)
    why = f"The stage of {look.own.artifact} in the run {look.view.run.name} was skipped."
    return views.failed(STEP, why, look.view, tools, advice=_without_run(release))


# ---- all others ------------------------------------------------------------------------------------------------------------------------


async def _others(look: Look, release: Release, tools: Tools) -> Outcome:
    """Pass once none of the others can be released by mistake any more; those that were released say nothing about this one."""
    if look.waiting and not await _reject_others(look, release, tools):
        return await _by_hand(look, release, tools, approve=False)
    if look.waiting:
        return views.at_work(look.view, tools)
    if not look.view.ended and any(not one.ended and not one.stage.approvals for one in look.others):
        return views.at_work(look.view, tools)
    also = [one for one in look.others if one.released]
    told = f" Somebody released {_names(also)} from it too, which is another release." if also else ""
    rest = "the others" if also else "all others"
    why = f"{look.own.artifact} was released by the run {look.view.run.name}; {rest} of the run were kept back.{told}"
    return Passed(why=why, facts=(RunSeen(run=replace(look.view.known, over=look.view.ended)),))


async def _reject_others(look: Look, release: Release, tools: Tools) -> bool:
    """Reject the stages of all other artifacts that wait; tell whether that could be done for each."""
    able = await stages.mine(look.waiting, look.pipeline, tools)
    comment = f"Only {look.own.artifact} is released from this run: {_issue(release, tools)}"
    done = [await stages.decide(one, look.view, tools, approved=False, comment=comment) for one in able]
    return len(done) == len(look.waiting) and all(done)


async def _reject_as_told(look: Look, release: Release, tools: Tools) -> None:
    """Reject the stages of other artifacts that somebody said are to be kept back."""
    told = [one for one in look.waiting if (decision := decided(release, one.artifact)) is not None and not decision.approved]
    for one in await stages.mine(told, look.pipeline, tools):
        await stages.decide(one, look.view, tools, approved=False, comment=f"Kept back: {_issue(release, tools)}")


async def _by_hand(look: Look, release: Release, tools: Tools, *, approve: bool) -> NeedsPerson:
    """Ask people for what the bot may not do; each stage is named with what is to be done with it."""
    wishes = [f"approve {_names([look.own])}"] if approve else []
    wishes += [f"reject {_names(look.waiting)}"] if look.waiting else []
    ids = [each for one in (*([look.own] if approve else []), *look.waiting) for each in one.approvals]
    asked = [identity for approval in await tools.azure.approvals(ids) for identity in approval.open_to]
    why = "That is not for me alone to decide" if look.pipeline.approves else "Approving is left to people"
    return NeedsPerson(
        who=words.experts(release, tools, asked),
        what=f"{why}, so please {' and '.join(wishes)} in the run {look.view.run.name}, at {look.view.known.url}",
        look_again=words.later(tools),
        facts=(RunSeen(run=look.view.known),),
    )


def _names(found: Sequence[ReleaseStage]) -> str:
    return words.listed(words.quoted(one.artifact) for one in found)


def _issue(release: Release, tools: Tools) -> str:
    return tools.page(release.home, "issues", str(release.issue))
