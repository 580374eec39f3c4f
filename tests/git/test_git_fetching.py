import asyncio
import os
import select
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from bot.errors import Refused, Unavailable
from bot.services.git import Git, GitError, Limits, ObjectMissing, TooLarge
from bot.services.git.process import Call, Runner
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer, annotated, commit, git
from tests.git.story import prepare

UNKNOWN = "1" * 40


async def test_a_tree_of_three_thousand_files_costs_a_handful_of_requests(server: GitServer, git_client: Git) -> None:
    files: dict[str, bytes | None] = {f"Lib/package{n % 60}/part{n % 7}/module{n}.py": f"value = {n}\n".encode() for n in range(3000)}
    story = prepare(
        server, {**files, "Include/patchlevel.h": b"old\n", "Tools/run.sh": b"#!/bin/sh\n", "Misc/NEWS.d/next/1.rst": b"news\n"}
    )
    await git_client.fetch(UPSTREAM, [story.base])
    await git_client.fetch(FORK, [story.tag])
    found = await git_client.fetch_range(FORK, story.base, story.tip)
    for change in found.changes:
        await git_client.blobs([id_ for id_ in (change.old_id, change.new_id) if id_])
    await git_client.patch_id(story.tip)
    assert len(found.changes) == 4
    assert len([line for line in server.requests if line.startswith("POST")]) <= 6
    assert len(server.requests) <= 12


async def test_what_is_here_already_costs_no_request(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    first = await git_client.fetch_range(FORK, story.base, story.tip)
    await git_client.fetch(FORK, [story.tag])
    server.requests.clear()
    assert await git_client.fetch_range(FORK, story.base, story.tip) == first
    await git_client.fetch(FORK, [story.tag, story.base])
    assert server.requests == []


async def test_nothing_is_fetched_behind_our_back(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.base, story.tip])
    server.requests.clear()
    (change,) = [change for change in await git_client.diff(story.base, story.tip) if change.path == "Tools/run.sh"]
    assert change.new_id
    with pytest.raises(ObjectMissing, match="has to be fetched"):
        await git_client.blobs([change.new_id])
    with pytest.raises(ObjectMissing):
        await git_client.patch_id(story.tip)
    with pytest.raises(ObjectMissing):
        await git_client.commit(UNKNOWN)
    assert server.requests == []
    await git_client.fetch(FORK, [change.new_id])
    assert await git_client.blobs([change.new_id]) == {change.new_id: b"#!/bin/sh\nexit 0\n"}


async def test_single_files_of_a_commit_can_be_fetched(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    found = await git_client.fetch_files(FORK, story.tip, "README.rst", "Tools/run.sh", "nowhere", "Misc")
    assert found == {"README.rst": b"This is Python\n", "Tools/run.sh": b"#!/bin/sh\nexit 0\n"}
    assert await git_client.file(story.tip, "README.rst") == b"This is Python\n"
    server.requests.clear()
    assert await git_client.fetch_files(FORK, story.tip, "README.rst") == {"README.rst": b"This is Python\n"}
    assert server.requests == []


async def test_a_tag_object_comes_with_its_commit(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tag])
    assert await git_client.kind(story.tag) == "tag"
    assert (await git_client.raw("tag", story.tag)).startswith(f"object {story.tip}\n".encode())
    assert (await git_client.commit(story.tip)).parents == (story.first,)
    with pytest.raises(GitError, match="is a tag, not a commit"):
        await git_client.commit(story.tag)


async def test_a_tag_of_a_tree_and_a_bare_tree_can_be_fetched_whole(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    tree = git("rev-parse", f"{story.base}^{{tree}}", directory=story.fork)
    tag = annotated(story.fork, "odd", tree)
    await git_client.fetch(FORK, [tag])
    assert b"type tree" in await git_client.raw("tag", tag)
    await git_client.fetch(FORK, [tree])
    assert {change.path for change in await git_client.diff(tree, tree)} == set()
    await git_client.fetch(FORK, [story.tip])
    assert {change.path for change in await git_client.diff(tree, story.tip)} >= {"Tools/run.sh"}


async def test_history_that_forks_and_merges_is_brought_whole(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    side = commit(story.fork, {"side.txt": b"side\n"}, parent=f"{story.base}^", branch="side")
    tree = git("merge-tree", "--write-tree", story.tip, side, directory=story.fork)
    merge = git("commit-tree", tree, "-p", story.tip, "-p", side, "-m", "Merge", directory=story.fork)
    git("update-ref", "refs/heads/merged", merge, directory=story.fork)
    found = await git_client.fetch_range(FORK, story.base, merge)
    assert set(found.commits) == {story.first, story.tip, side, merge}
    for one in found.commits:
        assert await git_client.patch_id(one)


@pytest.mark.parametrize("setting", ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"])
async def test_servers_that_can_do_less_are_served_too(server: GitServer, git_client: Git, setting: str) -> None:
    story = prepare(server)
    git("config", setting, "false", directory=story.fork)
    found = await git_client.fetch_range(FORK, story.base, story.tip)
    assert len(found.changes) == 4


async def test_an_object_nobody_has_is_a_definite_no(server: GitServer, git_client: Git) -> None:
    prepare(server)
    with pytest.raises(Refused, match=f"manager/cpython has no object {UNKNOWN}"):
        await git_client.fetch(FORK, [UNKNOWN])


async def test_a_malformed_object_is_not_taken_over(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    raw = git("cat-file", "commit", story.tip, directory=story.fork).replace("<person@example.org>", "person")
    bad = git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=raw.encode(), directory=story.fork)
    git("update-ref", "refs/heads/bad", bad, directory=story.fork)
    with pytest.raises(Refused, match=f"object {bad}, which git finds malformed"):
        await git_client.fetch(FORK, [bad])


async def test_a_repository_that_is_not_there_is_a_definite_no(git_client: Git) -> None:
    with pytest.raises(Refused, match="404") as refused:
        await git_client.fetch(FORK, [UNKNOWN])
    assert refused.value.status == 404


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (403, Refused), (429, Unavailable), (500, Unavailable), (503, Unavailable)])
async def test_what_the_server_answers_is_told_apart(server: GitServer, git_client: Git, status: int, error: type[Exception]) -> None:
    story = prepare(server)
    server.status = status
    with pytest.raises(error, match=str(status)):
        await git_client.fetch(FORK, [story.tip])
    with pytest.raises(error, match=str(status)):
        await git_client.refs(FORK)
    server.status = 0
    await git_client.fetch(FORK, [story.tip])


async def test_a_redirect_is_not_followed(server: GitServer, git_client: Git) -> None:
    server.status = 302
    with pytest.raises(Refused, match="redirects"):
        await git_client.fetch(FORK, [UNKNOWN])
    assert all(FORK in line for line in server.requests)


async def test_nobody_at_home_is_not_a_no(tmp_path: Path) -> None:
    git_client = Git(tmp_path / "home", "http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await git_client.fetch(FORK, [UNKNOWN])


async def test_a_server_that_never_answers_is_given_up_and_git_is_dead(server: GitServer, tmp_path: Path) -> None:
    story = prepare(server)
    server.stall = True
    git_client = Git(tmp_path / "home", server.url, timeout=1)
    fetch = asyncio.create_task(git_client.fetch(FORK, [story.tip]))
    await server.reached.wait()
    running = _processes_of(tmp_path / "home")
    with pytest.raises(Unavailable, match=r"after 1 seconds"):
        await fetch
    _all_ended(running)


async def test_a_cancelled_fetch_leaves_no_process(server: GitServer, git_client: Git, tmp_path: Path) -> None:
    story = prepare(server)
    server.stall = True
    fetch = asyncio.create_task(git_client.fetch(FORK, [story.tip]))
    await server.reached.wait()
    running = _processes_of(tmp_path / "home")
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    _all_ended(running)
    server.stall = False
    await git_client.fetch(FORK, [story.tip])


async def test_a_helper_that_outlives_git_is_dead_too(tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nsleep 1000 &\nsleep 1000 &\n")
    program.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir()
    call = asyncio.create_task(Runner(home, program=str(program), timeout=1).run(Call(arguments=("version",))))
    async with asyncio.timeout(5):
        while len(running := _processes_of(home)) != 2:
            await asyncio.sleep(0.01)
    with pytest.raises(Unavailable, match="after 1 seconds"):
        await call
    _all_ended(running)


@pytest.mark.parametrize("harm", ["deleted", "all deleted", "emptied", "not finished", "corrupt pack", "stale lock"])
async def test_a_harmed_scratch_repository_is_made_anew(server: GitServer, git_client: Git, tmp_path: Path, harm: str) -> None:
    story = prepare(server)
    await git_client.fetch_range(FORK, story.base, story.tip)
    scratch = tmp_path / "home" / "scratch.git"
    match harm:
        case "deleted":
            shutil.rmtree(scratch)
        case "all deleted":
            shutil.rmtree(tmp_path / "home")
        case "emptied":
            shutil.rmtree(scratch / "objects")
        case "not finished":
            (scratch / "brother-maynard").unlink()
        case "corrupt pack":
            for pack in (scratch / "objects" / "pack").glob("*.pack"):
                pack.chmod(0o600)
                pack.write_bytes(pack.read_bytes()[:20] + bytes(200))
        case _:
            (scratch / "refs" / "kept" / f"{story.tip}.lock").touch()
    with pytest.raises(ObjectMissing) if harm != "stale lock" else nullcontext():
        await git_client.patch_id(story.tip)
    await git_client.fetch_range(FORK, story.base, story.tip)
    assert await git_client.patch_id(story.tip)


async def test_a_scratch_repository_that_grew_too_large_is_thrown_away(server: GitServer, tmp_path: Path) -> None:
    story = prepare(server)
    git_client = Git(tmp_path / "home", server.url, limits=Limits(packs=2))
    await git_client.fetch_range(FORK, story.base, story.tip)
    big = tmp_path / "home" / "scratch.git"
    assert len(list((big / "objects" / "pack").glob("*.pack"))) > 2
    await git_client.fetch(FORK, [story.base])
    assert len(list((big / "objects" / "pack").glob("*.pack"))) == 2
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["scratch.git"]


async def test_limits_are_checked_before_anything_is_read(server: GitServer, tmp_path: Path) -> None:
    story = prepare(server)
    git_client = Git(tmp_path / "home", server.url, limits=Limits(commits=1))
    with pytest.raises(TooLarge, match="more than 1 commits"):
        await git_client.fetch_range(FORK, story.base, story.tip)
    git_client = Git(tmp_path / "home", server.url, limits=Limits(blob=250))
    big = commit(story.fork, {"big.bin": bytes(251)}, parent=story.tip, branch="big")
    found = await git_client.fetch_range(FORK, story.tip, big)
    with pytest.raises(TooLarge, match="251 bytes, but only 250"):
        await git_client.file(big, found.changes[0].path)
    git_client = Git(tmp_path / "home2", server.url, limits=Limits(objects=2))
    with pytest.raises(TooLarge, match="at once"):
        await git_client.fetch_range(FORK, story.base, big)


async def test_refs_are_read_by_pattern(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    git("update-ref", "refs/pull/1/head", story.tip, directory=story.fork)
    git("update-ref", "refs/heads/x/refs/heads/main", story.tip, directory=story.fork)

    async def found(*patterns: str) -> dict[str, str]:
        return dict((await git_client.refs(FORK, *patterns)).items())

    assert await found("refs/heads/main") == {"refs/heads/main": story.base}
    assert await found("refs/tags/v3.*", "refs/heads/rel*") == {"refs/tags/v3.15.0a3": story.tag, "refs/heads/release": story.tip}
    assert await found("refs/tags/v2.*") == {}
    assert set(await found()) == {"refs/heads/main", "refs/heads/release", "refs/heads/x/refs/heads/main", "refs/tags/v3.15.0a3"}


async def test_a_missing_or_foreign_git_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"install git 2\.39 or newer"):
        await Git(tmp_path / "a", "https://github.com", program="no-such-git").kind(UNKNOWN)
    with pytest.raises(GitError, match="too old"):
        await Git(tmp_path / "b", "https://github.com", program="true").kind(UNKNOWN)


def _processes_of(home: Path) -> list[int]:
    """Return a file descriptor for each process that lives in the home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={home}\0".encode() in (process / "environ").read_bytes():
                found.append(os.pidfd_open(int(process.name)))
        except OSError:
            continue
    return found


def _all_ended(running: list[int]) -> None:
    """A descriptor of a process becomes readable when the process ends."""
    assert len(running) >= 2, "git and its helper were expected"
    for descriptor in running:
        assert select.select([descriptor], [], [], 5)[0]
        os.close(descriptor)
