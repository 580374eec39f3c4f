"""Answer for check runs: https://docs.github.com/en/rest/checks/runs."""

from aiohttp import web

from bot.rehearsal.github_desk import Desk, answer, fields, paged, text_field
from bot.rehearsal.github_model import CheckRun, JsonObject
from bot.rehearsal.github_problems import Invalid, Problem
from bot.rehearsal.github_shapes_work import annotation_shape, check_run_shape

REPOSITORY = "/repos/{owner}/{repo}"
MOST_ACTIONS = 3
LONGEST_ACTION = {"label": 20, "description": 40, "identifier": 20}
LONGEST_OUTPUT = 65_535
MOST_ANNOTATIONS = 50
LEVELS = ("notice", "warning", "failure")
LONGEST_ANNOTATION = {"message": 65_536, "raw_details": 65_536, "title": 255}


class ChecksRest:
    """The endpoints for the App's own check runs."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.post(f"{REPOSITORY}/check-runs", self.create),
            web.get(f"{REPOSITORY}/check-runs/{{check_run_id}}", self.check_run),
            web.patch(f"{REPOSITORY}/check-runs/{{check_run_id}}", self.update),
            web.get(f"{REPOSITORY}/check-runs/{{check_run_id}}/annotations", self.annotations),
            web.get(f"{REPOSITORY}/commits/{{ref:.+}}/check-runs", self.on_commit),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Create a check run on a commit that this repository itself has."""
        repository = self._desk.repository(request)
        name = text_field(request, "CheckRun", "name")
        head_sha = text_field(request, "CheckRun", "head_sha")
        if await repository.git.kind(head_sha) != "commit":
            raise Problem(422, f"No commit found for SHA: {head_sha}")
        _check(fields(request))
        run = self._desk.acts.create_check_run(self._desk.app.bot, repository, name, head_sha, fields(request))
        return answer(self._shape(run), 201)

    async def check_run(self, request: web.Request) -> web.Response:
        """Return one check run."""
        return answer(self._shape(self._desk.check_run(request)))

    async def annotations(self, request: web.Request) -> web.Response:
        """List the annotations of a check run."""
        run = self._desk.check_run(request)
        return paged(request, [annotation_shape(self._desk.links, run, one) for one in run.annotations])

    async def update(self, request: web.Request) -> web.Response:
        """Change a check run."""
        run = self._desk.check_run(request)
        _check(fields(request))
        self._desk.acts.update_check_run(self._desk.app.bot, run, fields(request))
        return answer(self._shape(run))

    async def on_commit(self, request: web.Request) -> web.Response:
        """List the check runs of a commit: the newest of each name, or all with ``filter=all``."""
        repository = self._desk.repository(request)
        head = await repository.git.resolve(f"{request.match_info['ref']}^{{commit}}")
        if head is None:
            raise Problem(422, f"No commit found for SHA: {request.match_info['ref']}")
        name, app_id = request.query.get("check_name"), request.query.get("app_id")
        chosen = [run for run in reversed(repository.check_runs) if run.head_sha == head and name in (None, run.name)]
        if app_id not in (None, str(self._desk.app.id)):
            chosen = []
        if request.query.get("filter", "latest") == "latest":
            chosen = list({run.name: run for run in reversed(chosen)}.values())
        return paged(request, [self._shape(run) for run in chosen], within="check_runs")

    def _shape(self, run: CheckRun) -> JsonObject:
        return check_run_shape(self._desk.links, self._desk.app, run)


def _check(wanted: JsonObject) -> None:
    """Refuse what is longer or more than GitHub takes."""
    output, actions = wanted.get("output"), wanted.get("actions", [])
    if isinstance(output, dict):
        if any(len(str(output.get(part) or "")) > LONGEST_OUTPUT for part in ("summary", "text")):
            raise Invalid("CheckRun", "output", code="custom", message=f"output is too long (maximum is {LONGEST_OUTPUT} characters)")
        if not output.get("title") or not output.get("summary"):
            raise Invalid("CheckRun", "output", code="missing_field")
        _check_annotations(output.get("annotations", []))
    if not isinstance(actions, list) or len(actions) > MOST_ACTIONS:
        raise Invalid("CheckRun", "actions")
    if any(len(str(action.get(part, ""))) > most for action in actions for part, most in LONGEST_ACTION.items()):
        raise Invalid("CheckRun", "actions")
    if wanted.get("status") == "completed" and not wanted.get("conclusion"):
        raise Invalid("CheckRun", "conclusion", code="missing_field")


def _check_annotations(wanted: object) -> None:
    """Refuse annotations that GitHub would not show beside a line: https://docs.github.com/en/rest/checks/runs#create-a-check-run."""
    if not isinstance(wanted, list) or len(wanted) > MOST_ANNOTATIONS:
        message = f"annotations exceeds maximum quantity (maximum is {MOST_ANNOTATIONS})"
        raise Invalid("CheckRun", "annotations", code="custom", message=message)
    for one in wanted:
        if not isinstance(one, dict) or not _is_annotation(one):
            raise Invalid("CheckRunAnnotation", "annotations")


def _is_annotation(one: JsonObject) -> bool:
    path, first, last = one.get("path"), one.get("start_line"), one.get("end_line")
    if not isinstance(path, str) or not path.strip() or path.startswith("/") or not path.isprintable():
        return False
    if type(first) is not int or type(last) is not int or not 1 <= first <= last:
        return False
    if first != last and {"start_column", "end_column"} & one.keys():
        return False
    texts = all(len(str(one.get(part, "")).encode()) <= most for part, most in LONGEST_ANNOTATION.items())
    return texts and bool(one.get("message")) and one.get("annotation_level") in LEVELS
