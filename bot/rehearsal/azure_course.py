"""The course of a run, one step at a time: stages wait for each other and for people, run, end well or badly, and can be tried again."""

from collections.abc import Iterable

from bot.rehearsal.azure_model import Approval, Artifact, Identity, Job, Run, Stage, StagePlan, new_id
from bot.rehearsal.azure_pipeline import artifact_names, holds, needs_approval
from bot.rehearsal.moments import now

Contents = dict[str, dict[str, bytes]]
"""The files that artifacts will have, by the artifact's name."""

_BAD = frozenset({"failed", "canceled", "skipped"})


class NotPossible(Exception):
    """The run is not in a state in which this can be done."""


def planned(plans: Iterable[StagePlan], given: dict[str, str]) -> list[Stage]:
    """Return the stages that a run with these values has."""
    stages = [plan for plan in plans if all(holds(condition, given) for condition in plan.when)]
    return [
        Stage(plan=plan, jobs=[Job(plan=job) for job in plan.jobs if all(holds(condition, given) for condition in job.when)])
        for plan in stages
    ]


def advance(run: Run, contents: Contents) -> bool:
    """Let one thing happen, and tell whether any did; nothing does while the run waits for people, and when it has ended."""
    match run.status:
        case "completed":
            return False
        case "cancelling":
            _end_cancelled(run)
            return True
        case "notStarted":
            run.status, run.started = "inProgress", now()
            return True
    for stage in run.stages:
        if stage.state == "inProgress":
            _end(run, stage, contents)
            return True
    opened = [_open(run, stage) for stage in run.stages if stage.state == "pending"]
    if True in opened:
        return True
    if all(stage.state == "completed" for stage in run.stages):
        run.status, run.result, run.finished = "completed", _result(run), now()
        return True
    return False


def decide(stage: Stage, by: Identity, *, approved: bool, comment: str = "") -> None:
    """Give the approval of a stage, or refuse it; raises NotPossible when nobody asked for one.

    A stage that was refused counts as failed, and so does its run, whatever became of the others:
    https://github.com/microsoft/azure-pipelines-yaml/issues/344, https://github.com/MicrosoftDocs/azure-devops-docs/issues/6005.
    """
    approval = _asked(stage)
    approval.status, approval.by, approval.comment = ("approved" if approved else "rejected"), by, comment
    if not approved:
        _close(stage, "failed")


def time_out(stage: Stage) -> None:
    """Let the time for an approval run out: the stage does not run, but can be tried again; raises NotPossible as ``decide`` does.

    https://learn.microsoft.com/en-us/azure/devops/pipelines/process/approvals
    """
    _asked(stage).status = "timedOut"
    _close(stage, "skipped")


def _asked(stage: Stage) -> Approval:
    if stage.approval is None or stage.approval.status != "pending":
        raise NotPossible(f"the stage {stage.plan.name} does not wait for an approval")
    return stage.approval


def _result(run: Run) -> str:
    results = {stage.result for stage in run.stages}
    if results & _BAD:
        return "failed"
    return "partiallySucceeded" if "succeededWithIssues" in results else "succeeded"


def retry(run: Run, stage: Stage) -> None:
    """Try a failed or cancelled stage again, and with it what was skipped after it; raises NotPossible for others."""
    too_late = stage.approval is not None and stage.approval.status == "timedOut"
    if stage.result not in ("failed", "canceled") and not too_late:
        raise NotPossible(f"the stage {stage.plan.name} has neither failed nor been cancelled")
    again = {stage.plan.name}
    for other in run.stages:
        if other is stage or (other.result == "skipped" and again & set(other.plan.depends)):
            again.add(other.plan.name)
            other.state, other.result, other.approval, other.error = "pending", None, None, ""
            other.started = other.finished = None
            other.attempt += 1
    run.status, run.result, run.finished = "inProgress", None, None


def cancel(run: Run) -> None:
    """Begin to stop a run; raises NotPossible for one that has ended."""
    if run.status == "completed":
        raise NotPossible(f"the run {run.id} has ended")
    run.status = "cancelling"


def _open(run: Run, stage: Stage) -> bool:
    """Let a stage begin, ask for its approval, or skip it; tell whether anything happened."""
    before = [other for other in run.stages if other.plan.name in stage.plan.depends]
    if any(other.state != "completed" for other in before):
        return False
    if any(other.result in _BAD for other in before):
        _close(stage, "skipped")
        return True
    if stage.plan.asks or needs_approval([job.plan for job in stage.jobs], run.parameters):
        if stage.approval is None:
            stage.approval = Approval(id=new_id(), created=now())
            return True
        if stage.approval.status == "pending":
            return False
    stage.state, stage.started = "inProgress", now()
    return True


def _end(run: Run, stage: Stage, contents: Contents) -> None:
    """End a stage that runs: with its artifacts and tags, or with its error."""
    stage.error, stage.failing = stage.failing, ""
    if stage.error and not stage.limping:
        _close(stage, "failed")
        return
    for job in stage.jobs:
        if job.plan.tag:
            run.tags.append(job.plan.tag)
        for pattern, kind in job.plan.artifacts.items():
            for name in artifact_names(pattern, run.parameters):
                run.artifacts[name] = Artifact(kind=kind, files=dict(contents.get(name, {})))
    _close(stage, "succeededWithIssues" if stage.error else "succeeded")


def _end_cancelled(run: Run) -> None:
    for stage in run.stages:
        if stage.approval is not None and stage.approval.status == "pending":
            stage.approval.status = "canceled"
        if stage.state != "completed":
            _close(stage, "canceled" if stage.state == "inProgress" or stage.approval else "skipped")
    run.status, run.result, run.finished = "completed", "canceled", now()


def _close(stage: Stage, result: str) -> None:
    stage.state, stage.result, stage.finished = "completed", result, now()
