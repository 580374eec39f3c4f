"""Webhook deliveries that never arrived: GitHub does not repeat them by itself.

https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from pydantic import TypeAdapter

from bot.services.github.connection import TopicBase
from bot.services.github.scope import TooManyPages
from bot.services.github.shapes import HookDelivery

_log = logging.getLogger(__name__)

_DELIVERY = TypeAdapter(HookDelivery)
_PATH = "/app/hook/deliveries{?status,per_page}"


class Deliveries(TopicBase):
    """The App's own deliveries, one stream for all installations, kept by GitHub for three days. The App signs for itself."""

    async def failed_deliveries(self, since: datetime) -> list[HookDelivery]:
        """Return one attempt, the newest, of every event that failed since then and was never delivered, oldest first.

        Attempts of one event share a guid; an event with a single success among its attempts needs nothing. Successes are read only when
        something failed. Of lists beyond the bound the newest part is taken: an event that is asked for again in vain does no harm, while
        one long silence must not keep the bot from asking ever again. https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
        """
        failures = await self._attempts("failure", since)
        if not failures:
            return []
        return undelivered([*failures, *await self._attempts("success", since)])

    async def redeliver(self, delivery: int) -> None:
        """Ask GitHub to deliver an attempt's event once more, under the same guid.

        https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook
        """
        scope = self._connection.app_scope()
        await scope.act("POST", "/app/hook/deliveries/{delivery}/attempts", None, delivery=delivery)

    async def _attempts(self, status: str, since: datetime) -> list[HookDelivery]:
        """Read the attempts of one outcome, newest first, back to the given time."""
        found: list[HookDelivery] = []
        try:
            async for page in self._connection.app_scope().pages(_DELIVERY, _PATH, status=status):
                found.extend(attempt for attempt in page if attempt.delivered >= since)
                if page and page[-1].delivered < since:
                    break
        except TooManyPages as more:
            _log.warning("Older attempts (%s) are not read: %s", status, more)
        return found


def undelivered(attempts: Iterable[HookDelivery]) -> list[HookDelivery]:
    """Return the newest attempt of every event of which no attempt succeeded, oldest first."""
    newest: dict[str, HookDelivery] = {}
    succeeded: set[str] = set()
    for attempt in attempts:
        if attempt.succeeded:
            succeeded.add(attempt.guid)
        known = newest.get(attempt.guid)
        if known is None or attempt.delivered > known.delivered:
            newest[attempt.guid] = attempt
    return sorted((a for guid, a in newest.items() if guid not in succeeded), key=lambda attempt: (attempt.delivered, attempt.id))
