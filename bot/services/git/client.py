"""The one class that the rest of the program sees of git."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from bot.release.facts import PlannedRef
from bot.release.ids import CommitId, ObjectId, Ref, Repository, TagId
from bot.services.git.errors import Damaged, GitError, ObjectMissing
from bot.services.git.fetching import Fetching
from bot.services.git.merging import Merging
from bot.services.git.model import Change, Commit, Identity, Limits, Merged, PushReport, Range
from bot.services.git.names import matches, object_id, ref_pattern, server
from bot.services.git.objects import Objects, parse_commit
from bot.services.git.process import Runner
from bot.services.git.pushing import Pushing
from bot.services.git.remote import REMOTE, explain, remote
from bot.services.git.replaying import Replaying
from bot.services.git.scratch import Scratch
from bot.services.git.writing import Writing

_T = TypeVar("_T")
_USUAL: Final = Limits()


class Git:
    """Git for one project, with a scratch repository under ``home`` that may be thrown away at any time.

    ``server_url`` is such as ``https://github.com``; a repository is at ``SERVER_URL/OWNER/NAME.git``. ``timeout`` is in seconds and
    holds for each call of git. Tokens are passed to each method, kept nowhere and shown nowhere. Malformed names and ids raise GitError.
    """

    def __init__(self, home: Path, server_url: str, *, timeout: float = 600.0, limits: Limits = _USUAL, program: str = "git") -> None:
        """Remember how to work; nothing is touched before the first use."""
        self._server = server(server_url)
        home = home.absolute()
        self._scratch = Scratch(home, Runner(home, program=program, timeout=timeout), limits)
        self._objects = Objects(self._scratch)
        self._fetching = Fetching(self._scratch, self._objects)
        self._writing = Writing(home, self._scratch, self._objects)
        self._merging = Merging(self._scratch)
        self._replaying = Replaying(self._scratch, self._objects)
        self._pushing = Pushing(self._scratch, self._objects)
        self._changing = asyncio.Lock()

    async def refs(self, repository: Repository, *patterns: str, token: str | None = None) -> dict[Ref, ObjectId]:
        """Read branches and tags from the server: those that match, or all.

        A pattern is a full ref in which ``*`` stands for anything. A tag's id is that of its own object, not of its commit.
        Raises Refused and Unavailable.
        """
        wanted = tuple(ref_pattern(pattern) for pattern in patterns) or ("refs/heads/*", "refs/tags/*")
        spaces = {"--heads" if pattern.startswith("refs/heads/") else "--tags" for pattern in wanted}
        source = remote(self._server, repository, token)
        await self._ready()
        answer = await self._scratch.talk(
            *("ls-remote", "--quiet", "--refs", *sorted(spaces), "--", REMOTE), configuration=source.configuration, secrets=source.secrets
        )
        if answer.code:
            raise explain(answer, source.repository) or GitError(f"The refs of {source.repository} could not be read: {answer.last_word}.")
        rows = (line.split("\t", 1) for line in answer.output.decode(errors="replace").splitlines() if "\t" in line)
        return {Ref(name): object_id(id_) for id_, name in rows if matches(name, wanted)}

    async def fetch(self, repository: Repository, ids: Iterable[str], token: str | None = None) -> None:
        """Make sure that objects are here, whole ids only; what is here already costs no request.

        A commit comes with all its ancestors and its own trees but without files, a tag with the commit it points to, a file alone.
        Raises Refused where the repository has no such object or may not be read, Unavailable, and TooLarge.
        """
        wanted = [object_id(id_) for id_ in ids]
        source = remote(self._server, repository, token)
        await self._changed(lambda: self._fetching.fetch(source, wanted))

    async def fetch_range(self, repository: Repository, base: str, tip: str, token: str | None = None) -> Range:
        """Make sure of everything that comparing, reading and pushing the commits between two commits takes.

        These are the trees of each commit between them and every file that any of them changes, before and after. A tip that does not
        descend from the base is no error here. Raises what ``fetch`` raises.
        """
        start, end = CommitId(object_id(base)), CommitId(object_id(tip))
        source = remote(self._server, repository, token)
        return await self._changed(lambda: self._fetching.fetch_range(source, start, end))

    async def fetch_files(self, repository: Repository, commit: str, *paths: str, token: str | None = None) -> dict[str, bytes]:
        """Make sure of some files of a commit and return what they hold, by path; leave out paths without a file.

        Raises what ``fetch`` raises.
        """
        wanted = CommitId(object_id(commit))
        source = remote(self._server, repository, token)
        return await self._changed(lambda: self._fetching.fetch_files(source, wanted, paths))

    async def kind(self, id_: str) -> str:
        """Return ``commit``, ``tag``, ``tree`` or ``blob``; raise ObjectMissing."""
        return await self._read(self._objects.kind, object_id(id_))

    async def raw(self, kind: str, id_: str) -> bytes:
        """Return an object's content without git's header; raise ObjectMissing, TooLarge, or GitError for another kind."""
        wanted = object_id(id_)
        await self._ready()
        return await self._objects.raw(kind, wanted)

    async def commit(self, id_: str) -> Commit:
        """Return a commit; raise what ``raw`` raises."""
        return parse_commit(CommitId(id_), await self.raw("commit", id_))

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether one commit is the other or leads to it; raise ObjectMissing."""
        pair = object_id(ancestor), object_id(descendant)
        await self._ready()
        return (await self._scratch.read("merge-base", "--is-ancestor", *pair, good=(0, 1))).code == 0

    async def merge_base(self, one: str, other: str) -> CommitId | None:
        """Return the best common ancestor of two commits; None when they share no history; raise ObjectMissing."""
        pair = object_id(one), object_id(other)
        await self._ready()
        answer = await self._scratch.read("merge-base", *pair, good=(0, 1))
        return CommitId(answer.output.decode().strip()) if answer.code == 0 else None

    async def commits_between(self, base: str, tip: str) -> list[CommitId]:
        """Return the commits that the tip has and the base has not, oldest first; raise ObjectMissing and TooLarge."""
        pair = object_id(base), object_id(tip)
        await self._ready()
        return await self._objects.commits_between(*pair)

    async def diff(self, old: str, new: str) -> list[Change]:
        """Compare two commits or trees, path by path, without guessing renames; raise ObjectMissing."""
        pair = object_id(old), object_id(new)
        await self._ready()
        return await self._objects.diff(*pair)

    async def blobs(self, ids: Collection[ObjectId]) -> dict[ObjectId, bytes]:
        """Return the content of files by their ids; raise ObjectMissing, TooLarge, or GitError for what is not a file."""
        wanted = [object_id(id_) for id_ in ids]
        await self._ready()
        found = await self._objects.contents(wanted)
        if odd := [id_ for id_ in wanted if found[id_][0] != "blob"]:
            raise GitError(f"Object {odd[0]} is a {found[odd[0]][0]}, not a file.")
        return {id_: found[id_][1] for id_ in wanted}

    async def sizes(self, ids: Collection[ObjectId]) -> dict[ObjectId, int]:
        """Return how many bytes objects have, without reading them; raise ObjectMissing."""
        wanted = [object_id(id_) for id_ in ids]
        await self._ready()
        return await self._objects.sizes(wanted)

    async def blob_id(self, commit: str, path: str) -> ObjectId | None:
        """Return the id of the file at a path of a commit; None where there is no file; raise ObjectMissing without the trees."""
        wanted = object_id(commit)
        await self._ready()
        entry = await self._objects.entry(wanted, path)
        return entry[2] if entry and entry[1] == "blob" else None

    async def file(self, commit: str, path: str) -> bytes | None:
        """Return the content of one file of a commit; None where there is no file; raise ObjectMissing where it was not fetched."""
        id_ = await self.blob_id(commit, path)
        return (await self.blobs([id_]))[id_] if id_ else None

    async def patch_id(self, commit: str) -> str:
        """Return the same 40 digits for commits that change the same bytes in the same surroundings; raise ObjectMissing."""
        wanted = CommitId(object_id(commit))
        await self._ready()
        return await self._objects.patch_id(wanted)

    async def replayed(self, picked: str, onto: str) -> ObjectId | None:
        """Return the tree that picking a commit onto another one gives, by a three-way merge; None where that cannot be done.

        Other than with ``patch_id`` the place of a change counts. Raises ObjectMissing where files were not fetched.
        """
        pair = CommitId(object_id(picked)), CommitId(object_id(onto))
        await self._ready()
        async with self._changing:
            return await self._replaying.tree(*pair)

    async def merged(self, ours: str, theirs: str) -> Merged | None:
        """Return what merging one commit into another one gives; None where they have not exactly one best common ancestor.

        Both commits have to be here with the files that they changed since that ancestor (``fetch_range``). Raises ObjectMissing.
        """
        pair = CommitId(object_id(ours)), CommitId(object_id(theirs))
        await self._ready()
        async with self._changing:
            return await self._merging.merged(*pair)

    async def write_commit(
        self, parent: str, changes: Mapping[str, bytes | None], identity: Identity, date: datetime, message: str
    ) -> CommitId:
        """Write a commit on top of a parent whose trees are here, and return its id: the same for the same arguments, for ever.

        ``changes`` are whole files by path, None to remove one; an existing file keeps its mode, a new one is not executable. ``identity``
        is author and committer, ``date`` is aware and its offset is kept. Raises ObjectMissing, and GitError for what cannot be written.
        """
        start = CommitId(object_id(parent))
        await self._ready()
        async with self._changing:
            return await self._writing.commit([start], start, changes, identity, date, message)

    async def write_merge(
        self,
        parents: Sequence[str],
        tree: str,
        changes: Mapping[str, bytes | None],
        identity: Identity,
        date: datetime,
        message: str,
    ) -> CommitId:
        """Write a commit that joins its parents, with the files of a tree and with changes; everything else is as for ``write_commit``."""
        joined, start = [CommitId(object_id(parent)) for parent in parents], object_id(tree)
        await self._ready()
        async with self._changing:
            return await self._writing.commit(joined, start, changes, identity, date, message)

    async def write_tag(self, target: str, name: str, identity: Identity, date: datetime, message: str) -> TagId:
        """Write an annotated tag of a commit that is here, and return its id: the same for the same arguments, for ever.

        ``identity`` is the tagger, ``date`` is aware and its offset is kept. No ref is made. Raises GitError for what cannot be written.
        """
        wanted = CommitId(object_id(target))
        await self._ready()
        async with self._changing:
            return await self._writing.tag(wanted, name, identity, date, message)

    async def restore_tag(self, content: bytes) -> TagId:
        """Write the bytes of an annotated tag as they were once read, without git's header, and return its id."""
        await self._ready()
        async with self._changing:
            return await self._writing.restored(content)

    async def push(
        self, repository: Repository, plan: Sequence[PlannedRef], token: str | None = None, *, known: Collection[str] = ()
    ) -> PushReport:
        """Push a set of refs, all or none, each from exactly its old id to its new id, and report what was heard.

        A branch is only ever moved to a descendant, a tag only ever created: anything else is reported as refused without asking the
        server. ``known`` are commits that the repository has beside the old ids; what leads to them need not be here. The refs have to be
        read back in every case. Raises ObjectMissing when not everything that the plan needs is here, and
        GitError for a malformed plan.
        """
        target = remote(self._server, repository, token)
        await self._ready()
        async with self._changing:
            return await self._pushing.push(target, plan, [object_id(one) for one in known])

    async def _read(self, read: Callable[[ObjectId], Awaitable[_T]], id_: ObjectId) -> _T:
        """Read one object."""
        await self._ready()
        return await read(id_)

    async def _ready(self) -> None:
        """Make sure that there is a repository at all."""
        if await self._scratch.is_sound():
            return
        async with self._changing:
            await self._scratch.ensure()

    async def _changed(self, fetch: Callable[[], Awaitable[_T]]) -> _T:
        """Fetch; where the scratch repository itself stands in the way, fetch once more into a fresh one."""
        async with self._changing:
            await self._scratch.renew()
            try:
                return await fetch()
            except (Damaged, ObjectMissing):
                await self._scratch.discard()
                await self._scratch.ensure()
                return await fetch()
