"""Read objects and compare trees in the scratch repository; nothing here ever reaches the network."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import cachetools

from bot.release.ids import CommitId, ObjectId
from bot.services.git.errors import GitError, ObjectMissing, TooLarge
from bot.services.git.model import Change, Commit, Moment
from bot.services.git.scratch import Scratch

EMPTY_TREE: Final = ObjectId("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
"""The id of a tree without entries, which git knows without having it."""

_ABSENT: Final = "000000"
_MOMENT: Final = re.compile(r"(?P<name>.*?) ?<(?P<email>[^<>\n]*)> (?P<seconds>\d{1,12}) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)")
_HEADER_SIZE: Final = 100
_FULL_NAME: Final = re.compile(r"[0-9a-f]{40}(?:\^\{\})?")


class Remembered:
    """What was read of objects, which never change: starting git anew for each of them is most of what a look costs.

    ``kinds`` are by the name that was asked for (id, kind, size), ``contents`` by id (kind, content), as far as they fit; ``complete`` are
    trees below which no tree is missing, ``named`` are commits that a ref names.
    """

    KINDS: Final = 100_000
    CONTENTS: Final = 16 * 1024 * 1024

    def __init__(self) -> None:
        """Know nothing yet."""
        self.kinds: cachetools.LRUCache[str, tuple[str, str, int]] = cachetools.LRUCache(maxsize=self.KINDS)
        self.contents: cachetools.LRUCache[str, tuple[str, bytes]] = cachetools.LRUCache(maxsize=self.CONTENTS, getsizeof=_size)
        self.complete: cachetools.LRUCache[ObjectId, None] = cachetools.LRUCache(maxsize=self.KINDS)
        self.named: cachetools.LRUCache[str, None] = cachetools.LRUCache(maxsize=self.KINDS)


def _size(content: tuple[str, bytes]) -> int:
    return len(content[1]) + _HEADER_SIZE


class Objects:
    """What is in the scratch repository."""

    def __init__(self, scratch: Scratch) -> None:
        """Remember where to look."""
        self._scratch = scratch
        self._memory = Remembered()
        self._doubts = scratch.doubts

    @property
    def remembered(self) -> Remembered:
        """Return what was read since there was last a reason to doubt that it is still here."""
        if self._doubts != self._scratch.doubts:
            self._doubts, self._memory = self._scratch.doubts, Remembered()
        return self._memory

    async def check(self, names: Iterable[str]) -> dict[str, tuple[str, str, int]]:
        """Return id, kind and size of every object that is here, by the name it was asked for; ``^{}`` after a name peels tags."""
        asked = list(dict.fromkeys(names))
        # Doubts may arise while git answers, so what it says belongs to the memory from before them.
        memory = self.remembered.kinds
        known = {name: memory[name] for name in asked if name in memory}
        found = await self._look([name for name in asked if name not in known])
        # What is not here may be fetched at any time.
        memory.update({name: one for name, one in found.items() if _FULL_NAME.fullmatch(name)})
        return {name: one for name in asked if (one := known.get(name) or found.get(name))}

    async def _look(self, asked: Sequence[str]) -> dict[str, tuple[str, str, int]]:
        if not asked:
            return {}
        given = "".join(f"{name}\n" for name in asked).encode()
        answer = await self._scratch.read("cat-file", "--batch-check", "--buffer", given=given)
        lines = (line.split(" ") for line in answer.output.decode(errors="replace").splitlines())
        return {name: (line[0], line[1], int(line[2])) for name, line in zip(asked, lines, strict=True) if len(line) > 2}  # noqa: PLR2004 - "ID KIND SIZE"

    async def missing(self, ids: Iterable[ObjectId]) -> list[ObjectId]:
        """Return those ids that are not here."""
        asked = list(dict.fromkeys(ids))
        here = await self.check(asked)
        return [id_ for id_ in asked if id_ not in here]

    async def peel(self, ids: Iterable[ObjectId]) -> dict[ObjectId, str]:
        """Return what tags lead to in the end, and everything else as it is, with its kind; leave out what is not here."""
        found = await self.check(f"{id_}^{{}}" for id_ in ids)
        return {ObjectId(id_): kind for id_, kind, _ in found.values()}

    async def trees_of(self, commits: Iterable[CommitId]) -> list[ObjectId]:
        """Return the root trees of commits, whether or not these trees are here."""
        asked = list(dict.fromkeys(commits))
        contents = await self.contents(asked)
        return [parse_commit(id_, contents[id_][1]).tree for id_ in asked]

    async def missing_below(self, trees: Collection[ObjectId]) -> list[ObjectId]:
        """Return the trees that are missing below the given ones."""
        memory = self.remembered.complete
        asked = [tree for tree in dict.fromkeys(trees) if tree not in memory]
        holes = await self._holes("--filter=blob:none", names=asked) if asked else []
        if not holes:
            memory.update(dict.fromkeys(asked))
        return holes

    async def missing_for(self, new: Iterable[str], known: Iterable[str]) -> list[ObjectId]:
        """Return what is missing here of what the new ids lead to and the known ids do not; known ids that are not here do not count."""
        here = await self.check(known)
        return await self._holes(names=[*new, *(f"^{id_}" for id_ in here)])

    async def _holes(self, *options: str, names: Iterable[str]) -> list[ObjectId]:
        """Walk everything from the named objects and return what is missing."""
        given = "".join(f"{name}\n" for name in names).encode()
        answer = await self._scratch.read("rev-list", "--objects", "--no-object-names", "--missing=print", *options, "--stdin", given=given)
        return [ObjectId(line[1:]) for line in answer.output.decode().splitlines() if line.startswith("?")]

    async def kind(self, id_: ObjectId) -> str:
        """Return ``commit``, ``tag``, ``tree`` or ``blob``; raise ObjectMissing."""
        found = await self.check([id_])
        if id_ not in found:
            raise _gone(id_)
        return found[id_][1]

    async def sizes(self, ids: Iterable[ObjectId]) -> dict[ObjectId, int]:
        """Return how many bytes objects have; raise ObjectMissing."""
        asked = list(dict.fromkeys(ids))
        found = await self.check(asked)
        if gone := [id_ for id_ in asked if id_ not in found]:
            raise _gone(gone[0])
        return {id_: found[id_][2] for id_ in asked}

    async def contents(self, ids: Iterable[ObjectId | CommitId]) -> dict[str, tuple[str, bytes]]:
        """Return kind and content of objects; raise ObjectMissing, or TooLarge before anything is read."""
        asked: list[str] = list(dict.fromkeys(ids))
        if not asked:
            return {}
        limits = self._scratch.limits
        found = await self.check(asked)
        if gone := [id_ for id_ in asked if id_ not in found]:
            raise _gone(gone[0])
        if large := [id_ for id_ in asked if found[id_][2] > limits.blob]:
            raise TooLarge(f"Object {large[0]} has {found[large[0]][2]} bytes, but only {limits.blob} are allowed.")
        total = sum(found[id_][2] for id_ in asked)
        if total > limits.blobs or len(asked) > limits.objects:
            raise TooLarge(
                f"{len(asked)} objects of {total} bytes would be read at once, "
                f"but only {limits.objects} objects of {limits.blobs} bytes are allowed."
            )
        memory = self.remembered.contents
        known = {id_: memory[id_] for id_ in asked if id_ in memory}
        read = await self._read([id_ for id_ in asked if id_ not in known], total)
        return {id_: known.get(id_) or read[id_] for id_ in asked}

    async def _read(self, asked: Sequence[str], most: int) -> dict[str, tuple[str, bytes]]:
        if not asked:
            return {}
        given = "".join(f"{id_}\n" for id_ in asked).encode()
        answer = await self._scratch.read("cat-file", "--batch", "--buffer", given=given, limit=most + _HEADER_SIZE * len(asked))
        read = _split(answer.output, asked)
        memory = self.remembered.contents
        memory.update({id_: one for id_, one in read.items() if _size(one) <= memory.maxsize // 16})
        return read

    async def raw(self, kind: str, id_: ObjectId) -> bytes:
        """Return the content of an object of the given kind; raise GitError for another kind."""
        real, content = (await self.contents([id_]))[id_]
        if real != kind:
            raise GitError(f"Object {id_} is a {real}, not a {kind}.")
        return content

    async def commits_between(self, base: str, tip: str) -> list[CommitId]:
        """Return the commits that lead to the tip and not to the base, oldest first; raise TooLarge for an unreasonable number."""
        limit = self._scratch.limits.commits
        answer = await self._scratch.read("rev-list", "--topo-order", "--reverse", f"--max-count={limit + 1}", tip, f"^{base}", "--")
        commits = [CommitId(line) for line in answer.output.decode().split()]
        if len(commits) > limit:
            raise TooLarge(f"There are more than {limit} commits between {base} and {tip}; these two hardly belong to one release.")
        return commits

    async def parents(self, commits: Sequence[CommitId]) -> dict[CommitId, tuple[CommitId, ...]]:
        """Return the parents of commits, in order."""
        contents = await self.contents(commits)
        return {id_: parse_commit(id_, contents[id_][1]).parents for id_ in commits}

    async def diff(self, old: str | None, new: str) -> list[Change]:
        """Compare the trees of two commits (or two trees; None is the empty one), path by path."""
        answer = await self._scratch.read(
            *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none"),
            old or EMPTY_TREE,
            new,
            "--",
        )
        fields = answer.output.split(b"\0")[:-1]
        return [_change(info.decode(), path) for info, path in zip(fields[::2], fields[1::2], strict=True)]

    async def entry(self, commit: str, path: str) -> tuple[str, str, ObjectId] | None:
        """Return mode, kind and id of what a commit has at a path; None for nothing."""
        answer = await self._scratch.read("ls-tree", "-z", "--full-tree", commit, "--", path)
        for line in answer.output.split(b"\0")[:-1]:
            info, _, name = line.partition(b"\t")
            if name == path.encode():
                mode, kind, id_ = info.decode().split(" ")
                return mode, kind, ObjectId(id_)
        return None

    async def patch_id(self, commit: CommitId) -> str:
        """Return an id of what a commit changes against its first parent, byte for byte; 40 zeros when it changes nothing.

        See https://git-scm.com/docs/git-patch-id; white space counts, line numbers do not.
        """
        parents = (await self.parents([commit]))[commit]
        patch = await self._scratch.read(
            *(
                "diff-tree",
                "-r",
                "-p",
                "-U3",
                "--full-index",
                "--no-renames",
                "--no-ext-diff",
                "--no-textconv",
                "--no-color",
                "--diff-algorithm=myers",
            ),
            *(parents[0] if parents else EMPTY_TREE, commit, "--"),
        )
        answer = await self._scratch.read("patch-id", "--verbatim", given=patch.output)
        return answer.output.decode().partition(" ")[0] or "0" * 40


def parse_commit(id_: CommitId, raw: bytes) -> Commit:
    """Read a raw commit (https://git-scm.com/docs/git-commit-tree); raise GitError for one that git itself would find odd."""
    head, _, message = raw.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.decode(errors="replace").split("\n"):
        if not line.startswith(" "):
            key, _, value = line.partition(" ")
            headers.setdefault(key, []).append(value)
    try:
        (tree,), (author,), (committer,) = headers["tree"], headers["author"], headers["committer"]
        parents = tuple(CommitId(parent) for parent in headers.get("parent", []))
        return Commit(
            id=id_,
            tree=ObjectId(tree),
            parents=parents,
            author=_moment(author),
            committer=_moment(committer),
            message=message.decode(errors="replace"),
        )
    except (KeyError, ValueError, OverflowError):
        raise GitError(f"Commit {id_} is not well-formed; it cannot be part of a release.") from None


def _moment(text: str) -> Moment:
    """Read a name, an address, a time and its offset from UTC."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(text)
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    zone = timezone(-offset if found["sign"] == "-" else offset)
    return Moment(name=found["name"], email=found["email"], at=datetime.fromtimestamp(int(found["seconds"]), UTC).astimezone(zone))


def _change(info: str, path: bytes) -> Change:
    """Read one record of ``git diff-tree --raw`` (https://git-scm.com/docs/git-diff-tree#_raw_output_format)."""
    old_mode, new_mode, old_id, new_id, _ = info.removeprefix(":").split(" ")
    try:
        name = path.decode()
    except UnicodeDecodeError:
        raise GitError(f"The path {path!r} is not valid UTF-8; such a file cannot be part of a release.") from None
    return Change(
        path=name,
        old_mode=None if old_mode == _ABSENT else old_mode,
        new_mode=None if new_mode == _ABSENT else new_mode,
        old_id=None if old_mode == _ABSENT else ObjectId(old_id),
        new_id=None if new_mode == _ABSENT else ObjectId(new_id),
    )


def _split(output: bytes, asked: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """Read the answer of ``git cat-file --batch`` (https://git-scm.com/docs/git-cat-file#_batch_output)."""
    found: dict[str, tuple[str, bytes]] = {}
    start = 0
    for id_ in asked:
        end = output.index(b"\n", start)
        answered, kind, *size = output[start:end].decode().split(" ")
        if answered != id_ or not size:
            raise _gone(id_)
        start = end + 1 + int(size[0])
        found[id_] = (kind, output[end + 1 : start])
        start += 1
    return found


def _gone(id_: str) -> ObjectMissing:
    """Say that an object is not here."""
    return ObjectMissing(f"Object {id_} is not in the scratch repository; it has to be fetched.")
