"""Fetch from python.org what is to be verified: as everybody sees it, into one folder, hashed on its way."""

import io
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, assert_never

from bot.errors import UserError
from bot.publication import Companion
from bot.services.python_org import Download, Downloaded, Missing, Oversized, PythonOrg, Release, ReleaseFile, Unread, Withheld
from bot.verify.digests import Digests
from bot.verify.install_manager import CATALOGUE, FTP, INDEX
from bot.verify.install_manager import LARGEST as LARGEST_INDEX
from bot.verify.material import (
    LARGEST_COMPANION,
    USED,
    Choice,
    Lack,
    Lacking,
    Material,
    MaterialFile,
    not_read,
    place,
    read_small,
    tells_of_manifest,
    usable_names,
)
from bot.verify.report import Watcher
from bot.verify.result import NotProven

SPARE: Final = 64 * 1024 * 1024
"""Bytes that must stay free beside what is downloaded."""


class NoRoom(UserError):
    """What is to be downloaded does not fit on the disk."""


async def from_python_org(
    site: PythonOrg, release: Release | None, rows: tuple[ReleaseFile, ...], choice: Choice, folder: Path, watcher: Watcher
) -> Material:
    """Download the listed files that are asked about and what vouches for them; ``folder`` must be there, and empty.

    Beside a manifest the index of the install manager is downloaded, which is there whatever is listed, and the catalogue over it.
    Raises NoRoom before anything is downloaded. A file that cannot be had keeps none of the others from being verified.
    """
    chosen = tuple(row for row in rows if choice.takes(row.file_name))
    troubles = usable_names(chosen)
    wanted = {row.url: row for row in chosen if troubles[row.url] is None}
    limits = {url: max(row.size, 0) for url, row in wanted.items()}
    limits |= {at: LARGEST_COMPANION for row in wanted.values() for one in USED if isinstance(at := place(row, one), str)}
    _make_sure_of_room(folder, sum(limits[url] for url in wanted))
    watcher.planned(0, {row.file_name: limits[url] for url, row in wanted.items()})
    with ExitStack() as files:
        into: Mapping[str, BinaryIO] = {url: files.enter_context(_Counted(_kept(folder, url), watcher)) for url in limits}
        downloads = await site.download_all(limits, into)
    for url in limits:
        if not isinstance(downloads[url], Downloaded):
            _kept(folder, url).unlink()
    index = await index_of(site, folder) if tells_of_manifest(wanted.values()) else {}
    made = tuple(_file(row, troubles[row.url], downloads, folder) for row in chosen)
    return Material(files=made, asked_site=True, release=release, index=index)


async def index_of(site: PythonOrg, folder: Path) -> Mapping[str, bytes | NotProven]:
    """Download the install manager's index and its catalogue; they are kept with the rest unless a file of the release has their name."""
    into = {FTP + name: io.BytesIO() for name in (INDEX, CATALOGUE)}
    downloads = await site.download_all(dict.fromkeys(into, LARGEST_INDEX), into)
    found: dict[str, bytes | NotProven] = {}
    for url, content in into.items():
        name, download = url.rsplit("/", 1)[-1], downloads[url]
        if isinstance(download, Missing):
            found[name] = NotProven(f"{name} is not on python.org, so Windows is offered no release at all; ask the Windows expert for it.")
        elif not isinstance(download, Downloaded):
            found[name] = _trouble(name, download)
        else:
            found[name] = content.getvalue()
            if not _kept(folder, url).exists():
                _kept(folder, url).write_bytes(content.getvalue())
    return found


def _kept(folder: Path, url: str) -> Path:
    return folder / url.rsplit("/", 1)[-1]


class _Counted(io.BufferedRandom):
    """A file that tells how much is written into it, and takes it back when it begins anew."""

    def __init__(self, path: Path, watcher: Watcher) -> None:
        super().__init__(io.FileIO(path, "x+"))
        self._name, self._watcher, self._written = path.name, watcher, 0

    def write(self, content: io.BytesIO | bytes, /) -> int:  # type: ignore[override]  # the one caller writes bytes
        count = super().write(content)  # type: ignore[arg-type]  # the same
        self._written += count
        self._watcher.read(self._name, count)
        return count

    def truncate(self, size: int | None = None, /) -> int:
        self._watcher.read(self._name, -self._written)
        self._written = 0
        return super().truncate(size)


def _make_sure_of_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size + SPARE > free:
        raise NoRoom(
            f"The files have {size // 10**6} MB, but only {free // 10**6} MB are free where they would be kept ({folder}); "
            "make room, or name a folder elsewhere with --keep or TMPDIR."
        )


def _file(row: ReleaseFile, trouble: NotProven | None, downloads: Mapping[str, Download], folder: Path) -> MaterialFile:
    if trouble is not None:
        return MaterialFile(row=row, path=None, trouble=trouble)
    download = downloads[row.url]
    companions = {one: _companion(row, one, downloads, folder) for one in USED}
    if isinstance(download, Downloaded):
        digests = Digests(size=download.size, md5=download.md5, sha256=download.sha256)
        return MaterialFile(row=row, path=folder / row.file_name, digests=digests, companions=companions)
    return MaterialFile(row=row, path=None, trouble=_trouble(row.file_name, download), companions=companions)


def _companion(row: ReleaseFile, companion: Companion, downloads: Mapping[str, Download], folder: Path) -> bytes | Lacking:
    url = place(row, companion)
    if isinstance(url, Lacking):
        return url
    name, download = url.rsplit("/", 1)[-1], downloads[url]
    if isinstance(download, Downloaded):
        return read_small(folder / name)
    return Lacking(lack=Lack.GONE, why=_trouble(name, download).why.rstrip("."))


def _trouble(name: str, download: Missing | Withheld | Oversized | Unread) -> NotProven:
    match download:
        case Missing():
            return NotProven(f"{name} is listed on python.org, but there is no such file.")
        case Withheld(why=why):
            return NotProven(f"{name} is listed on python.org, but is not handed out: {why}.")
        case Oversized(limit=limit):
            return NotProven(f"{name} has more than the {limit} bytes that it can have, so the rest was not read.")
        case Unread(why=why):
            return not_read(name, why)
        case _:
            assert_never(download)
