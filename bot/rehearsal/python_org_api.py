"""Answer as python.org's first API answers guests: lists and details of releases and their files, in its shapes and with its refusals."""

import asyncio
import html
import json
from collections import deque
from collections.abc import Sequence
from http import HTTPStatus
from typing import assert_never
from urllib.parse import urlencode

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.python_org_filters import PAGING, Refused, select
from bot.rehearsal.python_org_rows import (
    API,
    SYSTEMS,
    Release,
    ReleaseFile,
    Row,
    Shape,
    System,
    Tables,
    file_shape,
    release_shape,
    system_shape,
)

DEFAULT_LIMIT, LARGEST_LIMIT = 20, 1000
HTML = "text/html; charset=utf-8"
SORRY = {"error_message": "Sorry, this request could not be processed. Please try again later."}


def shape_of(row: Row) -> Shape:
    """Write any row."""
    match row:
        case System():
            return system_shape(row)
        case Release():
            return release_shape(row)
        case ReleaseFile():
            return file_shape(row)
        case _:
            assert_never(row)


class Api:
    """The API over some tables. ``hourly`` is how many requests are answered in an ``hour`` of so many seconds; the real site answers 600.

    None, as a rehearsal begins, slows nobody down: there hours pass in seconds.
    """

    def __init__(self, tables: Tables, chronicle: Chronicle) -> None:
        """Answer from these tables."""
        self.hourly: int | None = None
        self.hour = 3600.0
        self._tables = tables
        self._chronicle = chronicle
        self._recent: deque[float] = deque()
        lists = "{name:os|release|release_file}"
        self.routes = [
            web.route("GET", f"{API}/{lists}", self._without_slash),
            web.route("GET", f"{API}/{lists}/", self._list),
            web.route("GET", f"{API}/{lists}/{{id:[^/;]+}}/", self._detail),
        ]

    async def _without_slash(self, request: web.Request) -> web.Response:
        self._chronicle.violation(f"python.org: {request.path} was asked without the slash at its end")
        return web.Response(
            status=HTTPStatus.MOVED_PERMANENTLY, headers={"Content-Type": HTML, "Location": f"{request.path}/", "Vary": "Cookie"}
        )

    async def _list(self, request: web.Request) -> web.Response:
        refusal = self._unwelcome(request)
        if refusal is not None:
            return refusal
        name = request.match_info["name"]
        try:
            selection = select(name, self._rows(name), list(request.query.items()))
            page = _page(request, selection.rows)
        except Refused as refused:
            self._chronicle.violation(f"python.org: {request.path_qs} was refused: {refused}")
            return _json({"error": html.escape(str(refused), quote=False)}, HTTPStatus.BAD_REQUEST, plain=True)
        for ignored in selection.ignored:
            self._chronicle.violation(f"python.org: {request.path} passes over the parameter {ignored}, so everything is answered")
        return _json(page)

    async def _detail(self, request: web.Request) -> web.Response:
        refusal = self._unwelcome(request)
        if refusal is not None:
            return refusal
        name, number = request.match_info["name"], request.match_info["id"]
        if not number.isdecimal():
            self._chronicle.violation(f"python.org: {request.path} names no number")
            return _json(SORRY, HTTPStatus.NOT_FOUND, plain=True)
        everything: list[Row] = [*self._tables.releases.values()] if name == "release" else self._rows(name)
        found = next((row for row in everything if row.id == int(number)), None)
        if found is None:
            return _empty(HTTPStatus.NOT_FOUND, {"Vary": "Accept"})
        if isinstance(found, Release) and not found.is_published:
            return _empty(HTTPStatus.UNAUTHORIZED)
        return _json(shape_of(found))

    def _rows(self, name: str) -> list[Row]:
        """Return what a guest's list holds, in the order of the site; drafts are left out, but not their files."""
        match name:
            case "os":
                return [*sorted(SYSTEMS, key=lambda system: system.name)]
            case "release":
                return [*sorted((row for row in self._tables.releases.values() if row.is_published), key=lambda row: row.name)]
            case _:
                return [*sorted(self._tables.files.values(), key=_order_of_files)]

    def _unwelcome(self, request: web.Request) -> web.Response | None:
        """Refuse credentials, which the bot has none of, and who asks too often."""
        if "Authorization" in request.headers or {"api_key", "username"} & set(request.query):
            self._chronicle.violation(f"python.org: {request.path} was asked with credentials")
            return _empty(HTTPStatus.UNAUTHORIZED)
        if request.query.get("format") or request.headers.get("Accept", "*/*").partition(",")[0] not in ("application/json", "*/*"):
            self._chronicle.violation(f"python.org: {request.path} was asked for something other than JSON")
        return self._throttle()

    def _throttle(self) -> web.Response | None:
        moment = asyncio.get_running_loop().time()
        while self._recent and self._recent[0] <= moment - self.hour:
            self._recent.popleft()
        if self.hourly is not None and len(self._recent) >= self.hourly:
            oldest = self._recent[0] if self._recent else moment
            return _empty(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(max(1, round(oldest + self.hour - moment)))})
        self._recent.append(moment)
        return None


def _order_of_files(file: ReleaseFile) -> tuple[bool, str, str, str]:
    return (not file.release.is_published, file.release.name, file.os.name, file.name)


def _page(request: web.Request, rows: Sequence[Row]) -> Shape:
    limit = _number(request, "limit", DEFAULT_LIMIT, "Please provide a positive integer.")
    offset = _number(request, "offset", 0, "Please provide an integer.")
    limit = min(limit or LARGEST_LIMIT, LARGEST_LIMIT)
    kept = [(key, value) for key, value in request.query.items() if key not in PAGING]

    def link(to: int) -> str:
        return f"{request.path}?{urlencode([*kept, ('limit', limit), ('offset', to)])}"

    meta = {
        "limit": limit,
        "next": link(offset + limit) if offset + limit < len(rows) else None,
        "offset": offset,
        "previous": link(offset - limit) if offset - limit >= 0 else None,
        "total_count": len(rows),
    }
    return {"meta": meta, "objects": [shape_of(row) for row in rows[offset : offset + limit]]}


def _number(request: web.Request, name: str, default: int, wanted: str) -> int:
    text = request.query.get(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise Refused(f"Invalid {name} '{text}' provided. {wanted}") from None
    if number < 0:
        raise Refused(f"Invalid {name} '{text}' provided. Please provide a positive integer >= 0.")
    return number


def _json(content: object, status: HTTPStatus = HTTPStatus.OK, *, plain: bool = False) -> web.Response:
    """Answer with JSON; refusals are ``plain``, without the headers about caching."""
    headers = {"Content-Type": "application/json", "Surrogate-Key": "pydotorg-app api"}
    caching = {} if plain else {"Vary": "Accept", "Cache-Control": "no-cache"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return web.Response(status=status, body=text.encode(), headers={**headers, **caching})


def _empty(status: HTTPStatus, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers={"Content-Type": HTML, "Surrogate-Key": "pydotorg-app api", **(headers or {})})
