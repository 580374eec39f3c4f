"""A claim writes only while its lease holds, and what it writes is all or nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.journal import Note, What, verify
from bot.release.ids import WorkKey
from bot.state import is_done
from bot.store.claim import Claim
from bot.store.model import AlreadyOpen, AlreadyReleased, EffectKey, Finished, Fresh, LeaseLost, Unfinished
from bot.store.store import Store
from tests.databases import KEY, OTHER, QUICK, at_rest, becomes, during_a_look, event, running

EFFECT = EffectKey(release="cpython-3.15.0a3-1", attempt=1, step="freeze", name="branch")
NOTE = Note(actor="ned (1)", what=What.COMMAND, details={"verb": "approve"})

WRITES: dict[str, Callable[[Claim], Awaitable[object]]] = {
    "save": lambda claim: claim.save("stale"),
    "open": lambda claim: claim.open_release(version="3.15.0a3", branch="main", state="stale"),
    "intend": lambda claim: claim.intend(replace(EFFECT, name="other"), {}),
    "intend again": lambda claim: claim.intend(EFFECT, {}),
    "record": lambda claim: claim.record(EFFECT, {"stale": True}),
    "note": lambda claim: claim.note([NOTE]),
}


async def test_a_save_keeps_state_mail_and_journal_together(store: Store) -> None:
    await store.put(event("g1"))
    await store.put(event("g2"))

    async def work(claim: Claim) -> None:
        await claim.save('{"step":1}', read=["g1"], notes=[NOTE, NOTE])
        assert claim.state == '{"step":1}'
        assert [one.guid for one in claim.unread] == ["g2"]
        await claim.note([NOTE])
        await claim.note([])

    await during_a_look(store, work)

    row = await store.work(KEY)
    assert row
    assert row.state == '{"step":1}'
    assert [one.guid for one in await store.deliveries(KEY, unread=True)] == ["g2"]
    chain = await store.journal(KEY)
    assert [(entry.sequence, entry.actor, entry.what, entry.details) for entry in chain] == [
        (number, "ned (1)", What.COMMAND, {"verb": "approve"}) for number in (1, 2, 3)
    ]
    assert verify(chain, head=await store.head(KEY)) is None


async def test_nobody_marks_the_mail_of_another_row(store: Store) -> None:
    await store.put(event("theirs", OTHER))
    await during_a_look(store, lambda claim: claim.save("{}", read=["theirs"]))

    assert len(await store.deliveries(OTHER, unread=True)) == 1


async def test_an_intent_is_fresh_then_unfinished_then_finished(store: Store) -> None:
    async def work(claim: Claim) -> None:
        assert await claim.intend(EFFECT, {"ref": ("main",)}, [NOTE]) == Fresh()
        assert await claim.intend(EFFECT, {"ref": "other"}, [NOTE]) == Unfinished(parameters={"ref": ["main"]})
        await claim.record(EFFECT, {"id": 1}, [NOTE])
        assert await claim.intend(EFFECT, {}, [NOTE]) == Finished(parameters={"ref": ["main"]}, result={"id": 1})

    await during_a_look(store, work)
    assert len(await store.journal(KEY)) == 2


@pytest.mark.parametrize("name", WRITES)
async def test_a_claim_that_was_let_go_writes_nothing(store: Store, name: str) -> None:
    claim = await during_a_look(store, leave_an_intent)
    await becomes(lambda: at_rest(store, KEY))

    with pytest.raises(LeaseLost):
        await WRITES[name](claim)

    await nothing_stale(store)


@pytest.mark.parametrize("name", WRITES)
async def test_an_older_claim_of_the_same_process_writes_nothing(store: Store, name: str) -> None:
    older = await during_a_look(store, leave_an_intent)

    async def work(_: Claim) -> None:
        with pytest.raises(LeaseLost):
            await WRITES[name](older)

    await during_a_look(store, work)
    await nothing_stale(store)


async def leave_an_intent(claim: Claim) -> Claim:
    await claim.intend(EFFECT, {})
    await claim.save("good")
    return claim


async def nothing_stale(store: Store) -> None:
    row = await store.work(KEY)
    assert row
    assert (row.state, row.version) == ("good", None)
    assert [(one.key, one.result) for one in await store.effects(KEY)] == [(EFFECT, None)]
    assert await store.journal(KEY) == []


async def test_a_finished_effect_may_be_read_by_anybody(store: Store) -> None:
    async def work(claim: Claim) -> Claim:
        await claim.intend(EFFECT, {})
        await claim.record(EFFECT, {"id": 1})
        return claim

    claim = await during_a_look(store, work)
    assert await claim.intend(EFFECT, {}) == Finished(parameters={}, result={"id": 1})


async def test_a_claim_cut_in_a_write_is_void(store: Store) -> None:
    """What the cut write did is not known, so nothing may build on it; the next claim sees what became of it."""

    async def work(claim: Claim) -> None:
        cut = asyncio.create_task(claim.save("cut"))
        await asyncio.sleep(0)
        cut.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut
        with pytest.raises(LeaseLost):
            await claim.save("after")

    await during_a_look(store, work)
    row = await store.work(KEY)
    assert row
    assert row.state in (None, "cut")


async def test_writes_of_one_claim_take_turns(store: Store) -> None:
    async def work(claim: Claim) -> None:
        await asyncio.gather(*(claim.note([NOTE]) for _ in range(10)))

    await during_a_look(store, work)
    assert verify(await store.journal(KEY), head=await store.head(KEY)) is None
    assert len(await store.journal(KEY)) == 10


@pytest.mark.parametrize(("version", "branch"), [("3.15.0a3", "3.15"), ("3.15.0a4", "main")])
async def test_a_version_and_a_branch_have_one_live_release(store: Store, version: str, branch: str) -> None:
    await during_a_look(store, lambda claim: claim.open_release(version="3.15.0a3", branch="main", state="{}", notes=[NOTE]))

    async def rival(claim: Claim) -> None:
        with pytest.raises(AlreadyOpen, match=r"3\.15\.0a3 at cpython#1 is still open") as raised:
            await claim.open_release(version=version, branch=branch, state="{}", notes=[NOTE])
        assert raised.value.key == KEY
        await claim.save("refused")

    await during_a_look(store, rival, OTHER)
    assert await store.live_keys("cpython") == [KEY]
    assert await store.journal(OTHER) == []

    await during_a_look(store, lambda claim: claim.save("{}", live=False))
    await during_a_look(store, lambda claim: claim.open_release(version=version, branch=branch, state="{}"), OTHER)
    assert await store.live_keys("cpython") == [OTHER]
    assert [work.key for work in await store.works("cpython")] == [OTHER, KEY]


@pytest.mark.parametrize("live", [True, False])
async def test_a_version_is_released_once(store: Store, live: bool) -> None:  # noqa: FBT001 - pytest calls it
    done = '{"state":"done","written":"by another version of this program"}'

    async def finish(claim: Claim) -> None:
        await claim.open_release(version="3.15.0a3", branch="main", state="{}", released=is_done)
        await claim.save(done, live=live)

    await during_a_look(store, finish)

    async def again(claim: Claim) -> None:
        with pytest.raises(AlreadyReleased, match=r"3\.15\.0a3 was released at cpython#1 already") as raised:
            await claim.open_release(version="3.15.0a3", branch="3.15", state="{}", released=is_done, notes=[NOTE])
        assert raised.value.key == KEY
        await claim.save("refused")

    await during_a_look(store, again, OTHER)
    assert await store.journal(OTHER) == []
    row = await store.work(OTHER)
    assert row
    assert (row.state, row.version, row.live) == ("refused", None, False)

    await during_a_look(store, lambda claim: claim.open_release(version="3.15.0a4", branch="3.15", state="{}", released=is_done), OTHER)
    elsewhere = WorkKey("other#1")
    await during_a_look(store, lambda claim: claim.open_release(version="3.15.0a3", branch="main", state="{}", released=is_done), elsewhere)


@pytest.mark.parametrize("state", ['{"state":"aborted"}', '{"state":"halted"}', "{}", "no JSON"])
async def test_a_version_that_was_given_up_may_be_tried_again(store: Store, state: str) -> None:
    async def give_up(claim: Claim) -> None:
        await claim.open_release(version="3.15.0a3", branch="main", state="{}", released=is_done)
        await claim.save(state, live=False)

    await during_a_look(store, give_up)
    await during_a_look(store, lambda claim: claim.open_release(version="3.15.0a3", branch="main", state="{}", released=is_done), OTHER)
    assert await store.live_keys("cpython") == [OTHER]


async def test_another_project_has_releases_of_its_own(store: Store) -> None:
    elsewhere = WorkKey("other#1")
    for key in (KEY, elsewhere):
        await during_a_look(store, lambda claim: claim.open_release(version="3.15.0a3", branch="main", state="{}"), key)
    assert await store.live_keys("other") == [elsewhere]


async def test_of_many_that_open_the_same_at_once_one_does(store: Store) -> None:
    keys = [WorkKey(f"cpython#{number}") for number in range(6)]
    refused: list[WorkKey] = []
    all_here = asyncio.Barrier(len(keys))

    async def look(claim: Claim) -> None:
        await all_here.wait()
        try:
            await claim.open_release(version="3.15.0a3", branch="main", state="{}")
        except AlreadyOpen:
            refused.append(claim.key)

    async with running(store, look):
        await asyncio.gather(*(store.put(event(f"{key}", key)) for key in keys))
        await becomes(lambda: at_rest(store, *keys))

    assert len(refused) == 5
    assert set(await store.live_keys("cpython")) | set(refused) == set(keys)


async def test_the_clock_can_be_any(database_url: str) -> None:
    moment = datetime(1999, 12, 31, 23, 59, tzinfo=UTC)
    store = await Store.open(database_url, timings=QUICK, clock=lambda: moment)
    await during_a_look(store, lambda claim: claim.note([NOTE]))

    [entry] = await store.journal(KEY)
    assert entry.at == moment
    await store.close()
