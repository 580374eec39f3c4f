"""Read what the store holds, as the types that others see."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.journal import Sealed, What
from bot.release.ids import WorkKey
from bot.store.model import Delivery, EffectKey, EffectRow, Work
from bot.store.tables import UNREAD, delivery, effect, journal, release

_DELIVERY = (delivery.c.guid, delivery.c.key, delivery.c.event, delivery.c.action, delivery.c.payload, delivery.c.received)


async def unread(connection: AsyncConnection, keys: Sequence[WorkKey]) -> dict[WorkKey, list[Delivery]]:
    """Return the unhandled deliveries of each key in the order of their arrival."""
    mail: defaultdict[WorkKey, list[Delivery]] = defaultdict(list)
    if keys:
        for one in await deliveries(connection, delivery.c.key.in_(keys), UNREAD):
            mail[one.key].append(one)
    return mail


async def deliveries(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[Delivery]:
    """Return deliveries in the order of their arrival."""
    rows = await connection.execute(sa.select(*_DELIVERY).where(*where).order_by(delivery.c.arrival))
    return [Delivery(**row) for row in rows.mappings()]


async def works(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[Work]:
    """Return rows of work, the newest first."""
    rows = await connection.execute(sa.select(release).where(*where).order_by(release.c.opened.desc(), release.c.key))
    return [Work(**row) for row in rows.mappings()]


async def chain(connection: AsyncConnection, key: WorkKey) -> list[Sealed]:
    """Return the journal of a key."""
    rows = await connection.execute(sa.select(journal).where(journal.c.key == key).order_by(journal.c.sequence))
    return [Sealed(**{**row, "what": What(row["what"])}) for row in rows.mappings()]


async def effects(connection: AsyncConnection, work: WorkKey) -> list[EffectRow]:
    """Return the effects of a key of work in the order of their intents."""
    rows = await connection.execute(sa.select(effect).where(effect.c.work == work).order_by(effect.c.intended))
    return [
        EffectRow(
            key=EffectKey(release=row.release, attempt=row.attempt, step=row.step, name=row.name),
            work=row.work,
            parameters=row.parameters,
            intended=row.intended,
            result=row.result,
            finished=row.finished,
        )
        for row in rows
    ]
