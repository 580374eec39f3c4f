"""Microsoft's own clients, as far as the bot uses them, each within the bounds of the guard.

Import this module only through ``bot.services.azure_devops.library``: the package reads the folder of its cache when it is imported.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from azure.devops._file_cache import OPTIONS_CACHE, RESOURCE_CACHE
from azure.devops.v7_0.build.build_client import BuildClient
from azure.devops.v7_0.build.models import Build, NewRetentionLease, UpdateStageParameters
from azure.devops.v7_0.pipelines.models import (
    PipelineResourceParameters,
    RepositoryResourceParameters,
    RunPipelineParameters,
    RunResourcesParameters,
    Variable,
)
from azure.devops.v7_0.pipelines.pipelines_client import PipelinesClient

from bot.services.answers import MalformedAnswer
from bot.services.azure_devops.guard import Guarded, Manner
from bot.services.azure_devops.shapes import Order
from bot.services.azure_devops.verdict import judging

Result = TypeVar("Result")

APPROVALS = "37794717-f36f-4d78-b2bf-4dc30d0cfbcd"
"""Where approvals are, in the service's list of locations; the package has no client for them."""

RUNS = "7859261e-d2e9-4a68-b820-a5d84cc5bb3d"
"""Where runs are, as the pipelines interface shows them."""


_WARMING = threading.Lock()
"""The package's caches, in memory and on disk, are shared by all clients of the process and not safe between threads."""


class Builds(Guarded, BuildClient):  # type: ignore[misc]  # the package has no types
    """Runs, their timelines, artifacts, tags and leases."""

    def file(self, project: str, run: int, artifact: str, *, file: str, name: str, limit: int) -> bytes:
        """Read a file of an artifact by its id, and never more of it than ``limit`` bytes; raise MalformedAnswer beyond that.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/get-file
        """
        body = bytearray()
        try:
            with closing(self.get_file(project, run, artifact, file, name)) as pieces:
                for piece in pieces:
                    body += piece
                    if len(body) > limit:
                        raise MalformedAnswer(f"{name} in the artifact {artifact} of run {run} has more than {limit} bytes")
        finally:
            self._client.close()
        return bytes(body)

    def retry(self, project: str, run: int, stage: str) -> None:
        """Let the failed jobs of a stage run again: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/stages/update."""
        self.update_stage(UpdateStageParameters(state="retry", force_retry_all_jobs=False), run, stage, project)

    def cancel(self, project: str, run: int) -> None:
        """Ask a run to stop: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/update-build."""
        self.update_build(Build(status="cancelling"), project, run)

    def retain(self, project: str, **lease: object) -> Any:  # noqa: ANN401 - the package's own
        """Add one lease, given by the fields of NewRetentionLease."""
        return self.add_retention_leases([NewRetentionLease(**lease)], project)


class Pipelines(Guarded, PipelinesClient):  # type: ignore[misc]  # the package has no types
    """Runs as they are ordered, with parameters."""

    def order(self, project: str, definition: int, body: Order) -> Any:  # noqa: ANN401 - the package's own
        """Order a run: https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/runs/run-pipeline."""
        return self.run_pipeline(_written(body), project, definition)

    def dry_run(self, project: str, definition: int, body: Order) -> Any:  # noqa: ANN401 - the package's own
        """Have an order checked: https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/preview/preview."""
        written = _written(body)
        written.preview_run = True
        return self.preview(written, project, definition)

    def resources(self, project: str, definition: int, run: int) -> object:
        """Return a run as the service writes it, for the package leaves out which earlier runs it took up.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/runs/get
        """
        response = self._send(
            http_method="GET",
            location_id=RUNS,
            version="7.0",
            route_values={"project": quote(project, safe=""), "pipelineId": str(definition), "runId": str(run)},
        )
        return response.json()


class Approvals(Guarded):
    """Approvals, for which the package has no client."""

    def warm_up(self) -> None:
        """Read the list of locations, which all clients share from then on."""
        self._get_organization_resource_location(APPROVALS)

    def named(self, project: str, ids: tuple[str, ...], *, expand: str = "steps") -> object:
        """Return the approvals of these ids with their steps, or with what the bot may do (``permissions``), as the service writes them.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals/query
        """
        response = self._send(
            http_method="GET",
            location_id=APPROVALS,
            version="7.1-preview.1",
            route_values={"project": quote(project, safe="")},
            query_parameters={"approvalIds": quote(",".join(ids), safe=","), "$expand": expand},
        )
        return response.json()

    def decide(self, project: str, approval: str, status: str, comment: str) -> None:
        """Give one approval or refuse it, as the bot itself: its id alone says which.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals/update
        """
        self._send(
            http_method="PATCH",
            location_id=APPROVALS,
            version="7.1-preview.1",
            route_values={"project": quote(project, safe="")},
            content=[{"approvalId": approval, "status": status, "comment": comment}],
        )


class Clients:
    """All clients of one organisation, made once. Their methods block, so they run in threads."""

    def __init__(self, manner: Manner) -> None:
        """Make the clients; nothing is asked yet."""
        self.builds = Builds(manner)
        self.pipelines = Pipelines(manner)
        self.approvals = Approvals(manner)
        self._manner = manner
        self._warm = False

    def do(self, what: str, work: Callable[["Clients"], Result]) -> Result:
        """Do some work; raise AzureRefused or Unavailable, saying what was wanted (``read run 7``)."""
        with judging(what, self._manner.pace, secret=self._manner.token):
            with _WARMING:
                # The disk may be emptied at any time, and the package gives up where it cannot write down what it learned.
                for cache in (RESOURCE_CACHE, OPTIONS_CACHE):
                    Path(cache.file_name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not self._warm:
                    self.approvals.warm_up()
                    self._warm = True
            return work(self)


def _written(order: Order) -> Any:  # noqa: ANN401 - the package's own
    """Write an order as the package wants it."""
    earlier = {alias: PipelineResourceParameters(version=name) for alias, name in order.resources.items()}
    repository = RepositoryResourceParameters(ref_name=order.ref, version=order.commit or None)
    variables = {name: Variable(value=value) for name, value in order.variables.items()}
    resources = RunResourcesParameters(repositories={"self": repository}, pipelines=earlier or None)
    return RunPipelineParameters(template_parameters=dict(order.parameters), resources=resources, variables=variables or None)
