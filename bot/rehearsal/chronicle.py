"""Keep what happened: every request, every write in its order, and everything that should not have been asked."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.rehearsal.faults import Faults

WriteHook = Callable[[int, str], Awaitable[None]]
"""Called with the running number of a write and its description, ``POST /repos/python/cpython/rulesets``."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request that reached a stand-in, which is the one for ``system``; ``by`` says with whose credentials."""

    system: str
    is_write: bool
    method: str
    path: str
    query: str
    status: int
    by: str
    at: datetime


async def let_pass(_number: int, _description: str) -> None:
    """Do nothing: the hook of a world in which nobody interferes."""


@dataclass
class Chronicle:
    """What one world remembers about itself. Lists only grow."""

    log: list[str] = field(default_factory=list)
    """Every change of the world, in the order in which it became true, as a sentence for people."""
    violations: list[str] = field(default_factory=list)
    """Everything that the real systems do not document, would refuse, or would answer otherwise."""
    requests: list[Request] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """How often each ``METHOD /path/{template}`` was asked."""
    writes: int = 0
    """The number of the latest write."""
    before_write: WriteHook = let_pass
    after_write: WriteHook = let_pass
    """Awaited when the world has changed and the answer is not yet sent."""
    faults: Faults = field(default_factory=Faults)

    def number_write(self) -> int:
        """Give the next write its number."""
        self.writes += 1
        return self.writes

    def violation(self, sentence: str) -> None:
        """Remember a violation."""
        self.violations.append(sentence)

    def happened(self, sentence: str) -> None:
        """Remember a change of the world."""
        self.log.append(sentence)
