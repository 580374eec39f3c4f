"""Let the pipelines of the Azure SDK work by themselves; what waits for an approval waits."""

from bot.rehearsal.azure_model import Run, Stage
from bot.rehearsal.github import RuleViolation
from bot.rehearsal.pypi_model import Refused
from bot.rehearsal.sdk_pipeline import PACKAGES, SKIP_TAG, ServiceSource
from bot.rehearsal.workers import TICK, Workers
from bot.rehearsal.world import World

ACCOUNT = "azure-sdk"
"""Who tags and uploads, on GitHub as on PyPI."""


class SdkMachines(Workers):
    """The machines of one service. ``working_on`` may be set to False at any time, to make them pause.

    A stage whose name is in ``failing`` fails whenever it runs; ``tampering`` are files that replace those that were built when they are
    uploaded, by their names.
    """

    def __init__(self, world: World, source: ServiceSource, upstream: str, *, tick: float = TICK) -> None:
        """Get ready to build what lies in this source, which is the repository ``upstream`` in this world."""
        super().__init__(world, tick)
        self.working_on = True
        self.failing: set[str] = set()
        self.tampering: dict[str, bytes] = {}
        self._source = source
        self._upstream = upstream
        self._released: set[tuple[int, str, int]] = set()

    async def go_on(self) -> None:
        """Let one thing happen to each run that is under way and waits for nobody."""
        for run in self._world.azure.runs:
            if self.working_on and run.status != "completed":
                await self._work_on(run)

    async def _work_on(self, run: Run) -> None:
        azure = self._world.azure
        for stage in run.stages:
            if stage.state == "inProgress":
                await self._within(run, stage)
                break
        azure.advance(run.id)

    async def _within(self, run: Run, stage: Stage) -> None:
        """Do what a stage is for, before it ends."""
        azure, name = self._world.azure, stage.plan.name
        if name in self.failing:
            azure.fail(run.id, name)
        elif name == "Build":
            azure.fill(PACKAGES, self._source.built(run.commit, run.id))
        elif stage.plan.asks and (run.id, name, stage.attempt) not in self._released:
            self._released.add((run.id, name, stage.attempt))
            await self._release(run, stage)

    async def _release(self, run: Run, stage: Stage) -> None:
        """Tag, unless that was not wanted, and publish: a job that fails makes the rest of them skipped."""
        package = next(each.name for each in self._source.artifacts(run.commit) if each.stage == stage.plan.name)
        built = run.artifacts[PACKAGES].files
        files = {path.rpartition("/")[2]: content for path, content in built.items() if path.startswith(f"{package}/")}
        try:
            if run.variables.get(SKIP_TAG, "").lower() != "true":
                await self._world.github.create_tag(ACCOUNT, self._upstream, f"{package}_{_version(files)}", run.commit)
            # The wheel first: https://github.com/Azure/azure-sdk-for-python/blob/main/eng/pipelines/templates/stages
            for name in sorted(files, key=lambda name: not name.endswith(".whl")):
                self._world.pypi.upload(ACCOUNT, name, self.tampering.get(name, files[name]))
        except (RuleViolation, Refused) as refused:
            self._world.azure.fail(run.id, stage.plan.name, f"The job failed: {refused}")


def _version(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.endswith(".whl")).split("-")[1]
