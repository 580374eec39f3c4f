"""The world in a box, on loopback and in one directory: GitHub, Azure DevOps, the buildbots, the PEP site, python.org, the docs."""

from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.rehearsal.azure import Azure
from bot.rehearsal.buildbot import Buildbot
from bot.rehearsal.chronicle import Chronicle, Request, WriteHook
from bot.rehearsal.docs import Docs
from bot.rehearsal.faults import Faults
from bot.rehearsal.github import GitHub
from bot.rehearsal.github_assembly import assemble
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.nuget import NuGet
from bot.rehearsal.peps import Peps
from bot.rehearsal.post import Pace
from bot.rehearsal.pypi import PyPI
from bot.rehearsal.python_org import PythonOrg
from bot.rehearsal.reference import azure_specs, find_reference, github_specs
from bot.rehearsal.serving import reserve, serving, url_of


class World:
    """Everything a release touches.

    To be used so::

        async with World(directory) as world:
            world.github.app.webhook_url = "http://127.0.0.1:8080/webhook/github"
            comment = world.github.say("hugovk", "python/cpython", 1, "/release 3.15.0a3")

    ``violations`` must be empty at the end of every story.
    """

    github: GitHub
    azure: Azure
    buildbot: Buildbot
    peps: Peps
    python_org: PythonOrg
    docs: Docs

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 0,
        reference: Path | None = None,
        webhook_time_out: float = 10.0,
        shuffle_patience: float = 0.1,
    ) -> None:
        """Keep the repositories in ``directory``; all disorder follows from ``seed``.

        ``reference`` is the folder with GitHub's official descriptions (``specs/github``); where it is not given it is looked for as
        ``bot.rehearsal.reference`` says, and without one nothing is held against them.
        """
        self.directory = directory
        self.seed = seed
        self._reference = reference or find_reference()
        self._pace = Pace(seed=seed, time_out=webhook_time_out, patience=shuffle_patience)
        self._chronicle = Chronicle()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start every server on a port of its own."""
        self.directory.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            api, server = reserve(), reserve()
            links = Links(api=url_of(api), server=url_of(server))
            assembled = assemble(self.directory, links, self._chronicle, github_specs(self._reference), self._pace)
            await stack.enter_async_context(serving(assembled.api, api))
            await stack.enter_async_context(serving(assembled.git, server))
            self.github = assembled.github
            self.github.webhooks.start()
            stack.push_async_callback(self.github.webhooks.close)
            self.azure = Azure(self._chronicle, azure_specs(self._reference), self._pace)
            self.azure.serve_at(await self._serve(stack, self.azure.application))
            self.azure.hooks.start()
            stack.push_async_callback(self.azure.hooks.close)
            self.buildbot = Buildbot(self._chronicle)
            self.buildbot.url = await self._serve(stack, self.buildbot.application)
            self.peps = Peps(self._chronicle)
            self.peps.url = await self._serve(stack, self.peps.application)
            self.python_org = PythonOrg(self._chronicle)
            self.python_org.url = await self._serve(stack, self.python_org.application)
            self.nuget = NuGet(self._chronicle)
            self.nuget.url = await self._serve(stack, self.nuget.application)
            self.pypi = PyPI(self._chronicle)
            self.pypi.url = await self._serve(stack, self.pypi.application)
            self.docs = Docs(self._chronicle)
            self.docs.url = await self._serve(stack, self.docs.application)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop every server; the directory stays."""
        await self._stack.aclose()

    @staticmethod
    async def _serve(stack: AsyncExitStack, application: web.Application) -> str:
        reserved = reserve()
        await stack.enter_async_context(serving(application, reserved))
        return url_of(reserved)

    @property
    def violations(self) -> list[str]:
        """What should not have been asked, or could not happen on the real systems."""
        return self._chronicle.violations

    @property
    def log(self) -> list[str]:
        """Every change of the world, as a sentence, in order."""
        return self._chronicle.log

    @property
    def counts(self) -> Counter[str]:
        """How often each ``METHOD /path/{template}`` was asked."""
        return self._chronicle.counts

    @property
    def requests(self) -> list[Request]:
        """Every request, in the order in which they were answered."""
        return self._chronicle.requests

    @property
    def faults(self) -> Faults:
        """What shall go wrong."""
        return self._chronicle.faults

    @property
    def writes(self) -> int:
        """The number of the latest write."""
        return self._chronicle.writes

    @property
    def before_write(self) -> WriteHook:
        """Awaited with number and description before a write is looked at."""
        return self._chronicle.before_write

    @before_write.setter
    def before_write(self, hook: WriteHook) -> None:
        self._chronicle.before_write = hook

    @property
    def after_write(self) -> WriteHook:
        """Awaited with number and description when the world has changed and the answer is not yet sent."""
        return self._chronicle.after_write

    @after_write.setter
    def after_write(self, hook: WriteHook) -> None:
        self._chronicle.after_write = hook

    def now(self) -> datetime:
        """Return the present: the world's clock is the real one."""
        return datetime.now(UTC)

    async def drain(self) -> None:
        """Wait until every webhook was answered or has failed."""
        await self.github.webhooks.drain()
        await self.azure.hooks.drain()

    def environment(self) -> dict[str, str]:
        """Return what the bot must be told to live in this world, by its variables of the environment."""
        return {
            "GITHUB_API_URL": self.github.api_url,
            "GITHUB_SERVER_URL": self.github.server_url,
            "AZURE_DEVOPS_URL": self.azure.url,
            "AZURE_DEVOPS_TOKEN": self.azure.token,
            "AZURE_HOOK_SECRET": self.azure.hooks.secret,
            "BUILDBOT_URL": self.buildbot.url,
            "PEPS_URL": self.peps.url,
            "PYTHON_ORG_URL": self.python_org.url,
            "DOCS_URL": self.docs.url,
            "NUGET_URL": self.nuget.url,
            "PYPI_URL": self.pypi.url,
            "GH_APP_ID": str(self.github.app.id),
            "GH_PRIVATE_KEY": self.github.app.private_key,
            "GH_SECRET": ",".join(self.github.app.webhook_secrets),
        }
