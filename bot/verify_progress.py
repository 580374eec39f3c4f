"""Show on standard error how the verification of a release goes on: bars on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from bot.release.counting import counted
from bot.verify.report import Watcher
from bot.verify.result import Result
from bot.verify_words import clean, short

_MEGABYTE: Final = 1_000_000


@contextmanager
def watching(stream: TextIO | None = None) -> Iterator[Watcher]:
    """Watch one verification; what bars were shown is gone afterwards."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield Lines(out)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    files = Progress(*columns, console=Console(file=out), transient=True)
    with files:
        yield Bars(files)


class Bars:
    """A bar for each file that is read, and above it a line for each proof that ended."""

    def __init__(self, progress: Progress) -> None:
        """Show them by this; it is safe to use from several threads."""
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def planned(self, proofs: int, sizes: Mapping[str, int]) -> None:
        """Show a bar for each file."""
        del proofs
        for name, size in sizes.items():
            self._tasks[name] = self._progress.add_task(clean(name), total=size)

    def read(self, name: str, count: int) -> None:
        """Let the bar of a file grow."""
        if name in self._tasks:
            self._progress.advance(self._tasks[name], count)

    def ended(self, result: Result) -> None:
        """Tell how a proof ended."""
        self._progress.console.print(_line(result), markup=False, highlight=False, soft_wrap=True)


class Lines:
    """A line for each file that was read and each proof that ended."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream."""
        self._stream = stream
        self._lock = Lock()
        self._left: dict[str, int] = {}
        self._sizes: Mapping[str, int] = {}

    def planned(self, proofs: int, sizes: Mapping[str, int]) -> None:
        """Tell how much is to be read."""
        self._left, self._sizes = dict(sizes), sizes
        if sizes:
            self._write(f"reading {counted(len(sizes), 'file')}, {sum(sizes.values()) / _MEGABYTE:.1f} MB")
        if proofs:
            self._write(f"making {counted(proofs, 'proof')}")

    def read(self, name: str, count: int) -> None:
        """Tell of a file that was read to its end."""
        with self._lock:
            if name not in self._left:
                return
            self._left[name] -= count
            ended = self._left[name] <= 0 < count
        if ended:
            self._write(f"read {clean(name)} ({self._sizes[name] / _MEGABYTE:.1f} MB)")

    def ended(self, result: Result) -> None:
        """Tell how a proof ended."""
        self._write(_line(result))

    def _write(self, line: str) -> None:
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


def _line(result: Result) -> str:
    return clean(f"{short(result.verdict):<8} {result.proof.value} of {result.subject}")
