"""Keep runs on Azure Pipelines for ever; without a lease they vanish after 30 days."""

from collections.abc import Mapping
from typing import Final

from bot.effects import Nature
from bot.journal import Json
from bot.release.model import Release
from bot.services.azure_devops.shapes import Run
from bot.tools import Tools

OWNER: Final = "brother-maynard"


async def keep(step: str, run: Run, release: Release, tools: Tools) -> int:
    """Keep a run for ever and return its lease; one that is there already is taken up, whichever step asked for it.

    Raise AzureRefused where the bot may not do so.
    """
    owner = f"{OWNER} {release.id}"

    async def find() -> Mapping[str, Json] | None:
        return next(({"lease": lease.id} for lease in await tools.azure.leases(owner, run)), None)

    async def add() -> Mapping[str, Json]:
        # Leases are not unique: two for the same owner would both have to be taken away.
        return await find() or {"lease": (await tools.azure.add_lease(owner, run)).id}

    parameters: Mapping[str, Json] = {"run": run.id, "owner": owner}
    result = await tools.door(step, f"retain {run.id}", nature=Nature.FINDABLE, parameters=parameters, find=find, do=add)
    return int(result["lease"])
