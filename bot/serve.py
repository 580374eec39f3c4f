"""Start the bot from its environment: web server, store, engine, and one context for each project."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import aiohttp
from aiohttp import web

from bot.advancing import Advance
from bot.context import Context
from bot.effects import Observer
from bot.errors import Unavailable
from bot.logs import set_up_logging
from bot.profile import Profile, load
from bot.release.ids import WorkKey
from bot.services.buildbot import Buildbot
from bot.services.git import Git
from bot.services.github import App, GitHub
from bot.services.peps import Peps
from bot.settings import Settings, load_settings
from bot.store import Claim, Store, Timings
from bot.store.model import project_of
from bot.watch import look
from bot.web.app import create_app

log: Final = logging.getLogger(__name__)


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass
class Bot:
    """A running bot; ``stop`` ends it gracefully."""

    settings: Settings
    profiles: Mapping[str, Profile]
    store: Store
    session: aiohttp.ClientSession
    observers: Sequence[Observer]
    stack: AsyncExitStack
    contexts: dict[str, Context] = field(default_factory=dict)
    url: str = ""
    work: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Take no more work, let what runs come to an end, and close everything."""
        await self.stack.aclose()

    async def reconcile(self, claim: Claim) -> datetime | None:
        """Look at one row of work."""
        context = self.contexts[project_of(claim.key)]
        if claim.key == context.profile.name:
            return await look(context, claim, self.store)
        return await Advance.of(context, claim).run()

    async def begin(self) -> None:
        """Find out who we are on GitHub, however long that takes, and then work until told to stop."""
        app, github = await self._identify()
        for profile in self.profiles.values():
            self.contexts[profile.name] = self._context(profile, app, github)
            await self.store.wake(WorkKey(profile.name))
        await self.store.run(self.reconcile)

    async def _identify(self) -> tuple[App, GitHub]:
        settings = self.settings
        pause = min(profile.timing.poll for profile in self.profiles.values())
        github = GitHub(
            settings.gh_app_id,
            settings.gh_private_key.get_secret_value(),
            settings.github_api_url,
            self.session,
        )
        while True:
            try:
                return await github.app(), github
            except Unavailable as silence:
                log.warning("GitHub does not say who this App is, trying again: %s", silence)
                await asyncio.sleep(pause)

    def _context(self, profile: Profile, app: App, github: GitHub) -> Context:
        settings = self.settings
        return Context(
            profile=profile,
            app=app,
            github=github,
            git=Git(settings.home / "git" / profile.name, settings.github_server_url),
            buildbot=Buildbot(settings.buildbot_url, self.session),
            peps=Peps(settings.peps_url, self.session),
            now=now,
            url=settings.bot_url or "",
            observers=self.observers,
        )


async def start(environ: Mapping[str, str], observers: Sequence[Observer] = ()) -> Bot:
    """Start the bot; raise UserError with one sentence when the environment or a profile is wrong."""
    settings = load_settings(environ)
    profiles = {profile.name: profile for profile in (load(source, home=settings.home) for source in settings.bot_profile)}
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.database, timings=_timings(profiles.values()))
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        bot = Bot(settings, profiles, store, session, tuple(observers), stack)
        bot.url = await _listen(bot, stack)
        bot.work = asyncio.create_task(bot.begin(), name="work")
        stack.push_async_callback(_finish, bot)
        bot.stack = stack.pop_all()
        return bot
    raise AssertionError


async def _finish(bot: Bot) -> None:
    if bot.work is not None:
        bot.work.cancel()
        await asyncio.wait([bot.work])


async def serve(environ: Mapping[str, str], until: Callable[[], asyncio.Future[None]]) -> None:
    """Run the bot until the future is done or its work fails."""
    bot = await start(environ)
    log.info("listening on %s", bot.url)
    try:
        stopped = until()
        if bot.work is not None:
            await asyncio.wait([stopped, bot.work], return_when=asyncio.FIRST_COMPLETED)
            if bot.work.done():
                bot.work.result()
    finally:
        await bot.stop()
