"""Which files a release has on python.org, by its version, its kind and the policy of its series.

Names, titles, systems and buttons are those of ``add_to_pydotorg.py`` in https://github.com/python/release-tools; which series has which
files is what https://www.python.org/downloads/ shows of its releases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import UserError
from bot.release.version import Kind, Level, Version

FTP: Final = "https://www.python.org/ftp/python/"


class FilesUnknown(UserError):
    """Nobody wrote down which files a series has."""


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

    ``optional`` groups may be there or not, each as a whole; those of ``from_beta`` are optional until the first beta. ``companions`` are
    those that the files of the series come with, where files of their kind have any.
    """

    groups: frozenset[FileGroup]
    optional: frozenset[FileGroup] = frozenset()
    from_beta: frozenset[FileGroup] = frozenset()
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
_WINDOWS_AND_MACOS: Final = frozenset({FileGroup.WINDOWS_INSTALLER, FileGroup.WINDOWS_EMBEDDABLE, FileGroup.MACOS})

SERIES: Final[Mapping[tuple[int, int], SeriesFiles]] = {
    (3, 10): SeriesFiles(groups=frozenset(), companions=_ALL - {Companion.SBOM}),
    (3, 11): SeriesFiles(groups=_WINDOWS_AND_MACOS, companions=_ALL - {Companion.SBOM}),
    (3, 12): SeriesFiles(groups=_WINDOWS_AND_MACOS, companions=_ALL),
    (3, 13): SeriesFiles(groups=_WINDOWS_AND_MACOS | {FileGroup.WINDOWS_MANIFEST}, companions=_ALL),
    (3, 14): SeriesFiles(groups=_WINDOWS_AND_MACOS | {FileGroup.WINDOWS_MANIFEST, FileGroup.ANDROID}),
    (3, 15): SeriesFiles(
        groups=_WINDOWS_AND_MACOS | {FileGroup.WINDOWS_MANIFEST} | _MOBILE,
        from_beta=frozenset({FileGroup.IOS}),
    ),
    # The installers ended with 3.15. The classic embeddable packages were published by the same job, which no longer runs.
    (3, 16): SeriesFiles(
        groups=frozenset({FileGroup.WINDOWS_MANIFEST, FileGroup.MACOS}) | _MOBILE,
        optional=frozenset({FileGroup.WINDOWS_EMBEDDABLE}),
    ),
}
"""What the series have had since the one named: the last row holds until another is written."""


def files_of_series(series: str) -> SeriesFiles:
    """Return the policy of a series such as ``3.15``; raise FilesUnknown for those that are older than the first row."""
    major, _, minor = series.partition(".")
    fitting = [since for since in SERIES if since <= (int(major), int(minor))]
    if not fitting:
        raise FilesUnknown(f"It is not written down which files Python {series} has on python.org: add the series to the table of the bot.")
    return SERIES[max(fitting)]


def expected_files(version: Version, kind: Kind, series: SeriesFiles) -> tuple[ExpectedFile, ...]:
    """Return every file a release has or may have, in the order of the table.

    A security release has its sources only; files for Android and iOS may come with it where its series has them.
    """
    wanted, optional = _groups(version, kind, series)
    return tuple(_expected(row, version, series, optional=row.group not in wanted) for row in _TABLE if row.group in wanted | optional)


def _groups(version: Version, kind: Kind, series: SeriesFiles) -> tuple[frozenset[FileGroup], frozenset[FileGroup]]:
    """Return the groups that must be there, and those that may be."""
    source = frozenset({FileGroup.SOURCE})
    if kind is Kind.SECURITY:
        return source, series.groups & _MOBILE
    early = series.from_beta if version.level is Level.ALPHA else frozenset()
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
