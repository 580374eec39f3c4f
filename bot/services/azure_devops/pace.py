"""When Azure DevOps wants to be asked again.

It delays callers and says so with ``Retry-After`` on answers with status 200 before it refuses them with 429:
https://learn.microsoft.com/en-us/azure/devops/integrate/concepts/rate-limits
"""

from collections.abc import Mapping
from datetime import datetime

from bot.errors import Unavailable
from bot.services.patience import Clock, retry_at


class Pace:
    """Remembers the wish of the service for silence."""

    def __init__(self, clock: Clock) -> None:
        """Start without a wish."""
        self._clock = clock
        self._until: datetime | None = None

    @property
    def not_before(self) -> datetime | None:
        """The moment before which nothing should be asked; None when anything may be asked now."""
        until = self._until
        return until if until is not None and self._clock() < until else None

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's ``Retry-After``, whatever its status."""
        wish = retry_at(headers, self._clock())
        if wish is not None:
            self._until = max(wish, self._until or wish)

    def check(self) -> None:
        """Raise Unavailable while the service wants silence, without bothering it."""
        until = self.not_before
        if until is not None:
            raise Unavailable(
                f"Azure DevOps asked the bot to wait until {until:%Y-%m-%d %H:%M:%S} UTC, so nothing was asked", retry_at=until
            )
