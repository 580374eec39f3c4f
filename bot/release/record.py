"""What is written down of a release for its dossier alone. Pure data, stored as JSON."""

from dataclasses import dataclass
from datetime import datetime

from bot.release.ids import CommentId, UserId


@dataclass(frozen=True, kw_only=True)
class Said:
    """A command that took effect: ``by`` is the account of whoever gave it and ``login`` its name then, ``what`` is what it did.

    ``said`` is when GitHub says that it was written, in whole seconds, ``at`` when it was acted on.
    """

    verb: str
    by: UserId
    login: str
    comment: CommentId
    said: datetime
    at: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class StageDecision:
    """Somebody let one artifact of the pinned tag be released, or kept it back; ``tag`` is the tag object."""

    artifact: str
    approved: bool
    by: UserId
    login: str
    tag: str
    at: datetime
    comment: CommentId


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What the dossier states beside the release itself, as it was when the dossier was closed.

    ``sequence`` and ``hash`` are where the journal ended then, so that its whole chain is bound to the dossier (``bot.journal``);
    ``versions`` are those of the bot and of the libraries that it verifies with, each by its name.
    """

    at: datetime
    sequence: int
    hash: str
    versions: tuple[tuple[str, str], ...]
