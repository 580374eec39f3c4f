"""Say what went wrong in a run on Azure Pipelines, and by whom; try its stages again; stop a run that nobody needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.azure import words
from bot.azure.view import GOOD, ON, View, is_ending, read
from bot.effects import Nature
from bot.journal import Json
from bot.release.facts import RunSeen
from bot.release.outcomes import Failed, Waiting
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.shapes import (
    Approval,
    ApprovalStatus,
    ApprovalStep,
    RunStatus,
    Stage,
    WorkResult,
    WorkState,
)
from bot.tools import Tools

_RETRYABLE: Final = frozenset({WorkResult.FAILED, WorkResult.CANCELED, WorkResult.ABANDONED})
_DECIDED_AGAINST: Final = frozenset({ApprovalStatus.REJECTED, ApprovalStatus.TIMED_OUT, ApprovalStatus.CANCELED, ApprovalStatus.FAILED})


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A stage that did not end well, and the approval that kept it from that, if one did."""

    stage: Stage
    approval: Approval | None = None


async def gone_wrong(view: View, tools: Tools) -> list[Bad]:
    """Return the stages with which the trouble began; those that were only skipped after them are left out."""
    ended = [stage for stage in view.stages if stage.state is WorkState.COMPLETED and stage.result not in GOOD]
    approvals = {one.id: one for one in await tools.azure.approvals([each for stage in ended for each in stage.decided])}
    found = []
    for stage in ended:
        against = [approvals[one] for one in stage.decided if one in approvals and approvals[one].status in _DECIDED_AGAINST]
        if against or stage.result in _RETRYABLE:
            found.append(Bad(stage=stage, approval=next(iter(against), None)))
    return found


def failed_stages(step: str, bad: Sequence[Bad], view: View, tools: Tools) -> Failed:
    """Return the failure of stages that can be tried again, with what their jobs reported."""
    again = f"When that is mended, say `/release retry {step}`: every stage that did not end well is tried again."
    return Failed(
        why=" ".join(_why(one, view.run.name) for one in bad),
        diagnostics=(*words.sentences(problem for one in bad for problem in problems(one.stage)), f"{again} The run: {view.known.url}"),
        retryable=False,
        look_again=words.later(tools),
        evidence=words.evidence(view.run, view.stages, tools),
        facts=(RunSeen(run=view.known),),
    )


def _why(bad: Bad, name: str) -> str:
    stage = f"The stage {words.quoted(bad.stage.name)} of the run {name}"
    match bad.approval.status if bad.approval else None:
        case ApprovalStatus.REJECTED:
            return f"The approval of {words.quoted(bad.stage.name)} in the run {name} was rejected by {_rejected(bad.approval)}."
        case ApprovalStatus.TIMED_OUT:
            return f"{stage} did not run, because nobody approved it in time."
        case _ if bad.stage.result is WorkResult.CANCELED:
            return f"{stage} was cancelled."
        case _:
            return f"{stage} failed."


def _rejected(approval: Approval | None) -> str:
    steps: Sequence[ApprovalStep] = [step for step in approval.steps if step.status is ApprovalStatus.REJECTED] if approval else []
    people = [words.quoted(step.given_by.name or step.given_by.login) for step in steps if step.given_by]
    comments = [words.quoted(step.comment, 200) for step in steps if step.comment]
    said = f", who said {words.listed(comments)}" if comments else ""
    return f"{words.listed(people or ['somebody'])}{said}"


def problems(stage: Stage) -> tuple[str, ...]:
    """Return the errors that the jobs of a stage reported, each with the job before it."""
    return tuple(f"{job.title or job.name}: {problem}" for job in stage.jobs for problem in job.problems)


# ---- another try -----------------------------------------------------------------------------------------------------------------------


async def retry(step: str, bad: Sequence[Bad], view: View, tools: Tools) -> Waiting | None:
    """Try every stage again that did not end well, once for each of its attempts; return None where the service lets none be tried."""
    tried = [one.stage.name for one in bad if await _retry_stage(step, one.stage, view, tools)]
    if not tried:
        return None
    names = words.listed(words.quoted(name) for name in tried)
    return Waiting(
        on=ON,
        why=f"The stage {names} of the run {view.run.name} is tried again.",
        look_again=words.later(tools),
        evidence=words.evidence(view.run, view.stages, tools),
        facts=(RunSeen(run=replace(view.known, over=False)),),
    )


async def _retry_stage(step: str, stage: Stage, view: View, tools: Tools) -> bool:
    """Tell whether a stage is tried again; the service refuses it for runs that are too old."""

    async def attempt() -> Mapping[str, Json] | None:
        now = next((one for one in await tools.azure.timeline(view.run.id) if one.name == stage.name), None)
        return {"attempt": now.attempt} if now is not None and now.attempt > stage.attempt else None

    async def retry() -> Mapping[str, Json]:
        await tools.azure.retry_stage(view.run.id, stage.name)
        return await attempt() or {"attempt": stage.attempt + 1}

    name = f"retry {stage.name} of run {view.run.id} after try {stage.attempt}"
    parameters: Mapping[str, Json] = {"run": view.run.id, "stage": stage.name, "attempt": stage.attempt}
    try:
        await tools.door(step, name, nature=Nature.FINDABLE, parameters=parameters, do=retry, find=attempt)
    except AzureRefused as refusal:
        if refusal.denied:
            raise
        return False
    return True


async def cancel(step: str, view: View, tools: Tools) -> None:
    """Stop a run that nobody needs, if it has not ended."""
    number = view.run.id

    async def stopped() -> Mapping[str, Json] | None:
        run = await read(number, tools)
        if run is None:
            return {"status": "gone"}
        return {"status": run.status.value} if is_ending(run) else None

    async def stop() -> Mapping[str, Json]:
        try:
            await tools.azure.cancel(number)
        except AzureRefused:
            # It may have ended just now.
            if (done := await stopped()) is None:
                raise
            return done
        return await stopped() or {"status": RunStatus.CANCELLING.value}

    if not view.ended:
        await tools.door(step, f"cancel run {number}", nature=Nature.FINDABLE, parameters={"run": number}, do=stop, find=stopped)
