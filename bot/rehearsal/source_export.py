"""Make the source archives of a tag, as ``release.py --export`` of https://github.com/python/release-tools makes them of a checkout.

The rules: files that belong to the repository and not to a release are left out, Misc/NEWS is made of Misc/NEWS.d, lines end as the tree's
.gitattributes say, everything belongs to root, and nothing but the bytes of the tag decides the bytes of the archives.
"""

import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.versions import PythonVersion

ATTRIBUTES: Final = ".gitattributes"
NEWS: Final = "Misc/NEWS"

_LEFT_OUT: Final = (ATTRIBUTES, ".gitignore")
_FOLDERS_LEFT_OUT: Final = (".github/", ".azure-pipelines/", "Misc/NEWS.d/")
_EXECUTABLE: Final = "100755"
_QUICK: Final = 1
"""How hard to compress: what a rehearsal packs is thrown away within seconds."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The two archives of one tag: the same tar, packed twice."""

    tgz: bytes
    tar_xz: bytes


def export(repository: Path, commit: str, version: PythonVersion) -> Sources:
    """Pack a commit of the repository at a path; it blocks for as long as reading and packing every file takes."""
    source = LocalRepository(repository)
    when = int(source.text("show", "--no-patch", "--format=%ct", commit))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, mode, content in _files(source, commit, version):
            member = tarfile.TarInfo(f"Python-{version}/{path}")
            member.size, member.mode, member.mtime = len(content), mode, when
            member.uname = member.gname = "root"
            archive.addfile(member, io.BytesIO(content))
    tar = plain.getvalue()
    return Sources(tgz=gzip.compress(tar, _QUICK, mtime=0), tar_xz=lzma.compress(tar, preset=_QUICK))


def _files(source: LocalRepository, commit: str, version: PythonVersion) -> Iterator[tuple[str, int, bytes]]:
    entries = source.entries(commit)
    kept = [path for path in entries if path not in _LEFT_OUT and not path.startswith(_FOLDERS_LEFT_OUT)]
    news = sorted(path for path in entries if path.startswith("Misc/NEWS.d/") and path.count("/") == 2 and path.endswith(".rst"))  # noqa: PLR2004 - the files of whole releases lie there, single fragments deeper
    contents = source.read(commit, [*kept, *news, *([ATTRIBUTES] if ATTRIBUTES in entries else [])])
    windows = _with_crlf(contents.get(ATTRIBUTES, b""))
    made: Mapping[str, tuple[int, bytes]] = {
        **{path: (0o755 if entries[path].mode == _EXECUTABLE else 0o644, contents[path]) for path in kept},
        **({NEWS: (0o644, _news(version, [contents[path] for path in news]))} if news and NEWS not in entries else {}),
    }
    for path in sorted(made):
        mode, content = made[path]
        crlf = any(fnmatchcase(path.rpartition("/")[2], pattern) or path == pattern for pattern in windows)
        yield path, mode, content.replace(b"\n", b"\r\n") if crlf else content


def _with_crlf(attributes: bytes) -> list[str]:
    rows = (line.split() for line in attributes.decode().splitlines() if line and not line.startswith("#"))
    return [pattern for pattern, *marks in rows if "eol=crlf" in marks]


def _news(version: PythonVersion, parts: list[bytes]) -> bytes:
    return b"\n".join([f"Python News\n\nUp to Python {version}.\n".encode(), *reversed(parts)])
