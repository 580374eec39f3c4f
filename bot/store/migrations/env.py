"""What Alembic runs around the revisions (https://alembic.sqlalchemy.org/en/latest/tutorial.html#the-migration-environment)."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.store.tables import metadata


def migrate(connection: Connection) -> None:
    """Run the wanted revisions over one connection."""
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_url(url: str) -> None:
    """Run the wanted revisions for the command line: ``alembic -x url=sqlite+aiosqlite:///FILE revision --autogenerate``."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


opened = context.config.attributes.get("connection")
if opened is not None:
    migrate(opened)
else:
    asyncio.run(migrate_by_url(context.get_x_argument(as_dictionary=True)["url"]))
