"""Size, MD5 and SHA-256 of files: each is read once, from its first byte to its last, in little memory and several at once.

Other threads go on meanwhile: https://docs.python.org/3/library/hashlib.html#hashlib.hash.update lets go of the interpreter's lock.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from bot.verify.result import Unusable

BLOCK: Final = 256 * 1024
"""How many bytes are read at once: they still lie in the processor's own memory when the second hash is computed."""

WORKERS: Final = min(4, os.cpu_count() or 1)
"""How many files are read at once."""

Progress = Callable[[Path, int], None]
"""Is told, from any thread, which file is read and how many more of its bytes were."""


class Stopped(Exception):
    """Somebody wants no answer any more."""


@dataclass(frozen=True, kw_only=True)
class Digests:
    """What a file is; ``size`` is in bytes, the hashes are in small hexadecimal letters."""

    size: int
    md5: str
    sha256: str


def digest_file(path: Path, progress: Progress | None = None, *, stop: Event | None = None, block: int = BLOCK) -> Digests:
    """Read one file to its end; this blocks.

    Raises Unusable when it cannot be read, and Stopped soon after ``stop`` is set. ``block`` is how many bytes are held at once.
    """
    buffer = memoryview(bytearray(block))
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                part = buffer[:count]
                sha256.update(part)
                md5.update(part)
                size += count
                if stop is not None and stop.is_set():
                    raise Stopped
                if progress is not None:
                    progress(path, count)
    except OSError as error:
        raise Unusable(f"{path.name} cannot be read ({error.strerror}), so nothing is known of it.", str(path)) from None
    return Digests(size=size, md5=md5.hexdigest(), sha256=sha256.hexdigest())


def digest_files(paths: Iterable[Path], progress: Progress | None = None, *, workers: int = WORKERS) -> Mapping[Path, Digests]:
    """Read several files, ``workers`` of them at once; this blocks. Raises Unusable for the first that cannot be read.

    Whatever interrupts it, no thread of it goes on.
    """
    stop = Event()
    with ThreadPoolExecutor(workers, thread_name_prefix="digests") as pool:
        futures = {path: pool.submit(digest_file, path, progress, stop=stop) for path in dict.fromkeys(paths)}
        try:
            return {path: future.result() for path, future in futures.items()}
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
