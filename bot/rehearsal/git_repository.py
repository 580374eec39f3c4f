"""Drive bare git repositories with git itself: the storage behind the stand-in of GitHub."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ABSENT = "0" * 40
"""What git writes for "no object": https://git-scm.com/docs/githooks#update."""

SETTINGS = {
    "gc.auto": "0",
    "http.receivepack": "true",
    "receive.autogc": "false",
    "receive.fsckObjects": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowFilter": "true",
}
"""What github.com offers over HTTP: pushes, partial clones, fetches by exact id; and it checks objects as they arrive."""

HOOK = """#!/bin/sh
[ -n "$REHEARSAL_POLICY" ] || exit 0
exec "{python}" -IS "{program}" "$@"
"""


class GitError(Exception):
    """A git command failed; the text is what it said."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who makes a commit."""

    name: str
    email: str

    def environment(self) -> dict[str, str]:
        """Return the variables git reads, see https://git-scm.com/docs/git-commit-tree#_commit_information."""
        return {
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": self.name,
            "GIT_COMMITTER_EMAIL": self.email,
        }


def git_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no configuration but the repository's own counts."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def write_hook(hooks: Path) -> None:
    """Write the update hook that every repository of the world shares."""
    hooks.mkdir(parents=True, exist_ok=True)
    hook = hooks / "update"
    hook.write_text(HOOK.format(python=sys.executable, program=Path(__file__).with_name("update_hook.py")), encoding="utf-8")
    hook.chmod(0o755)


class BareRepository:
    """One bare repository with an object store of its own."""

    def __init__(self, directory: Path) -> None:
        """Refer to the repository in this directory."""
        self.directory = directory
        self.pushing = asyncio.Lock()
        """Held while refs change, so that what one push changed can be told."""
        self._kinds: dict[str, str] = {}
        """The kinds of objects seen so far; an object never becomes another one."""

    async def create(self, default_branch: str, hooks: Path, source: Path | None = None) -> None:
        """Make the repository, with the branches and tags of ``source`` where one is given."""
        self.directory.mkdir(parents=True)
        await self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        # Git reads its settings from text; a program for each of them would take longer than all the rest.
        with (self.directory / "config").open("a", encoding="utf-8") as config:
            config.writelines(_setting(name, value) for name, value in {**SETTINGS, "core.hooksPath": str(hooks)}.items())
        if source is not None:
            await self.git("fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    async def git(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run git in the repository and return what it printed; raise GitError with what it complained about."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=self.directory,
            env=git_environment(self.directory.parent) | dict(environment or {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complained = await process.communicate(stdin)
        if process.returncode != 0:
            raise GitError(f"git {' '.join(arguments)}: {complained.decode(errors='replace').strip()}")
        return printed

    async def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return every ref below ``prefix`` with the id of what it names: for an annotated tag, the tag object."""
        lines = (await self.git("for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", prefix)).decode().splitlines()
        rows = [line.split(" ", 2) for line in lines]
        self._kinds.update({object_id: kind for object_id, kind, _ in rows})
        return {name: object_id for object_id, _, name in rows}

    async def resolve(self, revision: str) -> str | None:
        """Return the id of the object that a revision names, or None."""
        try:
            return (await self.git("rev-parse", "--verify", "--quiet", "--end-of-options", revision)).decode().strip()
        except GitError:
            return None

    async def kind(self, object_id: str) -> str | None:
        """Return commit, tag, tree or blob; None where this repository has no such object."""
        if object_id not in self._kinds:
            try:
                self._kinds[object_id] = (await self.git("cat-file", "-t", object_id)).decode().strip()
            except GitError:
                return None
        return self._kinds[object_id]

    async def content(self, kind: str, object_id: str) -> bytes:
        """Return the raw content of an object."""
        return await self.git("cat-file", kind, object_id)

    async def listing(self, treeish: str) -> list[tuple[str, str, str]]:
        """Return kind, id and name of everything directly in a tree."""
        entries = (await self.git("ls-tree", "-z", treeish)).decode().split("\0")
        return [(left.split(" ")[1], left.split(" ")[2], name) for left, _, name in (entry.partition("\t") for entry in entries if entry)]

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether ``newer`` descends from ``older`` or is it."""
        try:
            await self.git("merge-base", "--is-ancestor", older, newer)
        except GitError:
            return False
        return True

    async def commits_between(self, old: str, new: str, limit: int = 20) -> list[str]:
        """List commits new in ``new``, oldest first; ``old`` may be absent."""
        excluded = ["--not", "--branches"] if old == ABSENT else [f"^{old}"]
        listed = await self.git("rev-list", f"--max-count={limit}", "--reverse", new, *excluded)
        return listed.decode().split()

    async def commit(self, parent: str, files: Mapping[str, bytes | None], identity: Identity, message: str) -> str:
        """Write a commit on top of ``parent``; a file whose content is None is removed."""
        async with self._index() as environment:
            await self.git("read-tree", parent, environment=environment)
            lines = [await self._index_line(path, content) for path, content in files.items()]
            await self.git("update-index", "-z", "--index-info", stdin=b"".join(lines), environment=environment)
            tree = (await self.git("write-tree", environment=environment)).decode().strip()
        written = await self.git("commit-tree", tree, "-p", parent, stdin=message.encode(), environment=identity.environment())
        return written.decode().strip()

    async def _index_line(self, path: str, content: bytes | None) -> bytes:
        if content is None:
            return f"0 {ABSENT}\t{path}\0".encode()
        blob = (await self.git("hash-object", "-w", "--stdin", stdin=content)).decode().strip()
        return f"100644 {blob}\t{path}\0".encode()

    @asynccontextmanager
    async def _index(self) -> AsyncIterator[dict[str, str]]:
        with TemporaryDirectory(dir=self.directory) as directory:
            yield {"GIT_INDEX_FILE": str(Path(directory) / "index")}

    async def update_ref(self, ref: str, new: str, old: str) -> None:
        """Move a ref from ``old`` (all zeros: absent) to ``new`` (all zeros: delete); raise GitError where it is elsewhere."""
        if new == ABSENT:
            await self.git("update-ref", "-d", ref, old)
        else:
            await self.git("update-ref", ref, new, old)


def _setting(name: str, value: str) -> str:
    """Return a setting as a section of a configuration file: https://git-scm.com/docs/git-config#_syntax."""
    section, _, key = name.partition(".")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{section}]\n\t{key} = "{quoted}"\n'
