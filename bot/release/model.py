"""What a release is: the whole state of one release as frozen data, stored as one JSON document."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.release.facts import NOT_SEEN, Build, Checked, Finding, FrozenRef, Origin, PlannedRef, Proved, Run, Tag
from bot.release.ids import CommentId, CommitId, IssueNumber, ReleaseId, Repository, UserId
from bot.release.outcomes import Evidence
from bot.release.published import FileRead, PublicationSeen
from bot.release.record import Said, Seal, StageDecision
from bot.release.version import Kind, SeriesStatus, Version


class ReleaseState(StrEnum):
    """Where a release stands as a whole."""

    RUNNING = "running"
    HALTED = "halted"
    ABORTING = "aborting"
    ABORTED = "aborted"
    DONE = "done"

    @property
    def over(self) -> bool:
        """Tell whether nothing will ever happen to this release again."""
        return self in (ReleaseState.ABORTED, ReleaseState.DONE)


class StepStatus(StrEnum):
    """Where one step stands."""

    PENDING = "pending"
    WAITING = "waiting"
    NEEDS_PERSON = "needs a person"
    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, kw_only=True)
class StepState:
    """One step as it was last seen. ``since`` is when it took its present status, ``began`` when it was first looked at."""

    name: str
    status: StepStatus = StepStatus.PENDING
    why: str = ""
    on: tuple[str, ...] = ()
    say: str = ""
    since: datetime | None = None
    began: datetime | None = None
    ended: datetime | None = None
    look_again: datetime | None = None
    retryable: bool = True
    evidence: tuple[Evidence, ...] = ()
    diagnostics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person by numeric id; the login is only for reading."""

    id: UserId
    login: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person approved one push plan; ``plan`` is its digest."""

    by: Actor
    tag: str
    plan: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """The release manager took note of findings, by their digest."""

    by: Actor
    digest: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A second person let one failed check pass, for one SHA, for a reason."""

    by: Actor
    check: str
    sha: str
    digest: str
    """The digest of exactly those findings that were let pass."""
    reason: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Go:
    """A person saw every result of this tag and let it become public; ``results`` is their digest."""

    by: Actor
    tag: str
    results: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class HandWork:
    """An expert says that a step done by hand is done; ``sha256`` is that of the file they made, empty where none was asked for."""

    name: str
    by: Actor
    tag: str
    sha256: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Deferral:
    """The release goes on without the files of a step done by hand; they follow later."""

    name: str
    by: Actor
    tag: str
    reason: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Recall:
    """Somebody wants to give up a release that may be public already; it takes two."""

    by: Actor
    reason: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Look:
    """One time at which the whole publication was read again after the release: what differed from what was confirmed, and what is new."""

    at: datetime
    differences: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that has to be told once, in a comment of its own that is found again by ``about``."""

    about: str
    text: str
    told: bool = False


@dataclass(frozen=True, kw_only=True)
class Later:
    """What became of the publication after the release was over.

    ``looked`` is when the latest complete look began, ``asked`` that somebody wants one now, and ``try_again`` when one goes on that could
    not be ended; ``silent`` is since when. ``known`` need not be asked for again: what was read of a look that could not be ended, and
    what is not handed out, which is never asked for by the clock. ``rows`` and ``files`` were not there when the release was confirmed and
    may be since. ``keys`` are the differences that an alarm was raised for. ``ended`` is why nobody watches any more.
    """

    looked: datetime | None = None
    looks: tuple[Look, ...] = ()
    asked: bool = False
    try_again: datetime | None = None
    silent: datetime | None = None
    known: tuple[FileRead, ...] = ()
    rows: str = ""
    files: tuple[FileRead, ...] = ()
    keys: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    hand_work: tuple[HandWork, ...] = ()
    recalls: tuple[Recall, ...] = ()
    ended: str = ""


@dataclass(frozen=True, kw_only=True)
class HumanAct:
    """A row of what a release needs of a person (invariant I10). ``done`` is None while it is waited for."""

    step: str
    who: tuple[str, ...]
    what: str
    say: str = ""
    since: datetime
    done: datetime | None = None
    told: int = 0
    """How many comments of their own told the person so: the first call and the reminders."""
    told_at: datetime | None = None


class Goal(StrEnum):
    """What a command set in motion; its comment gets a thumbs-up when it is reached."""

    RELEASED = "released"
    FROZEN = "frozen"
    ABORTED = "aborted"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The comment to be answered with a thumbs-up once the goal is reached."""

    comment: CommentId
    goal: Goal


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An earlier attempt, kept visible."""

    number: int
    why: str
    ended: datetime
    tag: Tag | None
    head: CommitId | None
    steps: tuple[StepState, ...]


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release, from the comment that opened it to the thaw."""

    id: ReleaseId
    project: str
    repository: Repository
    """The repository whose branch and tag are released."""
    home: Repository
    """The repository of the issue: where people and the bot talk."""
    issue: IssueNumber
    version: Version
    kind: Kind
    series: str
    branch: str
    starter: Actor
    manager: Actor | None
    """The release manager of the series by live data; None when that could not be read."""
    status: SeriesStatus | None = None
    """The status of the series when the release was started, which its kind rests on; None when that could not be read."""
    approvers: tuple[Actor, ...] = ()
    """Who may be the second person of a waiver, by the profile."""
    opened: datetime
    state: ReleaseState = ReleaseState.RUNNING
    state_why: str = ""
    state_by: Actor | None = None
    halted_from: ReleaseState = ReleaseState.RUNNING
    """What a halted release becomes again when it is resumed: a halted abort stays an abort."""
    attempt: int = 1
    attempt_why: str = ""
    attempt_since: datetime | None = None
    refreeze_from: CommitId | None = None
    """The head of the lifted freeze: while it is set, the next freeze waits for the branch to move."""
    frozen: tuple[FrozenRef, ...] = ()
    tag: Tag | None = None
    plan: tuple[PlannedRef, ...] = ()
    origins: tuple[Origin, ...] = ()
    """Where those commits of the plan come from that are more than the tag's own."""
    pushed: datetime | None = None
    runs: tuple[Run, ...] = ()
    """Every run that was ordered, in every attempt."""
    builds: tuple[Build, ...] = ()
    hand_work: tuple[HandWork, ...] = ()
    deferrals: tuple[Deferral, ...] = ()
    go: Go | None = None
    """While it is set, bytes may be public: another tag cannot take the place of this one any more."""
    stages: tuple[StageDecision, ...] = ()
    """What was decided about single artifacts, in this attempt."""
    recalls: tuple[Recall, ...] = ()
    publication: PublicationSeen | None = None
    later: Later = Later()
    """What is no part of the dossier, because it comes after the end."""
    proofs: tuple[Proved, ...] = ()
    """What each step proved of the pinned tag and of what was made of it."""
    checked: tuple[Checked, ...] = ()
    approvals: tuple[Approval, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    steps: tuple[StepState, ...] = ()
    people: tuple[HumanAct, ...] = ()
    past: tuple[Attempt, ...] = ()
    status_comment: CommentId | None = None
    status_revision: int = 0
    status_digest: str = ""
    status_lost: int = 0
    """How often somebody deleted the status comment."""
    promises: tuple[Promise, ...] = ()
    commands: tuple[Said, ...] = ()
    """Every command that took effect, in every attempt."""
    seal: Seal | None = None
    """Set once and for all when the dossier is closed."""
    heard: tuple[CommentId, ...] = ()
    """Comments already acted on or answered."""
    retry: str = ""
    """The step that a person asked to look again, until it has."""
    posted: tuple[str, ...] = ()
    """The check runs already posted, as ``ATTEMPT:STEP:STATUS`` with the repository before it."""

    @property
    def made_its_tag(self) -> bool:
        """Tell whether the bot itself made the pinned tag, of a commit that is upstream already, so that no fork has it."""
        return self.tag is not None and self.tag.fork == self.repository

    def step(self, name: str) -> StepState:
        """Return the state of a step; raise KeyError for one this release does not have."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def with_step(self, state: StepState) -> "Release":
        """Return this release with one step's state replaced."""
        return replace(self, steps=tuple(state if step.name == state.name else step for step in self.steps))

    def has_step(self, name: str) -> bool:
        """Tell whether this release takes such a step at all."""
        return any(step.name == name and step.status is not StepStatus.NOT_APPLICABLE for step in self.steps)

    def build(self, step: str) -> Build | None:
        """Return what a step's builder made of the pinned tag, or None."""
        return next((build for build in self.builds if build.step == step and self.tag and build.tag == self.tag.object), None)

    def latest_run(self, step: str, purpose: str) -> Run | None:
        """Return the latest run that was ordered for a purpose in this attempt, or None."""
        fitting = (run for run in reversed(self.runs) if (run.step, run.purpose, run.attempt) == (step, purpose, self.attempt))
        return next(fitting, None)

    def in_doubt(self, step: str) -> Run | None:
        """Return an order of an earlier attempt of which nobody knows yet what became of it; a run that is found could be its own."""
        return next((run for run in self.runs if run.step == step and run.id == NOT_SEEN and not run.over), None)

    def findings(self, step: str) -> tuple[Finding, ...]:
        """Return what the given step found in this attempt."""
        return tuple(finding for checked in self.checked if checked.step == step for finding in checked.findings)
