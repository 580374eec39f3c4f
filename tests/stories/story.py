"""Tell stories: somebody says or does something in the world; then the world looks like this.

A story plays on the real program against the world in a box. Nothing goes unnoticed: at its end every comment of the bot must have been
expected, every row of what people do must be closed, no rule may be left, and nothing may have been done that the real systems refuse.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.effects import Observer
from bot.rehearsal.person import Account
from bot.rehearsal.release_manager import Cut, ReleaseManager
from bot.rehearsal.stage import UPSTREAM, Stage, stage
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World
from bot.serve import Bot, start
from bot.store.model import EffectKey

PATIENCE = 20.0
"""Seconds until a story gives up on something it waits for; the world needs a fraction of one."""


class Unexpected(AssertionError):
    """Something happened, or did not, that the story does not tell."""


@dataclass
class Story:
    """One world, one bot, one issue."""

    world: World
    setting: Stage
    hands: ReleaseManager
    directory: Path
    database_url: str | None = None
    observers: Sequence[Observer] = ()
    bot: Bot | None = None
    issue: int = 0
    expected: set[int] = field(default_factory=set)
    """The comments of the bot that the story has told of."""
    errors: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    """Patterns of violations that are the point of the story."""

    # --- the bot

    @property
    def url(self) -> str:
        """Return where the bot answers; nothing while it does not run."""
        return self.bot.url if self.bot else ""

    async def start_bot(self) -> None:
        """Start the bot, or start it again on what it left behind."""
        self.bot = await start(self.environment(), self.observers)
        self.world.github.app.webhook_url = f"{self.bot.url}/webhook/github"

    async def stop_bot(self) -> None:
        """End the bot gracefully."""
        bot, self.bot = self.bot, None
        if bot is not None:
            await bot.stop()

    async def kill_bot(self) -> None:
        """End the bot as abruptly as one can within a process: whatever it was doing is never finished."""
        bot, self.bot = self.bot, None
        if bot is not None and bot.work is not None:
            bot.work.cancel()
            await asyncio.wait([bot.work])
            await bot.stop()

    def environment(self) -> dict[str, str]:
        """Return what the bot is told."""
        home = self.directory / "home"
        home.mkdir(parents=True, exist_ok=True)
        environment = {**self.world.environment(), "BOT_HOME": str(home), "BOT_PROFILE": str(self.setting.profile), "PORT": "0"}
        return environment | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    # --- what people do

    @property
    def manager(self) -> str:
        """Return the login of the release manager."""
        return self.setting.manager.login

    def open_issue(self) -> int:
        """Open an issue for a release."""
        version = self.setting.version
        return self.world.github.open_issue(self.manager, UPSTREAM, f"Release Python {version}")

    def say(self, body: str, *, by: str | None = None, issue: int | None = None) -> int:
        """Say something on the issue, as the release manager if nobody else is named."""
        return self.world.github.say(by or self.manager, UPSTREAM, issue or self.issue, body)

    async def cut(self, **how: Any) -> Cut:
        """Cut the release from the head the bot announced, and push it to the fork."""
        cut = await self.hands_cut(**how)
        answer = await self.hands.push_to_fork(cut)
        assert answer.accepted, answer.words
        return cut

    async def hands_cut(self, **how: Any) -> Cut:
        """Cut the release from the head the bot announced."""
        release = await self.release()
        head = next(row["head"] for row in release["frozen"] if row["head"])
        await self.hands.fetch()
        key = how.pop("key", self.setting.key)
        return await self.hands.cut_with(self.setting.version, head, extra_changes=how.pop("extra_changes", {}), key=key, **how)

    # --- what the world looks like then

    async def release(self) -> dict[str, Any]:
        """Return the release as the bot publishes it; an empty one while there is none."""
        if not self.url:
            return {}
        url = f"{self.url}/releases/cpython/{self.setting.version}.json"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return await answer.json() if answer.status == 200 else {}
        except aiohttp.ClientError:
            return {}

    async def until(self, what: str, true: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for something to come true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (result := await true()):
                    await asyncio.sleep(0.02)
                return result
        except TimeoutError:
            raise Unexpected(f"waited in vain for {what}\n{await self.picture()}") from None

    async def state(self, wanted: str) -> dict[str, Any]:
        """Wait until the release is in a state."""

        async def there() -> dict[str, Any] | None:
            release = await self.release()
            return release if release.get("state") == wanted else None

        return await self.until(f"the state {wanted}", there)

    async def step(self, name: str, wanted: str, *, attempt: int | None = None) -> dict[str, Any]:
        """Wait until a step is in a state."""

        async def there() -> dict[str, Any] | None:
            release = await self.release()
            if attempt is not None and release.get("attempt") != attempt:
                return None
            return next((step for step in release.get("steps", ()) if (step["name"], step["state"]) == (name, wanted)), None)

        return await self.until(f"the step {name} to be {wanted}", there)

    async def comment(self, *words: str, issue: int | None = None) -> str:
        """Wait for a comment of the bot, not told of yet, with these words in it."""

        async def there() -> str | None:
            self.status_now()
            for comment in self.world.github.comments(UPSTREAM, issue or self.issue):
                mine = comment.author.login == self.world.github.app.bot.login and comment.id not in self.expected
                if mine and all(word in comment.body for word in words):
                    self.expected.add(comment.id)
                    return comment.body
            return None

        return str(await self.until(f"a comment with {words}", there))

    async def status(self, *words: str) -> str:
        """Wait until the status comment says these words."""

        async def there() -> str | None:
            body = self.status_now()
            return body if body and all(word in body for word in words) else None

        return str(await self.until(f"the status to say {words}", there))

    def status_now(self) -> str:
        """Return the status comment."""
        for comment in self.world.github.comments(UPSTREAM, self.issue):
            if "<!-- about=status -->" in comment.body:
                self.expected.add(comment.id)
                return str(comment.body)
        return ""

    async def reaction(self, comment: int, content: str) -> None:
        """Wait for the bot's reaction to a comment."""
        bot = self.world.github.app.bot.login

        async def there() -> bool:
            return (bot, content) in self.world.github.reactions(comment)

        await self.until(f"the reaction {content} to comment {comment}", there)

    def reactions(self, comment: int) -> set[str]:
        """Return the bot's reactions to a comment."""
        bot = self.world.github.app.bot.login
        return {content for login, content in self.world.github.reactions(comment) if login == bot}

    async def upstream(self) -> dict[str, str]:
        """Return the refs upstream."""
        return await self.world.github.refs(UPSTREAM)

    def freezes(self) -> list[str]:
        """Return the names of the bot's rules."""
        return sorted(ruleset.name for ruleset in self.world.github.rulesets(UPSTREAM) if ruleset.name.startswith("release-freeze"))

    async def picture(self) -> str:
        """Return everything that helps to see why a story went wrong."""
        release = await self.release()
        comments = [f"{one.author.login}: {one.body}" for one in self.world.github.comments(UPSTREAM, self.issue)] if self.issue else []
        steps = [f"{step['name']}: {step['state']} – {step['why']}" for step in release.get("steps", ())]
        return "\n".join(["--- steps", *steps, "--- comments", *comments, "--- log", *self.world.log[-30:], "--- errors", *self.errors])

    async def ends(self) -> None:
        """See that nothing went unnoticed."""
        await self.world.drain()
        self.status_now()
        bot = self.world.github.app.bot.login
        for number in self.world.github.repository(UPSTREAM).issues:
            for comment in self.world.github.comments(UPSTREAM, number):
                if comment.author.login == bot and comment.id not in self.expected:
                    raise Unexpected(f"the bot said something the story does not tell:\n{comment.body}")
        violations = [one for one in self.world.violations if not any(re.search(pattern, one) for pattern in self.forgiven)]
        assert not violations, violations
        assert not self.errors, self.errors


class Ears(logging.Handler):
    """Hear every error the bot logs."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self.errors.append(f"{record.name}: {record.getMessage()}{cause}")


@asynccontextmanager
async def telling(
    directory: Path, version: str, *, database_url: str | None = None, observers: Sequence[Observer] = (), seed: int = 0
) -> AsyncIterator[Story]:
    """Set the stage for a version, start world and bot, and see at the end that nothing went unnoticed."""
    async with AsyncExitStack() as stack:
        directory.mkdir(parents=True, exist_ok=True)
        setting = stack.enter_context(stage(directory, PythonVersion.parse(version), None))
        world = await stack.enter_async_context(World(directory / "world", seed=seed))
        hands = await populate(world, setting)
        story = Story(world=world, setting=setting, hands=hands, directory=directory, database_url=database_url, observers=observers)
        ears = Ears(story.errors)
        logging.getLogger("bot").addHandler(ears)
        stack.callback(logging.getLogger("bot").removeHandler, ears)
        stack.push_async_callback(story.stop_bot)
        await story.start_bot()
        story.issue = story.open_issue()
        yield story
        await story.ends()


async def populate(world: World, setting: Stage) -> ReleaseManager:
    """Put people, repositories, builders and the lifecycle into the world."""
    github, manager = world.github, setting.manager
    people = [manager, *setting.others]
    for player in people:
        github.add_user(player.login, id=player.id)
    for login in ("stranger", "coredev"):
        github.add_user(login)
    logins = [player.login for player in people]
    organization, slug = setting.team
    github.add_team(organization, slug, members=logins)
    labels = ("release-blocker", "deferred-blocker", "3.13", "3.14", "3.15")
    await github.add_repository(UPSTREAM, source=setting.tree.path, committers=[*logins, "coredev"], administrators=["coredev"], labels=labels)
    github.install(UPSTREAM)
    for player in people:
        if player.fork:
            await github.add_repository(player.fork, fork_of=UPSTREAM)
    for series, status in setting.tree.setting.statuses.items():
        world.peps.set(series, status=status, release_manager=setting.managers_by_series[series])
    branch = setting.version.branch
    for number, tier in enumerate(("tier-1", "tier-2", "tier-3")):
        world.buildbot.add_builder(f"builder {number}", "3.x" if branch == "main" else branch, "stable", tier)
        world.buildbot.finish(f"builder {number}")
    return await hands_of(world, setting.manager.login, setting)


async def hands_of(world: World, login: str, setting: Stage) -> ReleaseManager:
    """Return the hands of somebody with a fork."""
    player = next(one for one in (setting.manager, *setting.others) if one.login == login)
    account = Account(login=login, token=world.github.person_token(login), identity=player.identity)
    home = world.directory / "people" / login
    github = world.github
    return await asyncio.to_thread(
        lambda: ReleaseManager(account, home=home, upstream=github.clone_url(UPSTREAM), fork=github.clone_url(player.fork))
    )


class Mortal(Observer):
    """Die after every effect and between every intent and its effect, each once, and never come back from it by oneself.

    The effect in question simply never returns; ``died`` tells whoever restarts the bot.
    """

    def __init__(self, points: Sequence[str] = ("between", "acted", "after")) -> None:
        self.points = points
        self.died = asyncio.Event()
        self.deaths: set[tuple[str, EffectKey]] = set()

    async def between(self, key: EffectKey) -> None:
        await self._perhaps("between", key)

    async def acted(self, key: EffectKey) -> None:
        await self._perhaps("acted", key)

    async def after(self, key: EffectKey) -> None:
        await self._perhaps("after", key)

    async def _perhaps(self, point: str, key: EffectKey) -> None:
        if point in self.points and (point, key) not in self.deaths:
            self.deaths.add((point, key))
            self.died.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def reviving(story: Story, mortal: Mortal) -> AsyncIterator[None]:
    """Start the bot again whenever it dies."""

    async def watch() -> None:
        while True:
            await mortal.died.wait()
            mortal.died.clear()
            await story.kill_bot()
            await story.start_bot()

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def deliveries(story: Story) -> list[dict[str, Any]]:
    """Return the bodies of all webhooks that were sent."""
    return [json.loads(delivery.body) for delivery in story.world.github.webhooks.log]
