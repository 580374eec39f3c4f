"""Answer about approvals, and let those give them who may: https://learn.microsoft.com/en-us/rest/api/azure/devops/approvalsandchecks/approvals."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from aiohttp import web

from bot.rehearsal import azure_course as course
from bot.rehearsal import azure_shapes as shapes
from bot.rehearsal.azure_estate import Estate
from bot.rehearsal.azure_model import Approval, JsonObject, Run, Stage
from bot.rehearsal.azure_problems import AlreadyDecided, NoApprover, NoSuchApproval, Problem

BODY: web.RequestKey[object] = web.RequestKey("azure body", object)

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]

PIPELINES: Final = "/{organization}/{project}/_apis/pipelines"

_FILTERS: Final = frozenset({"approvalIds", "state", "$expand", "top", "api-version"})
_DECISIONS: Final = {"approved": True, "rejected": False}

Found = tuple[Run, Stage, Approval]


class AzureApprovals:
    """The handlers about approvals, by route and by the permission they need; whether the bot is an approver decides each time."""

    def __init__(self, estate: Estate) -> None:
        """Answer from this estate."""
        self._estate = estate

    def routes(self) -> dict[tuple[str, str], tuple[str, Answering]]:
        """Return permission and handler by method and route."""
        view = "View builds"
        return {
            ("GET", f"{PIPELINES}/approvals"): (view, self._list),
            ("GET", f"{PIPELINES}/approvals/{{approvalId}}"): (view, self._get),
            ("PATCH", f"{PIPELINES}/approvals"): (view, self._update),
        }

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        for name in query.keys() - _FILTERS:
            self._estate.chronicle.violation(f"azure: the rehearsal cannot select approvals by {name}")
        ids = query["approvalIds"].split(",") if "approvalIds" in query else None
        state = query.get("state", "all")
        found = [one for one in self._all() if (ids is None or one[2].id in ids) and state in ("all", one[2].status)]
        return web.json_response(shapes.listed([self._shape(one, request) for one in found[: int(query.get("top", "1000"))]]))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._shape(self._named(request.match_info["approvalId"]), request))

    async def _update(self, request: web.Request) -> web.Response:
        """Take decisions, all or none of them."""
        body = request[BODY]
        orders = [order for order in body if isinstance(order, dict)] if isinstance(body, list) else []
        if not orders or any("approvalId" not in order for order in orders):
            raise Problem(400, "ApprovalIdNotProvidedException", "Approval ID must be provided to update an approval.")
        decided = [(self._open(str(order["approvalId"])), order) for order in orders]
        wanted = [(one, _decision(order), str(order.get("comment", ""))) for one, order in decided]
        for one, approved, comment in wanted:
            self._decide(one, approved=approved, comment=comment)
        return web.json_response(shapes.listed([self._shape(one, request) for one, _, _ in wanted]))

    def _decide(self, found: Found, *, approved: bool, comment: str) -> None:
        run, stage, _ = found
        estate = self._estate
        course.decide(stage, estate.bot, approved=approved, comment=comment)
        estate.changed(run)
        estate.happened(f"run {run.id} stage {stage.plan.name} {'approved' if approved else 'rejected'} by {estate.bot.login}")

    def _open(self, wanted: str) -> Found:
        """Return an approval that the bot can decide about now; raises Problem."""
        found = self._named(wanted)
        run, stage, approval = found
        if not self._may(run):
            tried = f"{self._estate.bot.login} wanted to decide about run {run.id} stage {stage.plan.name} without being an approver"
            self._estate.chronicle.violation(f"azure: {tried}")
            raise NoApprover(self._estate.bot.name, wanted)
        if approval.status != "pending":
            raise AlreadyDecided
        return found

    def _may(self, run: Run) -> bool:
        barred = self._estate.requester_barred and run.requested_by.login == self._estate.bot.login
        return self._estate.approver(self._estate.bot.login) is not None and not barred

    def _named(self, wanted: str) -> Found:
        for one in self._all():
            if one[2].id == wanted:
                return one
        raise NoSuchApproval

    def _all(self) -> Iterator[Found]:
        for run in self._estate.runs.values():
            for stage in run.stages:
                if stage.approval is not None:
                    yield run, stage, stage.approval

    def _shape(self, found: Found, request: web.Request) -> JsonObject:
        run, _, approval = found
        estate = self._estate
        blocked = [run.requested_by] if estate.requester_barred else []
        shape = shapes.approval(run, approval, estate.approvers, estate.url, blocked)
        expanded = request.query.get("$expand")
        if expanded == "permissions":
            shape |= {"permissions": "update" if self._may(run) else "view"}
        return shape if expanded == "steps" else {**shape, "steps": []}


def _decision(order: JsonObject) -> bool:
    """Return whether an order approves; raises Problem for one that does neither that nor reject."""
    status = order.get("status")
    if status not in _DECISIONS:
        raise Problem(400, "InvalidApprovalUpdateException", f"An approval cannot be set to {status}.")
    return _DECISIONS[str(status)]
