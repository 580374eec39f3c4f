"""Write commits by plumbing alone: no work tree, no shared index, the same id for the same wishes.

See https://git-scm.com/docs/git-update-index and https://git-scm.com/docs/git-hash-object.
"""

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.release.ids import CommitId, ObjectId, TagId
from bot.services.git.errors import GitError, ObjectMissing
from bot.services.git.model import Identity
from bot.services.git.objects import Objects
from bot.services.git.scratch import Scratch

PLAIN_FILE: Final = "100644"
_FILES: Final = frozenset({PLAIN_FILE, "100755"})
_NAME: Final = re.compile(r"[^<>\x00-\x1f\x7f]+")
_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_NOTHING: Final = f"0 {'0' * 40}"


class Writing:
    """Writes commits into the scratch repository."""

    def __init__(self, home: Path, scratch: Scratch, objects: Objects) -> None:
        """Remember where to write."""
        self._home = home
        self._scratch = scratch
        self._objects = objects

    async def commit(
        self,
        parents: Sequence[CommitId],
        start: ObjectId | CommitId,
        changes: Mapping[str, bytes | None],
        identity: Identity,
        date: datetime,
        message: str,
    ) -> CommitId:
        """Write a commit on its parents, with the files of ``start``, a tree or a commit, and with changes; see ``Git.write_commit``."""
        head = _header(identity, date)
        text = _message(message)
        entries = [await self._entry(start, _path(path), content) for path, content in sorted(changes.items())]
        tree = await self._tree(start, entries)
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {head}", f"committer {head}", "", text]
        return CommitId(await self._store("commit", "\n".join(lines).encode()))

    async def tag(self, target: CommitId, name: str, identity: Identity, date: datetime, message: str) -> TagId:
        """Write an annotated tag of a commit; see ``Git.write_tag``."""
        if not _TAG.fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
            raise GitError(f"{name!r} cannot be the name of a tag; give letters, digits, dots, hyphens and underscores.")
        lines = [f"object {target}", "type commit", f"tag {name}", f"tagger {_header(identity, date)}", "", _message(message)]
        return TagId(await self._store("tag", "\n".join(lines).encode()))

    async def restored(self, content: bytes) -> TagId:
        """Write the bytes of an annotated tag; see ``Git.restore_tag``."""
        return TagId(await self._store("tag", content))

    async def _entry(self, parent: str, path: str, content: bytes | None) -> str:
        """Store one file and return its line for the index."""
        old = await self._objects.entry(parent, path)
        if old and (old[1] != "blob" or old[0] not in _FILES):
            raise GitError(f"{path!r} is not a plain file in {parent}; only plain files are written.")
        if content is None:
            if not old:
                raise GitError(f"{path!r} does not exist in {parent}, so it cannot be removed.")
            return f"{_NOTHING}\t{path}"
        return f"{old[0] if old else PLAIN_FILE} {await self._store('blob', content)}\t{path}"

    async def _tree(self, parent: str, entries: list[str]) -> ObjectId:
        """Apply lines to the parent's tree and store the result; the files that stay need not be here."""
        index = self._home / f"index-{uuid.uuid4().hex}"
        try:
            await self._scratch.read("read-tree", parent, index=index)
            await self._apply(index, entries)
            answer = await self._scratch.read("write-tree", "--missing-ok", index=index)
        finally:
            await asyncio.shield(asyncio.to_thread(index.unlink, missing_ok=True))
        tree = ObjectId(answer.output.decode().strip())
        changed = {change.path for change in await self._objects.diff(parent, tree)}
        if others := sorted(changed - {entry.partition("\t")[2] for entry in entries}):
            raise GitError(f"These changes would also touch {', '.join(others)}; a file and a folder cannot have the same name.")
        return tree

    async def _apply(self, index: Path, entries: list[str]) -> None:
        """Change the index."""
        try:
            await self._scratch.read(
                "update-index", "-z", "--index-info", given="".join(f"{entry}\0" for entry in entries).encode(), index=index
            )
        except ObjectMissing as error:
            raise GitError(f"Git refuses these paths: {error}") from error

    async def _store(self, kind: str, content: bytes) -> ObjectId:
        """Store an object and return its id."""
        try:
            answer = await self._scratch.read("hash-object", "-t", kind, "-w", "--stdin", given=content)
        except ObjectMissing as error:
            raise GitError(f"A {kind} could not be written: {error}") from error
        return ObjectId(answer.output.decode().strip())


def _header(identity: Identity, date: datetime) -> str:
    """Return identity and date as they stand in a commit (https://git-scm.com/docs/git-commit-tree#_commit_information)."""
    if not _NAME.fullmatch(identity.name) or not _NAME.fullmatch(identity.email) or identity.name != identity.name.strip():
        raise GitError(
            f"{identity.name!r} <{identity.email!r}> cannot stand in a commit; give a name and an address without angle brackets."
        )
    offset = date.strftime("%z")
    if len(offset) != len("+hhmm"):
        raise GitError("The date of a commit or a tag needs its offset from UTC in whole minutes.")
    return f"{identity.name} <{identity.email}> {int(date.timestamp())} {offset}"


def _message(message: str) -> str:
    """Return the message with a line feed at its end."""
    if not message.strip() or "\0" in message:
        raise GitError("A commit and a tag need a message, and a message holds no NUL.")
    return message if message.endswith("\n") else f"{message}\n"


def _path(path: str) -> str:
    """Return the path; raise GitError for one that could lead out of the tree or into git's own files."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or not path.isprintable():
        raise GitError(f"{path!r} is not a path in a repository; give it relative to the top, with single slashes.")
    return path
