"""The rows of python.org's database, and how its first API writes them.

Source: https://github.com/python/pythondotorg/blob/main/apps/downloads/models.py and ``api.py`` beside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from bot.rehearsal.moments import now

Shape = dict[str, object]

API = "/api/v1/downloads"
SITE = "https://www.python.org/"

COMPANIONS = {
    "gpg_signature_file": ".asc",
    "sigstore_signature_file": ".sig",
    "sigstore_cert_file": ".crt",
    "sigstore_bundle_file": ".sigstore",
    "sbom_spdx2_file": ".spdx.json",
}
"""The fields with the addresses of companions, and what these add to the address of the file."""


class Rejected(ValueError):
    """python.org does not take what somebody wanted to save."""


@dataclass(frozen=True, kw_only=True)
class System:
    """An operating system."""

    id: int
    name: str
    slug: str


SYSTEMS = (
    System(id=1, name="Windows", slug="windows"),
    System(id=2, name="macOS", slug="macos"),
    System(id=3, name="Source release", slug="source"),
    System(id=4, name="Android", slug="android"),
    System(id=5, name="iOS", slug="ios"),
)


@dataclass(kw_only=True)
class Release:
    """A release; ``version`` is its family."""

    id: int
    name: str
    slug: str
    version: int = 3
    is_published: bool = False
    is_latest: bool = False
    pre_release: bool = False
    show_on_download_page: bool = True
    release_date: datetime = field(default_factory=now)
    release_notes_url: str = ""


@dataclass(kw_only=True)
class ReleaseFile:
    """A file of a release."""

    id: int
    name: str
    slug: str
    os: System
    release: Release
    url: str
    description: str = ""
    is_source: bool = False
    md5_sum: str = ""
    sha256_sum: str = ""
    filesize: int = 0
    download_button: bool = False
    gpg_signature_file: str = ""
    sigstore_signature_file: str = ""
    sigstore_cert_file: str = ""
    sigstore_bundle_file: str = ""
    sbom_spdx2_file: str = ""


Row = System | Release | ReleaseFile


@dataclass
class Tables:
    """Every row there is, and the ids to come."""

    releases: dict[int, Release] = field(default_factory=dict)
    files: dict[int, ReleaseFile] = field(default_factory=dict)
    release_ids: Iterator[int] = field(default_factory=lambda: count(1))
    file_ids: Iterator[int] = field(default_factory=lambda: count(1))

    def named(self, name: str) -> Release:
        """Return the newest release of a name."""
        return max((release for release in self.releases.values() if release.name == name), key=lambda release: release.id)

    def at(self, url: str) -> ReleaseFile:
        """Return the file of an address."""
        return next(file for file in self.files.values() if file.url == url)

    def save_release(self, release: Release) -> None:
        """Save a release as the site does: its slug is its own, and one release of a family is the latest."""
        if any(other.slug == release.slug for other in self.releases.values() if other is not release):
            raise Rejected(f"there is a release with the slug {release.slug} already")
        self.releases[release.id] = release
        for other in self.releases.values():
            if release.is_latest and other is not release and other.version == release.version:
                other.is_latest = False

    def save_file(self, file: ReleaseFile) -> None:
        """Save a file as the site does."""
        others = [other for other in self.files.values() if other is not file]
        if any(other.url == file.url or other.slug == file.slug for other in others):
            raise Rejected(f"the address {file.url} or the slug {file.slug} is taken already")
        if file.download_button and any(other.download_button and (other.os, other.release) == (file.os, file.release) for other in others):
            raise Rejected(f"another file of {file.release.name} for {file.os.name} has the download button")
        if not file.url.startswith(SITE):
            raise Rejected(f"the address of a file has to begin with {SITE}")
        for name, suffix in COMPANIONS.items():
            if getattr(file, name) not in ("", file.url + suffix):
                raise Rejected(f"{name} has to be the address of the file and {suffix}")
        self.files[file.id] = file


def uri(row: Row) -> str:
    """Return the path of a row."""
    names = {System: "os", Release: "release", ReleaseFile: "release_file"}
    return f"{API}/{names[type(row)]}/{row.id}/"


def system_shape(system: System) -> Shape:
    """Write an operating system."""
    return {"name": system.name, "slug": system.slug, "resource_uri": uri(system)}


def release_shape(release: Release) -> Shape:
    """Write a release; its date is in UTC without saying so."""
    return {
        "name": release.name,
        "slug": release.slug,
        "version": release.version,
        "is_published": release.is_published,
        "is_latest": release.is_latest,
        "pre_release": release.pre_release,
        "show_on_download_page": release.show_on_download_page,
        "release_date": release.release_date.astimezone(UTC).replace(tzinfo=None).isoformat(),
        "release_notes_url": release.release_notes_url,
        "release_page": None,
        "resource_uri": uri(release),
    }


def file_shape(file: ReleaseFile) -> Shape:
    """Write a file."""
    return {
        **{name: value for name, value in vars(file).items() if name != "id"},
        "os": uri(file.os),
        "release": uri(file.release),
        "resource_uri": uri(file),
    }


def slug_of(name: str) -> str:
    """Return the slug that the site makes of a name: ``python-3150a3`` of ``Python 3.15.0a3``."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", name.lower()).strip())
