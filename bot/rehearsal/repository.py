"""A bare git repository on the rehearsal's disk, worked on with git's plumbing: no work tree is ever checked out."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

_TIME_OUT: Final = 120.0
"""Seconds after which a git command is given up; the slowest one, a push of five thousand files, takes a few."""


class GitFailed(Exception):
    """A git command ended with an error; ``words`` is what git said."""

    def __init__(self, command: str, code: int, words: str) -> None:
        """Keep the answer."""
        super().__init__(f"git {command} ended with {code}: {words.strip()}")
        self.words = words


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A name and an address as git writes them."""

    name: str
    email: str

    def signed(self, when: datetime) -> str:
        """Give git's line ``Name <address> seconds zone`` (https://git-scm.com/docs/git-fast-import#Documentation/git-fast-import.txt-author)."""
        return f"{self.name} <{self.email}> {seconds(when)}"

    def environment(self, when: datetime) -> dict[str, str]:
        """Give the variables that make git use this identity as author and committer."""
        return {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", self.name), ("EMAIL", self.email), ("DATE", seconds(when)))
        }


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of a tree: ``mode`` in octal as git prints it, ``id`` of the blob."""

    mode: str
    id: str


def seconds(when: datetime) -> str:
    """Give git's raw date format with the zone of ``when``."""
    return f"{int(when.timestamp())} {when:%z}"


def git_environment(home: Path) -> dict[str, str]:
    """Give the environment in which nothing of the person's own git configuration counts."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ADVICE": "0",
    }


class LocalRepository:
    """A bare repository; all methods block, so that asynchronous callers hand them to a thread."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None) -> None:
        """Use the repository at ``path``, with additional variables for every command."""
        self.path = path
        self.environment = {**git_environment(path), **(environment or {})}

    @classmethod
    def create(cls, path: Path, environment: Mapping[str, str] | None = None) -> "LocalRepository":
        """Make an empty bare repository with main as its default branch; an existing one is used as it is."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path, environment)
        if not (path / "HEAD").exists():
            repository.run("init", "--quiet", "--bare", "--initial-branch=main", ".")
        return repository

    def attempt(
        self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git and give whatever came of it."""
        return subprocess.run(  # noqa: S603 - the program is fixed and no shell is involved
            ["git", *arguments],  # noqa: S607 - whichever git the person has
            cwd=self.path,
            env={**self.environment, **(environment or {})},
            input=feed,
            capture_output=True,
            timeout=_TIME_OUT,
            check=False,
        )

    def run(self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run git and give its output; raise GitFailed when it ends with an error."""
        done = self.attempt(*arguments, feed=feed, environment=environment)
        if done.returncode:
            raise GitFailed(arguments[0], done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout

    def text(self, *arguments: str, feed: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
        """Run git and give its output as text without the line end."""
        return self.run(*arguments, feed=feed, environment=environment).decode().strip()

    def resolve(self, name: str) -> str:
        """Give the id that a name stands for; raise GitFailed when there is none."""
        return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", name)

    def refs(self, *patterns: str) -> dict[str, str]:
        """Give the refs that match, with the id of the object itself: a tag's, not its commit's."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", *patterns).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def entries(self, commit: str, *paths: str) -> dict[str, Entry]:
        """Give every file of a commit, or those under the given paths."""
        listing = self.run("ls-tree", "-r", "-z", commit, "--", *paths).decode(errors="surrogateescape")
        entries = {}
        for line in filter(None, listing.split("\0")):
            facts, path = line.split("\t", 1)
            mode, _, object_id = facts.split(" ")
            entries[path] = Entry(mode=mode, id=object_id)
        return entries

    def read(self, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Give the contents of those of the given files that exist."""
        present = {path: entry.id for path, entry in self.entries(commit, *paths).items() if path in set(paths)} if paths else {}
        stream = self.run("cat-file", "--batch", feed="".join(f"{object_id}\n" for object_id in present.values()).encode())
        contents = {}
        position = 0
        for path in present:
            header_end = stream.index(b"\n", position)
            size = int(stream[position:header_end].split(b" ")[2])
            contents[path] = stream[header_end + 1 : header_end + 1 + size]
            position = header_end + size + 2
        return contents

    def files_with(self, commit: str, pattern: str, files: str) -> list[str]:
        """Give the files matching the glob ``files`` that have a line matching the extended regular expression."""
        done = self.attempt("grep", "-z", "--full-name", "-l", "-E", "-e", pattern, commit, "--", files)
        if done.returncode > 1:
            raise GitFailed("grep", done.returncode, done.stderr.decode(errors="replace"))
        return [name.split(":", 1)[1] for name in done.stdout.decode().split("\0") if name]
