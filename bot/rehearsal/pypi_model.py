"""What a small PyPI consists of: projects, the roles of accounts in them, and files that never change."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

Role = Literal["Owner", "Maintainer"]


class Refused(Exception):
    """PyPI does not take a file; the text is its own."""


@dataclass(kw_only=True)
class File:
    """A distribution; ``kind`` is ``sdist`` or ``bdist_wheel``."""

    name: str
    version: str
    kind: str
    content: bytes
    uploaded: datetime
    shown: bool = True
    yanked: bool = False
    yanked_reason: str = ""


@dataclass(kw_only=True)
class Project:
    """A project; ``used`` are all names of files that it ever had."""

    name: str
    roles: dict[str, Role] = field(default_factory=dict)
    organization: str | None = None
    files: list[File] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    serial: int = 0

    @property
    def visible(self) -> list[File]:
        """Return what everybody sees."""
        return [file for file in self.files if file.shown]

    @property
    def versions(self) -> list[str]:
        """Return the versions that everybody sees, oldest first."""
        return sorted({file.version for file in self.visible}, key=Version)

    @property
    def latest(self) -> str:
        """Return the version that the page of the project shows: the newest final one, or without one the newest."""
        finals = [version for version in self.versions if not Version(version).is_prerelease]
        return (finals or self.versions)[-1]

    def of(self, version: str | None) -> list[File]:
        """Return the files of a version, or all."""
        return [file for file in self.files if version in (None, file.version)]


def parsed(filename: str) -> tuple[str, str, str]:
    """Return project, version and kind of a distribution; raise ValueError for a name that PyPI does not take.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention and
    https://packaging.python.org/en/latest/specifications/source-distribution-format/#source-distribution-file-name
    """
    if filename.endswith(".whl"):
        name, version, _, _ = parse_wheel_filename(filename)
        return str(name), str(version), "bdist_wheel"
    name, version = parse_sdist_filename(filename)
    return str(name), str(version), "sdist"
