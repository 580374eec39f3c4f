"""A source archive is the export of its tag, or every difference is told by its name."""

import dataclasses
import json
import lzma
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.release.version import Version
from bot.verify.archive import Archive, Member, read_archive
from bot.verify.git_attributes import Attributes, LineEnds
from bot.verify.git_objects import Revision, object_id
from bot.verify.git_repository import Repository
from bot.verify.git_tree import GitTree
from bot.verify.programs import ProgramMissing
from bot.verify.result import NotProven, Proven, Unusable
from bot.verify.source_tree import ExportRules, SourceTree
from bot.verify.tag_source import tag_source, tree_for
from bot.verify.unpacking import Compression
from tests.reference import reference
from tests.verify.source_archives import Clone, archive_file, entries

TAG = "v3.14.4"
ATTRIBUTES = b"""# Binary data types
*.png binary

[attr]noeol -text
*.decTest -text

# CRLF files
[attr]dos text eol=crlf
*.bat dos
*.vcxproj*   dos
PC/readme.txt\tdos
Lib/test/cjkencodings/*    noeol
"""
FILES = {
    ".gitattributes": ATTRIBUTES,
    ".gitignore": b"*.o\n",
    ".github/workflows/build.yml": b"on: push\n",
    ".azure-pipelines/ci.yml": b"a\n",
    ".editorconfig": b"root = true\n",
    "Lib/os.py": b"import abc\n",
    "Lib/.gitignore": b"nested ones stay\n",
    "Lib/test/cjkencodings/gb.bat": b"these stay LF\n",
    "Lib/test/a.decTest": b"genuine\r\n",
    "Misc/NEWS.d/3.14.4.rst": b"news\n",
    "Misc/NEWS.d/next/Library/1.rst": b"news\n",
    "PC/readme.txt": b"one\ntwo\n",
    "PCbuild/build.bat": b"@echo off\nexit\n",
    "PCbuild/python.vcxproj.filters": b"<a/>\n<b/>",
    "PCbuild/none.bat": b"no line end",
    "configure": b"#! /bin/sh\n",
    "logo.png": b"\x89PNG\r\n\x1a\n",
}
LEFT_OUT = (".gitattributes", ".gitignore", ".github/", ".azure-pipelines/", "Misc/NEWS.d/")
RULES = ExportRules()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.fresh(tmp_path_factory.mktemp("source") / "clone", FILES, executable={"configure"})


@pytest.fixture(scope="module")
def tree(clone: Clone) -> GitTree:
    return GitTree.from_repository(clone.path, TAG)


@pytest.fixture(scope="module")
def released(clone: Clone) -> dict[str, bytes]:
    """Return the files of the archive, as git itself exports them and the release tools go on."""
    files = {path: content for path, content in clone.exported().items() if not path.startswith(LEFT_OUT)}
    return {**files, "Misc/NEWS": b"all news\n"}


def read(folder: Path, files: dict[str, bytes], *, executable: tuple[str, ...] = ("configure",)) -> Archive:
    return read_archive(archive_file(folder / "Python-3.14.4.tgz", entries(files, executable=executable)))


def refusal(tree: GitTree, archive: Archive, rules: ExportRules = RULES) -> NotProven:
    with pytest.raises(NotProven) as refused:
        SourceTree(tree, rules).verify(archive)
    assert type(refused.value) is NotProven
    return refused.value


def test_the_export_of_a_real_repository_is_explained(tmp_path: Path, tree: GitTree, released: dict[str, bytes]) -> None:
    assert released["PCbuild/build.bat"] == b"@echo off\r\nexit\r\n"
    proven = SourceTree(tree, RULES).verify(read(tmp_path, released))
    assert "11 files equal the tag's by content and mode, 3 of them with the CRLF" in proven.why
    assert "6 are left out as documented" in proven.why
    assert "nothing is unexplained but Misc/NEWS, the one file that the tag does not hold." in proven.why
    assert proven.diagnostics[0].startswith("Misc/NEWS is made of Misc/NEWS.d and not in the tag: 9 bytes, SHA-256 ")


Change = Callable[[dict[str, bytes]], dict[str, bytes]]
ALTERED: dict[str, tuple[Change, str]] = {
    "an extra file": (lambda files: {**files, "Lib/evil.py": b""}, "extra: 'Lib/evil.py'"),
    "a compiled file": (lambda files: {**files, "Lib/__pycache__/os.pyc": b""}, "extra: 'Lib/__pycache__/os.pyc'"),
    "what the export leaves out": (lambda files: {**files, ".gitignore": b"*.o\n"}, "extra: '.gitignore' (the export leaves it out)"),
    "a workflow": (
        lambda files: {**files, ".github/workflows/build.yml": b"on: push\n"},
        "extra: '.github/workflows/build.yml' (the export leaves it out)",
    ),
    "a missing file": (lambda files: {path: files[path] for path in files if path != "Lib/os.py"}, "missing: 'Lib/os.py'"),
    "a nested .gitignore": (lambda files: {path: files[path] for path in files if path != "Lib/.gitignore"}, "missing: 'Lib/.gitignore'"),
    "no news": (
        lambda files: {path: files[path] for path in files if path != "Misc/NEWS"},
        "missing: 'Misc/NEWS' (it is made of Misc/NEWS.d)",
    ),
    "a changed file": (lambda files: {**files, "configure": b"#! /bin/sh\nevil\n"}, "changed: 'configure' (blob "),
    "a changed file with CRLF": (
        lambda files: {**files, "PCbuild/build.bat": b"@echo off\r\nevil\r\n"},
        "changed: 'PCbuild/build.bat' (blob ",
    ),
    "LF for CRLF": (
        lambda files: {**files, "PCbuild/build.bat": b"@echo off\nexit\n"},
        "changed: 'PCbuild/build.bat' (its lines do not end with CRLF, which .gitattributes asks for)",
    ),
    "CRLF and LF": (lambda files: {**files, "PCbuild/build.bat": b"@echo off\r\nexit\n"}, "changed: 'PCbuild/build.bat' (blob "),
    "CR CR LF": (lambda files: {**files, "PCbuild/build.bat": b"@echo off\r\r\nexit\r\n"}, "changed: 'PCbuild/build.bat' (blob "),
    "CRLF for LF": (
        lambda files: {**files, "Lib/os.py": b"import abc\r\n"},
        "changed: 'Lib/os.py' (its lines end with CRLF, which .gitattributes does not ask for)",
    ),
    "genuine CRLF undone": (lambda files: {**files, "Lib/test/a.decTest": b"genuine\n"}, "changed: 'Lib/test/a.decTest' (blob "),
    "a renamed file": (
        lambda files: {("Lib/so.py" if path == "Lib/os.py" else path): content for path, content in files.items()},
        "extra: 'Lib/so.py'",
    ),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_archive_is_refused_by_name(case: str, tmp_path: Path, tree: GitTree, released: dict[str, bytes]) -> None:
    change, expected = ALTERED[case]
    refused = refusal(tree, read(tmp_path, change(released)))
    assert any(line.startswith(expected) for line in refused.diagnostics), refused.diagnostics
    assert expected in refused.why
    assert refused.why.startswith("Python-3.14.4.tgz is not the export of v3.14.4: ")


@pytest.mark.parametrize(
    ("executable", "expected"),
    [
        ((), "mode: 'configure' (0644 in the archive, 100755 in the tag)"),
        (("configure", "Lib/os.py"), "mode: 'Lib/os.py' (0755 in the archive, 100644 in the tag)"),
        (("configure", "Misc/NEWS"), "mode: 'Misc/NEWS' (0755, but it is a text)"),
    ],
)
def test_another_mode_is_refused_by_name(
    executable: tuple[str, ...], expected: str, tmp_path: Path, tree: GitTree, released: dict[str, bytes]
) -> None:
    assert refusal(tree, read(tmp_path, released, executable=executable)).diagnostics == (expected,)


def test_an_empty_folder_is_refused_by_name(tmp_path: Path, tree: GitTree, released: dict[str, bytes]) -> None:
    archive = read(tmp_path, released)
    folders = {**archive.folders, "Misc/NEWS.d": archive.folders[""]}
    assert refusal(tree, dataclasses.replace(archive, folders=folders)).diagnostics == ("extra: 'Misc/NEWS.d/' (an empty folder)",)


def test_every_kind_of_difference_is_counted(tmp_path: Path, tree: GitTree, released: dict[str, bytes]) -> None:
    files = {**released, "a": b"", "b": b"", "logo.png": b"evil", "Lib/new.py": b""}
    del files["Lib/os.py"]
    refused = refusal(tree, read(tmp_path, files, executable=()))
    assert "3 extra, 1 missing, 1 changed, 1 mode; " in refused.why
    assert len(refused.diagnostics) == 6


def test_the_archive_of_another_tag_is_refused(tmp_path: Path, tree: GitTree) -> None:
    refused = refusal(tree, read(tmp_path, {f"{number}.py": b"" for number in range(400)}))
    assert "and 212 more" in refused.diagnostics[-1]


def test_what_older_tools_left_out_is_explained(tmp_path: Path) -> None:
    files = {"README": b"a\n", ".travis.yml": b"a\n", "Doc/build/a": b"a\n", "Lib/a.pyc": b"a", "Misc/NEWS": b"in the tag\n"}
    clone = Clone.fresh(tmp_path / "clone", files, tag="v3.5.10")
    tree = GitTree.from_repository(clone.path, "v3.5.10")
    rules = ExportRules.for_version(Version.parse("3.5.10"))
    kept = {path: files[path] for path in ("README", "Misc/NEWS")}
    assert SourceTree(tree, rules).verify(read(tmp_path, kept)).why.endswith("nothing is unexplained.")
    assert "3 files equal" in SourceTree(tree, rules).verify(read(tmp_path, {**kept, ".travis.yml": b"a\n"})).why
    assert refusal(tree, read(tmp_path, {**kept, ".travis.yml": b"b\n"}), rules).diagnostics[0].startswith("changed: '.travis.yml'")
    assert refusal(tree, read(tmp_path, {**kept, "Misc/NEWS": b"b\n"}), rules).diagnostics[0].startswith("changed: 'Misc/NEWS'")
    assert ExportRules.for_version(Version.parse("3.14.4")) == RULES
    assert ".github" in rules.removable


def test_links_and_submodules_of_a_tag_are_not_taken_for_files(tmp_path: Path) -> None:
    clone = Clone.fresh(tmp_path / "clone", {"README": b"a\n"}, tag="v1.0.0")
    (clone.path / "link").symlink_to("README")
    clone.git("add", "link")
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    clone.git("commit", "--quiet", "--message", "more")
    clone.git("tag", "--annotate", "--message", "more", TAG)
    tree = GitTree.from_repository(clone.path, TAG)
    assert refusal(tree, read(tmp_path, {"README": b"a\n"})).diagnostics == (
        "missing: 'link' (the tag has a link there)",
        "missing: 'module' (the tag has a submodule there)",
    )
    refused = refusal(tree, read(tmp_path, {"README": b"a\n", "link": b"README", "module": b""}))
    assert [line.split(" ")[0] for line in refused.diagnostics] == ["changed:", "changed:"]


def test_a_repository_gives_the_tag_its_commit_and_its_tree(clone: Clone, tree: GitTree) -> None:
    assert tree.revision == Revision(
        name=TAG,
        tag_id=clone.git("rev-parse", TAG).decode().strip(),
        commit_id=clone.git("rev-parse", f"{TAG}^{{commit}}").decode().strip(),
        tree_id=clone.git("rev-parse", f"{TAG}^{{tree}}").decode().strip(),
    )
    assert tree.tree_id == tree.revision.tree_id
    listed = clone.git("ls-tree", "-r", "-z", TAG).decode().rstrip("\0").split("\0")
    assert {path: f"{entry.mode} blob {entry.object_id}" for path, entry in tree.entries.items()} == {
        line.split("\t")[1]: line.split("\t")[0] for line in listed
    }


def test_a_bare_repository_and_a_working_tree_beside_it_are_read(tmp_path: Path, clone: Clone, tree: GitTree) -> None:
    clone.git("clone", "--quiet", "--bare", str(clone.path), str(tmp_path / "bare.git"))
    assert GitTree.from_repository(tmp_path / "bare.git", TAG).revision == tree.revision
    (tmp_path / "bare.git" / "packed-refs").touch()
    subprocess.run(
        ["git", "--git-dir", tmp_path / "bare.git", "worktree", "add", "--quiet", tmp_path / "beside", TAG], check=True, capture_output=True
    )
    assert GitTree.from_repository(tmp_path / "beside", TAG).revision == tree.revision


def test_nothing_of_a_repository_runs_or_is_believed(tmp_path: Path, clone: Clone, tree: GitTree) -> None:
    mark = tmp_path / "ran"
    hostile = tmp_path / "hostile"
    clone.git("clone", "--quiet", str(clone.path), str(hostile))
    other = Clone(path=hostile)
    command = f"touch {mark}"
    for name in ("core.pager", "core.fsmonitor", "core.sshCommand", "core.editor", "filter.x.smudge", "diff.external", "alias.cat-file"):
        other.git("config", name, f"!{command}" if name.startswith("alias") else command)
    blob = tree.entries["Lib/os.py"].object_id
    replacement = other.git("hash-object", "-w", "--stdin", given=b"evil\n").decode().strip()
    other.git("replace", blob, replacement)
    other.git("replace", tree.tree_id, other.git("mktree", given=f"100644 blob {blob}\tx\n".encode()).decode().strip())
    assert GitTree.from_repository(hostile, TAG).entries == tree.entries
    assert not mark.exists()


def test_an_object_that_is_not_what_its_id_says_is_refused(tmp_path: Path, clone: Clone, tree: GitTree) -> None:
    damaged = Clone(path=tmp_path / "damaged")
    clone.git("clone", "--quiet", "--no-local", str(clone.path), str(damaged.path))
    damaged.git("config", "gc.auto", "0")
    pack = next((damaged.path / ".git/objects/pack").glob("*.pack"))
    content = pack.read_bytes()
    for file in pack.parent.iterdir():
        file.unlink()
    damaged.git("unpack-objects", "-q", given=content)
    other = damaged.git("hash-object", "-w", "-t", "tree", "--stdin", given=b"").decode().strip()
    objects = damaged.path / ".git/objects"
    root = objects / tree.tree_id[:2] / tree.tree_id[2:]
    root.chmod(0o600)
    root.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    with pytest.raises((NotProven, Unusable)) as refused:
        GitTree.from_repository(damaged.path, TAG)
    assert "use another clone" in refused.value.why


def test_a_partial_clone_is_not_completed_over_the_network(tmp_path: Path, clone: Clone) -> None:
    clone.git("config", "uploadpack.allowFilter", "true")
    partial = Clone(path=tmp_path / "partial")
    clone.git("clone", "--quiet", "--bare", "--filter=tree:0", f"file://{clone.path}", str(partial.path))
    before = sorted((partial.path / "objects/pack").iterdir())
    with pytest.raises((NotProven, Unusable)):
        GitTree.from_repository(partial.path, TAG)
    assert sorted((partial.path / "objects/pack").iterdir()) == before


@pytest.mark.parametrize(
    ("tag", "why"),
    [("v9.9.9", "There is no tag v9.9.9"), ("--help", "not the name of a release's tag"), ("v1\nHEAD", "not the name of a release's tag")],
)
def test_a_tag_that_is_not_there_is_told(clone: Clone, tag: str, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        GitTree.from_repository(clone.path, tag)


def test_renamed_nested_and_misplaced_tags_are_refused(tmp_path: Path, clone: Clone) -> None:
    other = Clone(path=tmp_path / "other")
    clone.git("clone", "--quiet", str(clone.path), str(other.path))
    other.git("update-ref", "refs/tags/v9.9.9", other.git("rev-parse", TAG).decode().strip())
    other.git("tag", "--annotate", "--message", "nested", "v8.8.8", TAG)
    other.git("tag", "--annotate", "--message", "a tree", "v7.7.7", f"{TAG}^{{tree}}")
    for tag, why in (
        ("v9.9.9", "was made as 'v3.14.4', not as 'v9.9.9'"),
        ("v8.8.8", "is not on a commit"),
        ("v7.7.7", "is not on a commit"),
    ):
        with pytest.raises(NotProven, match=why):
            GitTree.from_repository(other.path, tag)


def test_what_is_no_repository_is_told(tmp_path: Path, clone: Clone) -> None:
    with pytest.raises(Unusable, match="is not a git repository"):
        GitTree.from_repository(tmp_path, TAG)
    (tmp_path / "objects").mkdir()
    with pytest.raises(Unusable, match="git cannot read"):
        GitTree.from_repository(tmp_path, TAG)
    clone.git("init", "--quiet", "--bare", "--object-format=sha256", str(tmp_path / "sha256"))
    with pytest.raises(Unusable):
        GitTree.from_repository(tmp_path / "sha256", TAG)


@pytest.mark.parametrize(
    ("script", "error", "why"),
    [
        ("exec sleep 60", Unavailable, "git was not done after 0.5 seconds"),
        ("exec head -c 90000000 /dev/zero", NotProven, "exceeds 67,108,864 bytes at once"),
        ("echo nonsense", Unusable, "git's answer is not understood"),
        ("exit 3", Unusable, "git cannot read"),
        (None, ProgramMissing, "git could not be started"),
    ],
)
def test_a_git_that_misbehaves_is_stopped(
    script: str | None, error: type[Exception], why: str, tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if script else str(tmp_path))
    with pytest.raises(error, match=why):
        Repository(clone.path, timeout=0.5 if error is Unavailable else 30).revision(TAG)


def test_a_lightweight_tag_has_a_tree_but_no_object(tmp_path: Path, clone: Clone, tree: GitTree) -> None:
    other = Clone(path=tmp_path / "other")
    clone.git("clone", "--quiet", str(clone.path), str(other.path))
    other.git("tag", "v6.6.6", f"{TAG}^{{commit}}")
    found = tag_source(other.path, "v6.6.6")
    assert found.raw is None
    assert found.tree is not None
    assert found.tree.revision == Revision(name="v6.6.6", commit_id=found.commit_id, tree_id=tree.tree_id)


def test_a_tag_object_alone_tells_its_commit_but_no_files(tmp_path: Path, clone: Clone, tree: GitTree) -> None:
    file = tmp_path / "v3.14.4.tag"
    file.write_bytes(clone.git("cat-file", "tag", TAG))
    found = tag_source(file, TAG)
    assert (found.tree, found.raw) == (None, file.read_bytes())
    assert tree.revision is not None
    assert found.commit_id == tree.revision.commit_id
    with pytest.raises(Unusable, match="is the tag object alone"):
        tree_for(file, TAG)
    with pytest.raises(NotProven, match=r"not as 'v3\.14\.5'"):
        tag_source(file, "v3.14.5")
    with pytest.raises(Unusable, match="cannot be read"):
        tag_source(tmp_path / "nothing", TAG)
    assert tree_for(clone.path, TAG) == tag_source(clone.path, TAG).tree or tree_for(clone.path, TAG).revision == tree.revision


def github(clone: Clone, **changes: Any) -> bytes:
    """Return what GitHub would answer about the tag's tree."""
    rows = []
    for line in clone.git("ls-tree", "-r", "-t", "-z", TAG).decode().rstrip("\0").split("\0"):
        head, path = line.split("\t")
        mode, kind, sha = head.split()
        rows.append({"path": path, "mode": mode, "type": kind, "sha": sha})
    answer = {"sha": clone.git("rev-parse", f"{TAG}^{{tree}}").decode().strip(), "truncated": False, "tree": rows}
    return json.dumps(answer | changes).encode()


HELD = {".gitattributes": ATTRIBUTES}


def test_githubs_answer_gives_the_same_tree(clone: Clone, tree: GitTree) -> None:
    found = GitTree.from_github(github(clone), HELD)
    assert (found.tree_id, found.entries) == (tree.tree_id, tree.entries)
    assert found.name == f"tree {tree.tree_id[:12]}"
    assert GitTree.from_github(github(clone, sha="0" * 40), HELD, revision=tree.revision).revision == tree.revision


def test_an_altered_answer_of_githubs_is_refused(clone: Clone, tree: GitTree) -> None:
    document = json.loads(github(clone))
    document["tree"][-1]["sha"] = "1" * 40
    altered = json.dumps(document).encode()
    with pytest.raises(NotProven, match="add up to tree"):
        GitTree.from_github(altered, HELD)
    with pytest.raises(NotProven, match="those of another commit, or altered"):
        GitTree.from_github(altered, HELD, revision=tree.revision)
    with pytest.raises(NotProven, match="is not the one that the tree holds"):
        GitTree.from_github(github(clone), {".gitattributes": b"* -text\n"})
    with pytest.raises(Unusable, match=r"The content of \.gitattributes is needed"):
        GitTree.from_github(github(clone))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"truncated": True}, "cut the list of files short"),
        ({"truncated": None}, "cut the list of files short"),
        ({"tree": None}, "is not GitHub's answer"),
        ({"sha": None}, "is not GitHub's answer"),
        ({"tree": ["x"]}, "a row without path, mode and id"),
        ({"tree": [{"path": "a", "mode": "100644", "sha": "x"}]}, "a row without path, mode and id"),
        ({"tree": [{"path": "../a", "mode": "100644", "sha": "1" * 40}]}, "a row that git would not write"),
        ({"tree": [{"path": "a", "mode": "777", "sha": "1" * 40}]}, "a row that git would not write"),
        ({"tree": [{"path": "\ud800", "mode": "100644", "sha": "1" * 40}]}, "a row that git would not write"),
        ({"tree": [{}] * 100_001}, "which no CPython tree has"),
    ],
)
def test_what_is_no_answer_of_githubs_is_told(clone: Clone, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Unusable, match=why):
        GitTree.from_github(github(clone, **changes), HELD)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'"' + b"x" * (1 << 25) + b'"'])
def test_any_other_answer_is_told_too(answer: bytes) -> None:
    with pytest.raises(Unusable):
        GitTree.from_github(answer)


def raw_objects(clone: Clone) -> tuple[bytes, bytes, dict[str, bytes]]:
    trees = [line.split()[2] for line in clone.git("ls-tree", "-r", "-d", TAG).decode().splitlines()]
    trees.append(clone.git("rev-parse", f"{TAG}^{{tree}}").decode().strip())
    return (
        clone.git("cat-file", "tag", TAG),
        clone.git("cat-file", "commit", TAG),
        {one: clone.git("cat-file", "tree", one) for one in trees},
    )


def test_raw_objects_give_the_same_tree_and_are_not_believed(clone: Clone, tree: GitTree) -> None:
    tag, commit, trees = raw_objects(clone)
    revision = Revision.of(name=TAG, tag=tag, commit=commit)
    assert revision == tree.revision
    assert GitTree.from_objects(revision, trees, HELD).entries == tree.entries
    for one in trees:
        with pytest.raises(NotProven, match="is missing"):
            GitTree.from_objects(revision, {key: value for key, value in trees.items() if key != one}, HELD)
        with pytest.raises(NotProven, match="belongs to another"):
            GitTree.from_objects(revision, {**trees, one: trees[one].replace(b"100644", b"100755")[::1] + b"x"}, HELD)


def test_a_chain_with_a_foreign_link_is_refused(clone: Clone) -> None:
    tag, commit, _ = raw_objects(clone)
    other = commit.replace(b"RM", b"MR", 1)
    with pytest.raises(NotProven, match="it is not the tag of that commit"):
        Revision.of(name=TAG, tag=tag, commit=other)
    with pytest.raises(NotProven, match="altered or mixed up"):
        Revision.of(name=TAG, commit=other, commit_id=object_id("commit", commit))
    with pytest.raises(NotProven, match="not a well-formed commit"):
        Revision.of(name=TAG, commit=b"parent x\n" + commit)
    with pytest.raises(NotProven, match="not as"):
        Revision.of(name="v3.14.5", tag=tag, commit=commit)


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        b"100644 a",
        b"100644 a\0" + b"1" * 19,
        b"100666 a\0" + b"1" * 20,
        b"100644 .git\0" + b"1" * 20,
        b"100644 \xff\0" + b"1" * 20,
        b"100644 a/b\0" + b"1" * 20,
        b"100644 ..\0" + b"1" * 20,
        (b"100644 a\0" + b"1" * 20) * 2,
    ],
)
def test_a_malformed_tree_is_refused(raw: bytes) -> None:
    root = object_id("tree", raw)
    revision = Revision(name=TAG, commit_id="0" * 40, tree_id=root)
    with pytest.raises(NotProven):
        GitTree.from_objects(revision, {root: raw})


def test_a_tree_that_holds_itself_many_times_over_is_refused() -> None:
    trees: dict[str, bytes] = {}
    raw = b"100644 a\0" + b"1" * 20
    for _ in range(30):
        current = object_id("tree", raw)
        trees[current] = raw
        raw = b"".join(b"40000 %d\0" % number + bytes.fromhex(current) for number in range(10))
    root = object_id("tree", raw)
    with pytest.raises(NotProven, match="more than 100,000 entries"):
        GitTree.from_objects(Revision(name=TAG, commit_id="0" * 40, tree_id=root), {**trees, root: raw})


PATTERNS = [
    "*.bat", "a.bat", "/a.bat", "PC/*", "PC/**", "**/PC/*.txt", "PC/**/z.txt", "/PC/readme.txt", "PC", "PC/", "*", "[a-c].bat", "[!a].bat",
    "?.bat", "a\\?.bat", '"a b.bat"', "**", "**/*.bat", "x/**/y/*.c", "*.vcxproj*", "!a.bat", "[]a].bat", "PC/[[:alpha:]].txt", "d/*.bat",
    "*a*.*t", "P*/*.t*t", "*/*/*.c", "*.*.*s", "**/*/y/*.*", "*b*a*t", "x/**/*/*.c",
]  # fmt: skip
STATES = ["text eol=crlf", "-text", "dos", "noeol", "binary", "text=auto eol=crlf", "!eol", "eol=lf", "text", "!text", "eol=crlf", "-dos"]
STATES += ["-crlf eol=crlf", "!dos", "text=input eol=crlf", "dos eol=lf", "eol=lf dos", "-text=x", "text=other eol=crlf", "binary text"]
PATHS = [
    "a.bat", "b.bat", "z.bat", "a?.bat", "a b.bat", "PC/readme.txt", "PC/a.bat", "PC/d/z.txt", "PC/z.txt", "q/PC/a.txt", "x/y/a.c",
    "x/1/2/y/a.c", "PC/x.vcxproj.filters", "d/a.bat", "d/d/a.bat", "].bat",
]  # fmt: skip
MACROS = "[attr]noeol -text\n[attr]dos text eol=crlf\n"
LINES = st.lists(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(STATES), st.sampled_from([" ", "\t", "  \t "])), max_size=6)


def line_ends_by_git(clone: Clone) -> dict[str, LineEnds]:
    """Return how git writes each path, out of what it says of the attributes."""
    out = clone.git("check-attr", "--stdin", "-z", "text", "crlf", "eol", given="\0".join(PATHS).encode()).decode().split("\0")
    said: dict[str, dict[str, str]] = {path: {} for path in PATHS}
    for path, name, value in zip(out[0::3], out[1::3], out[2::3], strict=False):
        said[path][name] = value
    found = {}
    for path, states in said.items():
        known = [states[name] for name in ("text", "crlf") if states[name] in {"set", "unset", "auto", "input"}]
        text = known[0] if known else ""
        crlf = LineEnds.GUESSED if text == "auto" else LineEnds.CRLF
        found[path] = crlf if states["eol"] == "crlf" and text != "unset" else LineEnds.EXACT
    return found


@pytest.fixture(scope="module")
def attributes_clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.fresh(tmp_path_factory.mktemp("attributes") / "clone", {"a": b""})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=LINES, nested=LINES)
def test_patterns_and_macros_are_followed_as_git_does(
    attributes_clone: Clone, top: list[tuple[str, str, str]], nested: list[tuple[str, str, str]]
) -> None:
    files = {
        ".gitattributes": (MACROS + "".join(f"{pattern}{gap}{state}\n" for pattern, state, gap in top)).encode(),
        "d/.gitattributes": "".join(f"{pattern}{gap}{state}\n" for pattern, state, gap in nested).encode(),
    }
    for path, content in files.items():
        file = attributes_clone.path / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    attributes = Attributes(files)
    assert {path: attributes.line_ends(path) for path in PATHS} == line_ends_by_git(attributes_clone)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"*a*b*c*d*e*f*g*h*i text\n", "9 stars"),
        (b"**/a/**/b/**/c text\n", "6 stars"),
        (b"a text\n" * 6000, "longer than any"),
        (b"x" * ((1 << 20) + 1), "longer than any"),
    ],
)
def test_attributes_that_would_take_for_ever_are_not_followed(content: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        Attributes({".gitattributes": content})


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*b", "**/*a*a*a*a*a*b", "**/**/a/*a*a*a*b"])
def test_no_pattern_takes_long_to_follow(pattern: str) -> None:
    attributes = Attributes({".gitattributes": f"{pattern} text eol=crlf\n".encode()})
    worked = time.process_time()
    assert attributes.line_ends("/".join(["a" * 200, "a" * 199])) is LineEnds.EXACT
    assert time.process_time() - worked < 1


def test_guessed_line_ends_may_be_either(tmp_path: Path) -> None:
    clone = Clone.fresh(tmp_path / "clone", {".gitattributes": b"* text=auto eol=crlf\n", "a": b"1\n2\n", "b": b"\0\n"})
    tree = GitTree.from_repository(clone.path, TAG)
    files = {path: content for path, content in clone.exported().items() if path != ".gitattributes"}
    assert files == {"a": b"1\r\n2\r\n", "b": b"\0\n"}
    assert "2 files equal" in SourceTree(tree, RULES).verify(read(tmp_path, files)).why


def real_tree(**options: Any) -> GitTree:
    tag, commit = (reference(f"artifacts/tags/cpython-v3.9.2.{end}").read_bytes() for end in ("tag", "commit"))
    answer = lzma.decompress(reference("artifacts/trees/cpython-v3.9.2.tree.json.xz").read_bytes())
    attributes = {".gitattributes": reference("artifacts/trees/cpython-v3.9.2.gitattributes").read_bytes()}
    return GitTree.from_github(answer, attributes, revision=Revision.of(name="v3.9.2", tag=tag, commit=commit), **options)


def archive_of(tree: GitTree) -> Archive:
    """Return what reading the archive of a real tree would give; the contents themselves are not here, only git's ids of them."""
    rules = ExportRules.for_version(Version.parse("3.9.2"))

    def member(mode: str, blob: str, *, crlf: bool) -> Member:
        return Member(
            size=1,
            mode=0o755 if mode == "100755" else 0o644,
            uid=0,
            gid=0,
            mtime=0,
            blob_id="f" * 40 if crlf else blob,
            sha1="",
            sha256="",
            crlf_blob_id=blob if crlf else None,
        )

    members = {
        path: member(entry.mode, entry.object_id, crlf=tree.line_ends(path) is LineEnds.CRLF)
        for path, entry in tree.entries.items()
        if not rules.is_removed(path) and not rules.is_removable(path)
    }
    return Archive(
        name="Python-3.9.2.tgz",
        compression=Compression.GZIP,
        top="Python-3.9.2",
        members={**members, "Misc/NEWS": member("100644", "e" * 40, crlf=False)},
        folders={},
        tar_sha256="",
        tar_size=0,
    )


def test_a_real_tag_its_commit_and_its_tree_belong_together() -> None:
    tree = real_tree()
    assert tree.revision is not None
    assert tree.revision.tag_id == reference("artifacts/tags/cpython-v3.9.2.oid").read_text().strip()
    assert tree.tree_id == "1d70f3ca3031c1e2228f24d86351be7a59a8dcc6"
    assert sum(tree.line_ends(path) is LineEnds.CRLF for path in tree.entries) == 150


def test_a_matching_archive_of_a_real_tree_is_explained_and_an_altered_one_refused() -> None:
    tree = real_tree()
    proof, archive = SourceTree(tree, ExportRules.for_version(Version.parse("3.9.2"))), archive_of(tree)
    proven = proof.verify(archive)
    assert isinstance(proven, Proven)
    assert "150 of them with the CRLF" in proven.why
    changed = dataclasses.replace(archive.members["configure"], blob_id="1" * 40)
    plain = dataclasses.replace(
        archive.members["PCbuild/build.bat"], blob_id=tree.entries["PCbuild/build.bat"].object_id, crlf_blob_id=None
    )
    members = {**archive.members, "configure": changed, "PCbuild/build.bat": plain, "Lib/evil.py": changed}
    del members["README.rst"]
    with pytest.raises(NotProven) as refused:
        proof.verify(dataclasses.replace(archive, members=members))
    assert {line.split(" (")[0] for line in refused.value.diagnostics} == {
        "changed: 'configure'",
        "changed: 'PCbuild/build.bat'",
        "extra: 'Lib/evil.py'",
        "missing: 'README.rst'",
    }
