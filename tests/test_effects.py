"""Every outward effect happens at most once, whatever dies and whichever answer is lost; on both databases."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.effects import Door, EffectMismatch, Nature, Observer
from bot.errors import Refused, Unavailable
from bot.journal import Document, Json, What, verify
from bot.store.claim import Claim
from bot.store.model import EffectKey, Unfinished
from bot.store.store import Store
from tests.databases import KEY, OTHER, during_a_look

FINDABLE, REPEATABLE, NOTICE = Nature.FINDABLE, Nature.REPEATABLE, Nature.NOTICE


@dataclass
class Rulesets:
    """A world in which something can be done, and found."""

    made: list[str] = field(default_factory=list)
    looked: int = 0

    async def make(self) -> Mapping[str, Json]:
        self.made.append("freeze")
        return {"id": 7, "refs": ("refs/heads/main",)}

    async def make_but_lose_the_answer(self) -> Mapping[str, Json]:
        await self.make()
        message = "the connection broke"
        raise Unavailable(message)

    async def refuse(self) -> Mapping[str, Json]:
        message = "You may not."
        raise Refused(message, status=403)

    async def find(self) -> Mapping[str, Json] | None:
        self.looked += 1
        return {"id": 7, "refs": ("refs/heads/main",)} if self.made else None


class Death(BaseException):
    """The process dies here."""


class Reaper(Observer):
    """Dies at one point of an effect's way, and remembers how far it came."""

    def __init__(self, point: str = "") -> None:
        self.point = point
        self.seen: list[str] = []

    def _pass(self, point: str) -> None:
        self.seen.append(point)
        if point == self.point:
            raise Death

    async def before(self, key: EffectKey) -> None:
        assert str(key) == "cpython-3.15.0a3-1/1/freeze/branch"
        self._pass("before")

    async def between(self, key: EffectKey) -> None:
        del key
        self._pass("between")

    async def acted(self, key: EffectKey) -> None:
        del key
        self._pass("acted")

    async def after(self, key: EffectKey) -> None:
        del key
        self._pass("after")


RESULT = {"id": 7, "refs": ["refs/heads/main"]}


async def freeze(claim: Claim, world: Rulesets, nature: Nature = FINDABLE, observer: Observer | None = None, **change: object) -> Document:
    """Go through the door of a new life."""
    door = Door(claim, "cpython-3.15.0a3-1", 1, [observer or Observer()])
    do = getattr(world, str(change.pop("do", "make")))
    parameters: dict[str, Json] = {"ref": "main", "rules": ("update",), **{name: str(value) for name, value in change.items()}}
    return await door("freeze", "branch", nature=nature, parameters=parameters, do=do, find=world.find if nature is FINDABLE else None)


async def kinds(store: Store) -> list[What]:
    chain = await store.journal(KEY)
    assert verify(chain, head=await store.head(KEY)) is None
    return [entry.what for entry in chain]


async def test_an_effect_is_done_and_its_result_kept(store: Store) -> None:
    world, observer = Rulesets(), Reaper()

    first = await during_a_look(store, lambda claim: freeze(claim, world, observer=observer))
    second = await during_a_look(store, lambda claim: freeze(claim, world, observer=observer))

    assert first == second == RESULT
    assert world == Rulesets(made=["freeze"], looked=0)
    assert observer.seen == ["before", "between", "acted", "after", "before"]
    assert await kinds(store) == [What.EFFECT_INTENT, What.EFFECT_RESULT]
    [row] = await store.effects(KEY)
    assert (row.parameters, row.result) == ({"ref": "main", "rules": ["update"]}, RESULT)
    assert row.finished
    assert row.finished >= row.intended


async def test_attempts_steps_and_names_are_different_effects(store: Store) -> None:
    world = Rulesets()

    async def several(claim: Claim) -> None:
        for attempt, step, name in ((1, "freeze", "branch"), (2, "freeze", "branch"), (1, "thaw", "branch"), (1, "freeze", "tag")):
            door = Door(claim, "cpython-3.15.0a3-1", attempt)
            await door(step, name, nature=REPEATABLE, parameters={}, do=world.make)

    await during_a_look(store, several)
    assert len(world.made) == 4


@pytest.mark.parametrize("point", ["before", "between", "acted", "after"])
@pytest.mark.parametrize("nature", Nature)
async def test_dying_anywhere_and_coming_back(store: Store, nature: Nature, point: str) -> None:
    world, observer = Rulesets(), Reaper(point)

    with pytest.raises(Death):
        await during_a_look(store, lambda claim: freeze(claim, world, nature, observer))
    assert await during_a_look(store, lambda claim: freeze(claim, world, nature)) == RESULT

    done_twice = nature is not FINDABLE and point == "acted"
    assert len(world.made) == (2 if done_twice else 1)
    assert world.looked == (1 if nature is FINDABLE and point in ("between", "acted") else 0)
    assert await kinds(store) == [What.EFFECT_INTENT, What.EFFECT_RESULT]


@pytest.mark.parametrize("same_life", [True, False])
async def test_a_lost_answer_is_looked_up_before_anything_is_done_again(store: Store, same_life: bool) -> None:  # noqa: FBT001 - a case
    world = Rulesets()

    async def try_again(claim: Claim) -> Document:
        with pytest.raises(Unavailable):
            await freeze(claim, world, do="make_but_lose_the_answer")
        return await freeze(claim, world)

    async def fail(claim: Claim) -> None:
        with pytest.raises(Unavailable):
            await freeze(claim, world, do="make_but_lose_the_answer")

    if same_life:
        assert await during_a_look(store, try_again) == RESULT
    else:
        await during_a_look(store, fail)
        assert await during_a_look(store, lambda claim: freeze(claim, world)) == RESULT

    assert world == Rulesets(made=["freeze"], looked=1)
    assert (await store.journal(KEY))[-1].details["how"] == "found"


async def test_a_refusal_is_written_down_and_may_be_tried_again(store: Store) -> None:
    world = Rulesets()

    with pytest.raises(Refused):
        await during_a_look(store, lambda claim: freeze(claim, world, do="refuse"))
    assert await during_a_look(store, lambda claim: freeze(claim, world)) == RESULT

    assert await kinds(store) == [What.EFFECT_INTENT, What.EFFECT_REFUSED, What.EFFECT_RESULT]
    assert (await store.journal(KEY))[1].details["status"] == 403
    assert (await store.journal(KEY))[-1].details["how"] == "done again"
    assert world == Rulesets(made=["freeze"], looked=1)


@pytest.mark.parametrize("finished", [True, False])
async def test_other_parameters_than_intended_do_nothing(store: Store, finished: bool) -> None:  # noqa: FBT001 - a case
    world = Rulesets()
    if finished:
        await during_a_look(store, lambda claim: freeze(claim, world))
    else:
        with pytest.raises(Refused):
            await during_a_look(store, lambda claim: freeze(claim, world, do="refuse"))
    before = Rulesets(list(world.made), world.looked)

    with pytest.raises(EffectMismatch, match="other parameters: more, ref"):
        await during_a_look(store, lambda claim: freeze(claim, world, ref="3.15", more="x"))

    assert world == before


async def test_two_who_ask_at_once_get_one_effect(store: Store) -> None:
    world = Rulesets()
    both = asyncio.Barrier(2)

    async def twice(claim: Claim) -> list[Document]:
        door = Door(claim, "cpython-3.15.0a3-1", 1)

        async def ask() -> Document:
            await both.wait()
            return await door("freeze", "branch", nature=REPEATABLE, parameters={}, do=world.make)

        return list(await asyncio.gather(ask(), ask()))

    assert await during_a_look(store, twice) == [RESULT, RESULT]
    assert world.made == ["freeze"]


async def test_a_findable_effect_needs_a_way_to_find_it(store: Store) -> None:
    async def ask(claim: Claim) -> None:
        await Door(claim, "r", 1)("freeze", "branch", nature=FINDABLE, parameters={}, do=Rulesets().make)

    with pytest.raises(ValueError, match="freeze/branch is findable"):
        await during_a_look(store, ask)


async def test_it_is_known_whether_an_effect_was_ever_begun(store: Store) -> None:
    async def begun(claim: Claim, attempt: int = 1) -> bool:
        return await Door(claim, "cpython-3.15.0a3-1", attempt).intended("freeze", "branch")

    assert not await during_a_look(store, begun)
    with pytest.raises(Death):
        await during_a_look(store, lambda claim: freeze(claim, Rulesets(), observer=Reaper("between")))
    assert await during_a_look(store, begun)
    await during_a_look(store, lambda claim: freeze(claim, Rulesets()))
    assert await during_a_look(store, begun)
    assert not await during_a_look(store, lambda claim: begun(claim, 2))


async def test_what_another_release_does_is_seen_through_the_door(store: Store) -> None:
    async def opened(claim: Claim) -> None:
        await claim.open_release(version="3.14.8", branch="3.14", state="{}")

    async def order(claim: Claim) -> None:
        with pytest.raises(Unavailable):
            await freeze(claim, Rulesets(), do="make_but_lose_the_answer")

    async def seen(claim: Claim) -> tuple[int, int, bool]:
        door = Door(claim, "cpython-3.15.0a3-2", 1)
        begun = await door.begun_elsewhere("freeze", "branch")
        done = await door.results_elsewhere("freeze", "branch", datetime.now(UTC) - timedelta(hours=1))
        return len(begun), len(done), isinstance(await door.known_elsewhere(begun[0]), Unfinished) if begun else False

    await during_a_look(store, opened)
    assert await during_a_look(store, seen, OTHER) == (0, 0, False)
    await during_a_look(store, order)
    assert await during_a_look(store, seen, OTHER) == (1, 0, True)
    await during_a_look(store, lambda claim: freeze(claim, Rulesets()))
    assert await during_a_look(store, seen, OTHER) == (0, 1, False)
