"""Run the work: claim what is due, keep the leases alive, and let go with the time of the next look."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Unavailable
from bot.release.ids import WorkKey
from bot.release.scrubbing import scrubbed
from bot.store import scheduling
from bot.store.claim import Claim
from bot.store.database import Database
from bot.store.model import Clock, LeaseLost, StoreUnavailable, Timings
from bot.store.reading import unread
from bot.store.scheduling import Claimant

Reconcile = Callable[[Claim], Awaitable[datetime | None]]
"""Looks at one row and brings it forward; returns when to look again, or None when only an event can change anything.

It may be cancelled at any moment, and raise anything: an Exception is written down, and the row looked at again after a back-off.
"""

LONGEST_ERROR = 2000
"""How many characters of an error are kept."""

log = logging.getLogger(__name__)


class Engine:
    """Looks at due rows, several at once but each key by one at a time, over all replicas."""

    def __init__(self, database: Database, owner: str, timings: Timings, clock: Clock) -> None:
        """Keep the database; ``owner`` names this life of this process and no other."""
        self._database = database
        self._owner = owner
        self._timings = timings
        self._clock = clock
        self._signal = asyncio.Event()
        self._closing = False
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._working: dict[WorkKey, asyncio.Task[None]] = {}
        self._deadly: BaseException | None = None

    def stir(self) -> None:
        """Look for due work now rather than at the next turn."""
        self._signal.set()

    async def run(self, reconcile: Reconcile, parallel: int) -> None:
        """Work until closed or cancelled; an error never ends it, only a BaseException from ``reconcile`` does."""
        self._stopped.clear()
        self._deadly = None
        heart = asyncio.create_task(self._beat())
        grace = 0.0
        try:
            while not self._closing:
                self._signal.clear()
                if self._deadly:
                    raise self._deadly
                await self._rest(await self._turn(reconcile, parallel - len(self._working)))
            grace = self._timings.grace
        finally:
            await self._end(grace)
            heart.cancel()
            await asyncio.wait([heart])
            self._stopped.set()

    async def close(self) -> None:
        """Claim nothing more, let running work end within the grace period, then cancel it."""
        self._closing = True
        self.stir()
        await self._stopped.wait()

    async def _turn(self, reconcile: Reconcile, places: int) -> float:
        """Start what is due, as far as there are places, and return for how many seconds there is nothing more to start."""
        if places <= 0:
            return self._timings.idle
        try:
            claims, pause = await self._claim(places)
        except Exception:  # whatever the database has, the loop must outlive it
            log.exception("Looking for due work failed; trying again.")
            return self._timings.idle
        for claim in claims:
            task = asyncio.create_task(self._work(reconcile, claim), name=f"reconcile {claim.key}")
            self._working[claim.key] = task
            task.add_done_callback(partial(self._ended, claim.key))
        return pause

    async def _claim(self, places: int) -> tuple[list[Claim], float]:
        claimant = Claimant(owner=self._owner, busy=tuple(self._working))
        now = self._clock()
        due = await self._database.read(lambda connection: scheduling.soonest(connection, claimant, now))
        if due is None or due > now:
            wait = self._timings.idle if due is None else (due - now).total_seconds()
            return [], min(wait, self._timings.idle)

        async def body(connection: AsyncConnection) -> list[Claim]:
            rows = await scheduling.claim(connection, claimant, places, now, self._until(now))
            mail = await unread(connection, [row["key"] for row in rows])
            return [Claim(self._database, self._clock, row, mail[row["key"]]) for row in rows]

        claims = await self._database.write(body)
        return claims, 0 if claims else self._timings.idle

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._signal.wait()

    async def _work(self, reconcile: Reconcile, claim: Claim) -> None:
        try:
            due = await reconcile(claim)
        except LeaseLost:
            log.info("The lease was lost.", extra={"key": claim.key})
        except asyncio.CancelledError:
            await self._let_go(claim, {})  # it stays due, for whoever comes next
            raise
        except Exception as error:  # noqa: BLE001 - whatever a reconciler has, its row is looked at again
            await self._let_go(claim, self._failure(claim, error))
        else:
            await self._let_go(claim, scheduling.good(claim.generation, due, self._clock()))

    def _failure(self, claim: Claim, error: Exception) -> dict[str, Any]:
        now = self._clock()
        failures = claim.failures + 1
        seconds = min(self._timings.backoff * 2 ** min(claim.failures, 32), self._timings.backoff_cap)
        due = now + timedelta(seconds=seconds * random.uniform(0.5, 1))  # noqa: S311 - spreads tries, keeps no secret
        if isinstance(error, Unavailable):
            # A time that is past, because clocks differ, must not turn patience into a storm.
            due = max(due, error.retry_at or due)
            log.warning("A look failed: %s", error, extra={"key": claim.key, "failures": failures, "due": due.isoformat()})
        else:
            log.error("A look failed.", exc_info=error, extra={"key": claim.key, "failures": failures, "due": due.isoformat()})
        # PostgreSQL's text cannot hold NUL, and no database takes a lone surrogate.
        text = scrubbed(f"{type(error).__name__}: {error}").replace("\0", "").encode(errors="replace").decode()
        return scheduling.bad(failures, due, text[:LONGEST_ERROR])

    async def _let_go(self, claim: Claim, values: dict[str, Any]) -> None:
        try:
            await self._put_down(claim, values)
        except StoreUnavailable:  # the lease ends by itself
            log.exception("A lease could not be ended.", extra={"key": claim.key})
        except Exception as error:
            # What no database can hold is a failure too; still due, the row would be looked at again without any pause.
            log.exception("A look ended with what cannot be stored.", extra={"key": claim.key})
            with suppress(Exception):
                await self._put_down(claim, self._failure(claim, error))

    async def _put_down(self, claim: Claim, values: dict[str, Any]) -> None:
        await self._database.write(lambda connection: scheduling.let_go(connection, self._owner, claim.key, values))

    def _ended(self, key: WorkKey, task: "asyncio.Task[None]") -> None:
        del self._working[key]
        if not task.cancelled():
            self._deadly = self._deadly or task.exception()
        self.stir()

    async def _beat(self) -> None:
        """Renew the leases for ever, and stop whoever works without one."""
        renewed = self._clock()
        while True:
            await asyncio.sleep(self._timings.heartbeat)
            working, now = dict(self._working), self._clock()
            try:
                held = await self._renew(working, now)
                renewed = now
            except Exception:  # the leases live on for a while
                log.exception("The leases could not be renewed.")
                held = set(working) if self._clock() < self._until(renewed) else set()
            for key in working.keys() - held:
                if working[key].cancel():  # it has not ended meanwhile
                    log.warning("The lease was lost.", extra={"key": key})

    async def _renew(self, keys: Collection[WorkKey], now: datetime) -> set[WorkKey]:
        if not keys:
            return set()
        return await self._database.write(lambda connection: scheduling.renew(connection, self._owner, keys, self._until(now)))

    async def _end(self, grace: float) -> None:
        tasks = set(self._working.values())
        if tasks and grace:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._timings.lease)
