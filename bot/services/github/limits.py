"""How fast and how long the bot may ask GitHub, and who must wait.

The numbers are GitHub's own advice: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.errors import Unavailable

Clock = Callable[[], datetime]
"""Tells the present time, with its time zone."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Waits and bounds; times in seconds.

    ``write_gap`` lies between two writes of one installation; ``concurrency`` counts requests under way at once; reads are tried
    ``read_attempts`` times, waiting ``backoff``, then twice as long, and so on; ``secondary_wait`` is the patience after a secondary rate
    limit that names no time of its own; ``token_margin`` is how long before its end a token is no longer used; ``installation_memory`` is
    how long it is remembered where the App is installed. ``download_timeout`` is for a whole log or artifact; ``largest_log`` and
    ``largest_artifact`` are bytes as they are sent, ``largest_unpacked`` bytes and ``most_files`` the number of files within an artifact.
    """

    write_gap: float = 1.0
    concurrency: int = 10
    read_attempts: int = 3
    backoff: float = 0.5
    secondary_wait: float = 60.0
    timeout: float = 30.0
    token_margin: float = 300.0
    installation_memory: float = 600.0
    max_pages: int = 100
    remembered_answers: int = 256
    scopes: int = 256
    download_timeout: float = 600.0
    largest_log: int = 32 * 1024 * 1024
    largest_artifact: int = 1024 * 1024 * 1024
    largest_unpacked: int = 2 * 1024 * 1024 * 1024
    most_files: int = 1_000


class Pace:
    """Keeps the order of requests to one GitHub: a bounded number at once, writes apart from each other, silence while GitHub asks for it.

    ``key`` is an installation's id, or 0 for the App itself: GitHub counts each of them on its own.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        """Start with nothing under way and nobody waiting."""
        self.slots = asyncio.Semaphore(limits.concurrency)
        self._gap = limits.write_gap
        self._clock = clock
        self._silent_until: dict[int, datetime] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next_write: dict[int, float] = {}

    def silence(self, key: int, until: datetime) -> None:
        """Ask nothing more under this key until the given time; GitHub may ban who continues."""
        self._silent_until[key] = max(until, self._silent_until.get(key, until))

    def check(self, key: int) -> None:
        """Raise Unavailable while GitHub asked for silence, without bothering it."""
        until = self._silent_until.get(key)
        if until is None:
            return
        if self._clock() < until:
            raise Unavailable(f"GitHub asked the bot to wait until {until:%Y-%m-%d %H:%M:%S} UTC, so nothing was asked", retry_at=until)
        del self._silent_until[key]

    async def write_turn(self, key: int) -> None:
        """Wait until the next write may begin."""
        async with self._turns[key]:
            loop = asyncio.get_running_loop()
            wait = self._next_write.get(key, 0.0) - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._next_write[key] = loop.time() + self._gap
