"""The files of a tag, as git holds them: out of a repository, out of GitHub's answer, or out of raw objects.

Whatever they come from, the id of the tree is recomputed from them, so that nothing has to be believed but the ids of tag and commit.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bot.verify import git_objects
from bot.verify.git_attributes import Attributes, LineEnds
from bot.verify.git_objects import FOLDER, Revision, TreeEntry
from bot.verify.git_repository import Repository
from bot.verify.result import NotProven, Unusable

ATTRIBUTES: Final = ".gitattributes"

_LARGEST_ANSWER: Final = 1 << 25
_MOST_ENTRIES: Final = 100_000
_DEEPEST: Final = 64
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NO_ATTRIBUTES: Final[Mapping[str, bytes]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class GitTree:
    """All files of one tree by their path, and what its own attributes say of their line ends.

    ``revision`` says of which tag and commit it is the tree, where that was given; the chain of ids from there to here was recomputed.
    """

    tree_id: str
    entries: Mapping[str, TreeEntry]
    attributes: Attributes
    revision: Revision | None = None

    @property
    def name(self) -> str:
        """Return what a person calls it."""
        return self.revision.name if self.revision else f"tree {self.tree_id[:12]}"

    def line_ends(self, path: str) -> LineEnds:
        """Tell how an archive of the tree has the lines of a file."""
        return self.attributes.line_ends(path)

    @classmethod
    def from_repository(cls, path: Path, tag: str) -> "GitTree":
        """Read the tree of a tag, such as ``v3.14.4``, from a repository, with a working tree or bare; this blocks for some 100 ms.

        Nothing is checked out or fetched, and every object's id is recomputed. A lightweight tag has no ``revision.tag_id``. Raises
        Unusable when there is no such repository or tag, NotProven when it is not on a well-formed commit, Unavailable when git took too
        long.
        """
        repository = Repository(path)
        revision = repository.revision(tag)
        trees: dict[str, bytes] = {}
        wanted = {revision.tree_id}
        for _ in range(_DEEPEST):
            if not wanted:
                break
            level = repository.objects(wanted, "tree")
            trees |= level
            rows = (row for tree_id, raw in level.items() for row in git_objects.read_tree(tree_id, raw))
            wanted = {entry.object_id for _, entry in rows if entry.mode == FOLDER} - trees.keys()
        entries = _flat(revision.tree_id, trees)
        named = {name: entry.object_id for name, entry in entries.items() if _is_attributes(name)}
        contents = repository.objects(set(named.values()), "blob")
        return cls._of(entries, {name: contents[blob] for name, blob in named.items()}, revision)

    @classmethod
    def from_github(cls, answer: bytes, attributes: Mapping[str, bytes] = _NO_ATTRIBUTES, *, revision: Revision | None = None) -> "GitTree":
        """Read GitHub's answer about a tree with ``recursive=1``; ``attributes`` are the contents of its .gitattributes by their path.

        The shape: https://docs.github.com/en/rest/git/trees#get-a-tree. With a revision the files must add up to that commit's tree;
        without one they must add up to the tree that the answer says it is. Raises Unusable for an answer that is cut short or no such
        answer at all, and NotProven when its files do not add up.
        """
        stated, rows = _github_rows(answer)
        entries = dict(map(_github_entry, rows))
        tree = cls._of({path: entry for path, entry in entries.items() if entry.mode != FOLDER}, attributes, revision)
        if revision is None and tree.tree_id != stated:
            raise NotProven(f"The files in GitHub's answer add up to tree {tree.tree_id}, not to {stated}; it was altered, so ask again.")
        return tree

    @classmethod
    def from_objects(cls, revision: Revision, trees: Mapping[str, bytes], attributes: Mapping[str, bytes] = _NO_ATTRIBUTES) -> "GitTree":
        """Read raw tree objects by their ids, beginning with that of the revision; raise NotProven when one is missing or altered."""
        return cls._of(_flat(revision.tree_id, trees), attributes, revision)

    @classmethod
    def from_entries(
        cls, entries: Mapping[str, TreeEntry], attributes: Mapping[str, bytes] = _NO_ATTRIBUTES, *, revision: Revision | None = None
    ) -> "GitTree":
        """Take the files of a tree, by their paths, as somebody read them; raise NotProven when they are not those of the revision."""
        return cls._of(entries, attributes, revision)

    @classmethod
    def _of(cls, entries: Mapping[str, TreeEntry], attributes: Mapping[str, bytes], revision: Revision | None) -> "GitTree":
        """Recompute the tree's id and make sure of the attributes."""
        tree_id = git_objects.tree_id_of(entries)
        if revision and tree_id != revision.tree_id:
            raise NotProven(
                f"The files add up to tree {tree_id}, but {revision.name} has the tree {revision.tree_id}; "
                "they are those of another commit, or altered."
            )
        for path, entry in entries.items():
            if not _is_attributes(path):
                continue
            if path not in attributes:
                raise Unusable(f"The content of {path} is needed to know which line ends are CRLF; give it with the tree.")
            if git_objects.object_id("blob", attributes[path]) != entry.object_id:
                raise NotProven(f"The given content of {path} is not the one that the tree holds; give the one of the same commit.")
        held = {path: content for path, content in attributes.items() if path in entries}
        return cls(tree_id=tree_id, entries=MappingProxyType(dict(entries)), attributes=Attributes(held), revision=revision)


def _is_attributes(path: str) -> bool:
    """Tell whether a file says how others are written."""
    return path == ATTRIBUTES or path.endswith(f"/{ATTRIBUTES}")


def _flat(tree_id: str, trees: Mapping[str, bytes]) -> dict[str, TreeEntry]:
    """Return all files below a tree by their path; the same tree may stand at several places, so that entries are counted."""
    found: dict[str, TreeEntry] = {}
    read: dict[str, list[tuple[str, TreeEntry]]] = {}
    left = [("", tree_id, 0)]
    seen = 0
    while left:
        folder, current, depth = left.pop()
        if current not in trees:
            raise NotProven(f"The tree {current}, which is {folder or 'the top folder'}, is missing; fetch it and try again.")
        if current not in read:
            read[current] = [*git_objects.read_tree(current, trees[current])]
        seen += len(read[current]) + 1
        if seen > _MOST_ENTRIES or depth > _DEEPEST:
            raise NotProven(f"The tree {tree_id} has more than {_MOST_ENTRIES:,} entries or {_DEEPEST} levels; it is not CPython's.")
        for name, entry in read[current]:
            path = f"{folder}{name}"
            if path in found:
                raise NotProven(f"The tree {current} has {path!r} twice; the repository is damaged, so use another clone.")
            if entry.mode == FOLDER:
                left.append((f"{path}/", entry.object_id, depth + 1))
            else:
                found[path] = entry
    return found


def _github_rows(answer: bytes) -> tuple[str, list[Any]]:
    """Return the id and the rows of an answer."""
    if len(answer) > _LARGEST_ANSWER:
        raise Unusable(f"The list of files has {len(answer):,} bytes, which GitHub's answers never have; ask again.")
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        raise Unusable("The list of files is not JSON, so it is not GitHub's answer about a tree; ask again.") from None
    rows = document.get("tree") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not isinstance(document.get("sha"), str):
        raise Unusable("The list of files is not GitHub's answer about a tree; ask for git/trees/ID?recursive=1.")
    if document.get("truncated") is not False:
        raise Unusable("GitHub cut the list of files short, so it proves nothing; read the tree from a repository.")
    if len(rows) > _MOST_ENTRIES:
        raise Unusable(f"The list of files has {len(rows):,} entries, which no CPython tree has; ask for the right one.")
    return document["sha"], rows


def _github_entry(row: object) -> tuple[str, TreeEntry]:
    """Return the path and entry of one row."""
    path, mode, sha = (row.get("path"), row.get("mode"), row.get("sha")) if isinstance(row, dict) else (None, None, None)
    if not (isinstance(path, str) and isinstance(mode, str) and isinstance(sha, str) and git_objects.is_id(sha)):
        raise Unusable(f"The list of files has a row without path, mode and id, {str(row)[:100]!r}; ask again.")
    if mode.lstrip("0") not in git_objects.MODES or {"", ".", ".."} & set(path.split("/")) or _SURROGATE.search(path):
        raise Unusable(f"The list of files has a row that git would not write, {path[:100]!r} with mode {mode[:10]!r}; ask again.")
    return path, TreeEntry(mode=mode.lstrip("0"), object_id=sha)
