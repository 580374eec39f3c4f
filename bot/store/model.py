"""What the store takes and gives: pure data, and the errors it raises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.errors import Unavailable, UserError
from bot.journal import Document
from bot.release.ids import WorkKey

Clock = Callable[[], datetime]
"""Something that tells the time as an aware datetime."""


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


def project_of(key: WorkKey) -> str:
    """Return the project of a key of work: ``cpython`` of ``cpython#42``, and of ``cpython`` itself."""
    return key.partition("#")[0]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event that arrived. ``guid`` is the sender's id of it: the same one is stored only once."""

    guid: str
    key: WorkKey
    event: str
    action: str
    payload: Document
    received: datetime


@dataclass(frozen=True, kw_only=True)
class Work:
    """One row of work as it stood when it was read: a release, an issue on which none was opened, or the watch over a project.

    ``version`` and ``branch`` are set once a release was opened; ``live`` is true until it is over. ``due`` is when to look at it again
    (None: when something happens). ``failures`` counts the looks that failed since the last good one, ``error`` is the latest of them.
    """

    key: WorkKey
    project: str
    version: str | None
    branch: str | None
    state: str | None
    live: bool
    due: datetime | None
    opened: datetime
    failures: int
    error: str
    owner: str | None
    until: datetime | None
    generation: int
    revision: int
    entries: int
    head: str


@dataclass(frozen=True, kw_only=True, order=True)
class EffectKey:
    """What makes an outward effect the same one (invariant I4)."""

    release: str
    attempt: int
    step: str
    name: str

    def __str__(self) -> str:
        """Return it as people read it in logs."""
        return f"{self.release}/{self.attempt}/{self.step}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """An intent and, once it is known, its result."""

    key: EffectKey
    work: WorkKey
    parameters: Document
    intended: datetime
    result: Document | None
    finished: datetime | None


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """The intent was committed just now: nothing was done yet."""


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """The intent was committed before and has no result: the effect may or may not have happened."""

    parameters: Document


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The effect happened, with this result."""

    parameters: Document
    result: Document


Intent = Fresh | Unfinished | Finished


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long everything takes, in seconds.

    ``lease``: after this long without a sign of life another replica may take a row over; ``heartbeat``: how often a lease is renewed.
    ``idle``: how often a replica looks for work that others made due. ``backoff`` doubles with every failure up to ``backoff_cap``.
    ``patience``: how long a transaction is tried again when the connection is lost. ``checkpoint``: how often SQLite's write-ahead log
    is folded into its database. ``grace``: how long running work may take to end on closing.
    """

    lease: float = 20.0
    heartbeat: float = 5.0
    idle: float = 1.0
    backoff: float = 1.0
    backoff_cap: float = 60.0
    patience: float = 5.0
    checkpoint: float = 1.0
    grace: float = 10.0


class StoreUnavailable(Unavailable):
    """The database did not answer for longer than we are patient; whether the last write took effect is unknown."""


class LeaseLost(Exception):
    """Somebody else may be working on this row: stop at once, nothing more of this claim can be written."""


class Rival(UserError):
    """Another release of the same project stands in the way; ``key`` and ``version`` are its own."""

    def __init__(self, key: WorkKey, version: str, why: str) -> None:
        """Keep whose it is."""
        super().__init__(why)
        self.key = key
        self.version = version


class AlreadyOpen(Rival):
    """A release of this version, or on this branch, is live elsewhere."""

    def __init__(self, key: WorkKey, version: str) -> None:
        """Say where."""
        super().__init__(
            key, version, f"The release of {version} at {key} is still open: finish or abort that one before you open another."
        )


class AlreadyReleased(Rival):
    """A release of this very version went well to its end, or was recalled."""

    def __init__(self, key: WorkKey, version: str) -> None:
        """Say where."""
        why = f"{version} was released at {key} already, or recalled there, and its number is not used twice: release the next version."
        super().__init__(key, version, why)
