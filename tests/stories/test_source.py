"""The sources are built: by one run, ordered once, that builds what was approved and nothing else."""

import hashlib
from pathlib import Path

import pytest

from bot.rehearsal.faults import Action, Fault, drop_after, drop_before, refuse
from bot.rehearsal.release_workflow import REPOSITORY, SOURCE, VERIFY
from tests.stories.disorder import Mortal, reviving
from tests.stories.sources import (
    FILE,
    approved,
    builds,
    dispatches,
    ends,
    inputs,
    ordered,
    pushed,
    runs_of,
    shows,
    sources_only,
    uploads,
)
from tests.stories.story import Story
from tests.stories.telling import telling

CALL = "<!-- about=call-"
RETRY = "/release retry source"


async def retried(story: Story, *words: str) -> None:
    """Hear why the step failed, and let it be tried again."""
    await story.comment(CALL, f"@{story.manager}", *words)
    await story.step("source", "failed")
    await story.agreed(story.say(RETRY))


async def test_the_sources_are_built_and_their_hashes_are_shown(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only) as story:
        cut = await approved(story)
        step = await story.step("source", "passed")
        run = await ordered(story)
        assert run.inputs == inputs(story, cut)
        evidence = {row["what"]: row["value"] for row in step["evidence"]}
        for name, content in (story.files.sources | story.files.ios).items():
            assert evidence[name] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert (evidence["build-docs"], evidence["test-source"]) == ("skipped", "success")
        await pushed(story, cut)
        assert dispatches(story) == 1


@pytest.mark.chaos
async def test_a_final_release_has_its_documentation(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6", whole=True, policy=sources_only) as story:
        cut = await approved(story)
        step = await story.step("source", "passed")
        evidence = {row["what"]: row["value"] for row in step["evidence"]}
        assert evidence["documentation"] == "7 archives"
        assert not any("android" in name for name in evidence if name.startswith("python-"))
        await pushed(story, cut)


async def test_an_order_whose_answer_was_lost_is_found_among_all_others(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await story.opened()
        actions = story.world.github.actions
        test = await actions.self_test(story.manager, REPOSITORY, FILE)
        other = await actions.dispatch(story.manager, REPOSITORY, FILE, "main", inputs(story, cut))
        mine = await actions.dispatch(
            story.world.github.app.bot.login, REPOSITORY, FILE, "main", inputs(story, cut) | {"git_commit": cut.head}
        )
        story.world.faults.add(Fault(action=drop_after(), path="/dispatches$"))
        await story.approved(cut)
        run = await ordered(story, 2)
        for other_run in (test, other, mine):
            shows(story, actions.run(other_run))
        await story.status("have not shown yet what they build")
        builds(story, run)
        step = await story.step("source", "passed")
        assert step["evidence"][0]["url"].endswith(f"/actions/runs/{run.id}")
        await pushed(story, cut)
        assert (dispatches(story), len(runs_of(story))) == (1, 4)


@pytest.mark.chaos
async def test_an_order_that_never_arrived_is_placed_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only) as story:
        story.world.faults.add(Fault(action=drop_before(), path="/dispatches$"))
        cut = await approved(story)
        await pushed(story, cut)
        assert (dispatches(story), len(runs_of(story))) == (2, 1)


async def test_an_older_github_does_not_name_the_run(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only) as story:
        cut = await story.opened()
        github = story.world.github

        async def started() -> None:
            await github.actions.dispatch(github.app.bot.login, REPOSITORY, FILE, "main", inputs(story, cut))

        story.world.faults.add(Fault(action=Action(status=204, before=started), path="/dispatches$"))
        await story.approved(cut)
        await pushed(story, cut)
        assert (dispatches(story), len(runs_of(story))) == (1, 1)


@pytest.mark.chaos
async def test_an_older_github_does_not_name_the_run_and_there_is_none(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only) as story:
        story.world.faults.add(Fault(action=Action(status=204), path="/dispatches$"))
        cut = await approved(story)
        await story.comment(CALL, "shows no run of it", f"`git_commit: {cut.commit}`", RETRY)
        await story.agreed(story.say(RETRY))
        await pushed(story, cut)
        assert (dispatches(story), len(runs_of(story))) == (2, 1)


async def left_alone(story: Story, said: str, times: int) -> None:
    """See that after a refusal nothing is sent and nobody is called anew as long as nobody says anything."""
    step = await story.step("source", "failed")
    await story.swept()
    release = await story.release()
    [same] = [one for one in release["steps"] if one["name"] == "source"]
    assert (same["state"], same["why"], same["since"]) == ("failed", step["why"], step["since"])
    assert [said in act["what"] for act in story.people(release)] == [True]
    assert (dispatches(story), runs_of(story)) == (times, [])


@pytest.mark.chaos
async def test_an_order_that_github_refuses_is_sent_again_once_the_profile_is_mended_and_somebody_says_so(tmp_path: Path) -> None:
    def policy(text: str) -> str:
        return sources_only(text).replace('git_remote = "{owner}"', 'git_remote = "a-stand-in"')

    async with telling(tmp_path, "3.15.0a3", whole=True, policy=policy) as story:
        cut = await approved(story)
        said = "not in the list of allowed values"
        await story.comment(CALL, f"@{story.manager}", "GitHub refused the order of the workflow, so no run was started", said, RETRY)
        await left_alone(story, said, 1)
        await story.stop_bot()
        mended = story.setting.profile.read_text(encoding="utf-8").replace("a-stand-in", "{owner}")
        story.setting.profile.write_text(mended, encoding="utf-8")
        await story.start_bot()
        await left_alone(story, said, 1)
        await story.agreed(story.say(RETRY))
        await pushed(story, cut)
        assert (dispatches(story), [run.inputs for run in runs_of(story)]) == (2, [inputs(story, cut)])


@pytest.mark.chaos
async def test_an_order_that_github_forbids_is_sent_again_only_when_somebody_says_so(tmp_path: Path) -> None:
    mortal = Mortal(points=("after",), only=("source",))
    told = telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, observers=[mortal])
    async with told as story, reviving(story, mortal):
        said, failure = "Resource not accessible by integration", "GitHub refused the order of the workflow"
        forbidden = refuse(403, {"message": said})
        story.world.faults.add(Fault(action=forbidden, path="/dispatches$"))
        cut = await approved(story)
        await story.comment(CALL, f"@{story.manager}", failure, said, RETRY)
        await left_alone(story, said, 1)
        # The next order is not heard at first, and then refused as well.
        story.world.faults.add(Fault(action=refuse(502), path="/dispatches$"))
        story.world.faults.add(Fault(action=forbidden, path="/dispatches$"))
        await story.agreed(story.say(RETRY))
        await story.comment(CALL, f"@{story.manager}", failure, said, RETRY)
        await left_alone(story, said, 3)
        await story.agreed(story.say(RETRY))
        await pushed(story, cut)
        assert (dispatches(story), len(runs_of(story))) == (4, 1)
        assert {key.name for _, key in mortal.deaths} == {"dispatch 1", "dispatch 2", "dispatch 3"}


@pytest.mark.chaos
async def test_of_two_runs_that_look_alike_a_person_cancels_one(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await story.opened()
        github = story.world.github
        story.world.faults.add(Fault(action=drop_after(), path="/dispatches$"))
        await story.approved(cut)
        first = await ordered(story)
        await github.actions.dispatch(github.app.bot.login, REPOSITORY, FILE, "main", inputs(story, cut))
        second = await ordered(story, 2)
        shows(story, first)
        shows(story, second)
        await story.comment(CALL, "these runs look like it", f"runs/{first.id}", f"runs/{second.id}", "Cancel all but one")
        github.actions.cancel(github.user(story.manager), first)
        uploads(story, second)
        ends(story, second)
        await pushed(story, cut)
        assert dispatches(story) == 1


async def test_a_failed_job_is_shown_and_run_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        run = await ordered(story)
        shows(story, run)
        uploads(story, run, {"Python-3.15.0a3.tgz": b"half"})
        said = [f"line {number}" for number in range(40)]
        log = "\n".join([*said, "\x1b[31m##[error]No space left for @everyone in `dist`\x1b[0m", "Post job cleanup."])
        story.world.github.actions.finish_job(run.id, SOURCE, "failure", log=log)
        await story.status(f"{SOURCE} did not succeed; the others go on")
        ends(story, run)
        call = await story.comment(CALL, f"@{story.manager}", f"The step source failed: The run {run.id} ended as failure", SOURCE)
        assert "`line 39` `No space left for @everyone in 'dist'`" in call
        assert "line 20" not in call
        assert "Post job cleanup" not in call
        await story.agreed(story.say(RETRY))
        await story.until("the next attempt", lambda: attempted(run, 2))
        story.world.github.actions.start(run.id)
        uploads_again = story.files.sources
        story.world.github.actions.upload(run.id, "source", uploads_again)
        ends(story, run)
        await pushed(story, cut)
        assert dispatches(story) == 1


async def attempted(run: object, attempt: int) -> bool:
    return getattr(run, "attempt", 0) == attempt


@pytest.mark.chaos
async def test_a_cancelled_run_is_run_again_and_where_github_does_not_do_that_another_is_ordered(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        github = story.world.github
        run = await ordered(story)
        github.actions.start(run.id)
        await story.status(f"The run {run.id} is in progress")
        github.actions.cancel(github.user(story.manager), run)
        story.world.faults.add(Fault(action=drop_after(), path="/rerun-failed-jobs$"))
        await retried(story, f"The run {run.id} ended as cancelled")
        await story.until("the next attempt", lambda: attempted(run, 2))
        await story.status(f"The run {run.id} is queued")
        github.actions.cancel(github.user(story.manager), run)
        story.world.faults.add(Fault(action=refuse(403, {"message": "This workflow run cannot be retried"}), path="/rerun-failed-jobs$"))
        await retried(story, f"The run {run.id} ended as cancelled")
        builds(story, await ordered(story, 2))
        await pushed(story, cut)
        assert dispatches(story) == 2


async def test_a_run_that_builds_something_else_is_never_accepted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        wrong = await ordered(story)
        actions = story.world.github.actions
        actions.start(wrong.id)
        log = "\n".join(f"{name}: {value}" for name, value in (inputs(story, cut) | {"git_commit": cut.head}).items())
        actions.finish_job(wrong.id, VERIFY, log=log)
        await retried(
            story, f"The run {wrong.id} builds", f"`git_commit: {cut.head}`", f"`git_commit: {cut.commit}`", "Nothing of it is used"
        )
        right = await ordered(story, 2)
        assert wrong.conclusion == "cancelled"
        builds(story, right)
        step = await story.step("source", "passed")
        assert step["evidence"][0]["url"].endswith(f"/actions/runs/{right.id}")
        await pushed(story, cut)


async def test_a_file_is_missing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        run = await ordered(story)
        shows(story, run)
        uploads(story, run, {"Python-3.15.0a3.tgz": story.files["Python-3.15.0a3.tgz"], "README": b"extra"})
        ends(story, run)
        await retried(story, "what it left does not do", "It left no Python-3.15.0a3.tar.xz.", "orders another run")
        builds(story, await ordered(story, 2))
        await pushed(story, cut)


@pytest.mark.chaos
async def test_what_was_uploaded_is_not_what_was_built(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        run = await ordered(story)
        shows(story, run)
        uploads(story, run)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in story.files.sources.items()}
        other = hashlib.sha256(b"something else").hexdigest()
        log = "\n".join(f"  {sums[name] if name.endswith('xz') else other}  {len(story.files[name]):8}  src/{name}" for name in sums)
        ends(story, run, log=log)
        await retried(story, f"has a Python-3.15.0a3.tgz with the SHA-256 {sums['Python-3.15.0a3.tgz']}", f"printed {other}")
        builds(story, await ordered(story, 2))
        await pushed(story, cut)


@pytest.mark.chaos
async def test_a_run_that_somebody_deleted_is_ordered_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        run = await ordered(story)
        await story.status(f"The run {run.id} is queued")
        story.world.github.actions.delete(run.id)
        await retried(story, f"The run {run.id} is gone from GitHub")
        await story.until("another run", lambda: there_is(story))
        builds(story, await ordered(story))
        await pushed(story, cut)


async def there_is(story: Story) -> bool:
    return bool(runs_of(story))


@pytest.mark.chaos
async def test_actions_are_down_for_a_while(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only) as story:
        cut = await story.opened()
        story.world.faults.add(Fault(action=refuse(503), path="/actions/", times=4))
        story.world.faults.add(Fault(action=refuse(503), path="^/storage/", times=2))
        await story.approved(cut)
        await pushed(story, cut)
        assert len(runs_of(story)) == 1


@pytest.mark.chaos
async def test_the_bot_dies_whenever_it_orders(tmp_path: Path) -> None:
    mortal = Mortal(only=("source",))
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, observers=[mortal]) as story, reviving(story, mortal):
        story.machines.failing.add("test-source")
        cut = await approved(story)
        run = await ordered(story)
        await story.comment(CALL, f"@{story.manager}", f"The run {run.id} ended as failure", "test-source")
        story.machines.failing.clear()
        story.say(RETRY)
        await pushed(story, cut)
        assert [(one.id, one.attempt) for one in runs_of(story)] == [(run.id, 2)]
        # Once the jobs run again that is plain to see, and the effect is not asked for any more.
        assert {(point, key.name.partition(" ")[0]) for point, key in mortal.deaths} == {
            *((point, "dispatch") for point in mortal.points),
            *((point, "rerun") for point in ("between", "acted")),
        }


@pytest.mark.chaos
async def test_a_successful_run_that_does_not_show_what_it_built_is_not_accepted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=sources_only, machines=False) as story:
        cut = await approved(story)
        run = await ordered(story)
        story.world.github.actions.start(run.id)
        story.world.github.actions.finish_job(run.id, VERIFY, log="All is well.")
        uploads(story, run)
        ends(story, run)
        await retried(story, f"The run {run.id} builds nothing, but it was ordered to build", cut.commit)
        builds(story, await ordered(story, 2))
        await pushed(story, cut)
