"""Candidates that were cut from the one before, with cherry-picks: the branch has moved on, so their tag is merged into it."""

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.rehearsal.fast_import import Write, commit_on
from bot.rehearsal.faults import Fault, call
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.stage import UPSTREAM
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story, accepted
from tests.stories.telling import only, telling

VERSION, BEFORE, BRANCH = "3.15.0rc2", "v3.15.0rc1", "merge-3.15.0rc2"
STEPS = ("preflight", "freeze", "tag", "audit", "approve", "push", "thaw", "wrap-up")
DOCS = ("Doc/c-api/parrot.rst", "Doc/library/parrot.rst")
"""The pages that a picked commit changes and in which the release then writes its version: both sides change the same lines."""

TAMPERED: Mapping[str, bytes | None] = {"Lib/antigravity.py": b"import os\n\nos.system('fly')\n"}


async def head_of(story: Story) -> str:
    """Return the head that the branch is frozen at."""
    release = await story.until("the release", story.release)
    return str(next(row["head"] for row in release["frozen"] if row["head"]))


async def cut_of(story: Story, *, docs: bool = False) -> tuple[Cut, str]:
    """Start the release and cut it from the candidate before, with every fix since that came with news, and perhaps the documentation."""
    story.say(f"/release {VERSION}")
    await story.asked_to_cut()
    head = await head_of(story)
    await story.hands.fetch()
    picks = await story.hands.fixes_since(BEFORE, head)
    cut = await story.hands.cut_cherry_picked(story.setting.version, BEFORE, [*picks, *([head] if docs else [])], key=story.setting.key)
    await story.pushed(cut)
    return cut, head


async def settled(story: Story, cut: Cut) -> dict[str, bytes | None]:
    """Return the pages with a conflict as the release has them."""
    return dict(await asyncio.to_thread(story.hands._clone.read, cut.commit, DOCS))


async def prepared(story: Story, commit: str, branch: str = BRANCH) -> str:
    """Push a merge to the fork and return it."""
    accepted(await story.hands.push_branch(branch, commit))
    return commit


def upstream(story: Story) -> LocalRepository:
    """Return the repository upstream, to look into."""
    return LocalRepository(story.world.github.repository(UPSTREAM).git.directory)


async def with_an_empty_disk(story: Story) -> None:
    """Start the bot again without anything that it fetched or made: the same commits have to come about once more."""
    await story.stop_bot()
    await asyncio.to_thread(shutil.rmtree, story.directory / "home" / "git")
    await story.start_bot()


async def with_more(story: Story, parent: str, message: str) -> str:
    """Return a commit of the manager's clone that adds a file to another one."""
    by, changes = story.setting.manager.identity, [Write(path="Lib/antigravity.py", content=b"fly\n")]

    def write() -> str:
        work, when = story.hands._clone, datetime.now(UTC)
        return commit_on(work, "refs/heads/more", parent=parent, message=f"{message}\n", by=by, when=when, changes=changes)

    return await asyncio.to_thread(write)


async def waived(story: Story, cut: Cut, *words: str) -> str:
    """Wait until a waiver is asked for, and let a second person give it; return what was said of it."""
    asked = await story.comment(f"/release waive audit {cut.tag} REASON", *words)
    await story.agreed(story.say(f"/release waive audit {cut.tag} the lines are those of the release", by="pablogsal"))
    return asked


async def test_the_bot_merges_what_git_merges_without_a_conflict(tmp_path: Path) -> None:
    async with telling(tmp_path, VERSION) as story:
        cut, head = await cut_of(story)
        asked = await story.comment("/release approve", cut.tag, f"of {head} and {cut.commit}, which the bot made")
        await with_an_empty_disk(story)
        story.say(f"/release approve {cut.tag}")
        release = await story.state("done")
        clone, tip = upstream(story), (await story.upstream())["refs/heads/3.15"]
        assert tip == release["plan"][0]["new"]
        post, merge = clone.text("log", "-1", "--format=%s|%P", tip).split("|")
        assert (post, merge in asked) == ("Post 3.15.0rc2", True)
        assert clone.text("log", "-1", "--format=%P|%s", merge) == f"{head} {cut.commit}|Merge tag 'v3.15.0rc2' into 3.15"
        files = clone.entries(tip)
        assert not [path for path in files if path.startswith("Misc/NEWS.d/next/") and "gh-issue" in path]
        assert "Misc/NEWS.d/3.15.0rc2.rst" in files
        kept = clone.read(tip, [*DOCS, "README.rst"])
        assert kept["README.rst"].startswith(b"This is Python version 3.15.0 release candidate 2+dev\n")
        assert b"versionchanged:: next" in kept["Doc/library/parrot.rst"]
        evidence = {one["what"]: one["value"] for step in release["steps"] if step["name"] == "approve" for one in step["evidence"]}
        assert (evidence["merge"], evidence["made by"]) == (merge, "the bot")


async def test_a_conflict_is_settled_by_the_manager_and_everything_else_is_named(tmp_path: Path) -> None:
    async with telling(tmp_path, VERSION) as story:
        cut, head = await cut_of(story, docs=True)
        called = await story.comment(
            *(
                "has to be merged, and git cannot merge 2 files by itself",
                *DOCS,
                f"git switch -C {BRANCH} {head}",
                f"git merge {cut.version.tag}",
            )
        )
        assert f"HEAD:refs/heads/{BRANCH}" in called
        files = await settled(story, cut)
        tampered = await prepared(story, await story.hands.merge(cut, head, files={**files, **TAMPERED}))
        asked = await waived(story, cut, tampered, "`Lib/antigravity.py` is added, lines 1-3")
        assert "`Doc/library/parrot.rst` was merged by hand, because both sides change it: it is that of the release" in asked
        await story.comment("/release approve", cut.tag, tampered)
        # What was waived was that commit: another one has to be looked at again.
        clean = await prepared(story, await story.hands.merge(cut, head, files=files, post=True))
        assert "antigravity" not in await waived(story, cut, clean, "`Doc/c-api/parrot.rst` was merged by hand")
        await story.comment("/release approve", cut.tag, clean, "refs/heads/merge-3.15.0rc2 in hugovk/cpython")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        assert (await story.upstream())["refs/heads/3.15"] == clean


@pytest.mark.chaos
async def test_a_prepared_merge_that_moves_in_the_last_moment_is_not_pushed(tmp_path: Path) -> None:
    async with telling(tmp_path, VERSION) as story:
        cut, head = await cut_of(story, docs=True)
        await story.comment("git cannot merge 2 files by itself")
        files = await settled(story, cut)
        first = await prepared(story, await story.hands.merge(cut, head, files=files))
        second = await with_more(story, first, "gh-1: Fly")
        await waived(story, cut, first)
        await story.comment("/release approve", cut.tag, first)

        async def move() -> None:
            await prepared(story, second)

        # With the audit behind it, the next that the bot reads by git upstream is its last look before the push.
        story.world.faults.add(Fault(action=call(before=move), path=r"^/python/cpython\.git/info/refs$"))
        story.say(f"/release approve {cut.tag}")
        await story.comment("/release waive audit", f"The merge {second} brings commits that are neither", "`Lib/antigravity.py` is added")
        assert (await story.upstream())["refs/heads/3.15"] == head
        # What was waived and approved was the first one, and still is.
        await prepared(story, first)
        await story.state("done")
        clone, tip = upstream(story), (await story.upstream())["refs/heads/3.15"]
        assert clone.text("log", "-1", "--format=%s|%P", tip) == f"Post 3.15.0rc2|{first}"


@pytest.mark.chaos
async def test_a_merge_is_left_to_people_where_the_profile_says_so(tmp_path: Path) -> None:
    def by_hand(text: str) -> str:
        return only(*STEPS)(f"{text}\n[merge]\nby_bot = false\n")

    async with telling(tmp_path, VERSION, policy=by_hand) as story:
        story.world.github.install("hugovk/cpython")
        cut, head = await cut_of(story)
        await story.comment("which the profile leaves to people", f"git switch -C {BRANCH} {head}")
        # Without the tag, or without the frozen head, it is none; with both it is exactly what git merges, so nothing is to be waived.
        await prepared(story, head)
        await story.comment(f"refs/heads/{BRANCH} in hugovk/cpython is at {head}, which does not hold both")
        merge = await prepared(story, await story.hands.merge(cut, head), "branch-3.15.0rc2")
        await story.comment("/release approve", cut.tag, merge)
        await with_an_empty_disk(story)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await story.comment("<!-- about=thanks-")
        # The branch that holds the merge holds nothing but what is upstream, so it goes.
        assert "refs/heads/branch-3.15.0rc2" not in await story.world.github.refs("hugovk/cpython")
        clone, tip = upstream(story), (await story.upstream())["refs/heads/3.15"]
        assert clone.text("log", "-1", "--format=%s|%P", tip) == f"Post 3.15.0rc2|{merge}"
        assert not [path for path in clone.entries(tip) if path.startswith("Misc/NEWS.d/next/") and "gh-issue" in path]


@pytest.mark.chaos
async def test_a_merge_of_another_merge_is_named_though_it_ends_in_the_right_files(tmp_path: Path) -> None:
    def by_hand(text: str) -> str:
        return f"{text}\n[merge]\nby_bot = false\n"

    async with telling(tmp_path, VERSION, policy=by_hand) as story:
        cut, head = await cut_of(story)
        await story.comment("which the profile leaves to people")
        hidden, clean = [await story.hands.merge(cut, head, files=files) for files in (TAMPERED, {})]
        environment = story.hands.account.identity.environment(story.hands.clock())
        clone, words = story.hands._clone, ("-p", hidden, "-p", cut.commit, "-m", "Merge again")
        over = await asyncio.to_thread(clone.text, "commit-tree", f"{clean}^{{tree}}", *words, environment=environment)
        await prepared(story, over)
        asked = await story.comment(f"/release waive audit {cut.tag} REASON", f"The merge {over} brings commits that are neither", hidden)
        assert "antigravity" not in asked
        await prepared(story, clean)
        await story.comment("/release approve", cut.tag, clean)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


@pytest.mark.chaos
async def test_a_branch_that_takes_no_merge_is_told_of_before_the_freeze(tmp_path: Path) -> None:
    async with telling(tmp_path, VERSION) as story:
        story.world.github.protect(UPSTREAM, "3.15", {"required_linear_history": {"enabled": True}})
        story.say(f"/release {VERSION}")
        await story.comment("/release ack", "The classic protection of 3.15 requires a linear history", "would be refused at the very end")
        assert not story.freezes()
        story.say("/release abort an administrator is asked first")
        await story.state("aborted")


@pytest.mark.chaos
@pytest.mark.parametrize("mode", ["100644", "120000"])
async def test_news_that_changed_on_the_branch_since_it_was_picked_stays_there(tmp_path: Path, mode: str) -> None:
    async with telling(tmp_path, VERSION) as story:
        start = (await story.upstream())["refs/heads/3.15"]
        await story.hands.fetch()
        path = next(one for one in await asyncio.to_thread(story.hands._clone.entries, start) if "gh-issue-140001" in one)
        # The same bytes may be something else too: a symbolic link is told apart by its mode alone.
        same = (await asyncio.to_thread(story.hands._clone.read, start, [path]))[path]
        text = b"Fix :func:`parrot.pining` for birds that are only resting.\n" if mode == "100644" else same
        fix = await story.hands.commit_upstream("3.15", [Write(path=path, content=text, mode=mode)], "gh-140001: Say less")
        story.say(f"/release {VERSION}")
        await story.asked_to_cut()
        picks = [one for one in await story.hands.fixes_since(BEFORE, fix.commit) if one != fix.commit]
        cut = await story.hands.cut_cherry_picked(story.setting.version, BEFORE, picks, key=story.setting.key)
        await story.pushed(cut)
        asked = await story.comment("/release ack", "was changed on the branch since", Path(path).name)
        story.say(next(line for line in asked.splitlines() if line.startswith("/release ack")))
        await story.approved(cut)
        await story.state("done")
        left = [one for one in upstream(story).entries((await story.upstream())["refs/heads/3.15"]) if "gh-issue" in one]
        assert left == [path]


@pytest.mark.chaos
@pytest.mark.parametrize("same", [True, False])
async def test_the_managers_own_post_commit_is_taken_if_its_files_are_the_same(tmp_path: Path, *, same: bool) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        cut = await story.hands_cut()
        post = await story.hands.post_commit(cut)
        await prepared(story, post if same else await with_more(story, f"{post}^", "Post 3.15.0a3"), "merge-3.15.0a3")
        # Another branch than the one that the tools push to, which is there too.
        await story.pushed(cut)
        asked = await story.comment("/release approve", cut.tag)
        assert (post in asked) is same
        await story.status("which is not the Post commit as it has to be" if not same else "to be authenticated")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        assert ((await story.upstream())["refs/heads/main"] == post) is same


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["between", "acted", "after"])
async def test_a_merge_survives_deaths(tmp_path: Path, point: str) -> None:
    mortal = Mortal([point])
    async with telling(tmp_path, VERSION, observers=[mortal]) as story, reviving(story, mortal):
        story.patience = 90
        cut, head = await cut_of(story)
        await story.comment("/release approve", cut.tag, f"of {head} and {cut.commit}, which the bot made")
        story.say(f"/release approve {cut.tag}")
        release = await story.state("done")
        assert (await story.upstream())["refs/heads/3.15"] == release["plan"][0]["new"]
        assert mortal.deaths
