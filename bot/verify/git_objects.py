"""Read raw git objects and recompute their ids, so that a tag is tied to its commit and a commit to its tree by nothing but hashes.

The format: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.verify.result import NotProven
from bot.verify.tag import MalformedTag, TagObject

FOLDER: Final = "40000"
"""The mode of a tree inside a tree; GitHub writes 040000."""

FILE: Final = "100644"
EXECUTABLE: Final = "100755"
LINK: Final = "120000"
SUBMODULE: Final = "160000"

MODES: Final = frozenset({FOLDER, FILE, EXECUTABLE, LINK, SUBMODULE, "100664"})
"""All modes that git writes; 100664 is in very old trees only."""

_ENTRY: Final = re.compile(rb"([1-7][0-7]{4,5}) ([^\0/]+)\0(.{20})", re.DOTALL)
_TREE: Final = re.compile(rb"tree ([0-9a-f]{40})\n(?:parent [0-9a-f]{40}\n)*author ")
_ID: Final = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeEntry:
    """A file in a tree: git's mode and the id of its content."""

    mode: str
    object_id: str


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A tag, its commit and that commit's tree, each id recomputed from the object before it.

    ``tag_id`` is None when no tag object was given, as for a lightweight tag.
    """

    name: str
    commit_id: str
    tree_id: str
    tag_id: str | None = None

    @classmethod
    def of(cls, *, name: str, commit: bytes, tag: bytes | None = None, commit_id: str | None = None) -> "Revision":
        """Tie raw objects together; raise NotProven where one does not fit. ``commit_id`` is what the commit must be, where it is known."""
        found = object_id("commit", commit)
        if commit_id is not None and found != commit_id:
            raise NotProven(f"The content of commit {commit_id} belongs to {found}; it was altered or mixed up, so read it again.")
        tag_id = None
        if tag is not None:
            try:
                parsed = TagObject.parse(tag)
                parsed.expect(name=name, target=found)
            except MalformedTag as error:
                raise NotProven(str(error)) from None
            tag_id = parsed.object_id
        head = _TREE.match(commit)
        if not head:
            raise NotProven(f"The commit {found} has no tree line where git writes it; it is not a well-formed commit.")
        return cls(name=name, commit_id=found, tree_id=head[1].decode(), tag_id=tag_id)


def is_id(text: str) -> bool:
    """Tell whether a text is a full object id."""
    return bool(_ID.fullmatch(text))


def object_id(kind: str, content: bytes) -> str:
    """Return git's id of an object of a kind: ``blob``, ``tree``, ``commit`` or ``tag``."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def read_tree(tree_id: str, content: bytes) -> Iterator[tuple[str, TreeEntry]]:
    """Give the names and entries of one raw tree; raise NotProven when it is not what its id says, or not well-formed."""
    if object_id("tree", content) != tree_id:
        raise NotProven(f"The content of tree {tree_id} belongs to another; the repository is damaged, so use another clone.")
    position = 0
    while position < len(content):
        found = _ENTRY.match(content, position)
        mode = found[1].decode() if found else ""
        if not found or mode not in MODES:
            raise NotProven(f"The tree {tree_id} is not well-formed; the repository is damaged, so use another clone.")
        position = found.end()
        yield _name(found[2], tree_id), TreeEntry(mode=mode, object_id=found[3].hex())


def tree_id_of(entries: Mapping[str, TreeEntry]) -> str:
    """Return the id of the tree that holds exactly these files, by their paths."""
    files: dict[str, list[tuple[str, TreeEntry]]] = {"": []}
    for path, entry in entries.items():
        folder, _, name = path.rpartition("/")
        files.setdefault(folder, []).append((name, entry))
        while folder:
            folder = folder.rpartition("/")[0]
            files.setdefault(folder, [])
    for folder in sorted(files, key=lambda one: one.count("/") + bool(one), reverse=True):
        if folder:
            parent, _, name = folder.rpartition("/")
            files[parent].append((name, TreeEntry(mode=FOLDER, object_id=object_id("tree", _written(files[folder])))))
    return object_id("tree", _written(files[""]))


def _written(entries: Iterable[tuple[str, TreeEntry]]) -> bytes:
    """Return a raw tree, in git's order: a folder sorts as if its name ended with a slash."""
    rows = sorted(entries, key=lambda row: row[0].encode() + b"/" * (row[1].mode == FOLDER))
    return b"".join(b"%s %s\0%s" % (entry.mode.encode(), name.encode(), bytes.fromhex(entry.object_id)) for name, entry in rows)


def _name(raw: bytes, tree_id: str) -> str:
    """Return a name, which must be one that can stand in an archive."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise NotProven(f"The tree {tree_id} has a name that is not UTF-8, {raw!r}; no source archive can be compared with it.") from None
    if name in {".", ".."} or name.lower() == ".git":
        raise NotProven(f"The tree {tree_id} has the name {name!r}, which git itself refuses; do not use this repository.")
    return name
