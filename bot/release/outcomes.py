"""What a step may answer. The set is closed: whoever reads an outcome matches all four."""

from dataclasses import dataclass
from datetime import datetime

from bot.release.facts import Fact


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing a person can look at: what it is, what it says, and where to see it."""

    what: str
    value: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """The step's goal is true in the world now."""

    why: str
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[Fact, ...] = ()
    look_again: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Nothing to do but look again: a machine is at work.

    ``unheard``: it could not even be looked at, so what people have to do, and what they asked for, stays as it was.
    """

    on: str
    why: str
    look_again: datetime
    unheard: bool = False
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NeedsPerson:
    """Only a person can go on.

    ``who`` are logins, without the at sign; ``what`` is one sentence; ``say`` is the exact line to paste, if a line does it.
    """

    who: tuple[str, ...]
    what: str
    say: str = ""
    look_again: datetime
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The step cannot reach its goal as the world stands.

    ``retryable`` says that looking again may help by itself; ``halt`` stops the whole release until an approver resumes it.
    """

    why: str
    diagnostics: tuple[str, ...] = ()
    retryable: bool
    halt: bool = False
    look_again: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[Fact, ...] = ()


Outcome = Passed | Waiting | NeedsPerson | Failed
