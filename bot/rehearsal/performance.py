"""Play one release from its issue to its end: everybody does what the bot asks of them, and the timeline tells of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.rehearsal.cast import MacosExpert, WindowsExpert
from bot.rehearsal.lead import Lead
from bot.rehearsal.publisher import files_in_words
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.scene import MARKER, Scene, gist
from bot.rehearsal.stage import UPSTREAM, Stage
from bot.rehearsal.timeline import Timeline, retold
from bot.rehearsal.world import World

OVER: Final = frozenset({"done", "aborted"})
"""The states in which nothing will happen any more."""

_FILES: Final = re.compile(r"python\.org: .* (?P<what>uploaded|was purged|listed under .*)$")

Look = Callable[[], Awaitable[Mapping[str, object] | None]]
"""Gives the release as the bot publishes it, or None while there is none."""


class Performance:
    """One issue, one release, and everybody who takes part in it."""

    def __init__(self, world: World, stage: Stage, manager: ReleaseManager, timeline: Timeline, look: Look) -> None:
        """Get ready to play in the world."""
        self.scene = Scene(world, stage, timeline)
        self._lead = Lead(self.scene, manager)
        self._cast = (self._lead, WindowsExpert(self.scene), MacosExpert(self.scene))
        self._people = {player.login for player in (stage.manager, stage.windows_expert, stage.macos_expert)}
        self._look = look
        self._told = self._comments_told = 0
        self._steps: dict[str, str] = {}
        self._woken = asyncio.Event()

    async def play(self, *, pause: float, patience: float) -> None:
        """Play until the release is over; ``pause`` is the longest time between two looks, ``patience`` between two signs of life."""
        scene = self.scene
        scene.world.after_write = self._notice
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

    def tell_news(self) -> bool:
        """Show what happened in the world since the last time, except for what people did: that was shown before they did it."""
        news = self.scene.world.log[self._told :]
        self._told += len(news)
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
        bot, here = self.scene.world.github.app.bot.login, f"{UPSTREAM}#{self.scene.issue}"
        if not sentence.startswith(f"github: {here} comment by {bot}: "):
            return retold(sentence)
        self._comments_told += 1
        return bot, f"comments on {here}: {gist(self.scene.all_comments()[self._comments_told - 1])}"

    async def _notice(self, _number: int, _description: str) -> None:
        self._woken.set()

    async def _over(self) -> bool:
        scene = self.scene
        scene.release = await self._look() or scene.release
        if scene.release is None:
            # An answer that belongs to no release means that none was opened, and none will be.
            return any(not body.startswith(MARKER) for body in scene.all_comments())
        return scene.release.get("state") in OVER

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
                self.scene.timeline.event("the bot", f"{name}: {state}", str(step.get("why") or ""))
                moved = True
        return moved
