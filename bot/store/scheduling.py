"""How a row of work becomes due, is claimed, and is let go: the whole scheduling, in SQL.

Webhooks, timers, polls and back-off all do one thing: they set ``due``. ``generation`` counts wake-ups, so that one which comes while
somebody works on the row is not lost. A row that failed keeps its time, however many events come: noise must not become a storm of tries.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.release.ids import WorkKey
from bot.store.model import project_of
from bot.store.tables import LIVE, release

Insert = postgresql.Insert | sqlite.Insert


def insert(connection: AsyncConnection, table: sa.Table) -> Insert:
    """Return an INSERT that knows ON CONFLICT, in the connection's dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def wake(connection: AsyncConnection, keys: Collection[WorkKey], at: datetime, now: datetime) -> None:
    """Make rows due at a time, and create those that do not exist yet."""
    if not keys:
        return
    statement = insert(connection, release)
    # In the order of their keys, so that two replicas lock rows in the same order.
    rows = [{"key": key, "project": project_of(key), "opened": now, "due": at, "generation": 1} for key in sorted(keys)]
    await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=_awake(_time(at))), rows)


async def wake_those_there(connection: AsyncConnection, keys: Collection[WorkKey], at: datetime) -> None:
    """Make rows due at a time, if they exist."""
    if keys:
        await connection.execute(sa.update(release).where(release.c.key.in_(keys)).values(_awake(_time(at))))


async def wake_project(connection: AsyncConnection, projects: Collection[str], at: datetime) -> None:
    """Make all live releases of projects, and the watches over them, due at a time."""
    if projects:
        chosen = (release.c.project.in_(projects), sa.or_(LIVE, release.c.key == release.c.project))
        await connection.execute(sa.update(release).where(*chosen).values(_awake(_time(at))))


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """Who wants work: ``owner`` names one life of one process, ``busy`` are the keys it works on already."""

    owner: str
    busy: Collection[WorkKey]

    def free(self, now: datetime) -> sa.ColumnElement[bool]:
        """Return what makes a row free for it.

        A row that it holds and does not work on was claimed, or let go, by a commit whose answer was lost: that one is free too.
        """
        unheld = sa.or_(release.c.owner.is_(None), release.c.until < now, release.c.owner == self.owner)
        return sa.and_(unheld, release.c.key.not_in(self.busy))


async def soonest(connection: AsyncConnection, claimant: Claimant, now: datetime) -> datetime | None:
    """Return when the first of the free rows is due."""
    due: datetime | None = await connection.scalar(sa.select(sa.func.min(release.c.due)).where(claimant.free(now)))
    return due


async def claim(connection: AsyncConnection, claimant: Claimant, most: int, now: datetime, until: datetime) -> Sequence[sa.RowMapping]:
    """Lease at most so many free rows that are due, the longest due first, and return them."""
    ready = sa.select(release.c.key).where(release.c.due <= now, claimant.free(now)).order_by(release.c.due).limit(most)
    keys = (await connection.scalars(ready.with_for_update(skip_locked=True))).all()
    if not keys:
        return []
    lease = {"owner": claimant.owner, "until": until, "revision": release.c.revision + 1}
    rows = await connection.execute(sa.update(release).where(release.c.key.in_(keys)).values(lease).returning(*release.c))
    return rows.mappings().all()


async def renew(connection: AsyncConnection, owner: str, keys: Collection[WorkKey], until: datetime) -> set[WorkKey]:
    """Renew the leases on rows and return the keys of those that are still held."""
    mine = (release.c.key.in_(keys), release.c.owner == owner)
    held = await connection.scalars(sa.update(release).where(*mine).values(until=until).returning(release.c.key))
    return set(held.all())


async def let_go(connection: AsyncConnection, owner: str, key: WorkKey, values: dict[str, Any]) -> None:
    """End the lease on a row and write how it went."""
    mine = (release.c.key == key, release.c.owner == owner)
    await connection.execute(sa.update(release).where(*mine).values(owner=None, until=None, **values))


def good(generation: int, due: datetime | None, now: datetime) -> dict[str, Any]:
    """Return what a good look leaves behind: due again when it said, or at once when something came since it began."""
    return {"due": sa.case((release.c.generation == generation, _time(due)), else_=_time(now)), "failures": 0, "error": ""}


def bad(failures: int, due: datetime, error: str) -> dict[str, Any]:
    """Return what a bad look leaves behind: due when its back-off ends, whatever came since."""
    return {"due": due, "failures": failures, "error": error}


def _awake(at: sa.ColumnElement[Any]) -> dict[str, Any]:
    keeps = sa.and_(release.c.due.is_not(None), sa.or_(release.c.failures > 0, release.c.due < at))
    return {"due": sa.case((keeps, release.c.due), else_=at), "generation": release.c.generation + 1}


def _time(at: datetime | None) -> sa.ColumnElement[Any]:
    return sa.literal(at, release.c.due.type)
