from datetime import timedelta
from pathlib import Path

import pytest

from bot.release.ids import CommitId, ObjectId
from bot.services.git import Git, GitError, ObjectMissing
from bot.services.git.objects import parse_commit
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer, commit, git
from tests.git.story import prepare


async def test_a_diff_names_every_path_with_modes_and_ids(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    found = await git_client.fetch_range(FORK, story.base, story.tip)
    assert found.commits == (story.first, story.tip)
    assert {(change.path, change.old_mode, change.new_mode) for change in found.changes} == {
        ("Include/patchlevel.h", "100644", "100644"),
        ("Misc/NEWS.d/next/1.rst", "100644", None),
        ("Tools/run.sh", "100755", "100755"),
        ("gone-before.txt", None, "100644"),
    }
    for change in found.changes:
        assert change.old_id == (git("rev-parse", f"{story.base}:{change.path}", directory=story.fork) if not change.added else None)
        assert change.new_id == (git("rev-parse", f"{story.tip}:{change.path}", directory=story.fork) if not change.deleted else None)
    assert await git_client.file(story.tip, "Include/patchlevel.h") == b'#define PY_VERSION "3.15.0a3"\n'
    assert await git_client.file(story.tip, "Misc/NEWS.d/next/1.rst") is None
    assert await git_client.file(story.tip, "Misc") is None


async def test_submodules_and_links_are_seen_and_not_followed(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    odd = _commit_with(
        story.fork,
        story.tip,
        f"160000 {'a' * 40}\tsub\n120000 {_blob(story.fork, b'/etc/passwd')}\tlink\n100644 {_blob(story.fork, b'x')}\tTools/run.sh\n",
    )
    found = await git_client.fetch_range(FORK, story.tip, odd)
    assert {change.path: (change.old_mode, change.new_mode, change.mode_changed) for change in found.changes} == {
        "sub": (None, "160000", False),
        "link": (None, "120000", False),
        "Tools/run.sh": ("100755", "100644", True),
    }
    assert await git_client.file(odd, "link") == b"/etc/passwd"
    assert await git_client.file(odd, "sub") is None


async def test_a_path_that_is_not_text_is_refused(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    odd = _commit_with(story.fork, story.tip, f"100644 {_blob(story.fork, b'x')}\t".encode() + b"caf\xe9\n")
    with pytest.raises(GitError, match="not valid UTF-8"):
        await git_client.fetch_range(FORK, story.tip, odd)


async def test_ancestry(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    stranger = commit(story.fork, {"other": b"1"}, branch="stranger")
    await git_client.fetch(FORK, [story.tip, stranger])
    assert await git_client.is_ancestor(story.base, story.tip)
    assert not await git_client.is_ancestor(story.tip, story.base)
    assert await git_client.merge_base(story.tip, story.base) == story.base
    assert await git_client.merge_base(story.tip, stranger) is None
    assert await git_client.commits_between(story.base, story.tip) == [story.first, story.tip]


async def test_commits_that_change_the_same_have_the_same_patch_id(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    picked = commit(
        story.fork,
        {"Tools/run.sh": b"#!/bin/sh\nexit 0\n", "Misc/NEWS.d/next/1.rst": None},
        parent=story.base,
        branch="picked",
        message="Other words\n",
    )
    spaced = commit(
        story.fork, {"Tools/run.sh": b"#!/bin/sh\n exit 0\n", "Misc/NEWS.d/next/1.rst": None}, parent=story.base, branch="spaced"
    )
    empty = commit(story.fork, {}, parent=story.base, branch="empty")
    for tip in (story.tip, picked, spaced, empty):
        await git_client.fetch_range(FORK, story.base, tip)
    assert await git_client.patch_id(picked) == await git_client.patch_id(story.tip)
    assert await git_client.patch_id(spaced) != await git_client.patch_id(story.tip)
    assert await git_client.patch_id(empty) == "0" * 40


async def test_a_replayed_commit_has_its_place_where_a_patch_id_has_none(server: GitServer, git_client: Git) -> None:
    block = "def f():\n    one\n    two\n    x = 1\n    three\n    four\n    five\n\n"
    fixed = block.replace("x = 1", "x = 2")
    story = prepare(server, {"f.py": (block * 2).encode()})
    original = commit(story.upstream, {"f.py": (fixed + block).encode()}, parent=story.base)
    moved_on = commit(story.fork, {"other.py": b"pass\n"}, parent=story.base, branch="moved-on")
    right = commit(story.fork, {"f.py": (fixed + block).encode()}, parent=moved_on, branch="right")
    wrong = commit(story.fork, {"f.py": (block + fixed).encode()}, parent=moved_on, branch="wrong")
    conflicting = commit(story.fork, {"f.py": b"gone\n"}, parent=story.base, branch="conflicting")
    await git_client.fetch_range(UPSTREAM, story.base, original)
    for tip in (right, wrong, conflicting):
        await git_client.fetch_range(FORK, story.base, tip)
    assert await git_client.patch_id(original) == await git_client.patch_id(right) == await git_client.patch_id(wrong)
    tree = await git_client.replayed(original, moved_on)
    assert tree == (await git_client.commit(right)).tree
    assert tree != (await git_client.commit(wrong)).tree
    assert await git_client.replayed(original, story.base) == (await git_client.commit(original)).tree
    assert await git_client.replayed(original, conflicting) is None
    merge = git("commit-tree", f"{right}^{{tree}}", "-p", right, "-p", moved_on, "-m", "x", directory=story.fork)
    git("update-ref", "refs/heads/merge", merge, directory=story.fork)
    await git_client.fetch_range(FORK, story.base, merge)
    assert await git_client.replayed(merge, story.base) is None


async def test_sizes_are_told_without_reading(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    read = await git_client.fetch_range(FORK, story.base, story.tip)
    ids = [change.new_id for change in read.changes if change.new_id]
    assert await git_client.sizes(ids) == {id_: len(content) for id_, content in (await git_client.blobs(ids)).items()}
    with pytest.raises(ObjectMissing):
        await git_client.sizes([ObjectId("1" * 40)])


async def test_the_first_commit_of_all_has_a_patch_id(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    root = commit(story.fork, {"a": b"1\n"}, branch="root")
    await git_client.fetch_range(FORK, story.base, root)
    assert len((await git_client.patch_id(root)).strip("0")) > 10


async def test_a_commit_is_read_with_its_offset(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    read = await git_client.commit(story.tip)
    assert (read.author.name, read.author.email, read.message) == ("A Person", "person@example.org", "A change\n")
    assert read.author.at.utcoffset() == timedelta(hours=1)
    assert int(read.author.at.timestamp()) == 1700000000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"tree x",
        b"tree a\ntree b\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nm",
        b"tree a\nauthor A\ncommitter A <a> 1 +0000\n\nm",
    ],
)
def test_a_malformed_commit_is_one_sentence(raw: bytes) -> None:
    with pytest.raises(GitError, match="not well-formed"):
        parse_commit(CommitId("a" * 40), raw)


def _blob(repository: Path, content: bytes) -> str:
    return git("hash-object", "-w", "--stdin", given=content, directory=repository)


def _commit_with(repository: Path, parent: str, entries: str | bytes) -> str:
    (repository / "index").unlink(missing_ok=True)
    git("read-tree", parent, directory=repository)
    git("update-index", "--index-info", given=entries.encode() if isinstance(entries, str) else entries, directory=repository)
    made = git("commit-tree", git("write-tree", directory=repository), "-p", parent, "-m", "odd", directory=repository)
    git("update-ref", "refs/heads/odd", made, directory=repository)
    return made
