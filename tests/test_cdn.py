"""How the network in front of python.org is asked to forget addresses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Refused, Unavailable
from bot.services.cdn import Cdn


@asynccontextmanager
async def asked(status: int = 200, headers: dict[str, str] | None = None) -> AsyncIterator[tuple[Cdn, list[tuple[str, str, str]]]]:
    """Yield what asks a network that always gives the same answer, and what it was asked: method, path and the header."""
    seen: list[tuple[str, str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.headers.get("Fastly-Soft-Purge", "")))
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/"))
        yield Cdn(python_org=f"{url}www", docs=f"{url}docs/", session=session, timeout=2.0), seen


async def test_each_address_is_forgotten_softly_at_the_place_the_bot_was_told_of() -> None:
    async with asked() as (cdn, seen):
        answers = await cdn.forget(["https://www.python.org/ftp/python/3.15.0/", "https://docs.python.org/release/3.15.0/"])
    assert answers == {"https://www.python.org/ftp/python/3.15.0/": 200, "https://docs.python.org/release/3.15.0/": 200}
    assert sorted(seen) == [("PURGE", "/docs/release/3.15.0/", "1"), ("PURGE", "/www/ftp/python/3.15.0/", "1")]


async def test_a_definite_no_is_told_by_its_status() -> None:
    async with asked(status=403) as (cdn, _):
        assert await cdn.forget(["https://www.python.org/downloads/"]) == {"https://www.python.org/downloads/": 403}


@pytest.mark.parametrize("status", [429, 503])
async def test_trouble_is_no_answer(status: int) -> None:
    async with asked(status=status, headers={"Retry-After": "7"}) as (cdn, _):
        with pytest.raises(Unavailable, match=f"was answered with {status}") as trouble:
            await cdn.forget(["https://www.python.org/downloads/"])
    assert trouble.value.retry_at is not None


async def test_nobody_else_is_asked() -> None:
    async with asked() as (cdn, seen):
        with pytest.raises(Refused, match="no address of"):
            await cdn.forget(["https://www.python.org/downloads/", "https://www.python.org.example/"])
    assert seen == []
