"""python.org in the box: what people do there, and what visitors then get."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.python_org_rows import Rejected
from bot.rehearsal.world import World

NAME = "Python 3.15.0a3"
TARBALL = "3.15.0/Python-3.15.0a3.tgz"
MANIFEST = "3.15.0/windows-3.15.0a3.json"
PAGE = "/downloads/release/python-3150a3/"
CONTENT = b"0123456789" * 100


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path / "world") as world:
        yield world


Answer = tuple[int, bytes, CIMultiDictProxy[str]]


class Visitor:
    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world = world
        self.session = session

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        sent = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = self.world.python_org.url + path
        async with self.session.request(method, url, headers=sent, allow_redirects=False, auto_decompress=False) as answer:
            return answer.status, await answer.read(), answer.headers

    async def file(self, path: str, **headers: str) -> Answer:
        return await self.ask(f"/ftp/python/{path}", **headers)

    async def listed(self, name: str, query: str = "") -> list[dict[str, Any]]:
        async with self.session.get(f"{self.world.python_org.url}/api/v1/downloads/{name}/{query}") as answer:
            assert answer.status == 200
            return list((await answer.json())["objects"])


@pytest.fixture
async def visitor(world: World) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        yield Visitor(world, session)


async def test_a_draft_is_in_no_list_but_its_page_and_its_files_can_be_seen(world: World, visitor: Visitor) -> None:
    world.python_org.upload(TARBALL, CONTENT)
    draft = world.python_org.create_release(NAME)
    world.python_org.register(NAME, TARBALL)
    assert await visitor.listed("release") == []
    assert (await visitor.ask(f"/api/v1/downloads/release/{draft.id}/"))[0] == 401
    (file,) = await visitor.listed("release_file", f"?release={draft.id}")
    assert (file["filesize"], file["is_source"], file["os"]) == (len(CONTENT), True, "/api/v1/downloads/os/3/")
    assert TARBALL.encode() in (await visitor.ask(PAGE))[1]

    world.python_org.publish(NAME)
    (release,) = await visitor.listed("release")
    assert (release["name"], release["slug"], release["pre_release"]) == (NAME, "python-3150a3", True)
    world.python_org.withdraw(NAME)
    assert await visitor.listed("release") == []
    assert world.violations == []


async def test_a_page_is_remembered_until_the_release_is_published(world: World, visitor: Visitor) -> None:
    world.python_org.create_release(NAME)
    assert (await visitor.ask(PAGE))[2]["X-Cache"] == "MISS"
    world.python_org.upload(TARBALL, CONTENT)
    world.python_org.register(NAME, TARBALL)
    status, page, headers = await visitor.ask(PAGE)
    assert (status, headers["X-Cache"], TARBALL.encode() in page) == (200, "HIT", False)
    world.python_org.publish(NAME)
    assert TARBALL.encode() in (await visitor.ask(PAGE))[1]
    assert (await visitor.ask("/downloads/latest/prerelease/"))[2]["Location"] == PAGE
    assert (await visitor.ask("/downloads/release/python-9999/"))[0] == 404


async def test_who_asks_too_early_hides_the_file_from_everybody_until_it_is_purged(world: World, visitor: Visitor) -> None:
    assert (await visitor.file(TARBALL))[0] == 404
    world.python_org.upload(TARBALL, CONTENT)
    assert (await visitor.file(f"{TARBALL}?cache=busted"))[0] == 404
    assert world.python_org.cache.missing == {f"/ftp/python/{TARBALL}"}
    status, said, _ = await visitor.ask(f"/ftp/python/{TARBALL}", "PURGE")
    assert (status, b'"status": "ok"' in said) == (200, True)
    assert (await visitor.file(TARBALL))[:2] == (200, CONTENT)
    assert world.writes == 1, "a purge is a write"
    assert world.violations == []


async def test_a_replaced_file_is_seen_once_it_is_purged_and_a_corrupted_one_at_once(world: World, visitor: Visitor) -> None:
    world.python_org.upload(TARBALL, CONTENT)
    await visitor.file(TARBALL)
    world.python_org.upload(TARBALL, b"another")
    assert (await visitor.file(TARBALL))[1] == CONTENT
    world.python_org.purge(TARBALL)
    assert (await visitor.file(TARBALL))[1] == b"another"
    world.python_org.corrupt(TARBALL)
    assert (await visitor.file(TARBALL))[1] == b"`nother"


async def test_the_rest_of_a_file_is_handed_out_as_long_as_it_is_the_same_file(world: World, visitor: Visitor) -> None:
    world.python_org.upload(TARBALL, CONTENT)
    status, body, headers = await visitor.file(TARBALL)
    assert (status, body, headers["Accept-Ranges"], headers["Content-Length"]) == (200, CONTENT, "bytes", "1000")
    tag = headers["ETag"]

    status, body, headers = await visitor.file(TARBALL, Range="bytes=990-", If_Range=tag)
    assert (status, body, headers["Content-Range"], headers["ETag"]) == (206, b"0123456789", "bytes 990-999/1000", tag)
    assert (await visitor.file(TARBALL, Range="bytes=990-", If_Range='"another"'))[:2] == (200, CONTENT)
    status, _, headers = await visitor.file(TARBALL, Range="bytes=1000-")
    assert (status, headers["Content-Range"]) == (416, "bytes */1000")
    world.python_org.cache.ranges = False
    status, body, headers = await visitor.file(TARBALL, Range="bytes=990-")
    assert (status, body, "Accept-Ranges" in headers) == (200, CONTENT, False)


async def test_a_connection_can_break_in_the_middle(world: World, visitor: Visitor) -> None:
    world.python_org.upload(TARBALL, CONTENT)
    world.python_org.cache.break_off(f"/ftp/python/{TARBALL}", 500)
    with pytest.raises(aiohttp.ClientError):
        await visitor.file(TARBALL)
    assert (await visitor.file(TARBALL))[:2] == (200, CONTENT)
    assert world.violations == []


async def test_json_is_packed_on_the_way_for_those_who_do_not_refuse(world: World, visitor: Visitor) -> None:
    world.python_org.upload(MANIFEST, CONTENT)
    _, body, headers = await visitor.file(MANIFEST, Accept_Encoding="gzip")
    assert (gzip.decompress(body), headers["Content-Encoding"], headers["ETag"][:2]) == (CONTENT, "gzip", "W/")
    _, body, headers = await visitor.file(MANIFEST)
    assert (body, "Content-Encoding" in headers) == (CONTENT, False)


async def test_a_file_is_listed_as_the_registration_script_lists_it(world: World, visitor: Visitor) -> None:
    world.python_org.create_release(NAME)
    for name in ("python-3.15.0a3-amd64.exe", "python-3.15.0a3-amd64.exe.sigstore", "python-3.15.0a3-amd64.exe.spdx.json"):
        world.python_org.upload(f"3.15.0/{name}", CONTENT)
    world.python_org.register(NAME, "3.15.0/python-3.15.0a3-amd64.exe")
    (file,) = await visitor.listed("release_file", "?os__slug=windows")
    url = "https://www.python.org/ftp/python/3.15.0/python-3.15.0a3-amd64.exe"
    assert (file["name"], file["slug"]) == ("Windows installer (64-bit)", "3150-a3-Windows-installer-64-bit")
    assert (file["download_button"], file["is_source"], file["md5_sum"], len(file["sha256_sum"])) == (True, False, "", 64)
    assert (file["sigstore_bundle_file"], file["sbom_spdx2_file"], file["gpg_signature_file"]) == (
        f"{url}.sigstore",
        f"{url}.spdx.json",
        "",
    )

    world.python_org.change_file(url, filesize=1)
    assert (await visitor.listed("release_file"))[0]["filesize"] == 1
    world.python_org.unregister(url)
    assert await visitor.listed("release_file") == []


async def test_what_the_site_does_not_take_cannot_be_saved(world: World) -> None:
    site = world.python_org
    site.create_release("Python 3.1.21", is_latest=True)
    with pytest.raises(Rejected, match="python-3121 already"):
        site.create_release("Python 3.12.1")
    site.create_release(NAME)
    site.register(NAME, "3.15.0/Python-3.15.0a3.tar.xz")
    with pytest.raises(Rejected, match="is taken"):
        site.register(NAME, "3.15.0/Python-3.15.0a3.tar.xz")
    with pytest.raises(Rejected, match="download button"):
        site.register(NAME, TARBALL, download_button=True)
    with pytest.raises(Rejected, match="begin with"):
        site.register(NAME, TARBALL, url="https://python.example/a.tgz")
    with pytest.raises(Rejected, match="sbom_spdx2_file"):
        site.register(NAME, TARBALL, sbom_spdx2_file="https://www.python.org/ftp/python/b.spdx.json")
    site.create_release("Python 3.14.7", is_latest=True, is_published=True)
    assert [release.name for release in site.tables.releases.values() if release.is_latest] == ["Python 3.14.7"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/v2/downloads/release/", 404, "not there"),
        ("/ftp/python/3.15.0/", 404, "not there"),
        ("/api/v1/downloads/release/?nam=x", 200, "passes over the parameter nam"),
        ("/api/v1/downloads/release/?name__contains=3", 400, "'contains' is not an allowed filter"),
        ("/api/v1/downloads/release/?name__slug=3", 400, "does not support relations"),
        ("/api/v1/downloads/release/?order_by=day", 400, "No matching 'day' field"),
        ("/api/v1/downloads/release/?is_published=perhaps", 400, "mismatched type"),
        ("/api/v1/downloads/release_file/?release=python-3150a3", 400, "mismatched type"),
        ("/api/v1/downloads/release?name=x", 301, "without the slash"),
        ("/api/v1/downloads/release/?format=xml", 200, "other than JSON"),
        ("/api/v1/downloads/release/?api_key=1&username=x", 401, "with credentials"),
        ("/api/v1/downloads/release/1/?api_key=1&username=x", 401, "with credentials"),
    ],
)
async def test_a_wrong_question_is_a_violation(world: World, visitor: Visitor, path: str, status: int, sentence: str) -> None:
    assert (await visitor.ask(path))[0] == status
    assert len(world.violations) == 1
    assert sentence in world.violations[0]


async def test_nothing_can_be_saved_by_guests(world: World, visitor: Visitor) -> None:
    assert (await visitor.ask("/api/v1/downloads/release/", "POST"))[0] == 405
    assert len(world.violations) == 1


async def test_files_can_be_asked_for_by_a_word_of_their_description(world: World, visitor: Visitor) -> None:
    world.python_org.create_release(NAME)
    world.python_org.register(NAME, TARBALL, description="Recommended for most")
    world.python_org.register(NAME, "3.15.0/Python-3.15.0a3.tar.xz")
    assert [file["name"] for file in await visitor.listed("release_file", "?description__contains=most")] == ["Gzipped source tarball"]
    assert [system["slug"] for system in await visitor.listed("os", "?slug=source")] == ["source"]


async def test_guests_who_ask_too_often_are_told_when_to_come_back(world: World, visitor: Visitor) -> None:
    world.python_org.api.hourly = 2
    statuses = [(await visitor.ask("/api/v1/downloads/os/"))[0] for _ in range(2)]
    status, body, headers = await visitor.ask("/api/v1/downloads/os/")
    assert (statuses, status, body) == ([200, 200], 429, b"")
    assert 3590 <= int(headers["Retry-After"]) <= 3600
    world.python_org.api.hour = 0.0
    assert (await visitor.ask("/api/v1/downloads/os/"))[0] == 200


async def test_faults_happen_here_too_and_the_bot_is_told_where_the_site_is(world: World, visitor: Visitor) -> None:
    world.faults.add(Fault(action=refuse(503), path="/api/v1/"))
    assert (await visitor.ask("/api/v1/downloads/os/"))[0] == 503
    assert (await visitor.ask("/api/v1/downloads/os/"))[0] == 200
    assert world.environment()["PYTHON_ORG_URL"] == world.python_org.url
    assert [request.status for request in world.requests] == [503, 200]
