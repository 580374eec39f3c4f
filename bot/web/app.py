"""Put the web application together. It asks nothing of any other system but the store."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from aiohttp import web

from bot.errors import Unavailable
from bot.profile import Profile
from bot.release.ids import Repository, UserId
from bot.web import azure_intake
from bot.web.azure_intake import AzureIntake
from bot.web.intake import LARGEST_BODY, Intake
from bot.web.pages import Pages, Shelf
from bot.web.receiving import PATIENCE, Inbox, Reader, answer
from bot.web.routing import Routing, Territory

log: Final = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebStore(Inbox, Shelf, Protocol):
    """What the web application needs of the store."""


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """What the web application must know; times are seconds, sizes bytes.

    ``secrets`` are the webhook's, one or several; without ``azure_secrets`` no service hooks of Azure DevOps are taken. ``url`` is where
    everybody finds the pages, empty where they are not public. ``account`` and ``installation_of`` answer from memory, with None for what
    is unknown.
    """

    secrets: Sequence[str] = field(repr=False)
    profiles: Sequence[Profile]
    app_id: int
    azure_secrets: Sequence[str] = field(default=(), repr=False)
    github_url: str = "https://github.com"
    url: str = ""
    account: Callable[[], UserId | None] = lambda: None
    installation_of: Callable[[Repository], int | None] = lambda _: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    largest_body: int = LARGEST_BODY
    patience: float = PATIENCE


def create_app(settings: WebSettings, store: WebStore) -> web.Application:
    """Return the application; raise ValueError without a webhook secret, because then anybody could command."""
    if not any(settings.secrets):
        raise ValueError("The webhook secret is missing: without one, anybody could send commands.")
    routing = Routing(
        territories=[Territory.of(profile) for profile in settings.profiles],
        app_id=settings.app_id,
        account=settings.account,
        installation_of=settings.installation_of,
    )
    intake = Intake(
        secrets=settings.secrets,
        inbox=store,
        routing=routing,
        reader=Reader(largest=settings.largest_body, patience=settings.patience),
        clock=settings.clock,
    )
    hooks = AzureIntake(
        secrets=settings.azure_secrets,
        inbox=store,
        projects=[profile.name for profile in settings.profiles if profile.builds_on_azure],
        reader=Reader(largest=min(settings.largest_body, azure_intake.LARGEST_BODY), patience=settings.patience),
        clock=settings.clock,
    )
    names = [profile.name for profile in settings.profiles]
    pages = Pages(shelf=store, projects=names, github_url=settings.github_url, url=settings.url.rstrip("/"))
    health = Health(inbox=store, patience=settings.patience)
    app = web.Application(middlewares=[_plain_errors])
    app.add_routes(
        [
            web.post("/webhook/github", intake.__call__),
            web.post("/webhook/azure", hooks.__call__),
            web.get("/", pages.index),
            web.get("/releases/{project}/{version}.json", pages.release_json),
            web.get("/releases/{project}/{version}/dossier.json", pages.dossier_json),
            web.get("/releases/{project}/{version}/dossier", pages.dossier),
            web.get("/dossier.schema.json", pages.schema),
            web.get("/releases/{project}/{version}", pages.release),
            web.get("/healthz", health.alive),
            web.get("/readyz", health.ready),
        ]
    )
    return app


@dataclass(frozen=True, kw_only=True)
class Health:
    """The handlers of ``GET /healthz`` and ``GET /readyz``."""

    inbox: Inbox
    patience: float

    async def alive(self, _request: web.Request) -> web.Response:
        """Say that the process answers at all."""
        return answer(200, "Alive.")

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether a webhook could be stored now."""
        try:
            async with asyncio.timeout(self.patience):
                await self.inbox.ping()
        except (Unavailable, TimeoutError) as error:
            log.warning("Not ready: %s", str(error) or "the store took too long")
            return answer(503, "The store does not answer now.")
        return answer(200, "Ready.")


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into one JSON object that tells nothing about the inside."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = answer(error.status, f"{error.reason}.")
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Unavailable as error:
        log.warning("%s %s could not be answered: %s", request.method, request.rel_url.raw_path, error)
        return answer(503, "The store does not answer now: try again later.")
    except Exception:
        log.exception("%s %s failed", request.method, request.rel_url.raw_path)
        return answer(500, "Something went wrong here; it was logged.")
