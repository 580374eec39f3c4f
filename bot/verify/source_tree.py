"""Prove that a source archive is what the export of a tag makes of the tag's tree, file by file.

The export: ``export`` in https://github.com/python/release-tools/blob/main/release.py. It takes ``git archive`` of the tag, which writes
line ends by the tree's own .gitattributes, makes Misc/NEWS out of Misc/NEWS.d with https://pypi.org/project/blurb/, and removes what
belongs to the repository and not to the release.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, assert_never

from bot.release.version import Version
from bot.verify.archive import Archive, Member
from bot.verify.git_attributes import LineEnds
from bot.verify.git_objects import EXECUTABLE, LINK, SUBMODULE, TreeEntry
from bot.verify.git_tree import GitTree
from bot.verify.result import NotProven, Proven

_TOLD: Final = 200
_IN_THE_SENTENCE: Final = 3
_EXECUTABLE_BY_OWNER: Final = 0o100

_REMOVED: Final = (".gitattributes", ".gitignore", ".github", ".azure-pipelines", "Misc/NEWS.d")
_REMOVABLE: Final = (
    ".hgignore",
    ".hgeol",
    ".hgtags",
    ".hgtouch",
    ".bzrignore",
    ".codecov.yml",
    ".mention-bot",
    ".travis.yml",
    "Misc/mypy",
    "Doc/venv",
    "Doc/build",
    "Doc/dist",
    "Doc/tools/docutils",
    "Doc/tools/jinja2",
    "Doc/tools/pygments",
    "Doc/tools/sphinx",
)
_COMPILED: Final = ("__pycache__", "*.pyc", "*.pyo")
_FIRST_STRICT: Final = Version(3, 8, 0)


@dataclass(frozen=True, kw_only=True)
class ExportRules:
    """How an archive may differ from its tag's tree; paths are those of files or of folders with all that is in them.

    ``removed`` is never in the archive. ``removable`` is left out by some releases; where it is in the archive it equals the tag.
    ``removed_names`` are patterns for the name of a file or folder anywhere. ``generated`` are files that the tag does not hold, each with
    the folder of the tag that it is made of; only where the tag has that folder, and then it must be there.
    """

    removed: tuple[str, ...] = _REMOVED
    removable: tuple[str, ...] = _REMOVABLE
    removed_names: tuple[str, ...] = _COMPILED
    generated: tuple[tuple[str, str], ...] = (("Misc/NEWS", "Misc/NEWS.d"),)

    @classmethod
    def for_version(cls, version: Version) -> "ExportRules":
        """Return CPython's rules for a version; before 3.8 what was removed changed often."""
        if version < _FIRST_STRICT:
            return cls(removed=(), removable=_REMOVED + _REMOVABLE)
        return cls()

    def is_removed(self, path: str) -> bool:
        """Tell whether a file of the tag is never in the archive."""
        return _lies_in(path, self.removed) or any(fnmatchcase(part, pattern) for part in path.split("/") for pattern in self.removed_names)

    def is_removable(self, path: str) -> bool:
        """Tell whether a file of the tag may be missing from the archive."""
        return _lies_in(path, self.removable)


def _lies_in(path: str, places: tuple[str, ...]) -> bool:
    """Tell whether a path is one of the places or lies in one."""
    return any(path == place or path.startswith(f"{place}/") for place in places)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One path that the tag and the rules do not explain: ``kind`` is extra, missing, changed or mode."""

    kind: str
    path: str
    detail: str = ""

    def __str__(self) -> str:
        """Name it for a person."""
        return f"{self.kind}: {self.path!r}{f' ({self.detail})' if self.detail else ''}"


@dataclass(kw_only=True)
class _Comparison:
    """What was found so far."""

    differences: list[Difference] = field(default_factory=list)
    equal: int = 0
    crlf: int = 0
    left_out: int = 0
    generated: dict[str, str] = field(default_factory=dict)


class SourceTree:
    """Proves that an archive is the export of one tree."""

    def __init__(self, tree: GitTree, rules: ExportRules) -> None:
        """Expect the files of this tree, exported by these rules."""
        self._tree = tree
        self._rules = rules

    def verify(self, archive: Archive) -> Proven:
        """Prove it; raise NotProven naming every path that is extra, missing, changed or of another mode."""
        found = _Comparison()
        sources = {path: source for path, source in self._rules.generated if any(_lies_in(one, (source,)) for one in self._tree.entries)}
        for path, entry in self._tree.entries.items():
            self._compare(path, entry, archive.members.get(path), found)
        for path, member in archive.members.items():
            if path not in self._tree.entries:
                self._surplus(path, member, sources, found)
        found.differences += [
            Difference(kind="missing", path=path, detail=f"it is made of {source}")
            for path, source in sources.items()
            if path not in archive.members and path not in self._tree.entries
        ]
        found.differences += [Difference(kind="extra", path=f"{folder}/", detail="an empty folder") for folder in _empty(archive)]
        if found.differences:
            raise self._refusal(archive, found)
        return self._proof(archive, found)

    def _compare(self, path: str, entry: TreeEntry, member: Member | None, found: _Comparison) -> None:
        """Compare one file of the tag."""
        if self._rules.is_removed(path):
            found.left_out += 1
            if member is not None:
                found.differences.append(Difference(kind="extra", path=path, detail="the export leaves it out"))
        elif member is None:
            found.left_out += 1
            if not self._rules.is_removable(path):
                detail = {LINK: "the tag has a link there", SUBMODULE: "the tag has a submodule there"}.get(entry.mode, "")
                found.differences.append(Difference(kind="missing", path=path, detail=detail))
        elif difference := self._unequal(path, entry, member):
            found.differences.append(difference)
        else:
            found.equal += 1
            found.crlf += member.blob_id != entry.object_id

    def _unequal(self, path: str, entry: TreeEntry, member: Member) -> Difference | None:
        """Tell how a file differs from the tag's."""
        if entry.mode in {LINK, SUBMODULE}:
            return Difference(kind="changed", path=path, detail="the tag has a link or submodule there")
        if detail := _content(self._tree.line_ends(path), entry, member):
            return Difference(kind="changed", path=path, detail=detail)
        if (entry.mode == EXECUTABLE) is not bool(member.mode & _EXECUTABLE_BY_OWNER):
            return Difference(kind="mode", path=path, detail=f"{member.mode:04o} in the archive, {entry.mode} in the tag")
        return None

    def _surplus(self, path: str, member: Member, sources: dict[str, str], found: _Comparison) -> None:
        """Judge a file that the tag does not hold."""
        if path not in sources:
            found.differences.append(Difference(kind="extra", path=path))
        elif member.mode & _EXECUTABLE_BY_OWNER:
            found.differences.append(Difference(kind="mode", path=path, detail=f"{member.mode:04o}, but it is a text"))
        else:
            made = f"{path} is made of {sources[path]} and not in the tag: {member.size:,} bytes, SHA-256 {member.sha256}"
            found.generated[path] = made

    def _proof(self, archive: Archive, found: _Comparison) -> Proven:
        """Return what was proved."""
        revision = self._tree.revision
        whose = f"{revision.name} (commit {revision.commit_id[:12]})" if revision else self._tree.name
        made = ", ".join(found.generated)
        which = "the one file" if len(found.generated) == 1 else "the files"
        return Proven(
            why=f"{archive.name} is the export of {whose}: {found.equal:,} files equal the tag's by content and mode, {found.crlf:,} of "
            f"them with the CRLF that .gitattributes asks for, and {found.left_out:,} are left out as documented; "
            f"nothing is unexplained{f' but {made}, {which} that the tag does not hold' if made else ''}.",
            diagnostics=(*found.generated.values(), f"tree {self._tree.tree_id}"),
        )

    def _refusal(self, archive: Archive, found: _Comparison) -> NotProven:
        """Return what is not explained."""
        counts = Counter(difference.kind for difference in found.differences)
        numbers = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("extra", "missing", "changed", "mode") if counts[kind])
        first = "; ".join(map(str, found.differences[:_IN_THE_SENTENCE]))
        more = len(found.differences) - _TOLD
        return NotProven(
            f"{archive.name} is not the export of {self._tree.name}: {numbers}; {first}"
            f"{', …' if len(found.differences) > _IN_THE_SENTENCE else ''}. Do not publish it; build it again from the tag.",
            *map(str, found.differences[:_TOLD]),
            *([f"and {more:,} more"] if more > 0 else []),
        )


def _content(line_ends: LineEnds, entry: TreeEntry, member: Member) -> str:
    """Tell how a content differs, or return nothing."""
    exact, converted = member.blob_id == entry.object_id, member.crlf_blob_id == entry.object_id
    match line_ends:
        case LineEnds.EXACT:
            good = exact
        case LineEnds.CRLF:
            good = converted or (exact and member.crlf_blob_id is not None)
        case LineEnds.GUESSED:
            good = exact or converted
        case _:
            assert_never(line_ends)
    if good:
        return ""
    if converted:
        return "its lines end with CRLF, which .gitattributes does not ask for"
    if exact:
        return "its lines do not end with CRLF, which .gitattributes asks for"
    return f"blob {member.blob_id[:12]} in the archive, {entry.object_id[:12]} in the tag"


def _empty(archive: Archive) -> Iterator[str]:
    """Give the folders in which there is no file; git holds none such."""
    used = {path[:position] for path in archive.members for position, character in enumerate(path) if character == "/"}
    yield from (folder for folder in archive.folders if folder and folder not in used)
