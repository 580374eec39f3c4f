"""Reading everything may take several looks: nothing that is known is asked for again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.fetching import MOST, Fetched, fetch, lasting, still
from bot.profile.types import Timing
from bot.release.published import Ended, FileRead
from bot.services.python_org import Downloaded, Missing, Oversized, PythonOrg, ReleaseFile, Unread, Withheld
from bot.shelf import Shelf
from tests.publication.conftest import Box

FTP = "https://www.python.org/ftp/python/3.15.0/"
TGZ, PKG, MANIFEST, GONE, HUGE, CLOSED = "a.tgz", "b.pkg", "windows.json", "gone.exe", "huge.zip", "closed.zip"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTENT = json.dumps({"versions": []}).encode()


def file(name: str, size: int = len(CONTENT), **companions: str) -> ReleaseFile:
    return ReleaseFile(id=1, name=name, slug=name, os="source", url=FTP + name, size=size, **companions)  # type: ignore[arg-type]  # texts


FILES = (file(TGZ, sigstore_bundle=f"{FTP}{TGZ}.sigstore"), *(file(name) for name in (PKG, MANIFEST, GONE, CLOSED)), file(HUGE, 3))


@pytest.fixture
def site(box: Box) -> Box:
    for name in (TGZ, f"{TGZ}.sigstore", PKG, MANIFEST, HUGE):
        box.site.upload(f"3.15.0/{name}", CONTENT)
    return box


def asked(site: Box, name: str) -> int:
    return len(site.asked(f"/ftp/python/3.15.0/{name}"))


async def looked(python_org: PythonOrg, known: tuple[FileRead, ...] = (), now: datetime = NOW) -> Fetched:
    return await fetch(FILES, {FTP + MANIFEST}, known, python_org, now)


async def test_only_the_rest_is_asked_for_again(site: Box, python_org: PythonOrg) -> None:
    site.fail(429, path=PKG)
    site.fail(403, path=CLOSED)
    first = await looked(python_org)
    assert list(first.unread) == [FTP + PKG]
    assert isinstance(first.unread[FTP + PKG], Unread)
    assert {one.url.removeprefix(FTP) for one in first.known} == {TGZ, f"{TGZ}.sigstore", GONE, HUGE, CLOSED}
    second = await looked(python_org, first.known, NOW + timedelta(minutes=1))
    assert second.unread == {}
    assert [asked(site, name) for name in (TGZ, f"{TGZ}.sigstore", GONE, HUGE, CLOSED, PKG, MANIFEST)] == [1, 1, 1, 1, 1, 2, 2]
    assert isinstance(second.downloads[FTP + TGZ], Downloaded)
    assert second.downloads[FTP + GONE] == Missing()
    assert second.downloads[FTP + HUGE] == Oversized(limit=3)
    assert second.downloads[FTP + CLOSED] == Withheld(status=403, why="the site answers 403")
    assert {one.at for one in second.known if one.url != FTP + PKG} == {NOW}, "it was not read since"
    assert second.manifests == {FTP + MANIFEST: CONTENT}
    assert second.content == (await looked(python_org)).content


async def test_a_manifest_is_read_again_for_its_bytes_even_where_it_is_known(site: Box, python_org: PythonOrg, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    first = await fetch(FILES, {FTP + MANIFEST}, (), python_org, NOW, shelf)
    later = NOW + timedelta(hours=1)
    second = await fetch(FILES, {FTP + MANIFEST}, first.files, python_org, later, shelf)
    assert second.manifests == {FTP + MANIFEST: CONTENT}
    assert [asked(site, name) for name in (TGZ, f"{TGZ}.sigstore", GONE, MANIFEST)] == [1, 1, 1, 2]
    assert second.content == first.content
    assert {one.at for one in second.files if one.url == FTP + MANIFEST} == {later}


async def test_what_does_not_lie_on_the_disk_as_it_was_read_is_read_again(site: Box, python_org: PythonOrg, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    first = await fetch(FILES, (), (), python_org, NOW, shelf)
    (shelf.folder / TGZ).write_bytes(CONTENT.swapcase())
    later = NOW + timedelta(hours=1)
    second = await fetch(FILES, (), first.files, python_org, later, shelf)
    assert [asked(site, name) for name in (TGZ, PKG)] == [2, 1]
    assert {one.at for one in second.files if one.url == FTP + TGZ} == {later}
    assert (shelf.folder / TGZ).read_bytes() == CONTENT


async def test_another_content_has_another_digest(site: Box, python_org: PythonOrg) -> None:
    before = await looked(python_org)
    site.site.upload(f"3.15.0/{TGZ}.sigstore", b"another signature")
    site.site.purge(f"3.15.0/{TGZ}.sigstore")
    assert (await looked(python_org)).content != before.content


def test_what_is_missing_is_known_for_good_and_what_was_read_for_a_while() -> None:
    known = [FileRead(url=ended, at=NOW, ended=ended) for ended in Ended]
    assert still(known, NOW) == tuple(known)
    assert [one.ended for one in still(known, NOW + timedelta(seconds=1))] == [Ended.MISSING, Ended.WITHHELD, Ended.OVERSIZED]


def test_how_long_it_counts_that_something_was_read() -> None:
    assert lasting(Timing(poll=60, confirm_gap=60, lease=60)) == timedelta(minutes=10)
    assert lasting(Timing(poll=60, confirm_gap=3600, lease=60)) == timedelta(hours=2)
    assert lasting(Timing(poll=0.05, confirm_gap=0.05, lease=2, heartbeat=1)) == timedelta(seconds=2)


async def test_of_what_vouches_for_a_file_and_of_a_manifest_no_more_is_read_than_is_sensible(site: Box, python_org: PythonOrg) -> None:
    big = bytes(MOST + 1)
    for name in (f"{TGZ}.sigstore", MANIFEST):
        site.site.upload(f"3.15.0/{name}", big)
    files = (FILES[0], file(MANIFEST, len(big)))
    found = await fetch(files, {FTP + MANIFEST}, (), python_org, NOW)
    assert [found.downloads[FTP + name] for name in (f"{TGZ}.sigstore", MANIFEST)] == [Oversized(limit=MOST)] * 2
    assert found.manifests == {}
