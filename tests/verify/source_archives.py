"""Source archives and repositories, made anew for each test by tarfile and the real git."""

import gzip
import io
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TIME = 1775567600


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One member of a tar."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    uid: int = 0
    mtime: float = TIME
    pax: Mapping[str, str] | None = None


def folder(name: str, mode: int = 0o755) -> Entry:
    return Entry(name=name, mode=mode, kind=tarfile.DIRTYPE)


def entries(files: Mapping[str, bytes], *, top: str = "Python-3.14.4", executable: Iterable[str] = ()) -> list[Entry]:
    """Return what an archive of these files consists of, with their folders."""
    names = {f"{top}/{path}" for path in files}
    folders = {name[:place] for name in names for place, character in enumerate(name) if character == "/"}
    rows = [folder(name) for name in folders]
    rows += [Entry(name=f"{top}/{path}", content=content, mode=0o755 if path in executable else 0o644) for path, content in files.items()]
    return sorted(rows, key=lambda row: row.name)


def packed(rows: Iterable[Entry], *, kind: int = tarfile.GNU_FORMAT, pax: dict[str, str] | None = None) -> bytes:
    """Return an uncompressed tar."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind, pax_headers=pax or {}) as archive:
        for row in rows:
            info = tarfile.TarInfo(row.name)
            info.size, info.mode, info.type, info.linkname = len(row.content), row.mode, row.kind, row.target
            info.uid = info.gid = row.uid
            info.mtime = row.mtime
            info.pax_headers = dict(row.pax or {})
            archive.addfile(info, io.BytesIO(row.content))
    return made.getvalue()


def write(path: Path, tar: bytes) -> Path:
    """Compress a tar as its name says."""
    if path.suffix == ".tgz":
        path.write_bytes(gzip.compress(tar, 1, mtime=0))
    else:
        path.write_bytes(lzma.compress(tar, preset=0))
    return path


def archive_file(path: Path, rows: Iterable[Entry], *, kind: int = tarfile.GNU_FORMAT) -> Path:
    return write(path, packed(rows, kind=kind))


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A repository with one release in it."""

    path: Path

    @classmethod
    def fresh(cls, path: Path, files: Mapping[str, bytes], *, executable: Iterable[str] = (), tag: str = "v3.14.4") -> "Clone":
        """Make one with an annotated tag."""
        path.mkdir(parents=True)
        clone = cls(path=path)
        clone.git("init", "--quiet", "--template=", "--initial-branch=main")
        for name, content in files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            if name in executable:
                file.chmod(0o755)
        clone.git("add", "--all")
        clone.git("commit", "--quiet", "--message", f"Python {tag[1:]}")
        clone.git("tag", "--annotate", "--message", f"Python {tag[1:]}", tag)
        return clone

    def git(self, *arguments: str, given: bytes = b"") -> bytes:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{
                f"GIT_{who}_{what}": value
                for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "RM"), ("EMAIL", "rm@python.org"))
            },
            **{f"GIT_{who}_DATE": f"{TIME} +0000" for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(["git", *arguments], cwd=self.path, input=given, capture_output=True, check=False, env=environment)
        if done.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout

    def exported(self, tag: str = "v3.14.4") -> dict[str, bytes]:
        """Return the files that git itself exports."""
        with tarfile.open(fileobj=io.BytesIO(self.git("archive", "--format=tar", tag))) as archive:
            return {member.name: file.read() for member in archive if (file := archive.extractfile(member)) is not None}
