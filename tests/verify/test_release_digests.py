"""Digests of files: each read once, in little memory, and not longer than somebody wants to know."""

import hashlib
from pathlib import Path
from threading import Event

import pytest

from bot.verify.digests import Digests, Stopped, digest_file, digest_files
from bot.verify.result import Unusable


def expected(content: bytes) -> Digests:
    md5 = hashlib.md5(content, usedforsecurity=False)
    return Digests(size=len(content), md5=md5.hexdigest(), sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
def test_a_file_is_digested_whatever_its_size_is_to_the_block(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * 4
    (tmp_path / "file").write_bytes(content[:size])
    assert digest_file(tmp_path / "file", block=16) == expected(content[:size])


def test_several_files_are_digested_and_their_progress_adds_up(tmp_path: Path) -> None:
    contents = {tmp_path / f"{number}": bytes([number]) * number * 100_000 for number in range(5)}
    told = dict.fromkeys(contents, 0)
    for path, content in contents.items():
        path.write_bytes(content)

    def progress(path: Path, count: int) -> None:
        told[path] += count

    assert digest_files([*contents, *contents], progress, workers=3) == {path: expected(content) for path, content in contents.items()}
    assert told == {path: len(content) for path, content in contents.items()}


def test_a_file_that_cannot_be_read_is_unusable_and_named(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"x")
    with pytest.raises(Unusable, match=r"gone\.zip cannot be read \(No such file or directory\)"):
        digest_files([tmp_path / "there", tmp_path / "gone.zip"])
    with pytest.raises(Unusable, match="cannot be read"):
        digest_file(tmp_path)


def test_reading_ends_when_nobody_wants_to_know_any_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1000))
    stop = Event()
    read: list[int] = []

    def progress(_: Path, count: int) -> None:
        read.append(count)
        stop.set()

    with pytest.raises(Stopped):
        digest_file(tmp_path / "file", progress, stop=stop, block=100)
    assert read == [100]
