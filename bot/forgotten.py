"""Find runs again that were ordered in an attempt that is over and of which the release does not know, because an answer was lost.

1. What the ledger knows of orders and the release does not is remembered as a run. Where nobody knows its id, that is 0.
2. Such a run is looked for among those of its attempt, by what it was ordered with. When it was not there for ``timing.confirm_gap``, the
   order never took effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.azure import orders as azure_orders
from bot.azure import parameters as azure_parameters
from bot.azure import twins as azure_twins
from bot.context import Context
from bot.effects import Door
from bot.errors import UserError
from bot.profile.types import StepName
from bot.release.facts import NOT_SEEN, Run
from bot.release.model import Release, ReleaseState
from bot.store.claim import Claim
from bot.store.model import Finished, Fresh
from bot.tools import Tools
from bot.workflow import runs as workflow_runs
from bot.workflow.runs import Place


class Unclear(UserError):
    """Of several runs nobody can tell which one was ordered, so none is touched."""

    def __init__(self, name: str, urls: Sequence[str]) -> None:
        """Keep where they are."""
        super().__init__(f"{len(urls)} runs look like {name}, so none of them is cancelled: {', '.join(urls)}")
        self.urls = tuple(urls)


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Which effects of a step order runs: ``verb`` and a number are their names."""

    step: StepName
    purpose: str
    verb: str

    def effect(self, number: int) -> str:
        """Return the name of the effect that places an order."""
        return f"{self.verb} {number}"


TRAILS: Final = (
    Trail(step=StepName.SOURCE, purpose=workflow_runs.PURPOSE, verb=workflow_runs.DISPATCH),
    Trail(step=StepName.WINDOWS, purpose=azure_parameters.BUILD, verb=f"queue {azure_parameters.BUILD}"),
    Trail(step=StepName.PACKAGE_BUILD, purpose=azure_parameters.BUILD, verb=f"queue {azure_parameters.BUILD}"),
    Trail(step=StepName.WINDOWS_PUBLISH, purpose=azure_parameters.PUBLISH, verb=f"queue {azure_parameters.PUBLISH}"),
)


async def forgotten(context: Context, claim: Claim, release: Release) -> list[Run]:
    """Return the runs that were ordered in attempts which are over, and are not among those of the release."""
    found = []
    for attempt in _over(release):
        tools = context.tools(Door(claim, release.id, attempt, context.observers))
        for trail in TRAILS:
            known = (run.number for run in release.runs if (run.step, run.purpose, run.attempt) == (trail.step, trail.purpose, attempt))
            number = max(known, default=0) + 1
            while run := await _remembered(trail, number, attempt, tools):
                found.append(run)
                number += 1
    return found


async def sought(run: Run, release: Release, tools: Tools) -> Run | None:
    """Return a run whose id nobody knew as it is now known: seen, or over because it never came to be; None says to look again.

    Raise Unclear where several fit, and Unavailable. ``tools`` have the door of the attempt.
    """
    seen, undecided = await (_on_github(run, release, tools) if run.step == StepName.SOURCE else _on_azure(run, release, tools))
    if seen is not None:
        return seen
    patience = timedelta(seconds=tools.profile.timing.confirm_gap)
    never = not undecided and tools.now() - run.at >= patience
    return replace(run, over=True) if never else None


def _over(release: Release) -> tuple[int, ...]:
    """Return the attempts whose runs nobody wants any more."""
    past = tuple(one.number for one in release.past)
    return (*past, release.attempt) if release.state in (ReleaseState.ABORTING, ReleaseState.ABORTED) else past


async def _remembered(trail: Trail, number: int, attempt: int, tools: Tools) -> Run | None:
    intent = await tools.door.known(trail.step, trail.effect(number))
    if isinstance(intent, Fresh):
        return None
    result = intent.result if isinstance(intent, Finished) else {}
    ordered = intent.parameters.get("inputs") or intent.parameters.get("parameters") or {}
    return Run(
        step=trail.step.value,
        purpose=trail.purpose,
        number=number,
        attempt=attempt,
        id=int(result.get("run", NOT_SEEN)),
        name=f"{trail.step} {trail.effect(number)}",
        url=str(result.get("url", "")),
        ordered=tuple((name, str(value)) for name, value in sorted(ordered.items())),
        at=tools.now(),
        over=azure_orders.was_refused(intent) or bool(workflow_runs.refused_with(intent)),
    )


async def _on_github(run: Run, release: Release, tools: Tools) -> tuple[Run | None, bool]:
    """Return the run, and whether there are others that have not shown yet what they build."""
    workflow = tools.profile.workflow
    if workflow is None:
        return None, False
    workflow = await workflow_runs.as_ordered(run, workflow, tools)
    since, until = _span(run, release)
    known = frozenset(one.id for one in release.runs)
    seen = await workflow_runs.look_for(Place(workflow=workflow, inputs=dict(run.ordered), since=since, known=known), tools)
    fitting = [
        replace(run, id=one.id, name=f"{workflow.file} {one.id}", url=one.url, over=one.completed)
        for one in seen.ours
        if until is None or one.created <= until
    ]
    return _only(run, fitting), bool(seen.undecided)


async def _on_azure(run: Run, release: Release, tools: Tools) -> tuple[Run | None, bool]:
    """Return the run; Azure tells of each at once what it was ordered with."""
    trail = next(trail for trail in TRAILS if (trail.step, trail.purpose) == (run.step, run.purpose))
    intent = await tools.door.known(run.step, trail.effect(run.number))
    if isinstance(intent, Fresh) or intent.parameters.get("definition") is None:
        return None, False
    since, until = _span(run, release)
    order, known = azure_orders.as_ordered(run.step, run.purpose, intent.parameters), {one.id for one in release.runs}
    fitting = [
        replace(run, id=one.id, name=one.name, url=tools.azure.page(one.id), over=one.finished is not None)
        for one in await azure_twins.candidates(order, since - azure_orders.SKEW, tools)
        if one.id not in known and (until is None or one.queued <= until)
    ]
    return _only(run, fitting), False


def _only(run: Run, fitting: list[Run]) -> Run | None:
    """Return the run that was ordered; one that is over may be it as well, cancelled in an earlier life."""
    alive = [one for one in fitting if not one.over]
    if len(alive) > 1:
        raise Unclear(run.name, sorted(one.url for one in alive))
    return next(iter(alive or fitting), None)


def _span(run: Run, release: Release) -> tuple[datetime, datetime | None]:
    """Return from when to when the attempt of a run lasted; None for the present one."""
    ends = {past.number: past.ended for past in release.past}
    return ends.get(run.attempt - 1, release.opened), ends.get(run.attempt)
