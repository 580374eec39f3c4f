"""Tell stories: somebody says or does something in the world; then the world looks like this.

A story plays on the real program against the world in a box. Nothing goes unnoticed: at its end every comment of the bot must have been
expected, every row of what people do must be closed, no rule may be left, and nothing may have been done that the real systems refuse.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from bot.effects import Observer
from bot.rehearsal.machinery import Machines
from bot.rehearsal.person import PushAnswer
from bot.rehearsal.publisher import files_of
from bot.rehearsal.release_manager import Cut, ReleaseManager
from bot.rehearsal.stage import UPSTREAM, Stage
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World
from bot.serve import Bot, start
from tests.stories import building, tampering
from tests.stories.scenery import hands_of

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
    alarms: set[int] = field(default_factory=set)
    """The issues of the bot that the story has told of."""
    errors: list[str] = field(default_factory=list)
    patience: float = PATIENCE
    forgiven: list[str] = field(default_factory=list)
    """Patterns of violations and of logged errors that are the point of the story."""
    handled: set[str] = field(default_factory=set)
    """Those who do all that they are called for, or what calls are about, so that the story need not tell of each call."""

    home: ClassVar[str] = UPSTREAM
    """The repository in which it plays."""

    pushed_as_tag = tampering.pushed_as_tag
    pushed_aside = tampering.pushed_aside
    rewritten = tampering.rewritten
    smuggled = tampering.smuggled
    signed = building.signed
    to_go = building.to_go
    built = building.built
    went = building.went
    published = building.published
    sold = building.sold

    def __post_init__(self) -> None:
        """Get the builders ready; those of a whole release are set to work when it is told."""
        self.files = files_of(self.setting, self.world)
        self.machines = Machines(self.world, self.files)

    # --- the bot

    @property
    def url(self) -> str:
        """Return where the bot answers; nothing while it does not run."""
        return self.bot.url if self.bot else ""

    async def start_bot(self) -> None:
        """Start the bot, or start it again on what it left behind."""
        self.bot = await start(self.environment(), self.observers)
        self.world.github.app.webhook_url = f"{self.bot.url}/webhook/github"
        self.world.azure.hook_to(f"{self.bot.url}/webhook/azure")

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
        if bot is not None:
            await bot.stop()

    def environment(self) -> dict[str, str]:
        """Return what the bot is told."""
        home = self.directory / "home"
        home.mkdir(parents=True, exist_ok=True)
        environment = {**self.world.environment(), "BOT_HOME": str(home), "BOT_PROFILE": str(self.setting.profile), "PORT": "0"}
        return environment | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    # --- what people do

    @property
    def page(self) -> str:
        """Return the name of the page of the release."""
        return f"cpython/{self.setting.version}"

    @property
    def manager(self) -> str:
        """Return the login of the release manager."""
        return self.setting.manager.login

    def open_issue(self) -> int:
        """Open an issue for a release."""
        version = self.setting.version
        return self.world.github.open_issue(self.manager, self.home, f"Release Python {version}")

    def say(self, body: str, *, by: str | None = None, issue: int | None = None) -> int:
        """Say something on the issue, as the release manager if nobody else is named."""
        return self.world.github.say(by or self.manager, self.home, issue or self.issue, body)

    async def beside(self, version: str, login: str) -> "Story":
        """Return the story of another version, told by somebody else in the same world, with an issue of its own."""
        manager = next(player for player in (self.setting.manager, *self.setting.others) if player.login == login)
        setting = replace(self.setting, version=PythonVersion.parse(version), manager=manager, key=None)
        other = replace(self, setting=setting, hands=await hands_of(self.world, login, setting))
        other.issue = other.open_issue()
        return other

    async def asked_to_cut(self) -> None:
        """Wait for the call to cut the release."""
        await self.comment("Cut", "push the annotated tag")

    async def opened(self, **how: Any) -> Cut:
        """Start the release, and cut it as soon as the bot asks for it."""
        self.say(f"/release {self.setting.version}")
        await self.asked_to_cut()
        return await self.cut(**how)

    async def approved(self, cut: Cut) -> int:
        """Approve a tag as soon as the bot asks for it."""
        await self.comment("/release approve", cut.tag)
        return self.say(f"/release approve {cut.tag}")

    async def cut(self, **how: Any) -> Cut:
        """Cut the release from the head the bot announced, and push it to the fork."""
        cut = await self.hands_cut(**how)
        await self.pushed(cut)
        return cut

    async def retagged(self, cut: Cut, **how: Any) -> Cut:
        """Make the tag again as another object, and push it to the fork over the old one."""
        again = await self.hands.retag(cut, **how)
        await self.pushed(again, force=True)
        return again

    async def pushed(self, cut: Cut, *, force: bool = False) -> None:
        """Push a release that was cut to the fork."""
        accepted(await self.hands.push_to_fork(cut, force=force))

    async def hands_cut(self, **how: Any) -> Cut:
        """Cut the release from the head the bot announced."""
        release = await self.until("the release", self.release)
        head = next(row["head"] for row in release["frozen"] if row["head"])
        await self.hands.fetch()
        key = how.pop("key", self.setting.key)
        return await self.hands.cut_with(self.setting.version, head, extra_changes=how.pop("extra_changes", {}), key=key, **how)

    # --- what the world looks like then

    async def release(self) -> dict[str, Any]:
        """Return the release as the bot publishes it; an empty one while there is none."""
        if not self.url:
            return {}
        url = f"{self.url}/releases/{self.page}.json"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return await answer.json() if answer.status == 200 else {}
        except aiohttp.ClientError:
            return {}

    async def until(self, what: str, true: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for something to come true."""
        try:
            async with asyncio.timeout(self.patience):
                while not (result := await true()):
                    await asyncio.sleep(0.06)
                return result
        except TimeoutError:
            raise Unexpected(f"waited in vain for {what}\n{await self.picture()}") from None

    async def state(self, wanted: str) -> dict[str, Any]:
        """Wait until the release is in a state."""

        async def there() -> dict[str, Any] | None:
            release = await self.release()
            return release if release.get("state") == wanted else None

        return dict(await self.until(f"the state {wanted}", there))

    async def step(self, name: str, wanted: str, *, attempt: int | None = None) -> dict[str, Any]:
        """Wait until a step is in a state."""

        async def there() -> dict[str, Any] | None:
            release = await self.release()
            if attempt is not None and release.get("attempt") != attempt:
                return None
            return next((step for step in release.get("steps", ()) if (step["name"], step["state"]) == (name, wanted)), None)

        return dict(await self.until(f"the step {name} to be {wanted}", there))

    async def comment(self, *words: str, issue: int | None = None) -> str:
        """Wait for a comment of the bot, not told of yet, with these words in it."""

        async def there() -> str | None:
            self.status_now()
            for comment in self.world.github.comments(self.home, issue or self.issue):
                mine = comment.author.login == self.world.github.app.bot.login and comment.id not in self.expected
                if mine and all(word in comment.body for word in words):
                    self.expected.add(comment.id)
                    return comment.body
            return None

        return str(await self.until(f"a comment with {words}", there))

    async def answer(self, comment: int, *words: str, about: str = "answer", issue: int | None = None) -> str:
        """Wait for the bot's answer to a comment."""
        return await self.comment(f"<!-- about={about}-{comment} -->", *words, issue=issue)

    async def refusal(self, comment: int, *words: str, issue: int | None = None) -> str:
        """Wait until a command is refused, with these words."""
        await self.reaction(comment, "-1")
        return await self.answer(comment, "not done.", *words, issue=issue)

    async def alarm(self, *words: str) -> int:
        """Wait until the bot opens an issue with these words, and return its number."""

        async def there() -> int | None:
            for number, issue in self.world.github.repository(self.home).issues.items():
                mine = issue.author.login == self.world.github.app.bot.login and number not in self.alarms
                if mine and all(word in f"{issue.title}\n{issue.body}" for word in words):
                    self.alarms.add(number)
                    return number
            return None

        return int(await self.until(f"an issue with {words}", there))

    async def agreed(self, comment: int) -> None:
        """Wait until a command has taken effect."""
        await self.reaction(comment, "rocket")

    async def later(self) -> None:
        """Wait until the bot has acted on everything that was said on the issue so far."""
        await self.answer(self.say("/release help"), "write", "in order to")

    async def swept(self) -> None:
        """Wait until the bot has read all comments again, twice, so that whatever follows from the first time has followed."""
        reading = "GET /repos/{owner}/{repo}/issues/comments"
        before = self.world.counts[reading]

        async def there() -> bool:
            return self.world.counts[reading] >= before + 3

        await self.until("two sweeps", there)

    def people(self, release: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what people have yet to do."""
        return [act for act in release["people"] if not act["done"]]

    async def status(self, *words: str) -> str:
        """Wait until the status comment says these words."""

        async def there() -> str | None:
            body = self.status_now()
            return body if body and all(word in body for word in words) else None

        return str(await self.until(f"the status to say {words}", there))

    def status_now(self) -> str:
        """Return the status comment."""
        for comment in reversed(self.world.github.comments(self.home, self.issue)):
            if "<!-- about=status" in comment.body:
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
        return await self.world.github.refs(self.home)

    def freezes(self) -> list[str]:
        """Return the names of the bot's rules, and of the branches that classic protection lets nobody but the bot move."""
        rules = sorted(ruleset.name for ruleset in self.world.github.rulesets(self.home) if ruleset.name.startswith("release-freeze"))
        return [*rules, *self.world.github.closed_branches(self.home)]

    async def picture(self) -> str:
        """Return everything that helps to see why a story went wrong."""
        release = await self.release()
        comments = [f"{one.author.login}: {one.body}" for one in self.world.github.comments(self.home, self.issue)] if self.issue else []
        steps = [f"{step['name']}: {step['state']} – {step['why']}" for step in release.get("steps", ())]
        return "\n".join(["--- steps", *steps, "--- comments", *comments, "--- log", *self.world.log[-30:], "--- errors", *self.errors])

    async def ends(self) -> None:
        """See that nothing went unnoticed."""
        await self.world.drain()
        self.status_now()
        bot = self.world.github.app.bot.login
        for number, issue in self.world.github.repository(self.home).issues.items():
            if issue.author.login == bot and number not in self.alarms:
                raise Unexpected(f"the bot opened an issue the story does not tell of: {issue.title}")
            for comment in self.world.github.comments(self.home, number):
                if comment.author.login == bot and comment.id not in self.expected and not building.is_handled(self, comment.body):
                    raise Unexpected(f"the bot said something the story does not tell:\n{comment.body}")
        assert not self.freezes(), self.freezes()
        wrong = (*self.world.violations, *self.errors)
        unforgiven = [one for one in wrong if not any(re.search(pattern, one) for pattern in self.forgiven)]
        assert not unforgiven, unforgiven


def accepted(answer: PushAnswer) -> None:
    """See that a push was accepted."""
    assert answer.accepted, answer.words
