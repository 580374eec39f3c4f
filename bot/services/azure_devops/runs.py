"""Runs: check an order, place it, find what became of it, stop it.

Placing an order is not idempotent and cannot be made so, so it is never repeated here; who placed one and got no answer looks for it by the
name that the pipeline gives its runs, by the time and by the parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, Strict, TypeAdapter

from bot.errors import Unavailable
from bot.services.answers import parse
from bot.services.azure_devops.connection import TopicBase, every, read
from bot.services.azure_devops.errors import AzureRefused
from bot.services.azure_devops.shapes import AzureRunId, DefinitionId, Order, Run, RunStatus, as_text

EVERY_NAME = "*"
"""The pattern of every name."""

ROOT_FOLDER = "\\"
"""The folder of pipelines that lie in none."""


@dataclass(frozen=True, kw_only=True)
class _Definition:
    id: Annotated[DefinitionId, Strict()]
    name: str
    path: str = ROOT_FOLDER


@dataclass(frozen=True, kw_only=True)
class _Preview:
    final_yaml: str


@dataclass(frozen=True, kw_only=True)
class _Placed:
    id: Annotated[AzureRunId, Strict(), Field(gt=0)]


@dataclass(frozen=True, kw_only=True)
class _Listed:
    id: Annotated[AzureRunId, Strict()]
    status: RunStatus = RunStatus.NONE
    source_version: str = ""


@dataclass(frozen=True, kw_only=True)
class _Earlier:
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class _Resources:
    pipelines: dict[str, _Earlier] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Used:
    resources: _Resources = field(default_factory=_Resources)


_DEFINITION, _PREVIEW, _PLACED = TypeAdapter(_Definition), TypeAdapter(_Preview), TypeAdapter(_Placed)
_LISTED, _RUN, _USED = TypeAdapter(_Listed), TypeAdapter(Run), TypeAdapter(_Used)


class Runs(TopicBase):
    """Everything about runs but what goes on inside them. Reading needs the token's scope *Build (read)*, writing *read & execute*."""

    async def definition_id(self, name: str, path: str = ROOT_FOLDER) -> DefinitionId | None:
        """Return the pipeline of this name in this folder, or None; names repeat across folders, and letters may differ in case.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/definitions/list
        """
        what = f"find the pipeline {name}"
        models = await self._ask(what, lambda clients: clients.builds.get_definitions(self._project, name=name))
        for definition in every(_DEFINITION, models, what):
            if definition.name.casefold() == name.casefold() and definition.path.casefold() == path.casefold():
                return definition.id
        return None

    async def preview_run(
        self,
        definition: DefinitionId,
        parameters: Mapping[str, str | bool],
        ref: str,
        resources: Mapping[str, str] | None = None,
        *,
        commit: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Have an order checked without placing it, and return the pipeline's source with everything filled in.

        Raise AzureRefused with all that is wrong with it. https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/preview/preview
        """
        what, order = f"check an order of pipeline {definition}", _order(parameters, ref, resources, commit, variables)
        model = await self._ask(what, lambda clients: clients.pipelines.dry_run(self._project, definition, order))
        return read(_PREVIEW, model, what).final_yaml

    async def queue_run(
        self,
        definition: DefinitionId,
        parameters: Mapping[str, str | bool],
        ref: str,
        resources: Mapping[str, str] | None = None,
        *,
        commit: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> AzureRunId:
        """Place an order; it is sent once. After Unavailable a run may or may not be there: look with ``find_runs``.

        ``ref`` is that of the pipeline's own repository; ``resources`` gives, under the name that the pipeline uses, the name of the
        earlier run to take; ``commit`` is that of the pipeline's own repository, and ``variables`` hold for this run.
        https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/runs/run-pipeline
        """
        what, order = f"queue a run of pipeline {definition}", _order(parameters, ref, resources, commit, variables)
        model = await self._ask(what, lambda clients: clients.pipelines.order(self._project, definition, order))
        return read(_PLACED, model, what).id

    async def find_runs(self, definition: DefinitionId, name_pattern: str, since: datetime, *, commit: str = "") -> list[Run]:
        """Return the runs that were queued since then and have this name, or with a star at its end, names that begin so; newest first.

        A star alone stands for every name. With a ``commit``, of the pipeline's own repository, runs of others are left out.

        Raise Unavailable where there are more than the bot reads.
        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/list
        """
        what, limits = f"find runs of pipeline {definition} named {name_pattern}", self._connection.limits
        longest = limits.longest_list if commit else limits.most_runs
        models = await self._ask(
            what,
            lambda clients: clients.builds.get_builds(
                self._project,
                definitions=[definition],
                build_number=None if name_pattern == EVERY_NAME else name_pattern,
                # Without this order the time would be that of the end, which a run under way does not have.
                query_order="queueTimeDescending",
                min_time=since,
                top=longest + 1,
            ),
        )
        listed = every(_LISTED, models, what)
        # A list that does not tell the commit of a run leaves nothing out.
        found = [each for each in listed if not commit or each.source_version in ("", commit)]
        if len(listed) > longest or len(found) > limits.most_runs:
            raise Unavailable(f"Azure DevOps was asked to {what}, and there are more than {limits.most_runs}, more than the bot reads")
        # Only the answer about a single run is known to hold its parameters.
        return [await self._read(each.id) for each in found]

    async def runs_under_way(self, definition: DefinitionId, since: datetime) -> list[Run]:
        """Return the runs that were queued since then and have not ended, whoever queued them; newest first.

        Raise Unavailable where more were queued than the bot reads.
        https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/list
        """
        what, most = f"find the runs of pipeline {definition} that are under way", self._connection.limits.longest_list
        order = "queueTimeDescending"
        models = await self._ask(
            what,
            lambda clients: clients.builds.get_builds(
                self._project, definitions=[definition], query_order=order, min_time=since, top=most + 1
            ),
        )
        listed = every(_LISTED, models, what)
        if len(listed) > most:
            raise Unavailable(f"Azure DevOps was asked to {what}, and lists more than {most}, more than the bot reads")
        seen = [await self._if_there(each.id) for each in listed if each.status is not RunStatus.COMPLETED]
        return [run for run in seen if run is not None and run.status is not RunStatus.COMPLETED]

    async def run(self, run: AzureRunId) -> Run:
        """Return one run: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/get."""
        self._check_pace()
        return await self._read(run)

    async def taken_up(self, definition: DefinitionId, run: AzureRunId) -> Mapping[str, str]:
        """Return the names of the earlier runs that a run was told to take up, by the names that the pipeline gives them.

        https://learn.microsoft.com/en-us/rest/api/azure/devops/pipelines/runs/get
        """
        what = f"read what run {run} takes up"
        answer = await self._ask(what, lambda clients: clients.pipelines.resources(self._project, definition, run))
        return {alias: earlier.version for alias, earlier in parse(_USED, answer, what=what).resources.pipelines.items()}

    async def cancel(self, run: AzureRunId) -> None:
        """Ask a run to stop; it takes a while until it has: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/update-build."""
        await self._ask(f"cancel run {run}", lambda clients: clients.builds.cancel(self._project, run))

    def page(self, run: AzureRunId) -> str:
        """Return the address of the page where people see a run, and approve its stages."""
        return f"{self._connection.organization}/{quote(self._project, safe='')}/_build/results?buildId={run}"

    async def _if_there(self, run: AzureRunId) -> Run | None:
        """Return a run that was listed, or None for one that was deleted since."""
        try:
            return await self._read(run)
        except AzureRefused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    async def _read(self, run: AzureRunId) -> Run:
        what = f"read run {run}"
        return read(_RUN, await self._go_on(what, lambda clients: clients.builds.get_build(self._project, run)), what)


def _order(
    parameters: Mapping[str, str | bool],
    ref: str,
    resources: Mapping[str, str] | None,
    commit: str,
    variables: Mapping[str, str] | None,
) -> Order:
    written = {name: as_text(value) for name, value in parameters.items()}
    return Order(parameters=written, ref=ref, resources=dict(resources or {}), commit=commit, variables=dict(variables or {}))
