"""Bring a database up to date. Every revision is additive, so that old and new code can run side by side during a deployment."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.errors import UserError

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0001"
"""The newest revision; a database that has it already opens without loading the migration tool, which takes a quarter of a second."""

_LOCK = 0x6D61796E617264
"""The PostgreSQL advisory lock held while migrating, so that replicas which start together take turns; the number spells a name."""


def upgrade(connection: Connection) -> None:
    """Migrate the database behind a connection to the newest revision, in the connection's transaction.

    Raises UserError when it was migrated by a newer program than this one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if _revision(connection) == NEWEST:
        return
    from alembic import command  # noqa: PLC0415 - loaded only when there is something to migrate
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as error:
        message = "The database was migrated by a newer version of this program: start that version, or restore an older backup."
        raise UserError(message) from error


def configuration(connection: Connection | None = None) -> "Config":
    """Return the migration tool's configuration, over an open connection where there is one."""
    from alembic.config import Config  # noqa: PLC0415 - loaded only when there is something to migrate

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision
