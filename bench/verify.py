"""Measure what verifying costs: ``python -m bench.verify`` prints a table and ends with 1 when a bound is missed.

Speeds are told as ratios to what the same machine does with nothing but hashlib in the same run, so that a slow or busy machine passes or
fails by the program and not by its own speed. Real archives are taken from the folder that BOT_REFERENCE names, or ``../shared``; where
there is none, one of the same size is generated, and the table says so.
"""

import hashlib
import io
import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bot.verify.archive import Archive, read_archive
from bot.verify.digests import BLOCK, WORKERS, digest_files
from bot.verify.git_attributes import Attributes, LineEnds
from bot.verify.git_objects import TreeEntry, object_id, tree_id_of
from bot.verify.git_tree import GitTree
from bot.verify.source_tree import ExportRules, SourceTree
from bot.verify.unpacking import ArchiveLimits, Unpacked

_MEGABYTE: Final = 1 << 20
_FILES: Final = 4
_LARGEST: Final = 32 * _MEGABYTE
_SPARSE: Final = 512 * _MEGABYTE
_ROUNDS: Final = 3
_MOST_ROUNDS: Final = 12
_SPEED_BOUND: Final = 0.8
_MEMORY_BOUND: Final = 150.0
_TREE_BOUND: Final = 3.0
_MEMBERS: Final = 5_000
_ATTRIBUTES: Final = b"".join(
    [
        *(b"*.%s binary\n" % kind for kind in (b"png", b"gif", b"exe", b"ico", b"wav", b"whl", b"zip", b"tar", b"jpg", b"pdf")),
        b"[attr]noeol -text\n[attr]dos text eol=crlf\n[attr]generated linguist-generated=true diff=generated\n",
        *(b"*.%s dos\n" % kind for kind in (b"bat", b"proj", b"props", b"ps1", b"sln", b"vcxproj*")),
        b"Lib/test/decimaltestdata/*.decTest noeol\nLib/test/cjkencodings/* noeol\n",
        *(b"**/clinic/*.%d.h generated\n" % number for number in range(40)),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One row of the table: ``good`` is None where there is no bound."""

    what: str
    value: str
    bound: str = ""
    good: bool | None = None

    def __str__(self) -> str:
        """Lay the row out."""
        verdict = {None: "", True: "ok", False: "MISSED"}[self.good]
        bound = f" ({self.bound})" if self.bound else ""
        return textwrap.fill(f"{verdict:<6} {self.value:>10}  {self.what}{bound}", 80, subsequent_indent=" " * 19, break_on_hyphens=False)


def main() -> int:
    """Measure everything; return 1 when a bound is missed."""
    if sys.argv[1:2] == ["--memory"]:
        return _measure_memory([Path(argument) for argument in sys.argv[2:]])
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows = [row for measure in (_memory, _speed, _tree) for row in _shown(measure, Path(name))]
    return int(any(row.good is False for row in rows))


def _shown(measure: Callable[[Path], Iterator[Measured]], folder: Path) -> Iterator[Measured]:
    """Print rows as they come."""
    for row in measure(folder):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
        yield row


def _memory(folder: Path) -> Iterator[Measured]:
    """Measure the peak of a process of its own. This is done first: a process begins with the peak of the one that starts it."""
    files = [folder / f"sparse-{number}" for number in range(_FILES)]
    for file in files:
        with file.open("wb") as sparse:
            sparse.truncate(_SPARSE)
    yield _peak(f"peak memory for {_FILES * _SPARSE / 1e9:.1f} GB in {_FILES} files", files)
    for file in files:
        file.unlink()
    archive, kind = _archive(folder)
    yield _peak(f"peak memory for {kind}", [archive])


def _peak(what: str, files: list[Path]) -> Measured:
    """Run this program again for its memory alone."""
    command = [sys.executable, "-m", "bench.verify", "--memory", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - this very program
    peak = float(done.stdout)
    return Measured(what=what, value=f"{peak:.0f} MB", bound=f"under {_MEMORY_BOUND:.0f} MB", good=peak < _MEMORY_BOUND)


def _measure_memory(files: list[Path]) -> int:
    """Verify and print the peak in megabytes; what is no archive is digested."""
    archives = [file for file in files if file.suffix in {".xz", ".tgz"}]
    digest_files(file for file in files if file not in archives)
    for archive in archives:
        read_archive(archive)
    unit = 1 if sys.platform == "darwin" else 1024
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6}\n")
    return 0


def _speed(folder: Path) -> Iterator[Measured]:
    """Compare the digests of files with hashlib's own speed on the same blocks in memory, in as many threads."""
    contents = [random.Random(number).randbytes(_MEGABYTE) * (_LARGEST // _MEGABYTE) for number in range(_FILES)]  # noqa: S311 - filling
    paths = [folder / f"file-{number}" for number in range(_FILES)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    for count, workers in ((1, 1), (_FILES, WORKERS)):
        alone, files = _best_of_both(
            partial(_hash_all, contents[:count], workers),
            partial(digest_files, paths[:count], workers=workers),
        )
        size = count * _LARGEST / 1e9
        yield Measured(what=f"hashlib alone, MD5 and SHA-256, {count} in {workers} threads", value=f"{size / alone:.2f} GB/s")
        yield Measured(
            what=f"files digested, as a part of that, {count} in {workers} threads ({size / files:.2f} GB/s)",
            value=f"{alone / files:.0%}",
            bound=f"at least {_SPEED_BOUND:.0%}",
            good=alone / files >= _SPEED_BOUND,
        )


def _hash_all(contents: list[bytes], workers: int) -> None:
    """Digest what is in memory."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(_hash, contents))


def _hash(content: bytes) -> None:
    """Digest one content block by block."""
    md5, sha256, view = hashlib.md5(usedforsecurity=False), hashlib.sha256(), memoryview(content)
    for start in range(0, len(content), BLOCK):
        sha256.update(view[start : start + BLOCK])
        md5.update(view[start : start + BLOCK])


def _best_of_both(alone: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Return the shortest times of both in seconds.

    They take turns, so that what else the machine does meets both, and go on for some rounds while ours looks too slow.
    """
    times: list[tuple[float, float]] = []
    while True:
        times.append((_seconds(alone)[0], _seconds(ours)[0]))
        best = min(one for one, _ in times), min(two for _, two in times)
        if len(times) >= _MOST_ROUNDS or (len(times) >= _ROUNDS and best[0] >= best[1] * _SPEED_BOUND):
            return best


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long it took by the clock, and how much of that this process worked."""
    begun, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - worked


def _best(work: Callable[[], object]) -> tuple[float, float]:
    """Return the shortest times of some rounds."""
    times = [_seconds(work) for _ in range(_ROUNDS)]
    return min(clock for clock, _ in times), min(worked for _, worked in times)


def _tree(folder: Path) -> Iterator[Measured]:
    """Measure reading an archive and comparing it with its tree, each part by itself.

    All of it runs in one thread, so that its processor time is its time on a machine that does nothing else.
    """
    path, kind = _archive(folder)
    archive = read_archive(path)
    answer, attributes = _answer(archive)
    proof = SourceTree(GitTree.from_github(answer, attributes), ExportRules())
    parts = {
        f"unpacking alone, {kind}": _best(lambda: _unpack(path)),
        f"unpacking and digesting its {len(archive.members):,} files": _best(lambda: read_archive(path)),
        "reading the tree and recomputing its id (the archive's own files as a tree)": _best(
            lambda: GitTree.from_github(answer, attributes)
        ),
        "comparing": _best(lambda: proof.verify(archive)),
    }
    for what, (clock, worked) in parts.items():
        yield Measured(what=what, value=f"{worked:.2f} s", bound=f"{clock:.2f} s by the clock")
    clock, worked = (sum(column) for column in zip(*list(parts.values())[1:], strict=True))
    yield Measured(
        what=f"tarball against tree, processor time (one thread; {clock:.2f} s by the clock)",
        value=f"{worked:.2f} s",
        bound=f"under {_TREE_BOUND:.0f} s",
        good=worked < _TREE_BOUND,
    )


def _unpack(path: Path) -> None:
    """Unpack a file and do nothing with it."""
    with path.open("rb") as file:
        for _ in Unpacked(file, path.name, ArchiveLimits(), path.stat().st_size).rest():
            pass


def _answer(archive: Archive) -> tuple[bytes, dict[str, bytes]]:
    """Return what GitHub would say of a tree with the archive's own files, and the contents of its .gitattributes."""
    attributes = {".gitattributes": _ATTRIBUTES}
    rules = Attributes(attributes)
    entries = {".gitattributes": TreeEntry(mode="100644", object_id=object_id("blob", _ATTRIBUTES))}
    for path, member in archive.members.items():
        is_crlf = rules.line_ends(path) is LineEnds.CRLF and member.crlf_blob_id
        mode = "100755" if member.mode & 0o100 else "100644"
        entries[path] = TreeEntry(mode=mode, object_id=is_crlf or member.blob_id)
    rows = [{"path": path, "mode": entry.mode, "type": "blob", "sha": entry.object_id} for path, entry in entries.items()]
    return json.dumps({"sha": tree_id_of(entries), "truncated": False, "tree": rows}).encode(), attributes


def _archive(folder: Path) -> tuple[Path, str]:
    """Return the real archive, or else one like it, and what it is."""
    named = os.environ.get("BOT_REFERENCE")
    root = Path(named) if named else Path(__file__).parent.parent.parent / "shared"
    real = root / "artifacts" / "source" / "Python-3.14.4.tar.xz"
    if real.exists():
        return real, f"the real {real.name}"
    path = folder / "Python-3.14.4.tar.xz"
    if not path.exists():
        _generate(path)
    return path, f"a generated {path.name}"


def _generate(path: Path) -> None:
    """Write an archive of the size of CPython's: 5,000 files, 120 MB, packed to a fifth or so."""
    source = random.Random(3144)  # noqa: S311 - the same at every run
    words = [source.randbytes(3).hex().encode() for _ in range(4000)]
    with tarfile.open(path, "w:xz", preset=1) as archive:
        for number in range(_MEMBERS):
            content = b" ".join(source.choices(words, k=3300)) + b"\n"
            info = tarfile.TarInfo(f"Python-3.14.4/Lib/{number % 100}/{number}.py")
            info.size, info.mtime = len(content), 1
            archive.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
