"""Open PostgreSQL, for as many processes as you like."""

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import UserError
from bot.store.database import Database

SLOW = 10.0
"""Seconds that PostgreSQL may take to accept a connection, and to answer one statement."""

CONNECTIONS = 10
"""How many connections one process uses at most; the small plans of hosted databases allow twenty in all."""


def postgresql(url: str, *, patience: float) -> Database:
    """Return the database behind a ``postgresql://`` URL.

    Using it raises UserError where the URL cannot be understood. It may have libpq's parameters (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
    """

    async def connect(**options: object) -> asyncpg.Connection:
        # asyncpg reads the URL itself, because it knows libpq's parameters such as sslmode, which SQLAlchemy's dialect does not.
        try:
            return await asyncpg.connect(url, timeout=SLOW, command_timeout=SLOW, **options)
        except ValueError:
            # Not chained: a password that is not encoded is taken for a port, which the error then quotes.
            message = "DATABASE_URL cannot be understood: write # in its password as %23 and / as %2F, and check its parameters."
            raise UserError(message) from None

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=SLOW, hide_parameters=True
    )
    # A statement that only reads needs no BEGIN and COMMIT around it, which are two more journeys to the server.
    return Database(engine, engine.execution_options(isolation_level="AUTOCOMMIT"), patience=patience)
