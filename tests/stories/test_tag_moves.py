"""The tag in the fork does not stand still."""

import asyncio
from pathlib import Path

import pytest

from bot.rehearsal.faults import Fault, call
from bot.rehearsal.release_manager import Cut
from tests.stories.disorder import Mortal
from tests.stories.story import Story, accepted
from tests.stories.telling import telling


async def told(story: Story, cut: Cut) -> None:
    """Wait until a tag is the one that is asked to be approved."""
    await story.comment("/release approve", cut.tag)


async def test_a_tag_moved_before_its_approval_opens_the_next_attempt(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened()
        await told(story, first)
        second = await story.retagged(first)
        await told(story, second)
        release = await story.release()
        assert release["attempt"] == 2
        assert "Attempt 1 ended" in await story.status(first.tag, second.tag)
        late = story.say(f"/release approve {first.tag}")
        await story.refusal(late, "belongs to an earlier attempt and has lapsed")
        story.say(f"/release approve {second.tag}")
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == second.tag


async def test_an_approval_lapses_with_its_tag(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened()
        await told(story, first)
        moved: list[Cut] = []

        async def move() -> None:
            moved.append(await story.retagged(first))

        # The approval is accepted, and before anything follows from it the tag is another one.
        story.world.faults.add(Fault(action=call(before=move), path=r"^/repos/python/cpython/issues/comments/\d+/reactions$", skip=1))
        approval = story.say(f"/release approve {first.tag}")
        await story.agreed(approval)
        await story.step("approve", "needs a person", attempt=2)
        [second] = moved
        await told(story, second)
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        again = story.say(f"/release approve {first.tag}")
        await story.refusal(again, "belongs to an earlier attempt and has lapsed")
        story.say(f"/release approve {second.tag}")
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == second.tag


async def test_a_tag_moved_in_the_last_moment_is_not_pushed(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened()
        await told(story, first)
        moved: list[Cut] = []

        async def move() -> None:
            moved.append(await story.retagged(first))

        # With the audit behind it, the next that the bot reads by git upstream is its last look before the push.
        story.world.faults.add(Fault(action=call(before=move), path=r"^/python/cpython\.git/info/refs$"))
        story.say(f"/release approve {first.tag}")
        await story.step("approve", "needs a person", attempt=2)
        [second] = moved
        await told(story, second)
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.say(f"/release approve {second.tag}")
        await story.state("done")


async def test_a_deleted_tag_may_come_back(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await told(story, cut)
        accepted(await story.hands.delete_tag_in_fork(cut))
        await story.step("tag", "failed")
        await story.comment("@hugovk", "no longer in hugovk/cpython")
        await story.pushed(cut, force=True)
        await story.step("tag", "passed", attempt=1)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_a_lapsed_tag_does_not_come_back(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened()
        await told(story, first)
        second = await story.retagged(first)
        await told(story, second)
        await story.pushed_as_tag(first.tag)
        await story.comment("@hugovk", f"{first.tag} again, which belongs to an earlier attempt and has lapsed")
        await story.pushed_as_tag(second.tag)
        await story.step("tag", "passed", attempt=2)
        story.say(f"/release approve {second.tag}")
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == second.tag


async def test_two_forks_with_different_tags_ask_for_a_choice(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3", by="pablogsal")
        await story.asked_to_cut()
        mine = await story.hands_cut()
        other = await story.beside("3.15.0a3", "pablogsal")
        theirs = await other.hands_cut()
        # The bot sees both at once, because it sleeps while they are pushed.
        await story.stop_bot()
        await asyncio.gather(story.pushed(mine), other.pushed(theirs))
        await story.start_bot()
        await story.step("tag", "needs a person")
        body = await story.comment("Different tags v3.15.0a3 are in the forks", mine.tag, theirs.tag)
        assert "@pablogsal @hugovk" in body
        accepted(await other.hands.delete_tag_in_fork(theirs))
        await told(story, mine)
        story.say(f"/release approve {mine.tag}")
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == mine.tag


@pytest.mark.chaos
async def test_another_fork_with_the_tag_does_not_hide_that_it_is_gone_from_the_one_that_counts(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3", by="pablogsal")
        await story.asked_to_cut()
        cut = await story.hands_cut()
        await story.pushed(cut)
        await told(story, cut)
        await story.smuggled("pablogsal/cpython", "refs/tags/v3.15.0a3", cut.tag)
        accepted(await story.hands.delete_tag_in_fork(cut))
        await story.step("tag", "failed")
        await story.comment("no longer in hugovk/cpython", "Push the same tag object again")
        await story.pushed(cut, force=True)
        await story.step("tag", "passed", attempt=1)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


@pytest.mark.chaos
async def test_a_tag_deleted_once_the_push_was_begun_is_asked_for(tmp_path: Path) -> None:
    mortal = Mortal(("between",), only=("push",))
    async with telling(tmp_path, "3.15.0a3", observers=[mortal]) as story:
        cut = await story.opened()
        await story.approved(cut)

        async def died() -> bool:
            return mortal.died.is_set()

        await story.until("the death before the push", died)
        await story.kill_bot()
        accepted(await story.hands.delete_tag_in_fork(cut))
        await story.start_bot()
        await story.comment("@hugovk", "The tag in hugovk/cpython is gone", "Push it there again")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        await story.pushed(cut, force=True)
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag
