"""What the install manager is told: manifests made here, and those that the real index is made of."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.rehearsal.release_files import ReleaseFiles
from bot.rehearsal.versions import PythonVersion
from bot.release.version import Version
from bot.verify.install_manager import LARGEST, InstallManagerManifest, read_entries
from bot.verify.result import NotProven, Unusable
from tests.reference import reference

VERSION = Version.parse("3.15.0a3")
NAME = "windows-3.15.0a3.json"
FTP = "https://www.python.org/ftp/python/3.15.0"
PROOF = InstallManagerManifest(version=VERSION)

Entry = dict[str, Any]
Change = Callable[[list[Entry]], object]


def entry(kind: str, mark: str, file: str) -> Entry:
    return {
        "schema": 1,
        "id": f"python{kind}-3.15{mark}",
        "sort-version": "3.15.0a3",
        "company": f"Python{kind.capitalize()}",
        "tag": f"3.15{mark.replace('-', '-dev-', 1)}",
        "install-for": [f"3.15.0a3{mark}"],
        "url": f"{FTP}/python-3.15.0a3{file}.zip",
        "hash": {"sha256": hashlib.sha256(file.encode()).hexdigest()},
    }


def entries() -> list[Entry]:
    return [entry("core", "-64", "-amd64"), entry("core", "t-64", "t-amd64"), entry("embed", "-arm64", "-embeddable-arm64")]


def written(versions: list[Entry], **more: object) -> bytes:
    return json.dumps({"versions": versions, **more}).encode()


def changed(change: Change) -> bytes:
    versions = entries()
    change(versions)
    return written(versions)


def older() -> Entry:
    return entry("core", "-64", "-amd64") | {"id": "pythoncore-3.14-64", "sort-version": "3.14.4", "tag": "3.14-64"}


def refused(manifest: bytes, index: bytes | None = None, known: dict[str, str] | None = None) -> NotProven:
    with pytest.raises(NotProven) as caught:
        PROOF.verify(manifest, index, known=known)
    assert caught.value.why.endswith(".")
    return caught.value


def test_a_manifest_is_proved_alone_and_by_the_index() -> None:
    found = PROOF.verify(written(entries()))
    assert found.why == f"{NAME} names 3 packages of Python 3.15.0a3, the hashes of 0 of which were compared."
    assert len(found.diagnostics) == 3
    index = written([*reversed(entries()), older()], next="index-windows-recent.json")
    known = {"python-3.15.0a3-amd64.zip": entries()[0]["hash"]["sha256"].upper(), "another.zip": "0" * 64}
    assert PROOF.verify(written(entries()), index, known=known).why == (
        f"{NAME} names 3 packages of Python 3.15.0a3, the hashes of 1 of which were compared, and index-windows.json lists the same."
    )


def test_entries_may_share_a_package() -> None:
    versions = entries()
    versions[1].update(url=versions[0]["url"], hash=versions[0]["hash"])
    assert "names 2 packages" in PROOF.verify(written(versions)).why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda versions: versions.clear(), "it names no package"),
        (lambda versions: versions.append(versions[0]), "the id `pythoncore-3.15-64` is given 2 times"),
        (lambda versions: versions[1].update(id="pythoncore-3.15-64"), "the id `pythoncore-3.15-64` is given 2 times"),
        (lambda versions: versions[1].update(tag="3.15-dev-64"), "the tag `3.15-dev-64` of `PythonCore` is given 2 times"),
        (lambda versions: versions[1].update(url=versions[0]["url"]), "has 2 different hashes"),
        (lambda versions: versions[0].update(schema=2), "has the schema 2 instead of 1"),
        (lambda versions: versions[0].pop("schema"), "has the schema 0 instead of 1"),
        (lambda versions: versions[0].update({"sort-version": "3.15.0a2"}), "is of version `3.15.0a2` instead of 3.15.0a3"),
        (lambda versions: versions[0].update({"sort-version": "3.15.0"}), "is of version `3.15.0` instead of 3.15.0a3"),
        (lambda versions: versions[0].pop("sort-version"), "is of version nothing"),
        (lambda versions: versions[0].update(id="pythoncore-3.14-64"), "is none of the series 3.15"),
        (lambda versions: versions[0].update(tag="3.14-64"), "is none of the series 3.15"),
        (lambda versions: versions[0].update(company="Somebody", id="somebody-3.15-64"), "is none of the series 3.15"),
        (lambda versions: versions[0].update(tag="3.15-dev-32"), "is none of the series 3.15"),
        *(
            (lambda versions, url=url: versions[0].update(url=url), "which is no package of this release below")
            for url in (
                "https://example.org/ftp/python/3.15.0/python-3.15.0a3-amd64.zip",
                "http://www.python.org/ftp/python/3.15.0/python-3.15.0a3-amd64.zip",
                "https://www.python.org/ftp/python/3.14.0/python-3.15.0a3-amd64.zip",
                f"{FTP}/python-3.15.0a2-amd64.zip",
                f"{FTP}/python-3.15.0a30-amd64.zip",
                f"{FTP}/python-3.15.0-amd64.zip",
                f"{FTP}/../3.14.0/python-3.15.0a3-amd64.zip",
                f"{FTP}/more/python-3.15.0a3-amd64.zip",
                f"{FTP}/python-3.15.0a3-amd64.zip?x",
                f"{FTP}/python-3.15.0a3-amd64.exe",
            )
        ),
        (lambda versions: versions[0].pop("hash"), "has nothing for its SHA-256"),
        (lambda versions: versions[0].update(hash={"md5": "0" * 32}), "has nothing for its SHA-256"),
        (lambda versions: versions[0].update(hash={"sha256": "0" * 63}), "for its SHA-256"),
        (lambda versions: versions[0].update(hash={"sha256": "g" * 64}), "for its SHA-256"),
    ],
)
def test_a_manifest_of_something_else_is_refused(change: Change, words: str) -> None:
    wrong = refused(changed(change))
    assert wrong.why.startswith(f"{NAME} is not the manifest of Python 3.15.0a3 (")
    assert any(words in line for line in wrong.diagnostics), wrong.diagnostics


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"", "is not a JSON document"),
        (b"\xff", "is not a JSON document"),
        (b"[" * 100_000, "is not a JSON document"),
        (b"{}", "is not in the form it must have (versions: "),
        (b'{"versions": 1}', "is not in the form it must have (versions: "),
        (b'{"versions": [{"id": 1}]}', "is not in the form it must have (versions.0."),
        (b'{"versions": [], "versions": []}', "can be read in more than one way"),
        (written(entries())[:-3], "is not a JSON document"),
        (written([{}] * 900), "is not in the form it must have (versions.0.url: Field required)"),
        (written(entries() * 400), "is not in the form it must have (versions: "),
        (changed(lambda versions: versions[0].update(schema="1")), "is not in the form it must have (versions.0.schema: "),
        (b" " * (LARGEST + 1), "far more than any such document needs"),
    ],
)
def test_what_is_no_manifest_is_refused(manifest: bytes, words: str) -> None:
    assert f"{NAME} " in refused(manifest).why
    assert words in refused(manifest).why
    assert "index-windows.json " in refused(written(entries()), manifest).why


def test_other_packages_than_there_are_are_refused() -> None:
    wrong = refused(written(entries()), known={"python-3.15.0a3-amd64.zip": "0" * 64})
    assert "tells of other packages than there are (python-3.15.0a3-amd64.zip has the SHA-256 000" in wrong.why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda versions: versions.pop(0), "`pythoncore-3.15-64` is not in the index"),
        (lambda versions: versions.clear(), "`pythoncore-3.15-64` is not in the index"),
        (lambda versions: versions.append(entry("test", "-64", "-test-amd64")), "`pythontest-3.15-64` is only in the index"),
        (lambda versions: versions[0].update(hash={"sha256": "0" * 64}), "`pythoncore-3.15-64` has another address or hash in the index"),
        (lambda versions: versions[0].update(url=f"{FTP}/x.zip"), "`pythoncore-3.15-64` has another address or hash in the index"),
        (lambda versions: versions.append(versions[0]), "`pythoncore-3.15-64` is in the index 2 times"),
    ],
)
def test_an_index_that_lists_something_else_is_refused(change: Change, words: str) -> None:
    wrong = refused(written(entries()), changed(change))
    assert "index-windows.json does not list what windows-3.15.0a3.json names" in wrong.why
    assert words in wrong.diagnostics


def test_an_index_that_has_moved_on_proves_nothing() -> None:
    newer = [entry | {"sort-version": "3.15.0a4"} for entry in entries()]
    found = refused(written(entries()), written([*newer, older() | {"sort-version": "someday"}]))
    assert isinstance(found, Unusable)
    assert "has moved on to Python 3.15.0a4" in found.why


def test_the_manifest_of_a_made_release_is_proved() -> None:
    files = ReleaseFiles(PythonVersion.parse("3.15.0a3"))
    known = {name: hashlib.sha256(content).hexdigest() for name, content in files.packages.items()}
    assert "names 3 packages of Python 3.15.0a3, the hashes of 3 of which" in PROOF.verify(files.manifest[NAME], known=known).why


@pytest.mark.parametrize(("version", "count"), [("3.15.0a8", 12), ("3.14.4", 12), ("3.13.13", 12), ("3.12.10", 9), ("3.11.9", 9)])
def test_what_the_real_index_tells_of_a_release_is_proved(version: str, count: int) -> None:
    index = reference("artifacts/windows/index-windows.json").read_bytes()
    told = [one for one in json.loads(index)["versions"] if one["sort-version"] == version]
    found = InstallManagerManifest(version=Version.parse(version)).verify(written(told), index)
    assert f"names {count} packages of Python {version}" in found.why
    assert len(read_entries(index, name="the index")) == 54


def test_the_real_index_has_moved_on_since_an_older_release() -> None:
    index = reference("artifacts/windows/index-windows.json").read_bytes()
    told = [one for one in json.loads(index)["versions"] if one["sort-version"] == "3.14.4"]
    text = json.dumps(told).replace("3.14.4", "3.14.3")
    with pytest.raises(Unusable, match=r"has moved on to Python 3\.14\.4"):
        InstallManagerManifest(version=Version.parse("3.14.3")).verify(written(json.loads(text)), index)
