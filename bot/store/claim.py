"""What a reconciler holds while it works on one row: its state, its unread deliveries, and the only way to write to either."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.journal import Document, Head, Json, Note, append, normal
from bot.release.ids import WorkKey
from bot.store.database import Database
from bot.store.model import (
    AlreadyOpen,
    AlreadyReleased,
    Clock,
    Delivery,
    EffectKey,
    Finished,
    Fresh,
    Intent,
    LeaseLost,
    Rival,
    Unfinished,
    project_of,
)
from bot.store.tables import LIVE, UNREAD, delivery, effect, journal, release

Columns = Mapping[str, object]
"""What changes in the row of work together with a write."""

Write = Callable[[AsyncConnection, datetime], Awaitable[Columns]]
"""What is written behind the fence, at a given time."""

Released = Callable[[str], bool]
"""Tells of the state of a release, which means nothing to the store, whether it went well to its end."""


def _nothing_is(state: str) -> bool:
    del state
    return False


class Claim:
    """A lease on one row of work. Each of its writes is one transaction and raises LeaseLost when the lease is not ours any more.

    Every write may also raise StoreUnavailable; after that, and after being cancelled in a write, the claim is void, because nobody
    knows what was written: whatever else it is asked to write raises LeaseLost.
    """

    def __init__(self, database: Database, clock: Clock, row: sa.RowMapping, unread: Sequence[Delivery]) -> None:
        """Keep the row as it was claimed; ``unread`` is in the order of arrival."""
        self.key = WorkKey(row["key"])
        self.state: str | None = row["state"]
        self.unread = tuple(unread)
        self.generation: int = row["generation"]
        self.failures: int = row["failures"]
        self._owner: str = row["owner"]
        self._revision: int | None = row["revision"]
        self._database = database
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def save(self, state: str | None, *, read: Iterable[str] = (), live: bool | None = None, notes: Sequence[Note] = ()) -> None:
        """Write the state and the notes, mark the deliveries with these GUIDs as handled, and end the release with ``live=False``."""
        handled = set(read)
        columns: Columns = {"state": state} if live is None else {"state": state, "live": live}

        async def write(connection: AsyncConnection, at: datetime) -> Columns:
            if handled:
                mine = (delivery.c.guid.in_(handled), delivery.c.key == self.key)
                await connection.execute(sa.update(delivery).where(*mine).values(handled=at))
            return columns

        await self._commit(write, notes)
        self.state = state
        self.unread = tuple(one for one in self.unread if one.guid not in handled)

    async def has_news(self) -> bool:
        """Tell whether deliveries have arrived that are not among those of this claim."""
        seen = {one.guid for one in self.unread}

        async def look(connection: AsyncConnection) -> bool:
            waiting = await connection.scalars(sa.select(delivery.c.guid).where(delivery.c.key == self.key, UNREAD))
            return any(guid not in seen for guid in waiting)

        return await self._database.read(look)

    async def head(self) -> Head:
        """Return where the journal of this row ends, as long as nothing is written under the lease."""
        query = sa.select(release.c.entries, release.c.head).where(release.c.key == self.key)
        row = await self._database.read(lambda connection: _one(connection, query))
        return Head(sequence=row["entries"], hash=row["head"])

    async def open_release(
        self, *, version: str, branch: str, state: str, released: Released = _nothing_is, notes: Sequence[Note] = ()
    ) -> None:
        """Make this row a live release.

        Raises AlreadyReleased when one of this version was released in its project, whose state ``released`` tells, and AlreadyOpen when
        one of this version or on this branch, or whatever else only one may have at a time, is live there.
        """

        async def write(connection: AsyncConnection, at: datetime) -> Columns:
            same = sa.or_(release.c.version == version, sa.and_(LIVE, release.c.branch == branch))
            rivals = (release.c.project == project_of(self.key), release.c.key != self.key, same)
            columns = (release.c.key, release.c.version, release.c.live, release.c.state)
            for rival in (await connection.execute(sa.select(*columns).where(*rivals).order_by(release.c.live))).all():
                if rival.version == version and rival.state and released(rival.state):
                    raise AlreadyReleased(rival.key, rival.version)
                if rival.live:
                    raise AlreadyOpen(rival.key, rival.version)
            return {"version": version, "branch": branch, "state": state, "live": True, "opened": at}

        try:
            await self._commit(write, notes)
        except IntegrityError:
            # A rival was committed between our look and our write; it can be seen now.
            await self._commit(write, notes)
        self.state = state

    async def intend(self, key: EffectKey, parameters: Mapping[str, Json], notes: Sequence[Note] = ()) -> Intent:
        """Write an intent and the notes down unless the intent is there already, and say what is known of it."""
        known = await self.known(key)
        if isinstance(known, Fresh):
            values = {**vars(key), "work": self.key, "parameters": normal(parameters)}

            async def write(connection: AsyncConnection, at: datetime) -> Columns:
                await connection.execute(sa.insert(effect).values(**values, intended=at))
                return {}

            await self._commit(write, notes)
        if isinstance(known, Unfinished):
            await self._commit(_nothing)  # what follows acts on the world, so the lease must be ours
        return known

    async def known(self, key: EffectKey) -> Intent:
        """Say what is known of an intent without writing one; Fresh when there is none."""
        row = await self._database.read(lambda connection: _known(connection, key))
        if row is None:
            return Fresh()
        if row["result"] is None:
            return Unfinished(parameters=row["parameters"])
        return Finished(parameters=row["parameters"], result=row["result"])

    async def begun_elsewhere(self, step: str, name: str, since: datetime | None = None) -> tuple[EffectKey, ...]:
        """Return the intents without a result, of this step and with names that begin so, of the other live releases of the project.

        With ``since`` only those that were begun from then on.
        """
        columns = (effect.c.release, effect.c.attempt, effect.c.step, effect.c.name)
        others = (release.c.project == project_of(self.key), release.c.key != self.key, LIVE)
        open_ones = (effect.c.step == step, effect.c.name.startswith(name, autoescape=True), effect.c.result.is_(None))
        recent = () if since is None else (effect.c.intended >= since,)
        query = sa.select(*columns).join(release, release.c.key == effect.c.work).where(*others, *open_ones, *recent)

        async def look(connection: AsyncConnection) -> tuple[EffectKey, ...]:
            return tuple(sorted(EffectKey(**row) for row in (await connection.execute(query)).mappings()))

        return await self._database.read(look)

    async def results_elsewhere(self, step: str, name: str, since: datetime) -> tuple[Document, ...]:
        """Return the results, since then, of the effects of this step with names that begin so, of all other releases of the project."""
        others = (release.c.project == project_of(self.key), release.c.key != self.key)
        done = (effect.c.step == step, effect.c.name.startswith(name, autoescape=True), effect.c.finished >= since)
        query = sa.select(effect.c.result).join(release, release.c.key == effect.c.work).where(*others, *done)

        async def look(connection: AsyncConnection) -> tuple[Document, ...]:
            return tuple((await connection.execute(query)).scalars())

        return await self._database.read(look)

    async def record(self, key: EffectKey, result: Mapping[str, Json], notes: Sequence[Note] = ()) -> None:
        """Write the result of an intent and the notes down."""

        async def write(connection: AsyncConnection, at: datetime) -> Columns:
            await connection.execute(sa.update(effect).where(*_is(key)).values(result=normal(result), finished=at))
            return {}

        await self._commit(write, notes)

    async def note(self, notes: Sequence[Note]) -> None:
        """Write the notes down."""
        await self._commit(_nothing, notes)

    async def _commit(self, write: Write, notes: Sequence[Note] = ()) -> None:
        """Run a write behind the fence; exactly once, however often the connection is lost."""
        async with self._one_at_a_time:
            if self._revision is None:
                raise LeaseLost(self.key)
            revision, self._revision = self._revision, None  # unknown until the outcome is known
            tried = False

            async def fenced(connection: AsyncConnection) -> None:
                nonlocal tried
                again, tried = tried, True
                row = await self._row(connection)
                if again and row["revision"] == revision + 1:
                    return  # the commit took effect, only the answer to it was lost
                if row["revision"] != revision:
                    raise LeaseLost(self.key)
                at = self._clock()
                entries, head = append(Head(sequence=row["entries"], hash=row["head"]), self.key, at, notes)
                if entries:
                    await connection.execute(sa.insert(journal), [vars(entry) for entry in entries])
                values = {**await write(connection, at), "revision": revision + 1, "entries": head.sequence, "head": head.hash}
                await connection.execute(sa.update(release).where(release.c.key == self.key).values(values))

            try:
                await self._database.write(fenced)
            except (Rival, IntegrityError):
                self._revision = revision
                raise
            self._revision = revision + 1

    async def _row(self, connection: AsyncConnection) -> sa.RowMapping:
        columns = (release.c.revision, release.c.entries, release.c.head)
        mine = (release.c.key == self.key, release.c.owner == self._owner)
        row = (await connection.execute(sa.select(*columns).where(*mine).with_for_update())).mappings().first()
        if row is None:
            raise LeaseLost(self.key)
        return row


async def _one(connection: AsyncConnection, query: sa.Select[tuple[int, str]]) -> sa.RowMapping:
    return (await connection.execute(query)).mappings().one()


async def _nothing(connection: AsyncConnection, at: datetime) -> Columns:
    del connection, at
    return {}


def _is(key: EffectKey) -> list[sa.ColumnElement[bool]]:
    return [effect.c[name] == value for name, value in vars(key).items()]


async def _known(connection: AsyncConnection, key: EffectKey) -> sa.RowMapping | None:
    return (await connection.execute(sa.select(effect.c.parameters, effect.c.result).where(*_is(key)))).mappings().first()
