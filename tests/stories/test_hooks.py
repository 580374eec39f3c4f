"""Hooks are hints: with them all is seen at once, without them at the pace of the polls, and one that comes twice does nothing twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bot.rehearsal.azure_hooks import APPROVAL_COMPLETED, APPROVAL_PENDING, BUILD_COMPLETE, RUN_CHANGED, STAGE_CHANGED
from tests.stories.sources import approved, builds, dispatches, ordered, pushed, sources_only
from tests.stories.story import Story
from tests.stories.telling import telling


def slow(text: str) -> str:
    """Poll far more seldom than a story has patience."""
    changed, count = re.subn(r"^poll = .*$", "poll = 300.0", text, flags=re.MULTILINE)
    assert count == 1
    return changed


def hears_of_the_fork(story: Story) -> None:
    """Let the tag be heard of, too, which is polled for as a rule."""
    story.world.github.install(story.setting.manager.fork)


async def given_up(story: Story) -> None:
    """End a story before the go: what is published is told elsewhere."""
    story.say("/release abort this is all there is to see")
    await story.state("aborted")


async def test_what_becomes_of_a_workflow_is_seen_at_once(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, machines=False, policy=lambda text: slow(sources_only(text))) as story:
        hears_of_the_fork(story)
        cut = await approved(story)
        builds(story, await ordered(story))
        await story.step("source", "passed")
        await pushed(story, cut)
        assert dispatches(story) == 1


async def test_what_happens_on_azure_is_seen_at_once(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=slow) as story:
        hears_of_the_fork(story)
        await story.built(await story.opened())
        told = Counter(told.event for told in story.world.azure.hooks.log)
        assert told.keys() == {RUN_CHANGED, STAGE_CHANGED, APPROVAL_PENDING, APPROVAL_COMPLETED, BUILD_COMPLETE}
        assert {told.answer.code for told in story.world.azure.hooks.log} == {202}
        await given_up(story)


@pytest.mark.chaos
async def test_a_hook_that_is_signed_in_by_a_header_serves_as_well(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=slow) as story:
        hears_of_the_fork(story)
        story.world.azure.hook_to(story.world.azure.hooks.url or "", in_header=True)
        await story.built(await story.opened())
        await given_up(story)


async def test_without_any_hook_the_polls_carry_the_release(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.world.azure.hooks.drop_every = 1
        story.world.github.webhooks.drop_every = 1
        story.world.github.webhooks.drop_logged = False
        await story.built(await story.opened())
        assert story.world.azure.hooks.lost
        assert not story.world.azure.hooks.log
        await given_up(story)


@pytest.mark.chaos
async def test_doubled_and_shuffled_hooks_do_nothing_twice(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        for post in (story.world.azure.hooks, story.world.github.webhooks):
            post.duplicate, post.shuffle = True, 4
        await story.built(await story.opened())
        await story.world.drain()
        codes = Counter(told.answer.code for told in story.world.azure.hooks.log)
        assert codes[200] == codes[202] > 0
        assert (len(story.world.azure.runs), dispatches(story)) == (1, 1)
        await given_up(story)


@pytest.mark.chaos
async def test_hooks_of_strangers_change_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.world.azure.hook_to(story.world.azure.hooks.url or "", "a guess")
        await story.built(await story.opened())
        assert {told.answer.code for told in story.world.azure.hooks.log} == {401}
        await given_up(story)
