"""What steps learn about the world and the release must remember. Pure data, stored as JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.release.ids import CommitId, Ref, Repository, RulesetId, TagId, UserId


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
class Finding:
    """One observation of a check: ``check`` names the check, ``rule`` the rule that explains it or fails to.

    ``count`` is how many things it stands for (files, builders, issues); ``subject`` names them in full, for the digest and for people.
    """

    check: str
    rule: str
    severity: Severity
    what: str
    count: int = 1
    subject: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FrozenRef:
    """A ref under our rule; ``head`` is None for a ref that does not exist yet (a tag, a branch to come)."""

    ref: Ref
    head: CommitId | None
    since: datetime
    ruleset: RulesetId
    ruleset_name: str


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
class Planned:
    """The audit worked out exactly what would be pushed."""

    plan: tuple[PlannedRef, ...]


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """Every ref of the plan was read back upstream at its wanted id."""

    plan: tuple[PlannedRef, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Thawed:
    """None of our rules is left."""

    at: datetime


Fact = Checked | Froze | TagSeen | TagProved | Planned | Pushed | Thawed
