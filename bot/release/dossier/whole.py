"""What a dossier says of its checks and steps, and as a whole (see ``bot.release.dossier.persons``)."""

from dataclasses import dataclass
from typing import Literal

from bot.release.dossier.made import Build, File, Line, Proof, Publication, Root, Run, Tag, Version
from bot.release.dossier.persons import (
    Acknowledgement,
    Actor,
    Approval,
    Ask,
    Command,
    Deferral,
    Go,
    HandWork,
    Issue,
    Part,
    Person,
    Recall,
    Waiver,
)


@dataclass(frozen=True, kw_only=True)
class Place(Part):
    """Lines of a file in the tag's commit, counted from 1."""

    path: str
    line: int
    last: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Finding(Part):
    """One observation of a check."""

    check: str
    rule: str
    word: str
    """What it asked for: `explained`, `to acknowledge` or `waiver only`."""
    what: str
    count: int
    subjects: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class Check(Part):
    """What a step found in this attempt, in the branch head or the tag object that is its subject."""

    step: str
    subject: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence(Part):
    """One thing to look at."""

    what: str
    value: str
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Step(Part):
    """One step as it stood in the end."""

    step: str
    state: str
    why: str
    began: str | None
    ended: str | None
    seconds: int | None
    seconds_waited: int
    """For how long it waited for people."""
    evidence: tuple[Evidence, ...]
    diagnostics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Attempt(Part):
    """An attempt that lapsed."""

    attempt: int
    why: str
    ended: str
    tag: Tag | None
    head: str | None
    """The frozen head of the branch."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Journal(Part):
    """Where the journal ended when the dossier was closed: each of its entries is sealed by a hash that covers the one before it."""

    at: str
    """When that was."""
    sequence: int
    """How many entries it had."""
    hash: str
    """The hash of the last."""


@dataclass(frozen=True, kw_only=True)
class Dossier(Part):
    """Everything that is known of a release, from the word that opened it until it was tidied up."""

    format: Literal[2]
    release: str
    """What names the release for ever."""
    project: str
    repository: str
    issue: Issue
    version: str
    kind: str
    series: str
    branch: str
    outcome: str
    """`released`, `aborted` or `under way`."""
    why: str | None
    """Why it was aborted."""
    opened: str
    closed: str | None
    """When the last step before the wrap-up ended; null while that is to come. Nothing that came later is in the document."""
    seconds: int | None
    seconds_waited: int
    """For how long people were waited for, whoever they were."""
    starter: Person
    manager: Person | None
    """The release manager of the series."""
    actors: tuple[Actor, ...]
    commands: tuple[Command, ...]
    attempt: int
    earlier_attempts: tuple[Attempt, ...]
    tag: Tag | None
    plan: tuple[Line, ...]
    pushed: str | None
    checks: tuple[Check, ...]
    approvals: tuple[Approval, ...]
    acknowledgements: tuple[Acknowledgement, ...]
    waivers: tuple[Waiver, ...]
    hand_work: tuple[HandWork, ...]
    deferrals: tuple[Deferral, ...]
    go: Go | None
    recalls: tuple[Recall, ...]
    runs: tuple[Run, ...]
    builds: tuple[Build, ...]
    publication: Publication | None
    files: tuple[File, ...]
    proofs: tuple[Proof, ...]
    roots: tuple[Root, ...]
    versions: tuple[Version, ...]
    steps: tuple[Step, ...]
    people: tuple[Ask, ...]
    journal: Journal | None
    """Null while the dossier is not closed."""
