"""What every intake of webhooks shares: bodies are read within bounds, parsed strictly, and acknowledged only when they are on disk."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from aiohttp import web

from bot.errors import Unavailable
from bot.store.model import Delivery

log: Final = logging.getLogger(__name__)

MOST_UNDER_WAY: Final = 4
"""As many bodies of the largest size may be under way at once, all together."""

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
"""Nothing else reaches a log: other headers hold secrets, also ones that nobody expected there."""

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


class Refusal(Exception):
    """The request is answered with this status, sentence and headers."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Keep them."""
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


Receive = Callable[[web.Request], Awaitable[tuple[int, str]]]
"""What becomes of a request: a status and a sentence; raises Refusal."""


async def answered(request: web.Request, receive: Receive) -> web.Response:
    """Answer one webhook; log the refused ones, with nothing of theirs but harmless headers."""
    try:
        status, message = await receive(request)
    except Refusal as refusal:
        log.warning("A webhook was answered %d: %s %s", refusal.status, refusal, loggable(request.headers))
        response = answer(refusal.status, str(refusal))
        response.headers.update(refusal.headers)
        return response
    return answer(status, message)


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
            raise Refusal(503, "Too much is on its way in at once: send it again later.")
        self.free -= size


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads bodies; ``largest`` bounds one of them in bytes, ``patience`` the seconds it may take."""

    largest: int
    patience: float = PATIENCE
    room: _Room = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Bound the memory."""
        object.__setattr__(self, "room", _Room(MOST_UNDER_WAY * self.largest))

    def check(self, request: web.Request) -> None:
        """Refuse, before anything of the body is read, what is too large, no JSON, or compressed."""
        if request.content_length is not None and request.content_length > self.largest:
            self._too_large()
        if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
            raise Refusal(415, "Only application/json in UTF-8 is understood: choose that content type in the settings of the webhook.")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refusal(415, "Compressed bodies are not understood: send it as it is.")

    async def read(self, request: web.Request) -> bytes:
        """Read the body, never more of it than is allowed, however it is sent."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.patience):
                async for chunk in request.content.iter_any():
                    if len(body) + len(chunk) > self.largest:
                        self._too_large()
                    self.room.take(len(chunk))
                    body += chunk
        except TimeoutError:
            raise Refusal(408, f"The body did not arrive within {self.patience:g} seconds: send it again.") from None
        finally:
            self.room.free += len(body)
        return bytes(body)

    def _too_large(self) -> NoReturn:
        raise Refusal(413, f"The body is larger than {self.largest} bytes, more than any webhook needs: send less.")


def parsed(body: bytes) -> object:
    """Parse a proved body, strictly; ValueError covers bad UTF-8, bad JSON and numbers beyond all measure."""
    try:
        parsed: object = json.loads(body.decode(), parse_constant=_not_json)
    except (ValueError, RecursionError):
        raise Refusal(415, "The body is not JSON in UTF-8: send what the service itself sends.") from None
    return parsed


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


async def stored(inbox: Inbox, delivery: Delivery, wake_project: str | None, request: web.Request) -> bool:
    """Store a delivery and tell whether it was new; refuse it with 503 where that cannot be done now."""
    try:
        return await inbox.put(delivery, wake_project=wake_project)
    except Unavailable as error:
        log.error("A webhook could not be stored: %s %s", error, loggable(request.headers))  # noqa: TRY400 - the reason is the message
        raise Refusal(503, "The delivery could not be stored now: send it again later.") from None


def receipt(*, is_new: bool) -> tuple[int, str]:
    """Return the answer to a delivery that is on disk."""
    return (202, "Stored.") if is_new else (200, "This delivery is known already.")
