"""The life of each Python series, as https://peps.python.org/api/release-cycle.json tells it."""

from dataclasses import dataclass
from typing import Annotated, Literal

import aiohttp
from pydantic import Strict, TypeAdapter

from bot.errors import Unavailable
from bot.services.reading import Reader

SeriesStage = Literal["feature", "prerelease", "bugfix", "security", "end-of-life"]
"""The stages of a series: https://devguide.python.org/versions/."""


@dataclass(frozen=True, kw_only=True)
class SeriesCycle:
    """One series. Dates stay text: they are days, or months for what lies far ahead (``2030-10``)."""

    branch: str
    pep: Annotated[int, Strict()]
    status: SeriesStage
    first_release: str
    end_of_life: str
    release_manager: str


_CYCLE = TypeAdapter(dict[str, SeriesCycle])


class Peps:
    """The one document of peps.python.org that is made for machines."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, timeout: float = 30.0) -> None:
        """Keep where to read; ``timeout`` in seconds."""
        self._reader = Reader(base_url=base_url, session=session, timeout=timeout)

    async def release_cycle(self) -> dict[str, SeriesCycle]:
        """Return every series by its name, such as ``3.14``; raise Unavailable."""
        cycle = await self._reader.get(_CYCLE, "api/release-cycle.json")
        if not cycle:
            raise Unavailable("The release cycle of Python is not where it is published (api/release-cycle.json)")
        return cycle
