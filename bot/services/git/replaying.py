"""Make again what picking a commit onto another one gives, by plumbing alone: no work tree, no index, nothing that is named.

See https://git-scm.com/docs/git-merge-tree: three commits that are made for it hold the three trees of a three-way merge.
"""

import re
from typing import Final

from bot.release.ids import CommitId, ObjectId
from bot.services.git.objects import Objects
from bot.services.git.scratch import Scratch

_WHO: Final = "Replay <replay@invalid> 0 +0000"
_ID: Final = re.compile(r"[0-9a-f]{40}")


class Replaying:
    """Replays commits of the scratch repository within it."""

    def __init__(self, scratch: Scratch, objects: Objects) -> None:
        """Remember where to work."""
        self._scratch = scratch
        self._objects = objects

    async def tree(self, picked: CommitId, onto: CommitId) -> ObjectId | None:
        """Return the tree that picking a commit onto another one gives; None for a conflict, and for a root or a merge."""
        parents = (await self._objects.parents([picked]))[picked]
        if len(parents) != 1:
            return None
        base = await self._commit(parents[0])
        ours, theirs = await self._commit(onto, base), await self._commit(picked, base)
        answer = await self._scratch.read("merge-tree", "--write-tree", "--no-messages", ours, theirs, good=(0, 1))
        first = answer.output.decode(errors="replace").partition("\n")[0]
        return ObjectId(first) if answer.code == 0 and _ID.fullmatch(first) else None

    async def _commit(self, source: CommitId, *parents: str) -> str:
        """Store a commit with the tree of another one, so that the merge has the base that it is to have, and return its id."""
        [tree] = await self._objects.trees_of([source])
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {_WHO}", f"committer {_WHO}", "", "Replay\n"]
        answer = await self._scratch.read("hash-object", "-t", "commit", "-w", "--stdin", given="\n".join(lines).encode())
        return answer.output.decode().strip()
