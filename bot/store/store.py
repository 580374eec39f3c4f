"""The port to durable work: ``put``, ``wake``, ``run`` and ``close``, and readings of what is there."""

import os
import socket
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.errors import UserError
from bot.journal import Head, Sealed
from bot.release.ids import WorkKey
from bot.store import reading, scheduling
from bot.store.database import Database
from bot.store.engine import Engine, Reconcile
from bot.store.inbox import Inbox
from bot.store.model import Clock, Delivery, EffectRow, Timings, Work, now
from bot.store.tables import LIVE, UNREAD, delivery, release


class Store:
    """Everything that must outlive the process. Each method may raise StoreUnavailable."""

    def __init__(self, database: Database, timings: Timings, clock: Clock) -> None:
        """Keep an open database; use ``open`` to get one."""
        self._database = database
        self._clock = clock
        self._inbox = Inbox(database, clock)
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._engine = Engine(database, owner, timings, clock)

    @classmethod
    async def open(cls, url: str, *, timings: Timings | None = None, clock: Clock = now) -> "Store":
        """Open and migrate the database of a URL: ``postgres://…``, ``postgresql://…``, ``sqlite:///PATH``, or the path of a file.

        Raises UserError for any other, for an SQLite file that another process has open, and for tables of a newer program.
        """
        timings = timings or Timings()
        database = _database(url, timings)
        try:
            await database.open()
            if database.alone:  # whoever held a lease is dead
                held = sa.update(release).where(release.c.owner.is_not(None)).values(owner=None, until=None)
                await database.write(lambda connection: connection.execute(held))
        except BaseException:
            await database.close()
            raise
        return cls(database, timings, clock)

    async def put(self, delivery: Delivery, wake: Sequence[WorkKey] = (), wake_project: str | None = None) -> bool:
        """Store a delivery durably and make its row due, which is created if need be; return False for a GUID that is known.

        In the same transaction the rows ``wake`` become due if they exist, and for ``wake_project`` every live release of that project
        and the watch over it. (After a lost connection it may return False for a new one: it is stored all the same.)
        """
        new = await self._inbox.put(delivery, wake, wake_project)
        self._engine.stir()
        return new

    async def wake(self, key: WorkKey, at: datetime | None = None) -> None:
        """Look at a row at a time, or at once; the row is created if need be. A back-off is not cut short, an earlier time is kept."""
        moment = self._clock()
        await self._database.write(lambda connection: scheduling.wake(connection, [key], at or moment, moment))
        self._engine.stir()

    async def run(self, reconcile: Reconcile, *, parallel: int = 8) -> None:
        """Look at what is due, at so many rows at once, until the store is closed or this is cancelled."""
        await self._engine.run(reconcile, parallel)

    async def close(self) -> None:
        """Stop claiming, let running work end within the grace period, and close the database."""
        await self._engine.close()
        await self._inbox.close()
        await self._database.close()

    async def prune(self, older_than: timedelta) -> int:
        """Forget deliveries handled longer ago than this and return how many.

        Their GUIDs are forgotten too, so keep them longer than the sender may deliver again: GitHub does for three days
        (https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).
        """
        old = sa.delete(delivery).where(delivery.c.handled < self._clock() - older_than)
        return (await self._database.write(lambda connection: connection.execute(old))).rowcount

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers now."""
        await self._database.ping()

    async def work(self, key: WorkKey) -> Work | None:
        """Return one row of work."""
        rows = await self._database.read(lambda connection: reading.works(connection, release.c.key == key))
        return rows[0] if rows else None

    async def works(self, project: str | None = None) -> list[Work]:
        """Return the releases that were opened, of one project or of all, the newest first."""
        where = [release.c.version.is_not(None)] + ([release.c.project == project] if project else [])
        return await self._database.read(lambda connection: reading.works(connection, *where))

    async def live_keys(self, project: str) -> list[WorkKey]:
        """Return the keys of a project's releases that are not over."""
        where = (release.c.project == project, LIVE)
        return [row.key for row in await self._database.read(lambda connection: reading.works(connection, *where))]

    async def deliveries(self, key: WorkKey, *, unread: bool = False) -> list[Delivery]:
        """Return the deliveries of a row, or only the unhandled ones, in the order of their arrival."""
        where = [delivery.c.key == key] + ([UNREAD] if unread else [])
        return await self._database.read(lambda connection: reading.deliveries(connection, *where))

    async def journal(self, key: WorkKey) -> list[Sealed]:
        """Return the journal of a row."""
        return await self._database.read(lambda connection: reading.chain(connection, key))

    async def head(self, key: WorkKey) -> Head:
        """Return where the journal of a row must end; give it to ``bot.journal.verify``."""
        work = await self.work(key)
        return Head(sequence=work.entries, hash=work.head) if work else Head()

    async def effects(self, key: WorkKey) -> list[EffectRow]:
        """Return the outward effects of a row in the order of their intents."""
        return await self._database.read(lambda connection: reading.effects(connection, key))


def _database(url: str, timings: Timings) -> Database:
    scheme, separator, rest = url.partition("://")
    match scheme.partition("+")[0] if separator else "sqlite":
        case "postgres" | "postgresql":
            from bot.store.postgresql import postgresql  # noqa: PLC0415 - only the driver that is used is loaded

            return postgresql(f"postgresql://{rest}", patience=timings.patience)
        case "sqlite":
            from bot.store.sqlite import SQLite  # noqa: PLC0415 - the same

            path = Path(rest.removeprefix("/") if separator else url)
            return SQLite(path, patience=timings.patience, checkpoint=timings.checkpoint)
        case other:
            message = f"A database of the kind {other} is not supported: give postgres://… or sqlite:///PATH in DATABASE_URL."
            raise UserError(message)
