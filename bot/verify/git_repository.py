"""Read raw objects out of somebody's repository: nothing in it runs, nothing is written, checked out or fetched, and no id is believed.

``git cat-file`` with an explicit ``--git-dir`` starts no hook and no filter; the variables below keep it from following a partial clone to
its server, replaced objects and settings of the machine: https://git-scm.com/docs/git#_environment_variables.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from bot.errors import Unavailable
from bot.verify.git_objects import Revision, is_id, object_id
from bot.verify.programs import ProgramMissing
from bot.verify.result import NotProven, Unusable

TIMEOUT: Final = 30.0
"""Seconds for each call of git, unless told otherwise."""

_MOST_BYTES: Final = 1 << 26
_PIECE: Final = 1 << 18
_TAG_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ATTR_NOSYSTEM": "1",
}


@dataclass(frozen=True, kw_only=True)
class _Object:
    """A raw object out of a repository."""

    object_id: str
    kind: str
    content: bytes


class Repository:
    """A repository on this machine, with a working tree or bare."""

    def __init__(self, path: Path, *, timeout: float = TIMEOUT) -> None:
        """Look where its objects are; raise Unusable when it is no repository. ``timeout`` is in seconds for each call of git."""
        inner = path / ".git"
        self._path = path
        self._git_dir = (inner if inner.exists() else path).absolute()
        self._timeout = timeout
        if not inner.is_file() and not (self._git_dir / "objects").is_dir():
            raise Unusable(f"{path} is not a git repository; give the folder of a clone.")

    def revision(self, tag: str) -> Revision:
        """Return a tag with its commit and tree; raise Unusable when there is no such tag, NotProven when it is not one of a commit."""
        raw, commit = self.tag(tag)
        return Revision.of(name=tag, commit=commit, tag=raw)

    def tag(self, name: str) -> tuple[bytes | None, bytes]:
        """Return the raw objects of a tag and its commit; the tag's is None when it is lightweight."""
        if not _TAG_NAME.fullmatch(name):
            raise Unusable(f"{name[:60]!r} is not the name of a release's tag; give one such as v3.14.4.")
        found = self._read([f"refs/tags/{name}"])[0]
        if found is None:
            raise Unusable(f"There is no tag {name} in {self._path}; fetch it with: git fetch --tags.")
        if found.kind == "commit":
            return None, found.content
        target = re.match(rb"object ([0-9a-f]{40})\ntype commit\n", found.content)
        if found.kind != "tag" or not target:
            raise NotProven(f"The tag {name} in {self._path} is not on a commit, so it is not a release's.")
        return found.content, self.objects({target[1].decode()}, "commit")[target[1].decode()]

    def objects(self, ids: Collection[str], kind: str) -> dict[str, bytes]:
        """Return raw objects by their ids, which are recomputed; raise NotProven for one that is missing, altered or of another kind."""
        wanted = sorted(ids)
        found: dict[str, bytes] = {}
        for one, read in zip(wanted, self._read(wanted) if wanted else [], strict=True):
            if read is None or read.kind != kind:
                raise NotProven(f"The {kind} {one} is missing from {self._path}; fetch the whole history of the tag and try again.")
            if read.object_id != one:
                raise NotProven(f"The content of {kind} {one} belongs to {read.object_id}; {self._path} is damaged, so use another clone.")
            found[one] = read.content
        return found

    def _read(self, names: list[str]) -> list[_Object | None]:
        """Return what git finds under names, with recomputed ids; None for what is missing."""
        return list(_parsed(self._run("\n".join([*names, ""]).encode()), len(names)))

    def _run(self, given: bytes) -> bytes:
        """Run ``git cat-file`` within bounds; raise Unavailable when the time is over."""
        command = ("git", f"--git-dir={self._git_dir}", "-c", "core.pager=cat", "cat-file", "--batch", "--buffer")
        environment = {"PATH": os.environ.get("PATH", os.defpath), **_ENVIRONMENT}
        with tempfile.TemporaryDirectory(prefix="git-") as home, tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as complaint:
            names.write(given)
            names.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - no shell; the program is named by us, what others named goes in by the file
                    command,
                    stdin=names,
                    stdout=subprocess.PIPE,
                    stderr=complaint,
                    cwd=home,
                    env=environment | {"HOME": home},
                    start_new_session=True,
                )
            except (FileNotFoundError, PermissionError):
                raise ProgramMissing("git could not be started; install it (package git).") from None
            with process:
                output = self._bounded(process)
            if process.returncode:
                complaint.seek(0)
                said = complaint.read(2000).decode(errors="replace").strip()
                raise Unusable(f"git cannot read {self._path}; give the folder of a whole clone.", said)
        return output

    def _bounded(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return the output of a process that may neither last nor say too long."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(self._timeout, stop)
        timer.start()
        try:
            output = _read_all(cast("IO[bytes]", process.stdout), self._path)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        if late.is_set():
            raise Unavailable(f"git was not done after {self._timeout:g} seconds.")
        return output


def _read_all(stream: IO[bytes], path: Path) -> bytes:
    """Return all that git says, if it is not too much."""
    output = bytearray()
    while piece := stream.read(_PIECE):
        output += piece
        if len(output) > _MOST_BYTES:
            raise NotProven(f"What git reads from {path} exceeds {_MOST_BYTES:,} bytes at once; it is not CPython's tree.")
    return bytes(output)


def _parsed(output: bytes, count: int) -> Iterator[_Object | None]:
    """Read the output of ``git cat-file --batch``: https://git-scm.com/docs/git-cat-file#_batch_output."""
    position = 0
    for _ in range(count):
        end = output.find(b"\n", position)
        words = output[position:end].decode(errors="replace").split(" ") if end >= 0 else []
        if words and words[-1] in {"missing", "ambiguous"}:
            position = end + 1
            yield None
            continue
        if len(words) != len(("id", "kind", "size")) or not is_id(words[0]) or not words[2].isdecimal():
            raise Unusable("git's answer is not understood; repositories with SHA-256 ids are not supported.", " ".join(words)[:200])
        start, size = end + 1, int(words[2])
        content = output[start : start + size]
        position = start + size + 1
        yield _Object(object_id=object_id(words[1], content), kind=words[1], content=content)
