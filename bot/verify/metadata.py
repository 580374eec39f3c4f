"""Read from a file what python.org states of the files of a release, without asking anybody.

Three forms: a page of the list ``release_file`` of the first API (``{"meta": …, "objects": […]}``), the bare list of the second, and that
of https://github.com/woodruffw/cpython-release-tracker, which has the Sigstore bundles in it but no addresses of what vouches for a file.
The fields are those of https://github.com/python/pythondotorg/blob/main/apps/downloads/models.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, FailFast, Field, Strict, TypeAdapter, ValidationError

from bot.errors import UserError
from bot.services.answers import one_line
from bot.services.python_org import ReleaseFile

Shape = TypeVar("Shape")

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a metadata file that are still read; the longest known has a twenty-fifth of it."""

MOST: Final = 1000
"""Files of one release that are still looked at."""


class MetadataUnusable(UserError):
    """A metadata file cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What is stated of the files of a release.

    ``bundles`` are those Sigstore bundles that are stated themselves, by the address of their file. ``companions`` tells whether the
    addresses of what vouches for a file are stated, so that a missing one means something.
    """

    files: tuple[ReleaseFile, ...]
    bundles: Mapping[str, bytes] = field(default_factory=dict)
    companions: bool


_Text = Annotated[str, Strict(), Field(max_length=2000), BeforeValidator(lambda value: "" if value is None else value)]
_Count = Annotated[int, Strict(), Field(ge=0, lt=1 << 63)]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A file, in either API; what only tells where it is shown is passed over."""

    url: _Text
    filesize: _Count
    release: _Text
    name: _Text = ""
    slug: _Text = ""
    md5_sum: _Text = ""
    sha256_sum: _Text = ""
    is_source: bool = False
    download_button: bool = False
    gpg_signature_file: _Text = ""
    sigstore_bundle_file: _Text = ""
    sigstore_signature_file: _Text = ""
    sigstore_cert_file: _Text = ""
    sbom_spdx2_file: _Text = ""


@dataclass(frozen=True, kw_only=True)
class _Meta:
    offset: _Count
    total_count: _Count


@dataclass(frozen=True, kw_only=True)
class _Page:
    meta: _Meta
    objects: Annotated[tuple[_Row, ...], FailFast()]


@dataclass(frozen=True, kw_only=True)
class _Tracked:
    """A file as the tracker noted it down."""

    url: _Text
    filesize: _Count
    slug: _Text = ""
    md5: _Text = ""
    sha256: _Text = ""
    sigstore: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """The tracker's own computation beside ``raw`` is not read: python.org did not state it."""

    raw: _Tracked


def read_metadata(path: Path) -> Stated:
    """Read a metadata file of any of the three forms; raise MetadataUnusable with the reason."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise MetadataUnusable(f"{path} cannot be read ({error.strerror}); give a file with what python.org states.") from None
    if len(content) > LARGEST:
        raise MetadataUnusable(f"{path} is longer than {LARGEST} bytes, so it is no metadata of one release.")
    return stated(content, what=str(path))


def stated(content: bytes, *, what: str) -> Stated:
    """Read metadata of any of the three forms; ``what`` is how errors call it."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise MetadataUnusable(f"{what} is not JSON; give what the API of python.org answers about release files.") from None
    if isinstance(document, list) and document and all(isinstance(row, dict) and "raw" in row for row in document):
        return _of_tracker(_parsed(_tracked(), document, what), what)
    if isinstance(document, dict):
        page = _parsed(_paged(), document, what)
        if page.meta.offset or page.meta.total_count != len(page.objects):
            raise MetadataUnusable(
                f"{what} is one page of several ({len(page.objects)} of {page.meta.total_count} files); ask the API for all with limit=0."
            )
        return _of_api(page.objects, what)
    return _of_api(_parsed(_bare(), document, what), what)


def _of_tracker(entries: tuple[_Entry, ...], what: str) -> Stated:
    rows = [entry.raw for entry in entries]
    files = tuple(
        ReleaseFile(id=0, name="", slug=row.slug, os="", url=row.url, size=row.filesize, md5=_hash(row.md5), sha256=_hash(row.sha256))
        for row in rows
    )
    bundles = {row.url: json.dumps(row.sigstore).encode() for row in rows if row.sigstore}
    return Stated(files=_bounded(files, what), bundles=bundles, companions=False)


def _of_api(rows: tuple[_Row, ...], what: str) -> Stated:
    if len({row.release for row in rows}) > 1:
        raise MetadataUnusable(f"{what} tells of the files of several releases; ask the API for those of one with release=NUMBER.")
    return Stated(files=_bounded(tuple(_file(row) for row in rows), what), companions=True)


def _file(row: _Row) -> ReleaseFile:
    """Return a file; its system is a number here, whose meaning only the site can tell."""
    return ReleaseFile(
        id=0,
        name=row.name,
        slug=row.slug,
        os="",
        url=row.url,
        size=row.filesize,
        md5=_hash(row.md5_sum),
        sha256=_hash(row.sha256_sum),
        is_source=row.is_source,
        download_button=row.download_button,
        gpg_signature=row.gpg_signature_file,
        sigstore_bundle=row.sigstore_bundle_file,
        sigstore_signature=row.sigstore_signature_file,
        sigstore_certificate=row.sigstore_cert_file,
        sbom=row.sbom_spdx2_file,
    )


def _hash(text: str) -> str:
    return text.strip().lower()


def _bounded(files: tuple[ReleaseFile, ...], what: str) -> tuple[ReleaseFile, ...]:
    if not files:
        raise MetadataUnusable(f"{what} names no file at all; give the metadata of a release that has files.")
    if len(files) > MOST:
        raise MetadataUnusable(f"{what} names {len(files)} files; no release has more than {MOST}.")
    return files


def _parsed(adapter: TypeAdapter[Shape], document: object, what: str) -> Shape:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise MetadataUnusable(
            f"{what} is in none of the known forms (at {one_line(place, 100)}: {one_line(first['msg'], 100)}); "
            "give what the API of python.org answers about release files."
        ) from None


@cache
def _paged() -> TypeAdapter[_Page]:
    return TypeAdapter(_Page)


@cache
def _bare() -> TypeAdapter[tuple[_Row, ...]]:
    return TypeAdapter(Annotated[tuple[_Row, ...], FailFast()])


@cache
def _tracked() -> TypeAdapter[tuple[_Entry, ...]]:
    return TypeAdapter(Annotated[tuple[_Entry, ...], FailFast()])
