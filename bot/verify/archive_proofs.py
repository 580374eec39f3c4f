"""What a source archive must be beside unharmed: packed as release-tools packs it, and the same tar as its twin.

How it is packed: ``tarball`` in https://github.com/python/release-tools/blob/main/release.py.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from bot.release.version import Level, Version
from bot.verify.archive import Archive, Folder, Member
from bot.verify.result import NotProven, Proven

_MODES: Final = frozenset({0o644, 0o755})
_TOLD: Final = 50

REPRODUCIBLE_SINCE: Final = {
    "3.12": Version(3, 12, 3),
    "3.13": Version(3, 13, 0, Level.ALPHA, 6),
}
"""The first release of a series whose archives were made by ``tar --owner=0 --mtime=…``; all of later series, none of earlier ones."""

_FIRST_SERIES: Final = Version(3, 14, 0, Level.ALPHA, 1)


class ArchiveHygiene:
    """Proves that an archive is packed as the archives of its version are."""

    def __init__(self, version: Version) -> None:
        """Expect the archive of this version."""
        self._version = version

    @property
    def reproducible(self) -> bool:
        """Tell whether the archives of this version have one owner, one time and two modes."""
        return self._version >= REPRODUCIBLE_SINCE.get(self._version.series, _FIRST_SERIES)

    def verify(self, archive: Archive) -> Proven:
        """Prove it of an archive that ``read_archive`` accepted; raise NotProven naming every member that is otherwise."""
        wanted = f"Python-{self._version}"
        if archive.top != wanted:
            raise NotProven(
                f"{archive.name} has the top folder {archive.top!r} and not {wanted!r}; it is the archive of something else, "
                "so publish the right one."
            )
        entries: dict[str, Member | Folder] = {**archive.members, **archive.folders}
        faults = [*_untidy(entries), *archive.notes] if self.reproducible else []
        if faults:
            raise NotProven(
                f"{archive.name} is not packed as {self._version} has to be: {faults[0]}"
                f"{f' and {len(faults) - 1:,} more' if len(faults) > 1 else ''}; build it again with release-tools.",
                *faults[:_TOLD],
            )
        how = "owner 0, one time, modes 644 and 755" if self.reproducible else "owners and times as they were then"
        return Proven(
            why=f"One top folder {wanted} with {len(archive.members):,} files, and no link, device or duplicate; {how}.",
            diagnostics=archive.notes,
        )


def _untidy(entries: Mapping[str, Member | Folder]) -> Iterator[str]:
    """Give every way in which an entry is not as a reproducible archive has it."""
    newest = max((entry.mtime for entry in entries.values()), default=0)
    for path, entry in entries.items():
        shown = repr(path or ".")
        if entry.uid or entry.gid:
            yield f"{shown} belongs to {entry.uid}/{entry.gid} and not to 0/0"
        if entry.mtime != newest:
            yield f"{shown} is dated {entry.mtime:.0f} and others {newest:.0f}"
        if entry.mode not in _MODES or (isinstance(entry, Folder) and entry.mode != max(_MODES)):
            yield f"{shown} has the mode {entry.mode:04o}"


class SameTar:
    """Proves that the ``.tgz`` and the ``.tar.xz`` hold the same."""

    def __init__(self, *, reproducible: bool = False) -> None:
        """Expect one tar in both, as ``ArchiveHygiene.reproducible`` tells of a version; otherwise only the same files."""
        self._reproducible = reproducible

    def verify(self, tgz: Archive, txz: Archive) -> Proven:
        """Prove that both hold the same tar, byte for byte, or else the same files; raise NotProven naming what differs.

        Before they were reproducible the two were built one after the other, so that times and owners differ; the diagnostics tell which.
        """
        if tgz.tar_sha256 == txz.tar_sha256:
            return Proven(why=f"{tgz.name} and {txz.name} hold the same tar, byte for byte ({tgz.tar_sha256}).")
        if tgz.top != txz.top:
            raise NotProven(f"{tgz.name} has the top folder {tgz.top!r}, but {txz.name} {txz.top!r}; publish archives of one release.")
        if different := [*_different(tgz, txz)]:
            raise NotProven(
                f"{tgz.name} and {txz.name} do not hold the same files: {different[0]}"
                f"{f' and {len(different) - 1:,} more' if len(different) > 1 else ''}; build both from one tag.",
                *different[:_TOLD],
            )
        notes = tuple([*_redated(tgz, txz)][:_TOLD]) or ("all that differs is their order, owners' names or filling",)
        if self._reproducible:
            raise NotProven(
                f"{tgz.name} and {txz.name} hold the same files, but have to be the same tar, byte for byte; pack one tar twice, as "
                "release-tools does.",
                *notes,
            )
        return Proven(
            why=f"{tgz.name} and {txz.name} hold the same {len(tgz.members):,} files with the same modes; only the packing differs, "
            "as with archives that were built apart.",
            diagnostics=notes,
        )


def _different(tgz: Archive, txz: Archive) -> Iterator[str]:
    """Give every difference that matters."""
    for left, right in ((tgz, txz), (txz, tgz)):
        for path in sorted({*left.members, *left.folders} - {*right.members, *right.folders}):
            yield f"{path!r} is only in {left.name}"
    for path in sorted(tgz.members.keys() & txz.members.keys()):
        first, second = tgz.members[path], txz.members[path]
        if first.sha256 != second.sha256:
            yield f"{path!r} has another content"
        elif first.mode != second.mode:
            yield f"{path!r} has the modes {first.mode:04o} and {second.mode:04o}"
    for path in sorted((tgz.members.keys() & txz.folders.keys()) | (tgz.folders.keys() & txz.members.keys())):
        yield f"{path!r} is a file in one and a folder in the other"


def _redated(tgz: Archive, txz: Archive) -> Iterator[str]:
    """Give every difference in metadata."""
    for path in sorted(tgz.members.keys() & txz.members.keys()):
        first, second = tgz.members[path], txz.members[path]
        if first.mtime != second.mtime:
            yield f"{path!r} is dated {first.mtime:.0f} and {second.mtime:.0f}"
        if (first.uid, first.gid) != (second.uid, second.gid):
            yield f"{path!r} belongs to {first.uid}/{first.gid} and {second.uid}/{second.gid}"
