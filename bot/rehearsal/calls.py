"""Count what a release asked of the outside systems: what only looks, and what changes something."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from bot.rehearsal.world import World

SYSTEMS: Final = ("GitHub", "git", "Azure", "python.org")
"""In the order in which they are told; git is what GitHub is asked by its own protocol."""


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How often one system was asked."""

    system: str
    reads: int
    writes: int


FOR_PACKAGES: Final = ("GitHub", "git", "Azure", "PyPI")
"""Those that the release of a package has to do with."""


def calls(world: World, people: Collection[str] = (), systems: Iterable[str] = SYSTEMS) -> tuple[Calls, ...]:
    """Return how often the bot asked each system; what the ``people`` of these logins asked themselves is left out."""
    asked = Counter((request.system, request.is_write) for request in world.requests if request.by not in people)
    return tuple(Calls(system=system, reads=asked[system, False], writes=asked[system, True]) for system in systems)
