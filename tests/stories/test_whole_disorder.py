"""The whole release in a disorderly world: nothing is ordered, kept or said twice, and it ends in the same way."""

import re
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from bot.rehearsal.azure_hooks import ServiceHooks
from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.webhooks import Webhooks
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import telling
from tests.stories.test_whole import carried, scene_of

PATIENT = 180.0
"""Seconds; dying two hundred times takes a while."""

BUILDERS = ("source", "windows", "windows-publish")
"""The steps that order something; what is tidied up at the end has deaths of its own."""

POINTS = ("between", "acted", "after")

Disorder = Callable[[Webhooks | ServiceHooks], None]


def doubled_and_shuffled(hooks: Webhooks | ServiceHooks) -> None:
    hooks.duplicate, hooks.shuffle = True, 5


def half_of_it_fails(hooks: Webhooks | ServiceHooks) -> None:
    hooks.drop_every = 2


def all_of_it_is_lost(hooks: Webhooks | ServiceHooks) -> None:
    hooks.drop_every = 1
    if isinstance(hooks, Webhooks):
        hooks.drop_logged = False


DISORDERS = (doubled_and_shuffled, half_of_it_fails, all_of_it_is_lost)


def deeds(story: Story) -> Counter[str]:
    """Return what the bot did, each kind of deed with how often; edits of the status and check runs may differ in number."""
    bots = (story.world.github.app.bot.login, story.world.azure.estate.bot.login)
    mine = [line for line in story.world.log if any(f"by {bot}" in line for bot in bots) or " kept for " in line]
    lasting = [line for line in mine if "edited by" not in line and " check '" not in line]
    return Counter(re.sub(r"\b[0-9a-f]{12,40}\b|\d{4,}", "…", line) for line in lasting)


async def told(story: Story) -> Counter[str]:
    """Tell the whole story, see that it ends well, and return what the bot did."""
    cut = await carried(story, PATIENT)
    assert (await story.upstream())[f"refs/tags/{story.setting.version.tag}"] == cut.tag
    assert of_the_builders(scene_of(story, cut)) == []
    return deeds(story)


_ORDERLY: dict[str, Counter[str]] = {}


async def orderly(directory: Path, version: str) -> Counter[str]:
    """Return what the bot does in a world in which nothing goes wrong; that is told only once."""
    if version not in _ORDERLY:
        async with telling(directory / "orderly", version, whole=True) as story:
            _ORDERLY[version] = await told(story)
    return _ORDERLY[version]


async def dying(
    directory: Path, version: str, points: Collection[str], only: Collection[str] = (), disorder: Disorder | None = None
) -> Mortal:
    """Let the bot die wherever it can, and see that it has done the same as a bot that never died."""
    mortal = Mortal([*points], only)
    async with telling(directory / "deadly", version, whole=True, observers=[mortal]) as story, reviving(story, mortal):
        if disorder is not None:
            disorder(story.world.github.webhooks)
            disorder(story.world.azure.hooks)
        done = await told(story)
    assert done == await orderly(directory, version)
    return mortal


async def test_the_bot_dies_at_every_order_it_gives_while_every_hook_comes_twice_and_in_no_order(tmp_path: Path) -> None:
    mortal = await dying(tmp_path, "3.15.0a3", POINTS[1:2], BUILDERS, doubled_and_shuffled)
    names = {key.name for _, key in mortal.deaths}
    assert {"dispatch 1", "queue build 1", "queue publish 1"} <= names


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("version", ["3.15.0a3", "3.13.6", "3.12.99"])
async def test_the_bot_dies_at_every_effect(tmp_path: Path, version: str, point: str) -> None:
    await dying(tmp_path, version, [point])


@pytest.mark.chaos
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("disorder", DISORDERS)
@pytest.mark.parametrize("version", ["3.15.0a3", "3.12.99"])
async def test_hooks_come_twice_late_or_never(tmp_path: Path, version: str, disorder: Disorder, seed: int) -> None:
    await late_or_never(tmp_path, version, disorder, seed)


async def late_or_never(directory: Path, version: str, disorder: Disorder, seed: int) -> None:
    async with telling(directory / "disorderly", version, whole=True, seed=seed) as story:
        disorder(story.world.github.webhooks)
        disorder(story.world.azure.hooks)
        done = await told(story)
    assert done == await orderly(directory, version)
