"""Which files a release has on python.org, by its version, its kind and the policy of its series.

Names, titles, systems and buttons are those of ``add_to_pydotorg.py`` in https://github.com/python/release-tools; which series has which
groups of files is said by the profile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from bot.release.version import Kind, Level, Version

FTP: Final = "https://www.python.org/ftp/python/"


class FileGroup(StrEnum):
    """Files that are made and published together."""

    SOURCE = "source"
    WINDOWS_INSTALLER = "windows-installer"
    WINDOWS_EMBEDDABLE = "windows-embeddable"
    WINDOWS_MANIFEST = "windows-manifest"
    MACOS = "macos"
    ANDROID = "android"
    IOS = "ios"


class Companion(StrEnum):
    """Files that vouch for another; the value is what is added to its name."""

    OPENPGP = ".asc"
    SIGSTORE = ".sigstore"
    SIGSTORE_SIGNATURE = ".sig"
    SIGSTORE_CERTIFICATE = ".crt"
    SBOM = ".spdx.json"


@dataclass(frozen=True, kw_only=True)
class SeriesFiles:
    """The policy of one series: what its releases have, beside the sources that every release has.

    ``optional`` groups may be there or not, each as a whole; those of ``from_beta`` are optional until the first beta, and those of
    ``since`` before the release that was the first to have them. ``companions`` are those that the files of the series come with, where
    files of their kind have any.
    """

    groups: frozenset[FileGroup]
    optional: frozenset[FileGroup] = frozenset()
    from_beta: frozenset[FileGroup] = frozenset()
    since: Mapping[FileGroup, Version] = field(default_factory=dict)
    companions: frozenset[Companion] = frozenset({Companion.SIGSTORE, Companion.SBOM})


@dataclass(frozen=True, kw_only=True)
class ExpectedFile:
    """One file that a release has, or may have where it is ``optional``; ``system`` is the slug under which it is listed."""

    name: str
    url: str
    group: FileGroup
    system: str
    button: bool
    optional: bool
    companions: frozenset[Companion]

    @property
    def is_source(self) -> bool:
        """Tell whether the file is marked as source."""
        return self.group is FileGroup.SOURCE


@dataclass(frozen=True, kw_only=True)
class _Row:
    group: FileGroup
    name: str
    system: str
    button: bool = False
    companions: frozenset[Companion] = frozenset({Companion.SIGSTORE})


_ALL: Final = frozenset({Companion.OPENPGP, Companion.SIGSTORE, Companion.SBOM})

_TABLE: Final = (
    _Row(group=FileGroup.SOURCE, name="Python-{version}.tgz", system="source", companions=_ALL),
    _Row(group=FileGroup.SOURCE, name="Python-{version}.tar.xz", system="source", button=True, companions=_ALL),
    _Row(group=FileGroup.WINDOWS_INSTALLER, name="python-{version}.exe", system="windows", companions=_ALL),
    _Row(group=FileGroup.WINDOWS_INSTALLER, name="python-{version}-amd64.exe", system="windows", button=True, companions=_ALL),
    _Row(group=FileGroup.WINDOWS_INSTALLER, name="python-{version}-arm64.exe", system="windows", companions=_ALL),
    _Row(group=FileGroup.WINDOWS_EMBEDDABLE, name="python-{version}-embed-win32.zip", system="windows", companions=_ALL),
    _Row(group=FileGroup.WINDOWS_EMBEDDABLE, name="python-{version}-embed-amd64.zip", system="windows", companions=_ALL),
    _Row(group=FileGroup.WINDOWS_EMBEDDABLE, name="python-{version}-embed-arm64.zip", system="windows", companions=_ALL),
    _Row(group=FileGroup.WINDOWS_MANIFEST, name="windows-{version}.json", system="windows"),
    _Row(group=FileGroup.MACOS, name="python-{version}-macos11.pkg", system="macos", button=True, companions=_ALL - {Companion.SBOM}),
    _Row(group=FileGroup.ANDROID, name="python-{version}-aarch64-linux-android.tar.gz", system="android"),
    _Row(group=FileGroup.ANDROID, name="python-{version}-x86_64-linux-android.tar.gz", system="android"),
    _Row(group=FileGroup.IOS, name="python-{version}-iOS-XCframework.tar.gz", system="ios"),
)

_MOBILE: Final = frozenset({FileGroup.ANDROID, FileGroup.IOS})


def expected_files(version: Version, kind: Kind, series: SeriesFiles) -> tuple[ExpectedFile, ...]:
    """Return every file a release has or may have, in the order of the table.

    A security release has its sources only; files for Android and iOS may come with it where its series has them.
    """
    wanted, optional = _groups(version, kind, series)
    return tuple(_expected(row, version, series, optional=row.group not in wanted) for row in _TABLE if row.group in wanted | optional)


def put_off(files: Sequence[ExpectedFile], late: Collection[str]) -> tuple[ExpectedFile, ...]:
    """Return the same files, where those that follow later, by their names, may be there or not, each with its whole group."""
    groups = {file.group for file in files if file.name in late}
    return tuple(replace(file, optional=file.optional or file.group in groups) for file in files)


def _groups(version: Version, kind: Kind, series: SeriesFiles) -> tuple[frozenset[FileGroup], frozenset[FileGroup]]:
    """Return the groups that must be there, and those that may be."""
    source = frozenset({FileGroup.SOURCE})
    if kind is Kind.SECURITY:
        return source, series.groups & _MOBILE
    early = frozenset(group for group, first in series.since.items() if version < first)
    if version.level is Level.ALPHA:
        early |= series.from_beta
    return source | series.groups - early, series.optional | early


def _expected(row: _Row, version: Version, series: SeriesFiles, *, optional: bool) -> ExpectedFile:
    name = row.name.format(version=version)
    return ExpectedFile(
        name=name,
        # All pre-releases of one final version share its folder.
        url=f"{FTP}{version.base}/{name}",
        group=row.group,
        system=row.system,
        button=row.button,
        optional=optional,
        companions=row.companions & series.companions,
    )
