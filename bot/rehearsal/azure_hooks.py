"""Tell a subscriber what happens to runs, as the service hooks of Azure DevOps do: at least once, in any order, or too late.

The bodies are those of https://learn.microsoft.com/en-us/azure/devops/service-hooks/events with minimal details of the resource: ids and
addresses. The subscriptions are not made over the wire, but by ``hook_to``, as an administrator makes them by hand.
"""

import base64
import json
import secrets
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import aiohttp

from bot.rehearsal.azure_model import Approval, JsonObject, Run, Stage, new_id
from bot.rehearsal.azure_shapes import moment
from bot.rehearsal.post import Answer, Pace, Post, posted

BUILD_COMPLETE = "build.complete"
RUN_CHANGED = "ms.vss-pipelines.run-state-changed-event"
STAGE_CHANGED = "ms.vss-pipelines.stage-state-changed-event"
APPROVAL_PENDING = "ms.vss-pipelinechecks-events.approval-pending"
APPROVAL_COMPLETED = "ms.vss-pipelinechecks-events.approval-completed"

MOST_ATTEMPTS = 3
"""How often one event is sent to a receiver that is not there or asks for patience; the service itself tries longer."""

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_STATES = {"pending": "notStarted", "inProgress": "running", "completed": "completed"}


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One attempt to tell of one event; ``id`` names the event and stays the same when it is told again."""

    id: str
    event: str
    body: bytes
    attempt: int = 1
    answer: Answer = field(default_factory=lambda: Answer(status="pending", code=0))


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What was told of a run: its state, and of its stages state and attempt, and the approval with its status."""

    status: str = "notStarted"
    stages: dict[str, tuple[str, int]] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)


class ServiceHooks(Post[Notification]):
    """The subscriptions of one project, all to the same address, and what was sent to it."""

    def __init__(self, pace: Pace) -> None:
        """Begin without a subscriber."""
        super().__init__(pace)
        self.url: str | None = None
        """Where to; nobody is told anything without it."""
        self.secret = secrets.token_urlsafe(30)
        self.in_header = False
        """Whether the secret goes into a header of its own; it is the password of Basic authentication otherwise."""
        self.log: list[Notification] = []
        """Every attempt, oldest first."""
        self.lost: list[Notification] = []
        """What was never sent."""
        self._project = new_id()
        self._subscriptions: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._known: dict[int, _Known] = {}

    def look(self, run: Run, base: str) -> None:
        """Tell what has become of a run since the last look; ``base`` is the address of the project's interface."""
        known = self._known.get(run.id, _Known())
        stages = {stage.plan.name: (_state(stage), stage.attempt) for stage in run.stages}
        approvals = {stage.approval.id: stage.approval.status for stage in run.stages if stage.approval is not None}
        self._known[run.id] = _Known(status=run.status, stages=stages, approvals=known.approvals | approvals)
        for stage in run.stages:
            if known.stages.get(stage.plan.name, ("notStarted", 1)) != stages[stage.plan.name]:
                self._stage(run, stage, base)
            if stage.approval is not None and known.approvals.get(stage.approval.id) != stage.approval.status:
                self._approval(stage.approval)
        if run.status != known.status:
            self._run(run, base)

    def _run(self, run: Run, base: str) -> None:
        text = f"Run {run.name} {run.result or run.status}."
        self._send("pipelines", RUN_CHANGED, text, {"run": _run(run, base), "pipeline": _pipeline(run, base)})
        if run.status == "completed":
            build: JsonObject = {"id": run.id, "url": f"{base}/build/Builds/{run.id}"}
            self._send("tfs", BUILD_COMPLETE, f"Build {run.name} {run.result}", build)

    def _stage(self, run: Run, stage: Stage, base: str) -> None:
        described: JsonObject = {"stage": {"id": stage.id, "name": stage.plan.name}}
        text = f"Run {run.name} stage {stage.plan.name} {stage.result or _state(stage)}."
        self._send("pipelines", STAGE_CHANGED, text, {**described, "run": _run(run, base), "pipeline": _pipeline(run, base)})

    def _approval(self, approval: Approval) -> None:
        """Send approval-pending or approval-completed, which the examples show without run and stage."""
        nothing = dict.fromkeys(("pipeline", "stage", "run", "resource", "url", "stageName"))
        resource: JsonObject = {"approval": {"id": approval.id}, "projectId": self._project, "id": 0, "attemptId": 0, **nothing}
        is_open = approval.status == "pending"
        text = f"Approval {'pending' if is_open else 'completed'} for deployment of pipeline."
        self._send("pipelines", APPROVAL_PENDING if is_open else APPROVAL_COMPLETED, text, resource)

    def _send(self, publisher: str, event: str, text: str, resource: JsonObject) -> None:
        if self.url is None:
            return
        number = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        self._numbers[event] += 1
        message = {"text": text, "html": text, "markdown": text}
        envelope: JsonObject = {
            "subscriptionId": self._subscriptions.setdefault(event, new_id()),
            "notificationId": self._numbers[event],
            "id": number,
            "eventType": event,
            "publisherId": publisher,
            "message": message,
            "detailedMessage": message,
            "resource": resource,
            "resourceVersion": "2.0" if event == BUILD_COMPLETE else "5.1-preview.1",
            "resourceContainers": {name: {"id": self._project} for name in ("collection", "account", "project")},
            "createdDate": moment(datetime.now(UTC)),
        }
        notification = Notification(id=number, event=event, body=json.dumps(envelope).encode())
        if not self._put(notification):
            self.lost.append(notification)

    async def _deliver(self, session: aiohttp.ClientSession, letter: Notification) -> None:
        answer = await posted(session, self.url, letter.body, self._headers())
        self.log.append(replace(letter, answer=answer))
        if answer.code in _PASSING and letter.attempt < MOST_ATTEMPTS:
            self._enqueue(replace(letter, attempt=letter.attempt + 1))

    def _headers(self) -> dict[str, str]:
        password = base64.b64encode(f"azure:{self.secret}".encode()).decode()
        proof = {"X-Hook-Secret": self.secret} if self.in_header else {"Authorization": f"Basic {password}"}
        return {"Content-Type": "application/json; charset=utf-8", "User-Agent": "VSServices/rehearsal", **proof}


def _state(stage: Stage) -> str:
    """Return the state of a stage as subscriptions name it: one that waits for people is ``waiting``."""
    waits = stage.state == "pending" and stage.approval is not None and stage.approval.status == "pending"
    return "waiting" if waits else _STATES[stage.state]


def _run(run: Run, base: str) -> JsonObject:
    return {"id": run.id, "url": f"{base}/pipelines/{run.pipeline.id}/runs/{run.id}"}


def _pipeline(run: Run, base: str) -> JsonObject:
    return {"id": run.pipeline.id, "url": f"{base}/pipelines/{run.pipeline.id}?revision=40"}
