"""Begin a story, and see at its end that nothing went unnoticed."""

import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from bot.effects import Observer
from bot.rehearsal.stage import stage
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World
from tests.stories.scenery import populate
from tests.stories.story import Story


class Ears(logging.Handler):
    """Hear every error the bot logs."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self.errors.append(f"{record.name}: {record.getMessage()}{cause}")


def rarely(*values: object) -> ParameterSet:
    """Leave one case of several that differ little to `make chaos`."""
    return pytest.param(*values, marks=pytest.mark.chaos)


def classic(text: str) -> str:
    """Return a policy that freezes by classic protection instead of rulesets."""
    return text.replace('mode = "ruleset"', 'mode = "classic"')


Policy = Callable[[str], str]
"""What is given the text of a profile and returns the one to use."""

IN_BOTH_MODES = pytest.mark.parametrize(("policy", "holds"), [(str, 2), rarely(classic, 1)], ids=["rulesets", "classic"])
"""Tell a story in both ways of freezing: ``holds`` are how many refs a release can hold still in each."""


def walls(text: str) -> str:
    """Leave of a profile the steps from preflight to thaw: a release that builds and publishes nothing."""
    return re.sub(r"^\[\[step\]\]\n(?:(?!\[).*\n)*", "", text, flags=re.MULTILINE)


def quiet(text: str) -> str:
    """Leave it to the story to open its issue, although the schedule expects its release today."""
    return re.sub(r"^ahead = .*$", "ahead = 0", text, flags=re.MULTILINE)


def only(*names: str) -> Callable[[str], str]:
    """Return a policy in which a release takes these steps alone, each after the one before it."""
    chain = [f'[[step]]\nname = "{name}"\nneeds = {json.dumps(names[:number][-1:])}' for number, name in enumerate(names)]
    return lambda text: "\n\n".join([walls(text), *chain, ""])


@asynccontextmanager
async def telling(
    directory: Path,
    version: str,
    *,
    database_url: str | None = None,
    observers: Sequence[Observer] = (),
    seed: int = 0,
    policy: Callable[[str], str] = str,
    whole: bool = False,
    machines: bool = True,
) -> AsyncIterator[Story]:
    """Set the stage for a version, start world and bot, and see at the end that nothing went unnoticed.

    ``policy`` is given the text of the profile and returns the one to use. The ``whole`` release builds and publishes; the others of
    these stories go from the freeze to the push and end there. Of a whole one the builders work by themselves, unless the story wants
    to drive the ``machines`` by hand. The bot opens no issues of
    its own, unless the policy says so.
    """
    async with AsyncExitStack() as stack:
        directory.mkdir(parents=True, exist_ok=True)
        setting = stack.enter_context(stage(directory, PythonVersion.parse(version), None))
        text = setting.profile.read_text(encoding="utf-8")
        setting.profile.write_text(policy(quiet(text if whole else walls(text))), encoding="utf-8")
        world = await stack.enter_async_context(World(directory / "world", seed=seed))
        hands = await populate(world, setting, whole=whole)
        story = Story(world=world, setting=setting, hands=hands, directory=directory, database_url=database_url, observers=observers)
        ears = Ears(story.errors)
        logging.getLogger("bot").addHandler(ears)
        stack.callback(logging.getLogger("bot").removeHandler, ears)
        stack.push_async_callback(story.stop_bot)
        if whole and machines:
            await stack.enter_async_context(story.machines.working())
        await story.start_bot()
        story.issue = story.open_issue()
        yield story
        await story.ends()
