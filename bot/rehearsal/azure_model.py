"""What a small Azure DevOps consists of: pipelines, their runs, and who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import uuid4

JsonObject = dict[str, object]


def new_id() -> str:
    """Return a fresh UUID, as Azure gives one to almost everything."""
    return str(uuid4())


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person or a service account of the organisation, or with ``members`` a group."""

    login: str
    name: str
    id: str = field(default_factory=new_id)
    members: tuple["Identity", ...] = ()

    def stands_for(self, login: str) -> bool:
        """Tell whether somebody is this, or in this group."""
        return self.login == login or any(member.login == login for member in self.members)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a pipeline; ``values`` is a closed list, or empty."""

    name: str
    type: str
    default: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """A job as the pipeline's source has it: present when everything in ``when`` is true; ``artifacts`` gives kinds by pattern of names."""

    name: str
    display: str
    when: tuple[str, ...] = ()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """A stage as the pipeline's source has it; one that ``asks`` uses an environment for which somebody must approve it."""

    name: str
    display: str
    depends: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    jobs: tuple[JobPlan, ...] = ()
    asks: bool = False


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What a pipeline's source says at one commit."""

    commit: str
    stages: tuple[StagePlan, ...]


class Source(Protocol):
    """The repository that a pipeline lies in."""

    def at(self, ref: str, version: str) -> Checkout:
        """Read the source at a commit of a ref, at its newest one without a ``version``; raise LookupError with what Azure says then."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline; None for ``parameters`` says that its source is not at hand, so that every parameter is taken.

    With a ``source`` that decides about the stages, and ``stages`` do not count. Runs are called by ``naming`` with the date and a number
    of so many ``digits`` after it: https://learn.microsoft.com/en-us/azure/devops/pipelines/process/run-number.
    """

    id: int
    name: str
    path: str
    parameters: tuple[Parameter, ...] | None
    stages: tuple[StagePlan, ...] = ()
    repository: str = "python/release-tools"
    source: Source | None = None
    naming: str = ""
    digits: int = 1
    settable: frozenset[str] = frozenset()
    """The variables that may be set when a run is queued."""
    needed: frozenset[str] = frozenset()
    """Those of them that releases need."""


@dataclass(kw_only=True)
class Approval:
    """An approval that a stage waits for, or waited for."""

    id: str
    created: datetime
    status: str = "pending"
    by: Identity | None = None
    comment: str = ""


@dataclass(kw_only=True)
class Job:
    """A job of a run."""

    plan: JobPlan
    id: str = field(default_factory=new_id)


@dataclass(kw_only=True)
class Stage:
    """A stage of a run, in its newest attempt; ``failing`` is the error that its first job will meet, if any.

    ``limping`` says that the job meets it and goes on all the same, so that the stage ends well but for that.
    """

    plan: StagePlan
    jobs: list[Job]
    id: str = field(default_factory=new_id)
    phase: str = field(default_factory=new_id)
    checkpoint: str = field(default_factory=new_id)
    state: str = "pending"
    result: str | None = None
    attempt: int = 1
    started: datetime | None = None
    finished: datetime | None = None
    approval: Approval | None = None
    failing: str = ""
    limping: bool = False
    error: str = ""


@dataclass(kw_only=True)
class Artifact:
    """What a job published."""

    kind: str
    files: dict[str, bytes]
    id: str = field(default_factory=lambda: new_id().replace("-", "").upper())


@dataclass(kw_only=True)
class Run:
    """A run of a pipeline."""

    id: int
    name: str
    pipeline: Pipeline
    parameters: dict[str, str]
    ref: str
    commit: str
    requested_by: Identity
    queued: datetime
    stages: list[Stage]
    earlier: dict[str, str] = field(default_factory=dict)
    """The names of the runs that it takes up, by the names that the pipeline gives them."""
    variables: dict[str, str] = field(default_factory=dict)
    status: str = "notStarted"
    result: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    tags: list[str] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """Return a stage by its name; raises KeyError."""
        for stage in self.stages:
            if stage.plan.name == name:
                return stage
        raise KeyError(name)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Keeps a run from being deleted."""

    id: int
    owner: str
    run: int
    pipeline: int
    created: datetime
    until: datetime
