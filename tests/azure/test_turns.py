"""One release at a time publishes for Windows, whoever else has the same in mind."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.azure import orders, turns
from bot.azure.parameters import to_publish
from bot.azure.view import View
from bot.effects import Door
from bot.journal import Document, Json, Note
from bot.profile import load
from bot.profile.builders import Azure as Policy
from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_model import Run
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Action, Fault
from bot.release.facts import Run as KnownRun
from bot.release.ids import ReleaseId
from bot.release.model import Release, StepState, StepStatus
from bot.release.outcomes import Evidence, NeedsPerson, Outcome, Waiting
from bot.release.version import Version
from bot.services.azure_devops import AzureDevOps
from bot.services.azure_devops.shapes import AzureRunId, DefinitionId
from bot.store.model import EffectKey, Finished, Fresh, Intent, Unfinished
from bot.tools import Tools
from tests.release_builders import NOW, a_tag, opened
from tests.stories.telling import rarely

PROFILE = load("cpython")
WINDOWS = DefinitionId(21)
COMMIT = "a" * 39 + "0"
BUILT = {"SourceTag": "v3.14.8", "SourceCommit": "1" * 40, "GitRemote": "hugovk"}
PUBLISHES = {**BUILT, "DoPublish": "true", "BuildToPublish": "build_to_publish"}
ONE_RUN = {**BUILT, "DoPublish": "true"}


@dataclass
class Ledger:
    """What all releases share; each sees what the others have begun as soon as that is committed."""

    intents: dict[EffectKey, Document] = field(default_factory=dict)
    results: dict[EffectKey, Document] = field(default_factory=dict)
    begun: dict[EffectKey, datetime] = field(default_factory=dict)
    """When an intent was written down, for those that are not of this moment."""

    def of(self, release: str) -> "Page":
        return Page(self, release)


@dataclass
class Page:
    """The ledger as one release has it; between two looks at it anybody else may come."""

    book: Ledger
    release: str

    async def intend(self, key: EffectKey, parameters: Mapping[str, Json], notes: object = ()) -> Intent:
        del notes
        known = await self.known(key)
        self.book.intents.setdefault(key, dict(parameters))
        return known

    async def record(self, key: EffectKey, result: Mapping[str, Json], notes: object = ()) -> None:
        del notes
        await asyncio.sleep(0)
        self.book.results[key] = dict(result)

    async def note(self, notes: Any) -> None:
        assert all(isinstance(note, Note) for note in notes)

    async def known(self, key: EffectKey) -> Intent:
        await asyncio.sleep(0)
        if key not in self.book.intents:
            return Fresh()
        parameters = self.book.intents[key]
        return (
            Finished(parameters=parameters, result=self.book.results[key])
            if key in self.book.results
            else Unfinished(parameters=parameters)
        )

    async def begun_elsewhere(self, step: str, name: str, since: datetime | None = None) -> tuple[EffectKey, ...]:
        await asyncio.sleep(0)
        late = {key for key, at in self.book.begun.items() if since is not None and at < since}
        others = (key for key in self.book.intents.keys() - self.book.results.keys() - late if key.release != self.release)
        return tuple(sorted(key for key in others if key.step == step and key.name.startswith(name)))

    async def results_elsewhere(self, step: str, name: str, since: datetime) -> tuple[Document, ...]:
        del since
        await asyncio.sleep(0)
        others = {key: result for key, result in self.book.results.items() if key.release != self.release}
        return tuple(result for key, result in others.items() if key.step == step and key.name.startswith(name))


def policy() -> Policy:
    assert PROFILE.azure is not None
    return PROFILE.azure


def release(version: str = "3.15.0a3", issue: int = 1) -> Release:
    parsed = Version.parse(version)
    tag = replace(a_tag(), name=parsed.tag)
    steps = (StepState(name="windows-publish"),)
    ident = ReleaseId(f"cpython-{version}-{issue}")
    return replace(opened(), id=ident, version=parsed, series=parsed.series, tag=tag, steps=steps, opened=datetime.now(UTC))


def tools(client: AzureDevOps, ledger: Ledger | None = None, one: Release | None = None) -> Tools:
    """Return as much of the tools as publishing for Windows takes."""
    one = one or release()
    few = SimpleNamespace(
        azure=client,
        profile=PROFILE.model_copy(update={"timing": PROFILE.timing.model_copy(update={"poll": 0.001})}),
        door=Door((ledger or Ledger()).of(one.id), one.id, 1),
        now=lambda: datetime.now(UTC),
        poll=lambda: datetime.now(UTC),
        experts=lambda _role: ("zooba",),
        managers=lambda _release: (),
    )
    return cast("Tools", few)


def to_its_gate(azure: Azure, run: Run) -> Run:
    """Let a run go on until it waits for people."""
    while azure.advance(run.id):
        pass
    return run


def built(azure: Azure, parameters: Mapping[str, str] = BUILT) -> Run:
    """Have a run that built, and has come to its end."""
    run = azure.queue("zooba", parameters)
    to_its_end(azure, run)
    return run


def to_its_end(azure: Azure, run: Run) -> None:
    """Let a run come to its end, whatever has to be approved."""
    while run.status != "completed":
        to_its_gate(azure, run)
        for stage in run.stages:
            if stage.approval is not None and stage.approval.status == "pending":
                azure.approve("zooba", run.id, stage.plan.name)


def publishing(azure: Azure, **changes: str) -> Run:
    """Let the expert queue a run that publishes."""
    first = azure.runs[0] if azure.runs else built(azure)
    return azure.queue("zooba", PUBLISHES | changes, {"build_to_publish": first.name})


async def in_the_way(client: AzureDevOps, mine: int | None = None, one: Release | None = None) -> turns.Ahead | None:
    one = one or release()
    return await turns.ahead(WINDOWS, mine, one, policy(), tools(client, one=one))


# ---- what stands in the way --------------------------------------------------------------------------------------------------------------


async def test_nothing_stands_in_the_way_where_nothing_publishes(azure: Azure, client: AzureDevOps) -> None:
    built(azure)
    to_its_gate(azure, azure.queue("zooba", BUILT))
    to_its_end(azure, publishing(azure))
    to_its_gate(azure, publishing(azure, SigningCertificate="TestSign"))
    assert await in_the_way(client) is None


@pytest.mark.parametrize("parameters", [PUBLISHES, ONE_RUN], ids=["two runs", "one run"])
async def test_a_run_that_is_going_to_publish_comes_first_unless_ours_was_queued_before(
    azure: Azure, client: AzureDevOps, parameters: Mapping[str, str]
) -> None:
    first = built(azure)
    earlier = {"build_to_publish": first.name} if "BuildToPublish" in parameters else {}
    run = to_its_gate(azure, azure.queue("zooba", parameters, earlier))
    found = await in_the_way(client)
    assert found is not None
    assert (found.run.id, found.at_work) == (run.id, False)
    assert await in_the_way(client, run.id + 1) == found
    assert await in_the_way(client, run.id - 1) is None
    assert await in_the_way(client, run.id) is None, "nobody stands in their own way"


async def test_a_run_that_has_not_begun_yet_counts_too(azure: Azure, client: AzureDevOps) -> None:
    run = publishing(azure)
    found = await in_the_way(client)
    assert found == turns.Ahead(run=await client.run(AzureRunId(run.id)), stage=None)


async def test_a_run_that_publishes_now_stands_in_the_way_of_those_before_it_too(azure: Azure, client: AzureDevOps) -> None:
    run = to_its_gate(azure, publishing(azure))
    azure.approve("zooba", run.id, "Publish")
    azure.advance(run.id)
    found = await in_the_way(client, run.id - 1)
    assert found is not None
    assert found.at_work


async def test_a_run_that_is_deleted_while_it_is_looked_at_stands_in_nobodys_way(
    azure: Azure, client: AzureDevOps, chronicle: Chronicle
) -> None:
    run = publishing(azure)

    async def delete() -> None:
        azure.delete(run.id)

    chronicle.faults.add(Fault(action=Action(after=delete), path=r"/build/builds$"))
    assert await in_the_way(client) is None


async def test_runs_of_ours_do_not_wait_for_each_other(azure: Azure, client: AzureDevOps) -> None:
    run = publishing(azure)
    known = KnownRun(step="windows-publish", purpose="publish", number=1, attempt=1, id=run.id, name=run.name, url="", ordered=(), at=NOW)
    assert await in_the_way(client, None, replace(release(), runs=(known,))) is None


async def test_what_was_queued_long_ago_is_not_looked_at(azure: Azure, client: AzureDevOps) -> None:
    run = publishing(azure)
    run.queued -= turns.LONGEST + timedelta(minutes=1)
    assert await in_the_way(client) is None


# ---- what is said of it ------------------------------------------------------------------------------------------------------------------


async def seen(client: AzureDevOps, run: Run) -> View:
    known = KnownRun(step="windows-publish", purpose="publish", number=1, attempt=1, id=run.id, name=run.name, url="", ordered=(), at=NOW)
    return View(known=known, run=await client.run(AzureRunId(run.id)), stages=await client.timeline(AzureRunId(run.id)))


async def held(client: AzureDevOps, run: Run, one: Release | None = None) -> Outcome | None:
    one = one or release()
    return await turns.before_publishing(await seen(client, run), one, policy(), tools(client, one=one))


async def test_nobody_is_called_to_approve_before_it_is_our_turn(azure: Azure, client: AzureDevOps) -> None:
    other, ours = to_its_gate(azure, publishing(azure)), to_its_gate(azure, publishing(azure))
    asked = await held(client, ours)
    assert isinstance(asked, NeedsPerson)
    assert asked.who == ("zooba",)
    assert f"the run {other.name}, queued by `zooba`, comes first: " in asked.what
    assert asked.what.endswith("Let it publish, or cancel it; then I go on by myself.")
    assert asked.evidence == (Evidence(what=turns.IN_THE_WAY, value=other.name, url=client.page(AzureRunId(other.id))),)
    assert await held(client, other) is None
    other.tags.append("release-bot-cpython-3.14.8-2-attempt-1")
    assert isinstance(await held(client, ours), Waiting), "there is a row for it at the other release"
    azure.approve("zooba", other.id, "Publish")
    azure.advance(other.id)
    waits = await held(client, ours)
    assert isinstance(waits, Waiting)
    assert f"{other.name}, queued by `zooba`, publishes now" in waits.why
    to_its_end(azure, other)
    assert await held(client, ours) is None


async def test_who_has_a_turn_keeps_it_and_who_waits_looks_again(azure: Azure, client: AzureDevOps) -> None:
    to_its_gate(azure, publishing(azure))
    ours = to_its_gate(azure, publishing(azure))
    asked = StepState(name="windows-publish", status=StepStatus.NEEDS_PERSON)
    assert await held(client, ours, replace(release(), steps=(asked,))) is None
    waits = replace(asked, evidence=(Evidence(what=turns.IN_THE_WAY, value="x"),))
    assert await held(client, ours, replace(release(), steps=(waits,))) is not None


async def test_what_failed_is_tried_again_in_its_turn_and_the_wish_stays(azure: Azure, client: AzureDevOps) -> None:
    ours = to_its_gate(azure, publishing(azure))
    azure.fail(ours.id, "Publish")
    azure.approve("zooba", ours.id, "Publish")
    to_its_gate(azure, ours)
    other = to_its_gate(azure, publishing(azure))
    again = replace(release(), retry="windows-publish")
    assert await held(client, ours, again) is None, "it was queued later"
    azure.approve("zooba", other.id, "Publish")
    azure.advance(other.id)
    waits = await held(client, ours, again)
    assert isinstance(waits, Waiting)
    assert waits.unheard
    assert await held(client, ours) is None, "nobody has asked for it"


# ---- orders ------------------------------------------------------------------------------------------------------------------------------


async def placed(client: AzureDevOps, ledger: Ledger, one: Release, first: Run) -> Outcome:
    few = tools(client, ledger, one)
    return await orders.place(to_publish(one, policy(), first.name, PROFILE), one, policy(), few)


def ordered(azure: Azure, bot: str) -> list[Run]:
    return [run for run in azure.runs if run.requested_by.login == bot]


def alive(azure: Azure, bot: str) -> list[Run]:
    return [run for run in ordered(azure, bot) if run.status != "completed"]


async def test_nothing_is_ordered_while_somebody_else_publishes(azure: Azure, client: AzureDevOps) -> None:
    other, first, ledger = publishing(azure), azure.runs[0], Ledger()
    outcome = await placed(client, ledger, release(), first)
    assert isinstance(outcome, NeedsPerson)
    assert other.name in outcome.what
    assert (len(azure.runs), ledger.intents) == (2, {})
    to_its_end(azure, other)
    assert isinstance(await placed(client, ledger, release(), first), Waiting)
    assert len(azure.runs) == 3


async def test_an_order_steps_back_when_another_run_appears_at_the_last_moment(
    azure: Azure, client: AzureDevOps, chronicle: Chronicle
) -> None:
    first, ledger = built(azure), Ledger()
    late: list[Run] = []

    async def meanwhile() -> None:
        late.append(publishing(azure))

    chronicle.faults.add(Fault(action=Action(after=meanwhile), path="/preview$"))
    outcome = await placed(client, ledger, release(), first)
    assert isinstance(outcome, Waiting)
    assert ordered(azure, azure.estate.bot.login) == []
    to_its_end(azure, late[0])
    assert isinstance(await placed(client, ledger, release(), first), Waiting)
    assert len(ordered(azure, azure.estate.bot.login)) == 1
    assert [key.name for key in ledger.intents if key.name.startswith("queue")] == ["queue publish 1", "queue publish 2"]


@pytest.mark.parametrize("delay", [number if number % 4 == 1 else rarely(number) for number in range(12)])
async def test_of_two_that_order_in_the_same_moment_one_goes_first(azure: Azure, client: AzureDevOps, delay: int) -> None:
    """Whichever comes first, and however far it is when the other one begins: never are two ordered, and both get their turn."""
    first, ledger, bot = built(azure), Ledger(), azure.estate.bot.login
    both = [release("3.15.0a3"), release("3.14.8", 2)]
    pair = both if delay % 2 else both[::-1]

    async def after(turns_of_the_loop: int, one: Release) -> Release:
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        outcome = await placed(client, ledger, one, first)
        return replace(one, steps=(StepState(name="windows-publish", evidence=outcome.evidence),))

    for _ in range(20):
        pair = list(await asyncio.gather(*(after(delay * number, one) for number, one in enumerate(pair))))
        assert len(alive(azure, bot)) <= 1
        for run in alive(azure, bot):
            pair = [one for one in pair if one.version.tag != run.parameters["SourceTag"]]
            to_its_end(azure, run)
        if not pair:
            break
    assert sorted(run.parameters["SourceTag"] for run in ordered(azure, bot)) == ["v3.14.8", "v3.15.0a3"]


async def test_an_order_that_keeps_its_place_waits_for_the_one_that_was_begun(azure: Azure, client: AzureDevOps) -> None:
    """Both were written down, and the process died before either looked: the one whose id comes first is ordered first."""
    first, ledger = built(azure), Ledger()
    one, two = release("3.14.8", 2), release("3.15.0a3")
    for each in (one, two):
        order = replace(to_publish(each, policy(), first.name, PROFILE), definition=WINDOWS)
        ledger.intents[EffectKey(release=each.id, attempt=1, step="windows-publish", name="queue publish 1")] = dict(order.document)
    lost = Evidence(what="queue publish 1: not found at", value=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    waited = (StepState(name="windows-publish", evidence=(lost,)),)
    one, two = replace(one, steps=waited), replace(two, steps=waited)
    kept = await placed(client, ledger, one, first)
    assert isinstance(kept, Waiting)
    assert f"`{two.id}` orders its own run" in kept.why
    assert isinstance(await placed(client, ledger, two, first), Waiting)
    assert ordered(azure, azure.estate.bot.login) == [], "the second one stepped back"
    await placed(client, ledger, one, first)
    assert [run.parameters["SourceTag"] for run in ordered(azure, azure.estate.bot.login)] == ["v3.14.8"]


async def test_an_order_that_nobody_goes_on_with_holds_nobody_up_for_ever_and_steps_back_when_it_is_taken_up(
    azure: Azure, client: AzureDevOps
) -> None:
    """A release was halted, or lost its go, between the moment in which its order was written down and that in which it was placed."""
    first, ledger, bot = built(azure), Ledger(), azure.estate.bot.login
    halted, other = release("3.14.8", 2), release("3.15.0a3")
    key = EffectKey(release=halted.id, attempt=1, step="windows-publish", name="queue publish 1")
    order = replace(to_publish(halted, policy(), first.name, PROFILE), definition=WINDOWS)
    ledger.intents[key], ledger.begun[key] = dict(order.document), datetime.now(UTC) - turns.SETTLING + timedelta(minutes=1)
    assert isinstance(await placed(client, ledger, other, first), Waiting)
    assert ordered(azure, bot) == []
    ledger.begun[key] -= timedelta(minutes=2)
    await placed(client, ledger, other, first)
    assert [run.parameters["SourceTag"] for run in ordered(azure, bot)] == ["v3.15.0a3"]
    lost = Evidence(what="queue publish 1: not found at", value=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    resumed = replace(halted, steps=(StepState(name="windows-publish", evidence=(lost,)),))
    assert isinstance(await placed(client, ledger, resumed, first), Waiting)
    assert len(ordered(azure, bot)) == 1, "it steps back for the one that went on meanwhile"
