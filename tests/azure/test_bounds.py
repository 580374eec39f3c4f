"""What the adapter never does: ask another host, repeat itself, be impatient, or tell a secret."""

import asyncio
import base64
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx
from pydantic import TypeAdapter

from bot.errors import Unavailable
from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_locations import locations
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, call, drop_before, refuse
from bot.rehearsal.serving import reserve, serving, url_of
from bot.services.answers import MalformedAnswer
from bot.services.azure_devops import AzureDevOps, AzureRefused
from bot.services.azure_devops.connection import Limits, every, read
from bot.services.azure_devops.shapes import AzureRunId, Run
from tests.azure.conftest import Clock
from tests.azure.test_runs import MAIN, ORDER, WINDOWS

BUILDS = "GET /{organization}/{project}/_apis/build/builds/{buildId}"


@asynccontextmanager
async def foreign() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a host that nobody may ask, and remember who did."""
    asked: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        asked.append(str(request.headers))
        return web.Response(text="thank you")

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", listen)
    reserved = reserve()
    async with serving(application, reserved):
        yield url_of(reserved), asked


async def test_a_link_to_another_host_is_not_followed(client: AzureDevOps, chronicle: Chronicle) -> None:
    async with foreign() as (url, asked):
        chronicle.faults.add(Fault(action=refuse(302, {}, {"Location": f"{url}/"}), path="/builds/7$"))
        with pytest.raises(Unavailable, match="answered with status 302"):
            await client.run(AzureRunId(7))
        assert asked == []


async def test_another_origin_is_refused_before_and_behind_the_client(client: AzureDevOps) -> None:
    await client.definition_id("Windows-Release")
    clients = client._connection._clients
    assert clients is not None
    builds = clients.builds
    async with foreign() as (url, asked):
        request = builds._client.get(f"{url}/")
        with pytest.raises(AzureRefused, match="is not the configured Azure DevOps organisation"):
            await client._ask("go astray", lambda _: builds._send_request(request))
        with pytest.raises(Unavailable, match="no answer came that could be used"):
            await client._ask("go astray", lambda _: builds._client.send(request))
        assert asked == []


async def test_only_the_organisation_is_asked_where_things_lie(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    await client.definition_id("Windows-Release")
    await client.definition_id("Windows-Release")
    assert azure.url.endswith("/Python")
    assert [(request.method, request.path) for request in chronicle.requests] == [
        ("OPTIONS", "/python/_apis"),
        ("GET", "/Python/cpython/_apis/build/definitions"),
        ("GET", "/Python/cpython/_apis/build/definitions"),
    ]


async def test_what_the_organisation_does_not_offer_is_looked_for_nowhere_else(
    azure: Azure, cache: Path, chronicle: Chronicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    chronicle.faults.add(Fault(action=refuse(200, {"count": 1, "value": locations()[:1]}), method="OPTIONS"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    lonely = AzureDevOps(azure.url, azure.token, project="cpython", cache=cache)
    with pytest.raises(Unavailable, match="does not offer what the bot needs"):
        await lonely.definition_id("Windows-Release")
    assert [request.path for request in chronicle.requests] == ["/python/_apis"]
    assert await lonely.definition_id("Windows-Release") == WINDOWS


async def test_the_first_question_is_asked_again_after_trouble(client: AzureDevOps, chronicle: Chronicle) -> None:
    chronicle.faults.add(Fault(action=drop_before(), method="OPTIONS"))
    with pytest.raises(Unavailable):
        await client.definition_id("Windows-Release")
    assert await client.definition_id("Windows-Release") == WINDOWS


@pytest.mark.parametrize("status", [500, 503, 408, 429])
async def test_nothing_is_repeated_and_trouble_says_nothing_definite(client: AzureDevOps, chronicle: Chronicle, status: int) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    chronicle.faults.add(Fault(action=refuse(status, {"message": "TF400733: canceled", "typeKey": "X"}, {"Retry-After": "0"}), times=9))
    for ask in (client.run(run), client.cancel(run), client.add_tag(run, "a"), client.retry_stage(run, "Sign")):
        before = sum(chronicle.counts.values())
        with pytest.raises(Unavailable, match=f"answered with status {status}"):
            await ask
        assert sum(chronicle.counts.values()) == before + 1


async def test_nobody_is_waited_for_without_end(azure: Azure, cache: Path, chronicle: Chronicle) -> None:
    hurried = AzureDevOps(azure.url, azure.token, project="cpython", cache=cache, limits=Limits(timeout=0.2))
    await hurried.definition_id("Windows-Release")
    enough = asyncio.Event()

    async def wait() -> None:
        await enough.wait()

    chronicle.faults.add(Fault(action=call(before=wait), path="/builds/"))
    with pytest.raises(Unavailable, match="no answer came"):
        await hurried.run(AzureRunId(7))
    enough.set()


async def test_what_breaks_off_in_the_middle_is_not_definite(client: AzureDevOps) -> None:
    def break_off(_: object) -> None:
        raise ConnectionResetError

    with pytest.raises(Unavailable, match=r"asked to read a file, and that broke off \(ConnectionResetError\)"):
        await client._ask("read a file", break_off)


async def test_the_event_loop_is_not_held_up(client: AzureDevOps) -> None:
    with blockbuster_ctx("bot"):
        run = await client.queue_run(WINDOWS, ORDER, MAIN)
        assert (await client.run(run)).was_given(ORDER)


async def test_a_wish_for_patience_is_kept_even_when_there_was_an_answer(
    client: AzureDevOps, azure: Azure, chronicle: Chronicle, clock: Clock
) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    azure.ask_patience(20)
    assert (await client.find_runs(WINDOWS, "Release_*", clock() - timedelta(minutes=1)))[0].id == run
    until = client.not_before
    assert until is not None
    assert timedelta(seconds=15) < until - clock() <= timedelta(seconds=20)
    asked = sum(chronicle.counts.values())
    for ask in (client.run(run), client.cancel(run)):
        with pytest.raises(Unavailable, match="asked the bot to wait until") as patience:
            await ask
        assert patience.value.retry_at == until
    assert sum(chronicle.counts.values()) == asked
    azure.ask_patience(None)
    clock.ahead = timedelta(seconds=21)
    assert (await client.run(run)).id == run
    assert client.not_before is None


async def test_what_was_begun_is_carried_through_and_then_there_is_silence(client: AzureDevOps, azure: Azure) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    azure.ask_patience(20)
    with client.together():
        assert (await client.run(run)).id == run
        assert await client.timeline(run) == ()
        assert await client.artifacts(run) == []
    with pytest.raises(Unavailable, match="asked the bot to wait until"):
        await client.run(run)
    with pytest.raises(Unavailable, match="asked the bot to wait until"), client.together():
        pytest.fail("it was begun all the same")


async def test_a_refusal_for_too_many_questions_says_when_to_come_back(client: AzureDevOps, chronicle: Chronicle, clock: Clock) -> None:
    chronicle.faults.add(Fault(action=refuse(429, {"message": "TF400733"}, {"Retry-After": "60"}), path="/builds/"))
    with pytest.raises(Unavailable) as patience:
        await client.run(AzureRunId(7))
    assert patience.value.retry_at is not None
    assert patience.value.retry_at > clock()


async def test_an_expired_token_is_a_definite_no(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    chronicle.faults.add(Fault(action=refuse(203, {}), path="/builds/"))
    azure.expire_token()
    for _ in range(2):  # first with the page for people, which other programs get, then with the words of the service
        with pytest.raises(AzureRefused, match="does not accept the bot's token, so it could not read run") as refused:
            await client.run(run)
        assert refused.value.status == 401


async def test_a_missing_right_is_a_definite_no(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    azure.estate.permissions.remove("Queue builds")
    with pytest.raises(AzureRefused, match="Brother Maynard needs Queue builds permissions") as refused:
        await client.queue_run(WINDOWS, ORDER, MAIN)
    assert (refused.value.status, refused.value.kind) == (403, "AccessDeniedException")
    assert chronicle.violations.pop().endswith("which the token's owner does not have")


@pytest.mark.parametrize("answer", [{}, {"id": "x"}, {"id": -1}])
async def test_a_strange_answer_to_an_order_leaves_it_unknown(client: AzureDevOps, chronicle: Chronicle, answer: dict[str, object]) -> None:
    chronicle.faults.add(Fault(action=refuse(200, answer), path="/runs$"))
    with pytest.raises(Unavailable):
        await client.queue_run(WINDOWS, ORDER, MAIN)


def test_nothing_is_no_answer() -> None:
    for empty in (lambda: read(TypeAdapter(Run), None, "read run 7"), lambda: every(TypeAdapter(Run), None, "read runs")):
        with pytest.raises(MalformedAnswer, match=r"^Azure DevOps was asked to read run"):
            empty()


async def test_no_secret_is_told(client: AzureDevOps, azure: Azure, chronicle: Chronicle, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    echo = {"message": f"You sent {azure.token}", "typeKey": "Echo"}
    chronicle.faults.add(Fault(action=refuse(400, echo), path="/builds/"))
    chronicle.faults.add(Fault(action=drop_before(), path="/builds/"))
    told = []
    for _ in range(2):
        with pytest.raises(Exception, match="Azure DevOps") as error:
            await client.run(run)
        told += [str(error.value), repr(error.value), str(vars(error.value)), str(error.value.__cause__)]
    connection = client._connection
    told += [
        repr(client),
        repr(connection),
        repr(connection._clients),
        repr(connection._clients and connection._clients._manner),
        caplog.text,
    ]
    hidden = (azure.token, base64.b64encode(f":{azure.token}".encode()).decode())
    assert not [text for text in told if any(secret in text for secret in hidden)]
    assert "You sent [secret]" in told[0]
    assert "templateParameters" not in caplog.text


def test_the_package_is_loaded_late_and_keeps_its_cache_where_it_is_told(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from bot.services.azure_devops import AzureDevOps, library
from bot.services.azure_devops.pace import Pace
from bot.services.patience import utc_now
assert not [name for name in sys.modules if name.startswith(("azure", "msrest"))]
library.clients("http://127.0.0.1:1/Python", "token", cache=Path(sys.argv[1]), timeout=1.0, pace=Pace(utc_now))
from azure.devops import _file_cache
assert _file_cache.DEFAULT_CACHE_DIR == sys.argv[1]
assert os.environ["AZURE_DEVOPS_CACHE_DIR"] == "elsewhere"
"""
    home, cache = tmp_path / "home", tmp_path / "bot" / "cache"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "AZURE_DEVOPS_CACHE_DIR": "elsewhere"}
    subprocess.run([sys.executable, "-c", script, str(cache)], env=environment, check=True, cwd=Path(__file__).parents[2])
    assert list(home.iterdir()) == []
    assert cache.stat().st_mode & 0o077 == 0
