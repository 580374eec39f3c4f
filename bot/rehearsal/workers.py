"""Let machines work by themselves, quickly, beside everything else that happens in a world."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.rehearsal.world import World

TICK = 0.015
"""Seconds between two things that happen to a run."""


class Workers(ABC):
    """Machines that are kept busy by a release."""

    def __init__(self, world: World, tick: float) -> None:
        """Get ready to work in this world, with so many seconds between two things."""
        self._world = world
        self._tick = tick

    @abstractmethod
    async def go_on(self) -> None:
        """Let one thing happen to each run that is under way and waits for nobody."""

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work until the ``async with`` ends."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._tick)
            try:
                await self.go_on()
            except Exception as error:  # noqa: BLE001 - whatever it is, the story must hear of it and not wait in vain
                self._world.violations.append(f"the machines of the rehearsal broke down: {error!r}")
                return
