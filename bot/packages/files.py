"""Read the files of a package that a run built, and see that they are what they say: nothing else may be let onto PyPI."""

import asyncio
import gzip
import hashlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from email.parser import BytesHeaderParser
from typing import Final

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion
from packaging.version import Version as PackageVersion

from bot.packages.rules import Artifact
from bot.profile.package import PackagePipeline
from bot.release.facts import BuiltFile
from bot.release.version import Version
from bot.services.answers import one_line
from bot.services.archive import ArchiveBounds, HostileArchive, read_archive
from bot.services.azure_devops.shapes import AzureRunId
from bot.tools import Tools

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of all files of a package; PyPI takes a hundred megabytes of each: https://docs.pypi.org/project-management/storage-limits/."""

_BOUNDS: Final = ArchiveBounds(files=50_000, unpacked=2 * 1024**3)
_METADATA: Final = 1024 * 1024
"""Bytes of the metadata, which hold the whole readme."""

_KINDS: Final = (".whl", ".tar.gz", ".zip")
"""What is uploaded; whatever else lies beside it is not."""

_UNREADABLE: Final = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError)


class NotAsPromised(Exception):
    """A file is not what its name says; the text is a whole sentence."""


async def read(run: AzureRunId, artifact: Artifact, pipeline: PackagePipeline, tools: Tools) -> Mapping[str, bytes]:
    """Return the files of one package that a run built, by their names; raise AzureRefused and Unavailable."""
    return await tools.azure.artifact_files(run, pipeline.artifact, artifact.name, endings=_KINDS, largest=LARGEST)


async def hashed(files: Mapping[str, bytes]) -> tuple[BuiltFile, ...]:
    """Return the hash and the size of every file."""
    return await asyncio.to_thread(lambda: tuple(_hashed(name, content) for name, content in sorted(files.items())))


def _hashed(name: str, content: bytes) -> BuiltFile:
    return BuiltFile(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


async def problems(files: Mapping[str, bytes], version: Version) -> tuple[str, ...]:
    """Return what is wrong with the files of a package, in whole sentences; none where they can be released."""
    return await asyncio.to_thread(lambda: tuple(_problems(files, version)))


def _problems(files: Mapping[str, bytes], version: Version) -> Iterator[str]:
    if not any(name.endswith(".whl") for name in files):
        yield "There is no wheel."
    sources = sorted(name for name in files if not name.endswith(".whl"))
    if len(sources) != 1:
        yield f"There has to be one source archive, and there {'are ' + ', '.join(sources) if sources else 'is none'}."
    for name, content in sorted(files.items()):
        try:
            _check_name(name, version)
            _check_metadata(name, _metadata(name, content), version)
        except NotAsPromised as problem:
            yield str(problem)


def _check_name(name: str, version: Version) -> None:
    try:
        project, number = parse_wheel_filename(name)[:2] if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        raise NotAsPromised(f"{one_line(name)} is not named as files on PyPI are.") from None
    if (project, number) != (canonicalize_name(version.package), PackageVersion(version.number)):
        raise NotAsPromised(f"{one_line(name)} is of {project} {number}, not of {version.package} {version.number}.")


def _check_metadata(name: str, metadata: bytes, version: Version) -> None:
    """Compare the name and the version that stand inside: https://packaging.python.org/en/latest/specifications/core-metadata/."""
    head = BytesHeaderParser().parsebytes(metadata)
    # What stands twice is read in one way here, and perhaps in the other one elsewhere.
    project, number = (" and ".join(map(str, head.get_all(name, []))) for name in ("Name", "Version"))
    try:
        same = PackageVersion(number) == PackageVersion(version.number)
    except InvalidVersion:
        same = False
    if canonicalize_name(project) != canonicalize_name(version.package) or not same:
        inside = one_line(f"{project} {number}".strip()) or "nothing"
        raise NotAsPromised(f"{one_line(name)} says inside that it is {inside}, not {version.package} {version.number}.")


def _metadata(name: str, content: bytes) -> bytes:
    stem = name.removesuffix(".tar.gz").removesuffix(".zip")
    inside = "/".join([f"{'-'.join(name.split('-')[:2])}.dist-info", "METADATA"]) if name.endswith(".whl") else f"{stem}/PKG-INFO"
    found = _from_tar(name, content, inside) if name.endswith(".tar.gz") else _from_zip(name, content, inside)
    if found is None:
        raise NotAsPromised(f"{one_line(name)} holds no {one_line(inside)}, in which it says what it is.")
    return found


def _from_zip(name: str, content: bytes, inside: str) -> bytes | None:
    try:
        files = read_archive(io.BytesIO(content), _BOUNDS, keep=[inside], what=one_line(name))
    except HostileArchive as hostile:
        raise NotAsPromised(str(hostile)) from None
    return files[inside].content if inside in files else None


def _from_tar(name: str, content: bytes, inside: str) -> bytes | None:
    unpacked, found = 0, []
    try:
        with gzip.open(io.BytesIO(content)) as stream, tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive:
            for place, member in enumerate(archive):
                unpacked += member.size
                if unpacked > _BOUNDS.unpacked or place > _BOUNDS.files:
                    raise NotAsPromised(f"{one_line(name)} holds more than any package does, so it was not read to its end.")
                if posixpath.normpath(member.name) == inside:
                    opened = archive.extractfile(member) if member.isreg() and member.size <= _METADATA else None
                    found.append(opened.read() if opened else b"")
    except _UNREADABLE as error:
        raise NotAsPromised(f"{one_line(name)} is no sound archive ({one_line(str(error), 100) or type(error).__name__}).") from None
    if len(found) > 1:
        raise NotAsPromised(f"{one_line(name)} holds {one_line(inside)} twice, and nobody can tell which one counts.")
    return next(iter(found), None)


class _Bounded(io.RawIOBase):
    """What is inside a packed archive; no more of it is read at once than an honest one takes, for its names may be as long as it likes."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        """Read from this stream."""
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raise ValueError for too many at once."""
        if not 0 <= size <= 2 * _METADATA:
            message = "it has an entry that is too long"
            raise ValueError(message)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place, by reading what lies between."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._stream.tell()
