"""Read everything that python.org lists of a release to its end, over several looks where something cannot be read at first.

What is known is remembered and not asked for again: above all that something is missing, because asking keeps it so for everybody
(``bot.services.python_org.Missing``). What was read too long ago, and does not lie on the disk, is read again, so that what counts was
read at about one time.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final, assert_never

from bot.profile.types import Timing
from bot.publication import vouching
from bot.release.published import Ended, FileRead
from bot.services.python_org import Download, Downloaded, Missing, Oversized, PythonOrg, ReleaseFile, Unread, Withheld
from bot.shelf import Shelf

MOST: Final = 8 * 1024 * 1024
"""How many bytes are read of what vouches for a file, whose size is stated nowhere, and of a manifest, which is held in memory."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was read, by addresses; ``manifests`` are bytes that were kept, ``known`` is what need not be asked for at the next look.

    ``files`` is what became of everything that could be read.
    """

    downloads: Mapping[str, Download]
    manifests: Mapping[str, bytes]
    known: tuple[FileRead, ...]
    files: tuple[FileRead, ...] = ()

    @property
    def unread(self) -> Mapping[str, Unread]:
        """Return what could not be read this time."""
        return {url: download for url, download in self.downloads.items() if isinstance(download, Unread)}

    @property
    def content(self) -> str:
        """Return the digest of the hashes of everything that was read."""
        read = {url: download.sha256 for url, download in self.downloads.items() if isinstance(download, Downloaded)}
        return hashlib.sha256("\n".join(f"{read[url]} {url}" for url in sorted(read)).encode()).hexdigest()


def lasting(timing: Timing) -> timedelta:
    """Return for how long it counts that something was read: some looks, the wait between two times of reading, and no less than a lease.

    That is far more than it takes to go on from there to the push, which therefore asks for nothing to be read anew in an ordinary release.
    """
    return timedelta(seconds=max(10 * timing.poll, 2 * timing.confirm_gap, timing.lease))


def still(known: Sequence[FileRead], oldest: datetime) -> tuple[FileRead, ...]:
    """Return what need not be asked for again: what was read since then, and what is not handed out, which never is by the clock."""
    return tuple(one for one in known if one.ended is not Ended.READ or one.at >= oldest)


async def fetch(
    files: Sequence[ReleaseFile],
    manifests: Collection[str],
    known: Sequence[FileRead],
    python_org: PythonOrg,
    now: datetime,
    shelf: Shelf | None = None,
) -> Fetched:
    """Read files and what is listed to vouch for them, each to its end, but for what is ``known``; of ``manifests`` the bytes are kept.

    With a ``shelf`` the bytes of everything are kept on it, and what is not there any more is read again. Raises NoRoom.
    """
    useful = [one for one in known if not (one.url in manifests and one.ended is Ended.READ)]
    held = await asyncio.to_thread(shelf.held, useful) if shelf else useful
    before = {one.url: _download(one) for one in held}
    kept = {url: BytesIO() for url in manifests}
    # More than the stated size is never read: it is wrong already.
    limits = {file.url: min(file.size, MOST) if file.url in kept else file.size for file in files}
    limits |= dict.fromkeys(vouching(files), MOST)
    asked = {url: limit for url, limit in limits.items() if url not in before}
    read = await _downloaded(asked, kept, python_org, shelf)
    downloads = {url: before[url] if url in before else read[url] for url in limits}
    since = {one.url: one.at for one in held}
    told = tuple(one for url, download in downloads.items() if (one := _read(url, since.get(url, now), download)))
    return Fetched(
        downloads=downloads,
        manifests={url: into.getvalue() for url, into in kept.items() if isinstance(downloads.get(url), Downloaded)},
        # The bytes of a manifest are not remembered, so it is read again with what is still to be read.
        known=tuple(one for one in told if not (one.url in kept and one.ended is Ended.READ)),
        files=told,
    )


async def _downloaded(
    asked: Mapping[str, int], kept: Mapping[str, BytesIO], python_org: PythonOrg, shelf: Shelf | None
) -> Mapping[str, Download]:
    if shelf is None:
        return await python_org.download_all(asked, kept)
    with shelf.opened(asked) as into:
        read = await python_org.download_all(asked, into)
    shelf.drop(url for url in into if not isinstance(read[url], Downloaded))
    for url, memory in kept.items():
        if url in into and isinstance(read[url], Downloaded):
            memory.write(shelf.content(url))
    return read


def _read(url: str, at: datetime, download: Download) -> FileRead | None:
    match download:
        case Downloaded(size=size, md5=md5, sha256=sha256):
            return FileRead(url=url, at=at, ended=Ended.READ, size=size, md5=md5, sha256=sha256)
        case Missing():
            return FileRead(url=url, at=at, ended=Ended.MISSING)
        case Withheld(status=status, why=why):
            return FileRead(url=url, at=at, ended=Ended.WITHHELD, status=status, why=why)
        case Oversized(limit=limit):
            return FileRead(url=url, at=at, ended=Ended.OVERSIZED, size=limit)
        case Unread():
            return None
        case _:
            assert_never(download)


def _download(known: FileRead) -> Download:
    match known.ended:
        case Ended.READ:
            return Downloaded(size=known.size, md5=known.md5, sha256=known.sha256)
        case Ended.MISSING:
            return Missing()
        case Ended.WITHHELD:
            return Withheld(status=known.status, why=known.why)
        case Ended.OVERSIZED:
            return Oversized(limit=known.size)
        case _:
            assert_never(known.ended)
