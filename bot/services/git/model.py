"""What git tells us and what we ask of it, as plain data."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.release.ids import CommitId, ObjectId, Ref


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A name and an address, as git writes them in a commit."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Who did something and when; ``at`` is aware and keeps the offset that was written."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit; ``message`` is everything after the blank line, ``parents`` are in order."""

    id: CommitId
    tree: ObjectId
    parents: tuple[CommitId, ...]
    author: Moment
    committer: Moment
    message: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One path that differs between two trees.

    Modes are git's six octal digits (``100644``, ``100755``, ``120000`` a symbolic link, ``160000`` a submodule).
    Mode and id are None on the side where the path does not exist. Renames are never guessed: they are a deletion and an addition.
    """

    path: str
    old_mode: str | None
    new_mode: str | None
    old_id: ObjectId | None
    new_id: ObjectId | None

    @property
    def added(self) -> bool:
        """Tell whether the path is new."""
        return self.old_id is None

    @property
    def deleted(self) -> bool:
        """Tell whether the path is gone."""
        return self.new_id is None

    @property
    def mode_changed(self) -> bool:
        """Tell whether the path exists on both sides with different modes."""
        return None not in (self.old_mode, self.new_mode) and self.old_mode != self.new_mode


class PushStatus(StrEnum):
    """What became of one ref of a push, as far as git could tell."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "already there"
    REFUSED = "refused"
    NOT_TRIED = "not tried"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class PushedRef:
    """The answer about one ref; ``summary`` is git's word for it, one line, without secrets and control characters."""

    ref: Ref
    new: ObjectId
    status: PushStatus
    summary: str


@dataclass(frozen=True, kw_only=True)
class PushReport:
    """What a push answered, which is less than what it did: the refs have to be read back in every case.

    ``accepted``: the server said that every ref was taken. ``uncertain``: nobody knows whether the push took effect (the connection
    died, the time was over, the server did not report). Neither: it definitely did not take effect, and ``message`` and the refs say why.
    """

    accepted: bool
    uncertain: bool
    refs: tuple[PushedRef, ...]
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is too much. Sizes are bytes.

    ``repository``: a scratch repository larger than this, or of more than ``packs`` packs, is thrown away and rebuilt. ``blob`` and
    ``blobs``: the largest file and the largest sum of files read at once. ``objects``: the most objects read or fetched at once.
    ``commits``: the longest range of commits. ``output``: the longest answer of any other git command.
    """

    repository: int = 2_000_000_000
    packs: int = 500
    blob: int = 32_000_000
    blobs: int = 256_000_000
    objects: int = 50_000
    commits: int = 1_000
    output: int = 64_000_000


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What merging two commits gives: the ``tree``, and the paths with ``conflicts``, where it holds what git makes of both sides."""

    tree: ObjectId
    conflicts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Range:
    """The commits a tip adds to a base, oldest first, and every path that differs between the two."""

    base: CommitId
    tip: CommitId
    commits: tuple[CommitId, ...] = field(default=())
    changes: tuple[Change, ...] = field(default=())
