"""Stories about the release of a package: the same bot, with the profile of the Azure SDK, in a world with its pipeline and PyPI."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from bot.effects import Observer
from bot.rehearsal.azure_model import Run
from bot.rehearsal.sdk_machinery import SdkMachines
from bot.rehearsal.sdk_rehearsal import populated
from bot.rehearsal.sdk_stage import UPSTREAM, sdk_stage
from bot.rehearsal.world import World
from tests.stories.story import Story
from tests.stories.telling import Ears

RELEASE = "Release_azurecore"
OTHERS = ("Release_azurecorecoretracingopencensus", "Release_azuremgmtcore")


class PackageStory(Story):
    """One world, one bot, one issue about a package. Its setting is another one, and nobody makes anything by hand."""

    setting: Any
    home: ClassVar[str] = UPSTREAM
    machines: Any

    def __post_init__(self) -> None:
        """Leave the machines to whoever put them into the world."""

    @property
    def page(self) -> str:
        """Return the name of the page of the release."""
        return f"{self.setting.project}/{self.setting.tag}"

    @property
    def name(self) -> str:
        """Return how people call what is released."""
        return f"{self.setting.package} {self.setting.version}"

    @property
    def run(self) -> Run:
        """Return the only run of the pipeline."""
        [run] = self.world.azure.runs
        return run

    def open_issue(self) -> int:
        """Open an issue for the release."""
        return self.world.github.open_issue(self.manager, self.home, f"Release {self.name}")

    async def tag_object(self) -> str:
        """Wait until the tag that the bot has made is to be approved."""
        asked = re.search("/release approve ([0-9a-f]{40})", await self.comment("/release approve "))
        assert asked is not None
        return asked[1]

    async def released(self) -> str:
        """Begin, and approve the tag."""
        self.say(f"/release {self.name}")
        tag = await self.tag_object()
        self.say(f"/release approve {tag}")
        return tag

    async def to_decision(self) -> str:
        """Go on until something is to be decided about what was built."""
        tag = await self.released()
        await self.comment(f"/release approve-stage {self.setting.package}")
        return tag

    async def status_of(self, stage: str, wanted: str) -> None:
        """Wait until the approval of a stage has a status."""

        async def there() -> bool:
            approval = self.run.stage(stage).approval
            return approval is not None and approval.status == wanted

        await self.until(f"{stage} to be {wanted}", there)

    def on_pypi(self) -> dict[str, bytes]:
        """Return the files of the version on PyPI."""
        return self.world.pypi.files(self.setting.package, self.setting.version)

    def built(self) -> dict[str, bytes]:  # type: ignore[override]  # what is built of a package is no step of a whole release of Python
        """Return the files of the package that were built."""
        files = self.run.artifacts["packages"].files
        return {path.rpartition("/")[2]: content for path, content in files.items() if path.startswith(f"{self.setting.package}/")}


@asynccontextmanager
async def telling_of(
    directory: Path,
    package: str = "azure-core",
    version: str = "1.30.0",
    *,
    observers: Sequence[Observer] = (),
    policy: Callable[[str], str] = str,
    bot_approves: bool | None = None,
    prepare: Callable[[World, SdkMachines], None] = lambda _world, _machines: None,
) -> AsyncIterator[PackageStory]:
    """Set the stage for a package, start world and bot, and see at the end that nothing went unnoticed.

    ``policy`` changes the text of the profile, ``prepare`` what is in the world before the bot starts.
    """
    async with AsyncExitStack() as stack:
        directory.mkdir(parents=True, exist_ok=True)
        setting = sdk_stage(directory, package, version, bot_approves=bot_approves)
        setting.profile.write_text(policy(setting.profile.read_text(encoding="utf-8")), encoding="utf-8")
        world = await stack.enter_async_context(World(directory / "world"))
        machines = await populated(world, setting)
        prepare(world, machines)
        nobody: Any = None
        what: Any = setting
        story = PackageStory(world=world, setting=what, hands=nobody, directory=directory, observers=observers)
        story.machines = machines
        ears = Ears(story.errors)
        logging.getLogger("bot").addHandler(ears)
        stack.callback(logging.getLogger("bot").removeHandler, ears)
        stack.push_async_callback(story.stop_bot)
        await stack.enter_async_context(machines.working())
        await story.start_bot()
        story.issue = story.open_issue()
        yield story
        await story.ends()
