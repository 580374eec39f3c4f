"""Stand in for buildbot.python.org: builders and their builds, in the shapes of Buildbot's REST API, and its limit on bursts."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.moments import now
from bot.rehearsal.watch import Handler, watching

MOST_REQUESTS = 100
WINDOW = 10.0
"""Seconds in which no more than so many requests are answered; the rest gets 429."""

Results = int
"""0 success, 1 warnings, 2 failure, 3 skipped, 4 exception, 5 retry, 6 cancelled: https://docs.buildbot.net/latest/developer/results.html"""

STATES = ("build successful", "warnings", "failed", "skipped", "exception", "retry", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build; ``finished`` in seconds since 1970, None while it runs."""

    id: int
    number: int
    results: Results | None
    finished: int | None
    worker: int


@dataclass(kw_only=True)
class Builder:
    """A builder: its tags name its branch, its stability and its tier; a disconnected one has no worker."""

    id: int
    name: str
    tags: list[str]
    worker: int
    connected: bool = True
    builds: list[Build] = field(default_factory=list)


class Buildbot:
    """The buildbots; ``url`` is the base to which ``/api/v2/…`` is added."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin without builders."""
        self.url = ""
        self.builders: dict[str, Builder] = {}
        self._chronicle = chronicle
        self._ids = count(1)
        self._recent: deque[float] = deque()
        self.application = web.Application(middlewares=[watching(chronicle, "buildbot"), self._strict])
        self.application.add_routes(
            [
                web.get("/api/v2/builders", self._builders),
                web.get("/api/v2/builders/{builderid}/builds", self._builds_of),
                web.get("/api/v2/builds", self._builds),
                web.get("/api/v2/workers", self._workers),
            ]
        )

    def add_builder(self, name: str, *tags: str) -> Builder:
        """Add a builder, for example ``add_builder("AMD64 Debian 3.x", "3.x", "stable", "tier-1")``."""
        builder = Builder(id=next(self._ids), name=name, tags=list(tags), worker=next(self._ids))
        self.builders[name] = builder
        return builder

    def finish(self, name: str, results: Results = 0, *, at: int | None = None) -> Build:
        """Let a builder finish a build, now or at a moment in seconds since 1970."""
        builder = self.builders[name]
        finished = int(now().timestamp()) if at is None else at
        build = Build(id=next(self._ids), number=len(builder.builds) + 1, results=results, finished=finished, worker=builder.worker)
        builder.builds.append(build)
        return build

    def start(self, name: str) -> Build:
        """Let a builder begin a build that does not end."""
        builder = self.builders[name]
        build = Build(id=next(self._ids), number=len(builder.builds) + 1, results=None, finished=None, worker=builder.worker)
        builder.builds.append(build)
        return build

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self._chronicle.violation(f"buildbot: {request.method} {request.path} is not documented, or not needed by any release")
        if self._is_burst():
            return web.Response(status=HTTPStatus.TOO_MANY_REQUESTS, text="Too Many Requests")
        return await handler(request)

    def _is_burst(self) -> bool:
        moment = asyncio.get_running_loop().time()
        self._recent.append(moment)
        while self._recent[0] < moment - WINDOW:
            self._recent.popleft()
        return len(self._recent) > MOST_REQUESTS

    async def _builders(self, request: web.Request) -> web.Response:
        wanted = set(request.query.getall("tags__contains", []))
        chosen = [builder for builder in self.builders.values() if wanted <= set(builder.tags)]
        return _listed("builders", [_builder_shape(builder) for builder in chosen], request)

    async def _builds_of(self, request: web.Request) -> web.Response:
        chosen = [builder for builder in self.builders.values() if str(builder.id) == request.match_info["builderid"]]
        return self._answer_builds(request, chosen)

    async def _builds(self, request: web.Request) -> web.Response:
        asked = set(request.query.getall("builderid", request.query.getall("builderid__eq", [])))
        chosen = [builder for builder in self.builders.values() if not asked or str(builder.id) in asked]
        return self._answer_builds(request, chosen)

    def _answer_builds(self, request: web.Request, builders: list[Builder]) -> web.Response:
        complete = request.query.get("complete__eq", request.query.get("complete", "")).lower()
        only_complete = {"true": True, "1": True, "false": False, "0": False}.get(complete)
        results = {int(text) for text in request.query.getall("results__eq", request.query.getall("results", [])) if text.isdecimal()}
        chosen = [
            (builder, build)
            for builder in builders
            for build in builder.builds
            if only_complete in (None, build.results is not None) and (not results or build.results in results)
        ]
        order = request.query.get("order", "buildid")
        chosen.sort(key=lambda found: (found[1].finished or 0, found[1].id), reverse=order.startswith("-"))
        return _listed("builds", [_build_shape(builder, build) for builder, build in chosen], request)

    async def _workers(self, request: web.Request) -> web.Response:
        shapes: list[dict[str, object]] = [
            {
                "workerid": builder.worker,
                "name": f"worker-{builder.worker}",
                "configured_on": [{"builderid": builder.id, "masterid": 1}],
                "connected_to": [{"masterid": 1}] if builder.connected else [],
                "graceful": False,
                "paused": False,
                "pause_reason": None,
                "version": None,
                "workerinfo": {},
            }
            for builder in self.builders.values()
        ]
        return _listed("workers", shapes, request)


def _builder_shape(builder: Builder) -> dict[str, object]:
    return {
        "builderid": builder.id,
        "name": builder.name,
        "description": None,
        "description_format": None,
        "description_html": None,
        "tags": builder.tags,
        "masterids": [1],
        "projectid": None,
    }


def _build_shape(builder: Builder, build: Build) -> dict[str, object]:
    running = build.results is None
    return {
        "buildid": build.id,
        "builderid": builder.id,
        "buildrequestid": build.id,
        "number": build.number,
        "complete": not running,
        "complete_at": build.finished,
        "started_at": (build.finished or int(now().timestamp())) - 600,
        "results": build.results,
        "state_string": "building" if build.results is None else STATES[build.results],
        "workerid": build.worker,
        "masterid": 1,
        "locks_duration_s": 0,
        "properties": {},
    }


def _listed(name: str, shapes: list[dict[str, object]], request: web.Request) -> web.Response:
    """Answer with a list, cut to ``limit``, beside the number of all there are."""
    limit = request.query.get("limit", "")
    cut = shapes[: int(limit)] if limit.isdecimal() else shapes
    return web.json_response({name: cut, "meta": {"total": len(shapes)}})
