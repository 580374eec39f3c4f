"""Order runs on Azure Pipelines, each at most once (invariant I4): checked first, queued through the door, found again by what it is.

1. What is there already is looked for: by the name that the pipeline gives its runs, by time, and by every parameter. One is taken up.
   Of several nobody knows which one counts, so a person is asked.
2. An order that was never placed is checked by the service before. What it refuses is not sent again until somebody says so. A refusal of
   the order itself is the result of its effect: whatever happens after it, that order is never placed again, and another takes its place.
3. An order whose answer was lost is placed again only when two looks, some time apart, have found no run of it: queueing takes a while.
4. A run that was ordered is remembered with its parameters; nothing computes them anew, because a profile may change in mid-release.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from bot.azure import turns, twins, words
from bot.azure.parameters import PUBLISH, Order, effect
from bot.azure.view import ON, read
from bot.effects import Nature
from bot.journal import Document, Json
from bot.profile.builders import Azure
from bot.release.facts import Run, RunSeen
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Waiting
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops import shapes as azure
from bot.services.azure_devops.shapes import AzureRunId, RunResult
from bot.store.model import EffectKey, Finished, Fresh, Intent, Unfinished
from bot.tools import Tools

STEPS: Final = frozenset({"windows", "windows-publish", "package-build"})
"""The steps whose runs are on Azure."""

SKEW: Final = timedelta(minutes=5)
"""How far the service's clock may be behind ours."""

_ENDED_BADLY: Final = frozenset({RunResult.FAILED, RunResult.CANCELED})
_REFUSED_ORDER: Final = "refused order"
_REFUSED: Final = "refused"
"""In the place of a run, what the service said: for certain nothing was queued."""

_YIELDED: Final = "yielded"
"""Beside the refusal, that nobody refused anything: the order stepped back for that of another release."""

_NOT_FOUND: Final = "not found at"


class Several(Exception):
    """Runs that may be meant by an order: nobody but a person can tell which one counts."""

    def __init__(self, runs: Sequence[azure.Run]) -> None:
        """Keep them."""
        super().__init__(f"{len(runs)} runs may be meant")
        self.runs = tuple(runs)


async def begun(known: Run, tools: Tools) -> bool:
    """Tell whether the order after a run was begun, so that it has to be brought to its end whatever became of the run."""
    return not isinstance(await tools.door.known(known.step, effect(known.purpose, known.number + 1)), Fresh)


def was_refused(intent: Intent) -> bool:
    """Tell whether an order was placed and refused, so that there never was a run of it."""
    return isinstance(intent, Finished) and _REFUSED in intent.result


async def place(wanted: Order, release: Release, policy: Azure, tools: Tools) -> Outcome:
    """Place the next order of this purpose, or take up its run where there is one; what is answered holds the run once it is known."""
    if doubtful := release.in_doubt(wanted.step):
        return _after(doubtful, tools)
    number = await _number(wanted, release, tools)
    intent = await tools.door.known(wanted.step, effect(wanted.purpose, number))
    refused = _refused_before(wanted, intent, release, tools)
    if refused:
        return refused
    try:
        match intent:
            case Fresh():
                return await _new(wanted, number, release, policy, tools)
            case Unfinished():
                order = _asked(wanted, intent.parameters)
                return await _doubtful(order, number, release, tools) or await _queue(order, number, release, policy, tools)
            case Finished() if was_refused(intent):
                return await _new(wanted, number + 1, release, policy, tools)
            case Finished():
                return await _queue(_asked(wanted, intent.parameters), number, release, policy, tools)
            case _:
                assert_never(intent)
    except Several as several:
        return _ask(wanted, several.runs, release, tools)
    except turns.Blocked as blocked:
        return blocked.outcome


def _after(doubtful: Run, tools: Tools) -> Waiting:
    why = f"An answer to an order of attempt {doubtful.attempt} was lost; its run could be taken for this one's, so it is settled first."
    return Waiting(on=ON, why=why, look_again=words.later(tools))


def _after_twin(twin: EffectKey, tools: Tools) -> Waiting:
    why = f"{words.quoted(twin.release)} orders a run at this moment that looks like this one's, so it is settled first whose that is."
    return Waiting(on=ON, why=why, look_again=words.later(tools))


async def _steps_back_for_twin(order: Order, release: Release, tools: Tools) -> bool:
    """Tell, at the last moment before an order, whether it steps back; raise Blocked where it keeps its place and waits."""
    twin = await twins.ordering(order, tools)
    if twin is not None and release.id < twin.release:
        raise turns.Blocked(_after_twin(twin, tools))
    return twin is not None


async def _number(wanted: Order, release: Release, tools: Tools) -> int:
    """Return the number of the order that has to be brought to its end, or is the next one."""
    before = release.latest_run(wanted.step, wanted.purpose)
    number = before.number + 1 if before else 1
    while not isinstance(await tools.door.known(wanted.step, effect(wanted.purpose, number + 1)), Fresh):
        number += 1
    return number


async def _new(wanted: Order, number: int, release: Release, policy: Azure, tools: Tools) -> Outcome:
    definition = await tools.azure.definition_id(policy.definition, policy.folder)
    if definition is None:
        why = f"There is no pipeline {policy.definition} in the folder {policy.folder} on Azure, or the bot's token cannot see it."
        return Failed(why=why, retryable=False, look_again=words.later(tools))
    order = replace(wanted, definition=definition)
    if twin := await twins.ordering(order, tools):
        return _after_twin(twin, tools)
    there = [run for run in await _matching(order, release, tools) if run.result not in _ENDED_BADLY]
    if _one_of(there) is None:
        if order.purpose == PUBLISH and (held := await turns.before_order(definition, release, policy, tools)):
            return held
        try:
            await tools.azure.preview_run(
                definition, order.parameters, order.ref, order.resources, commit=order.commit, variables=order.variables
            )
        except AzureRefused as refusal:
            if refusal.denied:
                raise
            return _refused(wanted, refusal.sentences or (str(refusal),), tools)
    return await _queue(order, number, release, policy, tools)


def _asked(wanted: Order, asked: Document) -> Order:
    """Return the order as it was written down: it is that one which may have been placed, whatever the profile says now."""
    return as_ordered(wanted.step, wanted.purpose, asked)


def as_ordered(step: str, purpose: str, asked: Document) -> Order:
    """Return an order as it was written down before it was placed."""
    names = ("definition", "ref", "run_name", "parameters", "resources", "commit", "variables")
    fields = {name: asked[name] for name in names if name in asked}
    return Order(step=step, purpose=purpose, **fields)


# ---- what is there already -------------------------------------------------------------------------------------------------------------


async def _matching(order: Order, release: Release, tools: Tools) -> list[azure.Run]:
    """Return the runs that this order may have brought about, newest first, without those that are known as others."""
    since = (release.attempt_since or release.opened) - SKEW
    known = {run.id for run in release.runs if run.step in STEPS}
    found = await twins.candidates(order, since, tools)
    fitting = [run for run in found if run.id not in known and not _of_another(run, tag_of(release))]
    return [run for run in fitting if await _takes_up(run, order, tools)]


def _of_another(run: azure.Run, mark: str) -> bool:
    return any(tag.startswith(words.MARK) and tag != mark for tag in run.tags)


async def _takes_up(run: azure.Run, order: Order, tools: Tools) -> bool:
    """Tell whether a run takes up what was ordered; one that does not say counts, for to order another one would be worse."""
    if not order.resources:
        return True
    named = await tools.azure.taken_up(order.pipeline, run.id)
    return all(named.get(alias, name) == name for alias, name in order.resources.items())


def _one_of(runs: Sequence[azure.Run]) -> azure.Run | None:
    """Return the only run that can be meant: of several, the one that has not ended badly; raise Several where that is not clear."""
    alive = [run for run in runs if run.result not in _ENDED_BADLY]
    if len(alive) > 1:
        raise Several(alive)
    return next(iter(alive or runs), None)


def _ask(order: Order, runs: Sequence[azure.Run], release: Release, tools: Tools) -> NeedsPerson:
    which = "; ".join(f"{run.name}, queued by {words.quoted(run.requested_by.name)}: {tools.azure.page(run.id)}" for run in runs)
    what = (
        f"{len(runs)} runs on Azure are what I would order to {order.purpose} {release.version}, so I cannot tell which one counts. "
        f"Cancel all but one of them, and I go on with that one. They are {which}"
    )
    return NeedsPerson(who=words.experts(release, tools), what=what, look_again=words.later(tools))


async def _doubtful(order: Order, number: int, release: Release, tools: Tools) -> Waiting | None:
    """Wait when an order may have been placed and its run is not there; say None when it is, or was not at an earlier look either."""
    if _one_of(await _matching(order, release, tools)) is not None:
        return None
    what = f"{effect(order.purpose, number)}: {_NOT_FOUND}"
    at = next((one.value for one in release.step(order.step).evidence if one.what == what), "")
    now = tools.now()
    if at and now - datetime.fromisoformat(at) >= timedelta(seconds=tools.profile.timing.poll):
        return None
    return Waiting(
        on=ON,
        why="The answer to an order was lost, and no run of it is there; I look once more before I order again.",
        look_again=words.later(tools),
        evidence=(Evidence(what=what, value=at or now.isoformat()),),
    )


# ---- what the service refuses ----------------------------------------------------------------------------------------------------------


def _refused(order: Order, said: Sequence[str], tools: Tools) -> Failed:
    advice = f"Mend the table [{_table(order)}] of the profile, or the pipeline; then say `/release retry {order.step}`."
    return Failed(
        why="Azure refuses the order of the run, so nothing was queued.",
        diagnostics=(*words.sentences(said), advice),
        retryable=False,
        look_again=words.later(tools),
        evidence=(Evidence(what=_REFUSED_ORDER, value=order.digest),),
    )


def _table(order: Order) -> str:
    return "package.pipeline" if order.commit else "azure"


def _refused_before(wanted: Order, intent: Intent, release: Release, tools: Tools) -> Failed | None:
    """Return the same failure again for the same order, without asking: only another order, or a person, makes it worth the try."""
    if release.retry == wanted.step:
        return None
    state = release.step(wanted.step)
    if state.status is StepStatus.FAILED and Evidence(what=_REFUSED_ORDER, value=wanted.digest) in state.evidence:
        return Failed(why=state.why, diagnostics=state.diagnostics, retryable=False, look_again=words.later(tools), evidence=state.evidence)
    yielded = isinstance(intent, Finished) and _YIELDED in intent.result
    if isinstance(intent, Finished) and was_refused(intent) and not yielded and _same(wanted, intent.parameters):
        return _refused(wanted, intent.result[_REFUSED], tools)
    return None


def _same(wanted: Order, asked: Document) -> bool:
    """Tell whether an order is the one that was placed, wherever its pipeline lies by now."""
    return replace(_asked(wanted, asked), definition=None).digest == wanted.digest


# ---- the door --------------------------------------------------------------------------------------------------------------------------


async def _queue(order: Order, number: int, release: Release, policy: Azure, tools: Tools) -> Outcome:
    async def find() -> Mapping[str, Json] | None:
        found = _one_of(await _matching(order, release, tools))
        return None if found is None else {"run": found.id}

    async def queue() -> Mapping[str, Json]:
        if await _steps_back_for_twin(order, release, tools):
            return {_REFUSED: [], _YIELDED: True}
        alive = [run for run in await _matching(order, release, tools) if run.result not in _ENDED_BADLY]
        found = _one_of(alive)
        if found is not None:
            return {"run": found.id}
        if order.purpose == PUBLISH and await turns.steps_back(order.pipeline, release, policy, tools):
            return {_REFUSED: [], _YIELDED: True}
        try:
            queued = await tools.azure.queue_run(
                order.pipeline, order.parameters, order.ref, order.resources, commit=order.commit, variables=order.variables
            )
        except AzureRefused as refusal:
            return {_REFUSED: list(refusal.sentences or (str(refusal),))}
        return {"run": queued}

    name = effect(order.purpose, number)
    done = await tools.door(order.step, name, nature=Nature.FINDABLE, parameters=order.document, do=queue, find=find)
    if _YIELDED in done:
        return Waiting(on=ON, why="Another release comes first, so this order waits for it.", look_again=words.later(tools))
    if _REFUSED in done:
        return _refused(replace(order, definition=None), done[_REFUSED], tools)
    return await _placed(order, number, AzureRunId(done["run"]), release, tools)


async def _placed(order: Order, number: int, run: AzureRunId, release: Release, tools: Tools) -> Waiting:
    """Say what is known of a run that was ordered; one that is gone already is remembered all the same, so that another can follow it."""
    seen = await read(run, tools)
    if seen is not None:
        await _mark(order, number, seen, release, tools)
    ordered = Run(
        step=order.step,
        purpose=order.purpose,
        number=number,
        attempt=release.attempt,
        id=run,
        name=seen.name if seen else str(run),
        url=tools.azure.page(run),
        ordered=tuple(sorted(order.parameters.items())),
        at=seen.queued if seen else tools.now(),
    )
    return Waiting(
        on=ON,
        why=f"The run {ordered.name} was queued.",
        look_again=words.later(tools),
        evidence=words.evidence(seen, (), tools) if seen else (),
        facts=(RunSeen(run=ordered),),
    )


def tag_of(release: Release) -> str:
    """Return the tag that says on Azure for which attempt of which release a run is."""
    return f"{words.MARK}{re.sub(r'[^A-Za-z0-9.]+', '-', release.id)}-attempt-{release.attempt}"


async def _mark(order: Order, number: int, run: azure.Run, release: Release, tools: Tools) -> None:
    """Tag a run; it helps people to tell runs apart, and nothing depends on it."""
    tag = tag_of(release)

    async def mark() -> Mapping[str, Json]:
        await tools.azure.add_tag(run.id, tag)
        return {"tag": tag}

    with suppress(AzureRefused):
        parameters: Mapping[str, Json] = {"run": run.id, "tag": tag}
        await tools.door(order.step, f"tag {order.purpose} {number}", nature=Nature.REPEATABLE, parameters=parameters, do=mark)
