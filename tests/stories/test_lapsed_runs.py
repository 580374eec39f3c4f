"""Nobody wants the builds any more: a new tag, or an abort, stops every run that was ordered before."""

import time
from pathlib import Path

import pytest

from bot.effects import EffectMismatch, Observer
from bot.rehearsal.faults import Fault, drop_after, refuse
from bot.rehearsal.github_actions_model import Run
from bot.rehearsal.release_workflow import REPOSITORY
from bot.rehearsal.stage import UPSTREAM
from bot.store.model import EffectKey
from tests.stories.disorder import Mortal, reviving
from tests.stories.sources import FILE, approved, builds, dispatches, inputs, ordered, pushed, runs_of, shows, sources_only
from tests.stories.story import Story
from tests.stories.telling import telling


async def ended(story: Story) -> bool:
    return all(run.status == "completed" for run in runs_of(story))


async def none_is_left(story: Story) -> None:
    """See that nothing that the bot has started goes on."""
    await story.until("every run to end", lambda: ended(story))


async def at_the_builds(story: Story) -> Run:
    """Wait until the bot knows the run that it ordered."""
    run = await ordered(story)
    await story.status(f"The run {run.id} is ")
    return run


async def test_a_new_tag_stops_the_run_of_the_old_one(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        first = await approved(story)
        old = await at_the_builds(story)
        shows(story, old)
        second = await story.retagged(first)
        await story.approved(second)
        new = await ordered(story, 2)
        assert (old.status, old.conclusion) == ("completed", "cancelled")
        builds(story, new)
        await pushed(story, second)
        assert dispatches(story) == 2


@pytest.mark.chaos
async def test_a_refreeze_stops_the_run(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        await approved(story)
        await at_the_builds(story)
        story.say("/release refreeze one more pull request")
        await story.comment("main is open again for the fix")
        await none_is_left(story)
        story.say("/release abort there is no fix")
        await story.state("aborted")


async def test_an_abort_stops_the_run(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        await approved(story)
        await at_the_builds(story)
        story.world.faults.add(Fault(action=refuse(502), path="/cancel$", times=2))
        story.say("/release abort a blocker was found")
        await story.state("aborted")
        await none_is_left(story)
        assert [run.conclusion for run in runs_of(story)] == ["cancelled"]


async def test_a_run_that_the_bot_may_not_stop_is_stopped_by_somebody_who_may(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        await approved(story)
        run = await at_the_builds(story)
        story.world.faults.add(Fault(action=refuse(403, {"message": "Forbidden"}), path="/cancel$", times=999))
        story.say("/release abort a blocker was found")
        call = await story.comment("Nobody wants the run", "but I may not cancel it", f"@{story.manager}")
        assert str(run.id) in call
        await story.until("the freeze to be lifted", lambda: thawed(story))
        assert (await story.release())["state"] == "aborting"
        story.world.github.actions.cancel(story.world.github.user(story.manager), run)
        await story.state("aborted")


@pytest.mark.chaos
async def test_what_somebody_was_asked_to_cancel_stays_asked_while_github_is_silent(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        await approved(story)
        run = await at_the_builds(story)
        forbidden(story)
        story.say("/release abort a blocker was found")
        await story.comment("Nobody wants the run", f"@{story.manager}")
        silence = story.world.faults.add(Fault(action=refuse(503), method="GET", path=r"/actions/runs/\d+$", times=4))
        await story.until("the end of the silence", lambda: used_up(silence))
        await story.swept()
        assert [act["done"] for act in (await story.release())["people"] if "Nobody wants the run" in act["what"]] == [None]
        story.world.github.actions.cancel(story.world.github.user(story.manager), run)
        await story.state("aborted")


async def used_up(fault: Fault) -> bool:
    return fault.times == 0


def forbidden(story: Story) -> None:
    story.world.faults.add(Fault(action=refuse(403, {"message": "Forbidden"}), path="/cancel$", times=999))


@pytest.mark.chaos
async def test_a_release_is_not_done_while_a_run_that_nobody_wants_goes_on(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        first = await approved(story)
        old = await at_the_builds(story)
        forbidden(story)
        second = await story.retagged(first)
        await story.comment("Nobody wants the run", str(old.id), f"@{story.manager}")
        await story.approved(second)
        builds(story, await ordered(story, 2))
        await story.step("thaw", "passed")
        assert await thawed(story)
        await story.swept()
        release = await story.release()
        assert release["state"] == "running"
        assert ["Nobody wants the run" in act["what"] for act in story.people(release)] == [True]
        story.world.github.actions.cancel(story.world.github.user(story.manager), old)
        await pushed(story, second)


@pytest.mark.chaos
async def test_a_refused_cancel_is_asked_for_once_in_each_poll(tmp_path: Path) -> None:
    def patient(text: str) -> str:
        return sources_only(text).replace("poll = 0.1", "poll = 2")

    async with telling(tmp_path, "3.15.0a3", whole=True, policy=patient, machines=False) as story:
        await approved(story)
        run = await at_the_builds(story)
        forbidden(story)
        began = time.monotonic()
        story.say("/release abort a blocker was found")
        await story.comment("Nobody wants the run", str(run.id))
        for _ in range(6):
            await story.later()
        tries = story.world.counts["POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel"]
        assert 0 < tries <= 1 + (time.monotonic() - began) / 2
        story.world.github.actions.cancel(story.world.github.user(story.manager), run)
        await story.state("aborted")


@pytest.mark.chaos
async def test_of_two_runs_that_look_alike_none_is_stopped_and_somebody_is_asked(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await story.opened()
        github = story.world.github
        story.world.faults.add(Fault(action=drop_after(), path="/dispatches$"))
        await story.approved(cut)
        first = await ordered(story)
        await story.status("have not shown yet what they build")
        await github.actions.dispatch(github.app.bot.login, REPOSITORY, FILE, "main", inputs(story, cut))
        second = await ordered(story, 2)
        story.say("/release abort a blocker was found")
        await story.state("aborting")
        await story.stop_bot()
        shows(story, first)
        shows(story, second)
        await story.start_bot()
        call = await story.comment("Nobody wants any more what attempt 1 ordered as source dispatch 1. 2 runs look like it")
        assert "please cancel them: http" in call
        assert f"runs/{first.id}" in call
        assert f"runs/{second.id}" in call
        assert (first.status, second.status) == ("in_progress", "in_progress")
        github.actions.cancel(github.user(story.manager), first)
        github.actions.cancel(github.user(story.manager), second)
        await story.state("aborted")


@pytest.mark.chaos
async def test_a_run_is_stopped_where_it_was_ordered_whatever_the_profile_says_by_then(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        await approved(story)
        run = await at_the_builds(story)
        story.world.faults.add(Fault(action=refuse(502), path="/cancel$", times=999))
        story.say("/release abort a blocker was found")
        await story.until("the freeze to be lifted", lambda: thawed(story))
        await story.stop_bot()
        moved = story.setting.profile.read_text(encoding="utf-8").replace(f'repository = "{REPOSITORY}"', f'repository = "{UPSTREAM}"')
        story.setting.profile.write_text(moved, encoding="utf-8")
        story.world.faults.clear()
        await story.start_bot()
        await story.state("aborted")
        assert run.conclusion == "cancelled"


class Contradiction(Observer):
    """Contradict what was written down of a cancel."""

    async def before(self, key: EffectKey) -> None:
        if key.name.startswith("cancel"):
            raise EffectMismatch("It was intended with other parameters.")


async def test_what_was_written_down_otherwise_keeps_nothing_else_from_going_on(tmp_path: Path) -> None:
    told = telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False, observers=[Contradiction()])
    async with told as story:
        story.forgiven.append("is not cancelled: It was intended with other parameters")
        await approved(story)
        run = await at_the_builds(story)
        story.say("/release abort a blocker was found")
        await story.until("the freeze to be lifted", lambda: thawed(story))
        await story.comment("Nobody wants the run", str(run.id), "I have written down something else")
        story.world.github.actions.cancel(story.world.github.user(story.manager), run)
        await story.state("aborted")


async def test_a_run_whose_answer_was_lost_is_found_and_stopped(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await story.opened()
        story.world.faults.add(Fault(action=drop_after(), path="/dispatches$"))
        await story.approved(cut)
        run = await ordered(story)
        await story.status("have not shown yet what they build")
        story.say("/release abort a blocker was found")
        await story.state("aborting")
        await story.until("the freeze to be lifted", lambda: thawed(story))
        shows(story, run)
        await story.state("aborted")
        assert run.conclusion == "cancelled"


@pytest.mark.chaos
async def test_an_order_that_never_arrived_does_not_hold_up_an_abort(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await story.opened()
        story.world.faults.add(Fault(action=refuse(502), path="/dispatches$", times=99))
        await story.approved(cut)
        await story.status("The step source waits for an outside system")
        story.say("/release abort GitHub does not build")
        await story.state("aborted")
        assert runs_of(story) == []


@pytest.mark.chaos
async def test_the_bot_dies_whenever_it_orders_or_stops(tmp_path: Path) -> None:
    mortal = Mortal(only=("source",))
    told = telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, observers=[mortal], machines=False)
    async with told as story, reviving(story, mortal):
        first = await approved(story)
        old = await ordered(story)
        second = await story.retagged(first)
        await story.approved(second)
        # That the first one is stopped waits for what it shows of itself, if the bot died before it knew its number.
        if old.status == "queued":
            shows(story, old)
        new = await ordered(story, 2)
        builds(story, new)
        await pushed(story, second)
        assert (old.conclusion, len(runs_of(story))) == ("cancelled", 2)


async def thawed(story: Story) -> bool:
    return not story.freezes()


async def test_an_abort_stops_what_is_built_for_windows(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.machines.azure = False
        story.handled |= {f"@{story.setting.windows_expert.login}", f"@{story.setting.macos_expert.login}"}
        await approved(story)
        await story.step("windows", "waiting")
        await story.until("a run on Azure", lambda: queued(story))
        await story.step("source", "passed")
        story.say("/release abort a blocker was found")
        await story.state("aborted")
        await cancelled(story)


@pytest.mark.chaos
async def test_a_run_on_azure_whose_answer_was_lost_is_found_and_stopped(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.machines.azure = False
        story.handled |= {f"@{story.setting.windows_expert.login}", f"@{story.setting.macos_expert.login}"}
        cut = await story.opened()
        story.world.faults.add(Fault(action=drop_after(), method="POST", path=r"/_apis/pipelines/\d+/runs$", skip=0))
        # Nothing is found again before the abort: the service has gone silent.
        story.world.faults.add(Fault(action=refuse(503), method="GET", path="/_apis/build/builds$", skip=1, times=3))
        await story.approved(cut)
        await story.until("a run on Azure", lambda: queued(story))
        story.say("/release abort a blocker was found")
        await story.state("aborted")
        await cancelled(story)


async def queued(story: Story) -> bool:
    return bool(story.world.azure.runs)


async def cancelled(story: Story) -> None:
    """See that the only run on Azure is being stopped; its agents end in their own time."""
    [run] = story.world.azure.runs
    assert run.status == "cancelling"
    story.machines.azure = True
    await story.until("the end of the run", lambda: was_cancelled(story))


async def was_cancelled(story: Story) -> bool:
    return [(run.status, run.result) for run in story.world.azure.runs] == [("completed", "canceled")]
