"""Archives are read within bounds, and those that an honest builder would not make are refused."""

import hashlib
import io
import random
import stat
import struct
import zipfile

import pytest

from bot.services.archive import ArchiveBounds, HostileArchive, read_archive

BOUNDS = ArchiveBounds(files=5, unpacked=10_000)


def packed(files: dict[str, bytes], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return made.getvalue()


def special(name: str, mode: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def refused(archive: bytes, bounds: ArchiveBounds = BOUNDS) -> str:
    with pytest.raises(HostileArchive) as caught:
        read_archive(io.BytesIO(archive), bounds, what="The artifact")
    assert str(caught.value).startswith("The artifact was not read: ")
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_files_are_read_with_their_hashes_and_kept_where_asked() -> None:
    files = {"Python-3.15.0a3.tgz": b"tgz" * 1000, "dist/": b"", "dist/python.tar.gz": b"", "naïve name.txt": b"x"}

    read = read_archive(io.BytesIO(packed(files)), BOUNDS, keep=["Python-3.15.0a3.tgz"], what="it")

    assert {name: (file.size, file.sha256) for name, file in read.items()} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items() if name != "dist/"
    }
    assert {name: file.content for name, file in read.items() if file.content is not None} == {"Python-3.15.0a3.tgz": b"tgz" * 1000}


def test_an_empty_archive_has_no_files() -> None:
    assert read_archive(io.BytesIO(packed({})), BOUNDS, what="it") == {}


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../../x", "./x", "a//b", "a/", "..", "C:x", "a\\b", "a\nb", "a\u202eb", "x" * 256, "what?", "x\x7f"],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert "it holds " in refused(packed({name: b"content"}))


def test_a_name_with_a_hidden_end_is_refused() -> None:
    assert "no plain name" in refused(packed({"good.txt_evil": b"x"}).replace(b"good.txt_evil", b"good.txt\0evil"))


def test_two_files_of_one_name_are_refused() -> None:
    assert "two files of one name" in refused(packed({"a.txt": b"x", "A.txt": b"y"}))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFBLK | 0o600, stat.S_IFDIR | 0o755])
def test_links_and_devices_are_refused(mode: int) -> None:
    assert "no ordinary file" in refused(special("link", mode))


def test_unusual_packing_and_encryption_are_refused() -> None:
    assert "unusual way" in refused(packed({"x": b"x" * 100}, method=zipfile.ZIP_BZIP2))
    assert "unusual way" in refused(packed({"x": b"x" * 100}, method=zipfile.ZIP_LZMA))
    encrypted = bytearray(packed({"x": b"x"}))
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(encrypted))


def test_bounds_are_kept() -> None:
    six = packed({f"{number}": b"" for number in range(6)})
    assert "more than 5 files" in refused(six)
    assert "more than 5 files" in refused(six[:-14] + struct.pack("<2H", 1, 1) + six[-10:])
    assert "longer than 10000 bytes" in refused(packed({"bomb": b"\0" * 10_001}))
    assert "longer than 10000 bytes" in refused(packed({"one": b"\0" * 6_000, "two": b"\0" * 6_000}))


def test_a_bomb_that_lies_about_its_size_is_refused_when_it_unpacks() -> None:
    bomb = packed({"bomb": b"\0" * 1_000_000})
    lying = bomb.replace(struct.pack("<L", 1_000_000), struct.pack("<L", 9_000))
    assert "not a sound zip archive" in refused(lying)
    promising = packed({"short": b"\0" * 100}).replace(struct.pack("<L", 100), struct.pack("<L", 200))
    assert "shorter in it than its list says" in refused(promising)


def test_ends_that_hide_what_is_before_them_are_refused() -> None:
    assert "does not end" in refused(packed({"x": b"x"}, comment=b"PK\x05\x06"))
    assert "does not end" in refused(packed({"x": b"x"}) + b"\0")
    whole = packed({"x": b"x"})
    assert "does not end" in refused(whole[:-22] + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + whole[-22:])
    long_list = whole[:-10] + struct.pack("<LLH", 0xFFFFFFF, 0, 0)
    assert "more than 5 files" in refused(long_list)
    assert "too short" in refused(b"PK")


def test_damage_anywhere_is_refused_or_harmless() -> None:
    """Every byte of the archive is changed once: what is still read is what was packed."""
    files = {"a.txt": b"a" * 50, "b.txt": bytes(range(50))}
    whole = packed(files)
    chance = random.Random(0)  # noqa: S311 - damage that can be repeated, no secret
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= chance.randrange(1, 256)
        try:
            read = read_archive(io.BytesIO(bytes(damaged)), BOUNDS, keep=["a.txt", "b.txt"], what="it")
        except HostileArchive:
            continue
        assert {file.content for file in read.values() if file.content is not None} <= set(files.values())
