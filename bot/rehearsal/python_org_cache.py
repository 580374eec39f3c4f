"""The network in front of python.org: what was handed out once is handed out again, also that something is missing, until it is purged.

Source: https://github.com/python/pythondotorg/blob/main/infra/cdn/main.tf and
https://docs.fastly.com/en/guides/http-status-codes-cached-by-default.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.watch import hung_up


@dataclass(frozen=True, kw_only=True)
class Held:
    """One answer as the site gave it; ``changed`` is None for pages, which have no parts."""

    body: bytes = b""
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/html; charset=utf-8"
    surrogate_key: str = ""
    vary: str = ""
    location: str = ""
    changed: datetime | None = None

    @property
    def etag(self) -> str:
        """Name exactly these bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}-{len(self.body):x}"'


class Cache:
    """Answers by their path; parameters mean nothing. ``ranges`` tells whether parts of files are handed out."""

    def __init__(self) -> None:
        """Begin empty."""
        self.ranges = True
        self.held: dict[str, Held] = {}
        self._breaking: dict[str, list[int]] = {}

    @property
    def missing(self) -> set[str]:
        """Return the paths that are remembered as missing, whatever is there by now."""
        return {path for path, held in self.held.items() if held.status == HTTPStatus.NOT_FOUND}

    def purge(self, path: str) -> None:
        """Forget a path; a path that ends with ``*`` forgets everything that begins so."""
        for held in [held for held in self.held if held == path or (path.endswith("*") and held.startswith(path[:-1]))]:
            del self.held[held]

    def break_off(self, path: str, after: int) -> None:
        """Break the next connection over which the path is fetched, after so many bytes of the file."""
        self._breaking.setdefault(path, []).append(after)

    async def answer(self, request: web.Request, origin: Callable[[], Held]) -> web.StreamResponse:
        """Answer from what is held, or ask the site and hold its answer."""
        hit = request.path in self.held
        held = self.held.setdefault(request.path, origin() if not hit else Held())
        headers = {"Content-Type": held.content_type, "X-Cache": "HIT" if hit else "MISS"}
        named = {"Surrogate-Key": held.surrogate_key, "Vary": held.vary, "Location": held.location}
        headers |= {name: value for name, value in named.items() if value}
        if held.changed is None or held.status != HTTPStatus.OK:
            return web.Response(status=held.status, body=held.body, headers=headers)
        return await self._file(request, held, headers, held.changed)

    async def _file(self, request: web.Request, held: Held, headers: dict[str, str], changed: datetime) -> web.StreamResponse:
        headers |= {"ETag": held.etag, "Last-Modified": format_datetime(changed, usegmt=True)}
        if held.content_type == "application/json" and "gzip" in request.headers.get("Accept-Encoding", ""):
            # What is packed on the way is another sequence of bytes, so the tag becomes a weak one.
            packed = {"Content-Encoding": "gzip", "ETag": f"W/{held.etag}", "Vary": "Accept-Encoding"}
            return web.Response(body=gzip.compress(held.body), headers={**headers, **packed})
        begin = self._begin(request, held) if self.ranges else None
        if self.ranges:
            headers["Accept-Ranges"] = "bytes"
        if begin is None:
            return await self._send(request, held.body, 0, HTTPStatus.OK, headers)
        size = len(held.body)
        if begin >= size:
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
        return await self._send(request, held.body, begin, HTTPStatus.PARTIAL_CONTENT, headers)

    @staticmethod
    def _begin(request: web.Request, held: Held) -> int | None:
        """Return where the wanted rest begins; None where the whole is wanted, or the file is no longer the one that was begun."""
        if request.headers.get("If-Range", held.etag) != held.etag:
            return None
        wanted = request.http_range
        return wanted.start if wanted.stop is None else None

    async def _send(self, request: web.Request, body: bytes, begin: int, status: HTTPStatus, headers: dict[str, str]) -> web.StreamResponse:
        rest = body[begin:]
        ends = self._breaking.get(request.path)
        if not ends:
            return web.Response(status=status, body=rest, headers=headers)
        broken = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(rest))})
        await broken.prepare(request)
        await broken.write(rest[: max(0, ends.pop(0) - begin)])
        hung_up(request)
        return broken
