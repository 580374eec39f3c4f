"""What the buildbots and the PEP site say, read over real HTTP from small strict imitations."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer
from bot.services.buildbot import Buildbot, BuilderState
from bot.services.peps import Peps, ScheduledRelease, SeriesCycle
from bot.services.reading import LARGEST

SUCCESS, WARNINGS, FAILURE, SKIPPED, EXCEPTION, CANCELLED = 0, 1, 2, 3, 4, 6
FINISHED = 1_790_000_000


class Bots:
    """A Buildbot master below ``/all``, as the real one."""

    def __init__(self) -> None:
        self.builders: list[dict[str, object]] = []
        self.builds: dict[int, list[int | None]] = {}
        self.offline: set[int] = set()
        self.knows_workers = True
        self.status = 200
        self.finished = FINISHED
        self.most_at_once = self.at_once = 0
        self.agents: set[str] = set()
        self.application = web.Application()
        self.application.router.add_get("/all/api/v2/builders", self._builders)
        self.application.router.add_get("/all/api/v2/builds", self._builds)
        self.application.router.add_get("/all/api/v2/workers", self._workers)

    def add(self, name: str, *tags: str, builds: list[int | None]) -> int:
        number = len(self.builders) + 1
        self.builders.append({"builderid": number, "name": name, "description": None, "tags": list(tags), "masterids": [1]})
        self.builds[number] = builds
        return number

    async def _builders(self, request: web.Request) -> web.Response:
        self.agents.add(request.headers["User-Agent"])
        assert set(request.query) == {"tags__contains"}
        tag = request.query["tags__contains"]
        found = [builder for builder in self.builders if tag in str(builder["tags"])]
        return web.json_response({"builders": found, "meta": {"total": len(found)}}, status=self.status)

    async def _builds(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.005)
        self.at_once -= 1
        assert request.query["complete__eq"] == "true"
        assert request.query["order"] == "-complete_at"
        number = int(request.query["builderid__eq"])
        found = [
            {"buildid": 90 + index, "builderid": number, "number": 50 - index, "complete_at": self.finished - index, "results": result}
            for index, result in enumerate(self.builds[number])
        ]
        return web.json_response({"builds": found[: int(request.query["limit"])], "meta": {"total": len(found)}})

    async def _workers(self, _request: web.Request) -> web.Response:
        if not self.knows_workers:
            return web.json_response({"error": "Invalid path"}, status=404)
        workers = [
            {
                "workerid": number,
                "configured_on": [{"builderid": number, "masterid": 1}],
                "connected_to": [] if number in self.offline else [{"masterid": 1}],
            }
            for number in self.builds
        ]
        return web.json_response({"workers": workers, "meta": {"total": len(workers)}})


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def bots() -> Bots:
    return Bots()


@pytest.fixture
async def buildbot(bots: Bots, session: aiohttp.ClientSession) -> AsyncIterator[Buildbot]:
    async with TestServer(bots.application, host="127.0.0.1") as server:
        yield Buildbot(f"{server.make_url('/all/')}", session, concurrency=3)


async def test_a_builder_is_what_its_newest_telling_build_says(bots: Bots, buildbot: Buildbot) -> None:
    bots.add("red", "3.14", "stable", "tier-1", builds=[SKIPPED, EXCEPTION, CANCELLED, None, FAILURE, SUCCESS])
    bots.add("healed", "3.14", "stable", "tier-2", builds=[SUCCESS, FAILURE])
    bots.add("warned", "3.14", "stable", "tier-3", builds=[WARNINGS])
    bots.add("silent", "3.14", "stable", builds=[SKIPPED, CANCELLED])
    bots.add("experimental", "3.14", "unstable", "tier-1", builds=[FAILURE])
    bots.add("another branch", "3.140", "stable", builds=[FAILURE])

    found = {builder.name: builder for builder in await buildbot.release_status("3.14")}

    assert {name: (builder.tier, builder.state, builder.failing) for name, builder in found.items()} == {
        "red": (1, BuilderState.FAILURE, True),
        "healed": (2, BuilderState.SUCCESS, False),
        "warned": (3, BuilderState.WARNINGS, False),
        "silent": (None, BuilderState.NO_BUILDS, False),
    }
    assert found["red"].url.endswith("/all/#/builders/1/builds/46")
    assert found["red"].finished == datetime.fromtimestamp(FINISHED - 4, UTC)
    assert any("brother-maynard" in agent for agent in bots.agents)


async def test_a_builder_without_a_worker_is_offline_whatever_it_said(bots: Bots, buildbot: Buildbot) -> None:
    bots.offline.add(bots.add("gone", "3.14", "stable", "tier-1", builds=[FAILURE]))

    (gone,) = await buildbot.release_status("3.14")

    assert (gone.state, gone.failing) == (BuilderState.OFFLINE, False)


async def test_where_workers_are_not_told_failures_still_count(bots: Bots, buildbot: Buildbot) -> None:
    bots.offline.add(bots.add("gone?", "3.14", "stable", "tier-1", builds=[FAILURE]))
    bots.knows_workers = False

    (builder,) = await buildbot.release_status("3.14")

    assert builder.failing


async def test_the_builders_of_main_carry_another_tag(bots: Bots, buildbot: Buildbot) -> None:
    bots.add("main's", "3.x", "stable", "tier-1", builds=[SUCCESS])

    assert [builder.name for builder in await buildbot.release_status("main")] == ["main's"]
    assert await buildbot.release_status("3.99") == []


async def test_the_server_is_not_flooded(bots: Bots, buildbot: Buildbot) -> None:
    for number in range(20):
        bots.add(f"builder {number:02}", "3.14", "stable", builds=[SUCCESS])

    assert len(await buildbot.release_status("3.14")) == 20
    assert bots.most_at_once == 3


async def test_buildbots_in_trouble_are_unavailable(bots: Bots, buildbot: Buildbot) -> None:
    bots.status = 503
    with pytest.raises(Unavailable, match="answered with 503"):
        await buildbot.release_status("3.14")

    bots.status = 200
    bots.builders.append({"builderid": "7", "name": "odd", "tags": ["3.14", "stable"]})
    with pytest.raises(MalformedAnswer, match=r"builders\.0\.builderid"):
        await buildbot.release_status("3.14")

    bots.builders.clear()
    bots.add("odd", "3.14", "stable", builds=["green"])  # type: ignore[list-item]  # what should never come
    with pytest.raises(MalformedAnswer, match="results"):
        await buildbot.release_status("3.14")


@pytest.mark.parametrize("finished", [10**30, -(10**18), 253_402_300_801])
async def test_a_time_that_is_none_is_no_answer(bots: Bots, buildbot: Buildbot, finished: int) -> None:
    bots.add("odd", "3.14", "stable", builds=[SUCCESS])
    bots.finished = finished
    with pytest.raises(MalformedAnswer, match="complete_at"):
        await buildbot.release_status("3.14")


@asynccontextmanager
async def _peps(session: aiohttp.ClientSession, answer: web.Response) -> AsyncIterator[Peps]:
    async def serve(request: web.Request) -> web.Response:
        assert "brother-maynard" in request.headers["User-Agent"]
        return answer

    application = web.Application()
    application.router.add_get("/api/release-cycle.json", serve)
    application.router.add_get("/api/python-releases.json", serve)
    async with TestServer(application, host="127.0.0.1") as server:
        yield Peps(str(server.make_url("/")), session)


SERIES = {
    "branch": "3.14",
    "pep": 745,
    "status": "bugfix",
    "first_release": "2025-10-07",
    "end_of_life": "2030-10",
    "release_manager": "Somebody",
}


async def test_the_release_cycle_is_read(session: aiohttp.ClientSession) -> None:
    async with _peps(session, web.json_response({"3.14": SERIES})) as peps:
        cycle = await peps.release_cycle()

    assert cycle == {
        "3.14": SeriesCycle(
            branch="3.14", pep=745, status="bugfix", first_release="2025-10-07", end_of_life="2030-10", release_manager="Somebody"
        )
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.json_response({}), "not where it is published"),
        (web.json_response({"3.14": {**SERIES, "release_manager": "M" * 101}}), "release_manager"),
        (web.json_response({}, status=404), "not where it is published"),
        (web.json_response({}, status=500), "answered with 500"),
        (web.Response(status=302, headers={"Location": "http://192.0.2.1/"}), "answered with 302"),
        (web.Response(text="<html>"), "other than JSON"),
        (web.json_response({"3.14": {**SERIES, "status": "retired"}}), r"3\.14\.status"),
        (web.json_response({"3.14": {"branch": "3.14"}}), r"3\.14\.pep"),
    ],
)
async def test_a_cycle_that_cannot_be_read_is_unavailable(session: aiohttp.ClientSession, answer: web.Response, words: str) -> None:
    async with _peps(session, answer) as peps:
        with pytest.raises(Unavailable, match=words):
            await peps.release_cycle()


PLANNED = {"stage": "3.15.0 candidate 1", "state": "expected", "date": "2026-07-28", "note": ""}


async def test_the_schedule_is_read(session: aiohttp.ClientSession) -> None:
    first = {"stage": "1.6.0 beta 1", "state": "actual", "date": "2000-08-03"}
    async with _peps(session, web.json_response({"metadata": {}, "releases": {"3.15": [PLANNED], "1.6": [first]}})) as peps:
        schedule = await peps.schedule()
    assert schedule == {
        "3.15": [ScheduledRelease(stage="3.15.0 candidate 1", state="expected", date=date(2026, 7, 28))],
        "1.6": [ScheduledRelease(stage="1.6.0 beta 1", state="actual", date=date(2000, 8, 3))],
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.json_response({"releases": {}}), "not where it is published"),
        (web.json_response({}, status=404), "not where it is published"),
        (web.json_response({}), "releases"),
        (web.json_response({"releases": {"3.15": [{**PLANNED, "date": "soon"}]}}), "date"),
        (web.json_response({"releases": {"3.15": [{**PLANNED, "state": "perhaps"}]}}), "state"),
    ],
)
async def test_a_schedule_that_cannot_be_read_is_unavailable(session: aiohttp.ClientSession, answer: web.Response, words: str) -> None:
    async with _peps(session, answer) as peps:
        with pytest.raises(Unavailable, match=words):
            await peps.schedule()


async def test_an_answer_without_end_is_not_read_to_its_end(session: aiohttp.ClientSession) -> None:
    bomb = web.Response(body=b'"' + b" " * (LARGEST + 1) + b'"', content_type="application/json")
    bomb.enable_compression()
    async with _peps(session, bomb) as peps:
        with pytest.raises(MalformedAnswer, match=f"more than {LARGEST} bytes"):
            await peps.release_cycle()


async def test_a_site_that_is_down_or_slow_is_unavailable(session: aiohttp.ClientSession) -> None:
    async with _peps(session, web.Response()) as peps:
        pass
    with pytest.raises(Unavailable, match="failed"):
        await peps.release_cycle()

    async def hang(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    application = web.Application()
    application.router.add_get("/api/release-cycle.json", hang)
    async with TestServer(application, host="127.0.0.1") as server:
        with pytest.raises(Unavailable, match=r"within 0\.1 seconds"):
            await Peps(str(server.make_url("/")), session, timeout=0.1).release_cycle()
