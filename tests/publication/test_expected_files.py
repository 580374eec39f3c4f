"""Which files a release has, by its version, its kind and its series; held against what the releases of years had."""

import json
import tarfile
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.publication import Companion, ExpectedFile, FileGroup, SeriesFiles, expected_files, put_off
from bot.release.version import Kind, Level, Version, VersionError, kinds_of
from tests.publication.conftest import CPYTHON, files_of_series
from tests.reference import reference

SOURCES = {"Python-V.tgz", "Python-V.tar.xz"}
INSTALLERS = {"python-V.exe", "python-V-amd64.exe", "python-V-arm64.exe"}
EMBEDDABLE = {"python-V-embed-win32.zip", "python-V-embed-amd64.zip", "python-V-embed-arm64.zip"}
MANIFEST = {"windows-V.json"}
MACOS = {"python-V-macos11.pkg"}
ANDROID = {"python-V-aarch64-linux-android.tar.gz", "python-V-x86_64-linux-android.tar.gz"}
IOS = {"python-V-iOS-XCframework.tar.gz"}
UP_TO_3_12 = SOURCES | INSTALLERS | EMBEDDABLE | MACOS
ON_3_13 = UP_TO_3_12 | MANIFEST
ON_3_14 = ON_3_13 | ANDROID
ON_3_15 = ON_3_14 | IOS
ON_3_16 = SOURCES | MANIFEST | MACOS | ANDROID | IOS


def expected(text: str, kind: Kind | None = None) -> tuple[ExpectedFile, ...]:
    version = Version.parse(text)
    return expected_files(version, kind or kinds_of(version)[0], files_of_series(version.series))


def names(text: str, kind: Kind | None = None, *, optional: bool = False) -> set[str]:
    return {file.name.replace(text, "V") for file in expected(text, kind) if file.optional is optional}


@pytest.mark.parametrize(
    ("text", "kind", "required", "optional"),
    [
        ("3.12.4", Kind.BUGFIX, UP_TO_3_12, set()),
        ("3.13.5", Kind.BUGFIX, UP_TO_3_12, MANIFEST),
        ("3.13.6", Kind.BUGFIX, ON_3_13, set()),
        ("3.13.14", Kind.BUGFIX, ON_3_13, set()),
        ("3.13.16", Kind.SECURITY, SOURCES, set()),
        ("3.14.0b2", Kind.BETA, UP_TO_3_12, MANIFEST | ANDROID),
        ("3.14.0b3", Kind.BETA, ON_3_13, ANDROID),
        ("3.14.0rc2", Kind.CANDIDATE, ON_3_14, set()),
        ("3.14.7", Kind.BUGFIX, ON_3_14, set()),
        ("3.14.5rc1", Kind.CANDIDATE, ON_3_14, set()),
        ("3.14.20", Kind.SECURITY, SOURCES, ANDROID),
        ("3.15.0a3", Kind.ALPHA, ON_3_14, IOS),
        ("3.15.0b1", Kind.FIRST_BETA, ON_3_15, set()),
        ("3.15.0rc2", Kind.CANDIDATE, ON_3_15, set()),
        ("3.15.0", Kind.FINAL, ON_3_15, set()),
        ("3.15.9", Kind.SECURITY, SOURCES, ANDROID | IOS),
        ("3.16.0a2", Kind.ALPHA, ON_3_16, EMBEDDABLE),
        ("3.16.0", Kind.FINAL, ON_3_16, EMBEDDABLE),
        ("3.17.0b1", Kind.FIRST_BETA, ON_3_16, EMBEDDABLE),
        ("3.10.21", Kind.SECURITY, SOURCES, set()),
    ],
)
def test_the_table(text: str, kind: Kind, required: set[str], optional: set[str]) -> None:
    assert (names(text, kind), names(text, kind, optional=True)) == (required, optional)


def test_how_many_there_are() -> None:
    counts = [len(names(text)) for text in ("3.13.14", "3.14.7", "3.15.1", "3.16.0")]
    assert counts == [10, 12, 13, 7]


def test_every_file_stands_in_the_folder_of_the_final_version_and_is_listed_in_its_place() -> None:
    found = {file.name: file for file in expected("3.15.0rc2")}
    tarball = found["Python-3.15.0rc2.tar.xz"]
    assert tarball.url == "https://www.python.org/ftp/python/3.15.0/Python-3.15.0rc2.tar.xz"
    assert (tarball.system, tarball.is_source, tarball.button, tarball.optional) == ("source", True, True, False)
    assert {file.name for file in found.values() if file.button} == {
        "Python-3.15.0rc2.tar.xz",
        "python-3.15.0rc2-amd64.exe",
        "python-3.15.0rc2-macos11.pkg",
    }
    assert {file.system for file in found.values()} == {"source", "windows", "macos", "android", "ios"}


def companions(text: str, name: str) -> set[Companion]:
    return next(set(file.companions) for file in expected(text) if file.name == name.replace("V", text))


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("3.13.14", "Python-V.tgz", {Companion.OPENPGP, Companion.SIGSTORE, Companion.SBOM}),
        ("3.13.14", "python-V-macos11.pkg", {Companion.OPENPGP, Companion.SIGSTORE}),
        ("3.13.14", "windows-V.json", {Companion.SIGSTORE}),
        ("3.14.7", "Python-V.tgz", {Companion.SIGSTORE, Companion.SBOM}),
        ("3.14.7", "python-V-amd64.exe", {Companion.SIGSTORE, Companion.SBOM}),
        ("3.14.7", "python-V-embed-arm64.zip", {Companion.SIGSTORE, Companion.SBOM}),
        ("3.14.7", "python-V-x86_64-linux-android.tar.gz", {Companion.SIGSTORE}),
        ("3.11.9", "Python-V.tgz", {Companion.OPENPGP, Companion.SIGSTORE}),
    ],
)
def test_what_vouches_for_a_file(text: str, name: str, wanted: set[Companion]) -> None:
    assert companions(text, name) == wanted


def test_what_follows_later_may_be_missing_with_its_whole_group() -> None:
    files = put_off(expected("3.15.1"), ["python-3.15.1-macos11.pkg", "python-3.15.1-amd64.exe", ""])
    assert {file.name.replace("3.15.1", "V") for file in files if file.optional} == MACOS | INSTALLERS
    assert {file.name.replace("3.15.1", "V") for file in files} == ON_3_15
    assert put_off(expected("3.16.0"), []) == expected("3.16.0")


versions = st.one_of(
    st.builds(Version, st.just(3), st.integers(10, 20), st.integers(0, 30)),
    st.builds(Version, st.just(3), st.integers(10, 20), st.just(0), st.sampled_from([Level.ALPHA, Level.BETA]), st.integers(1, 9)),
    st.builds(Version, st.just(3), st.integers(10, 20), st.integers(0, 9), st.just(Level.CANDIDATE), st.integers(1, 9)),
)
groups = st.frozensets(st.sampled_from(FileGroup))
policies = st.builds(
    SeriesFiles,
    groups=groups,
    optional=groups,
    from_beta=groups,
    since=st.dictionaries(st.sampled_from(FileGroup), versions),
    companions=st.frozensets(st.sampled_from(Companion)),
)


@given(versions, st.sampled_from(Kind), policies)
def test_every_release_has_its_sources_and_every_file_one_place_of_its_own(version: Version, kind: Kind, policy: SeriesFiles) -> None:
    files = expected_files(version, kind, policy)
    required = {file.name for file in files if not file.optional}
    assert {f"Python-{version}.tgz", f"Python-{version}.tar.xz"} <= required
    assert len({file.url for file in files}) == len(files)
    assert all(file.url == f"https://www.python.org/ftp/python/{version.base}/{file.name}" for file in files)
    assert all(str(version) in file.name and file.companions <= policy.companions for file in files)
    buttons = [file.system for file in files if file.button]
    assert len(buttons) == len(set(buttons)), "the site takes one download button for each system"
    if kind is Kind.SECURITY:
        assert required == {f"Python-{version}.tgz", f"Python-{version}.tar.xz"}
        return
    early = {group for group, first in policy.since.items() if version < first}
    early |= policy.from_beta if version.level is Level.ALPHA else frozenset()
    assert {file.group for file in files} == {FileGroup.SOURCE} | policy.groups | policy.optional | early


def real_releases() -> Iterator[tuple[Version, set[str]]]:
    with tarfile.open(reference("artifacts/metadata/python-org-releases-2026-04-11.tar.xz")) as archive:
        for member in archive:
            opened = archive.extractfile(member)
            if opened is None or not member.name.endswith(".json"):
                continue
            try:
                version = Version.parse(member.name.rsplit("/", 1)[-1].removesuffix(".json"))
            except VersionError:
                continue
            yield version, {entry["raw"]["url"] for entry in json.load(opened)}


REASONS: Mapping[str, str] = {
    "had installers and help files for Windows, of which the profile says nothing, because releases of 3.10 have sources only by now": """
        3.10.0a1 3.10.0a2 3.10.0a3 3.10.0a4 3.10.0a5 3.10.0a6 3.10.0a7 3.10.0b1 3.10.0b2 3.10.0b3 3.10.0b4 3.10.0rc1 3.10.0rc2
        3.10.0 3.10.1 3.10.2 3.10.3 3.10.4 3.10.5 3.10.6 3.10.7 3.10.8 3.10.9 3.10.10 3.10.11
    """,
    "had a help file for Windows, and neither installer nor embeddable package for ARM64": "3.11.0a1 3.11.0a2 3.11.0a3 3.11.0a4",
    "had a help file for Windows and an installer for ARM64 at last, but no embeddable package for it": "3.11.0a5",
    "had an installer for ARM64, but no embeddable package for it": "3.11.0a6",
}
"""Why releases of the past had other files than the profile says of their series, and which ones these are."""

IRREGULAR: Mapping[str, str] = {name: reason for reason, names in REASONS.items() for name in names.split()}

SECURITY: Mapping[str, str] = {"3.10": "3.10.12", "3.11": "3.11.10", "3.12": "3.12.11"}
"""Since when the releases of a series have been for security only."""


def kind_of(version: Version) -> Kind:
    first = SECURITY.get(version.series)
    return Kind.SECURITY if first and version >= Version.parse(first) else kinds_of(version)[0]


def misfits(version: Version, urls: set[str]) -> set[str]:
    """Return what a release lacks, or has too much, by the rules of the profile; of a group that may be missing all or nothing."""
    files = expected_files(version, kind_of(version), files_of_series(version.series))
    there = {file.group for file in files if file.url in urls}
    return urls ^ {file.url for file in files if not file.optional or file.group in there}


def test_every_real_release_fits_the_rules_but_for_those_named_with_their_reason() -> None:
    releases = dict(real_releases())
    assert len(releases) == 450
    known = {version: urls for version, urls in releases.items() if version.series in CPYTHON.series}
    assert {version.series for version in known} == {"3.10", "3.11", "3.12", "3.13", "3.14", "3.15"}
    assert len(known) == 146
    wrong = {str(version): odd for version, urls in known.items() if (odd := misfits(version, urls))}
    assert wrong.keys() == IRREGULAR.keys(), {name: odd for name, odd in wrong.items() if name not in IRREGULAR}


@pytest.mark.parametrize("series", ["3.13", "3.14"])
def test_since_names_the_very_first_release_that_had_a_group(series: str) -> None:
    releases = dict(real_releases())
    for group, first in files_of_series(series).since.items():
        having = {version for version in releases if version.series == series and has(version, group, releases[version])}
        assert min(having) == first
        assert having == {version for version in releases if version.series == series and version >= first}


def has(version: Version, group: FileGroup, urls: set[str]) -> bool:
    files = expected_files(version, kind_of(version), files_of_series(version.series))
    return {file.url for file in files if file.group is group} <= urls
