"""Model GitHub Actions as plain data: workflows, their runs, jobs and artifacts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.rehearsal.github_model import JsonObject, Repository, User
from bot.rehearsal.moments import now

RETENTION = timedelta(days=90)
"""How long logs and artifacts are usually kept:
https://docs.github.com/en/organizations/managing-organization-settings/configuring-the-retention-period-for-github-actions-artifacts-and-logs-in-your-organization
"""


@dataclass(frozen=True, kw_only=True)
class Input:
    """An input of a workflow that is started by hand; ``options`` are those of a choice; ``default`` is what a blank one comes to."""

    name: str
    options: tuple[str, ...] = ()
    required: bool = False
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """A job as a workflow plans it; one that is not ``wanted`` is skipped when its turn comes."""

    name: str
    runner: str
    steps: tuple[str, ...]
    needs: tuple[str, ...] = ()
    wanted: bool = True


@dataclass(kw_only=True)
class Job:
    """One execution of a job; ``log`` is what it printed, None as long as there is none."""

    id: int
    planned: PlannedJob
    attempt: int
    status: str = "queued"
    conclusion: str | None = None
    created: datetime = field(default_factory=now)
    started: datetime | None = None
    completed: datetime | None = None
    log: str | None = None

    @property
    def name(self) -> str:
        """Return the name that the job has in its workflow."""
        return self.planned.name


@dataclass(kw_only=True)
class Artifact:
    """What a job uploaded, as a zip archive; the digest is that of the moment of the upload."""

    id: int
    name: str
    archive: bytes
    digest: str
    files: Mapping[str, bytes]
    attempt: int
    created: datetime = field(default_factory=now)
    expired: bool = False


@dataclass(kw_only=True)
class Run:
    """A run of a workflow: every execution of every job, over all attempts, and what they uploaded."""

    id: int
    number: int
    repository: Repository
    head_repository: Repository
    workflow: "Workflow"
    workflow_id: int
    event: str
    actor: User
    triggering_actor: User
    """Who asked for the latest attempt."""
    branch: str
    head_commit: JsonObject
    inputs: Mapping[str, str]
    plan: tuple[PlannedJob, ...]
    waiting: set[str]
    """The names of the jobs whose turn has not come in this attempt."""
    attempt: int = 1
    status: str = "queued"
    conclusion: str | None = None
    created: datetime = field(default_factory=now)
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    jobs: list[Job] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    expired: bool = False

    @property
    def head_sha(self) -> str:
        """Return the commit whose workflow file runs."""
        return str(self.head_commit["id"])

    def latest(self) -> dict[str, Job]:
        """Return each job as it was run last."""
        return {job.name: job for job in self.jobs}


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow file: ``plan`` tells its jobs, and ``printed`` what a job says of its own accord, for the inputs of a run."""

    file: str
    name: str
    inputs: tuple[Input, ...]
    plan: Callable[[Mapping[str, str], str], tuple[PlannedJob, ...]]
    """Called with the inputs and the name of the event."""
    printed: Callable[[Run, str], list[str]]
    """Called with the run and the name of the job."""

    @property
    def path(self) -> str:
        """Return where the file lies in its repository."""
        return f".github/workflows/{self.file}"

    @property
    def defaults(self) -> dict[str, str]:
        """Return what every input comes to when nobody gives it."""
        return {known.name: known.default for known in self.inputs}
