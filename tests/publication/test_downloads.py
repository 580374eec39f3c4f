"""The bytes that python.org hands out, read in one pass and in little memory."""

import asyncio
import gzip
import hashlib
import io
import tracemalloc
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.errors import Unavailable
from bot.rehearsal.faults import Fault, call
from bot.services.answers import MalformedAnswer
from bot.services.python_org import Downloaded, Limits, Missing, Oversized, PythonOrg, Withheld
from tests.publication.conftest import FAST, Box
from tests.publication.odd_server import answering

FTP = "https://www.python.org/ftp/python/"
NAME = "3.15.0/Python-3.15.0a3.tgz"
URL = FTP + NAME
PATH = f"/ftp/python/{NAME}"
CONTENT = bytes(range(256)) * 4096
LIMIT = len(CONTENT)


def whole(content: bytes) -> Downloaded:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Downloaded(size=len(content), md5=md5, sha256=hashlib.sha256(content).hexdigest())


async def test_a_file_is_read_with_its_size_and_both_hashes(box: Box, python_org: PythonOrg, tmp_path: Path) -> None:
    box.site.upload(NAME, CONTENT)
    assert await python_org.download(URL, limit=LIMIT) == whole(CONTENT)
    copy = tmp_path / "copy"
    copy.write_bytes(b"what was there before" * LIMIT)
    with copy.open("r+b") as into:
        assert await python_org.download(URL, limit=LIMIT, into=into) == whole(CONTENT)
    assert copy.read_bytes() == CONTENT
    assert await python_org.download(URL, limit=LIMIT) == whole(CONTENT)


async def test_an_empty_file_is_a_file(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, b"")
    assert await python_org.download(URL, limit=LIMIT) == whole(b"")


async def test_json_is_read_as_it_is_and_not_as_it_would_be_packed(box: Box, python_org: PythonOrg) -> None:
    box.site.upload("3.15.0/windows-3.15.0a3.json", CONTENT)
    assert await python_org.download(f"{FTP}3.15.0/windows-3.15.0a3.json", limit=LIMIT) == whole(CONTENT)


async def test_a_missing_file_is_missing_and_asked_for_once(box: Box, python_org: PythonOrg) -> None:
    assert await python_org.download(URL, limit=LIMIT) == Missing()
    assert box.asked(PATH) == [404]


@pytest.mark.parametrize("parts_are_served", [True, False])
async def test_a_broken_connection_is_gone_on_with(box: Box, python_org: PythonOrg, parts_are_served: bool) -> None:  # noqa: FBT001 - a case
    box.site.upload(NAME, CONTENT)
    box.site.cache.ranges = parts_are_served
    box.site.cache.break_off(PATH, 300_000)
    box.site.cache.break_off(PATH, 700_000)
    into = io.BytesIO()
    assert await python_org.download(URL, limit=LIMIT, into=into) == whole(CONTENT)
    assert into.getvalue() == CONTENT
    assert box.asked(PATH) == ([200, 206, 206] if parts_are_served else [200, 200, 200])


async def test_a_file_that_was_replaced_meanwhile_is_read_from_its_beginning(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, CONTENT)
    box.site.cache.break_off(PATH, 300_000)
    another = CONTENT[::-1]

    async def replace() -> None:
        box.site.upload(NAME, another)
        box.site.purge(NAME)

    box.chronicle.faults.add(Fault(action=call(after=replace), path=PATH))
    into = io.BytesIO()
    assert await python_org.download(URL, limit=LIMIT, into=into) == whole(another)
    assert into.getvalue() == another
    assert box.asked(PATH) == [200, 200]


async def test_who_breaks_off_again_and_again_is_unavailable(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, CONTENT)
    for _ in range(FAST.attempts):
        box.site.cache.break_off(PATH, 0)
    with pytest.raises(Unavailable, match="failed 3 times"):
        await python_org.download(URL, limit=LIMIT)


async def test_trouble_of_the_site_is_waited_out(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, CONTENT)
    box.fail(502, times=2)
    assert await python_org.download(URL, limit=LIMIT) == whole(CONTENT)
    box.fail(500, times=3)
    with pytest.raises(Unavailable, match="answered with 500") as trouble:
        await python_org.download(URL, limit=LIMIT)
    assert trouble.value.retry_at is None


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (429, {"Retry_After": "60"}), (503, {"Retry_After": "60"})])
async def test_who_asks_for_patience_is_not_asked_again(box: Box, python_org: PythonOrg, status: int, headers: dict[str, Any]) -> None:
    box.fail(status, **headers)
    with pytest.raises(Unavailable) as trouble:
        await python_org.download(URL, limit=LIMIT)
    assert (trouble.value.retry_at is not None) is bool(headers)
    assert box.asked(PATH) == [status]


async def test_no_more_is_read_than_is_allowed(box: Box, python_org: PythonOrg) -> None:
    box.site.upload(NAME, CONTENT)
    into = io.BytesIO()
    assert await python_org.download(URL, limit=LIMIT - 1, into=into) == Oversized(limit=LIMIT - 1)
    assert into.getvalue() == b"", "the announced length was enough to know"
    assert await python_org.download(URL, limit=LIMIT) == whole(CONTENT)


async def test_a_file_without_an_announced_end_is_cut_off_at_the_limit(session: aiohttp.ClientSession) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 500 * LIMIT:
            await response.write(CONTENT)
            sent += LIMIT
        return response

    async with answering(endless) as url:
        into = io.BytesIO()
        assert await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT, into=into) == Oversized(limit=LIMIT)
    assert len(into.getvalue()) <= LIMIT
    assert sent < 100 * LIMIT


async def test_memory_does_not_grow_with_the_file(session: aiohttp.ClientSession) -> None:
    pieces = 64

    async def long(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(pieces * LIMIT)})
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(CONTENT)
        return response

    expected = whole(CONTENT * pieces)
    async with answering(long) as url:
        python_org = PythonOrg(url, session, limits=FAST)
        tracemalloc.start()
        try:
            assert await python_org.download(URL, limit=pieces * LIMIT) == expected
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 8 * LIMIT


@pytest.mark.parametrize(
    "url",
    [
        "http://www.python.org/ftp/python/a.tgz",
        "https://python.org/ftp/python/a.tgz",
        "https://www.python.org.example/ftp/python/a.tgz",
        "https://www.python.org@example.org/a.tgz",
        "https://www.python.org/",
        "https://www.python.org//example.org/a.tgz",
        "https://www.python.org/ftp/../api/v1/a",
        "https://www.python.org/ftp/.hidden",
        "https://www.python.org/ftp/%2e%2e/a",
        "https://www.python.org/ftp/a?b",
        "https://www.python.org/ftp/a#b",
        "https://www.python.org/ftp/a b",
        "https://www.python.org/ftp/a\nb",
        "https://www.python.org/ftp/",
        "file:///etc/passwd",
        "",
    ],
)
async def test_only_files_of_python_org_are_asked_for(box: Box, python_org: PythonOrg, url: str) -> None:
    found = await python_org.download(url, limit=LIMIT)
    assert isinstance(found, Withheld)
    assert found.status == 0
    assert box.chronicle.requests == []


@pytest.mark.parametrize("location", ["https://elsewhere.example/a.tgz", "/ftp/python/elsewhere.tgz", "//elsewhere.example/a"])
async def test_redirects_are_not_followed(session: aiohttp.ClientSession, location: str) -> None:
    asked = []

    async def redirecting(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": location})

    async with answering(redirecting) as url:
        found = await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT)
    assert found == Withheld(status=302, why=f"the site sends visitors elsewhere (302 to {location})")
    assert asked == [PATH]


@pytest.mark.parametrize(("status", "outcome"), [(403, Withheld(status=403, why="the site answers 403")), (410, Missing())])
async def test_a_definite_no_is_an_outcome(box: Box, python_org: PythonOrg, status: int, outcome: object) -> None:
    box.fail(status)
    assert await python_org.download(URL, limit=LIMIT) == outcome
    assert box.asked(PATH) == [status]


async def test_a_packed_answer_is_not_taken_for_the_file(session: aiohttp.ClientSession) -> None:
    async def packed(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"})

    async with answering(packed) as url:
        with pytest.raises(MalformedAnswer, match="gzip"):
            await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT)


async def test_an_unexpected_success_is_not_taken_for_the_file(session: aiohttp.ClientSession) -> None:
    async def part(_request: web.Request) -> web.Response:
        return web.Response(status=206, body=CONTENT)

    async with answering(part) as url:
        with pytest.raises(MalformedAnswer, match="206"):
            await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT)


HEAD = 300_000
"""More than is held on the way, so that some of it has arrived when the connection breaks."""


async def broken(request: web.Request, tag: str) -> web.StreamResponse:
    """Begin to hand out the file, and break off."""
    response = web.StreamResponse(headers={"Content-Length": str(LIMIT), "ETag": tag})
    await response.prepare(request)
    await response.write(CONTENT[:HEAD])
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize(
    ("status", "part", "tag"),
    [
        pytest.param(416, "bytes */{length}", '"a"', id="no such part"),
        pytest.param(206, "bytes 1-{last}/{length}", '"a"', id="another beginning"),
        pytest.param(206, "bytes {begin}-{last}/{length}", '"b"', id="another file"),
        pytest.param(206, "bytes {begin}-{begin}/{length}", '"a"', id="another end"),
        pytest.param(206, "bytes {begin}-{length}/1{length}", '"a"', id="another length"),
        pytest.param(206, "", '"a"', id="no word of which part"),
    ],
)
async def test_a_wrong_part_is_never_joined(session: aiohttp.ClientSession, status: int, part: str, tag: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range", "whole"))
        if len(asked) == 1:
            return await broken(request, '"a"')
        if len(asked) == 2:
            assert request.headers["If-Range"] == '"a"'
            begin = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
            told = part.format(begin=begin, last=LIMIT - 1, length=LIMIT)
            return web.Response(status=status, body=b"x" * (LIMIT - begin), headers={"Content-Range": told, "ETag": tag})
        return web.Response(body=CONTENT)

    async with answering(answer) as url:
        assert await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT) == whole(CONTENT)
    assert asked[::2] == ["whole", "whole"]


async def test_a_part_that_ends_too_early_is_gone_on_with_as_well(session: aiohttp.ClientSession) -> None:
    asked: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if not asked:
            asked.append(0)
            return await broken(request, '"a"')
        begin = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        asked.append(begin)
        end = begin + 1000 if len(asked) == 2 else LIMIT
        told = {"Content-Range": f"bytes {begin}-{LIMIT - 1}/{LIMIT}", "ETag": '"a"'}
        return web.Response(status=206, body=CONTENT[begin:end], headers=told)

    async with answering(answer) as url:
        assert await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT) == whole(CONTENT)
    assert asked[2] - asked[1] == 1000


async def test_a_weak_name_of_the_bytes_is_not_gone_on_with(session: aiohttp.ClientSession) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range", "whole"))
        return web.Response(body=CONTENT) if len(asked) > 1 else await broken(request, 'W/"a"')

    async with answering(answer) as url:
        assert await PythonOrg(url, session, limits=FAST).download(URL, limit=LIMIT) == whole(CONTENT)
    assert asked == ["whole", "whole"]


async def test_silence_and_slowness_end(session: aiohttp.ClientSession) -> None:
    release = asyncio.Event()

    async def silent(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with answering(silent) as url:
        stalling = Limits(stall=0.05, attempts=2, backoff=0.001)
        with pytest.raises(Unavailable, match="failed 2 times"):
            await PythonOrg(url, session, limits=stalling).download(URL, limit=LIMIT)
        with pytest.raises(Unavailable, match=r"did not end within 0\.05 seconds"):
            await PythonOrg(url, session, limits=Limits(whole=0.05)).download(URL, limit=LIMIT)
        release.set()
