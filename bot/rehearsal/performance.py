"""Play the people of one release: they read the bot's comments on the issue and do what those ask for, and nothing else."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

from bot.rehearsal.release_manager import Cut, ReleaseManager
from bot.rehearsal.stage import UPSTREAM, Stage
from bot.rehearsal.timeline import Act, Timeline, retold
from bot.rehearsal.world import World

MARKER: Final = "<!-- brother-maynard release="
"""How the first line of each of the bot's comments about a release begins."""

OVER: Final = frozenset({"done", "aborted"})
"""The states in which nothing will happen any more."""

_OBJECT: Final = re.compile(r"\b[0-9a-f]{40}\b")
_FENCED: Final = re.compile(r"^(`{3,})[^\n`]*\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_SPAN: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_ASKED: Final = re.compile(r"/release (?:(?P<approve>approve|go) (?P<object>[0-9a-f]{40})|(?P<acknowledge>ack) (?P<digest>[0-9a-f]+))")

Look = Callable[[], Awaitable[Mapping[str, object] | None]]
"""Gives the release as the bot publishes it, or None while there is none."""


class Performance:
    """One issue, one release manager, one release."""

    def __init__(self, world: World, stage: Stage, manager: ReleaseManager, timeline: Timeline, look: Look) -> None:
        """Get ready to play in the world."""
        self._world = world
        self._stage = stage
        self._manager = manager
        self._timeline = timeline
        self._look = look
        self._told = 0
        self._steps: dict[str, str] = {}
        self.said: set[str] = set()
        """The lines that the bot asked for and that were said."""
        self._woken = asyncio.Event()
        self.acts: list[Act] = []
        self.cut: Cut | None = None
        self.refused: list[str] = []
        """Why the manager would not do what the bot asked for."""
        self.release: Mapping[str, object] | None = None
        self.issue = 0

    async def play(self, *, pause: float, patience: float) -> None:
        """Play until the release is over; ``pause`` is the longest time between two looks, ``patience`` between two signs of life."""
        self._world.after_write = self._notice
        self._begin()
        quiet_since = self._timeline.seconds()
        while not await self._over():
            if await self._go_on():
                quiet_since = self._timeline.seconds()
            elif self._timeline.seconds() - quiet_since > patience:
                self._timeline.waiting(self.awaited())
                quiet_since = self._timeline.seconds()
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue

    def awaited(self) -> str:
        """Say what the release waits for."""
        steps = self.release.get("steps") if self.release else None
        for step in steps if isinstance(steps, list) else []:
            if step["state"] not in ("passed", "not applicable"):
                return f"the step {step['name']} ({step['state']}): {step.get('why') or 'not looked at yet'}"
        return "the bot to take up the release"

    def tell_news(self) -> bool:
        """Show what happened in the world since the last time, except for what people did: that was shown before they did it."""
        news = self._world.log[self._told :]
        self._told += len(news)
        people = {self._stage.manager.login}
        for sentence in news:
            told = retold(sentence)
            if told and told[0] not in people:
                self._timeline.event(*told)
        return bool(news)

    async def _notice(self, _number: int, _description: str) -> None:
        self._woken.set()

    def _begin(self) -> None:
        login, version = self._stage.manager.login, self._stage.version
        why = "every release has an issue, where everybody can follow it"
        self._act(f"opens an issue “Release Python {version}” in {UPSTREAM}", why, could_bot=True)
        self.issue = self._world.github.open_issue(login, UPSTREAM, f"Release Python {version}")
        self._say(f"/release {version}", "somebody has to decide that it is time", could_bot=False)

    async def _over(self) -> bool:
        self.release = await self._look() or self.release
        if self.release is None:
            # An answer that belongs to no release means that none was opened, and none will be.
            return any(not body.startswith(MARKER) for body in self._all_bot_comments())
        return self.release.get("state") in OVER

    async def _go_on(self) -> bool:
        told = self.tell_news()
        moved = self._tell_steps()
        return await self._cut_if_told() or self._say_what_is_asked() or told or moved

    def _tell_steps(self) -> bool:
        moved = False
        steps = self.release.get("steps") if self.release else None
        for step in steps if isinstance(steps, list) else []:
            name, state = str(step["name"]), str(step["state"])
            if self._steps.get(name, "pending") != state:
                self._steps[name] = state
                self._timeline.event("the bot", f"{name}: {state}", str(step.get("why") or ""))
                moved = True
        return moved

    async def _cut_if_told(self) -> bool:
        head = None if self.cut else self._announced_head()
        if head is None:
            return False
        stage, version = self._stage, self._stage.version
        await self._manager.fetch()
        signed = "signs the tag" if stage.key else "makes the annotated tag without a signature"
        why = "the release tools run on the manager's own machine" + (", where the key is" if stage.key else "")
        self._act(f"cuts {version} from {version.branch} at {head[:12]} and {signed}", why, could_bot=False)
        self.cut = await self._manager.cut(version, head, key=stage.key)
        self._act(
            f"pushes {version.working_branch} and {version.tag} to {stage.manager.fork}", "the bot finds the tag there", could_bot=False
        )
        answer = await self._manager.push_to_fork(self.cut)
        if not answer.accepted:
            self.refused.append(f"the fork refused {', '.join(answer.refused()) or 'the push'}: {answer.words.strip()}")
        return True

    def _announced_head(self) -> str | None:
        for body in self._bot_comments():
            for line in body.splitlines():
                if re.search(r"\bcut\b", line, re.IGNORECASE) and (match := _OBJECT.search(line)):
                    return match[0]
        return None

    def _say_what_is_asked(self) -> bool:
        for line in self._asked_lines():
            if line in self.said:
                continue
            self.said.add(line)
            match = _ASKED.fullmatch(line)
            if match and match["acknowledge"]:
                self._say(line, "the findings are read, and none of them speaks against the release", could_bot=False)
            elif match and self.cut and match["object"] == self.cut.tag:
                self._say(line, f"it is the id that `git rev-parse {self._stage.version.tag}` gives at home", could_bot=False)
            else:
                self.refused.append(f"the bot asks for “{line}”, but that is not the id of the tag that was made")
                continue
            return True
        return False

    def _asked_lines(self) -> Iterator[str]:
        for body in self._bot_comments():
            lines = [line.strip() for _, block in _FENCED.findall(body) for line in block.splitlines()]
            lines += [span.strip() for span in _SPAN.findall(body)]
            yield from (line for line in lines if _ASKED.fullmatch(line))

    def _bot_comments(self) -> list[str]:
        return [body for body in self._all_bot_comments() if body.startswith(MARKER)]

    def _all_bot_comments(self) -> list[str]:
        bot = self._world.github.app.bot.login
        return [comment.body for comment in self._world.github.comments(UPSTREAM, self.issue) if comment.author.login == bot]

    def _say(self, line: str, why: str, *, could_bot: bool) -> None:
        self._act(f"comments “{line}”", why, could_bot=could_bot)
        self._world.github.say(self._stage.manager.login, UPSTREAM, self.issue, line)

    def _act(self, what: str, why: str, *, could_bot: bool) -> None:
        act = Act(who=self._stage.manager.login, what=what, why=why, could_bot=could_bot)
        self.acts.append(act)
        self._timeline.event(act.who, what, f"because {why}")
