"""What python.org states of a release, read from a file in each of its forms, and what is none of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.verify.metadata import MOST, MetadataUnusable, read_metadata, stated
from tests.reference import reference
from tests.verify.small_release import SmallRelease

ROW = {"url": "https://www.python.org/ftp/python/3.14.9/Python-3.14.9.tgz", "filesize": 3, "release": "/api/v1/downloads/release/7/"}


def page(*rows: Any, offset: int = 0, total: int | None = None) -> bytes:
    return json.dumps({"meta": {"offset": offset, "total_count": len(rows) if total is None else total}, "objects": rows}).encode()


def test_a_page_of_the_first_api_and_the_list_of_the_second_say_the_same(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path)
    first = read_metadata(release.metadata)
    second = stated(json.dumps(list(release.rows.values())).encode(), what="the list")
    assert first == second
    assert first.companions
    assert [file.file_name for file in first.files] == [release.tgz.name, release.txz.name]
    assert first.files[0].sbom.endswith(".tgz.spdx.json")


def test_the_form_of_the_tracker_has_bundles_but_no_addresses(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path)
    release.state(release.tgz.name, sha256_sum="")
    read = stated(release.tracked(), what="the file")
    assert not read.companions
    assert read.files[0].sha256 == ""  # the tracker's own computation is no statement of python.org
    assert len(read.bundles) == 2
    assert read.files[1].sha256 == release.rows[release.txz.name]["sha256_sum"]


@pytest.mark.parametrize("version", ["3.12.5", "3.13.2", "3.13.5", "3.14.4"])
def test_the_real_metadata_is_read(version: str) -> None:
    read = read_metadata(reference(f"artifacts/metadata/{version}.json"))
    assert len(read.files) == len(read.bundles) >= 9
    assert all(bool(file.sha256) is (version == "3.14.4") and len(file.md5) == 32 and file.size for file in read.files)


@pytest.mark.parametrize(
    "name", ["125-v1-file-list-by-release-anonymous-while-unpublished", "131-v2-file-list-by-release-anonymous-while-unpublished"]
)
def test_what_the_site_really_answered_is_read(name: str) -> None:
    dialogue = json.loads(reference(f"recordings/python.org/{name}.json").read_text())
    read = stated(dialogue["response"]["body"].encode(), what=name)
    assert [file.file_name for file in read.files][:1] == ["Python-3.15.0a1.tgz"]
    assert len(read.files) == 4
    assert read.companions


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"null", "in none of the known forms"),
        (b"[]", "names no file at all"),
        (page(), "names no file at all"),
        (b"{}", "in none of the known forms (at meta"),
        (page(ROW, total=30), "is one page of several (1 of 30 files)"),
        (page(ROW, offset=20), "is one page of several"),
        (page({**ROW, "filesize": -1}), "at objects.0.filesize"),
        (page({**ROW, "filesize": "3"}), "at objects.0.filesize"),
        (page({**ROW, "filesize": True}), "at objects.0.filesize"),
        (page({**ROW, "url": 3}), "at objects.0.url"),
        (page(3), "in none of the known forms"),
        (page(ROW, {**ROW, "release": "/api/v1/downloads/release/8/"}), "several releases"),
        (json.dumps([{"raw": {"url": "x"}}]).encode(), "at 0.raw.filesize"),
        (json.dumps([{"raw": {"url": "x", "filesize": 1, "sigstore": "y"}}]).encode(), "at 0.raw.sigstore"),
        (json.dumps([{**ROW, "url": str(number)} for number in range(MOST + 1)]).encode(), f"no release has more than {MOST}"),
    ],
)
def test_what_is_no_metadata_is_refused_with_the_place(content: bytes, why: str) -> None:
    with pytest.raises(MetadataUnusable) as caught:
        stated(content, what="the file")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetadataUnusable, match="cannot be read"):
        read_metadata(tmp_path / "nothing.json")
    with pytest.raises(MetadataUnusable, match="cannot be read"):
        read_metadata(tmp_path)
