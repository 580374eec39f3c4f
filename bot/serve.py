"""Start the bot from its environment: web server, store, engine, and one context for each project."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bot import confirming
from bot.advancing import Advance
from bot.context import Context
from bot.effects import Observer
from bot.errors import Refused, Unavailable
from bot.installations import Installations
from bot.profile import Profile, load
from bot.release.ids import Repository, watch_key
from bot.services.azure_devops import AzureDevOps
from bot.services.buildbot import Buildbot
from bot.services.cdn import Cdn
from bot.services.docs import Docs
from bot.services.git import Git
from bot.services.github import GitHub, Limits
from bot.services.github.shapes import App
from bot.services.nuget import NuGet
from bot.services.peps import Peps
from bot.services.pypi import PyPI
from bot.services.python_org import PythonOrg
from bot.settings import Settings, is_loopback, load_settings
from bot.store.claim import Claim
from bot.store.model import Timings, project_of
from bot.store.store import Store
from bot.watch import look
from bot.web.app import WebSettings, create_app

log: Final = logging.getLogger(__name__)

GITHUB: Final = "https://github.com"
DOWNLOAD_HOSTS: Final = (
    "results-receiver.actions.githubusercontent.com",
    *(f"productionresultssa{number}.blob.core.windows.net" for number in range(20)),
)
"""Where GitHub keeps logs and artifacts: https://docs.github.com/en/actions/reference/runners/self-hosted-runners."""

BACKLOG: Final = 4096
LOOPBACK: Final = "127.0.0.1"


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
    app: App | None = None
    url: str = ""
    work: asyncio.Task[None] | None = None
    working: bool = False
    """Whether all is known that has to be known before any work is done."""

    async def listen(self) -> None:
        """Open the port; it takes webhooks from now on."""
        app = create_app(
            WebSettings(
                secrets=[secret.get_secret_value() for secret in self.settings.gh_secret],
                profiles=list(self.profiles.values()),
                app_id=self.settings.gh_app_id,
                azure_secrets=[secret.get_secret_value() for secret in self.settings.azure_hook_secret],
                github_url=self.settings.github_server_url,
                url=self.settings.bot_url or "",
                account=lambda: self.app.user_id if self.app else None,
                installation_of=self._installation_of,
            ),
            self.store,
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        # A burst of new connections overflows the default backlog of 128 and is then refused.
        site = web.TCPSite(runner, self._host(), self.settings.port, backlog=BACKLOG)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    def _installation_of(self, repository: Repository) -> int | None:
        known = (context.installations.remembered(repository) for context in self.contexts.values())
        return next((one for one in known if one is not None), None)

    def _host(self) -> str | None:
        """Return this machine alone while nobody else is told where the bot is, else every address."""
        named = urlsplit(self.settings.bot_url or "").hostname
        local = is_loopback(named) if named else not self.settings.dyno
        return LOOPBACK if local else None

    async def until(self, stopped: asyncio.Event) -> None:
        """Return when told to stop; raise what made the work end before that."""
        waiting = asyncio.create_task(stopped.wait())
        work = self.work
        if work is None:
            return
        try:
            await asyncio.wait([waiting, work], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            waiting.cancel()

    async def stop(self) -> None:
        """Take no more work, let what runs come to an end, and close everything."""
        if self.work is not None and not self.working:
            # Who we are does not matter any more, and work that begins now would find everything closed.
            self.work.cancel()
            await asyncio.wait([self.work])
        await self.stack.aclose()
        if self.work is not None:
            self.work.cancel()
            await asyncio.wait([self.work])

    async def reconcile(self, claim: Claim) -> datetime | None:
        """Look at one row of work."""
        context = self.contexts.get(project_of(claim.key))
        if context is None:
            log.warning("%s belongs to a project that is not served any more, so it is left alone.", claim.key)
            return None
        if claim.key == context.profile.name:
            return await look(context, claim, self.store)
        return await Advance.of(context, claim).run()

    async def begin(self) -> None:
        """Find out who we are on GitHub, however long that takes, and then work until told to stop."""
        app, github = await self._identify()
        self.app = app
        for profile in self.profiles.values():
            self.contexts[profile.name] = self._context(profile, app, github)
            await self._learn_installations(self.contexts[profile.name])
            # Also what nobody wanted to look at: its project may have been left out of the profiles for a while.
            over = await confirming.forgotten(self.contexts[profile.name], self.store)
            for key in (watch_key(profile.name), *await self.store.live_keys(profile.name), *over):
                await self.store.wake(key)
        self.working = True
        await self.store.run(self.reconcile)

    async def _learn_installations(self, context: Context) -> None:
        """Find out which installations events may come from; what cannot be known now is not held against any event."""
        project = context.profile.project
        for repository in dict.fromkeys((project.repository, *project.homes)):
            with suppress(Unavailable, Refused):
                await context.installations.on(repository)

    async def _identify(self) -> tuple[App, GitHub]:
        settings = self.settings
        pause = min(profile.timing.poll for profile in self.profiles.values())
        github = GitHub(
            settings.gh_app_id,
            settings.gh_private_key.get_secret_value(),
            settings.github_api_url,
            self.session,
            limits=Limits(write_gap=max(profile.timing.write_gap for profile in self.profiles.values())),
            download_hosts=_download_hosts(settings),
        )
        repository = next(iter(self.profiles.values())).project.repository
        while True:
            try:
                app = await github.app(via=repository)
                if app.user_id is not None:
                    return app, github
                log.warning("The App is not installed on %s yet, so nothing can be done; trying again.", repository)
            except Unavailable as silence:
                log.warning("GitHub does not say who this App is, trying again: %s", silence)
            await asyncio.sleep(pause)

    def _azure(self, profile: Profile) -> AzureDevOps | None:
        settings = self.settings
        project = profile.azure_project
        if project is None or settings.azure_devops_url is None or settings.azure_devops_token is None:
            return None
        token, cache = settings.azure_devops_token.get_secret_value(), settings.home / "azure"
        return AzureDevOps(settings.azure_devops_url, token, project=project, cache=cache)

    def _context(self, profile: Profile, app: App, github: GitHub) -> Context:
        settings = self.settings
        return Context(
            profile=profile,
            app=app,
            github=github,
            git=Git(settings.home / "git" / profile.name, settings.github_server_url),
            buildbot=Buildbot(settings.buildbot_url, self.session),
            peps=Peps(settings.peps_url, self.session),
            python_org=PythonOrg(settings.python_org_url, self.session),
            docs=Docs(settings.docs_url, settings.python_org_url, self.session),
            cdn=Cdn(python_org=settings.python_org_url, docs=settings.docs_url, session=self.session),
            nuget=NuGet(settings.nuget_url, self.session),
            pypi=PyPI(settings.pypi_url, self.session),
            azure=self._azure(profile),
            installations=Installations(github, now, fresh_for=profile.timing.sweep),
            now=now,
            server=settings.github_server_url,
            home=settings.home,
            url=settings.bot_url or "",
            observers=self.observers,
        )


def _download_hosts(settings: Settings) -> tuple[str, ...]:
    """Return where logs and artifacts may be fetched from, besides the API's own host: of an own GitHub, from its own server."""
    return DOWNLOAD_HOSTS if settings.github_server_url == GITHUB else (urlsplit(settings.github_server_url).netloc,)


async def start(environ: Mapping[str, str], observers: Sequence[Observer] = ()) -> Bot:
    """Start the bot; raise UserError with one sentence when the environment or a profile is wrong."""
    settings = load_settings(environ)
    profiles = {profile.name: profile for profile in (load(source, home=settings.home) for source in settings.bot_profile)}
    for profile in profiles.values():
        if profile.builds_on_azure:
            settings.refuse_without_azure(profile.name)
        for person in profile.people:
            if not person.id:
                log.warning("The profile %s does not know the account number of %s, so they are not obeyed.", profile.name, person.login)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        store = await Store.open(settings.database, timings=_timings(list(profiles.values())))
        stack.push_async_callback(store.close)
        bot = Bot(settings, profiles, store, session, tuple(observers), stack.pop_all())
    try:
        await bot.listen()
        bot.work = asyncio.create_task(bot.begin(), name="work")
    except BaseException:
        await bot.stop()
        raise
    return bot


def _timings(profiles: Sequence[Profile]) -> Timings:
    """Return the shortest times that any profile asks for: one engine serves them all."""
    return Timings(
        lease=min(profile.timing.lease for profile in profiles),
        heartbeat=min(profile.timing.heartbeat for profile in profiles),
        idle=min(1.0, *(profile.timing.poll for profile in profiles)),
        backoff=min(1.0, *(profile.timing.poll for profile in profiles)),
    )
