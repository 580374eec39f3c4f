"""Several files at once: none keeps another from being read, and a wish for patience counts for all of them."""

import asyncio
import io
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.errors import Unavailable
from bot.services.python_org import Limits, Missing, PythonOrg, Unread
from tests.publication.conftest import FAST, Box
from tests.publication.odd_server import answering
from tests.publication.test_downloads import CONTENT, FTP, LIMIT, NAME, PATH, URL, whole


async def test_several_files_are_read_at_once_but_not_more_than_allowed(session: aiohttp.ClientSession) -> None:
    at_once = most = 0
    full = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        at_once -= 1
        return web.Response(body=request.path.encode())

    limits = {f"{FTP}3.15.0/file-{number}": 100 for number in range(10)}
    async with answering(answer) as url:
        found = await PythonOrg(url, session, limits=Limits(concurrency=3)).download_all(limits)
    assert found == {address: whole(address.removeprefix("https://www.python.org").encode()) for address in limits}
    assert most == 3


async def test_one_unreadable_file_keeps_no_other_from_being_read(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, CONTENT)
    box.fail(429, path="busy")
    box.fail(500, path="broken", times=FAST.attempts)
    names = ("busy", "broken", "missing")
    into = {URL: io.BytesIO()}
    found = await python_org.download_all({**{f"{FTP}{name}.tgz": LIMIT for name in names}, URL: LIMIT}, into)
    assert found[URL] == whole(CONTENT)
    assert into[URL].getvalue() == CONTENT
    assert found[f"{FTP}missing.tgz"] == Missing()
    busy, broken = found[f"{FTP}busy.tgz"], found[f"{FTP}broken.tgz"]
    assert isinstance(busy, Unread)
    assert isinstance(broken, Unread)
    assert (busy.retry_at, broken.retry_at) == (None, None)
    assert "429" in busy.why
    assert "answered with 500" in broken.why


async def test_a_wish_for_patience_counts_for_every_file_and_until_its_time(box: Box, session: aiohttp.ClientSession) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    python_org = PythonOrg(box.site.url, session, limits=Limits(concurrency=1), clock=lambda: now)
    box.site.upload(NAME, CONTENT)
    box.fail(503, path="busy", Retry_After="60")
    until = now + timedelta(seconds=60)
    found = await python_org.download_all({f"{FTP}busy.tgz": LIMIT, URL: LIMIT})
    assert [one.retry_at for one in found.values() if isinstance(one, Unread)] == [until, until]
    assert box.asked(PATH) == []
    now += timedelta(seconds=59)
    with pytest.raises(Unavailable, match="asked the bot to wait") as trouble:
        await python_org.download(URL, limit=LIMIT)
    assert trouble.value.retry_at == until
    now += timedelta(seconds=1)
    assert await python_org.download(URL, limit=LIMIT) == whole(CONTENT)
