"""Let one release at a time publish for Windows: of two at once, one would lose the race for the index of the install manager.

1. A run that publishes is ordered only while no other one is under way on Azure, whoever queued it, and no other release is ordering one.
   The intent to order is committed before that look, so of two that order in the same moment at least one sees the other: the release
   whose id comes first keeps its place, the other one steps back and asks again later.
2. People queue runs as well, and Azure's list may be behind. So a run that was ordered has its turn only when no other one publishes, and
   none that was queued before it is still going to. Until then nobody is called to approve it, and no stage of it is tried again.

The job that publishes the index looks itself whether somebody changed it meanwhile, and stops:
https://github.com/python/release-tools/tree/main/windows-release.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.azure import words
from bot.azure.parameters import PUBLISH, queueing
from bot.azure.view import ON, View
from bot.profile.builders import Azure
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, NeedsPerson, Outcome, Waiting
from bot.services.azure_devops import shapes as azure
from bot.services.azure_devops.shapes import DefinitionId, Stage, WorkState
from bot.store.model import EffectKey
from bot.tools import Tools

STEP: Final = "windows-publish"

LONGEST: Final = timedelta(days=31)
"""How long a run may be under way: an approval that nobody gives times out after 30 days
(https://learn.microsoft.com/en-us/azure/devops/pipelines/process/approvals)."""

SETTLING: Final = timedelta(hours=1)
"""How long an order of another release counts of which nothing is known: whoever places one asks again within minutes.

An older one is placed by nobody now, because its release is halted for instance, or its go does not count any more. If it was placed, its
run is seen; whoever goes on with it later looks first whether somebody else publishes.
"""

IN_THE_WAY: Final = "in its way"
"""Under which name the run is shown that has its turn before."""

CERTIFICATE: Final = "SigningCertificate"
"""The parameter with the certificate; a run with another one than the real one goes through the motions and publishes nothing."""


class Blocked(Exception):
    """An order has to wait although it was written down already; ``outcome`` says for what."""

    def __init__(self, outcome: Waiting) -> None:
        """Keep what is waited for."""
        super().__init__(outcome.why)
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """Another run that publishes, and how far its publishing is; None while Azure does not show the stage."""

    run: azure.Run
    stage: Stage | None

    @property
    def at_work(self) -> bool:
        """Tell whether it publishes at this moment."""
        return self.stage is not None and self.stage.state is WorkState.IN_PROGRESS


async def ordering(tools: Tools) -> EffectKey | None:
    """Return the order of another release that was begun lately and of which nothing is known yet, or None."""
    return next(iter(await tools.door.begun_elsewhere(STEP, queueing(PUBLISH), tools.now() - SETTLING)), None)


async def ahead(definition: DefinitionId, mine: int | None, release: Release, policy: Azure, tools: Tools) -> Ahead | None:
    """Return a run that has to publish before ours, or None; ``mine`` is the number of ours, None while it is not ordered."""
    known = {run.id for run in release.runs}
    for run in await tools.azure.runs_under_way(definition, tools.now() - LONGEST):
        if run.id in known or run.id == mine or not _publishes(run, policy):
            continue
        stage = next((one for one in await tools.azure.timeline(run.id) if one.name == policy.publish_stage), None)
        found = Ahead(run=run, stage=stage)
        over = stage is not None and stage.state is WorkState.COMPLETED
        if found.at_work or (not over and (mine is None or run.id < mine)):
            return found
    return None


def _publishes(run: azure.Run, policy: Azure) -> bool:
    switches = {name: value for name, value in policy.publish.items() if value is True}
    real = policy.parameters.get(CERTIFICATE)
    return run.was_given(switches) and run.parameters.get(CERTIFICATE, real) == real


async def before_order(definition: DefinitionId, release: Release, policy: Azure, tools: Tools) -> Outcome | None:
    """Return what an order has to wait for, or None."""
    if other := await ordering(tools):
        return waits_for(other, tools)
    found = await ahead(definition, None, release, policy, tools)
    return _waits(found, release, tools) if found else None


async def steps_back(definition: DefinitionId, release: Release, policy: Azure, tools: Tools) -> bool:
    """Tell, at the last moment before an order, whether it steps back for another one; raise Blocked where it keeps its place and waits."""
    other = await ordering(tools)
    if other is None:
        return await ahead(definition, None, release, policy, tools) is not None
    if release.id < other.release:
        raise Blocked(waits_for(other, tools))
    return True


async def before_publishing(view: View, release: Release, policy: Azure, tools: Tools) -> Outcome | None:
    """Return what a run that was ordered has to wait for before it may publish, or be tried again; None when it has its turn."""
    stage = next((one for one in view.stages if one.name == policy.publish_stage), None)
    asks = stage is not None and stage.state is WorkState.PENDING and bool(stage.approvals)
    again = release.retry == STEP and stage is not None and stage.state is WorkState.COMPLETED
    if not again and (not asks or _has_its_turn(release)):
        return None
    found = await ahead(view.run.definition, view.run.id, release, policy, tools)
    return _waits(found, release, tools, again=again) if found else None


def _has_its_turn(release: Release) -> bool:
    """Tell whether somebody was called to approve already: who has a turn keeps it."""
    step = release.step(STEP)
    return step.status is StepStatus.NEEDS_PERSON and all(one.what != IN_THE_WAY for one in step.evidence)


def waits_for(other: EffectKey, tools: Tools) -> Waiting:
    """Return the waiting for another release that is ordering."""
    why = f"{words.quoted(other.release)} orders its own run that publishes for Windows at this moment, and only one may at a time."
    return Waiting(on=ON, why=why, look_again=words.later(tools))


def _waits(found: Ahead, release: Release, tools: Tools, *, again: bool = False) -> Outcome:
    """Return the waiting for another run; people are asked about one that is not ours, and waits itself."""
    run, url = found.run, tools.azure.page(found.run.id)
    evidence = (Evidence(what=IN_THE_WAY, value=run.name, url=url),)
    queued = f"the run {run.name}, queued by {words.quoted(run.requested_by.name)}"
    why = f"Only one run may publish for Windows at a time, and {queued}, {'publishes now' if found.at_work else 'comes first'}: {url}"
    ours = any(tag.startswith(words.MARK) for tag in run.tags)
    if again:
        # The wish to try again stays, and is granted in its turn.
        return Waiting(on=ON, why=why, look_again=words.later(tools), unheard=True)
    if found.at_work or ours:
        return Waiting(on=ON, why=why, look_again=words.later(tools), evidence=evidence)
    what = f"{why} Let it publish, or cancel it; then I go on by myself."
    return NeedsPerson(who=words.experts(release, tools), what=what, look_again=words.later(tools), evidence=evidence)
