from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.services.git import Git, GitError, Identity, ObjectMissing
from tests.git.conftest import FORK
from tests.git.server import GitServer, git
from tests.git.story import prepare

BOT = Identity(name="brother-maynard[bot]", email="1+brother-maynard[bot]@users.noreply.github.com")
DATE = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=-7, minutes=-30)))


async def test_the_same_wishes_make_the_same_commit_for_ever(server: GitServer, git_client: Git, tmp_path: Path) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    changes = {"README.rst": b"This is Python+\n", "Include/new.h": b"new\n"}
    made = await git_client.write_commit(story.tip, changes, BOT, DATE, "Post 3.15.0a3")
    other = Git(tmp_path / "elsewhere", server.url)
    await other.fetch(FORK, [story.tip])
    assert await other.write_commit(story.tip, dict(reversed(changes.items())), BOT, DATE, "Post 3.15.0a3\n") == made
    raw = (await git_client.raw("commit", made)).decode()
    person = f"{BOT.name} <{BOT.email}> {int(DATE.timestamp())} -0730"
    assert raw.endswith(f"\nparent {story.tip}\nauthor {person}\ncommitter {person}\n\nPost 3.15.0a3\n")


async def test_it_is_the_commit_that_git_itself_would_make(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    person = Identity(name="A Person", email="person@example.org")
    made = await git_client.write_commit(story.tip, {}, person, datetime.fromtimestamp(1700000000, timezone(timedelta(hours=1))), "Post")
    tree = git("rev-parse", f"{story.tip}^{{tree}}", directory=story.fork)
    assert made == git("commit-tree", tree, "-p", story.tip, "-m", "Post", directory=story.fork)


async def test_a_tag_is_made_of_nothing_but_what_is_wished_and_can_be_made_again(
    server: GitServer, git_client: Git, tmp_path: Path
) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    made = await git_client.write_tag(story.tip, "azure-core_1.30.0", BOT, DATE, "azure-core 1.30.0")
    content = await git_client.raw("tag", made)
    person = f"{BOT.name} <{BOT.email}> {int(DATE.timestamp())} -0730"
    assert content.decode() == f"object {story.tip}\ntype commit\ntag azure-core_1.30.0\ntagger {person}\n\nazure-core 1.30.0\n"
    other = Git(tmp_path / "elsewhere", server.url)
    assert await other.restore_tag(content) == made
    assert await other.raw("tag", made) == content


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "-a", "refs/tags/a", "a..b", "a.lock", "a."])
async def test_a_tag_has_a_plain_name(server: GitServer, git_client: Git, name: str) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    with pytest.raises(GitError, match="cannot be the name of a tag"):
        await git_client.write_tag(story.tip, name, BOT, DATE, "message")


async def test_modes_are_kept_and_only_the_wished_paths_change(server: GitServer, git_client: Git) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    changes = {"Tools/run.sh": b"#!/bin/sh\n", "Misc/NEWS.d/next/2.rst": b"new\n", "README.rst": None}
    made = await git_client.write_commit(story.tip, changes, BOT, DATE, "Post")
    found = {change.path: (change.old_mode, change.new_mode) for change in await git_client.diff(story.tip, made)}
    assert found == {"Tools/run.sh": ("100755", "100755"), "Misc/NEWS.d/next/2.rst": (None, "100644"), "README.rst": ("100644", None)}
    assert await git_client.file(made, "Tools/run.sh") == b"#!/bin/sh\n"
    assert not [path for path in (git_client._scratch.path.parent).iterdir() if path.name.startswith("index-")]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"../x": b""}, "not a path"),
        ({"/x": b""}, "not a path"),
        ({".git/hooks/x": b""}, "not a path"),
        ({"a//b": b""}, "not a path"),
        ({"a\nb": b""}, "not a path"),
        ({"README.rst/x": b""}, "same name|refuses"),
        ({"Tools": b""}, "not a plain file"),
        ({"nowhere": None}, "cannot be removed"),
    ],
)
async def test_paths_that_cannot_be_meant_are_refused(
    server: GitServer, git_client: Git, changes: dict[str, bytes | None], why: str
) -> None:
    story = prepare(server)
    await git_client.fetch(FORK, [story.tip])
    with pytest.raises(GitError, match=why):
        await git_client.write_commit(story.tip, changes, BOT, DATE, "Post")


@pytest.mark.parametrize(
    ("identity", "date", "message"),
    [
        (Identity(name="A <b>", email="c"), DATE, "m"),
        (Identity(name="A\nparent x", email="c"), DATE, "m"),
        (Identity(name="", email="c"), DATE, "m"),
        (BOT, DATE.replace(tzinfo=None), "m"),
        (BOT, DATE, " \n"),
        (BOT, DATE, "a\0b"),
    ],
)
async def test_what_cannot_stand_in_a_commit_is_refused(git_client: Git, identity: Identity, date: datetime, message: str) -> None:
    with pytest.raises(GitError):
        await git_client.write_commit("a" * 40, {}, identity, date, message)


async def test_a_parent_that_is_not_here_has_to_be_fetched(git_client: Git) -> None:
    with pytest.raises(ObjectMissing):
        await git_client.write_commit("a" * 40, {"x": b""}, BOT, datetime.now(UTC), "m")
