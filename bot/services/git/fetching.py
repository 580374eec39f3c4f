"""Bring objects by exact id, in few and large requests.

Commits come without their trees (``--filter=tree:0``), then all missing trees in one request, then all missing files in one. The other
way, git's own fetching of single objects when it misses one, would make thousands of requests for one comparison; it cannot happen here
because the repository does not know that it is partial: only the fetch itself is told so.
See https://git-scm.com/docs/partial-clone and https://git-scm.com/docs/git-fetch.
"""

from collections.abc import Collection, Iterable
from typing import Final

from bot.errors import Refused
from bot.release.ids import CommitId, ObjectId
from bot.services.git.errors import Damaged, TooLarge
from bot.services.git.model import Change, Range
from bot.services.git.objects import Objects
from bot.services.git.remote import REMOTE, Remote, explain
from bot.services.git.scratch import Scratch

SUBMODULE: Final = "160000"
_NO_HISTORY: Final = {"fetch.negotiationAlgorithm": "noop"}


class Fetching:
    """Fetches into the scratch repository."""

    def __init__(self, scratch: Scratch, objects: Objects) -> None:
        """Remember where to put things."""
        self._scratch = scratch
        self._objects = objects

    async def fetch(self, source: Remote, ids: Collection[ObjectId]) -> None:
        """Bring exact ids: commits with their history and their own trees, tags with what they point to, trees, files."""
        await self._bring(source, ids, filter_="tree:0", history=True)
        kinds = await self._objects.peel(ids)
        commits = [CommitId(id_) for id_, kind in kinds.items() if kind == "commit"]
        await self._keep(commits)
        await self._bring_trees(source, [*await self._objects.trees_of(commits), *(id_ for id_, kind in kinds.items() if kind == "tree")])

    async def fetch_range(self, source: Remote, base: CommitId, tip: CommitId) -> Range:
        """Bring both commits, the trees of all commits between and of their parents, and every file that any of them changes."""
        await self.fetch(source, [ObjectId(base), ObjectId(tip)])
        commits = await self._objects.commits_between(base, tip)
        parents = await self._objects.parents(commits)
        around = [*commits, *{parent for those in parents.values() for parent in those}]
        await self._bring_trees(source, await self._objects.trees_of(around))
        changes = await self._objects.diff(base, tip)
        every = list(changes)
        for commit in commits:
            every += await self._objects.diff(parents[commit][0] if parents[commit] else None, commit)
        await self._bring(source, files(every), filter_="blob:none", history=False)
        return Range(base=base, tip=tip, commits=tuple(commits), changes=tuple(changes))

    async def fetch_files(self, source: Remote, commit: CommitId, paths: Collection[str]) -> dict[str, bytes]:
        """Bring some files of a commit and return what they hold; leave out paths without a file."""
        await self.fetch(source, [ObjectId(commit)])
        entries = {path: await self._objects.entry(commit, path) for path in paths}
        ids = {path: entry[2] for path, entry in entries.items() if entry and entry[1] == "blob"}
        await self._bring(source, ids.values(), filter_="blob:none", history=False)
        contents = await self._objects.contents(ids.values())
        return {path: contents[id_][1] for path, id_ in ids.items()}

    async def _bring_trees(self, source: Remote, trees: Collection[ObjectId]) -> None:
        """Bring trees with all that is below them except the files."""
        await self._bring(source, trees, filter_="blob:none", history=False)
        if holes := await self._objects.missing_below(trees):
            await self._bring(source, holes, filter_="blob:none", history=False)

    async def _bring(self, source: Remote, ids: Iterable[ObjectId], *, filter_: str, history: bool) -> None:
        """Fetch those of the ids that are not here, in one request (after git's own greeting)."""
        missing = await self._objects.missing(ids)
        if not missing:
            return
        if len(missing) > self._scratch.limits.objects:
            raise TooLarge(
                f"{len(missing)} objects of {source.repository} would be fetched at once, "
                f"but only {self._scratch.limits.objects} are allowed."
            )
        answer = await self._scratch.talk(
            "fetch",
            *("--quiet", "--no-progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"),
            *("--refmap=", f"--filter={filter_}", "--stdin", REMOTE),
            configuration={
                **source.configuration,
                f"remote.{REMOTE}.promisor": "true",
                f"remote.{REMOTE}.partialCloneFilter": filter_,
                **({} if history else _NO_HISTORY),
            },
            secrets=source.secrets,
            given="".join(f"{id_}\n" for id_ in missing).encode(),
        )
        if answer.code:
            raise explain(answer, source.repository) or Damaged(f"Fetching from {source.repository} failed: {answer.last_word}.")
        if still := await self._objects.missing(missing):
            raise Refused(f"{source.repository} did not give the object {still[0]}; push it there first.", status=404)

    async def _keep(self, commits: Iterable[str]) -> None:
        """Name commits, so that the next fetch can tell the server what is here already."""
        named = self._objects.remembered.named
        unnamed = [commit for commit in commits if commit not in named]
        if unnamed:
            lines = "".join(f"update refs/kept/{commit} {commit}\n" for commit in unnamed)
            await self._scratch.read("update-ref", "--stdin", given=lines.encode())
            self._objects.remembered.named.update(dict.fromkeys(unnamed))


def files(changes: Iterable[Change]) -> list[ObjectId]:
    """Return the ids of all files on both sides of changes, each once; submodules are not files."""
    sides = ((id_, mode) for change in changes for id_, mode in ((change.old_id, change.old_mode), (change.new_id, change.new_mode)))
    return list(dict.fromkeys(id_ for id_, mode in sides if id_ and mode != SUBMODULE))
