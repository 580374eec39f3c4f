"""What other live releases of the project have begun is seen by everybody, from the moment in which the intent is committed."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.model import EffectKey
from bot.store.store import Store
from tests.databases import KEY, OTHER, during_a_look

FOREIGN = WorkKey("demo#1")
ORDER, BUILD = "queue publish 1", "queue build 1"


def key_of(work: WorkKey, name: str = ORDER, step: str = "windows-publish") -> EffectKey:
    return EffectKey(release=f"release {work}", attempt=1, step=step, name=name)


async def opened(store: Store, work: WorkKey, version: str) -> None:
    await during_a_look(store, lambda claim: claim.open_release(version=version, branch=version, state="{}"), work)


async def begun(store: Store, work: WorkKey, *keys: EffectKey) -> None:
    async def intend(claim: Claim) -> None:
        for key in keys:
            await claim.intend(key, {})

    await during_a_look(store, intend, work)


async def seen_by(store: Store, work: WorkKey) -> tuple[EffectKey, ...]:
    return await during_a_look(store, lambda claim: claim.begun_elsewhere("windows-publish", "queue publish "), work)


async def test_an_order_that_was_begun_is_seen_until_its_result_is_known(store: Store) -> None:
    await opened(store, KEY, "3.14.8")
    await opened(store, OTHER, "3.15.0a3")
    assert await seen_by(store, OTHER) == ()
    await begun(store, KEY, key_of(KEY), key_of(KEY, BUILD), key_of(KEY, step="windows"))
    assert await seen_by(store, OTHER) == (key_of(KEY),)
    assert await seen_by(store, KEY) == (), "what is ours stands in nobody's way"
    for age, seen in ((timedelta(hours=1), (key_of(KEY),)), (-timedelta(hours=1), ())):
        since = datetime.now(UTC) - age
        look = partial(Claim.begun_elsewhere, step="windows-publish", name="queue publish ", since=since)
        assert await during_a_look(store, look, OTHER) == seen, "only what was begun from then on"
    await during_a_look(store, lambda claim: claim.record(key_of(KEY), {"run": 7}), KEY)
    assert await seen_by(store, OTHER) == ()


async def test_another_project_and_a_release_that_is_over_stand_in_nobodys_way(store: Store) -> None:
    await opened(store, KEY, "3.14.8")
    await opened(store, OTHER, "3.15.0a3")
    await opened(store, FOREIGN, "1.0.0")
    await begun(store, FOREIGN, key_of(FOREIGN))
    await begun(store, KEY, key_of(KEY), key_of(KEY, "queue publish 2"))
    assert await seen_by(store, OTHER) == (key_of(KEY), key_of(KEY, "queue publish 2"))
    await during_a_look(store, lambda claim: claim.save("{}", live=False), KEY)
    assert await seen_by(store, OTHER) == ()


async def test_what_came_of_the_orders_of_others_is_known_whether_they_are_over_or_not(store: Store) -> None:
    await opened(store, KEY, "3.14.8")
    await opened(store, OTHER, "3.15.0a3")
    await begun(store, KEY, key_of(KEY), key_of(KEY, "queue publish 2"), key_of(KEY, BUILD))
    await during_a_look(store, lambda claim: claim.record(key_of(KEY), {"run": 7}), KEY)
    await during_a_look(store, lambda claim: claim.record(key_of(KEY, BUILD), {"run": 8}), KEY)
    await during_a_look(store, lambda claim: claim.save("{}", live=False), KEY)

    async def come_of(work: WorkKey, since: datetime) -> tuple[dict[str, Any], ...]:
        return await during_a_look(store, lambda claim: claim.results_elsewhere("windows-publish", "queue publish ", since), work)

    past, future = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    assert await come_of(OTHER, past) == ({"run": 7},)
    assert await come_of(OTHER, future) == ()
    assert await come_of(KEY, past) == ()
