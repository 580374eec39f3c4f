"""The one door through which every outward write goes (invariant I4: at most once, whenever the process dies).

Nobody can know whether a request whose answer was lost took effect. So every effect is written down before it is tried, and one that was
tried without a known result is looked up in the world before it is tried again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.errors import Refused
from bot.journal import Document, Json, Note, What, normal
from bot.store.model import EffectKey, Finished, Fresh, Intent

ACTOR = "bot"

Do = Callable[[], Awaitable[Mapping[str, Json]]]
"""Act on the world and return what it answered."""

Find = Callable[[], Awaitable[Mapping[str, Json] | None]]
"""Look the effect up in the world: return what ``do`` would have returned, or None when it did not happen."""


class Nature(StrEnum):
    """What may happen to an effect whose result is unknown."""

    FINDABLE = "findable"
    """It can be looked up by marker, nonce, unique name or ref; it is done again only when it is not there."""
    REPEATABLE = "repeatable"
    """Doing it twice is the same as doing it once."""
    NOTICE = "notice"
    """A mere notice to a person: twice is a nuisance, never harm. Never a push, queue, dispatch or rule."""


class Ledger(Protocol):
    """Where intents, results and notes are kept; every method has committed when it returns."""

    async def intend(self, key: EffectKey, parameters: Mapping[str, Json], notes: Sequence[Note] = ()) -> Intent:
        """Write the intent and the notes down, unless the intent is there already, and say what is known of it."""
        ...

    async def record(self, key: EffectKey, result: Mapping[str, Json], notes: Sequence[Note] = ()) -> None:
        """Write the result of an intent and the notes down."""
        ...

    async def note(self, notes: Sequence[Note]) -> None:
        """Write the notes down."""
        ...

    async def known(self, key: EffectKey) -> Intent:
        """Say what is known of an intent without writing one; Fresh when there is none."""
        ...

    async def begun_elsewhere(self, step: str, name: str, since: datetime | None = None) -> tuple[EffectKey, ...]:
        """Return the intents without a result, of this step and with names that begin so, of the other live releases of the project.

        With ``since`` only those that were begun from then on.
        """
        ...

    async def results_elsewhere(self, step: str, name: str, since: datetime) -> tuple[Document, ...]:
        """Return the results, since then, of the effects of this step with names that begin so, of all other releases of the project."""
        ...


class Observer:
    """Something that is told of every effect on its way; subclass it and override what matters. A method may raise, even BaseException."""

    async def before(self, key: EffectKey) -> None:
        """Be told that an effect is asked for: nothing is committed yet."""

    async def between(self, key: EffectKey) -> None:
        """Be told that the intent is committed: the world was not touched yet in this life."""

    async def acted(self, key: EffectKey) -> None:
        """Be told that the effect is done or was found: the result is not committed yet."""

    async def after(self, key: EffectKey) -> None:
        """Be told that the result is committed."""


class EffectMismatch(Exception):
    """The same effect was asked for with other parameters than it was intended with: a fault in the program, nothing was done."""


class Door:
    """The door of one claim on one attempt of a release."""

    def __init__(self, ledger: Ledger, release: str, attempt: int, observers: Sequence[Observer] = ()) -> None:
        """Keep the ledger, which is the claim, and the first half of every effect's key."""
        self._ledger = ledger
        self._release = release
        self._attempt = attempt
        self._observers = tuple(observers)
        self._one_at_a_time: defaultdict[EffectKey, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(
        self, step: str, name: str, *, nature: Nature, parameters: Mapping[str, Json], do: Do, find: Find | None = None
    ) -> Document:
        """Make the effect happen at most once per (release, attempt, step, name) and return its result.

        1. The intent is committed with all its parameters, which must hold no secret. An effect that has a result already ends here,
           with that result.
        2. An intent of an earlier life, or of an earlier try of this one, is looked up in the world if its nature is findable.
        3. What was not found is done. A definite refusal is journaled; it and every other error pass on, and the intent stays unfinished.
        4. The result is committed together with its journal row.

        Raises EffectMismatch, ValueError for a findable effect without ``find``, and whatever ``do`` and ``find`` raise.
        """
        if nature is Nature.FINDABLE and find is None:
            message = f"{step}/{name} is findable, so it needs a way to find it."
            raise ValueError(message)
        key = EffectKey(release=self._release, attempt=self._attempt, step=step, name=name)
        async with self._one_at_a_time[key]:
            return await self._pass(key, nature, normal(parameters), do, find)

    async def intended(self, step: str, name: str) -> bool:
        """Tell whether this effect was ever begun in this attempt, in this life or an earlier one."""
        return not isinstance(await self.known(step, name), Fresh)

    async def known(self, step: str, name: str) -> Intent:
        """Say what is known of this effect in this attempt: one that was begun has to be asked for with the same parameters again."""
        return await self._ledger.known(EffectKey(release=self._release, attempt=self._attempt, step=step, name=name))

    async def begun_elsewhere(self, step: str, name: str, since: datetime | None = None) -> tuple[EffectKey, ...]:
        """Return what other live releases of the project are doing or may have done: effects of this step whose names begin so.

        Whoever commits an intent of their own before they ask cannot miss another one: of two that begin at once, one at least sees it.
        With ``since`` only those are returned that were begun from then on.
        """
        return await self._ledger.begun_elsewhere(step, name, since)

    async def results_elsewhere(self, step: str, name: str, since: datetime) -> tuple[Document, ...]:
        """Return what came of effects of this step, with names that begin so, that other releases of the project had done since then."""
        return await self._ledger.results_elsewhere(step, name, since)

    async def known_elsewhere(self, key: EffectKey) -> Intent:
        """Say what is known of an effect of another release."""
        return await self._ledger.known(key)

    async def _pass(self, key: EffectKey, nature: Nature, parameters: Document, do: Do, find: Find | None) -> Document:
        await self._tell("before", key)
        # 1. the intent is committed
        intent = await self._ledger.intend(key, parameters, [_note(What.EFFECT_INTENT, key, nature=nature, parameters=parameters)])
        if not isinstance(intent, Fresh) and intent.parameters != parameters:
            message = f"The effect {key} was intended with other parameters: {_difference(intent.parameters, parameters)}."
            raise EffectMismatch(message)
        if isinstance(intent, Finished):
            return intent.result
        await self._tell("between", key)
        # 2. an unfinished intent is looked up
        look = find if nature is Nature.FINDABLE and not isinstance(intent, Fresh) else None
        found = await look() if look else None
        # 3. what was not found is done
        result = normal(found if found is not None else await self._act(key, do))
        await self._tell("acted", key)
        # 4. the result is committed
        how = "found" if found is not None else "done" if isinstance(intent, Fresh) else "done again"
        await self._ledger.record(key, result, [_note(What.EFFECT_RESULT, key, how=how, result=result)])
        await self._tell("after", key)
        return result

    async def _act(self, key: EffectKey, do: Do) -> Mapping[str, Json]:
        try:
            return await do()
        except Refused as refusal:
            await self._ledger.note([_note(What.EFFECT_REFUSED, key, status=refusal.status, why=str(refusal))])
            raise

    async def _tell(self, point: str, key: EffectKey) -> None:
        for observer in self._observers:
            await getattr(observer, point)(key)


def _note(what: What, key: EffectKey, **details: Json) -> Note:
    place: dict[str, Json] = {"release": key.release, "attempt": key.attempt, "step": key.step, "name": key.name}
    return Note(actor=ACTOR, what=what, details={**place, **details})


def _difference(recorded: Document, wanted: Document) -> str:
    names = sorted(name for name in recorded.keys() | wanted.keys() if recorded.get(name, ...) != wanted.get(name, ...))
    return ", ".join(names)
