"""Merge two commits by plumbing alone: no work tree, no index, nothing that is named (https://git-scm.com/docs/git-merge-tree).

What this makes is what ``git merge`` makes of the same two commits with git's own settings.
"""

import re
from typing import Final

from bot.release.ids import CommitId, ObjectId
from bot.services.git.errors import GitError
from bot.services.git.model import Merged
from bot.services.git.scratch import Scratch

_ID: Final = re.compile(r"[0-9a-f]{40}")


class Merging:
    """Merges commits of the scratch repository within it."""

    def __init__(self, scratch: Scratch) -> None:
        """Remember where to work."""
        self._scratch = scratch

    async def merged(self, ours: CommitId, theirs: CommitId) -> Merged | None:
        """Return what merging one commit into another one gives; see ``Git.merged``."""
        bases = (await self._scratch.read("merge-base", "--all", ours, theirs, good=(0, 1))).output.split()
        if len(bases) != 1:
            # Several bases are merged with each other first, which takes files that nobody asked for.
            return None
        answer = await self._scratch.read(*("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"), ours, theirs, good=(0, 1))
        tree, *conflicts = answer.output.split(b"\0")[:-1]
        if not _ID.fullmatch(tree.decode(errors="replace")):
            raise GitError(f"git merge-tree answered {tree[:80]!r} where a tree is expected.")
        return Merged(tree=ObjectId(tree.decode()), conflicts=tuple(dict.fromkeys(map(_path, conflicts))))


def _path(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise GitError(f"The path {raw!r} is not valid UTF-8; such a file cannot be part of a release.") from None
