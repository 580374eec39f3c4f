"""Keep on the disk what was downloaded of a release, for as long as it takes to prove it; the disk may be empty at any time."""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bot.errors import UserError
from bot.release.published import Ended, FileRead

SPARE: Final = 256 * 1024 * 1024
"""Bytes that must stay free beside what is downloaded."""

_NAME: Final = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,199}")


class NoRoom(UserError):
    """What is to be downloaded does not fit on the disk."""


@dataclass(frozen=True)
class Shelf:
    """The folder of one release; files lie in it under the last part of their addresses."""

    folder: Path

    @classmethod
    def of(cls, home: Path, release: str) -> "Shelf":
        """Return the one of a release, by its id."""
        return cls(home / "published" / release.replace("#", "-"))

    def held(self, read: Iterable[FileRead]) -> list[FileRead]:
        """Return those that ``holds``; this blocks."""
        return [one for one in read if self.holds(one)]

    def holds(self, read: FileRead) -> bool:
        """Tell whether a file lies here still, byte by byte as it was read, or needs not to, because there was nothing to keep.

        This blocks for as long as it takes to read it.
        """
        if read.ended is not Ended.READ:
            return True
        path = self.folder / name_of(read.url)
        try:
            if not _NAME.fullmatch(path.name) or path.stat().st_size != read.size:
                return False
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == read.sha256
        except OSError:
            return False

    @contextmanager
    def opened(self, limits: Mapping[str, int]) -> Iterator[Mapping[str, BinaryIO]]:
        """Open a file for each address that has a name of its own; raise NoRoom where as many bytes as stated would not fit."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What is read anew makes room for itself.
        self.drop(_keepable(limits))
        if sum(limits.values()) + SPARE > shutil.disk_usage(self.folder).free:
            # How much is free differs at every try, and would call people at every try.
            raise NoRoom(
                f"The files of the release have up to {sum(limits.values()) // 10**6} MB, and fewer, or hardly more, are free in "
                f"{self.folder}: make room there, or set BOT_HOME to a folder with more."
            )
        with ExitStack() as files:
            yield {url: files.enter_context((self.folder / name_of(url)).open("w+b")) for url in _keepable(limits)}

    def drop(self, urls: Iterable[str]) -> None:
        """Throw away what did not arrive whole."""
        for url in urls:
            (self.folder / name_of(url)).unlink(missing_ok=True)

    def content(self, url: str) -> bytes:
        """Return the bytes of a file that was read; the caller knows that they are few."""
        return (self.folder / name_of(url)).read_bytes()

    def clear(self) -> None:
        """Throw everything away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def name_of(url: str) -> str:
    """Return the last part of an address."""
    return url.rpartition("/")[2]


def _keepable(urls: Iterable[str]) -> list[str]:
    """Return the addresses whose name is plain and not that of another one as well."""
    asked = list(urls)
    times = Counter(name_of(url) for url in asked)
    return [url for url in asked if times[name_of(url)] == 1 and _NAME.fullmatch(name_of(url))]
