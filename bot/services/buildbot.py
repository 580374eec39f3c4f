"""What Python's buildbots say of a branch, read as their own status page reads it.

The page is https://buildbot.python.org/all/#/release_status, its rules are those of ``release_dashboard.py`` in
https://github.com/python/buildmaster-config, the interface is https://docs.buildbot.net/latest/developer/raml/.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

import aiohttp
from pydantic import Field, Strict, TypeAdapter

from bot.errors import Unavailable
from bot.services.reading import Reader

Shape = TypeVar("Shape")

STABLE = "stable"
DEVELOPMENT = "3.x"
"""The tag of the builders of ``main``."""

_TIER = "tier-"
_LOOK_BACK = 25
"""How many of a builder's newest builds are looked through for one that says anything about the code."""


class BuilderState(StrEnum):
    """What a builder says. A build that was skipped, cancelled or broken off by the machine says nothing."""

    SUCCESS = "success"
    WARNINGS = "warnings"
    FAILURE = "failure"
    NO_BUILDS = "no builds"
    OFFLINE = "offline"


_TELLING = {0: BuilderState.SUCCESS, 1: BuilderState.WARNINGS, 2: BuilderState.FAILURE}
"""Buildbot's result codes that are about the code: https://docs.buildbot.net/latest/developer/results.html."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """One stable builder of a branch. ``tier`` is its platform's in PEP 11, None for none; ``finished`` is its telling build's end."""

    name: str
    tier: int | None
    state: BuilderState
    url: str
    finished: datetime | None = None

    @property
    def failing(self) -> bool:
        """Tell whether its newest telling build failed. Tiers 1 and 2 stop a release (https://peps.python.org/pep-0011/)."""
        return self.state is BuilderState.FAILURE


_Number = Annotated[int, Strict()]
_Time = Annotated[int, Strict(), Field(ge=0, lt=253_402_300_800)]
"""Seconds since 1970; those from the year 10000 on are no date for us."""


@dataclass(frozen=True, kw_only=True)
class _Builder:
    builderid: _Number
    name: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Builders:
    builders: tuple[_Builder, ...]


@dataclass(frozen=True, kw_only=True)
class _Build:
    builderid: _Number
    number: _Number
    complete_at: _Time | None = None
    results: _Number | None = None


@dataclass(frozen=True, kw_only=True)
class _Builds:
    builds: tuple[_Build, ...]


@dataclass(frozen=True, kw_only=True)
class _Configured:
    builderid: _Number


@dataclass(frozen=True, kw_only=True)
class _Worker:
    configured_on: tuple[_Configured, ...] = ()
    connected_to: tuple[object, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Workers:
    workers: tuple[_Worker, ...]


_BUILDERS, _BUILDS, _WORKERS = TypeAdapter(_Builders), TypeAdapter(_Builds), TypeAdapter(_Workers)


class Buildbot:
    """One Buildbot master. At most ``concurrency`` requests run at once: the server's front end answers bursts with 429."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, concurrency: int = 6, timeout: float = 30.0) -> None:
        """Keep where to read; ``base_url`` is the address of the page without ``#/…``, ``timeout`` is in seconds."""
        self._base = base_url.rstrip("/")
        self._reader = Reader(base_url=base_url, session=session, timeout=timeout)
        self._slots = asyncio.Semaphore(concurrency)

    async def release_status(self, branch: str) -> list[Builder]:
        """Return every stable builder of a branch (``main`` or ``3.X``), by name; raise Unavailable.

        None at all says that nothing is known of the branch, which must not be taken for a good sign.
        """
        builders = await self._stable(branch)
        if not builders and branch == "main":
            builders = await self._stable(DEVELOPMENT)
        if not builders:
            return []
        online = await self._online()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._status(builder, online)) for builder in builders]
        except ExceptionGroup as troubles:
            raise troubles.exceptions[0] from None
        return sorted((task.result() for task in tasks), key=lambda builder: builder.name)

    async def _stable(self, tag: str) -> list[_Builder]:
        """Return the stable builders that carry a tag."""
        found = await self._get(_BUILDERS, "api/v2/builders", {"tags__contains": tag})
        return [builder for builder in found.builders if STABLE in builder.tags and tag in builder.tags]

    async def _online(self) -> set[int] | None:
        """Return the ids of the builders that have a connected worker; None where the server does not tell: then all count as online."""
        async with self._slots:
            found = await self._reader.get(_WORKERS, "api/v2/workers")
        if found is None:
            return None
        return {place.builderid for worker in found.workers if worker.connected_to for place in worker.configured_on}

    async def _status(self, builder: _Builder, online: set[int] | None) -> Builder:
        """Look at one builder's newest telling build; one without a worker is offline, whatever it said last."""
        url = f"{self._base}/#/builders/{builder.builderid}"
        if online is not None and builder.builderid not in online:
            return Builder(name=builder.name, tier=_tier(builder.tags), state=BuilderState.OFFLINE, url=url)
        query = {"builderid__eq": str(builder.builderid), "complete__eq": "true", "order": "-complete_at", "limit": str(_LOOK_BACK)}
        found = await self._get(_BUILDS, "api/v2/builds", query)
        for build in found.builds:
            state = None if build.results is None else _TELLING.get(build.results)
            if state is not None and build.builderid == builder.builderid:
                finished = None if build.complete_at is None else datetime.fromtimestamp(build.complete_at, UTC)
                place = f"{url}/builds/{build.number}"
                return Builder(name=builder.name, tier=_tier(builder.tags), state=state, url=place, finished=finished)
        return Builder(name=builder.name, tier=_tier(builder.tags), state=BuilderState.NO_BUILDS, url=url)

    async def _get(self, shape: TypeAdapter[Shape], path: str, query: dict[str, str]) -> Shape:
        """Read one thing that must be there."""
        async with self._slots:
            found = await self._reader.get(shape, path, query)
        if found is None:
            raise Unavailable(f"The buildbots do not know {path}")
        return found


def _tier(tags: tuple[str, ...]) -> int | None:
    """Return the tier that a builder's tags name."""
    tiers = [tag.removeprefix(_TIER) for tag in tags if tag.startswith(_TIER)]
    return next((int(tier) for tier in tiers if tier in ("1", "2", "3")), None)
