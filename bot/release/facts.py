"""What steps learn about the world and the release must remember. Pure data, stored as JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.release.ids import CommitId, Ref, Repository, RulesetId, TagId, UserId
from bot.release.published import PublicationSeen


class Signed(StrEnum):
    """How a tag object is authenticated."""

    OPENPGP = "openpgp"
    SSH = "ssh"
    GITSIGN = "gitsign"
    UNSIGNED = "unsigned"


class Severity(StrEnum):
    """What a finding asks for (invariant I9)."""

    EXPLAINED = "explained"
    ACKNOWLEDGE = "to acknowledge"
    WAIVER = "waiver only"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a finding shows itself: the lines from ``line`` to ``last``, counted from 1, of a file in the tag's commit.

    ``message`` is a whole sentence, which stands beside these lines.
    """

    path: str
    line: int
    last: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One observation of a check: ``check`` names the check, ``rule`` the rule that explains it or fails to.

    ``count`` is how many things it stands for (files, builders, issues); ``subject`` names them in full, for the digest and for people.
    ``places`` are the first of the lines that a person has to look at.
    """

    check: str
    rule: str
    severity: Severity
    what: str
    count: int = 1
    subject: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeptProtection:
    """The classic protection of a branch, whole, in the form in which it can be written back.

    ``settings`` is the canonical JSON text of the body of
    https://docs.github.com/en/rest/branches/branch-protection#update-branch-protection, empty for a branch without protection;
    ``signatures`` is whether signed commits are required, which is written on its own.
    """

    settings: str
    signatures: bool


@dataclass(frozen=True, kw_only=True)
class FrozenRef:
    """A ref under our rule; ``head`` is None for a ref that does not exist yet (a tag, a branch to come)."""

    ref: Ref
    head: CommitId | None
    since: datetime
    ruleset: RulesetId
    """0 where classic protection holds the branch."""
    ruleset_name: str
    protection: KeptProtection | None = None
    """What is put back when the branch is opened again; None where a ruleset holds it."""

    @property
    def to_come(self) -> bool:
        """Tell whether this is a branch that did not exist when it was frozen."""
        return self.head is None and self.ref.startswith("refs/heads/")


@dataclass(frozen=True, kw_only=True)
class Tag:
    """The pinned tag object. ``content`` is the raw object in base64, so that an empty disk can resume."""

    object: TagId
    commit: CommitId
    name: str
    fork: Repository
    owner: UserId
    content: str
    signature: Signed = Signed.UNSIGNED
    signer: str = ""
    tagger: str = ""
    dated: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedRef:
    """One line of the push plan: ``ref`` goes from ``old`` (None: must not exist) to ``new``."""

    ref: Ref
    old: CommitId | None
    new: CommitId | TagId


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A check ran over ``subject`` (a branch head before the tag exists, afterwards the tag object)."""

    step: str
    subject: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Froze:
    """The freeze is effective on exactly these refs."""

    refs: tuple[FrozenRef, ...]


@dataclass(frozen=True, kw_only=True)
class TagSeen:
    """A tag object was seen in a fork; it may differ from the one that was pinned."""

    tag: Tag


@dataclass(frozen=True, kw_only=True)
class TagProved:
    """The audit proved who made the tag."""

    tag: Tag


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a branch's new head comes from, when it is more than the tag's commit with the bot's Post commit on top.

    ``commit`` was made for the line of ``ref``: it is its new head, or what the bot's Post commit stands on. ``source`` is the branch of
    the fork that has to stay at it, None where the bot makes it, the same every time. ``what`` is a whole sentence for those who approve.
    """

    ref: Ref
    commit: CommitId
    what: str
    source: Ref | None = None
    parents: tuple[CommitId, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The audit worked out exactly what would be pushed."""

    plan: tuple[PlannedRef, ...]
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """Every ref of the plan was read back upstream at its wanted id."""

    plan: tuple[PlannedRef, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Thawed:
    """None of our rules is left."""

    at: datetime


@dataclass(frozen=True, kw_only=True)
class BuiltFile:
    """A file as its builder made it, before anybody published it; ``size`` is in bytes, None where the builder does not tell."""

    name: str
    sha256: str
    size: int | None = None


NOT_SEEN: Final = 0
"""The id of a run that was ordered and never seen, because an answer was lost."""


@dataclass(frozen=True, kw_only=True)
class Unstopped:
    """Why a run that nobody wants could not be stopped, in a sentence that asks for it, and when that was tried last."""

    why: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a builder that this release ordered: of a workflow on GitHub or of a pipeline on Azure, as ``step`` says.

    ``purpose`` is what it was ordered for, ``number`` counts the orders of that purpose in this attempt, ``ordered`` are the inputs or
    parameters it was ordered with. ``over``: nothing more is expected of it, and it need not be cancelled when the attempt lapses.
    ``result`` is how it ended in the builder's own word, ``certificate`` whom the certificate names that signed what it made; both are
    empty while nobody looked.
    """

    step: str
    purpose: str
    number: int
    attempt: int
    id: int
    name: str
    url: str
    ordered: tuple[tuple[str, str], ...]
    at: datetime
    over: bool = False
    unstopped: Unstopped | None = None
    result: str = ""
    certificate: str = ""


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a step's builder made of the pinned tag; ``files`` may be empty where the builder tells no hashes yet."""

    step: str
    tag: TagId
    commit: CommitId
    files: tuple[BuiltFile, ...]
    url: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RunSeen:
    """A run was ordered, found again, or is over; it takes the place of what was known of the same order."""

    run: Run


@dataclass(frozen=True, kw_only=True)
class Built:
    """A builder is done with the pinned tag."""

    build: Build


@dataclass(frozen=True, kw_only=True)
class ProofRow:
    """How one proof of one ``subject`` ended: a file by its name, a tag, or the release; ``proof`` and ``verdict`` are words for people."""

    subject: str
    proof: str
    verdict: str
    why: str
    signer: str = ""
    diagnostics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What a step proved or could not prove; it takes the place of what the same step proved before.

    ``roots`` are the trust roots that were used, each by its name and the SHA-256 of its bytes in hexadecimal; ``versions`` are what
    verified, each program or library by its name and its version.
    """

    step: str
    at: datetime
    results: tuple[ProofRow, ...]
    roots: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Handed:
    """Something was handed over to people, and nothing waits for it."""

    step: str
    who: tuple[str, ...]
    what: str


Fact = Checked | Froze | TagSeen | TagProved | Planned | Pushed | Thawed | RunSeen | Built | PublicationSeen | Proved | Handed
