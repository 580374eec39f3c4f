"""The steps of a release, one file each, in the order of the diagram; those that people do by hand share one.

Each is ``async def advance(release, tools) -> Outcome``: it looks at the world first, acts through the one door, and reports. It may
be called at any time and any number of times. A new step is one new file, one line here, and one line in a profile.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from bot.profile.types import StepName
from bot.release.model import Release
from bot.release.outcomes import Outcome
from bot.steps import (
    approve,
    audit,
    freeze,
    go,
    hand,
    package_build,
    package_release,
    package_tag,
    preflight,
    publication,
    push,
    pypi,
    source,
    tag,
    thaw,
    windows,
    windows_publish,
    wrap_up,
)
from bot.tools import Tools

Advance = Callable[[Release, Tools], Awaitable[Outcome]]

STEPS: Final[Mapping[str, Advance]] = {
    "preflight": preflight.advance,
    "freeze": freeze.advance,
    "tag": tag.advance,
    "audit": audit.advance,
    "approve": approve.advance,
    "source": source.advance,
    "windows": windows.advance,
    "macos": partial(hand.advance, StepName.MACOS),
    "go": go.advance,
    "windows-publish": windows_publish.advance,
    "publication": publication.advance,
    "push": push.advance,
    "thaw": thaw.advance,
    "store": partial(hand.advance, StepName.STORE),
    "wrap-up": wrap_up.advance,
    "checklist": partial(hand.advance, StepName.CHECKLIST),
    "package-tag": package_tag.advance,
    "package-build": package_build.advance,
    "package-release": package_release.advance,
    "pypi": pypi.advance,
}
