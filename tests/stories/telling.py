"""Begin a story, and see at its end that nothing went unnoticed."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

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


@asynccontextmanager
async def telling(
    directory: Path,
    version: str,
    *,
    database_url: str | None = None,
    observers: Sequence[Observer] = (),
    seed: int = 0,
    policy: Callable[[str], str] = str,
) -> AsyncIterator[Story]:
    """Set the stage for a version, start world and bot, and see at the end that nothing went unnoticed.

    ``policy`` is given the text of the profile and returns the one to use.
    """
    async with AsyncExitStack() as stack:
        directory.mkdir(parents=True, exist_ok=True)
        setting = stack.enter_context(stage(directory, PythonVersion.parse(version), None))
        setting.profile.write_text(policy(setting.profile.read_text(encoding="utf-8")), encoding="utf-8")
        world = await stack.enter_async_context(World(directory / "world", seed=seed))
        hands = await populate(world, setting)
        story = Story(world=world, setting=setting, hands=hands, directory=directory, database_url=database_url, observers=observers)
        ears = Ears(story.errors)
        logging.getLogger("bot").addHandler(ears)
        stack.callback(logging.getLogger("bot").removeHandler, ears)
        stack.push_async_callback(story.stop_bot)
        await story.start_bot()
        story.issue = story.open_issue()
        yield story
        await story.ends()
