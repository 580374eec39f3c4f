"""Take webhooks in: prove where each comes from, decide whose business it is, store it, and only then say so.

Nothing is parsed before the signature is proved, nothing is asked of GitHub, and nothing is answered with 202 that is not on disk.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NoReturn, Protocol

from aiohttp import web

from bot.errors import Unavailable
from bot.store.model import Delivery
from bot.web import signature
from bot.web.routing import Irrelevant, Routing
from bot.web.shapes import WrongShape, read

log: Final = logging.getLogger(__name__)

LARGEST_BODY: Final = 25 * 1024 * 1024
"""GitHub sends nothing larger: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap."""

MOST_UNDER_WAY: Final = 4
"""As many bodies of the largest size may be under way at once, all together: who sends them is not proved before they are here."""

PATIENCE: Final = 10.0
"""Seconds for a whole body to arrive; GitHub gives up after as many: https://docs.github.com/en/webhooks/using-webhooks."""

LOGGED_HEADERS: Final = (
    "X-GitHub-Event",
    "X-GitHub-Delivery",
    "X-GitHub-Hook-ID",
    "X-GitHub-Hook-Installation-Target-ID",
    "X-GitHub-Hook-Installation-Target-Type",
    "User-Agent",
    "Content-Type",
    "Content-Length",
)
"""Nothing else reaches a log: other headers have held secrets before, also ones that nobody expected there."""

_EVENT: Final = re.compile(r"[a-z_]{1,64}")
_GUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_ACTION: Final = re.compile(r"[a-z_]{0,64}")
_LONGEST_LOGGED: Final = 200


class Inbox(Protocol):
    """Where deliveries are kept."""

    async def put(self, delivery: Delivery, *, wake_project: str | None = None) -> bool:
        """Store a delivery durably and wake its work, and all live work of the project named; return False for a known GUID.

        Raises Unavailable when it could not be stored.
        """
        ...

    async def ping(self) -> None:
        """Raise Unavailable when nothing could be stored now."""
        ...


def answer(status: int, message: str) -> web.Response:
    """Return the one form of every answer to a machine: a JSON object with a message."""
    return web.json_response({"message": message}, status=status)


def loggable(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that may be logged, each in a form that cannot break a log line."""
    return {name: ascii(headers[name][:_LONGEST_LOGGED]) for name in LOGGED_HEADERS if name in headers}


@dataclass
class _Room:
    """The memory for bodies that are still on their way in, in bytes."""

    free: int

    def take(self, size: int) -> None:
        """Take some; refuse the request where there is not so much."""
        if size > self.free:
            raise _Refusal(503, "Too much is on its way in at once: send it again later.")
        self.free -= size


class _Refusal(Exception):
    """The request is answered with this status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The handler of ``POST /webhook/github``."""

    secrets: Sequence[str] = field(repr=False)
    inbox: Inbox
    routing: Routing
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    largest_body: int = LARGEST_BODY
    patience: float = PATIENCE
    room: _Room = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bound the memory."""
        object.__setattr__(self, "room", _Room(MOST_UNDER_WAY * self.largest_body))

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        try:
            status, message = await self._receive(request)
        except _Refusal as refusal:
            log.warning("A webhook was answered %d: %s %s", refusal.status, refusal, loggable(request.headers))
            return answer(refusal.status, str(refusal))
        return answer(status, message)

    async def _receive(self, request: web.Request) -> tuple[int, str]:
        _check_envelope(request, self.largest_body)
        digest = signature.claimed(request.headers.getall(signature.HEADER, []))
        if digest is None:
            raise _Refusal(401, f"The header {signature.HEADER} is missing or malformed: send the HMAC-SHA256 of the body, as GitHub does.")
        body = await self._body(request)
        if not signature.is_genuine(body, digest, self.secrets):
            raise _Refusal(401, "The signature does not belong to this body: compare the webhook secret on both sides.")
        event, guid = _named(request, "X-GitHub-Event", _EVENT), _named(request, "X-GitHub-Delivery", _GUID)
        return await self._deliver(event, guid, _parsed(body), request)

    async def _body(self, request: web.Request) -> bytes:
        """Read the body, never more of it than is allowed, however it is sent."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.patience):
                async for chunk in request.content.iter_any():
                    if len(body) + len(chunk) > self.largest_body:
                        _too_large(self.largest_body)
                    self.room.take(len(chunk))
                    body += chunk
        except TimeoutError:
            raise _Refusal(408, f"The body did not arrive within {self.patience:g} seconds: send it again.") from None
        finally:
            self.room.free += len(body)
        return bytes(body)

    async def _deliver(self, event: str, guid: str, body: object, request: web.Request) -> tuple[int, str]:
        try:
            shape = read(event, body)
        except WrongShape as error:
            raise _Refusal(400, str(error)) from None
        if shape is None:
            return 200, f"Events {event} do not concern us."
        route = self.routing.route(shape)
        if isinstance(route, Irrelevant):
            if route.suspicious:
                log.warning("A webhook was passed over: %s %s", route.why, loggable(request.headers))
            return 200, route.why
        action = shape.action if _ACTION.fullmatch(shape.action) else ""
        delivery = Delivery(guid=guid, key=route.key, event=event, action=action, payload=route.payload, received=self.clock())
        try:
            is_new = await self.inbox.put(delivery, wake_project=route.wake_project)
        except Unavailable as error:
            log.error("A webhook could not be stored: %s %s", error, loggable(request.headers))  # noqa: TRY400 - the reason is the message
            raise _Refusal(503, "The delivery could not be stored now: send it again later.") from None
        return (202, "Stored.") if is_new else (200, "This delivery is known already.")


def _check_envelope(request: web.Request, largest: int) -> None:
    if request.content_length is not None and request.content_length > largest:
        _too_large(largest)
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
        raise _Refusal(415, "Only application/json in UTF-8 is understood: choose that content type in the settings of the webhook.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _Refusal(415, "Compressed bodies are not understood, because the signature is over the plain one: send it as it is.")


def _too_large(largest: int) -> NoReturn:
    raise _Refusal(413, f"The body is larger than {largest} bytes, which GitHub never sends: send less.")


def _named(request: web.Request, header: str, form: re.Pattern[str]) -> str:
    value = request.headers.get(header, "")
    if form.fullmatch(value):
        return value
    raise _Refusal(400, f"The header {header} is missing or malformed: send the one that GitHub sends.")


def _parsed(body: bytes) -> object:
    """Parse a proved body, strictly; ValueError covers bad UTF-8, bad JSON and numbers beyond all measure."""
    try:
        parsed: object = json.loads(body.decode(), parse_constant=_not_json)
    except (ValueError, RecursionError):
        raise _Refusal(415, "The body is not JSON in UTF-8: send what GitHub sends.") from None
    return parsed


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
