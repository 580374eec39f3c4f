"""The issues of releases that are due: what is no schedule calls nobody, and one that cannot be read is not read all the time."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from bot import upcoming
from bot.context import Context
from bot.errors import Unavailable
from bot.profile import load
from bot.services.peps import ScheduledRelease
from bot.upcoming import Almanac
from tests.release_builders import NOW


class Published:
    """What is published; nothing while it is ``away``."""

    def __init__(self, **releases: int) -> None:
        self.away, self.reads = False, 0
        self._releases = {
            "3.15": [
                ScheduledRelease(stage=f"3.15.0 alpha {number}", state="expected", date=NOW.date())
                for number in range(1, releases.get("alphas", 0) + 1)
            ],
            "3.14": [ScheduledRelease(stage="3.9.99", state="expected", date=NOW.date())],
        }

    async def release_cycle(self) -> dict[str, Any]:
        self.reads += 1
        if self.away:
            raise Unavailable("peps.python.org does not answer")
        return {}

    async def schedule(self) -> dict[str, list[ScheduledRelease]]:
        return self._releases


def context(published: Published, hours: float = 0) -> Context:
    """Return as much of a context as it takes to read; whoever opens an issue finds no GitHub."""
    return cast("Context", SimpleNamespace(profile=load("cpython"), peps=published, now=lambda: NOW + timedelta(hours=hours)))


async def looked(published: Published, before: Almanac, hours: float = 0) -> Almanac:
    nothing = cast("Any", None)
    return await upcoming.look(context(published, hours), nothing, nothing, before)


async def test_a_schedule_that_cannot_be_read_is_read_an_hour_later() -> None:
    published = Published()
    published.away = True
    almanac = await looked(published, Almanac())
    for _ in range(3):
        assert await looked(published, almanac, 0.9) == almanac
    assert published.reads == 1
    assert await looked(published, almanac, 1) == Almanac(read=NOW + timedelta(hours=1))
    assert published.reads == 2


async def test_more_releases_than_there_can_be_and_those_of_another_series_call_nobody() -> None:
    assert await looked(Published(alphas=upcoming.MOST + 1), Almanac()) == Almanac(read=NOW)
    assert await looked(Published(), Almanac()) == Almanac(read=NOW), "3.9.99 is none of 3.14"
