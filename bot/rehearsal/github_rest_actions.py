"""Answer for workflow runs: https://docs.github.com/en/rest/actions."""

from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.github_actions_model import Job, Run
from bot.rehearsal.github_desk import Desk, answer, fields, number, paged, text_field
from bot.rehearsal.github_problems import NotFound, Problem
from bot.rehearsal.github_shapes_actions import artifact_shape, job_shape, run_page, run_shape, run_url
from bot.rehearsal.moments import now, stamp

ACTIONS = "/repos/{owner}/{repo}/actions"
PAGES = frozenset({"per_page", "page"})
SINCE = ">="


class ActionsRest:
    """The endpoints for running workflows and for what they leave behind."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.post(f"{ACTIONS}/workflows/{{workflow_id}}/dispatches", self.dispatch),
            web.get(f"{ACTIONS}/workflows/{{workflow_id}}/runs", self.runs),
            web.get(f"{ACTIONS}/runs/{{run_id}}", self.run),
            web.get(f"{ACTIONS}/runs/{{run_id}}/jobs", self.jobs),
            web.get(f"{ACTIONS}/runs/{{run_id}}/artifacts", self.artifacts),
            web.post(f"{ACTIONS}/runs/{{run_id}}/rerun-failed-jobs", self.run_failed_again),
            web.post(f"{ACTIONS}/runs/{{run_id}}/cancel", self.cancel),
            web.get(f"{ACTIONS}/jobs/{{job_id}}/logs", self.log),
            web.get(f"{ACTIONS}/artifacts/{{artifact_id}}/{{archive_format}}", self.archive),
        ]

    async def dispatch(self, request: web.Request) -> web.Response:
        """Start a workflow, and name the run."""
        ref, inputs = text_field(request, "Workflow", "ref"), fields(request).get("inputs", {})
        if not isinstance(inputs, dict):
            raise Problem(422, "Invalid request.\n\nFor 'properties/inputs', the value is not an object.")
        file, bot = request.match_info["workflow_id"], self._desk.app.bot
        run = await self._desk.actions.start_by_hand(bot, self._desk.repository(request), file, ref, inputs)
        links = self._desk.links
        return answer({"workflow_run_id": run.id, "run_url": run_url(links, run), "html_url": run_page(links, run)})

    async def runs(self, request: web.Request) -> web.Response:
        """List the runs of a workflow, newest first."""
        _only(request, "event", "actor", "created")
        workflow = request.match_info["workflow_id"]
        mine = self._desk.actions.runs(self._desk.repository(request).name)
        of_workflow = [run for run in mine if workflow in (run.workflow.file, str(run.workflow_id))]
        event, actor, earliest = request.query.get("event"), request.query.get("actor"), _earliest(request)
        chosen = [
            run
            for run in of_workflow
            if event in (None, run.event) and run.created >= earliest and (actor is None or actor.lower() == run.actor.login.lower())
        ]
        return paged(request, [run_shape(self._desk.links, run) for run in chosen], within="workflow_runs")

    async def run(self, request: web.Request) -> web.Response:
        """Return one run."""
        return answer(run_shape(self._desk.links, self._run(request)))

    async def jobs(self, request: web.Request) -> web.Response:
        """List the jobs of a run: each as it was run last, or with ``filter=all`` every time."""
        _only(request, "filter")
        run = self._run(request)
        chosen = run.jobs if request.query.get("filter") == "all" else list(run.latest().values())
        return paged(request, [job_shape(self._desk.links, run, job) for job in chosen], within="jobs")

    async def artifacts(self, request: web.Request) -> web.Response:
        """List what a run uploaded, newest first."""
        _only(request)
        run = self._run(request)
        shapes = [artifact_shape(self._desk.links, run, artifact) for artifact in reversed(run.artifacts)]
        return paged(request, shapes, within="artifacts")

    async def run_failed_again(self, request: web.Request) -> web.Response:
        """Run the failed jobs of a run again."""
        self._desk.actions.run_failed_again(self._desk.app.bot, self._run(request))
        return answer({}, HTTPStatus.CREATED)

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a run."""
        self._desk.actions.cancel(self._desk.app.bot, self._run(request))
        return answer({}, HTTPStatus.ACCEPTED)

    async def log(self, request: web.Request) -> web.Response:
        """Point to the log of a job that is over and had a runner."""
        job_id = number(request, "job_id")
        found = self._desk.actions.job(job_id)
        if found is None or found[0].repository is not self._desk.repository(request) or found[1].log is None:
            raise NotFound
        if found[0].expired:
            raise Problem(410, "Gone")
        return self._pointer("log", job_id, _kept(found[1]))

    async def archive(self, request: web.Request) -> web.Response:
        """Point to the archive of an artifact."""
        artifact_id = number(request, "artifact_id")
        found = self._desk.actions.artifact(artifact_id)
        if found is None or found[0].repository is not self._desk.repository(request) or request.match_info["archive_format"] != "zip":
            raise NotFound
        if found[1].expired:
            raise Problem(410, "Artifact has expired")
        return self._pointer("artifact", artifact_id, found[1].archive)

    def _run(self, request: web.Request) -> Run:
        run_id, repository = number(request, "run_id"), self._desk.repository(request)
        run = next((run for run in self._desk.actions.runs(repository.name) if run.id == run_id), None)
        if run is None:
            raise NotFound
        return run

    def _pointer(self, kind: str, thing: int, content: bytes) -> web.Response:
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": self._desk.storage.link(kind, thing, content)})


def _kept(job: Job) -> bytes:
    """Write a log as it is kept: with a byte order mark, and the time before each line."""
    moment = stamp(job.completed or now()).replace("Z", ".0000000Z")
    return ("\ufeff" + "".join(f"{moment} {line}\r\n" for line in (job.log or "").splitlines())).encode()


def _only(request: web.Request, *known: str) -> None:
    """Refuse what GitHub knows and this stand-in does not, rather than answer with too much."""
    unknown = request.query.keys() - PAGES - set(known)
    if unknown:
        raise NotImplementedError(f"{request.path} cannot be narrowed by {sorted(unknown)} here")


def _earliest(request: web.Request) -> datetime:
    """Return from when on runs are wanted: ``created`` is a time with ``>=`` before it, one of several forms that GitHub knows."""
    created = request.query.get("created")
    if created is None:
        return datetime.min.replace(tzinfo=UTC)
    if not created.startswith(SINCE):
        raise NotImplementedError(f"runs created {created} cannot be asked for here")
    return datetime.fromisoformat(created.removeprefix(SINCE))
