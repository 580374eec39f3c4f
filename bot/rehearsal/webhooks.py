"""Deliver webhooks as GitHub does: signed, once, never again by itself, and with a log from which they can be asked for again.

The drivers make the world worse than usual, reproducibly: ``duplicate``, ``drop_every`` and ``shuffle``.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import random
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import aiohttp

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_model import App, JsonObject
from bot.rehearsal.moments import now
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
    copies: int = 1
    id: int = 0
    status: str = "pending"
    status_code: int = 0
    delivered: datetime = field(default_factory=now)
    duration: float = 0.0
    answer: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Webhooks:
    """The queue and the log of deliveries to one App."""

    def __init__(self, app: App, chronicle: Chronicle, schemas: WebhookSchemas, *, seed: int, time_out: float, patience: float) -> None:
        """Begin with an empty queue.

        ``time_out`` is how many seconds the receiver has (GitHub grants 10); ``patience`` how many seconds a shuffling queue waits for
        more to shuffle.
        """
        self.duplicate = False
        """Deliver every event twice."""
        self.drop_every = 0
        """Do not deliver every nth event."""
        self.drop_logged = True
        """Whether a dropped event stands in the log as failed, and can be asked for again."""
        self.shuffle = 0
        """Deliver in random order within a window of so many."""
        self.log: list[Delivery] = []
        """Every attempt, oldest first."""
        self._app = app
        self._chronicle = chronicle
        self._schemas = schemas
        self._random = random.Random(seed)  # noqa: S311 - disorder that can be repeated, no secret
        self._time_out = aiohttp.ClientTimeout(total=time_out)
        self._patience = patience
        self._ids = count(9_000_001)
        self._sent = 0
        self._queue: list[Delivery] = []
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._drainers = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver."""
        self._tasks.append(asyncio.create_task(self._deliver_all(), name="rehearsal webhooks"))

    async def close(self) -> None:
        """Stop; what is still queued is never delivered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

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
            copies=2 if self.duplicate else 1,
        )
        self._sent += 1
        if self.drop_every and self._sent % self.drop_every == 0:
            if self.drop_logged:
                self._record(delivery, "failed to connect to host", 502)
            return
        self._enqueue(delivery)

    def redeliver(self, delivery_id: int) -> bool:
        """Queue an old delivery once more, with its GUID and its old payload; False where there is none of that id any more."""
        old = self.find(delivery_id)
        if old is None:
            return False
        self._enqueue(replace(old, redelivery=True, copies=1))
        return True

    def find(self, delivery_id: int) -> Delivery | None:
        """Return a delivery of the past three days."""
        return next((delivery for delivery in self.recent() if delivery.id == delivery_id), None)

    def recent(self) -> list[Delivery]:
        """Return the deliveries that GitHub still remembers, newest first."""
        return [delivery for delivery in reversed(self.log) if delivery.delivered > now() - KEPT]

    async def drain(self) -> None:
        """Wait until everything queued was answered or has failed; nothing is held back for shuffling meanwhile."""
        self._drainers += 1
        self._arrived.set()
        try:
            await self._idle.wait()
        finally:
            self._drainers -= 1

    def _enqueue(self, delivery: Delivery) -> None:
        self._queue.append(delivery)
        self._idle.clear()
        self._arrived.set()

    async def _deliver_all(self) -> None:
        async with aiohttp.ClientSession(timeout=self._time_out) as session:
            while True:
                delivery = await self._next()
                for _ in range(delivery.copies):
                    await self._deliver(session, delivery)
                if not self._queue:
                    self._idle.set()

    async def _next(self) -> Delivery:
        while not self._queue:
            await self._wait_for_arrival()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while len(self._queue) < self.shuffle and not self._drainers:
                    await self._wait_for_arrival()
        return self._queue.pop(self._random.randrange(min(len(self._queue), max(self.shuffle, 1))))

    async def _wait_for_arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        if self._app.webhook_url is None:
            self._record(delivery, "failed to connect to host", 502)
            return
        headers = self._headers(delivery)
        began = asyncio.get_running_loop().time()
        try:
            async with session.post(self._app.webhook_url, data=delivery.body, headers=headers, allow_redirects=False) as answer:
                text = await answer.text(errors="replace")
                status, code = ("OK" if answer.ok else answer.reason or "failed"), answer.status
        except TimeoutError:
            text, status, code = "", "timed out", 504
        except aiohttp.ClientError as error:
            text, status, code = str(error), "failed to connect to host", 502
        duration = asyncio.get_running_loop().time() - began
        self._record(replace(delivery, headers=headers, answer=text, duration=round(duration, 3)), status, code)

    def _record(self, delivery: Delivery, status: str, code: int) -> None:
        self.log.append(replace(delivery, id=next(self._ids), status=status, status_code=code, delivered=now()))

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
