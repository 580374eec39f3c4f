"""Deliver webhooks as GitHub does: signed, once, never again by itself, and with a log from which they can be asked for again.

The drivers make the world worse than usual, reproducibly: ``duplicate``, ``drop_every`` and ``shuffle``.
"""

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import aiohttp

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_model import App, JsonObject
from bot.rehearsal.moments import now
from bot.rehearsal.post import Answer, Pace, Post, posted
from bot.rehearsal.webhook_schemas import WebhookSchemas

KEPT = timedelta(days=3)
"""How long a delivery can be asked for: https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to deliver one event; ``guid`` names the event and stays the same when it is delivered again."""

    guid: str
    event: str
    body: bytes
    action: str | None
    installation: int
    repository: int | None
    redelivery: bool = False
    id: int = 0
    status: str = "pending"
    status_code: int = 0
    delivered: datetime = field(default_factory=now)
    duration: float = 0.0
    answer: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Webhooks(Post[Delivery]):
    """The queue and the log of deliveries to one App."""

    def __init__(self, app: App, chronicle: Chronicle, schemas: WebhookSchemas, pace: Pace) -> None:
        """Begin with an empty queue; GitHub grants the receiver 10 seconds."""
        super().__init__(pace)
        self.drop_logged = True
        """Whether a dropped event stands in the log as failed, and can be asked for again."""
        self.log: list[Delivery] = []
        """Every attempt, oldest first."""
        self._app = app
        self._chronicle = chronicle
        self._schemas = schemas
        self._ids = count(9_000_001)

    def send(self, event: str, payload: JsonObject, *, installation: int, repository: int | None) -> None:
        """Queue an event."""
        for problem in self._schemas.problems(event, payload):
            self._chronicle.violation(f"the rehearsal's own {problem}")
        action = payload.get("action")
        delivery = Delivery(
            guid=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            event=event,
            body=json.dumps(payload).encode(),
            action=str(action) if action else None,
            installation=installation,
            repository=repository,
        )
        if not self._put(delivery) and self.drop_logged:
            self._record(delivery, Answer(status="failed to connect to host", code=502))

    def redeliver(self, delivery_id: int) -> bool:
        """Queue an old delivery once more, with its GUID and its old payload; False where there is none of that id any more."""
        old = self.find(delivery_id)
        if old is None:
            return False
        self._enqueue(replace(old, redelivery=True))
        return True

    def find(self, delivery_id: int) -> Delivery | None:
        """Return a delivery of the past three days."""
        return next((delivery for delivery in self.recent() if delivery.id == delivery_id), None)

    def recent(self) -> list[Delivery]:
        """Return the deliveries that GitHub still remembers, newest first."""
        return [delivery for delivery in reversed(self.log) if delivery.delivered > now() - KEPT]

    async def _deliver(self, session: aiohttp.ClientSession, letter: Delivery) -> None:
        headers = self._headers(letter)
        answer = await posted(session, self._app.webhook_url, letter.body, headers)
        self._record(replace(letter, headers=headers), answer)

    def _record(self, delivery: Delivery, answer: Answer) -> None:
        came = replace(delivery, answer=answer.text, duration=answer.duration, status=answer.status, status_code=answer.code)
        self.log.append(replace(came, id=next(self._ids), delivered=now()))

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        """Return what GitHub sends along: https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers."""
        secret = self._app.webhook_secrets[0].encode()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/rehearsal",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(self._app.hook_id),
            "X-GitHub-Hook-Installation-Target-ID": str(self._app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": "sha1=" + hmac.new(secret, delivery.body, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret, delivery.body, hashlib.sha256).hexdigest(),
        }
