"""The ordinary story in a disorderly world: nothing is lost, nothing is done twice, and it ends in the same way."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rehearsal.webhooks import Webhooks
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story, telling
from tests.stories.test_ordinary import all_checked, carried

PATIENT = 100.0
"""Seconds; dying a hundred times takes a while."""


def duplicated(webhooks: Webhooks) -> None:
    webhooks.duplicate = True


def half_of_it_fails(webhooks: Webhooks) -> None:
    webhooks.drop_every = 2


def half_of_it_is_lost(webhooks: Webhooks) -> None:
    webhooks.drop_every = 2
    webhooks.drop_logged = False


def all_of_it_is_lost(webhooks: Webhooks) -> None:
    webhooks.drop_every = 1
    webhooks.drop_logged = False


def shuffled(webhooks: Webhooks) -> None:
    webhooks.shuffle = 5
    webhooks.duplicate = True


def deeds(story: Story) -> Counter[str]:
    """Return what the bot did, each kind of deed with how often; edits of the status and check runs may differ in number."""
    bot = story.world.github.app.bot.login
    mine = [re.sub(r"\b[0-9a-f]{12,40}\b|comment \d+ |-\d+(?=')", "…", line) for line in story.world.log if f"by {bot}" in line]
    return Counter(line for line in mine if " edited by " not in line and " check " not in line)


async def orderly(directory: Path) -> Counter[str]:
    """Return what the bot does in a world in which nothing goes wrong."""
    async with telling(directory, "3.15.0a3") as story:
        await ended(story)
        return deeds(story)


async def ended(story: Story) -> None:
    """Tell the ordinary story to the last check run."""
    cut = await carried(story)
    refs = await story.upstream()
    assert refs["refs/tags/v3.15.0a3"] == cut.tag
    release = await story.release()
    assert [line["new"] for line in release["plan"]] == [refs["refs/heads/main"], cut.tag]
    assert release["attempt"] == 1
    assert story.people(release) == []
    await story.until("all check runs", lambda: all_checked(story, cut))
    assert len(story.world.github.check_runs("python/cpython", cut.commit)) == 7


@pytest.fixture(scope="module")
def usual() -> Counter[str]:
    """What the bot does when nothing goes wrong: each of these once, and nothing else."""
    return Counter()


@pytest.mark.parametrize("disorder", [duplicated, half_of_it_fails, half_of_it_is_lost, all_of_it_is_lost, shuffled])
async def test_deliveries_come_twice_late_or_never(tmp_path: Path, disorder: Callable[[Webhooks], None]) -> None:
    usual = await orderly(tmp_path / "orderly")
    async with telling(tmp_path / "disorderly", "3.15.0a3") as story:
        disorder(story.world.github.webhooks)
        await ended(story)
        assert deeds(story) == usual


@pytest.mark.parametrize("point", ["between", "acted", "after"])
async def test_the_bot_dies_at_every_effect(tmp_path: Path, point: str) -> None:
    usual = await orderly(tmp_path / "orderly")
    mortal = Mortal([point])
    async with telling(tmp_path / "disorderly", "3.15.0a3", observers=[mortal]) as story:
        story.patience = PATIENT
        async with reviving(story, mortal):
            await ended(story)
        assert len(mortal.deaths) > sum(usual.values())
        assert deeds(story) == usual
