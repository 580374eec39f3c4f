"""Take deliveries in: each is durable before it is acknowledged, and many that arrive at once share one commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.release.ids import WorkKey
from bot.store.database import Database
from bot.store.model import Clock, Delivery, StoreUnavailable
from bot.store.scheduling import insert, wake, wake_project, wake_those_there
from bot.store.tables import delivery

LARGEST_BATCH = 256
"""How many deliveries share a commit at most, so that no one waits long for the others."""


@dataclass(frozen=True)
class Letter:
    """A delivery on its way in, with whom else it wakes; ``stored`` tells whether it was new."""

    delivery: Delivery
    keys: Sequence[WorkKey]
    project: str | None
    stored: "asyncio.Future[bool]"


class Inbox:
    """Group commit: while one transaction is under way, the deliveries that arrive form the next (one writer at a time)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the database."""
        self._database = database
        self._clock = clock
        self._waiting: list[Letter] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, delivery: Delivery, keys: Sequence[WorkKey], project: str | None) -> bool:
        """Store a delivery and return True, or False when its GUID is known."""
        letter = Letter(delivery, keys, project, asyncio.get_running_loop().create_future())
        self._waiting.append(letter)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await letter.stored

    async def close(self) -> None:
        """Wait until everything that waits is stored."""
        if self._writer:
            await self._writer

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
            # One that the database cannot take must not take the others with it.
            if not await self._stored(batch, give_up=len(batch) == 1):
                for letter in batch:
                    await self._stored([letter], give_up=True)

    async def _stored(self, batch: Sequence[Letter], *, give_up: bool) -> bool:
        """Store a batch; return False if that failed and it is not the time to give up, which whoever waits for it learns."""
        try:
            await self._store(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who put the delivery
            if not (give_up or isinstance(error, StoreUnavailable)):
                return False
            for letter in batch:
                if not letter.stored.done():
                    letter.stored.set_exception(error)
        return True

    async def _store(self, batch: Sequence[Letter]) -> None:
        letters: dict[str, Letter] = {}
        for letter in batch:
            letters.setdefault(letter.delivery.guid, letter)  # of twins the first counts
        now = self._clock()

        async def body(connection: AsyncConnection) -> set[str]:
            guids = await _insert(connection, [letter.delivery for letter in letters.values()])
            fresh = [letters[guid] for guid in guids]
            await wake(connection, {letter.delivery.key for letter in fresh}, now, now)
            await wake_those_there(connection, {key for letter in fresh for key in letter.keys}, now)
            await wake_project(connection, {letter.project for letter in fresh if letter.project}, now)
            return guids

        fresh = await self._database.write(body)
        for letter in batch:
            if not letter.stored.done():
                guid = letter.delivery.guid
                letter.stored.set_result(guid in fresh and letters[guid] is letter)


async def _insert(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> set[str]:
    """Insert what is new, in the order of arrival, and return the GUIDs of it."""
    statement = insert(connection, delivery).on_conflict_do_nothing(index_elements=["guid"]).returning(delivery.c.guid)
    return set((await connection.scalars(statement, [vars(one) for one in deliveries])).all())
