"""PyPI, the index of Python packages: the files of a version, as everybody gets them, and who owns a project."""

from dataclasses import dataclass, field
from typing import Annotated, Final

import aiohttp
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version
from pydantic import FailFast, Field, TypeAdapter

from bot.services.reading import Reader

_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer; a project with a thousand files takes one."""

_INDEX: Final = "application/vnd.pypi.simple.v1+json"
"""The index in JSON: https://peps.python.org/pep-0691/."""

_SHA256: Final = r"[0-9a-f]{64}"


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file of a version: ``size`` is in bytes, None where the index does not tell; whoever asks for a yanked one still gets it."""

    name: str
    sha256: str
    size: int | None = None
    yanked: bool = False


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project on PyPI: every file that it has, and all versions, normalised, of which it has files."""

    files: tuple[PublishedFile, ...]

    def of(self, version: str) -> tuple[PublishedFile, ...]:
        """Return the files of one version by their names, however it is written."""
        return tuple(sorted((file for file in self.files if version_of(file.name) == Version(version)), key=lambda file: file.name))

    @property
    def versions(self) -> frozenset[Version]:
        """Return all versions of which there are files."""
        return frozenset(version for file in self.files if (version := version_of(file.name)) is not None)


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Who may do what with a project: the accounts that own it, and the organisation it belongs to, empty where there is none."""

    owners: frozenset[str]
    organization: str = ""

    def has(self, account: str) -> bool:
        """Tell whether an account, or an organisation of that name, owns the project."""
        return account.casefold() in {name.casefold() for name in (*self.owners, self.organization)}


@dataclass(frozen=True, kw_only=True)
class _Hashes:
    sha256: Annotated[str, Field(pattern=_SHA256)]


@dataclass(frozen=True, kw_only=True)
class _File:
    filename: Annotated[str, Field(min_length=1, max_length=300)]
    hashes: _Hashes
    size: Annotated[int, Field(ge=0)] | None = None
    yanked: bool | str = False


@dataclass(frozen=True, kw_only=True)
class _Index:
    files: Annotated[tuple[_File, ...], FailFast()]


@dataclass(frozen=True, kw_only=True)
class _Role:
    role: str
    user: str


@dataclass(frozen=True, kw_only=True)
class _Roles:
    roles: tuple[_Role, ...] = ()
    organization: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Release:
    ownership: _Roles = field(default_factory=_Roles)


_PROJECT: Final = TypeAdapter(_Index)
_RELEASE: Final = TypeAdapter(_Release)


class PyPI:
    """The public reading side of PyPI, without credentials."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, timeout: float = 30.0) -> None:
        """Keep where to read, such as https://pypi.org; ``timeout`` in seconds."""
        self._reader = Reader(base_url=base_url, session=session, timeout=timeout, largest=_LARGEST)

    async def project(self, name: str) -> Project | None:
        """Return a project with all of its files, or None where PyPI has none of that name; raise Unavailable.

        The answer may be some minutes old, for it comes from caches: https://docs.pypi.org/api/index-api/.
        """
        found = await self._reader.get(_PROJECT, f"simple/{canonicalize_name(name, validate=True)}/", accept=_INDEX)
        if found is None:
            return None
        files = (
            # A reason for yanking is a text, and an empty one counts as well: https://peps.python.org/pep-0592/.
            PublishedFile(name=file.filename, sha256=file.hashes.sha256, size=file.size, yanked=file.yanked is not False)
            for file in found.files
        )
        return Project(files=tuple(files))

    async def ownership(self, name: str) -> Ownership | None:
        """Return who owns a project, or None where PyPI has none of that name, or does not tell; raise Unavailable.

        https://docs.pypi.org/api/json/#get-a-project
        """
        found = await self._reader.get(_RELEASE, f"pypi/{canonicalize_name(name, validate=True)}/json")
        told = found.ownership if found else None
        if told is None or not (told.roles or told.organization):
            return None
        owners = frozenset(role.user for role in told.roles if role.role.casefold() == "owner")
        return Ownership(owners=owners, organization=told.organization or "")


def version_of(filename: str) -> Version | None:
    """Return the version that the name of a wheel or of a source archive tells, or None for a name of another form.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention
    """
    try:
        return parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
