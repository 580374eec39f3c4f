"""Answer what the bot asks of Azure DevOps."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from bot.rehearsal import azure_course as course
from bot.rehearsal import azure_shapes as shapes
from bot.rehearsal.azure_estate import Estate
from bot.rehearsal.azure_locations import areas, locations
from bot.rehearsal.azure_model import Artifact, JsonObject, Lease, Run
from bot.rehearsal.azure_problems import Invalid, Problem
from bot.rehearsal.azure_rest_approvals import BODY, PIPELINES, Answering, AzureApprovals
from bot.rehearsal.moments import now

BUILD = "/{organization}/{project}/_apis/build"

_FILTERS = frozenset({"definitions", "buildNumber", "branchName", "minTime", "queryOrder", "$top", "api-version"})
"""By what runs are selected here: https://learn.microsoft.com/en-us/rest/api/azure/devops/build/builds/list."""


class AzureRest:
    """The handlers, by route and by the permission they need."""

    def __init__(self, estate: Estate) -> None:
        """Answer from this estate."""
        self._estate = estate

    def routes(self) -> dict[tuple[str, str], tuple[str, Answering]]:
        """Return permission and handler by method and route."""
        view = "View builds"
        return {
            ("OPTIONS", "/{organization}/_apis"): (view, self._locations),
            ("GET", "/{organization}/_apis/ResourceAreas"): (view, self._areas),
            ("GET", f"{BUILD}/definitions"): (view, self._definitions),
            ("GET", f"{BUILD}/builds"): (view, self._builds),
            ("GET", f"{BUILD}/builds/{{buildId}}"): (view, self._build),
            ("PATCH", f"{BUILD}/builds/{{buildId}}"): ("Stop builds", self._update),
            ("GET", f"{BUILD}/builds/{{buildId}}/timeline"): (view, self._timeline),
            ("PATCH", f"{BUILD}/builds/{{buildId}}/stages/{{stage}}"): ("Edit queue build configuration", self._stage),
            ("GET", f"{BUILD}/builds/{{buildId}}/artifacts"): (view, self._artifacts),
            ("PUT", f"{BUILD}/builds/{{buildId}}/tags/{{tag}}"): ("Edit build quality", self._tag),
            ("GET", f"{BUILD}/retention/leases"): (view, self._leases),
            ("POST", f"{BUILD}/retention/leases"): ("Retain indefinitely", self._add_leases),
            ("POST", f"{PIPELINES}/{{pipelineId}}/preview"): ("Queue builds", self._preview),
            ("POST", f"{PIPELINES}/{{pipelineId}}/runs"): ("Queue builds", self._place),
            ("GET", f"{PIPELINES}/{{pipelineId}}/runs/{{runId}}"): (view, self._used),
        } | AzureApprovals(self._estate).routes()

    async def _locations(self, _request: web.Request) -> web.Response:
        return web.json_response(shapes.listed(locations()))

    async def _areas(self, _request: web.Request) -> web.Response:
        return web.json_response(shapes.listed(areas(self._estate.url)))

    async def _definitions(self, request: web.Request) -> web.Response:
        wanted, path = request.query.get("name", "").casefold(), request.query.get("path")
        found = [pipeline for pipeline in self._estate.pipelines.values() if pipeline.name.casefold() == wanted]
        found = [pipeline for pipeline in found if path is None or pipeline.path.casefold() == path.casefold()]
        return web.json_response(shapes.listed([shapes.definition(each, self._estate.url, self._estate.project) for each in found]))

    async def _builds(self, request: web.Request) -> web.Response:
        """List runs newest first; the earliest time is about the end of runs unless another order is asked for."""
        query = request.query
        for name in query.keys() - _FILTERS:
            self._estate.chronicle.violation(f"azure: the rehearsal cannot select runs by {name}")
        by_queue = query.get("queryOrder", "").startswith("queueTime")
        since = datetime.fromisoformat(query["minTime"]) if "minTime" in query else None
        found = []
        for run in sorted(self._estate.runs.values(), key=lambda run: run.id, reverse=True):
            at = run.queued if by_queue else run.finished
            of_ref = query.get("branchName", run.ref) == run.ref
            if of_ref and str(run.pipeline.id) in query.get("definitions", "").split(",") and _named(run, query.get("buildNumber", "*")):
                found += [run] if since is None or (at is not None and at >= since) else []
        # Whether lists have the parameters is not documented, so here they have none.
        built = [{**shapes.build(run, self._estate.url, self._estate.project)} for run in found[: int(query.get("$top", "1000"))]]
        return web.json_response(
            shapes.listed([{name: value for name, value in each.items() if name != "templateParameters"} for each in built])
        )

    async def _build(self, request: web.Request) -> web.Response:
        return self._answer_run(self._run(request))

    async def _update(self, request: web.Request) -> web.Response:
        run = self._run(request)
        if request[BODY] != {"status": "cancelling"}:
            self._estate.chronicle.violation(f"azure: run {run.id} was to be changed otherwise than by cancelling it")
            raise Problem(400, "InvalidBuildException", "The status of a build can be changed to Cancelling only.")
        self._do(lambda: course.cancel(run))
        self._estate.changed(run)
        self._estate.happened(f"run {run.id} cancelled by {self._estate.bot.login}")
        return self._answer_run(run)

    async def _timeline(self, request: web.Request) -> web.Response:
        run = self._run(request)
        return web.Response(status=204) if run.status == "notStarted" else web.json_response(shapes.timeline(run))

    async def _stage(self, request: web.Request) -> web.Response:
        run, name = self._run(request), request.match_info["stage"]
        body = request[BODY]
        if not isinstance(body, dict) or body.get("state") != "retry":
            raise Problem(400, "InvalidStageUpdateException", "The stage can only be retried.")
        try:
            stage = run.stage(name)
        except KeyError:
            raise Problem(404, "StageNotFoundException", f"Stage {name} was not found in run {run.id}.") from None
        self._do(lambda: course.retry(run, stage))
        self._estate.changed(run)
        self._estate.happened(f"run {run.id} stage {name} retried by {self._estate.bot.login}")
        return web.Response(status=200)

    async def _artifacts(self, request: web.Request) -> web.StreamResponse:
        """List what a run published, or give one of it, or a file of it."""
        run, name = self._run(request), request.query.get("artifactName")
        numbered = {each: place for place, each in enumerate(run.artifacts, 1)}
        if name is None:
            return web.json_response(shapes.listed([self._artifact(run, each, place) for each, place in numbered.items()]))
        if name not in run.artifacts:
            raise Problem(404, "ArtifactNotFoundException", f"Artifact {name} was not found for build {run.id}.")
        if "fileId" in request.query:
            return _file(run.artifacts[name], request.query["fileId"])
        return web.json_response(self._artifact(run, name, numbered[name]))

    async def _tag(self, request: web.Request) -> web.Response:
        run, tag = self._run(request), request.match_info["tag"]
        if tag not in run.tags:
            run.tags.append(tag)
            self._estate.happened(f"run {run.id} tagged {tag} by {self._estate.bot.login}")
        return web.json_response({"count": len(run.tags), "value": run.tags})

    async def _leases(self, request: web.Request) -> web.Response:
        query = request.query
        if "runId" in query and "definitionId" not in query:
            raise Problem(400, "ArgumentException", "A run id needs a definition id.")
        wanted = (query.get("ownerId"), query.get("definitionId"), query.get("runId"))
        found = [lease for lease in self._estate.leases if (lease.owner, str(lease.pipeline), str(lease.run)) == wanted]
        return web.json_response(shapes.listed([shapes.lease(lease) for lease in found]))

    async def _add_leases(self, request: web.Request) -> web.Response:
        asked = request[BODY]
        added = [self._lease(each) for each in (asked if isinstance(asked, list) else []) if isinstance(each, dict)]
        self._estate.leases += added
        for lease in added:
            self._estate.happened(f"run {lease.run} kept for {lease.owner} until {lease.until:%Y-%m-%d}")
        return web.json_response(shapes.listed([shapes.lease(lease) for lease in added]))

    async def _preview(self, request: web.Request) -> web.Response:
        pipeline = self._estate.pipeline(request.match_info["pipelineId"])
        order = await asyncio.to_thread(self._estate.checked, pipeline, _order(request))
        return web.json_response({"finalYaml": "\n".join(f"# {name}: {value}" for name, value in sorted(order.parameters.items()))})

    async def _place(self, request: web.Request) -> web.Response:
        pipeline, order = self._estate.pipeline(request.match_info["pipelineId"]), _order(request)
        if order.get("previewRun"):
            return await self._preview(request)
        accepted = await asyncio.to_thread(self._estate.checked, pipeline, order)
        run = self._estate.enter(pipeline, accepted, self._estate.bot)
        return web.json_response(shapes.placed(run, self._estate.url, self._estate.project))

    async def _used(self, request: web.Request) -> web.Response:
        run = self._estate.run(request.match_info["runId"])
        return web.json_response(shapes.used(run, self._estate.url, self._estate.project))

    def _run(self, request: web.Request) -> Run:
        return self._estate.run(request.match_info["buildId"])

    def _answer_run(self, run: Run) -> web.Response:
        return web.json_response(shapes.build(run, self._estate.url, self._estate.project))

    def _artifact(self, run: Run, name: str, number: int) -> JsonObject:
        return shapes.artifact(run, name, run.artifacts[name], number, f"{self._estate.url}/{self._estate.project}/_apis")

    def _lease(self, asked: JsonObject) -> Lease:
        run = self._estate.run(str(asked.get("runId")))
        days = asked.get("daysValid")
        if asked.get("definitionId") != run.pipeline.id or not isinstance(days, int) or not asked.get("ownerId"):
            raise Problem(400, "ArgumentException", "A lease needs the run, its definition, an owner and the days.")
        moment = now()
        return Lease(
            id=next(self._estate.numbers),
            owner=str(asked["ownerId"]),
            run=run.id,
            pipeline=run.pipeline.id,
            created=moment,
            until=shapes.years_later(moment, days),
        )

    @staticmethod
    def _do(act: Callable[[], None]) -> None:
        try:
            act()
        except course.NotPossible as error:
            raise Problem(400, "InvalidBuildException", f"It cannot be done: {error}.") from None


def _order(request: web.Request) -> JsonObject:
    body = request[BODY]
    if not isinstance(body, dict):
        raise Invalid("A body must be sent.")
    return body


def _named(run: Run, pattern: str) -> bool:
    """Compare as the service does: exactly, or with a star at the end by the beginning."""
    return run.name.startswith(pattern[:-1]) if pattern.endswith("*") else run.name == pattern


def _file(found: Artifact, wanted: str) -> web.Response:
    if found.kind == "PipelineArtifact" and wanted == found.id:
        return web.Response(body=json.dumps(shapes.manifest(found)).encode(), content_type="application/octet-stream")
    for path, content in found.files.items():
        if wanted == shapes.file_id(found, path):
            return web.Response(body=content, content_type="application/octet-stream")
    raise Problem(404, "FileNotFoundException", f"The file {wanted} was not found.")
