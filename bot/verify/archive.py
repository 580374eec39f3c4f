"""Read a source archive once, as a stream: what is in it, under which digests, and whether an honest builder would have made it so.

One pass gives what every proof about the archive needs: git's own id of each file for the comparison with the tag, SHA-1 and SHA-256 for
the bill of materials, and the digest of the tar inside for the comparison with its twin.
"""

import hashlib
import tarfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.verify import tar_header
from bot.verify.result import NotProven
from bot.verify.tar_header import BLOCK, BadHeader, Header
from bot.verify.unpacking import ArchiveLimits, Compression, Unpacked

_EXTENSION: Final = 1 << 16
_TOLD: Final = 50
_DEFAULT: Final = ArchiveLimits()
_KINDS: Final = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.CONTTYPE: "a contiguous file",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
    tarfile.GNUTYPE_LONGLINK: "a link with a long target",
}
_SPECIAL_BITS: Final = 0o7000
_WRITABLE_BY_ALL: Final = 0o002
_READABLE_BY_OWNER: Final = 0o400


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """What an archive says of a folder: ``mode`` is its permission bits, ``mtime`` is in seconds since 1970."""

    mode: int
    uid: int
    gid: int
    mtime: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file in an archive; ids and digests are in hexadecimal.

    ``blob_id`` is git's id of the content. ``crlf_blob_id`` is git's id of the content with LF for CRLF, or None when that cannot be what
    ``eol=crlf`` was applied to: a line ends otherwise, or the file is too large for a text.
    """

    size: int
    mode: int
    uid: int
    gid: int
    mtime: float
    blob_id: str
    sha1: str
    sha256: str
    crlf_blob_id: str | None


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A source archive that was read to its end; members and folders are in its order, by their path below the one top folder.

    ``tar_sha256`` and ``tar_size`` are those of the tar inside; ``notes`` is what a person might want to know.
    """

    name: str
    compression: Compression
    top: str
    members: Mapping[str, Member]
    folders: Mapping[str, Folder]
    tar_sha256: str
    tar_size: int
    notes: tuple[str, ...] = ()


def read_archive(path: Path, limits: ArchiveLimits = _DEFAULT) -> Archive:
    """Read a ``.tgz`` or ``.tar.xz`` once; this blocks for about a second for CPython's.

    Raises NotProven for a file that is damaged, outgrows its limits or holds what no honest source archive does; every such member is named
    in the diagnostics. Raises OSError when the file cannot be read at all.
    """
    with path.open("rb") as file:
        return _Walk(Unpacked(file, path.name, limits, path.stat().st_size), path.name, limits).archive()


class _Walk:
    """One walk through an archive, which notes what is wrong and goes on as long as what follows can be relied upon."""

    def __init__(self, source: Unpacked, name: str, limits: ArchiveLimits) -> None:
        self._source = source
        self._name = name
        self._limits = limits
        self._faults: list[str] = []
        self._notes: list[str] = []
        self._tops: dict[str, None] = {}
        self._members: dict[str, Member] = {}
        self._folders: dict[str, Folder] = {}
        self._folded: dict[str, str] = {}

    def archive(self) -> Archive:
        """Walk to the end."""
        try:
            while header := self._next_header():
                self._take(header)
        except BadHeader as error:
            raise NotProven(f"{self._name} {error}; do not publish it, and build it again.", *self._faults) from None
        self._end()
        self._judge()
        return Archive(
            name=self._name,
            compression=self._source.compression,
            top=next(iter(self._tops)),
            members=MappingProxyType(self._members),
            folders=MappingProxyType(self._folders),
            tar_sha256=self._source.sha256,
            tar_size=self._source.size,
            notes=tuple(self._notes),
        )

    def _next_header(self) -> Header | None:
        """Return the header of the next member with all that is said about it; None at the end."""
        extension: dict[str, str] = {}
        while any(block := self._source.read(BLOCK)):
            header = Header.parse(block)
            match header.kind:
                case tarfile.XHDTYPE:
                    said = tar_header.records(self._extension(header))
                case tarfile.GNUTYPE_LONGNAME:
                    said = {"path": tar_header.long_name(self._extension(header))}
                case tarfile.XGLTYPE:
                    if tar_header.records(self._extension(header)).keys() - tar_header.HARMLESS_GLOBAL:
                        raise BadHeader("has a global pax header, which changes members that do not show it")
                    said = {}
                case _:
                    return tar_header.applied(header, extension)
            if extension.keys() & said.keys():
                raise BadHeader("gives a member two names, and programs disagree on which one counts")
            extension |= said
        if extension:
            raise BadHeader("ends after a header that belongs to no member")
        return None

    def _extension(self, header: Header) -> bytes:
        """Return the content of a header that extends the one after it."""
        if header.size > _EXTENSION:
            raise BadHeader(f"has an extended header of {header.size:,} bytes")
        content = self._source.read(header.size)
        self._padding(header.size)
        return content

    def _padding(self, size: int) -> None:
        """Read what fills a content up to whole blocks."""
        if any(self._source.read(-size % BLOCK)):
            raise BadHeader("hides something behind the end of a member")

    def _take(self, header: Header) -> None:
        """Note one member."""
        path = self._path(header)
        duplicate = path is not None and self._is_duplicate(path)
        if header.kind == tarfile.DIRTYPE:
            if header.size:
                raise BadHeader(f"has a folder with content, {header.name!r}")
            if path is not None and not duplicate:
                self._folders[path] = Folder(mode=header.mode, uid=header.uid, gid=header.gid, mtime=header.mtime)
        elif header.kind == tarfile.REGTYPE:
            member = self._content(header)
            if path is not None and not duplicate:
                self._members[path] = member
        else:
            what = _KINDS.get(header.kind, "something of a kind that source archives do not have")
            if header.size:  # whether its content follows is not the same for every program
                raise BadHeader(f"holds {what}, {_short(header.name)}")
            self._fault(header.name, f"is {what}")
        if len(self._members) + len(self._folders) + len(self._faults) > self._limits.members:
            raise BadHeader(f"has more than {self._limits.members:,} members, which no source archive has")

    def _path(self, header: Header) -> str | None:
        """Return a member's path below its top folder, or None when its name is refused."""
        is_folder = header.kind == tarfile.DIRTYPE
        name = header.name.removesuffix("/") if is_folder else header.name
        if why := tar_header.wrong_name(name, self._limits.path):
            self._fault(name, why)
            return None
        if header.mode & (_SPECIAL_BITS | _WRITABLE_BY_ALL) or not header.mode & _READABLE_BY_OWNER:
            self._fault(name, f"has the odd mode {header.mode:04o}")
        top, slash, path = name.partition("/")
        self._tops[top] = None
        if not slash and not is_folder:
            self._fault(name, "lies beside the one top folder")
        elif top == next(iter(self._tops)):
            return path
        return None

    def _is_duplicate(self, path: str) -> bool:
        """Note what stands there twice, or almost."""
        if path in self._members or path in self._folders:
            self._fault(path, "is there twice, so that programs disagree on which one counts")
            return True
        known = self._folded.setdefault(_folded(path), path)
        if known != path:
            self._notes.append(f"{known!r} and {path!r} are one file on macOS or Windows")
        return False

    def _content(self, header: Header) -> Member:
        """Digest a content in one pass."""
        if header.size > self._limits.member:
            raise BadHeader(f"has a member of {header.size:,} bytes, {header.name!r}, which no source archive has")
        blob = hashlib.sha1(b"blob %d\0" % header.size, usedforsecurity=False)
        sha1, sha256, ends = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), _LineEnds(self._limits.text)
        for piece in self._source.pieces(header.size):
            blob.update(piece)
            sha1.update(piece)
            sha256.update(piece)
            if ends.kept is not None:
                ends.feed(bytes(piece))
        self._padding(header.size)
        blob_id = blob.hexdigest()
        return Member(
            size=header.size,
            mode=header.mode,
            uid=header.uid,
            gid=header.gid,
            mtime=header.mtime,
            blob_id=blob_id,
            sha1=sha1.hexdigest(),
            sha256=sha256.hexdigest(),
            crlf_blob_id=ends.blob_id(),
        )

    def _fault(self, name: str, why: str) -> None:
        """Note why a member must not be there."""
        self._faults.append(f"{_short(name)} {why}")

    def _end(self) -> None:
        """Read to the end, where only zeros may follow."""
        behind = 0
        for piece in self._source.rest():
            if piece.nbytes and any(bytes(piece).strip(b"\0")):
                raise NotProven(f"{self._name} has something behind the end of its tar archive; do not publish it, and build it again.")
            behind += piece.nbytes
        if behind < BLOCK:
            raise NotProven(f"{self._name} ends in the middle of its tar archive, so it was cut off; download or build it again.")

    def _judge(self) -> None:
        """Raise NotProven when anything was wrong."""
        if len(self._tops) > 1:
            self._faults.append(f"there are several top folders: {', '.join(map(_short, list(self._tops)[:_TOLD]))}")
        self._faults += [
            f"{_short(path)} lies in what is itself a file" for path in (*self._members, *self._folders) if self._is_within_a_file(path)
        ]
        if not self._members:
            self._faults.append("there is not one file in it")
        if self._faults:
            more = f" and {len(self._faults) - 1:,} more like it" if len(self._faults) > 1 else ""
            raise NotProven(
                f"{self._name} holds what no source archive may hold: {self._faults[0]}{more}; do not publish it, and build it again.",
                *self._faults[:_TOLD],
            )

    def _is_within_a_file(self, path: str) -> bool:
        """Tell whether a path leads through a file."""
        parent = path.rpartition("/")[0]
        return bool(parent) and (parent in self._members or (parent not in self._folders and self._is_within_a_file(parent)))


class _LineEnds:
    """Undoes CRLF as long as every line ends so; ``kept`` is None as soon as one does not."""

    def __init__(self, most: int) -> None:
        self.kept: list[bytes] | None = []
        self._left = most
        self._last = b""

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self._left -= len(piece)
        if self.kept is None or self._left < 0 or not self._ends_in_crlf(piece):
            self.kept = None
            return
        self.kept.append(piece)
        self._last = piece[-1:]

    def _ends_in_crlf(self, piece: bytes) -> bool:
        """Tell whether every line that ends in a piece does so with CRLF; of most files the first line tells that it does not."""
        first = piece.find(b"\n")
        if first > 0 and piece[first - 1 : first] != b"\r":
            return False
        begins_with_lf = self._last == b"\r" and first == 0
        return first < 0 or piece.count(b"\r\n") + begins_with_lf == piece.count(b"\n")

    def blob_id(self) -> str | None:
        """Return git's id of the content with LF only, or None."""
        if self.kept is None:
            return None
        content = b"".join(self.kept).replace(b"\r\n", b"\n")
        if b"\r\n" in content:  # it was CR CR LF, which git makes of no line end
            return None
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _folded(path: str) -> str:
    """Return what is the same for all paths that some system takes for one, by case, form of letters, or dots and spaces at the end."""
    return "/".join(part.rstrip(". ") for part in unicodedata.normalize("NFC", path.casefold()).split("/"))


def _short(name: str) -> str:
    """Return a name of others so that it can stand in a sentence."""
    return repr(name if len(name) <= _TOLD * 3 else f"{name[: _TOLD * 3]}…")
