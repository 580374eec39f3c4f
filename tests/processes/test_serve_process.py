"""``python -m bot serve`` by environment and TOML alone: it needs nothing but servers that speak as GitHub does."""

import re
from pathlib import Path

import pytest

from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.release_manager import Cut
from tests.processes.process_story import Choice, ProcessStory, dying, process_telling
from tests.stories.test_ordinary import carried
from tests.stories.test_whole import carried as whole
from tests.stories.test_whole import scene_of

PATIENT = 180.0
"""Seconds; a process needs some to begin each of its lives."""

POINTS = ("before", "after", "later")


async def test_a_process_carries_a_release(tmp_path: Path) -> None:
    async with process_telling(tmp_path, "3.15.0a3") as story:
        cut = await carried(story)
        await looks_as_it_should(story, cut)


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("first", [0, 1])
async def test_a_process_that_is_killed_again_and_again_reaches_the_same_world(tmp_path: Path, first: int) -> None:
    async with process_telling(tmp_path, "3.15.0a3") as story, dying(story, Choice(POINTS, every=4, first=first)) as executioner:
        cut = await carried(story)
        await looks_as_it_should(story, cut)
    assert story.lives > 5
    assert {line.split()[0] for line in executioner.killed} == set(POINTS)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_is_killed_at_every_write(tmp_path: Path, point: str) -> None:
    async with process_telling(tmp_path, "3.15.0a3") as story, dying(story, Choice((point,))):
        cut = await carried(story)
        await looks_as_it_should(story, cut)
    assert story.lives > 15


@pytest.mark.timeout(300)
async def test_a_process_that_is_killed_again_and_again_builds_and_publishes_once(tmp_path: Path) -> None:
    async with process_telling(tmp_path, "3.15.0a3", whole=True) as story, dying(story, Choice(POINTS, every=10)) as executioner:
        await whole_release(story)
    assert story.lives > 3
    assert {line.split()[0] for line in executioner.killed} == set(POINTS)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_is_killed_at_every_write_of_a_whole_release(tmp_path: Path, point: str) -> None:
    async with process_telling(tmp_path, "3.15.0a3", whole=True) as story, dying(story, Choice((point,))):
        await whole_release(story)
    assert story.lives > 30


@pytest.mark.chaos
@pytest.mark.timeout(240)
async def test_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with (
        process_telling(tmp_path, "3.15.0a3", database_url=postgres_url) as story,
        dying(story, Choice(POINTS, every=8, first=2)),
    ):
        cut = await carried(story)
        await looks_as_it_should(story, cut)
    assert story.lives > 2


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_every_write_on_postgresql(tmp_path: Path, postgres_url: str, point: str) -> None:
    async with process_telling(tmp_path, "3.15.0a3", database_url=postgres_url) as story, dying(story, Choice((point,))):
        cut = await carried(story)
        await looks_as_it_should(story, cut)


async def whole_release(story: ProcessStory) -> None:
    """Carry a whole release, and see that everything was done once: calls, and thanks."""
    cut = await whole(story, patience=PATIENT)
    assert of_the_builders(scene_of(story, cut)) == []
    await looks_as_it_should(story, cut, steps=16, calls=9)


async def looks_as_it_should(story: ProcessStory, cut: Cut, *, steps: int = 7, calls: int = 2) -> None:
    """See that the world is as it is after a release without any trouble, with nothing done twice; beside the calls there is the status."""

    async def told() -> bool:
        status = story.status_now()
        runs = story.world.github.check_runs("python/cpython", cut.commit)
        return "done" in status.partition("\n\n")[0] and len(runs) == steps

    await story.until("everything to be told", told)
    refs = await story.upstream()
    assert refs["refs/tags/v3.15.0a3"] == cut.tag
    release = await story.until("the page of the release", story.release)
    assert {line["ref"]: line["new"] for line in release["plan"]} == {ref: refs[ref] for ref in ("refs/heads/main", "refs/tags/v3.15.0a3")}
    assert story.freezes() == []
    comments = [comment for comment in story.world.github.comments("python/cpython", story.issue) if comment.author.type == "Bot"]
    abouts = [re.search(r"about=(\S+)", comment.body)[1] for comment in comments]  # type: ignore[index] # every comment has one
    assert len(abouts) == len(set(abouts)) == calls + 1
    names = [run.name for run in story.world.github.check_runs("python/cpython", cut.commit)]
    assert len(names) == len(set(names))
    log = story.world.log
    assert sum("ruleset" in line and "created" in line for line in log) == 2
    assert sum("python/cpython push" in line and "brother-maynard[bot]" in line and "refs/heads/main" in line for line in log) == 1
