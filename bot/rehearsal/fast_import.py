"""Write history with ``git fast-import``: the quickest way to make commits without a work tree.

The stream's grammar: https://git-scm.com/docs/git-fast-import#_input_format
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

from bot.rehearsal.repository import GitFailed, Identity, LocalRepository

PLAIN: Final = "100644"
EXECUTABLE: Final = "100755"
SYMLINK: Final = "120000"


@dataclass(frozen=True, kw_only=True)
class Write:
    """A file to write; ``mode`` is one of git's file modes."""

    path: str
    content: bytes
    mode: str = PLAIN


@dataclass(frozen=True, kw_only=True)
class Remove:
    """A file to remove."""

    path: str


Change = Write | Remove


class FastImport:
    """One running fast-import; marks are given out as commits are made."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to the stream of a fast-import that was just started."""
        self._stream = stream
        self._marks = 0

    def commit(
        self, ref: str, *, message: str, by: Identity, when: datetime, changes: Iterable[Change], parents: Iterable[str] = ()
    ) -> str:
        """Add a commit on the ref and give its mark; parents are marks or ids, the first one's tree is changed."""
        self._marks += 1
        mark = f":{self._marks}"
        signed = by.signed(when)
        self._line(f"commit {ref}\nmark {mark}\nauthor {signed}\ncommitter {signed}")
        self._data(message.encode())
        for word, parent in zip(["from", *["merge"] * 8], parents, strict=False):
            self._line(f"{word} {parent}")
        for change in changes:
            self._change(change)
        self._line("")
        return mark

    def tag(self, name: str, *, target: str, message: str, by: Identity, when: datetime) -> None:
        """Add an annotated, unsigned tag."""
        self._line(f"tag {name}\nfrom {target}\ntagger {by.signed(when)}")
        self._data(message.encode())

    def branch(self, ref: str, target: str) -> None:
        """Point a ref to a commit."""
        self._line(f"reset {ref}\nfrom {target}\n")

    def _change(self, change: Change) -> None:
        match change:
            case Write():
                self._line(f"M {change.mode} inline {_quoted(change.path)}")
                self._data(change.content)
            case Remove():
                self._line(f"D {_quoted(change.path)}")

    def _data(self, content: bytes) -> None:
        self._line(f"data {len(content)}")
        self._stream.write(content + b"\n")

    def _line(self, line: str) -> None:
        self._stream.write(os.fsencode(line) + b"\n")


@contextmanager
def fast_import(repository: LocalRepository) -> Iterator[FastImport]:
    """Run one fast-import; the refs exist when the block ends, and nothing was changed when it raises."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            # Speed counts, size does not: the repository is thrown away at the end.
            ["git", "-c", "core.compression=1", "fast-import", "--quiet", "--done", "--force", "--depth=0"],  # noqa: S607 - the person's git
            cwd=repository.path,
            env=repository.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        stream = process.stdin
        if stream is None:
            raise GitFailed("fast-import", -1, "its input could not be opened")
        try:
            yield FastImport(stream)
            stream.write(b"done\n")
            stream.close()
        except BrokenPipeError:
            process.wait()
            raise GitFailed("fast-import", process.returncode, _what_was_said(words)) from None
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                stream.close()
            process.wait()
        if process.returncode:
            raise GitFailed("fast-import", process.returncode, _what_was_said(words))


def commit_on(
    repository: LocalRepository, ref: str, *, parent: str, message: str, by: Identity, when: datetime, changes: Iterable[Change]
) -> str:
    """Put the ref on a new commit with exactly one parent, and give the commit's id."""
    with fast_import(repository) as importing:
        importing.commit(ref, message=message, by=by, when=when, changes=changes, parents=[parent])
    return repository.resolve(ref)


def _what_was_said(words: IO[bytes]) -> str:
    words.seek(0)
    return words.read().decode(errors="replace")


def _quoted(path: str) -> str:
    if path.startswith('"') or any(character in path for character in '\n\\"'):
        escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return path
