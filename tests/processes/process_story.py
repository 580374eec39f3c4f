"""Stories in which the bot is a process of its own, told by environment and TOML alone, that can be killed at any moment."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.rehearsal.faults import Action, Fault
from bot.rehearsal.stage import UPSTREAM, stage
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World
from tests.stories.scenery import populate
from tests.stories.story import Story
from tests.stories.telling import quiet, walls

STARTING = 30.0


@dataclass
class Process:
    """A running bot, seen from outside."""

    popen: subprocess.Popen[bytes]


@dataclass
class ProcessStory(Story):
    """A story whose bot is ``python -m bot serve``."""

    process: Process | None = None
    port: int = 0
    log: Path = Path()
    lives: int = 0
    patience: float = 60.0

    @property
    def url(self) -> str:
        """Return where the bot answers; nothing while it does not run."""
        return f"http://127.0.0.1:{self.port}" if self.process else ""

    async def start_bot(self) -> None:
        """Start a process and wait until it takes webhooks."""
        self.port = self.port or _free_port()
        environment = {**self.environment(), "PORT": str(self.port), "PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
        with self.log.open("ab") as log:
            popen = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env=environment, stdout=log, stderr=log, cwd=self.directory)
        self.process = Process(popen)
        self.lives += 1
        self.world.github.app.webhook_url = f"{self.url}/webhook/github"
        self.world.azure.hook_to(f"{self.url}/webhook/azure")
        await self._until_ready(popen)

    async def _until_ready(self, popen: subprocess.Popen[bytes]) -> None:
        async with asyncio.timeout(STARTING), aiohttp.ClientSession() as session:
            while popen.poll() is None:
                try:
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)
        # It may be killed while it starts, which is as good a moment as any; what ends by itself is a failure.
        assert popen.returncode == -signal.SIGKILL, self.log.read_text()

    async def stop_bot(self) -> None:
        """Ask the process to end, and see that it does."""
        process, self.process = self.process, None
        if process is not None and process.popen.poll() is None:
            process.popen.send_signal(signal.SIGTERM)
            # A process that is still loading its modules does not yet know how to end gracefully.
            assert await asyncio.to_thread(process.popen.wait, 20) in (0, -signal.SIGTERM), self.log.read_text()[-3000:]

    async def kill_bot(self) -> None:
        """Kill the process as nobody can prevent."""
        process, self.process = self.process, None
        if process is not None:
            process.popen.kill()
            await asyncio.to_thread(process.popen.wait)

    async def picture(self) -> str:
        """Show the process's log, too."""
        return f"{await super().picture()}\n--- bot\n{self.log.read_text()[-4000:]}"


@dataclass
class Executioner:
    """Kills the bot at writes to the world, and has it started again.

    ``choose`` says at which moment of which write: ``before`` (the intent is written down, nothing is done), ``after`` (it is done, the
    answer never arrives) or ``later`` (the answer arrived, and the next request finds the bot dead).
    """

    story: ProcessStory
    choose: "Choice"
    killed: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    doomed: asyncio.Event = field(default_factory=asyncio.Event)

    async def before_write(self, number: int, description: str) -> None:
        """Decide what happens at this write."""
        point = self.choose(description)
        if point is None:
            return
        self.killed.append(f"{point} {description}")
        match point:
            case "before":
                action = Action(before=self._kill, hang_up_before=True)
                self.story.world.faults.add(Fault(action=action, write=number))
            case "after":
                self.story.world.faults.add(Fault(action=Action(after=self._kill, hang_up_after=True), write=number))
            case _:
                # People read by git; what asks the API is the bot.
                action = Action(before=self._kill, hang_up_before=True)
                self.story.world.faults.add(Fault(action=action, method="GET", path="^/(repos|app|orgs|users?)/"))

    async def _kill(self) -> None:
        # Nothing is awaited here: whoever handles the request of a dead client may be cancelled at any moment.
        if self.story.process is not None:
            self.story.process.popen.kill()
            self.doomed.set()

    async def revive(self) -> None:
        """Start the bot again whenever it was killed."""
        while True:
            await self.doomed.wait()
            self.doomed.clear()
            await self.story.kill_bot()
            await self.story.start_bot()


class Choice:
    """Choose the moment of death at each write; the same seed chooses the same."""

    def __init__(self, points: tuple[str, ...], every: int = 1, first: int = 0) -> None:
        self.points = points
        self.every = every
        self.first = first
        self.count = 0
        self.last = ""
        self.redelivered = 0
        self.purged = 0

    def __call__(self, description: str) -> str | None:
        """Return the moment, or None to spare it. What follows a death is the same write again, and is spared."""
        if "/cpython.git/" in description and UPSTREAM not in description:
            return None
        if description.endswith("/attempts"):
            # Whoever dies of being delivered to makes another failed delivery: dying of each would never end.
            self.redelivered += 1
            if self.redelivered > 1:
                return None
        if description.startswith("PURGE "):
            # Dozens of addresses are one effect, which is done again as a whole: dying of each would never end.
            self.purged += 1
            if self.purged > 1:
                return None
        if description == self.last:
            self.last = ""
            return None
        self.count += 1
        if (self.count + self.first) % self.every:
            return None
        self.last = description
        return self.points[(self.count // self.every) % len(self.points)]


@asynccontextmanager
async def process_telling(
    directory: Path, version: str, *, database_url: str | None = None, whole: bool = False
) -> AsyncIterator[ProcessStory]:
    """Tell a story with a bot in a process of its own: from freeze to push, or a ``whole`` release, whose builders work by themselves."""
    async with AsyncExitStack() as stack:
        setting = stack.enter_context(stage(directory, PythonVersion.parse(version), None))
        text = quiet(setting.profile.read_text(encoding="utf-8"))
        setting.profile.write_text(text if whole else walls(text), encoding="utf-8")
        world = await stack.enter_async_context(World(directory / "world"))
        hands = await populate(world, setting, whole=whole)
        story = ProcessStory(
            world=world, setting=setting, hands=hands, directory=directory, database_url=database_url, log=directory / "bot.log"
        )
        if whole:
            await stack.enter_async_context(story.machines.working())
        stack.push_async_callback(story.stop_bot)
        await story.start_bot()
        story.issue = story.open_issue()
        yield story
        await story.ends()


@asynccontextmanager
async def dying(story: ProcessStory, choice: Choice) -> AsyncIterator[Executioner]:
    """Let the bot die by choice, and live again."""
    executioner = Executioner(story, choice)
    story.world.before_write = executioner.before_write
    reviving = asyncio.create_task(executioner.revive())
    try:
        yield executioner
    finally:
        reviving.cancel()
        [ended] = await asyncio.gather(reviving, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
