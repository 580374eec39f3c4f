"""A small release: a branch upstream, and in a fork two commits more, tagged."""

from dataclasses import dataclass
from pathlib import Path

from bot.release.ids import CommitId, TagId
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer, annotated, commit, git

FILES: dict[str, bytes | None] = {
    "README.rst": b"This is Python\n",
    "Include/patchlevel.h": b'#define PY_VERSION "3.15.0a2+"\n',
    "Tools/run.sh": b"#!/bin/sh\n",
    "Misc/NEWS.d/next/1.rst": b"Something new\n",
}


@dataclass(frozen=True, kw_only=True)
class Story:
    upstream: Path
    fork: Path
    base: CommitId
    first: CommitId
    tip: CommitId
    tag: TagId


def prepare(server: GitServer, files: dict[str, bytes | None] | None = None) -> Story:
    upstream, fork = server.repository(UPSTREAM), server.repository(FORK)
    older = commit(upstream, {**(files or FILES), "gone-before.txt": b"once\n"})
    base = commit(upstream, {"gone-before.txt": None}, parent=older)
    git("fetch", "--quiet", str(upstream), "refs/heads/main:refs/heads/main", directory=fork)
    first = commit(
        fork, {"Include/patchlevel.h": b'#define PY_VERSION "3.15.0a3"\n', "gone-before.txt": b"once\n"}, parent=base, branch="release"
    )
    tip = commit(fork, {"Tools/run.sh": b"#!/bin/sh\nexit 0\n", "Misc/NEWS.d/next/1.rst": None}, parent=first, branch="release")
    tag = annotated(fork, "v3.15.0a3", tip, "Python 3.15.0a3")
    return Story(upstream=upstream, fork=fork, base=CommitId(base), first=CommitId(first), tip=CommitId(tip), tag=TagId(tag))
