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
from typing import Final, NoReturn, TypeVar

import aiohttp

from bot.errors import UserError
from bot.rehearsal.calls import calls
from bot.rehearsal.cast import MacosExpert, WindowsExpert
from bot.rehearsal.inspection import counted, problems, unshown
from bot.rehearsal.lead import Lead
from bot.rehearsal.machinery import Machines
from bot.rehearsal.performance import Look, Performance
from bot.rehearsal.person import Account
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.release_tools import add_release_tools
from bot.rehearsal.scene import Scene
from bot.rehearsal.schedule_repository import add_schedule
from bot.rehearsal.sdk_rehearsal import Patience, play_package
from bot.rehearsal.sdk_stage import sdk_stage
from bot.rehearsal.stage import UPSTREAM, Stage, stages
from bot.rehearsal.timeline import Timeline, TimelineForPeople, TimelineForPrograms, Verdict
from bot.rehearsal.turning_points import Successor, Tidier
from bot.rehearsal.versions import PythonVersion, WrongUse
from bot.rehearsal.world import World

DONE: Final = 0
NO: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

_PAUSE: Final = 0.1
_PATIENCE: Final = 3.0
"""Seconds without news after which it is said what is waited for."""

Prepared = TypeVar("Prepared")

_LABELS: Final = ("release-blocker", "deferred-blocker")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the person wants."""

    versions: tuple[PythonVersion, ...]
    """What is released in the same world, at the same time."""
    package: tuple[str, str] | None
    """A package and its version, in place of versions."""
    source: Path | None
    as_json: bool
    time_out: float

    @property
    def waits(self) -> Patience:
        """Return when to give up, and how to look."""
        return Patience(time_out=self.time_out, pause=_PAUSE, patience=_PATIENCE)


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
    parser.add_argument(
        "versions",
        metavar="VERSION",
        nargs="+",
        help="the version to rehearse, such as 3.15.0a3; several at once; or a package and its version, such as azure-core 1.30.0",
    )
    parser.add_argument(
        "--source", metavar="TARBALL", type=Path, help="a source tarball of the version before, in place of a small made-up tree"
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--time-out", metavar="SECONDS", type=float, default=60.0, help="when to give up (60)")
    parser.add_argument("--as", dest="kind", metavar="KIND", choices=("eol",), help="eol: rehearse the end of a series, such as 3.10")
    options = parser.parse_args(argv)
    if not 0 < options.time_out < math.inf:
        raise WrongUse("The time-out must be a number of seconds above zero, such as 60.")
    package = _package(options.versions)
    if options.source and len(options.versions) > 1:
        raise WrongUse("A source tarball is of one version of Python; leave --source out to rehearse several at once, or a package.")
    return Order(
        versions=() if package else _versions(options.versions, options.kind),
        package=package,
        source=options.source,
        as_json=options.as_json,
        time_out=options.time_out,
    )


def _versions(words: Sequence[str], kind: str | None) -> tuple[PythonVersion, ...]:
    """Read the versions; a series alone is its end, whether or not that is said."""
    versions = tuple(PythonVersion.parse(word) for word in words)
    if kind is not None and (others := [version for version in versions if not version.ends]):
        raise WrongUse(f"{others[0]} is a version and no series, so it cannot come to its end; write a series such as 3.10.")
    return versions


def _package(words: Sequence[str]) -> tuple[str, str] | None:
    """Return the package and its version where the first word is no number."""
    if words[0][:1].isdecimal():
        return None
    if len(words) != 2:  # noqa: PLR2004 - the name and the version
        raise WrongUse(f"{words[0]!r} is no version; write one such as 3.15.0a3, or a package and its version, such as azure-core 1.30.0.")
    return words[0], words[1]


async def _rehearse(order: Order) -> int:
    timeline = TimelineForPrograms(sys.stdout) if order.as_json else TimelineForPeople(sys.stdout)
    faults = _Faults()
    logging.getLogger().addHandler(faults)
    try:
        async with AsyncExitStack() as stack:
            with_folder = ExitStack()
            stack.push_async_callback(asyncio.to_thread, with_folder.close)
            folder = Path(with_folder.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True)))
            if order.package is not None:
                name, version = order.package
                setting = await _to_the_end(lambda: sdk_stage(folder, name, version))
                world = await stack.enter_async_context(World(folder / "world"))
                verdict = await play_package(setting, world, timeline, _running, order.waits, faults.found)
            else:
                settings = await _to_the_end(lambda: with_folder.enter_context(stages(folder, order.versions, order.source)))
                world = await stack.enter_async_context(World(folder / "world"))
                verdict = await _play(order, settings, world, timeline, faults)
    finally:
        logging.getLogger().removeHandler(faults)
    return DONE if verdict.good else NO


async def _to_the_end(prepare: Callable[[], Prepared]) -> Prepared:
    """Run in a thread, and let the thread come to its end even when interrupted, so that what it made is there to be removed."""
    preparing = asyncio.create_task(asyncio.to_thread(prepare))
    try:
        return await asyncio.shield(preparing)
    except asyncio.CancelledError:
        await asyncio.wait([preparing])
        raise


async def _play(order: Order, settings: Sequence[Stage], world: World, timeline: Timeline, faults: _Faults) -> Verdict:
    hands = [await _populated(world, *settings), *[await _hands(world, setting) for setting in settings[1:]]]
    before, begun = await world.github.refs(UPSTREAM), len(world.log)
    late = []
    async with _running(world, settings[0].profile, [f"cpython/{setting.version}" for setting in settings]) as looks:
        scenes = [_scene(setting, order, world, timeline) for setting in settings]
        plays = [_performance(*parts, scenes) for parts in zip(scenes, hands, looks, strict=True)]
        try:
            async with asyncio.timeout(order.time_out * len(plays)), Machines(world, *(scene.files for scene in scenes)).working():
                await asyncio.gather(*(play.play(pause=_PAUSE, patience=_PATIENCE) for play in plays))
                await world.drain()
        except TimeoutError:
            late = [f"after {order.time_out * len(plays):g} s it still waited for {scene.awaited()}" for scene in scenes if not scene.over]
        plays[0].tell_news()
    found = [*late, *[problem for scene in scenes for problem in await problems(scene, before)], *unshown(scenes, begun), *faults.found]
    people = {player.login for setting in settings for player in (setting.manager, *setting.others)}
    for scene in scenes:
        timeline.people(str(scene.stage.version), scene.acts, scene.release)
    verdict = Verdict(problems=counted(found), seconds=timeline.seconds(), calls=calls(world, people))
    timeline.verdict(verdict)
    return verdict


def _scene(setting: Stage, order: Order, world: World, timeline: Timeline) -> Scene:
    beside = tuple(version for version in order.versions if version != setting.version)
    return Scene(world=world, stage=setting, timeline=timeline, beside=beside)


def _performance(scene: Scene, hands: ReleaseManager, look: Look, scenes: Sequence[Scene]) -> Performance:
    """Let those play who take part in a release; of several at once, the first one tells what happens in the world."""
    people = {login for one in scenes for login in one.people}
    others = (WindowsExpert(scene), MacosExpert(scene), Successor(scene, hands), Tidier(scene, hands))
    name = f"the bot on {scene.stage.version}" if len(scenes) > 1 else "the bot"
    return Performance(scene, Lead(scene, hands), others, people, look, name=name, tells=scene is scenes[0])


async def _populated(world: World, setting: Stage, *beside: Stage) -> ReleaseManager:
    """Put people, repositories, builders and lifecycle data into the world; give the hands of the first release manager."""
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
    for one in (setting, *beside):
        world.peps.plan(str(one.version), day=world.now().date())
    for branch in setting.tree.setting.branches:
        # The builders of main are tagged 3.x: https://github.com/python/buildmaster-config
        tag = "3.x" if branch == "main" else branch
        world.buildbot.add_builder(f"AMD64 Debian {tag}", tag, "stable", "tier-1")
        world.buildbot.finish(f"AMD64 Debian {tag}")
    for number, tier in enumerate(("tier-1", "tier-2", "tier-3"), start=1):
        for branch in (one.version.branch for one in (setting, *beside)):
            world.buildbot.add_builder(f"Builder {number} {branch}", "3.x" if branch == "main" else branch, "stable", tier)
            world.buildbot.finish(f"Builder {number} {branch}")
    await add_release_tools(world, manager.login)
    await add_schedule(world, manager.login)
    return await _hands(world, setting)


async def _hands(world: World, setting: Stage) -> ReleaseManager:
    """Give the hands of the release manager of one version; who makes two has a clone for each."""
    github, manager = world.github, setting.manager
    account = Account(login=manager.login, token=github.person_token(manager.login), identity=manager.identity)
    home = world.directory / "people" / f"{manager.login}-{setting.version}"
    return await asyncio.to_thread(
        lambda: ReleaseManager(account, home=home, upstream=github.clone_url(UPSTREAM), fork=github.clone_url(manager.fork))
    )


@asynccontextmanager
async def _running(world: World, profile: Path, pages: Sequence[str]) -> AsyncIterator[list[Look]]:
    """Run the production app in this world; it knows nothing of that but addresses, waits and keys.

    ``pages`` are those of the releases, as PROJECT/VERSION.
    """
    from bot.serve import start  # noqa: PLC0415 - wrong use is answered before the whole program is loaded

    home = world.directory / "bot"
    home.mkdir(parents=True)
    environment: Mapping[str, str] = {
        **world.environment(),
        "BOT_HOME": str(home),
        "BOT_PROFILE": str(profile),
        "PORT": "0",
        "LOG_FORMAT": "text",
    }
    bot = await start(environment)
    try:
        world.github.app.webhook_url = f"{bot.url}/webhook/github"
        world.azure.hook_to(f"{bot.url}/webhook/azure")
        async with aiohttp.ClientSession() as session:
            yield [_looking(session, f"{bot.url}/releases/{page}.json") for page in pages]
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
