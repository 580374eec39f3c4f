"""Whether what is published is what was built."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.publication import CHECK, Published, Rule, compare_with_builders, expected_files
from bot.release.facts import Build, BuiltFile, Severity
from bot.release.ids import CommitId, TagId
from bot.release.version import Kind, Version
from bot.services.python_org import Downloaded, Missing, ReleaseFile
from tests.publication.conftest import files_of_series

TGZ, EXE, PKG, MANIFEST = "Python-3.15.0a3.tgz", "python-3.15.0a3-amd64.exe", "python-3.15.0a3-macos11.pkg", "windows-3.15.0a3.json"
EXPECTED = expected_files(Version.parse("3.15.0a3"), Kind.ALPHA, files_of_series("3.15"))
FTP = "https://www.python.org/ftp/python"


def sha256(number: int) -> str:
    return f"{number:064x}"


def published(*names: str, base: str = "3.15.0") -> Published:
    """Return a publication in which each file has its place in the list as its hash."""
    files = tuple(ReleaseFile(id=n, name=name, slug=name, os="x", url=f"{FTP}/{base}/{name}", size=1) for n, name in enumerate(names, 1))
    downloads = {file.url: Downloaded(size=1, md5="", sha256=sha256(file.id)) for file in files}
    return Published(release=None, files=files, downloads=downloads)


def built(step: str, **files: str) -> Build:
    made = tuple(BuiltFile(name=NAMES[name], sha256=digest) for name, digest in files.items())
    return Build(step=step, tag=TagId("a" * 40), commit=CommitId("b" * 40), files=made, url="", at=datetime(2026, 11, 20, tzinfo=UTC))


NAMES = {
    "tgz": TGZ,
    "exe": EXE,
    "pkg": PKG,
    "manifest": MANIFEST,
    "amd64": "python-3.15.0a3-amd64.zip",
    "arm64": "python-3.15.0a3-arm64.zip",
    "tgz316": "Python-3.16.0.tgz",
}
BUILDS = (built("source", tgz=sha256(1)), built("windows-publish", exe=sha256(2).upper()), built("macos", pkg=sha256(3)))
ALL = published(TGZ, EXE, PKG)


def test_what_was_built_is_what_is_there() -> None:
    assert compare_with_builders(EXPECTED, ALL, BUILDS) == ()


def test_a_file_that_is_not_the_built_one_is_told_with_both_hashes() -> None:
    (finding,) = compare_with_builders(EXPECTED, ALL, (*BUILDS[:2], built("macos", pkg="f" * 64)))
    assert (finding.check, finding.rule, finding.severity, finding.count) == (CHECK, "builder hash", Severity.WAIVER, 1)
    assert finding.subject == (f"`3.15.0/{PKG}`: SHA-256 is {sha256(3)}, that of macos is {'f' * 64}",)
    assert "purge" in finding.what
    assert "/release retry publication" in finding.what


def test_every_builder_of_a_file_has_to_agree() -> None:
    (finding,) = compare_with_builders(EXPECTED, ALL, (*BUILDS, built("windows", exe=sha256(9))))
    assert finding.subject == (f"`3.15.0/{EXE}`: SHA-256 is {sha256(2)}, that of windows is {sha256(9)}",)


def test_a_file_of_which_no_builder_told_is_to_be_acknowledged() -> None:
    (finding,) = compare_with_builders(EXPECTED, ALL, (*BUILDS[:2], built("macos", pkg="")))
    assert (finding.rule, finding.severity) == ("no builder hash", Severity.ACKNOWLEDGE)
    assert finding.subject == (f"`3.15.0/{PKG}`: SHA-256 is {sha256(3)}",)


def test_the_manifest_is_never_told_of_but_compared_where_it_is() -> None:
    (finding,) = compare_with_builders(EXPECTED, published(MANIFEST), ())
    assert (finding.rule, finding.severity) == (Rule.SILENT_BUILDER, Severity.EXPLAINED)
    (finding,) = compare_with_builders(EXPECTED, published(MANIFEST), (built("windows-publish", manifest=sha256(7)),))
    assert finding.rule == Rule.BUILDER_HASH


def test_without_installers_only_the_manifest_is_never_told_of() -> None:
    expected = expected_files(Version.parse("3.16.0"), Kind.FINAL, files_of_series("3.16"))
    listed = published("Python-3.16.0.tgz", "python-3.16.0-embed-amd64.zip", "windows-3.16.0.json", base="3.16.0")
    found = compare_with_builders(expected, listed, (built("source", tgz316=sha256(1)),))
    assert [(finding.rule, finding.severity, finding.subject) for finding in found] == [
        (Rule.NO_BUILDER_HASH, Severity.ACKNOWLEDGE, (f"`3.16.0/python-3.16.0-embed-amd64.zip`: SHA-256 is {sha256(2)}",)),
        (Rule.SILENT_BUILDER, Severity.EXPLAINED, (f"`3.16.0/windows-3.16.0.json`: SHA-256 is {sha256(3)}",)),
    ]


AMD64, ARM64 = "python-3.15.0a3-amd64.zip", "python-3.15.0a3-arm64.zip"


def manifest(**hashes: str) -> bytes:
    """Return a manifest that names packages."""
    names = {"amd64": AMD64, "arm64": ARM64}
    entries = [{"id": name, "url": f"{FTP}/3.15.0/{names[name]}", "hash": {"sha256": told}} for name, told in hashes.items()]
    return json.dumps({"versions": entries}).encode()


PACKAGES = built("windows-publish", amd64=sha256(8), arm64=sha256(9))


def of_manifest(content: bytes, *builds: Build) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is found of a manifest, beside that nobody tells its own hash."""
    listed = published(MANIFEST)
    listed = replace(listed, manifests={listed.files[0].url: content})
    found = compare_with_builders(EXPECTED, listed, builds)
    assert (found[-1].rule, found[-1].severity) == (Rule.SILENT_BUILDER, Severity.EXPLAINED)
    assert all(finding.severity is Severity.WAIVER for finding in found[:-1])
    return [(finding.rule, finding.subject) for finding in found[:-1]]


def test_a_manifest_has_to_name_the_packages_that_were_built() -> None:
    assert of_manifest(manifest(amd64=sha256(8).upper(), arm64=sha256(9)), PACKAGES) == []
    other = f"`3.15.0/{MANIFEST}`: it names {AMD64} with SHA-256 `{'f' * 64}`, that of windows-publish is {sha256(8)}"
    assert of_manifest(manifest(amd64="f" * 64, arm64=sha256(9)), PACKAGES) == [(Rule.BUILDER_HASH, (other,))]
    without = f"`3.15.0/{MANIFEST}`: it names {ARM64} with no SHA-256, that of windows-publish is {sha256(9)}"
    assert of_manifest(manifest(amd64=sha256(8), arm64=""), PACKAGES) == [(Rule.BUILDER_HASH, (without,))]


def test_packages_that_nobody_told_of_are_not_compared() -> None:
    assert of_manifest(manifest(amd64="f" * 64)) == []
    assert of_manifest(manifest(amd64="f" * 64), built("windows-publish", arm64=sha256(9))) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"versions": [{"id": 1}]}', b"[" * 100_000])
def test_a_manifest_that_is_none_is_found(content: bytes) -> None:
    assert of_manifest(content, PACKAGES) == [(Rule.MANIFEST, (f"`3.15.0/{MANIFEST}`",))]


def test_a_file_that_nobody_knows_has_no_builder_either() -> None:
    (finding,) = compare_with_builders(EXPECTED, published("python-3.15.0a3-extra.exe"), BUILDS)
    assert (finding.rule, finding.severity) == (Rule.NO_BUILDER_HASH, Severity.ACKNOWLEDGE)


def test_what_could_not_be_read_is_no_matter_of_builders() -> None:
    unread = replace(ALL, downloads={url: Missing() for url in ALL.downloads})
    assert compare_with_builders(EXPECTED, unread, ()) == ()
