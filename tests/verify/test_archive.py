"""Source archives are read once, within bounds, and whatever no honest builder makes is refused with its reason."""

import gzip
import hashlib
import lzma
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.release.version import Version
from bot.verify.archive import Archive, read_archive
from bot.verify.archive_proofs import ArchiveHygiene, SameTar
from bot.verify.result import NotProven
from bot.verify.unpacking import ArchiveLimits, Compression
from tests.reference import reference
from tests.verify.source_archives import TIME, Entry, archive_file, entries, folder, packed, write

TOP = "Python-3.14.4"
FILES = {
    "README.rst": b"This is Python\n",
    "configure": b"#! /bin/sh\n",
    "Lib/os.py": b"import abc\n" * 1000,
    "PCbuild/build.bat": b"@echo off\r\nexit\r\n",
    "PC/mixed.txt": b"one\r\ntwo\n",
    "PC/odd.txt": b"one\r\r\ntwo\r\n",
    "Lib/empty.py": b"",
}
LIMITS = ArchiveLimits()
V3144 = Version.parse("3.14.4")


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def good(path: Path, *, top: str = TOP) -> Archive:
    return read_archive(archive_file(path, entries(FILES, top=top, executable={"configure"})))


def refusal(path: Path, tar: bytes, limits: ArchiveLimits = LIMITS) -> NotProven:
    with pytest.raises(NotProven) as refused:
        read_archive(write(path, tar), limits)
    assert "Traceback" not in refused.value.why
    assert path.name in refused.value.why
    return refused.value


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("name", ["a.tgz", "a.tar.xz"])
def test_every_file_is_read_with_all_its_digests(tmp_path: Path, name: str, kind: int) -> None:
    tar = packed(entries(FILES, executable={"configure"}), kind=kind)
    archive = read_archive(write(tmp_path / name, tar))
    assert archive.top == TOP
    assert set(archive.members) == set(FILES)
    assert set(archive.folders) == {"", "Lib", "PC", "PCbuild"}
    assert (archive.tar_sha256, archive.tar_size) == (hashlib.sha256(tar).hexdigest(), len(tar))
    assert archive.compression is (Compression.GZIP if name == "a.tgz" else Compression.XZ)
    for path, content in FILES.items():
        member = archive.members[path]
        assert (member.size, member.blob_id) == (len(content), blob(content))
        assert (member.sha1, member.sha256) == (
            hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            hashlib.sha256(content).hexdigest(),
        )
    assert {archive.members[path].mode for path in FILES} == {0o644, 0o755}


def test_line_ends_are_undone_only_where_every_line_ends_with_them(tmp_path: Path) -> None:
    found = {path: member.crlf_blob_id for path, member in good(tmp_path / "a.tgz").members.items()}
    assert found["PCbuild/build.bat"] == blob(b"@echo off\nexit\n")
    assert found["Lib/empty.py"] == blob(b"")
    assert {found[path] for path in ("README.rst", "PC/mixed.txt", "PC/odd.txt")} == {None}


@pytest.mark.parametrize("size", [262_143, 262_144, 524_287, 600_001])
def test_line_ends_across_the_pieces_of_a_stream_are_seen(tmp_path: Path, size: int) -> None:
    for content in (b"a\r\n" * (size // 3) + b"\r\n", b"\r\n" * (size // 2), b"x" * size + b"\r\nend\r\n"):
        for shift in range(2):
            rows = [folder(TOP), Entry(name=f"{TOP}/a", content=b"x" * shift + content)]
            member = read_archive(archive_file(tmp_path / "a.tgz", rows)).members["a"]
            assert member.crlf_blob_id == blob((b"x" * shift + content).replace(b"\r\n", b"\n"))


def test_a_text_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    path = archive_file(tmp_path / "a.tgz", [folder(TOP), Entry(name=f"{TOP}/a", content=b"a\r\n" * 100)])
    assert read_archive(path, ArchiveLimits(text=299)).members["a"].crlf_blob_id is None
    assert read_archive(path, ArchiveLimits(text=300)).members["a"].crlf_blob_id


def bad(name: str, **values: object) -> Entry:
    return Entry(name=name, **values)  # type: ignore[arg-type]  # the values are those of the fields, written once in the table below


BAD = {
    "a symbolic link": ([bad(f"{TOP}/x", kind=tarfile.SYMTYPE, target="README.rst")], "'Python-3.14.4/x' is a symbolic link"),
    "a hard link": ([bad(f"{TOP}/x", kind=tarfile.LNKTYPE, target=f"{TOP}/README.rst")], "is a hard link"),
    "a character device": ([bad(f"{TOP}/x", kind=tarfile.CHRTYPE)], "is a device"),
    "a block device": ([bad(f"{TOP}/x", kind=tarfile.BLKTYPE)], "is a device"),
    "a named pipe": ([bad(f"{TOP}/x", kind=tarfile.FIFOTYPE)], "is a named pipe"),
    "a sparse file": ([bad(f"{TOP}/x", kind=tarfile.GNUTYPE_SPARSE)], "is a sparse file"),
    "a contiguous file": ([bad(f"{TOP}/x", kind=tarfile.CONTTYPE)], "is a contiguous file"),
    "an unknown kind": ([bad(f"{TOP}/x", kind=b"Z")], "of a kind that source archives do not have"),
    "an old kind": ([bad(f"{TOP}/x", kind=tarfile.AREGTYPE)], "of a kind that source archives do not have"),
    "an absolute path": ([bad("/etc/passwd")], "has an absolute path"),
    "a path upwards": ([bad(f"{TOP}/../x")], "has .. in its path"),
    "a dot": ([bad(f"{TOP}/./x")], "has an empty part or a dot"),
    "an empty part": ([bad(f"{TOP}//x")], "has an empty part or a dot"),
    "a file like a folder": ([bad(f"{TOP}/x/")], "has an empty part or a dot"),
    "git's own folder": ([bad(f"{TOP}/Lib/.GIT/config")], "git's own files"),
    "a backslash": ([bad(f"{TOP}/..\\x")], "has the character"),
    "a hidden direction": ([bad(f"{TOP}/\u202ex")], "has the character"),
    "a control character": ([bad(f"{TOP}/a\nb")], "has the character"),
    "a long path": ([bad(f"{TOP}/" + "x" * 400)], "has a path of more than 400 bytes"),
    "a second top folder": ([folder("other"), bad("other/x")], "several top folders"),
    "a file beside the top": ([bad("x")], "lies beside the one top folder"),
    "a duplicate": ([bad(f"{TOP}/README.rst", content=b"other")], "is there twice"),
    "a folder in a file's place": ([folder(f"{TOP}/README.rst")], "is there twice"),
    "a file within a file": ([bad(f"{TOP}/README.rst/a/b")], "lies in what is itself a file"),
    "a file that runs as its owner": ([bad(f"{TOP}/x", mode=0o4755)], "has the odd mode 4755"),
    "a file that all may write": ([bad(f"{TOP}/x", mode=0o666)], "has the odd mode 0666"),
    "a file that none may read": ([bad(f"{TOP}/x", mode=0o000)], "has the odd mode 0000"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_source_archive_holds_is_refused_by_name(tmp_path: Path, case: str) -> None:
    rows, why = BAD[case]
    refused = refusal(tmp_path / "a.tgz", packed([*entries(FILES), *rows]))
    assert why in refused.why
    assert any(why in line for line in refused.diagnostics)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    rows = [row for case in ("a symbolic link", "a path upwards", "a backslash") for row in BAD[case][0]]
    refused = refusal(tmp_path / "a.tgz", packed([*entries(FILES), *rows]))
    assert len(refused.diagnostics) == 3
    assert "and 2 more like it" in refused.why


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    assert "there is not one file in it" in refusal(tmp_path / "a.tgz", packed([])).why
    assert "there is not one file in it" in refusal(tmp_path / "a.tgz", packed([folder(TOP)])).why


PAX = {
    "a size": ({"size": "3"}, "'size'"),
    "a link's target": ({"linkpath": "/etc/passwd"}, "'linkpath'"),
    "a sparse file": ({"GNU.sparse.major": "1"}, "'GNU.sparse.major'"),
    "an attribute of the file system": ({"SCHILY.xattr.user.x": "1"}, "SCHILY.xattr.user.x"),
    "another character set": ({"hdrcharset": "BINARY"}, "'hdrcharset'"),
    "a number that is none": ({"mtime": "nan"}, "a number that is none"),
    "a path upwards": ({"path": f"{TOP}/../../x"}, "has .. in its path"),
    "a NUL": ({"path": f"{TOP}/a\0b"}, "has the character"),
}


@pytest.mark.parametrize("case", PAX)
def test_an_extended_header_smuggles_nothing(tmp_path: Path, case: str) -> None:
    said, why = PAX[case]
    tar = packed([*entries(FILES), Entry(name=f"{TOP}/x", content=b"abc", pax=said)], kind=tarfile.PAX_FORMAT)
    if case == "a size":  # tarfile does not write this one
        tar = packed([*entries(FILES), Entry(name=f"{TOP}/x", content=b"abc", pax={"sine": "3"})], kind=tarfile.PAX_FORMAT)
        tar = tar.replace(b"sine=3", b"size=3")
    assert why in refusal(tmp_path / "a.tgz", tar).why


def test_long_names_are_read_in_every_form(tmp_path: Path) -> None:
    name = "Lib/" + "x" * 120 + "/łódź.py"
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        archive = read_archive(archive_file(tmp_path / "a.tgz", entries({name: b"a"}), kind=kind))
        assert list(archive.members) == [name]


def test_two_names_for_one_member_are_refused(tmp_path: Path) -> None:
    long = packed([Entry(name=f"{TOP}/" + "x" * 150)])
    twice = packed([Entry(name=f"{TOP}/y", pax={"path": f"{TOP}/z"})], kind=tarfile.PAX_FORMAT)
    assert "two names" in refusal(tmp_path / "a.tgz", long[:1024] + twice).why


def test_a_global_header_may_hold_a_comment_only(tmp_path: Path) -> None:
    rows = entries(FILES)
    assert read_archive(write(tmp_path / "a.tgz", packed(rows, kind=tarfile.PAX_FORMAT, pax={"comment": "a" * 40}))).members
    assert "global pax header" in refusal(tmp_path / "a.tgz", packed(rows, kind=tarfile.PAX_FORMAT, pax={"path": f"{TOP}/x"})).why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"8 path=x\n", "not well-formed"),
        (b"path=x\n", "not well-formed"),
        (b"99 path=x\n", "not well-formed"),
        (b"12 path=\xff\xfe!\n", "not UTF-8"),
        (b"10 path=x\n10 path=y\n", "twice"),
    ],
)
def test_a_malformed_extended_header_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    rows = [Entry(name="x", kind=tarfile.XHDTYPE, content=content), *entries(FILES)]
    assert why in refusal(tmp_path / "a.tgz", packed(rows, kind=tarfile.USTAR_FORMAT)).why


def with_checksum(block: bytes) -> bytes:
    """Return a header whose checksum fits again."""
    blank = block[:148] + b" " * 8 + block[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


HEADERS = {
    "another kind of archive": (257, b"nothing\0", "of a kind that neither GNU tar nor the standard knows"),
    "a size in binary": (124, b"\x80" + b"\0" * 10 + b"\x05", "numbers that programs read in different ways"),
    "a negative size": (124, b"\xff" * 12, "numbers that programs read in different ways"),
    "a mode that is none": (100, b"abcdefg\0", "damaged header"),
    "something behind the name": (98, b"\0x", "hides something behind the name"),
    "an old GNU header": (345, b"evil\0", "fields of old GNU archives"),
    "a name that is not UTF-8": (0, b"\xff\xfe", "not UTF-8"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_programs_read_in_different_ways_is_refused(tmp_path: Path, case: str) -> None:
    place, value, why = HEADERS[case]
    tar = packed([Entry(name=f"{TOP}/x", content=b"hello")])
    block = with_checksum(tar[:place] + value + tar[place + len(value) : 512])
    assert why in refusal(tmp_path / "a.tgz", block + tar[512:]).why


def test_a_name_that_lies_in_the_prefix_alone_is_refused(tmp_path: Path) -> None:
    tar = packed([Entry(name="x", content=b"hello")], kind=tarfile.USTAR_FORMAT)
    prefix = f"{TOP}/os.py".encode()
    block = with_checksum(b"\0" + tar[1:345] + prefix + tar[345 + len(prefix) : 512])
    # GNU tar makes a folder of it, Python a file.
    assert "has an empty part" in refusal(tmp_path / "a.tgz", packed([folder(TOP)])[:512] + block + tar[512:]).why


def test_a_damaged_header_in_the_middle_does_not_end_the_archive_in_silence(tmp_path: Path) -> None:
    tar = bytearray(packed(entries(FILES)))
    place = tar.index(b"Python-3.14.4/README.rst")
    tar[place + 20] ^= 1
    assert "damaged header" in refusal(tmp_path / "a.tgz", bytes(tar)).why


def test_nothing_may_hide_between_or_behind_members(tmp_path: Path) -> None:
    tar = packed([folder(TOP), Entry(name=f"{TOP}/x", content=b"hello")])
    filled = tar[: 1024 + 100] + b"evil" + tar[1024 + 104 :]
    assert "hides something behind the end of a member" in refusal(tmp_path / "a.tgz", filled).why
    behind = tar + packed([Entry(name=f"{TOP}/y")])
    assert "behind the end of its tar archive" in refusal(tmp_path / "a.tgz", behind).why


@pytest.mark.parametrize("length", [0, 100, 512, 1000, 1536, 2048])
def test_a_tar_that_was_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    tar = packed([folder(TOP), Entry(name=f"{TOP}/x", content=b"a" * 600)])
    assert "cut off" in refusal(tmp_path / "a.tgz", tar[:length]).why
    assert "cut off" in refusal(tmp_path / "a.tar.xz", tar[:length]).why


@pytest.mark.parametrize("name", ["a.tgz", "a.tar.xz"])
def test_a_file_that_was_cut_off_or_continued_or_damaged_is_refused(tmp_path: Path, name: str) -> None:
    path = archive_file(tmp_path / name, entries(FILES))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    for content, why in (
        (whole[: len(whole) // 2], "its end is missing"),
        (whole[:-1], "its end is missing"),
        (whole + b"x", "something stands behind its end"),
        (whole + whole, "something stands behind its end"),
        (bytes(damaged), "is damaged"),
        (b"", "neither a gzip nor an xz file"),
        (b"<html>404</html>", "neither a gzip nor an xz file"),
    ):
        path.write_bytes(content)
        with pytest.raises(NotProven, match=why):
            read_archive(path)


def test_a_renamed_archive_is_refused(tmp_path: Path) -> None:
    path = archive_file(tmp_path / "a.tgz", entries(FILES))
    with pytest.raises(NotProven, match="is called like xz but is gzip"):
        read_archive(path.rename(tmp_path / "a.tar.xz"))


BOMBS = {
    "unpacked": (ArchiveLimits(unpacked=1 << 22), "unpacks to more than 4,194,304 bytes"),
    "ratio": (ArchiveLimits(), "unpacks to more than 1[6-9],[0-9,]* bytes"),
    "member": (ArchiveLimits(member=1 << 20), "has a member of 20,971,520 bytes"),
}


@pytest.mark.parametrize("name", ["a.tgz", "a.tar.xz"])
@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, case: str, name: str) -> None:
    limits, why = BOMBS[case]
    path = archive_file(tmp_path / name, [folder(TOP), Entry(name=f"{TOP}/x", content=bytes(20 << 20))])
    tracemalloc.start()
    try:
        with pytest.raises(NotProven, match=why):
            read_archive(path, limits)
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    tar = packed(entries({f"x{number}": b"" for number in range(20)}))
    assert "more than 20 members" in refusal(tmp_path / "a.tgz", tar, ArchiveLimits(members=20)).why


def test_an_archive_that_wants_too_much_memory_is_refused(tmp_path: Path) -> None:
    tar = packed(entries(FILES))
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(tar, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
    with pytest.raises(NotProven, match="wants more than 1,000,000 bytes of memory"):
        read_archive(path, ArchiveLimits(memory=1_000_000))


def test_a_huge_extended_header_is_refused(tmp_path: Path) -> None:
    rows = [Entry(name="x", kind=tarfile.XHDTYPE, content=bytes(1 << 17)), *entries(FILES)]
    assert "extended header of 131,072 bytes" in refusal(tmp_path / "a.tgz", packed(rows, kind=tarfile.USTAR_FORMAT)).why


@pytest.mark.parametrize("name", ["readme.RST", "README.rst.", "README.rst "])
def test_names_that_are_one_on_other_systems_are_refused_where_no_honest_archive_has_them(tmp_path: Path, name: str) -> None:
    said = f"'README.rst' and {name!r} are one file on macOS or Windows"
    archive = read_archive(archive_file(tmp_path / "a.tgz", [*entries(FILES), Entry(name=f"{TOP}/{name}")]))
    assert archive.notes == (said,)
    with pytest.raises(NotProven, match="are one file on macOS or Windows") as refused:
        ArchiveHygiene(V3144).verify(archive)
    assert refused.value.diagnostics == archive.notes
    top = "Python-3.8.2"
    former = read_archive(archive_file(tmp_path / "b.tgz", [*entries(FILES, top=top), Entry(name=f"{top}/{name}")]))
    assert ArchiveHygiene(Version.parse("3.8.2")).verify(former).diagnostics == (said,)


def test_one_name_in_two_forms_of_its_letters_is_told(tmp_path: Path) -> None:
    assert len(read_archive(archive_file(tmp_path / "a.tgz", entries({"\u00fc": b"", "u\u0308": b""}))).notes) == 1


def test_an_archive_packed_as_its_version_is_clean(tmp_path: Path) -> None:
    proven = ArchiveHygiene(V3144).verify(good(tmp_path / "a.tgz"))
    assert proven.why.startswith("One top folder Python-3.14.4 with 7 files")


def test_the_archive_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotProven, match=r"has the top folder 'Python-3.14.4' and not 'Python-3.14.5'"):
        ArchiveHygiene(Version.parse("3.14.5")).verify(good(tmp_path / "a.tgz"))


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (bad(f"{TOP}/x", uid=1000), "'x' belongs to 1000/1000 and not to 0/0"),
        (bad(f"{TOP}/x", mtime=TIME - 60), "'x' is dated 1775567540 and others 1775567600"),
        (bad(f"{TOP}/x", mode=0o664), "'x' has the mode 0664"),
        (bad(f"{TOP}/x", mode=0o700), "'x' has the mode 0700"),
        (folder(f"{TOP}/x", mode=0o644), "'x' has the mode 0644"),
    ],
)
def test_what_is_not_packed_reproducibly_is_refused(tmp_path: Path, entry: Entry, why: str) -> None:
    archive = read_archive(archive_file(tmp_path / "a.tgz", [*entries(FILES), entry]))
    with pytest.raises(NotProven) as refused:
        ArchiveHygiene(V3144).verify(archive)
    assert why in refused.value.why
    assert refused.value.diagnostics == (why,)


def test_fractions_of_a_second_are_seen(tmp_path: Path) -> None:
    rows = [*entries(FILES), bad(f"{TOP}/x", mtime=TIME - 0.5)]
    with pytest.raises(NotProven, match="is dated"):
        ArchiveHygiene(V3144).verify(read_archive(archive_file(tmp_path / "a.tgz", rows, kind=tarfile.PAX_FORMAT)))


@pytest.mark.parametrize(
    ("version", "strict"),
    [("3.9.2", False), ("3.11.9", False), ("3.12.2", False), ("3.12.3", True), ("3.13.0a5", False), ("3.13.0a6", True), ("3.16.0a1", True)],
)
def test_older_archives_may_have_an_owner_and_several_times(tmp_path: Path, version: str, strict: bool) -> None:  # noqa: FBT001 - a column of the table
    top = f"Python-{version}"
    rows = [*entries(FILES, top=top), bad(f"{top}/x", uid=501, mtime=TIME - 1, mode=0o664)]
    archive, hygiene = read_archive(archive_file(tmp_path / "a.tgz", rows)), ArchiveHygiene(Version.parse(version))
    assert hygiene.reproducible is strict
    if strict:
        with pytest.raises(NotProven, match="and 2 more"):
            hygiene.verify(archive)
    else:
        assert "as they were then" in hygiene.verify(archive).why


def test_one_tar_in_both_archives_is_proved_by_its_digest(tmp_path: Path) -> None:
    for same in (SameTar(), SameTar(reproducible=True)):
        assert "byte for byte" in same.verify(good(tmp_path / "a.tgz"), good(tmp_path / "a.tar.xz")).why


def test_archives_that_were_built_apart_are_compared_member_by_member(tmp_path: Path) -> None:
    later = [Entry(name=row.name, content=row.content, mode=row.mode, kind=row.kind, mtime=TIME + 1, uid=7) for row in entries(FILES)]
    tgz, txz = (read_archive(archive_file(tmp_path / name, rows)) for name, rows in (("a.tgz", entries(FILES)), ("a.tar.xz", later)))
    proven = SameTar().verify(tgz, txz)
    assert "only the packing differs" in proven.why
    assert "'README.rst' is dated 1775567600 and 1775567601" in proven.diagnostics
    assert "'README.rst' belongs to 0/0 and 7/7" in proven.diagnostics
    with pytest.raises(NotProven, match="have to be the same tar, byte for byte") as refused:
        SameTar(reproducible=True).verify(tgz, txz)
    assert refused.value.diagnostics == proven.diagnostics


def test_archives_in_another_order_are_told_so(tmp_path: Path) -> None:
    rows = entries(FILES)
    tgz, txz = (
        read_archive(archive_file(tmp_path / name, order)) for name, order in (("a.tgz", rows), ("a.tar.xz", [rows[0], *rows[:0:-1]]))
    )
    assert "their order" in SameTar().verify(tgz, txz).diagnostics[0]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({**FILES, "README.rst": b"evil"}, "'README.rst' has another content"),
        ({**FILES, "x": b""}, "'x' is only in a.tar.xz"),
        ({path: content for path, content in FILES.items() if path != "README.rst"}, "'README.rst' is only in a.tgz"),
    ],
)
def test_archives_that_hold_other_files_are_refused(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    other = read_archive(archive_file(tmp_path / "a.tar.xz", entries(files, executable={"configure"})))
    with pytest.raises(NotProven) as refused:
        SameTar().verify(good(tmp_path / "a.tgz"), other)
    assert refused.value.diagnostics == (why,)


def test_archives_with_other_modes_or_tops_are_refused(tmp_path: Path) -> None:
    tgz = good(tmp_path / "a.tgz")
    with pytest.raises(NotProven, match="'configure' has the modes 0755 and 0644"):
        SameTar().verify(tgz, read_archive(archive_file(tmp_path / "a.tar.xz", entries(FILES))))
    with pytest.raises(NotProven, match=r"publish archives of one release"):
        SameTar().verify(tgz, good(tmp_path / "a.tar.xz", top="Python-3.14.5"))


def test_a_real_archive_is_clean() -> None:
    archive = read_archive(reference("artifacts/source/Python-3.13.5.tar.xz"))
    assert (len(archive.members), len(archive.folders), archive.tar_size) == (4808, 406, 110_110_720)
    assert "4,808 files" in ArchiveHygiene(Version.parse("3.13.5")).verify(archive).why
    assert archive.notes == ()


@pytest.mark.chaos
@pytest.mark.parametrize("version", ["3.13.5", "3.14.4"])
def test_a_real_archive_and_its_recompressed_twin_are_the_same(tmp_path: Path, version: str) -> None:
    source = reference(f"artifacts/source/Python-{version}.tar.xz")
    with lzma.open(source) as tar, gzip.GzipFile(tmp_path / f"Python-{version}.tgz", "wb", 1, mtime=0) as tgz:
        while piece := tar.read(1 << 20):
            tgz.write(piece)
    first, second = read_archive(tmp_path / f"Python-{version}.tgz"), read_archive(source)
    assert "byte for byte" in SameTar().verify(first, second).why
    ArchiveHygiene(Version.parse(version)).verify(first)


WHOLE = packed(entries({"README.rst": b"a\r\n", "Lib/" + "x" * 120 + ".py": b"b" * 700}), kind=tarfile.PAX_FORMAT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(WHOLE) - 1), value=st.binary(min_size=1, max_size=12), fits=st.booleans())
def test_no_damage_ends_in_anything_but_a_reason(tmp_path: Path, place: int, value: bytes, fits: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    tar = WHOLE[:place] + value + WHOLE[place + len(value) :]
    start = place // 512 * 512
    if fits:
        tar = tar[:start] + with_checksum(tar[start : start + 512]) + tar[start + 512 :]
    try:
        archive = read_archive(write(tmp_path / "a.tgz", tar))
    except NotProven as refused:
        assert refused.why.startswith("a.tgz ")  # noqa: PT017 - most damage is refused, some changes a content only
    else:
        assert archive.tar_sha256 == hashlib.sha256(tar).hexdigest()
