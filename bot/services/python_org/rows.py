"""The rows of the API as they travel, and how they become ours."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field, Strict

from bot.services.python_org.shapes import Release, ReleaseFile

Row = TypeVar("Row")

_Text = Annotated[str, Strict()]
_Flag = Annotated[bool, Strict()]
_Number = Annotated[int, Strict()]
_Count = Annotated[int, Strict(), Field(ge=0)]
_Uri = Annotated[str, Strict(), Field(pattern="^/api/v1/downloads/[a-z_]+/[0-9]{1,18}/$")]

_ID: Final = re.compile("[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Meta:
    """Where a page lies in its list; ``next`` is a path."""

    limit: _Count
    offset: _Count
    total_count: _Count
    next: _Text | None


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """One page of a list."""

    meta: Meta
    objects: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class SystemRow:
    """An operating system."""

    resource_uri: _Uri
    slug: _Text


@dataclass(frozen=True, kw_only=True)
class ReleaseRow:
    """A release."""

    resource_uri: _Uri
    name: _Text
    slug: _Text
    version: _Number
    is_published: _Flag
    is_latest: _Flag
    pre_release: _Flag
    show_on_download_page: _Flag
    release_date: datetime
    release_notes_url: _Text


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """A file of a release."""

    resource_uri: _Uri
    name: _Text
    slug: _Text
    os: _Uri
    release: _Uri
    description: _Text
    is_source: _Flag
    url: _Text
    gpg_signature_file: _Text
    md5_sum: _Text
    sha256_sum: _Text
    filesize: _Number
    download_button: _Flag
    sigstore_signature_file: _Text
    sigstore_cert_file: _Text
    sigstore_bundle_file: _Text
    sbom_spdx2_file: _Text


def release_of(row: ReleaseRow) -> Release:
    """Return a release; its date is written without a time zone and means UTC."""
    date = row.release_date
    return Release(
        id=_id(row.resource_uri),
        name=row.name,
        slug=row.slug,
        version=row.version,
        is_published=row.is_published,
        is_latest=row.is_latest,
        pre_release=row.pre_release,
        show_on_download_page=row.show_on_download_page,
        released=date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC),
        release_notes_url=row.release_notes_url,
    )


def file_of(row: FileRow, system: str) -> ReleaseFile:
    """Return a file; ``system`` is the slug of its operating system."""
    return ReleaseFile(
        id=_id(row.resource_uri),
        name=row.name,
        slug=row.slug,
        os=system,
        url=row.url,
        size=row.filesize,
        md5=row.md5_sum.strip().lower(),
        sha256=row.sha256_sum.strip().lower(),
        is_source=row.is_source,
        download_button=row.download_button,
        description=row.description,
        gpg_signature=row.gpg_signature_file,
        sigstore_bundle=row.sigstore_bundle_file,
        sigstore_signature=row.sigstore_signature_file,
        sigstore_certificate=row.sigstore_cert_file,
        sbom=row.sbom_spdx2_file,
    )


def release_uri(release: Release) -> str:
    """Return how files name their release."""
    return f"/api/v1/downloads/release/{release.id}/"


def _id(uri: str) -> int:
    """Return the number at the end of a path whose form was checked; the number of the API's version stands before it."""
    return int(_ID.findall(uri)[-1])
