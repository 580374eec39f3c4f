"""Several processes share one PostgreSQL: each row is looked at by one, and a dead or frozen one's work is taken over."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.journal import Note, What
from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.model import EffectKey, Fresh, LeaseLost, StoreUnavailable
from bot.store.store import Store
from tests.databases import KEY, QUICK, at_rest, becomes, event, running
from tests.postgres import PostgresServer
from tests.store.lossy import LossyWire

FROZEN = replace(QUICK, heartbeat=3600, lease=0.2)
"""The timings of a replica that shows no sign of life."""

EFFECT = EffectKey(release="r", attempt=1, step="freeze", name="branch")


async def test_a_frozen_replica_is_taken_over_and_cannot_write_any_more(postgres_url: str) -> None:
    frozen, healthy = await Store.open(postgres_url, timings=FROZEN), await Store.open(postgres_url, timings=QUICK)
    taken_over = asyncio.Event()
    thawed: list[str] = []

    async def freeze(claim: Claim) -> None:
        assert await claim.intend(EFFECT, {}) == Fresh()
        await taken_over.wait()
        for name, write in {"record": claim.record(EFFECT, {"by": "frozen"}), "save": claim.save("frozen", read=["g1"])}.items():
            with pytest.raises(LeaseLost):
                await write
            thawed.append(name)

    async def take_over(claim: Claim) -> None:
        assert [one.guid for one in claim.unread] == ["g1"]
        taken_over.set()
        await becomes(lambda: len(thawed) == 2)
        await claim.record(EFFECT, {"by": "healthy"})
        await claim.save("healthy", read=["g1"])

    async with running(frozen, freeze):
        await frozen.put(event("g1"))
        await becomes(lambda: held(frozen))
        async with running(healthy, take_over):
            await becomes(lambda: at_rest(healthy, KEY))

    row = await healthy.work(KEY)
    assert row
    assert row.state == "healthy"
    assert [one.result for one in await healthy.effects(KEY)] == [{"by": "healthy"}]
    await frozen.close()
    await healthy.close()


async def held(store: Store) -> bool:
    row = await store.work(KEY)
    return bool(row and row.owner)


class Clock:
    """A clock that is moved by hand, so that no machine is too slow for a lease."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_a_long_look_keeps_its_lease(postgres_url: str) -> None:
    clock, timings = Clock(), replace(QUICK, heartbeat=0.02, lease=60)
    first, second = [await Store.open(postgres_url, timings=timings, clock=clock) for _ in range(2)]
    end, stolen = asyncio.Event(), 0

    async def long(claim: Claim) -> None:
        await end.wait()
        await claim.save("done")

    async def steal(_: Claim) -> None:
        nonlocal stolen
        stolen += 1

    async with running(first, long):
        await first.put(event("g1"))
        await becomes(lambda: held(first))
        async with running(second, steal):
            for _ in range(5):
                clock.now += timedelta(seconds=40)
                renewed = clock.now + timedelta(seconds=timings.lease)
                await becomes(partial(held_until, first, renewed))
        end.set()
        await becomes(lambda: at_rest(first, KEY))

    assert stolen == 0
    await first.close()
    await second.close()


async def held_until(store: Store, moment: datetime) -> bool:
    row = await store.work(KEY)
    return bool(row and row.until == moment)


async def test_whoever_finds_its_lease_lost_stops_at_once(postgres_url: str) -> None:
    clock = Clock()
    first = await Store.open(postgres_url, timings=replace(QUICK, heartbeat=0.5, lease=60), clock=clock)
    second = await Store.open(postgres_url, timings=replace(QUICK, lease=3600), clock=clock)
    taken, stopped, forever = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hang(_: Claim) -> None:
        try:
            await forever.wait()
        finally:
            stopped.set()

    async def look(_: Claim) -> None:
        taken.set()
        await stopped.wait()

    def time_passes() -> bool:
        clock.now += timedelta(seconds=61)
        return taken.is_set()

    async with running(first, hang):
        await first.put(event("g1"))
        await becomes(lambda: held(first))
        async with running(second, look):
            await becomes(time_passes)
            await becomes(lambda: at_rest(second, KEY))

    assert stopped.is_set()
    await first.close()
    await second.close()


async def test_whoever_cannot_renew_a_lease_stops_when_it_ends(
    postgres_server: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    store = await Store.open(postgres_url, timings=replace(QUICK, heartbeat=0.05, lease=60, patience=0.05), clock=clock)
    stopped, forever = asyncio.Event(), asyncio.Event()

    async def hang(_: Claim) -> None:
        try:
            await forever.wait()
        finally:
            stopped.set()

    async with running(store, hang):
        await store.put(event("g1"))
        await becomes(lambda: held(store))
        await asyncio.to_thread(postgres_server.stop)
        try:
            await becomes(lambda: "The leases could not be renewed" in caplog.text)
            assert not stopped.is_set()
            clock.now += timedelta(seconds=120)
            await asyncio.wait_for(stopped.wait(), 10)
        finally:
            await asyncio.to_thread(postgres_server.start)

    await store.close()


async def test_replicas_share_the_work_and_never_a_row(postgres_url: str) -> None:
    stores = [await Store.open(postgres_url, timings=replace(QUICK, lease=60)) for _ in range(3)]
    keys = [WorkKey(f"cpython#{number}") for number in range(6)]
    now: set[str] = set()
    handled: Counter[str] = Counter()

    async def look(claim: Claim) -> None:
        assert claim.key not in now
        now.add(claim.key)
        guids = [one.guid for one in claim.unread]
        await claim.save("{}", read=guids)
        handled.update(guids)
        now.remove(claim.key)

    runs = [asyncio.create_task(store.run(look, parallel=2)) for store in stores]
    guids = [f"{key}/{number}" for key in keys for number in range(30)]
    mail = [event(guid, WorkKey(guid.partition("/")[0])) for guid in guids]
    assert all(await asyncio.gather(*(stores[number % 3].put(one, wake_project="cpython") for number, one in enumerate(mail))))
    await becomes(lambda: at_rest(stores[0], *keys), within=30)
    for store in stores:
        await store.close()
    await asyncio.gather(*runs)

    assert handled == Counter(guids)


async def test_connections_that_break_lose_nothing(postgres_server: PostgresServer, postgres_url: str) -> None:
    store = await Store.open(postgres_url, timings=QUICK)
    handled: Counter[str] = Counter()

    async def look(claim: Claim) -> None:
        guids = [one.guid for one in claim.unread]
        await claim.intend(EffectKey(release="r", attempt=1, step="s", name=guids[0] if guids else "none"), {})
        await claim.save("{}", read=guids)
        handled.update(guids)

    async with running(store, look):
        for round_ in range(8):
            puts = [asyncio.create_task(store.put(event(f"g{round_}/{number}"))) for number in range(10)]
            await asyncio.to_thread(postgres_server.hang_up, postgres_url)
            await asyncio.gather(*puts)
        await becomes(lambda: at_rest(store, KEY), within=30)

    assert len(handled) == 80
    assert await store.deliveries(KEY, unread=True) == []
    await store.close()


async def test_a_restart_of_the_server_is_survived(postgres_server: PostgresServer, postgres_url: str) -> None:
    store = await Store.open(postgres_url, timings=replace(QUICK, patience=20))

    async def look(claim: Claim) -> None:
        await claim.save("{}", read=[one.guid for one in claim.unread])

    async with running(store, look):
        await store.put(event("before"))
        await asyncio.to_thread(postgres_server.stop)
        during = asyncio.create_task(store.put(event("during")))
        with pytest.raises(StoreUnavailable):
            await store.ping()
        await asyncio.to_thread(postgres_server.start)
        await during
        await store.ping()
        await becomes(lambda: at_rest(store, KEY), within=30)

    assert await store.deliveries(KEY, unread=True) == []
    await store.close()


async def test_a_server_that_stays_away_is_said_so(postgres_server: PostgresServer, postgres_url: str) -> None:
    store = await Store.open(postgres_url, timings=replace(QUICK, patience=0.1))
    await asyncio.to_thread(postgres_server.stop)
    try:
        with pytest.raises(StoreUnavailable, match="The database does not answer"):
            await store.put(event("g1"))
    finally:
        await asyncio.to_thread(postgres_server.start)
    await store.close()


async def test_a_commit_whose_answer_is_lost_is_not_made_twice(postgres_url: str, tmp_path: Path) -> None:
    await (await Store.open(postgres_url, timings=QUICK)).close()
    server = Path(postgres_url.partition("host=")[2])
    wire = LossyWire(server / ".s.PGSQL.5432")
    note = Note(actor="bot", what=What.FACT, details={})
    quiet = replace(QUICK, heartbeat=3600, lease=3600)  # no other commits than those of the story, and no help from time

    async def look(claim: Claim) -> None:
        guids = [one.guid for one in claim.unread]
        wire.losses = 1
        await claim.open_release(version="3.15.0a3", branch="main", state="{}", notes=[note])
        wire.losses = 1
        assert await claim.intend(EFFECT, {}, [note]) == Fresh()
        wire.losses = 1
        await claim.record(EFFECT, {"id": 1}, [note])
        wire.losses = 1
        await claim.save("done", read=guids, notes=[note])
        wire.losses = 1  # the end of the lease
        looked.append(guids)

    looked: list[list[str]] = []
    async with wire.listening(tmp_path):
        store = await Store.open(postgres_url.replace(str(server), str(tmp_path)), timings=quiet)
        wire.losses = 1
        assert await store.put(event("g1")) is False  # it cannot know; it is stored all the same
        wire.losses = 1  # the claim
        async with running(store, look):
            await becomes(lambda: at_rest(store, KEY))
        assert looked == [["g1"]]
        assert len(await store.journal(KEY)) == 4
        row = await store.work(KEY)
        assert row
        assert row.state == "done"
        await store.close()
    assert wire.lost == 7
