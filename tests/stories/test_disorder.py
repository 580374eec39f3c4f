"""Stories in a disorderly world: nothing is lost, nothing is done twice, and they end in the same way."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.rehearsal.webhooks import Webhooks
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import rarely, telling
from tests.stories.test_ordinary import all_checked, carried

PATIENT = 90.0
"""Seconds; dying a hundred times takes a while."""

Course = Callable[[Story], Awaitable[object]]
"""How a story goes on from its first word."""

Disorder = Callable[[Webhooks], None]

POINTS = ("between", "acted", "after")
SEEDS = (1, 2, 3)


# --- disorder


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


DISORDERS = (duplicated, half_of_it_fails, half_of_it_is_lost, all_of_it_is_lost, shuffled)


# --- courses


async def ordinary(story: Story) -> None:
    """Nothing happens but what happens every month."""
    cut = await carried(story)
    refs = await story.upstream()
    assert refs["refs/tags/v3.15.0a3"] == cut.tag
    release = await story.state("done")
    assert [line["new"] for line in release["plan"]] == [refs["refs/heads/main"], cut.tag]
    assert release["attempt"] == 1
    await story.until("all check runs", lambda: all_checked(story, cut))
    assert len(story.world.github.check_runs("python/cpython", cut.commit)) == 7


async def retagged(story: Story) -> None:
    """The tag is made again, a command is refused."""
    opening = story.say("/release 3.15.0a3")
    await story.asked_to_cut()
    first = await story.cut()
    await story.comment("/release approve", first.tag)
    second = await story.retagged(first)
    await story.comment("/release approve", second.tag)
    await story.refusal(story.say(f"/release approve {first.tag}"), "has lapsed")
    approval = story.say(f"/release approve {second.tag}")
    release = await story.state("done")
    assert release["attempt"] == 2
    await story.reaction(approval, "+1")
    await story.reaction(opening, "+1")


async def refrozen(story: Story) -> None:
    """A fix is let in."""
    opening = story.say("/release 3.15.0a3")
    await story.asked_to_cut()
    refreeze = story.say("/release refreeze one more pull request")
    await story.comment("main is open again for the fix")
    await story.hands.merge_fix("main")
    await story.asked_to_cut()
    await story.reaction(refreeze, "+1")
    cut = await story.cut()
    approval = await story.approved(cut)
    await story.state("done")
    await story.reaction(approval, "+1")
    await story.reaction(opening, "+1")


async def aborted(story: Story) -> None:
    """It comes to nothing, while a branch is frozen by hand."""
    freeze = story.say("/freeze 3.14 because")
    await story.answer(freeze, "`3.14` is frozen")
    await story.reaction(freeze, "+1")
    cut = await story.opened()
    await story.comment("/release approve", cut.tag)
    abort = story.say("/release abort a blocker was found")
    await story.state("aborted")
    await story.reaction(abort, "+1")
    unfreeze = story.say("/unfreeze 3.14")
    await story.answer(unfreeze, "was lifted")
    await story.reaction(unfreeze, "+1")


COURSES = (ordinary, retagged, refrozen, aborted)


# --- the same deeds


def deeds(story: Story) -> Counter[str]:
    """Return what the bot did, each kind of deed with how often; edits of the status and check runs may differ in number."""
    bot = story.world.github.app.bot.login
    mine = [line for line in story.world.log if f"by {bot}" in line and "edited by" not in line and " check '" not in line]
    return Counter(re.sub(r"\b[0-9a-f]{12,40}\b|\b\d{4,}\b", "…", line) for line in mine)


async def orderly(directory: Path, course: Course) -> Counter[str]:
    """Return what the bot does in a world in which nothing goes wrong."""
    async with telling(directory, "3.15.0a3") as story:
        await course(story)
    return deeds(story)


async def late_or_never(directory: Path, course: Course, disorder: Disorder, seed: int = 0) -> None:
    usual = await orderly(directory / "orderly", course)
    async with telling(directory / "disorderly", "3.15.0a3", seed=seed) as story:
        disorder(story.world.github.webhooks)
        await course(story)
    assert deeds(story) == usual


async def dying(directory: Path, course: Course, point: str, database_url: str | None = None) -> None:
    usual = await orderly(directory / "orderly", course)
    mortal = Mortal([point])
    async with telling(directory / "deadly", "3.15.0a3", observers=[mortal], database_url=database_url) as story:
        story.patience = PATIENT
        async with reviving(story, mortal):
            await course(story)
    assert len(mortal.deaths) >= sum(usual.values())
    assert deeds(story) == usual


@pytest.mark.parametrize(
    "disorder", [duplicated, rarely(half_of_it_fails), rarely(half_of_it_is_lost), all_of_it_is_lost, rarely(shuffled)]
)
async def test_deliveries_come_twice_late_or_never(tmp_path: Path, disorder: Disorder) -> None:
    await late_or_never(tmp_path, ordinary, disorder)


@pytest.mark.parametrize("point", [rarely("between"), "acted", rarely("after")])
async def test_the_bot_dies_at_every_effect(tmp_path: Path, point: str) -> None:
    await dying(tmp_path, ordinary, point)


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS[:1])
async def test_the_bot_dies_at_every_effect_on_postgresql(tmp_path: Path, point: str, postgres_url: str) -> None:
    await dying(tmp_path, ordinary, point, postgres_url)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("disorder", DISORDERS)
@pytest.mark.parametrize("course", COURSES)
async def test_every_course_in_every_disorder(tmp_path: Path, course: Course, disorder: Disorder, seed: int) -> None:
    await late_or_never(tmp_path, course, disorder, seed)


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("course", COURSES)
async def test_every_course_with_every_death(tmp_path: Path, course: Course, point: str) -> None:
    await dying(tmp_path, course, point)
