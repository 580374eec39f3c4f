"""What can be known of a tag from what a person has at hand: a clone of the repository, or the raw tag object alone."""

from dataclasses import dataclass
from pathlib import Path

from bot.verify.git_repository import Repository
from bot.verify.git_tree import GitTree
from bot.verify.result import NotProven, Unusable
from bot.verify.tag import LARGEST, MalformedTag, TagObject


@dataclass(frozen=True, kw_only=True)
class TagSource:
    """A tag as it was found: ``raw`` is its object, None for a lightweight tag; ``tree`` is None when only the object is there."""

    name: str
    raw: bytes | None
    commit_id: str
    tree: GitTree | None


def tag_source(source: Path, tag_name: str) -> TagSource:
    """Read a tag out of a repository (a folder) or a raw tag object (a file); this blocks for some 100 ms.

    Raises Unusable when there is nothing that can be read, NotProven when it is not the tag that was asked for, Unavailable when git took
    too long.
    """
    if source.is_dir():
        raw, _ = Repository(source).tag(tag_name)
        tree = GitTree.from_repository(source, tag_name)
        if tree.revision is None or (raw is None) is not (tree.revision.tag_id is None):
            raise NotProven(f"The tag {tag_name} changed while it was read; read it again.")
        return TagSource(name=tag_name, raw=raw, commit_id=tree.revision.commit_id, tree=tree)
    try:
        with source.open("rb") as file:
            raw = file.read(LARGEST + 1)
        tag = TagObject.parse(raw)
        tag.expect(name=tag_name)
    except OSError as error:
        raise Unusable(f"{source} cannot be read ({error.strerror}); give a clone of the repository or the raw tag object.") from None
    except MalformedTag as error:
        raise NotProven(str(error)) from None
    return TagSource(name=tag_name, raw=raw, commit_id=tag.target, tree=None)


def tree_for(source: Path, tag_name: str) -> GitTree:
    """Return the tree of a tag; raise Unusable for a raw tag object, which names its commit but holds no files."""
    found = tag_source(source, tag_name)
    if found.tree is None:
        raise Unusable(
            f"{source} is the tag object alone: it says that {tag_name} is commit {found.commit_id}, but not which files that has; "
            "give a clone of the repository to compare the archives with."
        )
    return found.tree
