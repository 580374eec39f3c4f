"""Keep the runs on Azure that made a release for ever; without a lease they vanish after 30 days."""

from typing import Final

from bot import keeping
from bot.profile.types import StepName
from bot.release.facts import Run
from bot.release.model import Release
from bot.services.azure_devops.shapes import AzureRunId
from bot.tools import Tools
from bot.wrapping_up.piece import STEP, Piece, tried

ON_AZURE: Final = frozenset({StepName.WINDOWS, StepName.WINDOWS_PUBLISH, StepName.PACKAGE_BUILD})
ADVICE: Final = "Whoever may do so can retain it on its page."


async def keep(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Keep every run of this attempt, for whatever it was ordered."""
    if not tools.profile.wrap_up.retain:
        return ()
    runs = [run for run in release.runs if run.step in ON_AZURE and run.attempt == release.attempt]
    return tuple([await tried(f"run {run.name}", _keep(run, release, tools), ADVICE, run.url) for run in runs])


async def _keep(run: Run, release: Release, tools: Tools) -> str:
    seen = await tools.azure.run(AzureRunId(run.id))
    return f"kept for ever by the lease {await keeping.keep(STEP, seen, release, tools)}"
