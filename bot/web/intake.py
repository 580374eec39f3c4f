"""Take GitHub's webhooks in: prove where each comes from, decide whose business it is, store it, and only then say so.

Nothing is parsed before the signature is proved, nothing is asked of GitHub, and nothing is answered with 202 that is not on disk.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from bot.store.model import Delivery
from bot.web import signature
from bot.web.receiving import Inbox, Reader, Refusal, answered, loggable, parsed, receipt, stored
from bot.web.routing import Irrelevant, Routing
from bot.web.shapes import WrongShape, read

log: Final = logging.getLogger(__name__)

LARGEST_BODY: Final = 25 * 1024 * 1024
"""GitHub sends nothing larger: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap."""

_EVENT: Final = re.compile(r"[a-z_]{1,64}")
_GUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_ACTION: Final = re.compile(r"[a-z_]{0,64}")


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The handler of ``POST /webhook/github``."""

    secrets: Sequence[str] = field(repr=False)
    inbox: Inbox
    routing: Routing
    reader: Reader
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        return await answered(request, self._receive)

    async def _receive(self, request: web.Request) -> tuple[int, str]:
        self.reader.check(request)
        digest = signature.claimed(request.headers.getall(signature.HEADER, []))
        if digest is None:
            raise Refusal(401, f"The header {signature.HEADER} is missing or malformed: send the HMAC-SHA256 of the body, as GitHub does.")
        body = await self.reader.read(request)
        if not signature.is_genuine(body, digest, self.secrets):
            raise Refusal(401, "The signature does not belong to this body: compare the webhook secret on both sides.")
        event, guid = _named(request, "X-GitHub-Event", _EVENT), _named(request, "X-GitHub-Delivery", _GUID)
        return await self._deliver(event, guid, parsed(body), request)

    async def _deliver(self, event: str, guid: str, body: object, request: web.Request) -> tuple[int, str]:
        try:
            shape = read(event, body)
        except WrongShape as error:
            raise Refusal(400, str(error)) from None
        if shape is None:
            return 200, f"Events {event} do not concern us."
        route = self.routing.route(shape)
        if isinstance(route, Irrelevant):
            if route.suspicious:
                log.warning("A webhook was passed over: %s %s", route.why, loggable(request.headers))
            return 200, route.why
        action = shape.action if _ACTION.fullmatch(shape.action) else ""
        delivery = Delivery(guid=guid, key=route.key, event=event, action=action, payload=route.payload, received=self.clock())
        return receipt(is_new=await stored(self.inbox, delivery, route.wake_project, request))


def _named(request: web.Request, header: str, form: re.Pattern[str]) -> str:
    value = request.headers.get(header, "")
    if form.fullmatch(value):
        return value
    raise Refusal(400, f"The header {header} is missing or malformed: send the one that GitHub sends.")
