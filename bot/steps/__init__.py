"""The steps of a release, one file each, in the order of the diagram: preflight, freeze, tag, audit, approve, push, thaw.

Each is ``async def advance(release, tools) -> Outcome``: it looks at the world first, acts through the one door, and reports. It may
be called at any time and any number of times. A new step is one new file, one line here, and one line in a profile.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.release.model import Release
from bot.release.outcomes import Outcome
from bot.steps import approve, audit, freeze, preflight, push, tag, thaw
from bot.tools import Tools

Advance = Callable[[Release, Tools], Awaitable[Outcome]]

STEPS: Final[Mapping[str, Advance]] = {
    "preflight": preflight.advance,
    "freeze": freeze.advance,
    "tag": tag.advance,
    "audit": audit.advance,
    "approve": approve.advance,
    "push": push.advance,
    "thaw": thaw.advance,
}
