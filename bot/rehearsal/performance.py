"""Play one release from its issue to its end: everybody does what the bot asks of them, and the timeline tells of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

from bot.rehearsal.publisher import files_in_words
from bot.rehearsal.scene import MARKER, Talk, gist
from bot.rehearsal.timeline import retold

_FILES: Final = re.compile(r"python\.org: .* (?P<what>uploaded|was purged|listed under .*)$")

Look = Callable[[], Awaitable[Mapping[str, object] | None]]
"""Gives the release as the bot publishes it, or None while there is none."""


class Part(Protocol):
    """What somebody who plays does."""

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""


class Lead(Part, Protocol):
    """The part of whoever opens the issue."""

    def begin(self) -> None:
        """Open the issue, and say the first word."""


class Performance:
    """One issue, one release, and everybody who takes part in it."""

    def __init__(
        self,
        scene: Talk,
        lead: Lead,
        others: Sequence[Part],
        people: Collection[str],
        look: Look,
        *,
        name: str = "the bot",
        tells: bool = True,
    ) -> None:
        """Get ready to play; ``people`` are the logins of all who do something in the world.

        ``name`` is how its steps are told of; of several performances in one world only one ``tells`` what happens there.
        """
        self.scene = scene
        self._name = name
        self._tells = tells
        self._lead = lead
        self._cast = (lead, *others)
        self._people = people
        self._look = look
        self._told = self._comments_told = 0
        self._steps: dict[str, str] = {}
        self._woken = asyncio.Event()

    async def play(self, *, pause: float, patience: float) -> None:
        """Play until the release is over; ``pause`` is the longest time between two looks, ``patience`` between two signs of life."""
        scene = self.scene
        before = scene.world.after_write

        async def notice(number: int, description: str) -> None:
            await before(number, description)
            self._woken.set()

        scene.world.after_write = notice
        self._lead.begin()
        quiet_since = scene.timeline.seconds()
        while not await self._over():
            if await self._go_on():
                quiet_since = scene.timeline.seconds()
            elif scene.timeline.seconds() - quiet_since > patience:
                scene.timeline.waiting(scene.awaited())
                quiet_since = scene.timeline.seconds()
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue
        # What nothing waits for, an announcement for instance, is done all the same.
        while await self._go_on():
            continue

    def tell_news(self) -> bool:
        """Show what happened in the world since the last time, except for what people did: that was shown before they did it."""
        news = self.scene.world.log[self._told :]
        self._told += len(news)
        if not self._tells:
            return bool(news)
        files: Counter[str] = Counter()
        for sentence in news:
            if match := _FILES.fullmatch(sentence):
                files[match["what"]] += 1
            elif (told := self._retold(sentence)) and told[0] not in self._people:
                self.scene.timeline.event(*told)
        for what, number in files.items():
            self.scene.timeline.event("python.org", f"{files_in_words(number)} {what.removeprefix('was ')}")
        return bool(news)

    def _retold(self, sentence: str) -> tuple[str, str] | None:
        """Tell of a comment of the bot by what it says, which the log has only the first words of."""
        bot, here = self.scene.world.github.app.bot.login, f"{self.scene.upstream}#{self.scene.issue}"
        if not sentence.startswith(f"github: {here} comment by {bot}: "):
            return retold(sentence)
        self._comments_told += 1
        return bot, f"comments on {here}: {gist(self.scene.all_comments()[self._comments_told - 1])}"

    async def _over(self) -> bool:
        scene = self.scene
        scene.release = await self._look() or scene.release
        if scene.release is None:
            # An answer that belongs to no release means that none was opened, and none will be.
            return any(not body.startswith(MARKER) for body in scene.all_comments())
        return scene.over

    async def _go_on(self) -> bool:
        told = self.tell_news()
        moved = self._tell_steps()
        for player in self._cast:
            if await player.go_on():
                return True
        return told or moved

    def _tell_steps(self) -> bool:
        moved = False
        for step in self.scene.steps():
            name, state = str(step["name"]), str(step["state"])
            if self._steps.get(name, "pending") != state:
                self._steps[name] = state
                self.scene.timeline.event(self._name, f"{name}: {state}", str(step.get("why") or ""))
                moved = True
        return moved
