"""A delivery is stored once, durably, and wakes whom it should."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.model import Timings
from bot.store.store import Store
from tests.databases import KEY, OTHER, QUICK, WATCH, at_rest, becomes, event, running


async def test_a_delivery_is_stored_with_everything_and_makes_its_row_due(store: Store) -> None:
    sent = event("g1", text="nul \0, a lone \ud800, ü and 🐍", numbers=[1, 2.5, None, True])

    assert await store.put(sent) is True

    assert await store.deliveries(KEY) == [sent]
    work = await store.work(KEY)
    assert work
    assert (work.project, work.version, work.state, work.live) == ("cpython", None, None, False)
    assert work.due
    assert work.due <= datetime.now(UTC)


async def test_the_same_guid_is_stored_once_and_wakes_nobody_the_second_time(store: Store) -> None:
    await store.put(event("g1"))
    before = await store.work(KEY)

    assert await store.put(event("g1", text="altered"), wake=[KEY], wake_project="cpython") is False

    assert len(await store.deliveries(KEY)) == 1
    assert await store.work(KEY) == before


async def test_many_at_once_are_each_stored_once_in_the_order_of_arrival(store: Store) -> None:
    guids = [f"g{number % 100}" for number in range(600)]

    answers = await asyncio.gather(*(store.put(event(guid)) for guid in guids))

    assert answers == [True] * 100 + [False] * 500
    assert [one.guid for one in await store.deliveries(KEY)] == guids[:100]


async def test_one_that_cannot_be_stored_does_not_take_others_with_it(store: Store) -> None:
    naive = event("naive")
    object.__setattr__(naive, "received", datetime(2026, 5, 1))  # noqa: DTZ001 - that is what is wrong with it
    answers = await asyncio.gather(store.put(event("g1")), store.put(naive), store.put(event("g2")), return_exceptions=True)

    assert answers[0] is True
    assert isinstance(answers[1], Exception)
    assert answers[2] is True
    assert [one.guid for one in await store.deliveries(KEY)] == ["g1", "g2"]


async def test_others_are_woken_if_they_exist(store: Store) -> None:
    async with running(store, open_one):
        await store.put(event("g1", OTHER))
        await becomes(lambda: at_rest(store, OTHER))

    await store.put(event("g2"), wake=[OTHER, WorkKey("cpython#99")])

    other = await store.work(OTHER)
    assert other
    assert other.due
    assert await store.work(WorkKey("cpython#99")) is None


async def test_a_project_is_woken_as_a_whole(store: Store) -> None:
    over, elsewhere = WorkKey("cpython#3"), WorkKey("other#1")
    async with running(store, open_one):
        for key in (OTHER, over, elsewhere, WATCH):
            await store.put(event(f"open {key}", key))
        await becomes(lambda: at_rest(store, OTHER, over, elsewhere, WATCH))

    await store.put(event("push", WATCH), wake_project="cpython")

    due = {key for key in (OTHER, over, elsewhere, WATCH) if (work := await store.work(key)) and work.due}
    assert due == {OTHER, WATCH}
    assert await store.live_keys("cpython") == [OTHER]
    assert {work.key for work in await store.works("cpython")} == {OTHER, over}
    assert len(await store.works()) == 3


async def test_what_was_handled_long_ago_is_forgotten(store: Store) -> None:
    async def handle(claim: Claim) -> None:
        await claim.save("{}", read=["g1"])

    await store.put(event("g1"))
    await store.put(event("g2"))
    async with running(store, handle):
        await becomes(lambda: at_rest(store, KEY))

    assert await store.prune(timedelta(days=1)) == 0
    assert await store.prune(timedelta(0)) == 1
    assert [one.guid for one in await store.deliveries(KEY)] == ["g2"]


async def test_times_are_kept_in_utc_on_every_database(store: Store) -> None:
    zone = datetime.fromisoformat("2026-05-01T14:00:00.000001+02:00").tzinfo
    await store.wake(KEY, datetime(2100, 1, 1, 1, 2, 3, 4, tzinfo=zone))

    work = await store.work(KEY)
    assert work
    assert work.due == datetime(2099, 12, 31, 23, 2, 3, 4, tzinfo=UTC)
    assert work.due.tzinfo is UTC


async def test_a_wake_keeps_the_earlier_time(store: Store) -> None:
    early, late = datetime(2100, 1, 1, tzinfo=UTC), datetime(2100, 1, 2, tzinfo=UTC)
    for asked, kept in ((late, late), (early, early), (late, early)):
        await store.wake(KEY, asked)
        work = await store.work(KEY)
        assert work
        assert work.due == kept


async def test_the_log_of_sqlite_is_folded_in_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    opened = await Store.open(str(path), timings=QUICK)
    for number in range(50):
        await opened.put(event(f"g{number}", text="x" * 10_000))
    await becomes(lambda: path.stat().st_size > 500_000)
    await opened.close()


@pytest.mark.parametrize("timings", [None, Timings()])
async def test_the_defaults_are_those_of_production(tmp_path: Path, timings: Timings | None) -> None:
    opened = await Store.open(str(tmp_path / "new folder" / "bot.sqlite3"), timings=timings)
    await opened.ping()
    await opened.close()


async def open_one(claim: Claim) -> None:
    if claim.key != WATCH:
        await claim.open_release(version=f"3.{claim.key[-1]}.0", branch=f"3.{claim.key[-1]}", state="{}")
        await claim.save("{}", live=claim.key != "cpython#3", read=[one.guid for one in claim.unread])
