"""Exactly what the bot reads from Azure Pipelines, as frozen data.

The keys are those of the models of the azure-devops package, for approvals those of the service itself:
https://learn.microsoft.com/en-us/rest/api/azure/devops/build/ and https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, NewType
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, AliasPath, AwareDatetime, BeforeValidator, ConfigDict, Field, Strict

DefinitionId = NewType("DefinitionId", int)
"""The number of a pipeline (a *definition*) in its project."""

AzureRunId = NewType("AzureRunId", int)
"""The number of a run, which Azure also calls a build."""

ApprovalId = NewType("ApprovalId", str)
"""The id of one approval: a UUID, which is also the id of its record in the timeline."""

_BOTH_NAMES = ConfigDict(validate_by_name=True, validate_by_alias=True)
_TRUTHS = frozenset({"true", "false"})
_BRANCHES = "refs/heads/"


def _variables(written: object) -> object:
    """Read the variables of a single run, which the service writes as JSON inside a text, and leaves out where there are none."""
    if not isinstance(written, str):
        return written or {}
    try:
        read: object = json.loads(written)
    except (ValueError, RecursionError):
        message = "the variables are no JSON"
        raise ValueError(message) from None
    return read


def uuid_text(text: str) -> str:
    """Write a UUID as it is mostly written, so that two can be compared; raise ValueError for anything else."""
    return str(UUID(text))


class RunStatus(StrEnum):
    """How far a run is."""

    NONE = "none"
    NOT_STARTED = "notStarted"
    IN_PROGRESS = "inProgress"
    POSTPONED = "postponed"
    CANCELLING = "cancelling"
    COMPLETED = "completed"


class RunResult(StrEnum):
    """How a completed run ended."""

    NONE = "none"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partiallySucceeded"
    FAILED = "failed"
    CANCELED = "canceled"


class WorkState(StrEnum):
    """How far a stage or a job is; a stage that waits for an approval is pending."""

    PENDING = "pending"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"


class WorkResult(StrEnum):
    """How a completed stage or job ended."""

    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_ISSUES = "succeededWithIssues"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    ABANDONED = "abandoned"


class ApprovalStatus(StrEnum):
    """What became of an approval, or of one approver's part of it. ``deferred`` is newer than version 7.1 of the description."""

    UNDEFINED = "undefined"
    UNINITIATED = "uninitiated"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    CANCELED = "canceled"
    TIMED_OUT = "timedOut"
    FAILED = "failed"
    COMPLETED = "completed"
    DEFERRED = "deferred"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person, group or service. ``login`` is the unique name, mostly an address."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: str
    name: Annotated[str, Field(validation_alias=AliasChoices("display_name", "displayName"))] = ""
    login: Annotated[str, Field(validation_alias=AliasChoices("unique_name", "uniqueName"))] = ""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is asked for with.

    ``ref`` is that of the pipeline's own repository; ``resources`` gives, under the name that the pipeline uses, the name of the earlier
    run to take; ``commit`` is that of the pipeline's own repository, its newest one where it is empty; ``variables`` have to be settable
    for a single run.
    """

    parameters: Mapping[str, str]
    ref: str
    resources: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a pipeline.

    ``name`` is the text that the pipeline gives it, for instance ``Release_v3.15.0a3_20261120.01``; ``ref`` and ``commit`` are those of the
    pipeline's own repository, not of what it builds; ``parameters`` are all texts, also the truth values. ``variables`` are those that
    were given to this run alone, ``reason`` is why it was queued: ``manual`` for whoever did so, by hand or with a token.
    """

    # By aliases alone: what the service calls parameters are the variables here.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(validate_by_alias=True, validate_by_name=False)

    id: Annotated[AzureRunId, Strict()]
    name: Annotated[str, Field(validation_alias="build_number")]
    definition: Annotated[DefinitionId, Strict(), Field(validation_alias=AliasPath("definition", "id"))]
    status: RunStatus
    result: RunResult | None = None
    parameters: Annotated[Mapping[str, str], Field(validation_alias="template_parameters")] = field(default_factory=dict)
    requested_by: Identity
    queued: Annotated[AwareDatetime, Field(validation_alias="queue_time")]
    started: Annotated[AwareDatetime | None, Field(validation_alias="start_time")] = None
    finished: Annotated[AwareDatetime | None, Field(validation_alias="finish_time")] = None
    ref: Annotated[str, Field(validation_alias="source_branch")] = ""
    commit: Annotated[str, Field(validation_alias="source_version")] = ""
    variables: Annotated[Mapping[str, str], BeforeValidator(_variables), Field(validation_alias="parameters")] = field(default_factory=dict)
    reason: str = ""
    tags: tuple[str, ...] = ()

    def was_given(self, parameters: Mapping[str, str | bool]) -> bool:
        """Tell whether the run has these values, whatever it has besides; truth values count as equal in any case of letters."""
        return all(_plain(self.parameters.get(name)) == _plain(as_text(value)) for name, value in parameters.items())

    def was_set(self, variables: Mapping[str, str]) -> bool:
        """Tell whether the run was given these variables, whatever it was given besides; names count as equal in any case of letters."""
        given = {name.casefold(): value for name, value in self.variables.items()}
        return all(_plain(given.get(name.casefold())) == _plain(value) for name, value in variables.items())

    def is_of(self, ref: str) -> bool:
        """Tell whether the run took the pipeline's source from this branch; the service writes branches in full, people may not."""
        return self.ref.removeprefix(_BRANCHES) == ref.removeprefix(_BRANCHES)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a stage; ``problems`` are the errors that it reported."""

    name: str
    title: str
    state: WorkState
    result: WorkResult | None = None
    started: datetime | None = None
    finished: datetime | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PendingApproval:
    """An approval that a stage waits for, and since when; None where the service does not tell."""

    id: ApprovalId
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage in its newest attempt; ``name`` is what the pipeline's source calls it, ``title`` what people see."""

    name: str
    title: str
    state: WorkState
    result: WorkResult | None = None
    attempt: int = 1
    started: datetime | None = None
    finished: datetime | None = None
    jobs: tuple[Job, ...] = ()
    approvals: tuple[PendingApproval, ...] = ()
    decided: tuple[ApprovalId, ...] = ()
    """The approvals of this attempt that nobody can give any more: they were given, refused, cancelled, or came too late."""


@dataclass(frozen=True, kw_only=True)
class ApprovalStep:
    """One approver's part: a person or a group was asked; ``given_by`` is who answered."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    asked: Annotated[Identity, Field(validation_alias="assignedApprover")]
    status: ApprovalStatus
    given_by: Annotated[Identity | None, Field(validation_alias="actualApprover")] = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """An approval: who was asked, who may not give it, and what became of it. ``run`` is None where the service does not name it."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[ApprovalId, AfterValidator(uuid_text)]
    status: ApprovalStatus
    created: Annotated[AwareDatetime, Field(validation_alias="createdOn")]
    needed: Annotated[int, Strict(), Field(validation_alias="minRequiredApprovers")] = 1
    instructions: str | None = None
    steps: tuple[ApprovalStep, ...] = ()
    blocked: Annotated[tuple[Identity, ...], Field(validation_alias="blockedApprovers")] = ()
    run: Annotated[AzureRunId | None, Field(validation_alias=AliasPath("pipeline", "owner", "id"))] = None
    permissions: str = ""
    """What the bot itself may do about it, where that was asked for."""

    @property
    def is_mine(self) -> bool:
        """Tell whether the bot itself may give it, or refuse it."""
        return "update" in self.permissions.replace(",", " ").split()

    @property
    def open_to(self) -> tuple[Identity, ...]:
        """Those who can still give it."""
        barred = {identity.id for identity in self.blocked}
        return tuple(step.asked for step in self.steps if step.status is ApprovalStatus.PENDING and step.asked.id not in barred)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """Something a run published. Files of a ``PipelineArtifact`` can be read one by one; ``content`` is the key to its list of files."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    name: str
    type: Annotated[str, Field(validation_alias=AliasPath("resource", "type"))] = ""
    content: Annotated[str, Field(validation_alias=AliasPath("resource", "data"))] = ""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Keeps a run from being deleted; ``owner`` is a text of our own."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[int, Strict(), Field(validation_alias="lease_id")]
    owner: Annotated[str, Field(validation_alias="owner_id")]
    run: Annotated[AzureRunId, Strict(), Field(validation_alias="run_id")]
    definition: Annotated[DefinitionId, Strict(), Field(validation_alias="definition_id")]
    until: Annotated[AwareDatetime, Field(validation_alias="valid_until")]


def as_text(value: str | bool) -> str:  # noqa: FBT001 - it is a value to be written, not a switch
    """Write a value as the service takes it: parameters travel as texts."""
    return value if isinstance(value, str) else str(value).lower()


def _plain(text: str | None) -> str | None:
    """Write truth values alike: the service gives back ``True`` for ``true``."""
    return text.lower() if text is not None and text.lower() in _TRUTHS else text
