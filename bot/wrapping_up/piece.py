"""One thing that was tidied up, or that is left to people."""

import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.effects import EffectMismatch
from bot.errors import UserError, steady
from bot.release.outcomes import Evidence

log: Final = logging.getLogger(__name__)

STEP: Final = "wrap-up"
"""Under which step everything here goes through the door."""

_ADVICE: Final = "Please see to it."

_LEFT: Final = "left as it is: "
"""How the words begin about what people have to do, or may want to."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What was done about one thing: ``value`` in a sentence or less; ``left`` says that people may want to do it.

    ``text`` is what they need for it letter by letter, such as commands or a difference; empty where nothing is. ``ask`` is what they are
    handed as a row of their own, in whole sentences; empty where nobody has to do it.
    """

    what: str
    value: str
    url: str = ""
    left: bool = False
    text: str = ""
    ask: str = ""

    @property
    def evidence(self) -> Evidence:
        """Return what the step shows of it."""
        return Evidence(what=self.what, value=f"{_LEFT}{self.value}" if self.left else self.value, url=self.url)


class Left(UserError):
    """Something has to be done by people; ``text`` is what they need for it letter by letter."""

    def __init__(self, message: str, text: str = "") -> None:
        """Keep the sentence and the text."""
        super().__init__(message)
        self.text = text


async def tried(what: str, work: Awaitable[str], advice: str, url: str = "") -> Piece:
    """Return what became of some work; a definite no ends in what a person can do, and Unavailable passes on."""
    try:
        return Piece(what=what, value=await work, url=url)
    except Left as left:
        return Piece(what=what, value=f"{left} {advice}".rstrip(), url=url, left=True, text=left.text)
    except UserError as error:
        return Piece(what=what, value=f"{steady(str(error))} {advice}".rstrip(), url=url, left=True)


async def whole(what: str, work: Awaitable[tuple[Piece, ...]]) -> tuple[Piece, ...]:
    """Return the pieces of some work; what is refused before it is known of how many it consists is left to people as one."""
    try:
        return await work
    except UserError as error:
        return (Piece(what=what, value=f"{steady(str(error))} {_ADVICE}", left=True),)
    except EffectMismatch as fault:
        # A rule that was renamed, or a profile that was changed, while an answer was on its way.
        log.error("%s is left as it is: %s", what, fault)  # noqa: TRY400 - it tells all there is to know
        return (Piece(what=what, value=f"it was begun otherwise than it would be done now. {_ADVICE}", left=True),)


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
