"""What was downloaded lies on the disk until it is proved, and only what arrived whole."""

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.release.published import Ended, FileRead
from bot.shelf import SPARE, NoRoom, Shelf

FTP = "https://www.python.org/ftp/python/3.15.0/"
TGZ, XZ = FTP + "Python-3.15.0a3.tgz", FTP + "Python-3.15.0a3.tar.xz"


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def read(url: str, size: int, ended: Ended = Ended.READ, content: bytes = b"spam") -> FileRead:
    return FileRead(url=url, at=datetime(2026, 1, 1, tzinfo=UTC), ended=ended, size=size, sha256=hashlib.sha256(content).hexdigest())


def filled(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "shelf")
    with shelf.opened({TGZ: 4, XZ: 4}) as into:
        into[TGZ].write(b"spam")
        into[XZ].write(b"eg")
    return shelf


def test_it_holds_what_arrived_whole(tmp_path: Path) -> None:
    shelf = filled(tmp_path)
    assert shelf.holds(read(TGZ, 4))
    assert not shelf.holds(read(XZ, 4))
    assert shelf.content(TGZ) == b"spam"


def test_other_bytes_of_the_same_length_are_not_what_was_read(tmp_path: Path) -> None:
    shelf = filled(tmp_path)
    assert not shelf.holds(read(TGZ, 4, content=b"eggs"))


def test_what_is_read_anew_needs_no_second_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = filled(tmp_path)

    def usage(folder: Path) -> Usage:
        used = sum(path.stat().st_size for path in folder.iterdir())
        return Usage(0, used, SPARE + 6 - used)

    monkeypatch.setattr("bot.shelf.shutil.disk_usage", usage)
    with shelf.opened({TGZ: 4}) as into:
        assert into[TGZ].read() == b""


def test_nobody_is_called_anew_because_a_little_more_or_less_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = set()
    for free in (0, 10**6, 5 * 10**6):
        monkeypatch.setattr("bot.shelf.shutil.disk_usage", lambda _, free=free: Usage(10**9, 10**9 - free, free))
        with pytest.raises(NoRoom) as reason, Shelf(tmp_path / "shelf").opened({TGZ: 30_000_000}):
            pass
        told.add(str(reason.value))
    assert len(told) == 1


def test_what_is_not_handed_out_need_not_be_held(tmp_path: Path) -> None:
    assert Shelf(tmp_path / "nowhere").holds(read(TGZ, 0, Ended.MISSING))


def test_what_did_not_arrive_is_dropped(tmp_path: Path) -> None:
    shelf = filled(tmp_path)
    shelf.drop([XZ, FTP + "never-there"])
    assert sorted(path.name for path in shelf.folder.iterdir()) == ["Python-3.15.0a3.tgz"]


def test_the_disk_may_be_emptied_at_any_time(tmp_path: Path) -> None:
    shelf = filled(tmp_path)
    shutil.rmtree(shelf.folder)
    assert not shelf.holds(read(TGZ, 4))
    shelf.clear()
    shelf.clear()


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "", "a\\b"])
def test_what_is_no_plain_name_is_not_kept(tmp_path: Path, name: str) -> None:
    with Shelf(tmp_path / "shelf").opened({FTP + name: 4, TGZ: 4}) as into:
        assert set(into) == {TGZ}
    assert not Shelf(tmp_path / "shelf").holds(read(FTP + name, 4))


def test_two_files_of_one_name_would_hide_each_other(tmp_path: Path) -> None:
    other = "https://www.python.org/ftp/python/3.14.0/Python-3.15.0a3.tgz"
    with Shelf(tmp_path / "shelf").opened({TGZ: 4, other: 4}) as into:
        assert not into


def test_a_full_disk_is_noticed_before_anything_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.shelf.shutil.disk_usage", lambda _: Usage(10**9, 10**9, 0))
    with pytest.raises(NoRoom, match="make room there"), Shelf(tmp_path / "shelf").opened({TGZ: 30_000_000}):
        pass
