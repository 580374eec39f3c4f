"""One way to run a transaction, whatever database lies below and however often its connection is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.migrations import upgrade
from bot.store.model import StoreUnavailable

Result = TypeVar("Result")

Body = Callable[[AsyncConnection], Awaitable[Result]]
"""What is done inside a transaction. It may be run more than once."""

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
"""Seconds between two tries of a transaction."""

PASSING = ("08", "40", "53", "57P", "55P03")
"""SQLSTATE prefixes of what passes by itself: connections, rolled back for a deadlock, resources, shutting down or starting up, locks
(https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

log = logging.getLogger(__name__)


class Database:
    """Transactions over one engine for writing and one for reading, which may be the same."""

    alone = False
    """Whether this process is the only one that has the database open."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, *, patience: float) -> None:
        """Keep the engines; ``patience`` is for how many seconds a transaction is tried again."""
        self._writer = writer
        self._reader = reader
        self._patience = patience
        self._under_way: set[asyncio.Task[object]] = set()
        self._closed = False

    async def open(self) -> None:
        """Bring the tables up to date; raises StoreUnavailable and UserError."""
        await self.write(lambda connection: connection.run_sync(upgrade))

    async def write(self, body: Body[Result]) -> Result:
        """Run a body in one transaction and commit it, and again when the connection was lost.

        A lost connection may have swallowed the answer to a commit that took effect, so a body that runs again must notice that. Being
        cancelled does not cut a transaction in two: it goes on to its end behind the caller's back. Raises StoreUnavailable when
        patience ends.
        """
        return await self._whole(self._again(self._writer, body, self._patience))

    async def read(self, body: Body[Result]) -> Result:
        """Run a body that only reads, and again when the connection was lost; raises StoreUnavailable when patience ends."""
        return await self._whole(self._again(self._reader, body, self._patience))

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers at the first try."""
        await self._whole(self._again(self._reader, lambda connection: connection.exec_driver_sql("SELECT 1"), 0))

    async def close(self) -> None:
        """Wait for the transactions under way, then close every connection; whoever comes later is told StoreUnavailable."""
        self._closed = True
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self._writer.dispose()
        await self._reader.dispose()

    async def _whole(self, work: Coroutine[None, None, Result]) -> Result:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _again(self, engine: AsyncEngine, body: Body[Result], patience: float) -> Result:
        if self._closed:
            # The file may be another process's by now, and nobody would close what this one opened.
            raise StoreUnavailable("The database was closed.")
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        pause = FIRST_PAUSE
        while True:
            try:
                async with engine.begin() as connection:
                    return await body(connection)
            except (DBAPIError, PoolTimeout, OSError) as error:
                if not passing(error):
                    raise
                if loop.time() + pause > end:
                    message = f"The database does not answer: {type(error).__name__}."
                    raise StoreUnavailable(message) from error
                log.warning("The database does not answer, trying again.", extra={"reason": type(error).__name__})
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def passing(error: Exception) -> bool:
    """Tell whether an error of the database is one that passes by itself, so that the transaction is to be tried again."""
    if not isinstance(error, DBAPIError):
        return True
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state.startswith(PASSING) or "database is locked" in str(error.orig)
