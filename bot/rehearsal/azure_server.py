"""Put the stand-in for Azure DevOps together: strict about credentials, permissions and shape."""

import base64
import json
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.azure_estate import Estate
from bot.rehearsal.azure_official import OfficialAzure
from bot.rehearsal.azure_problems import Forbidden, Problem
from bot.rehearsal.azure_rest import AzureRest
from bot.rehearsal.azure_rest_approvals import BODY
from bot.rehearsal.watch import BY, Handler, template, watching

SIGN_IN_PAGE = "<html><head><title>Azure DevOps Services | Sign In</title></head></html>"

_ONLY_LISTED = frozenset({"OPTIONS /{organization}/_apis", "GET /{organization}/_apis/ResourceAreas"})
"""What the descriptions leave out, because only clients ask it."""


class AzureServer:
    """The web application of the stand-in."""

    def __init__(self, estate: Estate, official: OfficialAzure | None) -> None:
        """Serve this estate; ``official`` judges every request and every answer."""
        self._estate = estate
        self._chronicle = estate.chronicle
        self._official = official
        self._permissions: dict[str, str] = {}
        self.application = web.Application(middlewares=[watching(self._chronicle, "Azure"), self._envelope, self._judge])
        for (method, route), (permission, handler) in AzureRest(estate).routes().items():
            self.application.router.add_route(method, route, handler)
            self._permissions[f"{method} {route}"] = permission

    @web.middleware
    async def _envelope(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn problems into answers, and ask for patience where the story wants it."""
        try:
            response = await handler(request)
        except Problem as problem:
            response = web.json_response(problem.body, status=problem.status)
        if self._estate.retry_after is not None:
            response.headers["Retry-After"] = str(self._estate.retry_after)
        if isinstance(response, web.Response):
            self._check_answer(request, response)
        return response

    @web.middleware
    async def _judge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let only what is documented, and needed by a release, come through to the handlers."""
        action = f"{request.method} {template(request)}"
        if action not in self._permissions or not self._is_here(request):
            self._chronicle.violation(f"azure: {request.method} {request.path} is not documented, or not needed by any release")
            raise Problem(HTTPStatus.NOT_FOUND, "VssResourceNotFoundException", "The resource cannot be found.")
        refusal = self._refusal(request, action)
        if refusal is not None:
            return refusal
        request[BY] = self._estate.bot.login
        request[BODY] = await self._body(request)
        self._check_request(request, action)
        needed = self._permissions[action]
        if needed not in self._estate.permissions:
            self._chronicle.violation(f"azure: {action} needs the permission {needed}, which the token's owner does not have")
            raise Forbidden(self._estate.bot.name, needed)
        return await handler(request)

    def _is_here(self, request: web.Request) -> bool:
        """Compare as the service does: without regard to case."""
        named = request.match_info
        here = {"organization": self._estate.organization, "project": self._estate.project}
        return all(named[key].casefold() == name.casefold() for key, name in here.items() if key in named)

    def _refusal(self, request: web.Request, action: str) -> web.Response | None:
        """Answer those who are not signed in: with 401, or with a page for people where the client does not say that it is none."""
        wanted = "Basic " + base64.b64encode(f":{self._estate.token}".encode()).decode()
        if request.headers.get("Authorization") == wanted and not self._estate.token_expired:
            return None
        if not self._estate.token_expired:
            self._chronicle.violation(f"azure: {action} was asked without the token")
        if request.headers.get("X-TFS-FedAuthRedirect") != "Suppress":
            return web.Response(status=HTTPStatus.NON_AUTHORITATIVE_INFORMATION, text=SIGN_IN_PAGE, content_type="text/html")
        said = "Access Denied: The Personal Access Token used has expired."
        return web.Response(
            status=HTTPStatus.UNAUTHORIZED, text=said, headers={"WWW-Authenticate": 'Basic realm="https://tfsproduks1.visualstudio.com/"'}
        )

    async def _body(self, request: web.Request) -> object:
        text = await request.text()
        if not text:
            return None
        try:
            body: object = json.loads(text)
        except ValueError:
            self._chronicle.violation(f"azure: {request.method} {request.path} came with a body that is no JSON")
            raise Problem(HTTPStatus.BAD_REQUEST, "VssRequestContentTypeNotSupportedException", "The body is no JSON.") from None
        return body

    def _check_request(self, request: web.Request, action: str) -> None:
        if self._official is None or action in _ONLY_LISTED:
            return
        version = "api-version=" in request.headers.get("Accept", "")
        path, query = request.rel_url.raw_path, dict(request.query)
        for problem in self._official.check_request(request.method, path, query, request[BODY], version=version):
            self._chronicle.violation(f"azure: {action}: {problem}")

    def _check_answer(self, request: web.Request, response: web.Response) -> None:
        """Hold our own answer against the official description."""
        action = f"{request.method} {template(request)}"
        described = action in self._permissions and action not in _ONLY_LISTED
        if self._official is None or not described or response.status != HTTPStatus.OK or response.content_type != "application/json":
            return
        body: object = json.loads(response.text or "null")
        for problem in self._official.check_response(request.method, request.rel_url.raw_path, dict(request.query), body):
            self._chronicle.violation(f"azure: the rehearsal's own answer to {action}: {problem}")
