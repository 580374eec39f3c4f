"""The world's repository is real git, whatever it was built from, and a hostile tarball never gets into it."""

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rehearsal.source_tree import SourceTree, small_tree, tree_from_tarball
from bot.rehearsal.versions import PythonVersion, WrongUse, follows, prior, setting_for

ROOT = Path(__file__).resolve().parents[2]

PATCHLEVEL = """/*--start constants--*/
#define PY_MAJOR_VERSION        3
#define PY_VERSION              "{version}"
/*--end constants--*/
"""

Tarball = Callable[..., Path]


def git(where: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout


def version(text: str) -> PythonVersion:
    return PythonVersion.parse(text)


def member(
    name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    information = tarfile.TarInfo(name)
    information.size = len(content)
    information.type = kind
    information.linkname = link
    information.mode = mode
    return information, content


@pytest.fixture
def tarball(tmp_path: Path) -> Tarball:
    def make(*more: tuple[tarfile.TarInfo, bytes], says: str = "3.13.5") -> Path:
        path = tmp_path / f"Python-{says}.tar.xz"
        members = [
            member(f"Python-{says}", kind=tarfile.DIRTYPE, mode=0o755),
            member(f"Python-{says}/README.rst", f"This is Python version {says}\n=====\n\nWell.\n".encode()),
            member(f"Python-{says}/Include/patchlevel.h", PATCHLEVEL.format(version=says).encode()),
            member(f"Python-{says}/configure", b"#! /bin/sh\n", mode=0o755),
            member(f"Python-{says}/Doc/library/abc.rst", b"abc\n===\n"),
            member(f"Python-{says}/Lib/with space.py", b"\xff\xfe not text \x00"),
            member(f"Python-{says}/Lib/link.py", kind=tarfile.SYMTYPE, link="../configure"),
            *more,
        ]
        with tarfile.open(path, "w:xz") as archive:
            for information, content in members:
                archive.addfile(information, io.BytesIO(content))
        return path

    return make


@pytest.mark.parametrize(
    ("made", "before"),
    [
        ("3.15.0a3", "3.15.0a2"),
        ("3.15.0b1", "3.15.0a7"),
        ("3.15.0b3", "3.15.0b2"),
        ("3.15.0rc1", "3.15.0b4"),
        ("3.15.0rc3", "3.15.0rc2"),
        ("3.14.0", "3.14.0rc3"),
        ("3.13.6", "3.13.5"),
        ("3.14.5rc1", "3.14.4"),
        ("3.14.5rc2", "3.14.5rc1"),
        ("3.14.5", "3.14.4"),
    ],
)
def test_every_version_has_one_before_it(made: str, before: str) -> None:
    assert prior(version(made)) == version(before)
    assert follows(version(made), version(before))


def test_the_number_of_candidates_may_vary_but_not_the_series() -> None:
    assert follows(version("3.15.0"), version("3.15.0rc2"))
    assert follows(version("3.15.0rc1"), version("3.15.0b6"))
    assert not follows(version("3.15.0"), version("3.14.4"))
    assert not follows(version("3.13.7"), version("3.13.5"))
    assert not follows(version("3.15.0rc2"), version("3.15.0b4"))


def test_the_first_alpha_follows_a_version_that_is_never_released() -> None:
    assert setting_for(version("3.16.0a1")).branches["main"].text == "3.16.0a0"


@pytest.mark.parametrize(
    "nonsense", ["", "3", "3.15.", "3.15.0a0", "3.15.0c1", "v3.15.0a3", "3.15.0a3 ", "03.15.0", "3.15.0a٣", "2.7.18", "3.15.0rc"]
)
def test_nonsense_is_refused_in_one_sentence(nonsense: str) -> None:
    with pytest.raises(WrongUse) as refused:
        PythonVersion.parse(nonsense)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_a_series_alone_is_its_end() -> None:
    end = version("3.10")
    assert (end.ends, str(end), end.tag, end.branch, end.moved, end.wants_signed_tag) == (True, "3.10", "3.10", "3.10", (), True)
    setting = setting_for(end)
    assert (setting.statuses["3.10"], setting.branches["3.10"]) == ("security", prior(end))
    assert version("3.15.0b1").moved == ("main", "3.15")


@pytest.mark.parametrize("made", ["3.15.0a3", "3.16.0a1", "3.15.0b1", "3.15.0b2", "3.15.0rc1", "3.15.0", "3.13.6", "3.11.17"])
def test_the_small_tree_is_where_the_version_is_natural(made: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    tree = small_tree(tmp_path / "upstream.git", version(made))
    with capsys.disabled():
        sys.stdout.write(f" [{time.perf_counter() - began:.2f} s]")
    before = prior(version(made))
    branch = version(made).branch
    says = git(tree.path, "show", f"{branch}:Include/patchlevel.h")
    assert f'"{before}{before.suffix if before.released else ""}"' in says
    assert (before.tag in tree.tags) == before.released
    assert version(made).tag not in tree.tags
    if before.released:
        assert git(tree.path, "cat-file", "-t", before.tag).strip() == "tag"
        assert git(tree.path, "merge-base", before.tag, branch).strip() == git(tree.path, "rev-parse", f"{before.tag}^{{commit}}").strip()
    assert "error" not in git(tree.path, "fsck", "--strict")
    assert "main" in tree.heads


def test_every_branch_has_news_waiting_and_documentation_to_finish(tmp_path: Path) -> None:
    tree = small_tree(tmp_path / "upstream.git", version("3.13.6"))
    for branch in tree.heads:
        files = git(tree.path, "ls-tree", "-r", "--name-only", branch).splitlines()
        waiting = [path for path in files if path.startswith("Misc/NEWS.d/next/") and "gh-issue" in path]
        assert len(waiting) == 4
        assert sum(path.endswith("/README.rst") and "next" in path for path in files) == 11
        assert ":: next" in git(tree.path, "show", f"{branch}:Doc/library/parrot.rst")


def test_the_base_commit_is_the_tarball_file_by_file(tarball: Tarball, tmp_path: Path) -> None:
    path = tarball()
    assert_base_equals(tree_from_tarball(tmp_path / "upstream.git", path, version("3.13.6")), path, "v3.13.5")


def assert_base_equals(tree: SourceTree, path: Path, tag: str) -> None:
    with tarfile.open(path) as archive:
        wanted = {}
        for information in archive:
            if not information.isdir():
                reader = archive.extractfile(information) if information.isreg() else None
                content = reader.read() if reader else information.linkname.encode()
                mode = "120000" if information.issym() else "100755" if information.mode & 0o111 else "100644"
                wanted[information.name.partition("/")[2]] = (mode, content)
    listing = git(tree.path, "ls-tree", "-r", "-z", tag).split("\0")[:-1]
    entries = {line.split("\t")[1]: line.split("\t")[0].split(" ") for line in listing}
    assert entries.keys() == wanted.keys()
    ids = "".join(f"{object_id}\n" for _, _, object_id in entries.values()).encode()
    stream = subprocess.run(["git", "cat-file", "--batch"], cwd=tree.path, input=ids, capture_output=True, check=True).stdout
    position = 0
    for name, (mode, _, object_id) in entries.items():
        size = len(wanted[name][1])
        header = f"{object_id} blob {size}\n".encode()
        begin = position + len(header)
        assert stream[position:begin] == header, name
        assert (mode, stream[begin : begin + size]) == wanted[name]
        position = begin + size + 1


def test_after_the_tarball_comes_what_tarballs_leave_out(tarball: Tarball, tmp_path: Path) -> None:
    tree = tree_from_tarball(tmp_path / "upstream.git", tarball(), version("3.13.6"))
    subjects = git(tree.path, "log", "--format=%s", "--reverse", "3.13").splitlines()
    assert subjects[:2] == ["Python 3.13.5", "Post 3.13.5"]
    assert git(tree.path, "show", "3.13:README.rst").startswith("This is Python version 3.13.5+\n==============================\n")
    assert "versionchanged:: next" in git(tree.path, "show", "3.13:Doc/library/abc.rst")
    assert "gh-issue" in git(tree.path, "ls-tree", "-r", "--name-only", "3.13", "Misc/NEWS.d/next")
    assert set(tree.heads) == {"main", "3.13"}


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (member("Python-3.13.5/../../etc/passwd", b"x"), "outside the tree"),
        (member("/etc/passwd", b"x"), "outside the tree"),
        (member("Python-3.13.5/.git/hooks/update", b"x"), "git's own files"),
        (member("Python-3.13.5/Lib/.GIT/config", b"x"), "git's own files"),
        (member("beside", b"x"), "beside the one top folder"),
        (member("Python-3.13.5/out", kind=tarfile.SYMTYPE, link="../../etc"), "points outside"),
        (member("Python-3.13.5/out", kind=tarfile.SYMTYPE, link="/etc"), "points outside"),
        (member("Python-3.13.5/hard", kind=tarfile.LNKTYPE, link="Python-3.13.5/configure"), "hard link"),
        (member("Python-3.13.5/null", kind=tarfile.CHRTYPE), "device"),
        (member("Python-3.13.5/pipe", kind=tarfile.FIFOTYPE), "device"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].name,
)
def test_a_hostile_member_is_refused(hostile: tuple[tarfile.TarInfo, bytes], why: str, tarball: Tarball, tmp_path: Path) -> None:
    upstream = tmp_path / "upstream.git"
    with pytest.raises(WrongUse, match=why) as refused:
        tree_from_tarball(upstream, tarball(hostile), version("3.13.6"))
    assert str(refused.value).endswith(".")
    assert git(upstream, "for-each-ref") == ""


def test_a_tarball_that_is_none_is_refused(tmp_path: Path, tarball: Tarball) -> None:
    upstream = tmp_path / "upstream.git"
    with pytest.raises(WrongUse, match="no such file"):
        tree_from_tarball(upstream, tmp_path / "absent.tar.xz", version("3.13.6"))
    cut_short = tarball()
    cut_short.write_bytes(cut_short.read_bytes()[:-40])
    with pytest.raises(WrongUse, match="not a complete tar archive"):
        tree_from_tarball(upstream, cut_short, version("3.13.6"))
    text = tmp_path / "text.tar.gz"
    text.write_text("well")
    with pytest.raises(WrongUse, match="not a complete tar archive"):
        tree_from_tarball(upstream, text, version("3.13.6"))
    assert git(upstream, "for-each-ref") == ""


def test_a_tarball_of_another_version_is_refused(tmp_path: Path, tarball: Tarball) -> None:
    with pytest.raises(WrongUse, match=r"holds Python 3\.13\.5, which 3\.14\.0 does not follow"):
        tree_from_tarball(tmp_path / "upstream.git", tarball(), version("3.14.0"))


def test_the_real_tarball(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.environ.get("BOT_REFERENCE")
    path = Path(folder or ROOT.parent / "shared") / "artifacts" / "source" / "Python-3.13.5.tar.xz"
    if not path.exists():
        message = f"the real tarball {path.name} is absent"
        pytest.fail(message) if folder else pytest.skip(message)
    began = time.perf_counter()
    tree = tree_from_tarball(tmp_path / "upstream.git", path, version("3.13.6"))
    with capsys.disabled():
        sys.stdout.write(f" [{time.perf_counter() - began:.2f} s]")
    assert_base_equals(tree, path, "v3.13.5")
    assert git(tree.path, "show", "3.13:README.rst").startswith("This is Python version 3.13.5+\n")
