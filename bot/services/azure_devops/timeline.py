"""Read a run's timeline: a flat list of records, each naming its parent, as stages with their jobs and pending approvals.

Stages hold phases, and these hold jobs; a stage's checkpoint holds its approvals.
https://learn.microsoft.com/en-us/rest/api/azure/devops/build/timeline/get
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, Strict

from bot.services.answers import one_line
from bot.services.azure_devops.shapes import ApprovalId, Job, PendingApproval, Stage, WorkResult, WorkState, uuid_text

_MOST_PROBLEMS = 10
"""Errors of one job that are kept: a broken build repeats itself."""


RecordId = Annotated[str, AfterValidator(uuid_text)]


@dataclass(frozen=True, kw_only=True)
class Issue:
    """Something that a job reported."""

    type: str
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of the timeline; times may be absent."""

    id: RecordId
    type: str
    parent_id: RecordId | None = None
    identifier: str | None = None
    name: str = ""
    state: WorkState
    result: WorkResult | None = None
    start_time: AwareDatetime | None = None
    finish_time: AwareDatetime | None = None
    last_modified: AwareDatetime | None = None
    attempt: Annotated[int, Strict(), Field(ge=0)] = 1
    order: int | None = None
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """All records of a run's newest timeline."""

    records: tuple[Record, ...] = ()


def stages(timeline: Timeline) -> tuple[Stage, ...]:
    """Return the stages in their order."""
    children: defaultdict[str | None, list[Record]] = defaultdict(list)
    for record in timeline.records:
        children[record.parent_id].append(record)
    return tuple(_stage(record, children) for record in _ordered(timeline.records) if record.type == "Stage")


def _stage(record: Record, children: defaultdict[str | None, list[Record]]) -> Stage:
    phases = [child for child in _ordered(children[record.id]) if child.type == "Phase"]
    checkpoints = [child for child in children[record.id] if child.type == "Checkpoint"]
    jobs = [job for phase in phases for job in _ordered(children[phase.id]) if job.type == "Job"]
    return Stage(
        name=record.identifier or record.name,
        title=record.name,
        state=record.state,
        result=record.result,
        attempt=record.attempt,
        started=record.start_time,
        finished=record.finish_time,
        jobs=tuple(_job(job, children[job.id]) for job in jobs),
        approvals=tuple(approval for checkpoint in checkpoints for approval in _approvals(children[checkpoint.id])),
        decided=tuple(approval for checkpoint in checkpoints for approval in _decided(children[checkpoint.id])),
    )


def _job(record: Record, tasks: Iterable[Record]) -> Job:
    """Read a job; what its tasks reported stands with them, and some of it with the job as well."""
    errors = list(dict.fromkeys(one_line(issue.message) for one in (record, *tasks) for issue in one.issues if issue.type == "error"))
    return Job(
        name=record.identifier or record.name,
        title=record.name,
        state=record.state,
        result=record.result,
        started=record.start_time,
        finished=record.finish_time,
        problems=tuple(errors[:_MOST_PROBLEMS]),
    )


def _approvals(records: Iterable[Record]) -> Iterator[PendingApproval]:
    """Yield the approvals that are still to be given: the id of such a record is the id of the approval."""
    for record in records:
        if record.type == "Checkpoint.Approval" and record.state is not WorkState.COMPLETED:
            yield PendingApproval(id=ApprovalId(record.id), since=record.start_time or record.last_modified)


def _decided(records: Iterable[Record]) -> Iterator[ApprovalId]:
    for record in records:
        if record.type == "Checkpoint.Approval" and record.state is WorkState.COMPLETED:
            yield ApprovalId(record.id)


def _ordered(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.order or 0)
