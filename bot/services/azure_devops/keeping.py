"""Mark runs and keep them: an unmarked run is like any other, and one without a lease is deleted after a while."""

from pydantic import TypeAdapter

from bot.services.answers import MalformedAnswer
from bot.services.azure_devops.connection import TopicBase, every
from bot.services.azure_devops.shapes import AzureRunId, Lease, Run

FOREVER = 36501
"""Days that the service shows as *forever*: anything above a hundred years.

https://learn.microsoft.com/en-us/rest/api/azure/devops/build/leases/add
"""

_LEASE = TypeAdapter(Lease)


class Keeping(TopicBase):
    """Tags and retention leases."""

    async def add_tag(self, run: AzureRunId, tag: str) -> None:
        """Put a tag on a run; doing so again changes nothing: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/tags/add-build-tag."""
        await self._ask(f"tag run {run} with {tag}", lambda clients: clients.builds.add_build_tag(self._project, run, tag))

    async def leases(self, owner: str, run: Run) -> list[Lease]:
        """Return the leases of this owner on a run.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/leases/get-retention-leases-by-owner-id
        """
        what = f"list the leases of {owner} on run {run.id}"
        models = await self._ask(
            what,
            lambda clients: clients.builds.get_retention_leases_by_owner_id(
                self._project, owner_id=owner, definition_id=run.definition, run_id=run.id
            ),
        )
        return every(_LEASE, models, what)

    async def add_lease(self, owner: str, run: Run, *, days: int = FOREVER) -> Lease:
        """Keep a run for so many days and return the lease; a second call makes a second lease, so look first.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/leases/add
        """
        what = f"keep run {run.id}"
        models = await self._ask(
            what,
            lambda clients: clients.builds.retain(
                self._project, owner_id=owner, run_id=run.id, definition_id=run.definition, days_valid=days, protect_pipeline=False
            ),
        )
        added = every(_LEASE, models, what)
        if not added:
            raise MalformedAnswer(f"Azure DevOps was asked to {what}, and named no lease")
        return added[0]
