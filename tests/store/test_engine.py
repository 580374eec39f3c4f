"""What is due is looked at: each row by one at a time, no wake-up is lost, and no failure becomes a storm."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.model import LeaseLost
from bot.store.store import Store
from tests.databases import KEY, OTHER, QUICK, at_rest, becomes, event, running


class Looks:
    """A reconciler that notes what it sees, and holds still while a gate is closed."""

    def __init__(self, then: Callable[[Claim], datetime | None] = lambda _: None) -> None:
        self.seen: list[tuple[WorkKey, list[str]]] = []
        self.at: list[datetime] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.now: list[WorkKey] = []
        self.most = 0
        self._then = then

    async def __call__(self, claim: Claim) -> datetime | None:
        assert claim.key not in self.now, "two look at the same row"
        self.now.append(claim.key)
        self.most = max(self.most, len(self.now))
        try:
            self.seen.append((claim.key, [one.guid for one in claim.unread]))
            self.at.append(datetime.now(UTC))
            await self.gate.wait()
            then = self._then(claim)
            await claim.save(f"{len(self.seen)}", read=[one.guid for one in claim.unread])
            return then
        finally:
            self.now.remove(claim.key)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(milliseconds=50)


async def test_a_delivery_is_looked_at_once_and_the_state_is_kept(store: Store) -> None:
    looks = Looks()
    states: list[str | None] = []

    async def look(claim: Claim) -> datetime | None:
        states.append(claim.state)
        return await looks(claim)

    async with running(store, look):
        await store.put(event("g1"))
        await becomes(lambda: at_rest(store, KEY))
        await store.put(event("g2"))
        await becomes(lambda: len(looks.seen) == 2)
        await becomes(lambda: at_rest(store, KEY))

    assert looks.seen == [(KEY, ["g1"]), (KEY, ["g2"])]
    assert states == [None, "1"]
    assert await store.deliveries(KEY, unread=True) == []


async def test_a_delivery_that_arrives_during_a_look_is_not_lost(store: Store) -> None:
    looks = Looks()
    looks.gate.clear()
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: looks.now == [KEY])
        await store.put(event("g2"))
        looks.gate.set()
        await becomes(lambda: at_rest(store, KEY))

    assert looks.seen == [(KEY, ["g1"]), (KEY, ["g2"])]


async def test_a_burst_coalesces(store: Store) -> None:
    looks = Looks()
    looks.gate.clear()
    async with running(store, looks):
        await store.put(event("g0"))
        await becomes(lambda: looks.now == [KEY])
        await asyncio.gather(*(store.put(event(f"g{number}")) for number in range(1, 100)))
        looks.gate.set()
        await becomes(lambda: at_rest(store, KEY))

    assert len(looks.seen) == 2
    assert len(looks.seen[1][1]) == 99


async def test_a_look_says_when_to_look_again(store: Store) -> None:
    looks = Looks(lambda _: soon() if len(looks.seen) < 3 else None)
    async with running(store, looks):
        await store.wake(KEY)
        await becomes(lambda: at_rest(store, KEY))

    assert len(looks.at) == 3
    assert all(later - earlier >= timedelta(milliseconds=50) for earlier, later in zip(looks.at, looks.at[1:], strict=False))


async def test_an_event_comes_before_the_time_of_the_next_look(store: Store) -> None:
    looks = Looks(lambda _: datetime(2100, 1, 1, tzinfo=UTC))
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: len(looks.seen) == 1)
        await store.put(event("g2"))
        await becomes(lambda: len(looks.seen) == 2)


async def test_each_row_is_looked_at_by_one_and_several_rows_at_once(store: Store) -> None:
    keys = [WorkKey(f"cpython#{number}") for number in range(12)]
    looks = Looks()
    looks.gate.clear()
    async with running(store, looks, parallel=5):
        for round_ in range(3):
            await asyncio.gather(*(store.put(event(f"{key}/{round_}", key)) for key in keys))
        await becomes(lambda: len(looks.now) == 5)
        looks.gate.set()
        await becomes(lambda: at_rest(store, *keys))

    assert looks.most == 5
    assert {key for key, _ in looks.seen} == set(keys)


async def test_a_failure_is_written_down_and_tried_again_later_and_later(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Claim) -> None:
        if len(looks.seen) < 5:
            message = "the tree is on fire \0"
            raise RuntimeError(message)

    looks = Looks(fail)
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: len(looks.seen) == 4)
        await becomes(lambda: failed(store, 4))
        await becomes(lambda: at_rest(store, KEY))

    pauses = [(later - earlier).total_seconds() for earlier, later in zip(looks.at, looks.at[1:], strict=False)]
    assert all(pause >= least / 2 for pause, least in zip(pauses, [0.05, 0.1, 0.2, 0.2], strict=True))
    work = await store.work(KEY)
    assert work
    assert (work.failures, work.error) == (0, "")
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == 4
    assert records[0].__dict__["key"] == KEY


async def failed(store: Store, times: int) -> bool:
    work = await store.work(KEY)
    return bool(work and work.failures == times and work.error == "RuntimeError: the tree is on fire ")


async def test_noise_does_not_cut_a_back_off_short(database_url: str) -> None:
    def fail(_: Claim) -> None:
        raise ValueError

    store = await Store.open(database_url, timings=replace(QUICK, backoff=600, backoff_cap=600))
    looks = Looks(fail)
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: backing_off(store))
        before = await store.work(KEY)
        for number in range(20):
            await store.put(event(f"noise {number}"), wake=[KEY], wake_project="cpython")
        await store.wake(KEY)
        after = await store.work(KEY)
    await store.close()

    assert before
    assert after
    assert before.due == after.due
    assert len(looks.seen) == 1


async def backing_off(store: Store) -> bool:
    work = await store.work(KEY)
    return bool(work and work.failures and not work.owner)


async def test_who_is_asked_for_patience_waits_as_long_as_asked(store: Store) -> None:
    patience = datetime(2100, 1, 1, tzinfo=UTC)

    def be_limited(_: Claim) -> None:
        message = "rate limited"
        raise Unavailable(message, retry_at=patience)

    async with running(store, Looks(be_limited)):
        await store.put(event("g1"))
        await becomes(lambda: backing_off(store))

    work = await store.work(KEY)
    assert work
    assert work.due == patience
    assert work.error == "Unavailable: rate limited"


async def test_a_time_that_is_past_is_no_leave_to_ask_at_once(database_url: str) -> None:
    def be_limited(_: Claim) -> None:
        message = "rate limited, by a clock that is behind ours"
        raise Unavailable(message, retry_at=datetime(2020, 1, 1, tzinfo=UTC))

    store = await Store.open(database_url, timings=replace(QUICK, backoff=600, backoff_cap=600))
    looks = Looks(be_limited)
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: backing_off(store))
    work = await store.work(KEY)
    await store.close()

    assert work
    assert work.due
    assert work.due > datetime.now(UTC) + timedelta(seconds=200)
    assert len(looks.seen) == 1


def unstorable_text(_: Claim) -> None:
    message = "a path that is no text \udc80, and ghs_abcdefghijklmnopqrstuvwxyz0123456789"
    raise RuntimeError(message)


def unstorable_time(_: Claim) -> datetime:
    return datetime(2100, 1, 1)  # noqa: DTZ001 - what is tested: a fault of ours


@pytest.mark.parametrize("then", [unstorable_text, unstorable_time])
async def test_what_cannot_be_stored_backs_off_too(
    database_url: str, then: Callable[[Claim], datetime | None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "bot.store.engine")  # parallel test runs cannot report a log with a lone surrogate
    store = await Store.open(database_url, timings=replace(QUICK, backoff=600, backoff_cap=600))
    looks = Looks(then)
    async with running(store, looks):
        await store.put(event("g1"))
        await becomes(lambda: backing_off(store))
    work = await store.work(KEY)
    await store.close()

    assert work
    assert len(looks.seen) == 1
    assert "ghs_" not in work.error


async def test_a_failing_row_does_not_hold_others_up(store: Store) -> None:
    def fail(claim: Claim) -> None:
        if claim.key == KEY:
            raise ValueError

    async with running(store, Looks(fail), parallel=1):
        await store.put(event("g1"))
        await store.put(event("g2", OTHER))
        await becomes(lambda: at_rest(store, OTHER))


async def test_closing_lets_running_work_end(database_url: str) -> None:
    store = await Store.open(database_url, timings=QUICK)
    looks = Looks()
    looks.gate.clear()
    run = asyncio.create_task(store.run(looks))
    await store.put(event("g1"))
    await becomes(lambda: looks.now == [KEY])

    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    looks.gate.set()
    await closing
    await run

    again = await Store.open(database_url, timings=QUICK)
    assert await at_rest(again, KEY)
    await again.close()


async def test_closing_cancels_what_does_not_end_and_leaves_it_to_the_next(database_url: str) -> None:
    store = await Store.open(database_url, timings=QUICK)
    looks = Looks()
    looks.gate.clear()
    run = asyncio.create_task(store.run(looks))
    await store.put(event("g1"))
    await becomes(lambda: looks.now == [KEY])
    await store.close()
    await run
    assert looks.now == []

    again = await Store.open(database_url, timings=replace(QUICK, lease=3600))
    looks.gate.set()
    async with running(again, looks):
        await becomes(lambda: at_rest(again, KEY))
    await again.close()
    assert looks.seen == [(KEY, ["g1"]), (KEY, ["g1"])]


async def test_a_death_ends_the_loop_and_leaves_the_work_as_it_was(store: Store) -> None:
    class Death(BaseException):
        pass

    def die(_: Claim) -> None:
        raise Death

    await store.put(event("g1"))
    with pytest.raises(Death):
        await asyncio.wait_for(store.run(Looks(die)), 10)

    work = await store.work(KEY)
    assert work
    assert work.owner
    assert [one.guid for one in await store.deliveries(KEY, unread=True)] == ["g1"]


async def test_sqlite_gives_the_leases_of_the_dead_away_at_once(tmp_path: Path) -> None:
    url, timings = str(tmp_path / "bot.sqlite3"), replace(QUICK, lease=3600)
    store = await Store.open(url, timings=timings)
    await store.put(event("g1"))

    class Death(BaseException):
        pass

    def die(_: Claim) -> None:
        raise Death

    with pytest.raises(Death):
        await asyncio.wait_for(store.run(Looks(die)), 10)
    await store.close()

    again = await Store.open(url, timings=timings)
    async with running(again, Looks()):
        await becomes(lambda: at_rest(again, KEY))
    await again.close()


async def test_a_lost_lease_is_no_failure(store: Store) -> None:
    looked = 0

    async def lose(claim: Claim) -> None:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise LeaseLost(claim.key)

    async with running(store, lose):
        await store.wake(KEY)
        await becomes(lambda: at_rest(store, KEY))

    work = await store.work(KEY)
    assert work
    assert work.failures == 0
    assert looked == 2
