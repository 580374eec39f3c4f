"""Read a source tarball as a stream of files for git, refusing whatever would reach outside the tree."""

import bz2
import gzip
import lzma
import posixpath
import re
import tarfile
import zlib
from collections.abc import Collection, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from bot.rehearsal.fast_import import EXECUTABLE, PLAIN, SYMLINK, Write
from bot.rehearsal.release_edits import PATCHLEVEL
from bot.rehearsal.versions import PythonVersion, WrongUse

_MOST_BYTES: Final = 2 * 1024**3
"""Far more than any CPython source tree has (about 120 MB)."""

_PIECE: Final = 1024**2
"""Bytes read at once."""

_VERSION_STRING: Final = re.compile(r'^#define PY_VERSION\s+"([^"]+)"', re.MULTILINE)
_ANY_EXECUTABLE_BIT: Final = 0o111


class SourceTarball:
    """A tarball with one folder at its top; ``kept`` fills up with the wanted files while it is read."""

    def __init__(self, path: Path, keep: Collection[str]) -> None:
        """Prepare to read the tarball at ``path`` and to keep the contents of some files of it."""
        self._path = path
        self._wanted = {PATCHLEVEL, *keep}
        self._bytes = 0
        self.kept: dict[str, bytes] = {}

    def files(self) -> Iterator[Write]:
        """Give every file and inner link once, in the tarball's order; raise WrongUse for a bad tarball or a hostile member."""
        try:
            with _unpacked(self._path) as stream:
                yield from self._members(stream)
                while stream.read(_PIECE):
                    pass  # only at its very end does a compressed file prove that it arrived unharmed
        except FileNotFoundError:
            raise self._refused("there is no such file; give the path of a source tarball such as Python-3.13.5.tar.xz") from None
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
            raise self._refused(f"it is not a complete tar archive ({error}); download it again") from None
        if PATCHLEVEL not in self.kept:
            raise self._refused(f"it has no {PATCHLEVEL}, so it is not a CPython source tarball; choose another one")

    def version(self) -> PythonVersion:
        """Give the version that the tree says it is; only after all files were read."""
        match = _VERSION_STRING.search(self.kept[PATCHLEVEL].decode(errors="replace"))
        if match is None:
            raise self._refused(f"its {PATCHLEVEL} does not say which version it is; choose another tarball")
        return PythonVersion.parse(match[1])

    def _members(self, stream: BufferedIOBase) -> Iterator[Write]:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not member.isdir() and (write := self._file(archive, member)):
                    yield write

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Write | None:
        path = self._inner_path(member.name)
        if member.issym():
            return Write(path=path, content=self._link_target(path, member).encode(errors="surrogateescape"), mode=SYMLINK)
        if not member.isreg():
            kind = "a hard link" if member.islnk() else "a device or another special file"
            raise self._refused(f"its member {member.name!r} is {kind}, which no source tree needs; choose a tarball from a trusted place")
        self._bytes += member.size
        if self._bytes > _MOST_BYTES:
            raise self._refused("it unpacks to more than 2 GiB, which no Python source tree does; choose another one")
        reader = archive.extractfile(member)
        if reader is None:
            return None
        content = reader.read()
        if path in self._wanted:
            self.kept[path] = content
        return Write(path=path, content=content, mode=EXECUTABLE if member.mode & _ANY_EXECUTABLE_BIT else PLAIN)

    def _inner_path(self, name: str) -> str:
        parts = name.removeprefix("./").split("/")
        if name.startswith("/") or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
            raise self._refused(
                f"its member {name!r} would land outside the tree or inside git's own files; choose a tarball from a trusted place"
            )
        if len(parts) == 1:
            raise self._refused(f"its member {name!r} lies beside the one top folder that a source tarball has; choose another one")
        return "/".join(parts[1:])

    def _link_target(self, path: str, member: tarfile.TarInfo) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
        if member.linkname.startswith("/") or target == ".." or target.startswith("../"):
            raise self._refused(f"its link {member.name!r} points outside the tree; choose a tarball from a trusted place")
        return member.linkname

    def _refused(self, why: str) -> WrongUse:
        return WrongUse(f"{self._path.name} cannot be rehearsed: {why}.")


def _unpacked(path: Path) -> BufferedIOBase:
    """Open a file through the decompressor that its first bytes ask for."""
    with path.open("rb") as file:
        beginning = file.read(6)
    if beginning == b"\xfd7zXZ\0":
        return lzma.open(path)
    if beginning.startswith(b"\x1f\x8b"):
        return gzip.open(path)
    if beginning.startswith(b"BZh"):
        return bz2.open(path)
    return path.open("rb")
