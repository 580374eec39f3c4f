"""Which releases and files python.org shows to everybody."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer
from bot.services.python_org import AmbiguousRelease, Limits, PythonOrg, Release, ReleaseFile
from tests.publication.conftest import FAST, NAME, Box
from tests.publication.odd_server import answering

RELEASES = "/api/v1/downloads/release/"
FILES = "/api/v1/downloads/release_file/"
NAMES = (
    "Python-3.15.0a3.tgz",
    "Python-3.15.0a3.tar.xz",
    "python-3.15.0a3-amd64.exe",
    "python-3.15.0a3-macos11.pkg",
    "windows-3.15.0a3.json",
)


async def published(box: Box, python_org: PythonOrg) -> Release:
    box.site.create_release(NAME, is_published=True)
    release = await python_org.release(NAME)
    assert release is not None
    return release


async def test_a_release_is_there_once_it_is_published(box: Box, python_org: PythonOrg) -> None:
    assert await python_org.release(NAME) is None
    box.site.create_release(NAME, id=30, release_date=datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert await python_org.release(NAME) is None, "a draft is not published"
    box.site.publish(NAME)
    assert await python_org.release(NAME) == Release(
        id=30,
        name=NAME,
        slug="python-3150a3",
        version=3,
        is_published=True,
        is_latest=False,
        pre_release=True,
        show_on_download_page=True,
        released=datetime(2026, 11, 20, 12, tzinfo=UTC),
        release_notes_url="https://docs.python.org/3.15/whatsnew/3.15.html",
    )
    assert box.asked(RELEASES) == [200, 200, 200]


async def test_the_name_decides_and_not_the_slug(box: Box, python_org: PythonOrg) -> None:
    box.site.create_release("Python 3.1.21", is_published=True)
    assert await python_org.release("Python 3.12.1") is None
    box.site.create_release(NAME, is_published=True)
    assert await python_org.release("python 3.15.0a3") is None


async def test_two_releases_of_one_name_are_for_a_person_to_sort_out(box: Box, python_org: PythonOrg) -> None:
    box.site.create_release(NAME, is_published=True)
    box.site.create_release(NAME, slug="python-3150a3-2", is_published=True)
    with pytest.raises(AmbiguousRelease, match=r"2 published releases named Python 3\.15\.0a3 \(numbers 1, 2\)"):
        await python_org.release(NAME)
    box.site.tables.releases[2].is_published = False
    assert await python_org.release(NAME)


async def test_every_file_is_listed_over_several_pages_and_no_other_release_s(box: Box, python_org: PythonOrg) -> None:
    release = await published(box, python_org)
    box.site.create_release("Python 3.15.0a2", is_published=True)
    box.site.register("Python 3.15.0a2", "3.15.0/Python-3.15.0a2.tgz")
    for name in NAMES:
        box.site.upload(f"3.15.0/{name}.sigstore", b"{}")
        box.site.register(NAME, f"3.15.0/{name}")
    files = await python_org.files(release)
    assert sorted(file.file_name for file in files) == sorted(NAMES)
    assert {file.os for file in files} == {"source", "windows", "macos"}
    assert box.asked(FILES) == [200, 200, 200], "pages of two"
    await python_org.files(release)
    assert len(box.asked("/api/v1/downloads/os/")) == 3, "the systems are read once, over three pages"


async def test_a_file_is_told_with_all_that_is_known_of_it(box: Box, python_org: PythonOrg) -> None:
    release = await published(box, python_org)
    url = "https://www.python.org/ftp/python/3.15.0/Python-3.15.0a3.tgz"
    companions: dict[str, Any] = {
        "gpg_signature_file": f"{url}.asc",
        "sigstore_signature_file": f"{url}.sig",
        "sigstore_cert_file": f"{url}.crt",
        "sigstore_bundle_file": f"{url}.sigstore",
        "sbom_spdx2_file": f"{url}.spdx.json",
    }
    hashes: dict[str, Any] = {"md5_sum": "AB" * 16, "sha256_sum": f" {'CD' * 32} "}
    box.site.register(NAME, url, filesize=12, description="sources", **hashes, **companions)
    (file,) = await python_org.files(release)
    assert file == ReleaseFile(
        id=1,
        name="Gzipped source tarball",
        slug="3150-a3-Gzipped-source-tarball",
        os="source",
        url=url,
        size=12,
        md5="ab" * 16,
        sha256="cd" * 32,
        is_source=True,
        description="sources",
        gpg_signature=f"{url}.asc",
        sigstore_bundle=f"{url}.sigstore",
        sigstore_signature=f"{url}.sig",
        sigstore_certificate=f"{url}.crt",
        sbom=f"{url}.spdx.json",
    )


async def test_after_429_nothing_is_asked_until_the_time_that_was_named(box: Box, session: aiohttp.ClientSession) -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    python_org = PythonOrg(box.site.url, session, limits=FAST, clock=lambda: moment)
    box.fail(429, Retry_After="90")
    with pytest.raises(Unavailable) as limited:
        await python_org.release(NAME)
    until = limited.value.retry_at
    assert until is not None
    assert timedelta(seconds=80) < until - datetime.now(UTC) <= timedelta(seconds=90)
    moment = until - timedelta(seconds=1)
    with pytest.raises(Unavailable, match="nothing was asked") as silent:
        await python_org.release(NAME)
    assert silent.value.retry_at == until
    assert box.asked(RELEASES) == [429]
    moment = until
    assert await python_org.release(NAME) is None
    assert box.asked(RELEASES) == [429, 200]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503])
async def test_trouble_is_not_taken_for_an_answer(box: Box, python_org: PythonOrg, status: int) -> None:
    box.fail(status)
    with pytest.raises(Unavailable) as trouble:
        await python_org.release(NAME)
    assert trouble.value.retry_at is None
    assert await python_org.release(NAME) is None, "without a named time it may be asked again"


def row(**fields: Any) -> dict[str, Any]:
    known = {
        "resource_uri": "/api/v1/downloads/release/1/",
        "name": NAME,
        "slug": "python-3150a3",
        "version": 3,
        "is_published": True,
        "is_latest": False,
        "pre_release": True,
        "show_on_download_page": True,
        "release_date": "2026-11-20T12:00:00",
        "release_notes_url": "",
        "release_page": None,
    }
    return {**known, **fields}


def page(*rows: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"meta": {"limit": 2, "offset": 0, "next": None, "previous": None, "total_count": len(rows), **meta}, "objects": list(rows)}


SECOND = row(resource_uri="/api/v1/downloads/release/2/")
THIRD = row(resource_uri="/api/v1/downloads/release/3/")


@pytest.mark.parametrize(
    ("pages", "kind"),
    [
        pytest.param([page(row(name="Python 3.15.0a2"))], MalformedAnswer, id="the filter was passed over"),
        pytest.param([page(row(is_published="true"))], MalformedAnswer, id="a flag that is text"),
        pytest.param([page(row(resource_uri="https://elsewhere/1/"))], MalformedAnswer, id="a foreign number"),
        pytest.param([page(row(), next="/api/v1/more/")], MalformedAnswer, id="a next page after the last"),
        pytest.param([page(row(), SECOND, total_count=3)], MalformedAnswer, id="no next page before the last"),
        pytest.param([page(next="x", total_count=3)], MalformedAnswer, id="an empty page in the middle"),
        pytest.param([page(row(), SECOND, total_count=1)], MalformedAnswer, id="more rows than there are"),
        pytest.param([page(row(), next="x", total_count=1001)], MalformedAnswer, id="more rows than can be"),
        pytest.param([page(row(), offset=1)], Unavailable, id="another page than was asked for"),
        pytest.param([page(row(), next="x", total_count=2), page(SECOND, THIRD, offset=1, total_count=3)], Unavailable, id="grown"),
        pytest.param([page(row(), next="x", total_count=2), page(row(), offset=1, total_count=2)], Unavailable, id="the same row twice"),
        pytest.param([{"objects": []}], MalformedAnswer, id="no description of the page"),
    ],
)
async def test_a_list_that_cannot_be_right_is_not_believed(
    session: aiohttp.ClientSession, pages: list[dict[str, Any]], kind: type[Exception]
) -> None:
    remaining = iter(pages)

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(next(remaining))

    async with answering(answer) as url:
        with pytest.raises(kind):
            await PythonOrg(url, session, limits=Limits(page_size=2)).release(NAME)


async def test_only_published_rows_count_even_where_others_are_told(session: aiohttp.ClientSession) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(page(row(is_published=False)))

    async with answering(answer) as url:
        assert await PythonOrg(url, session).release(NAME) is None


async def test_a_date_with_a_time_zone_is_understood_as_well(session: aiohttp.ClientSession) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(page(row(release_date="2026-11-20T14:00:00+02:00")))

    async with answering(answer) as url:
        release = await PythonOrg(url, session).release(NAME)
    assert release is not None
    assert release.released == datetime(2026, 11, 20, 12, tzinfo=UTC)


def file_row(**fields: Any) -> dict[str, Any]:
    texts = ("name", "slug", "description", "url", "gpg_signature_file", "md5_sum", "sha256_sum")
    sidecars = ("sigstore_signature_file", "sigstore_cert_file", "sigstore_bundle_file", "sbom_spdx2_file")
    known = {
        **dict.fromkeys((*texts, *sidecars), ""),
        "resource_uri": "/api/v1/downloads/release_file/1/",
        "os": "/api/v1/downloads/os/3/",
        "release": "/api/v1/downloads/release/1/",
        "is_source": True,
        "filesize": 1,
        "download_button": False,
    }
    return {**known, **fields}


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(release="/api/v1/downloads/release/2/"),
        lambda row: row.update(os="/api/v1/downloads/os/99/"),
        lambda row: row.update(filesize="12"),
        lambda row: row.pop("sha256_sum"),
    ],
    ids=["of another release", "of an unknown system", "a size that is text", "a field is gone"],
)
async def test_files_that_cannot_be_right_are_not_believed(
    session: aiohttp.ClientSession, change: Callable[[dict[str, Any]], None]
) -> None:
    wrong = file_row()
    change(wrong)

    async def answer(request: web.Request) -> web.Response:
        systems = page({"name": "Source release", "slug": "source", "resource_uri": "/api/v1/downloads/os/3/"})
        return web.json_response({"/api/v1/downloads/os/": systems, RELEASES: page(row()), FILES: page(wrong)}[request.path])

    async with answering(answer) as url:
        python_org = PythonOrg(url, session)
        release = await python_org.release(NAME)
        assert release is not None
        with pytest.raises(MalformedAnswer):
            await python_org.files(release)
