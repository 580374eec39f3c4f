"""Stand in for docs.python.org: the first page of the documentation of each version, and the network in front of it."""

from html import escape
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.python_org_cache import Cache, Held
from bot.rehearsal.watch import Handler, watching


class Docs:
    """The pages https://docs.python.org/release/VERSION/; ``url`` is the base."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin without any documentation."""
        self.url = ""
        self.cache = Cache()
        self._shown: dict[str, str] = {}
        self._chronicle = chronicle
        self.application = web.Application(middlewares=[watching(chronicle, "docs.python.org"), self._strict])
        self.application.add_routes(
            [web.get("/release/{version}/", self._page), web.route("PURGE", "/{path:.*}", self._purge)],
        )

    def publish(self, version: str, *, shown: str = "") -> None:
        """Put the documentation of a version there, or by mistake that of the one ``shown``; who looked before sees what they saw."""
        self._shown[version] = shown or version
        self._chronicle.happened(f"docs.python.org: the documentation of {version} was put there")

    def purge(self, version: str) -> None:
        """Let everybody see the page as it is now."""
        self.cache.purge(f"/release/{version}/")

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        unknown = request.match_info.http_exception
        if unknown is not None:
            self._chronicle.violation(f"docs.python.org: {request.method} {request.path} is not needed by any release")
        if isinstance(unknown, web.HTTPMethodNotAllowed) and unknown.allowed_methods == {"PURGE"}:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return await self.cache.answer(request, lambda: self._written(request.match_info["version"]))

    def _written(self, version: str) -> Held:
        shown = self._shown.get(version)
        if shown is None:
            return Held(status=HTTPStatus.NOT_FOUND, body=b"<title>404 Not Found</title>")
        name = escape(shown)
        return Held(body=f"<!DOCTYPE html>\n<title>{name} Documentation</title>\n<h1>Python {name} documentation</h1>".encode())

    async def _purge(self, request: web.Request) -> web.Response:
        self.cache.purge(request.path)
        self._chronicle.happened(f"docs.python.org: {request.path} was purged")
        return web.json_response({"status": "ok", "id": f"1-{len(self._chronicle.log)}"})
