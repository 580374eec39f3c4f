"""The life of each Python series, as https://peps.python.org/api/release-cycle.json tells it, and its releases past and planned.

The planned ones stand in https://peps.python.org/api/python-releases.json, which is made from ``python-releases.toml``, as
https://github.com/python/peps/blob/main/release_management/serialize.py writes it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import aiohttp
from pydantic import Field, Strict, TypeAdapter

from bot.errors import Unavailable
from bot.services.reading import Reader

SeriesStage = Literal["feature", "prerelease", "bugfix", "security", "end-of-life"]
"""The stages of a series: https://devguide.python.org/versions/."""


Short = Annotated[str, Field(max_length=100)]
"""A name or a day: some of them are shown to people, and kept with a release."""


@dataclass(frozen=True, kw_only=True)
class SeriesCycle:
    """One series. Dates stay text: they are days, or months for what lies far ahead (``2030-10``)."""

    branch: Short
    pep: Annotated[int, Strict()]
    status: SeriesStage
    first_release: Short
    end_of_life: Short
    release_manager: Short


@dataclass(frozen=True, kw_only=True)
class ScheduledRelease:
    """One release of the schedule: ``stage`` is its name there, such as ``3.15.0 candidate 1``, ``3.15.0 final`` or ``3.14.7``.

    ``actual``: it was made on that day; ``expected``: it is planned for it. Days have no time and no zone.
    """

    stage: Short
    state: Literal["actual", "expected"]
    date: date
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class _Schedule:
    releases: dict[str, list[ScheduledRelease]]


_CYCLE = TypeAdapter(dict[str, SeriesCycle])
_SCHEDULE = TypeAdapter(_Schedule)


class Peps:
    """The documents of peps.python.org that are made for machines."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, timeout: float = 30.0) -> None:
        """Keep where to read; ``timeout`` in seconds."""
        self._reader = Reader(base_url=base_url, session=session, timeout=timeout)

    async def release_cycle(self) -> dict[str, SeriesCycle]:
        """Return every series by its name, such as ``3.14``; raise Unavailable."""
        cycle = await self._reader.get(_CYCLE, "api/release-cycle.json")
        if not cycle:
            raise Unavailable("The release cycle of Python is not where it is published (api/release-cycle.json)")
        return cycle

    async def schedule(self) -> dict[str, list[ScheduledRelease]]:
        """Return the releases of every series, made and planned, by its name; raise Unavailable."""
        schedule = await self._reader.get(_SCHEDULE, "api/python-releases.json")
        if schedule is None or not schedule.releases:
            raise Unavailable("The schedule of Python's releases is not where it is published (api/python-releases.json)")
        return schedule.releases
