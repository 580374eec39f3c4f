"""The four tables, the same on SQLite and PostgreSQL, and the few types that make them so."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from bot.journal import GENESIS, canonical


class Time(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; SQLite, which knows no zones, keeps it as text that sorts by time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn it to UTC; refuse a naive one, which would mean another moment on every machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value} has no time zone."
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware and in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[dict[str, Any]]):
    """A JSON object in its canonical spelling, as text: PostgreSQL's own JSON types respell numbers and refuse NUL, which breaks hashes."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Spell it."""
        del dialect
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Read it."""
        del dialect
        return None if value is None else json.loads(value)


BigNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A counter. SQLite numbers rows by itself only in a column called INTEGER (https://www.sqlite.org/autoinc.html)."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "pk": "%(table_name)s_key",
    }
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("arrival", BigNumber, primary_key=True),
    sa.Column("guid", sa.Text, nullable=False, unique=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("received", Time, nullable=False),
    sa.Column("handled", Time),
)
"""The inbox. ``arrival`` is the order of arrival; ``handled`` is null while it is unread."""

UNREAD = delivery.c.handled.is_(None)
sa.Index("delivery_unread", delivery.c.key, sqlite_where=UNREAD, postgresql_where=UNREAD)
sa.Index("delivery_handled", delivery.c.handled)

release = sa.Table(
    "release",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("version", sa.Text),
    sa.Column("branch", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("live", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("opened", Time, nullable=False),
    sa.Column("due", Time),
    sa.Column("generation", BigNumber, nullable=False, server_default="0"),
    sa.Column("failures", BigNumber, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", sa.Text),
    sa.Column("until", Time),
    sa.Column("revision", BigNumber, nullable=False, server_default="0"),
    sa.Column("entries", BigNumber, nullable=False, server_default="0"),
    sa.Column("head", sa.Text, nullable=False, server_default=GENESIS),
)
"""The row is the work item: ``due`` says when to look at it, ``generation`` counts wake-ups, ``owner`` and ``until`` are the lease,
``revision`` counts commits under leases. ``entries`` and ``head`` are where its journal ends. A watch over a project is a row too."""

sa.Index("release_due", release.c.due)
LIVE = release.c.live.is_(sa.true())
sa.Index("release_live_version", release.c.project, release.c.version, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
sa.Index("release_live_branch", release.c.project, release.c.branch, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("work", sa.Text, nullable=False, index=True),
    sa.Column("parameters", Json, nullable=False),
    sa.Column("intended", Time, nullable=False),
    sa.Column("result", Json),
    sa.Column("finished", Time),
)
"""Intents and results of outward effects."""

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("sequence", BigNumber, primary_key=True, autoincrement=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("details", Json, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""The hash-chained journal; triggers of the first migration forbid to change or delete a row."""
