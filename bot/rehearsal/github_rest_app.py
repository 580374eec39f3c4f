"""Answer what the App asks about itself: installations, tokens, and the log of its webhook deliveries."""

import base64
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from bot.rehearsal.github_desk import CALLER, Desk, answer, fields, number, paged
from bot.rehearsal.github_model import JsonObject
from bot.rehearsal.github_problems import NotFound, Problem
from bot.rehearsal.github_shapes import app_shape, full_repository_shape, installation_shape, repository_shape
from bot.rehearsal.moments import stamp
from bot.rehearsal.webhooks import Delivery

LARGEST_PAGE = 100


class AppRest:
    """The endpoints of https://docs.github.com/en/rest/apps that the bot needs."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get("/app", self.app),
            web.get("/app/hook/deliveries", self.deliveries),
            web.get("/app/hook/deliveries/{delivery_id}", self.delivery),
            web.post("/app/hook/deliveries/{delivery_id}/attempts", self.redeliver),
            web.get("/app/installations", self.installations),
            web.get("/app/installations/{installation_id}", self.installation_by_id),
            web.post("/app/installations/{installation_id}/access_tokens", self.mint),
            web.delete("/installation/token", self.revoke),
            web.get("/installation/repositories", self.repositories),
            web.get("/repos/{owner}/{repo}/installation", self.installation),
        ]

    async def app(self, _request: web.Request) -> web.Response:
        """Return the App."""
        return answer({**app_shape(self._desk.links, self._desk.app), "installations_count": len(self._desk.model.installations)})

    async def installations(self, request: web.Request) -> web.Response:
        """List where the App is installed."""
        links, app = self._desk.links, self._desk.app
        return paged(request, [installation_shape(links, app, found) for found in self._desk.model.installations.values()])

    async def installation(self, request: web.Request) -> web.Response:
        """Return the installation that covers a repository."""
        installation = self._desk.model.installation_of(self._desk.repository(request).name)
        if installation is None:
            raise NotFound
        return answer(installation_shape(self._desk.links, self._desk.app, installation))

    async def installation_by_id(self, request: web.Request) -> web.Response:
        """Return an installation by its id."""
        installation = self._desk.model.installations.get(number(request, "installation_id"))
        if installation is None:
            raise NotFound
        return answer(installation_shape(self._desk.links, self._desk.app, installation))

    async def mint(self, request: web.Request) -> web.Response:
        """Make an installation token, narrowed to what the body names."""
        installation = self._desk.model.installations.get(number(request, "installation_id"))
        if installation is None:
            raise NotFound
        if installation.suspended:
            raise Problem(403, "This installation has been suspended")
        wanted = fields(request)
        token = self._desk.access.mint(installation, _permissions(wanted), self._names(installation.account.login, wanted))
        repositories = [full_repository_shape(self._desk.links, self._desk.model.repositories[name], None) for name in token.repositories]
        shape: JsonObject = {
            "token": token.text,
            "expires_at": stamp(token.expires),
            "permissions": token.permissions,
            "repository_selection": "selected",
            "repositories": repositories,
        }
        return answer(shape, 201)

    def _names(self, owner: str, wanted: JsonObject) -> list[str] | None:
        """Return the full names of the repositories that are asked for by name or by id; None means all."""
        names, ids = wanted.get("repositories"), wanted.get("repository_ids")
        if isinstance(names, list):
            return [f"{owner}/{name}" for name in names]
        if isinstance(ids, list):
            by_id = {repository.id: name for name, repository in self._desk.model.repositories.items()}
            return [by_id.get(wanted_id, f"{owner}/?{wanted_id}") for wanted_id in ids]
        return None

    async def revoke(self, request: web.Request) -> web.Response:
        """Make the token of this request worthless."""
        token = request[CALLER].token
        if token is not None:
            self._desk.model.tokens.pop(token.text, None)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def repositories(self, request: web.Request) -> web.Response:
        """List what the token covers."""
        token = request[CALLER].token
        names = sorted(token.repositories) if token else []
        shapes = [repository_shape(self._desk.links, self._desk.model.repositories[name]) for name in names]
        return paged(request, shapes, within="repositories")

    async def deliveries(self, request: web.Request) -> web.Response:
        """List deliveries, newest first; ``cursor`` in ``Link`` leads on."""
        wanted = request.query.get("status")
        known = [delivery for delivery in self._desk.webhooks.recent() if wanted in (None, _outcome(delivery))]
        cursor = request.query.get("cursor")
        if cursor is not None:
            known = [delivery for delivery in known if delivery.id < _from_cursor(cursor)]
        asked = request.query.get("per_page", "30")
        size = min(int(asked), LARGEST_PAGE) if asked.isdecimal() else LARGEST_PAGE
        headers: CIMultiDict[str] = CIMultiDict()
        if len(known) > size:
            headers["Link"] = f'<{request.url.update_query(cursor=_to_cursor(known[size - 1].id))}>; rel="next"'
        return answer([_delivery_item(delivery) for delivery in known[:size]], headers=headers)

    async def delivery(self, request: web.Request) -> web.Response:
        """Return one delivery with what was sent and what was answered."""
        delivery = self._desk.webhooks.find(number(request, "delivery_id"))
        if delivery is None:
            raise NotFound
        sent: JsonObject = {"headers": delivery.headers, "payload": None}
        received: JsonObject = {"headers": {}, "payload": delivery.answer}
        return answer({**_delivery_item(delivery), "url": self._desk.app.webhook_url or "", "request": sent, "response": received})

    async def redeliver(self, request: web.Request) -> web.Response:
        """Queue a delivery once more."""
        if not self._desk.webhooks.redeliver(number(request, "delivery_id")):
            raise NotFound
        return answer({}, 202)


def _permissions(wanted: JsonObject) -> dict[str, str] | None:
    asked = wanted.get("permissions")
    return {str(name): str(level) for name, level in asked.items()} if isinstance(asked, dict) else None


def _outcome(delivery: Delivery) -> str:
    return "success" if HTTPStatus.OK <= delivery.status_code < HTTPStatus.MULTIPLE_CHOICES else "failure"


def _to_cursor(delivery_id: int) -> str:
    return base64.urlsafe_b64encode(f"v1_{delivery_id}".encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("v1_"))
    except ValueError:
        raise Problem(400, "Invalid cursor") from None


def _delivery_item(delivery: Delivery) -> JsonObject:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": stamp(delivery.delivered),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation,
        "repository_id": delivery.repository,
        "throttled_at": None,
    }
