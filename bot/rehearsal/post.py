"""A queue of letters that are delivered one after the other, and the ways in which a world worse than usual delivers them."""

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

import aiohttp

Letter = TypeVar("Letter")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a queue behaves in time, in seconds.

    ``time_out`` is how long the receiver has; ``patience`` how long a shuffling queue waits for more to shuffle. All disorder follows from
    ``seed``.
    """

    seed: int
    time_out: float
    patience: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of an attempt: the status as a word and as a number of HTTP, and what the receiver said."""

    status: str
    code: int
    text: str = ""
    duration: float = 0.0


class Post(ABC, Generic[Letter]):
    """The queue. Whoever puts letters into it says how one of them is delivered."""

    def __init__(self, pace: Pace) -> None:
        """Begin with an empty queue."""
        self.duplicate = False
        """Deliver every event twice."""
        self.drop_every = 0
        """Do not deliver every nth event."""
        self.shuffle = 0
        """Deliver in random order within a window of so many."""
        self._random = random.Random(pace.seed)  # noqa: S311 - disorder that can be repeated, no secret
        self._time_out = aiohttp.ClientTimeout(total=pace.time_out)
        self._patience = pace.patience
        self._sent = 0
        self._queue: deque[tuple[Letter, int]] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._drainers = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver."""
        self._tasks.append(asyncio.create_task(self._deliver_all(), name="rehearsal post"))

    async def close(self) -> None:
        """Stop; what is still queued is never delivered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def drain(self) -> None:
        """Wait until everything queued was answered or has failed; nothing is held back for shuffling meanwhile."""
        self._drainers += 1
        self._arrived.set()
        try:
            await self._idle.wait()
        finally:
            self._drainers -= 1

    @abstractmethod
    async def _deliver(self, session: aiohttp.ClientSession, letter: Letter) -> None:
        """Deliver a letter, and remember what came of it."""

    def _put(self, letter: Letter) -> bool:
        """Queue a letter, as often as it shall be delivered, and return False where it gets lost instead."""
        self._sent += 1
        if self.drop_every and self._sent % self.drop_every == 0:
            return False
        self._enqueue(letter, copies=2 if self.duplicate else 1)
        return True

    def _enqueue(self, letter: Letter, *, copies: int = 1) -> None:
        self._queue.append((letter, copies))
        self._idle.clear()
        self._arrived.set()

    async def _deliver_all(self) -> None:
        async with aiohttp.ClientSession(timeout=self._time_out) as session:
            while True:
                letter, copies = await self._next()
                for _ in range(copies):
                    await self._deliver(session, letter)
                if not self._queue:
                    self._idle.set()

    async def _next(self) -> tuple[Letter, int]:
        while not self._queue:
            await self._wait_for_arrival()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while len(self._queue) < self.shuffle and not self._drainers:
                    await self._wait_for_arrival()
        place = self._random.randrange(min(len(self._queue), max(self.shuffle, 1)))
        chosen = self._queue[place]
        del self._queue[place]
        return chosen

    async def _wait_for_arrival(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()


async def posted(session: aiohttp.ClientSession, url: str | None, body: bytes, headers: dict[str, str]) -> Answer:
    """Post a body once, to nobody where there is no address, and return what came of it."""
    if url is None:
        return Answer(status="failed to connect to host", code=502)
    began = asyncio.get_running_loop().time()
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            text = await answer.text(errors="replace")
            status, code = ("OK" if answer.ok else answer.reason or "failed"), answer.status
    except TimeoutError:
        text, status, code = "", "timed out", 504
    except aiohttp.ClientError as error:
        text, status, code = str(error), "failed to connect to host", 502
    return Answer(status=status, code=code, text=text, duration=round(asyncio.get_running_loop().time() - began, 3))
