"""``python -m bot rehearse VERSION``: carry a release through the world in a box, with the program that runs in production.

This is the one module of the rehearsal that knows the bot, and all it knows is how to start and stop it.
"""

import argparse
import asyncio
import logging
import math
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, NoReturn

import aiohttp

from bot.errors import UserError
from bot.rehearsal.calls import calls
from bot.rehearsal.inspection import counted, problems
from bot.rehearsal.machinery import Machines
from bot.rehearsal.performance import Look, Performance
from bot.rehearsal.person import Account
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.release_tools import add_release_tools
from bot.rehearsal.stage import UPSTREAM, Stage, stage
from bot.rehearsal.timeline import Timeline, TimelineForPeople, TimelineForPrograms, Verdict
from bot.rehearsal.versions import PythonVersion, WrongUse
from bot.rehearsal.world import World

DONE: Final = 0
NO: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

_PAUSE: Final = 0.1
_PATIENCE: Final = 3.0
"""Seconds without news after which it is said what is waited for."""

_LABELS: Final = ("release-blocker", "deferred-blocker")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the person wants."""

    version: PythonVersion
    source: Path | None
    as_json: bool
    time_out: float


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence."""
        raise WrongUse(f"{message[:1].upper()}{message[1:]}; see python -m bot rehearse --help.")


class _Faults(logging.Handler):
    """Keep what the bot logs as an error, so that none goes unnoticed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message and the last line of the traceback."""
        error = f" ({record.exc_info[0].__name__}: {record.exc_info[1]})" if record.exc_info and record.exc_info[0] else ""
        self.found.append(f"the bot logged an error: {record.getMessage()}{error}")


def run(argv: Sequence[str]) -> int:
    """Rehearse, and give the exit code: 0 went well, 1 did not, 2 wrong use, 130 interrupted."""
    try:
        order = _order(argv)
        return asyncio.run(_rehearse(order))
    except (WrongUse, UserError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED


def _order(argv: Sequence[str]) -> Order:
    parser = _Parser(prog="python -m bot rehearse", description="Rehearse a release of Python in a world in a box, offline.")
    parser.add_argument("version", metavar="VERSION", help="the version to rehearse, such as 3.15.0a3")
    parser.add_argument(
        "--source", metavar="TARBALL", type=Path, help="a source tarball of the version before, in place of a small made-up tree"
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--time-out", metavar="SECONDS", type=float, default=60.0, help="when to give up (60)")
    options = parser.parse_args(argv)
    if not 0 < options.time_out < math.inf:
        raise WrongUse("The time-out must be a number of seconds above zero, such as 60.")
    version = PythonVersion.parse(options.version)
    return Order(version=version, source=options.source, as_json=options.as_json, time_out=options.time_out)


async def _rehearse(order: Order) -> int:
    timeline = TimelineForPrograms(sys.stdout) if order.as_json else TimelineForPeople(sys.stdout)
    faults = _Faults()
    logging.getLogger().addHandler(faults)
    try:
        async with AsyncExitStack() as stack:
            with_folder = ExitStack()
            stack.push_async_callback(asyncio.to_thread, with_folder.close)
            folder = Path(with_folder.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True)))
            setting = await _to_the_end(lambda: with_folder.enter_context(stage(folder, order.version, order.source)))
            world = await stack.enter_async_context(World(folder / "world"))
            verdict = await _play(order, setting, world, timeline, faults)
    finally:
        logging.getLogger().removeHandler(faults)
    return DONE if verdict.good else NO


async def _to_the_end(prepare: Callable[[], Stage]) -> Stage:
    """Run in a thread, and let the thread come to its end even when interrupted, so that what it made is there to be removed."""
    preparing = asyncio.create_task(asyncio.to_thread(prepare))
    try:
        return await asyncio.shield(preparing)
    except asyncio.CancelledError:
        await asyncio.wait([preparing])
        raise


async def _play(order: Order, setting: Stage, world: World, timeline: Timeline, faults: _Faults) -> Verdict:
    manager = await _populated(world, setting)
    before = await world.github.refs(UPSTREAM)
    late = []
    async with _running(world, setting) as look:
        played = Performance(world, setting, manager, timeline, look)
        scene = played.scene
        try:
            async with asyncio.timeout(order.time_out), Machines(world, scene.files).working():
                await played.play(pause=_PAUSE, patience=_PATIENCE)
                await world.drain()
        except TimeoutError:
            late = [f"after {order.time_out:g} s it still waited for {scene.awaited()}"]
        played.tell_news()
    found = [*late, *await problems(scene, before), *faults.found]
    people = {player.login for player in (setting.manager, *setting.others)}
    verdict = Verdict(problems=counted(found), seconds=timeline.seconds(), calls=calls(world, people))
    timeline.end(scene.acts, scene.release, verdict)
    return verdict


async def _populated(world: World, setting: Stage) -> ReleaseManager:
    """Put people, repositories, builders and lifecycle data into the world; give the hands of the release manager."""
    github, manager = world.github, setting.manager
    people = [manager, *setting.others]
    for player in people:
        github.add_user(player.login, id=player.id)
    logins = [player.login for player in people]
    organization, slug = setting.team
    github.add_team(organization, slug, members=logins)
    await github.add_repository(UPSTREAM, source=setting.tree.path, committers=logins, labels=_LABELS)
    github.install(UPSTREAM)
    for player in people:
        if player.fork:
            await github.add_repository(player.fork, fork_of=UPSTREAM)
    for series, status in setting.tree.setting.statuses.items():
        world.peps.set(series, status=status, release_manager=setting.managers_by_series[series])
    for branch in setting.tree.setting.branches:
        # The builders of main are tagged 3.x: https://github.com/python/buildmaster-config
        tag = "3.x" if branch == "main" else branch
        world.buildbot.add_builder(f"AMD64 Debian {tag}", tag, "stable", "tier-1")
        world.buildbot.finish(f"AMD64 Debian {tag}")
    for number, tier in enumerate(("tier-1", "tier-2", "tier-3"), start=1):
        branch = setting.version.branch
        world.buildbot.add_builder(f"Builder {number} {branch}", "3.x" if branch == "main" else branch, "stable", tier)
        world.buildbot.finish(f"Builder {number} {branch}")
    await add_release_tools(world, manager.login)
    account = Account(login=manager.login, token=github.person_token(manager.login), identity=manager.identity)
    home = world.directory / "people" / manager.login
    return await asyncio.to_thread(
        lambda: ReleaseManager(account, home=home, upstream=github.clone_url(UPSTREAM), fork=github.clone_url(manager.fork))
    )


@asynccontextmanager
async def _running(world: World, setting: Stage) -> AsyncIterator[Look]:
    """Run the production app in this world; it knows nothing of that but addresses, waits and keys."""
    from bot.serve import start  # noqa: PLC0415 - wrong use is answered before the whole program is loaded

    home = world.directory / "bot"
    home.mkdir(parents=True)
    environment: Mapping[str, str] = {
        **world.environment(),
        "BOT_HOME": str(home),
        "BOT_PROFILE": str(setting.profile),
        "PORT": "0",
        "LOG_FORMAT": "text",
    }
    bot = await start(environment)
    try:
        world.github.app.webhook_url = f"{bot.url}/webhook/github"
        world.azure.hook_to(f"{bot.url}/webhook/azure")
        async with aiohttp.ClientSession() as session:
            yield _looking(session, f"{bot.url}/releases/cpython/{setting.version}.json")
    finally:
        await bot.stop()


def _looking(session: aiohttp.ClientSession, url: str) -> Look:
    async def look() -> Mapping[str, object] | None:
        async with session.get(url) as answer:
            if answer.status != HTTPStatus.OK:
                return None
            release = await answer.json()
            return release if isinstance(release, dict) else None

    return look
