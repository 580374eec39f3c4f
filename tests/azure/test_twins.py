"""Two packages of one service, of one commit, at the same time: each has a run of its own, and nobody takes that of another."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from bot.azure import orders, twins
from bot.azure.parameters import BUILD, Order
from bot.effects import Door
from bot.profile.builders import Azure as Policy
from bot.rehearsal.faults import Fault, drop_after
from bot.release.facts import RunSeen
from bot.release.ids import ReleaseId
from bot.release.model import Release, StepState
from bot.release.outcomes import Outcome, Waiting
from bot.release.version import Version
from bot.services.azure_devops import AzureDevOps
from bot.services.azure_devops.runs import EVERY_NAME
from bot.services.azure_devops.shapes import DefinitionId
from bot.tools import Tools
from tests.azure.test_packages import MAIN, VARIABLES, Estate, Within, within
from tests.azure.test_turns import Ledger
from tests.release_builders import opened
from tests.stories.telling import rarely

__all__ = ["within"]

POLICY = Policy(project="internal", definition="python - core", folder="\\python", ref=MAIN, run_name=EVERY_NAME)
STEP = "package-build"


def release(package: str, version: str, issue: int) -> Release:
    parsed = Version.parse(version, package=package)
    ident = ReleaseId(f"azure-sdk-for-python-{parsed}-{issue}")
    return replace(opened(), id=ident, version=parsed, steps=(StepState(name=STEP),), opened=datetime.now(UTC))


CORE, MGMT = release("azure-core", "1.30.0", 1), release("azure-mgmt-core", "1.6.0", 2)


def tools(client: AzureDevOps, ledger: Ledger, one: Release) -> Tools:
    """Return as much of the tools as ordering takes."""
    few = SimpleNamespace(
        azure=client,
        profile=SimpleNamespace(timing=SimpleNamespace(poll=0.001), people=()),
        door=Door(ledger.of(one.id), one.id, 1),
        now=lambda: datetime.now(UTC),
        poll=lambda: datetime.now(UTC),
        experts=lambda _role: (),
        managers=lambda _release: (),
    )
    return cast("Tools", few)


async def placed(estate: Estate, ledger: Ledger, one: Release) -> Outcome:
    commit = await estate.head()
    wanted = Order(step=STEP, purpose=BUILD, ref=MAIN, run_name=EVERY_NAME, parameters={}, resources={}, commit=commit, variables=VARIABLES)
    return await orders.place(wanted, one, POLICY, tools(estate.client, ledger, one))


def run_of(outcome: Outcome) -> int | None:
    facts = outcome.facts if isinstance(outcome, Waiting) else ()
    return next((fact.run.id for fact in facts if isinstance(fact, RunSeen)), None)


async def until_placed(estate: Estate, ledger: Ledger, one: Release, delay: int = 0) -> int:
    """Look again and again until the run of a release is known."""
    for _ in range(delay):
        await asyncio.sleep(0)
    for _ in range(200):
        outcome = await placed(estate, ledger, one)
        if (run := run_of(outcome)) is not None:
            return run
        one = replace(one, steps=(StepState(name=STEP, evidence=outcome.evidence),))
    pytest.fail("its run was never known")


async def test_the_run_of_another_release_is_not_taken_up_even_before_it_is_marked(within: Within) -> None:
    async with within() as estate:
        ledger = Ledger()
        first = await until_placed(estate, ledger, CORE)
        estate.world.azure.runs[0].tags.clear()
        second = await until_placed(estate, ledger, MGMT)
        assert [run.id for run in estate.world.azure.runs] == [first, second]


async def test_a_run_whose_order_got_no_answer_is_left_to_whose_order_that_was(within: Within) -> None:
    async with within() as estate:
        ledger = Ledger()
        estate.world.faults.add(Fault(action=drop_after(), method="POST", path=r"/_apis/pipelines/983/runs$"))
        with pytest.raises(Exception, match="no answer"):
            await placed(estate, ledger, CORE)
        waits = await placed(estate, ledger, MGMT)
        assert run_of(waits) is None
        assert isinstance(waits, Waiting)
        assert "azure-core_1.30.0" in waits.why
        [lost] = estate.world.azure.runs
        assert await until_placed(estate, ledger, CORE) == lost.id
        assert await until_placed(estate, ledger, MGMT) != lost.id


@pytest.mark.parametrize("delay", [number if number == 3 else rarely(number) for number in range(12)])
async def test_of_two_that_order_in_the_same_moment_each_gets_its_own(within: Within, delay: int) -> None:
    async with within() as estate:
        ledger = Ledger()
        pair = (CORE, MGMT) if delay % 2 else (MGMT, CORE)
        async with asyncio.TaskGroup() as group:
            found = [group.create_task(until_placed(estate, ledger, one, delay * place)) for place, one in enumerate(pair)]
        assert sorted(one.result() for one in found) == [run.id for run in estate.world.azure.runs]
        assert len(estate.world.azure.runs) == 2


async def test_a_run_with_other_variables_besides_is_not_taken_up(within: Within) -> None:
    async with within() as estate:
        for variables in ({"System.Debug": "true"}, {"Skip.Test": "true"}):
            await estate.queued()
            estate.world.azure.runs[-1].variables |= variables
        debugged, untested = estate.world.azure.runs
        assert await until_placed(estate, Ledger(), CORE) == debugged.id
        estate.world.azure.delete(debugged.id)
        assert await until_placed(estate, Ledger(), CORE) not in (debugged.id, untested.id)


async def test_what_is_forgotten_is_never_the_run_of_another_release(within: Within) -> None:
    """An order that never took effect, in an attempt that is over, must not have the run of another release cancelled."""
    async with within() as estate:
        ledger = Ledger()
        theirs = await until_placed(estate, ledger, MGMT)
        run = estate.world.azure.runs[0]
        run.tags.clear()
        order = Order(
            step=STEP,
            purpose=BUILD,
            ref=MAIN,
            run_name=EVERY_NAME,
            parameters={},
            resources={},
            commit=run.commit,
            variables=VARIABLES,
        )
        few = tools(estate.client, ledger, CORE)
        found = await twins.candidates(replace(order, definition=DefinitionId(run.pipeline.id)), CORE.opened, few)
        assert theirs not in [one.id for one in found]
