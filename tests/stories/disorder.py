"""What goes wrong around a story without being told in it: the bot dies, again and again, and is started again."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from bot.effects import Observer
from bot.store.model import EffectKey
from tests.stories.story import Story


class Mortal(Observer):
    """Die after every effect and between every intent and its effect, each once, and never come back from it by oneself.

    The effect in question simply never returns; ``died`` tells whoever restarts the bot. ``only`` are the steps whose effects are meant,
    all where none is named.
    """

    def __init__(self, points: Sequence[str] = ("between", "acted", "after"), only: Collection[str] = ()) -> None:
        self.points = points
        self.only = only
        self.died = asyncio.Event()
        self.deaths: set[tuple[str, EffectKey]] = set()

    async def between(self, key: EffectKey) -> None:
        await self._perhaps("between", key)

    async def acted(self, key: EffectKey) -> None:
        await self._perhaps("acted", key)

    async def after(self, key: EffectKey) -> None:
        await self._perhaps("after", key)

    async def _perhaps(self, point: str, key: EffectKey) -> None:
        meant = point in self.points and (not self.only or key.step in self.only)
        if meant and (point, key) not in self.deaths:
            self.deaths.add((point, key))
            self.died.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def reviving(story: Story, mortal: Mortal) -> AsyncIterator[None]:
    """Start the bot again whenever it dies."""

    changing = asyncio.Lock()

    async def watch() -> None:
        while True:
            await mortal.died.wait()
            async with changing:
                mortal.died.clear()
                await story.kill_bot()
                await story.start_bot()

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        # A death or a birth that is under way comes to its end first: nothing of it may be left lying about.
        async with changing:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
