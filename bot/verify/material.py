"""What of a release is to be verified: its files and what vouches for them, wherever they were found, and what was stated of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.publication import Companion
from bot.services.python_org import Release, ReleaseFile
from bot.verify.digests import Digests
from bot.verify.install_manager import CATALOGUE, INDEX, LARGEST, is_manifest
from bot.verify.metadata import Stated
from bot.verify.result import NotProven, Result, Unusable

LARGEST_COMPANION: Final = 8 * 1024 * 1024
"""Bytes of what vouches for a file that are still read; the SBOM of 3.14.4's sources has 3 million."""

USED: Final = (Companion.OPENPGP, Companion.SIGSTORE, Companion.SBOM)
"""What is looked at of that which vouches for a file: the bundle holds what .sig and .crt hold, and the proof of when it was signed."""

_NAME: Final = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,199}")


class NothingFits(UserError):
    """The question was limited to files that the release does not have."""


class Lack(Enum):
    """In which way something that vouches for a file is not there."""

    UNLISTED = auto()
    """python.org lists none."""
    UNTOLD = auto()
    """Whether there is one was stated nowhere."""
    ELSEWHERE = auto()
    """python.org lists that of another file."""
    GONE = auto()
    """It is listed, but was not to be had."""


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """That something is not there; ``why`` is a clause about it, such as ``is not in the folder``."""

    lack: Lack
    why: str


@dataclass(frozen=True, kw_only=True)
class MaterialFile:
    """One listed file. ``path`` is where its bytes are, or ``trouble`` is why they are not there.

    ``digests`` are known already when it was hashed on its way here; ``companions`` holds an entry for each of ``USED``.
    """

    row: ReleaseFile
    path: Path | None
    trouble: NotProven | None = None
    digests: Digests | None = None
    companions: Mapping[Companion, bytes | Lacking] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name of the file, without the folders of its address."""
        return self.row.file_name


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that is to be verified of one release.

    ``asked_site`` tells whether python.org itself was asked: then ``release`` is its row, None while it shows none, and every field of
    ``files`` is stated; otherwise only what the metadata tells is known. ``index`` is the install manager's index and the catalogue over
    it, by their names, or why they could not be had; what was not looked for is not in it.
    """

    files: tuple[MaterialFile, ...]
    asked_site: bool
    release: Release | None = None
    elsewhere: tuple[Result, ...] | None = None
    index: Mapping[str, bytes | NotProven] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which files are asked about: those that fit one of the patterns (https://docs.python.org/3/library/fnmatch.html), all without any."""

    patterns: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Tell whether a file is asked about."""
        return not self.patterns or any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def check(self, names: Iterable[str]) -> None:
        """Raise NothingFits when a pattern fits none of the files that are listed or expected."""
        known = sorted(set(names))
        for pattern in self.patterns:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise NothingFits(f"No file of the release fits {pattern!r}; its files are: {', '.join(known) or 'none'}.")


def from_directory(folder: Path, stated: Stated, choice: Choice, release: Release | None = None, *, asked_site: bool = False) -> Material:
    """Return the files that are stated, as far as they lie in a folder by their names; nothing in it is changed."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give the one that holds the files of the release.")
    files = tuple(_in_folder(folder, row, stated) for row in stated.files if choice.takes(row.file_name))
    return Material(files=files, asked_site=asked_site, release=release, index=_index(folder) if tells_of_manifest(stated.files) else {})


def tells_of_manifest(rows: Iterable[ReleaseFile]) -> bool:
    """Tell whether one of these files is a manifest, which the install manager's index has to repeat."""
    return any(is_manifest(row.file_name) for row in rows)


def usable_names(rows: Sequence[ReleaseFile]) -> Mapping[str, NotProven | None]:
    """Return for each address why its file cannot be looked for under its name, or None where it can.

    Two that lie in different folders there cannot lie in one folder here, nor one under the name of what vouches for another; small and
    capital letters are the same on some systems.
    """
    names = {f"{row.file_name}{companion}".casefold(): row.url + companion for row in rows for companion in USED}
    troubles: dict[str, NotProven | None] = {}
    for row in rows:
        if names.setdefault(row.file_name.casefold(), row.url) != row.url:
            troubles[row.url] = NotProven(f"Another file is listed under the same name, so {row.url} was not looked for.")
        else:
            troubles[row.url] = unusable_name(row)
    return troubles


def unusable_name(row: ReleaseFile) -> NotProven | None:
    """Return why the address of a file is none under which it can be kept, or None where it is."""
    if _NAME.fullmatch(row.file_name):
        return None
    return NotProven(f"Its address {row.url!r} does not end in the name of a file, so it was not looked for.")


def place(row: ReleaseFile, companion: Companion) -> str | Lacking:
    """Return the address of something that vouches for a file, where one is listed and is its own."""
    listed = {Companion.OPENPGP: row.gpg_signature, Companion.SIGSTORE: row.sigstore_bundle, Companion.SBOM: row.sbom}[companion]
    if not listed:
        return Lacking(lack=Lack.UNLISTED, why=f"python.org lists no {companion} for it")
    if listed != row.url + companion:
        return Lacking(lack=Lack.ELSEWHERE, why=f"python.org lists {listed!r} as its {companion}, which is another file's")
    return listed


def _in_folder(folder: Path, row: ReleaseFile, stated: Stated) -> MaterialFile:
    trouble = unusable_name(row)
    path = folder / row.file_name
    if trouble is None and not path.is_file():
        trouble = NotProven(f"{row.file_name}, which python.org lists, is not in the folder, so nothing is known of it.")
    if trouble is not None:
        return MaterialFile(row=row, path=None, trouble=trouble)
    companions = {companion: _companion(path, row, companion, stated) for companion in USED}
    return MaterialFile(row=row, path=path, companions=companions)


def _index(folder: Path) -> Mapping[str, bytes | NotProven]:
    """Read the install manager's index and its catalogue, as far as they lie in the folder."""
    return {
        name: _small(folder / name, LARGEST, "what the install manager reads") for name in (INDEX, CATALOGUE) if (folder / name).is_file()
    }


def _companion(path: Path, row: ReleaseFile, companion: Companion, stated: Stated) -> bytes | Lacking:
    listed = place(row, companion) if stated.companions else Lacking(lack=Lack.UNTOLD, why="the metadata does not tell of any")
    if isinstance(listed, Lacking) and listed.lack is not Lack.UNTOLD:
        return listed  # what lies in the folder under its name all the same, python.org does not publish
    beside = path.with_name(path.name + companion)
    if beside.is_file():
        return read_small(beside)
    if companion is Companion.SIGSTORE and not stated.companions:
        return stated.bundles.get(row.url) or Lacking(lack=Lack.UNLISTED, why="the metadata holds no bundle of it")
    if isinstance(listed, Lacking):
        return listed
    return Lacking(lack=Lack.GONE, why=f"{beside.name}, which python.org lists, is not in the folder")


def read_small(path: Path) -> bytes | Lacking:
    """Read what vouches for a file, or say why that cannot be."""
    content = _small(path, LARGEST_COMPANION, "what vouches for a file")
    return Lacking(lack=Lack.GONE, why=content.why.rstrip(".")) if isinstance(content, NotProven) else content


def _small(path: Path, largest: int, what: str) -> bytes | NotProven:
    """Read a file that has no more bytes than this, or say in a sentence why that cannot be."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        return Unusable(f"{path.name} cannot be read ({error.strerror}).")
    if len(content) > largest:
        return NotProven(f"{path.name} is longer than {largest} bytes, too many for {what}.")
    return content


def not_read(name: str, why: str) -> Unusable:
    """Return that a file could not be read this time."""
    return Unusable(f"{name} could not be read ({why}), so nothing is known of it; try again.")
