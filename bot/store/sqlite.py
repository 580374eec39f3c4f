"""Open an SQLite file, for one process at a time."""

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import UserError
from bot.store.database import Database

BUSY = 10.0
"""Seconds that a connection waits for a lock that another one holds."""

INLINE_CHECKPOINT = 16_384
"""Pages (64 MiB) of write-ahead log after which the writer folds it in by itself, should our own checkpoints not keep up."""


class SQLite(Database):
    """An SQLite file with one writer, a few readers, and checkpoints on a connection, so a thread, of their own.

    A checkpoint inside a commit is what makes the slowest acknowledgements slow (https://www.sqlite.org/wal.html#ckpt).
    """

    alone = True

    def __init__(self, path: Path, *, patience: float, checkpoint: float) -> None:
        """Lock the file ``path`` beside it, so that one process has it open; ``checkpoint`` is in seconds. Raises UserError."""
        self._lock = _lock(path)
        # The one writer takes the write lock at once, so that it never has to upgrade a read lock, which could not wait
        # (https://www.sqlite.org/lang_transaction.html: BEGIN IMMEDIATE).
        writer = _engine(path, 1, "journal_mode = WAL", "synchronous = FULL", f"wal_autocheckpoint = {INLINE_CHECKPOINT}")
        sa.event.listen(writer.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        sa.event.listen(writer.sync_engine, "commit", self._committed)
        super().__init__(writer, _engine(path, 4, "query_only = ON"), patience=patience)
        self._checkpointer = _engine(path, 1, "synchronous = FULL")
        self._checkpoint = checkpoint
        self._grown = asyncio.Event()
        self._checkpoints: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Bring the tables up to date and begin to make checkpoints."""
        await super().open()
        self._checkpoints = asyncio.create_task(self._keep_folding())

    async def close(self) -> None:
        """Close every connection, then let another process have the file."""
        if self._checkpoints:
            self._checkpoints.cancel()
            await asyncio.wait([self._checkpoints])
        await super().close()
        await self._checkpointer.dispose()
        os.close(self._lock)

    def _committed(self, _: sa.Connection) -> None:
        self._grown.set()

    async def _keep_folding(self) -> None:
        while True:
            await self._grown.wait()
            await asyncio.sleep(self._checkpoint)
            self._grown.clear()
            # Cancelled while it connects, it would leave a connection behind that nobody closes.
            await self._whole(self._fold())

    async def _fold(self) -> None:
        # One that fails is only late: the next commit asks for another.
        with contextlib.suppress(DBAPIError):
            async with self._checkpointer.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def _engine(path: Path, size: int, *pragmas: str) -> AsyncEngine:
    url = sa.URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, pool_size=size, max_overflow=0, connect_args={"timeout": BUSY}, hide_parameters=True)

    def connected(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # None leaves BEGIN to us (https://docs.python.org/3/library/sqlite3.html#sqlite3.Connection.isolation_level).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    sa.event.listen(engine.sync_engine, "connect", connected)
    return engine


def _lock(path: Path) -> int:
    """Return the descriptor that holds the lock: the system lets go of it when the process ends, however it ends."""
    beside = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"The folder of the database {path} cannot be written ({error.strerror}): give another one by BOT_HOME."
        raise UserError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        message = f"The database {path} is open in another process: stop that one first, or give this one its own BOT_HOME."
        raise UserError(message) from error
    # SQLite would make it readable for everybody; the files it makes beside it take over the mode of this one.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return descriptor
