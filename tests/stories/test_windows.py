"""Windows is built on Azure before the go: ordered once, followed, and taken only when it is what was ordered."""

from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.azure_model import Approval, Run, new_id
from bot.rehearsal.faults import Action, Fault, drop_after, drop_before, refuse
from bot.rehearsal.moments import now
from bot.rehearsal.release_files import certificate_info
from tests.stories.disorder import reviving
from tests.stories.pipeline import (
    EXPERT,
    PREVIEW,
    QUEUE,
    RUNS,
    Doomed,
    approved,
    asked,
    begun,
    building,
    ended,
    fill,
    looked_at,
    ordered,
    retry,
    row,
    went_on,
)
from tests.stories.story import Story
from tests.stories.telling import rarely

AZURE = r"/_apis/build/builds/"
LEASES = r"/_apis/build/retention/leases"
AGAIN = "/release retry windows"
BRANCH = "refs/heads/other"
MARK = "release-bot-cpython-3.15.0a3-1-attempt-1"


async def test_windows_is_built_once_from_the_approved_commit(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        cut, run = await begun(story)
        given = run.parameters
        assert (given["GitRemote"], given["SourceTag"], given["SourceCommit"]) == ("hugovk", "v3.15.0a3", cut.commit)
        assert (given["DoPublish"].lower(), given["DoTailCalling"].lower()) == ("false", "true")
        await ended(story, run)
        assert (story.world.counts[PREVIEW], story.world.counts[QUEUE]) == (1, 1)
        assert run.tags.count(MARK) == 1


# ---- orders ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "orders"), [(drop_after(), 1), rarely(drop_before(), 2), rarely(refuse(503), 2)], ids=["answer", "order", "refused"]
)
async def test_whatever_is_lost_there_is_one_run(tmp_path: Path, fault: Action, orders: int) -> None:
    async with building(tmp_path) as story:
        story.world.faults.add(Fault(action=fault, method="POST", path=RUNS))
        _, run = await begun(story)
        await ended(story, run)
        assert len(story.world.azure.runs) == 1
        assert story.world.counts[QUEUE] == orders
        assert story.world.counts[PREVIEW] == 1


@pytest.mark.chaos
async def test_the_bot_dies_at_every_order_and_there_is_one_run(tmp_path: Path) -> None:
    mortal = Doomed()
    async with building(tmp_path, observers=(mortal,)) as story, reviving(story, mortal):
        _, run = await begun(story)
        await ended(story, run)
        assert {key.name for _, key in mortal.deaths} == {"queue build 1", "tag build 1", f"retain {run.id}"}
        assert len(story.world.azure.runs) == 1


async def test_what_azure_refuses_is_not_sent_again_and_again(tmp_path: Path) -> None:
    wrong = ('definition = "Windows-Release"\n', 'definition = "Windows-Release"\nref = "refs/heads/other"\n')
    async with building(tmp_path, wrong) as story:
        fill(story)
        cut = await story.opened()
        await story.approved(cut)
        said = await story.comment(f"@{story.manager}", "Azure refuses the order", "latest source version", AGAIN)
        assert "refs/heads/other" in said
        await story.swept()
        assert story.world.counts[PREVIEW] == 1
        await story.agreed(retry(story))

        async def checked_again() -> bool:
            return bool(story.world.counts[PREVIEW] == 2)

        await story.until("another check", checked_again)
        await story.stop_bot()
        profile = story.setting.profile
        profile.write_text(profile.read_text().replace(wrong[1], wrong[0]))
        await story.start_bot()
        await ended(story, await ordered(story))
        assert story.world.counts[QUEUE] == 1


@pytest.mark.chaos
async def test_an_order_that_is_refused_after_its_check_is_placed_anew_when_somebody_says_so(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        await refused(story)
        await story.swept()
        assert story.world.counts[QUEUE] == 1
        retry(story)
        await ended(story, await ordered(story))
        assert story.world.counts[QUEUE] == 2


PAUSED: dict[str, Any] = {
    "message": "The queue is paused",
    "typeKey": "QueuePausedException",
    "$id": "1",
    "errorCode": 0,
    "eventId": 3000,
}
MENDED = ("DoTailCalling = true }\n", "DoTailCalling = false }\n")


async def refused(story: Story) -> None:
    """Have an order refused that had passed its check."""
    story.world.faults.add(Fault(action=refuse(409, PAUSED), method="POST", path=RUNS))
    fill(story)
    cut = await story.opened()
    await story.approved(cut)
    await story.comment(f"@{story.manager}", "Azure refuses the order", "The queue is paused.", AGAIN)


async def mended(story: Story, *changes: tuple[str, str]) -> None:
    """Have the profile changed while the bot is not there."""
    await story.stop_bot()
    profile = story.setting.profile
    for before, after in changes:
        assert before in profile.read_text()
        profile.write_text(profile.read_text().replace(before, after))
    await story.start_bot()


async def mended_order(story: Story) -> None:
    """See that what was mended is ordered, and comes to its end."""
    run = await ordered(story)
    assert run.parameters["DoTailCalling"].lower() == "false"
    await ended(story, run)
    assert story.world.counts[QUEUE] == 2


@pytest.mark.chaos
async def test_a_refused_order_is_not_sent_again_when_azure_is_silent_at_the_retry(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        await refused(story)
        silence = story.world.faults.add(Fault(action=refuse(503), path="/_apis/", times=1_000_000))
        await story.agreed(retry(story))
        await story.step("windows", "waiting")
        await story.swept()
        await mended(story, MENDED)
        silence.times = 0
        await mended_order(story)


@pytest.mark.chaos
async def test_a_refused_order_is_not_sent_again_when_the_bot_is_shut_out_at_the_retry(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        await refused(story)
        story.world.azure.expire_token()
        # Whoever asked for another try is told once more what it was refused for.
        story.handled.add("The queue is paused.")
        retry(story)
        await story.comment(f"@{story.manager}", "does not accept the bot's token any more")
        await mended(story, MENDED)
        story.world.azure.renew_token()
        await mended_order(story)


@pytest.mark.chaos
async def test_a_refused_order_is_not_sent_again_when_the_next_one_does_not_pass_its_check(tmp_path: Path) -> None:
    wrong = ('definition = "Windows-Release"\n', 'definition = "Windows-Release"\nref = "refs/heads/other"\n')
    async with building(tmp_path) as story:
        await refused(story)
        await mended(story, wrong)
        await story.comment(f"@{story.manager}", "Azure refuses the order", "latest source version", AGAIN)
        await mended(story, MENDED, (wrong[1], wrong[0]))
        await mended_order(story)


@pytest.mark.chaos
@pytest.mark.parametrize("fault", [drop_after(), rarely(drop_before())], ids=["answer", "order"])
async def test_another_order_is_brought_to_its_end_when_its_answer_is_lost(tmp_path: Path, fault: Action) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        story.world.azure.delete(run.id)
        await story.comment(f"@{story.manager}", "was deleted on Azure", AGAIN)
        story.world.faults.add(Fault(action=fault, method="POST", path=RUNS))
        retry(story)
        await ended(story, await ordered(story))


async def by_hand(story: Story, commit: str, **others: str) -> Run:
    """Let the expert queue what the bot would."""
    given = {
        "GitRemote": story.setting.manager.fork.partition("/")[0],
        "SourceTag": "v3.15.0a3",
        "SourceCommit": commit,
        "SigningCertificate": "PythonSoftwareFoundation",
        "DoPublish": "false",
        "Post315OutputDir": "true",
        "DoTailCalling": "true",
    }
    return story.world.azure.queue(EXPERT, {**given, **others})


async def test_a_run_that_was_queued_by_hand_is_taken_up(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        fill(story)
        cut = await story.opened()
        await by_hand(story, "2" * 40)
        run = await by_hand(story, cut.commit)
        await story.approved(cut)
        await approved(story, run, "Sign", "Pack")
        await story.state("done")
        assert story.world.counts[QUEUE] == 0
        assert MARK in run.tags


@pytest.mark.chaos
async def test_a_run_from_another_branch_of_the_pipeline_is_not_taken_up(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        fill(story)
        cut = await story.opened()
        other = await by_hand(story, cut.commit)
        other.ref = BRANCH
        await story.approved(cut)
        await ended(story, await ordered(story, 2))
        assert (story.world.counts[QUEUE], other.tags, other.status) == (1, [], "notStarted")


@pytest.mark.chaos
async def test_a_run_from_another_branch_of_the_pipeline_is_not_stopped_for_an_order_that_was_lost(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        story.world.faults.add(Fault(action=drop_before(), method="POST", path=RUNS, times=1_000_000))
        cut = await story.opened()
        await story.approved(cut)
        await story.status("The step windows waits for")
        other = await by_hand(story, cut.commit)
        other.ref = BRANCH
        story.say("/release abort Azure does not build")
        await story.state("aborted")
        assert (len(story.world.azure.runs), other.status) == (1, "notStarted")


@pytest.mark.chaos
async def test_of_two_runs_a_person_chooses(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        fill(story)
        cut = await story.opened()
        first, second = await by_hand(story, cut.commit), await by_hand(story, cut.commit)
        await story.approved(cut)
        call = await story.comment(f"@{EXPERT}", "2 runs on Azure", "Cancel all but one", f"buildId={first.id}", f"buildId={second.id}")
        assert f"`{EXPERT}`" in call
        story.world.azure.cancel(EXPERT, second.id)
        went_on(story, second)
        await ended(story, first)
        assert story.world.counts[QUEUE] == 0


# ---- people ----------------------------------------------------------------------------------------------------------------------------


async def test_who_has_to_approve_is_called_once(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        call = await asked(story, "Sign", run)
        assert "`Steve Dower`" in call
        assert "Windows takes 3 approvals in all, each asked for in its turn: Sign, Pack and after the go, Publish of the run" in call
        before = await row(story)
        await looked_at(story, run, 8)
        assert await row(story) == before
        await ended_after_sign(story, run)


async def ended_after_sign(story: Story, run: Run) -> None:
    """Approve the first stage, for which the story has heard the call, and the rest."""
    story.world.azure.approve(EXPERT, run.id, "Sign")
    await approved(story, run, "Pack")
    await story.state("done")


@pytest.mark.chaos
async def test_who_has_to_approve_is_reminded(tmp_path: Path) -> None:
    async with building(tmp_path, ("remind = 3600", "remind = 1")) as story:
        story.handled.add("waits for an approval")
        _, run = await begun(story)
        went_on(story, run)
        first = await asked(story, "Sign", run)
        second = await story.comment(f"@{EXPERT}", "a reminder", "waits for an approval")
        assert first.splitlines()[-1] == second.splitlines()[-1]
        await ended_after_sign(story, run)


@pytest.mark.chaos
async def test_who_approves_is_known_by_the_name_on_azure(tmp_path: Path) -> None:
    named = ('login = "pablogsal"\n', 'login = "pablogsal"\nazure = "ZOOBA"\n')
    async with building(tmp_path, named) as story:
        _, run = await begun(story)
        went_on(story, run)
        assert "@pablogsal" in await asked(story, "Sign", run)
        await ended_after_sign(story, run)


@pytest.mark.chaos
async def test_two_stages_that_wait_at_once_are_one_call(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        run.stage("Pack").approval = Approval(id=new_id(), created=now())
        call = await story.comment(f"@{EXPERT}", "The stage `Sign`", "The stage `Pack`", "Approve them at")
        assert call.count("waits for an approval") == 2
        # The first call is about one of them, unless both waited before the bot looked.
        story.handled.add("The stage `Sign`")
        for stage in ("Pack", "Sign"):
            story.world.azure.approve(EXPERT, run.id, stage)
        went_on(story, run)
        await story.state("done")


@pytest.mark.chaos
async def test_a_rejected_approval_is_asked_for_anew_when_somebody_says_so(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        story.world.azure.reject(EXPERT, run.id, "Sign", "The *key* is being changed.")
        went_on(story, run)
        said = await story.comment(f"@{story.manager}", "was rejected by `Steve Dower`", AGAIN)
        assert "who said `The *key* is being changed.`" in said
        await story.agreed(retry(story))
        await tried(story, run, "Sign")
        await ended(story, run)


async def tried(story: Story, run: Run, stage: str, attempt: int = 2) -> None:
    """Wait until a stage is tried again."""

    async def again() -> bool:
        return run.stage(stage).attempt == attempt

    await story.until(f"try {attempt} of {stage}", again)


@pytest.mark.chaos
async def test_an_approval_that_came_too_late_is_asked_for_anew(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        story.world.azure.time_out(run.id, "Sign")
        went_on(story, run)
        await story.comment(f"@{story.manager}", "nobody approved it in time", AGAIN)
        retry(story)
        await tried(story, run, "Sign")
        await ended(story, run)


# ---- what goes wrong -------------------------------------------------------------------------------------------------------------------


async def test_a_failed_stage_is_tried_again_and_passes(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        story.world.azure.fail(run.id, "Build", "The ARM64 machine is offline")
        went_on(story, run)
        said = await story.comment(f"@{story.manager}", "The stage `Build` of the run", "failed.", "The ARM64 machine is offline.", AGAIN)
        assert "Test" not in said
        await looked_at(story, run)
        retry(story)
        await tried(story, run, "Build")
        await ended(story, run)
        assert len(story.world.azure.runs) == 1


@pytest.mark.chaos
async def test_the_bot_dies_at_every_retry(tmp_path: Path) -> None:
    mortal = Doomed()
    async with building(tmp_path, observers=(mortal,)) as story, reviving(story, mortal):
        _, run = await begun(story)
        story.world.azure.fail(run.id, "Build")
        went_on(story, run)
        await story.comment("The stage `Build` of the run", "failed.")
        retry(story)
        await tried(story, run, "Build")
        await ended(story, run)
        assert (run.stage("Build").attempt, len(story.world.azure.runs)) == (2, 1)


@pytest.mark.chaos
async def test_a_cancelled_run_is_taken_up_again(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        story.world.azure.cancel(EXPERT, run.id)
        went_on(story, run)
        await story.comment(f"@{story.manager}", "The stage `Sign` of the run", "was cancelled.", AGAIN)
        retry(story)
        await tried(story, run, "Sign")
        await ended(story, run)


@pytest.mark.chaos
async def test_a_run_that_ended_before_it_began_is_replaced(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        story.world.azure.cancel(EXPERT, run.id)
        went_on(story, run)
        await story.comment(f"@{story.manager}", "has ended, but skipped `Build`, `Sign`", AGAIN)
        retry(story)
        await ended(story, await ordered(story, 2))


@pytest.mark.chaos
async def test_a_deleted_run_is_replaced(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        story.world.azure.delete(run.id)
        await story.comment(f"@{story.manager}", "was deleted on Azure", AGAIN)
        retry(story)
        other = await ordered(story)
        assert other.id != run.id
        await ended(story, other)


async def test_a_run_that_builds_another_commit_never_counts(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        cut, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        run.parameters["SourceCommit"] = "2" * 40
        said = await story.comment(f"@{story.manager}", "was built with other parameters", AGAIN)
        assert f"SourceCommit is `{'2' * 40}`, not `{cut.commit}`" in said

        async def stopped() -> bool:
            return run.status == "cancelling"

        await story.until("the end of the wrong run", stopped)
        went_on(story, run)
        await looked_at(story, run)
        assert (await story.step("windows", "failed"))["name"] == "windows"
        retry(story)
        other = await ordered(story, 2)
        assert other.parameters["SourceCommit"] == cut.commit
        await ended(story, other)


@pytest.mark.chaos
async def test_a_run_from_another_branch_of_the_pipeline_never_counts(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        run.ref = BRANCH
        why = f"the branch of the pipeline is `{BRANCH}`, not `refs/heads/main`"
        await story.comment(f"@{story.manager}", "was built with other parameters", why, AGAIN)
        went_on(story, run)
        retry(story)
        await ended(story, await ordered(story, 2))


@pytest.mark.parametrize("how", ["test-signed", rarely("unsigned"), rarely("unreadable")])
async def test_a_run_that_is_not_really_signed_never_counts(tmp_path: Path, how: str) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        if how == "test-signed":
            fill(story, real=False)
        if how == "unreadable":
            story.world.azure.fill("cert", {"certinfo.json": b"no JSON"})
        await approved(story, run, "Sign")
        if how == "unsigned":
            run.tags.remove("signed")
        await approved(story, run, "Pack")
        why = {
            "test-signed": "signed with the certificate of",
            "unsigned": "it is not signed",
            "unreadable": "does not show which certificate",
        }
        await story.comment(f"@{story.manager}", "does not count", why[how], AGAIN)
        story.world.azure.fill("cert", certificate_info(real=True))
        retry(story)
        await ended(story, await ordered(story, 2))


@pytest.mark.chaos
async def test_what_ended_well_but_for_issues_has_to_be_acknowledged(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        story.world.azure.limp(run.id, "Test", "One test is flaky")
        await approved(story, run, "Sign", "Pack")
        assert run.result == "partiallySucceeded"
        call = await story.comment("Please take note", "The stage `Test` of the run", "ended well but for issues", "/release ack")
        story.say(call[call.index("/release ack") :].splitlines()[0])
        await story.state("done")


# ---- what counts is kept ---------------------------------------------------------------------------------------------------------------


def kept(story: Story) -> list[int]:
    """Return the numbers of the runs that are kept for ever."""
    return [lease.run for lease in story.world.azure.leases]


@pytest.mark.chaos
@pytest.mark.parametrize("action", [rarely(None), drop_after(), rarely(drop_before())], ids=["well", "answer", "order"])
async def test_a_run_that_counts_is_kept_at_once(tmp_path: Path, action: Action | None) -> None:
    async with building(tmp_path) as story:
        if action:
            story.world.faults.add(Fault(action=action, method="POST", path=LEASES))
        _, run = await begun(story)
        assert kept(story) == []
        await ended(story, run)
        assert kept(story) == [run.id]


@pytest.mark.chaos
async def test_that_a_run_may_not_be_kept_does_not_hold_up_the_release(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        no = {"message": "Access denied: needs Retain indefinitely.", "typeKey": "AccessDeniedException", "$id": "1", "errorCode": 0}
        story.world.faults.add(Fault(action=refuse(403, no), method="POST", path=LEASES, times=1_000_000))
        _, run = await begun(story)
        await ended(story, run)
        assert kept(story) == []


@pytest.mark.chaos
async def test_nothing_is_kept_where_the_profile_does_not_want_it(tmp_path: Path) -> None:
    async with building(tmp_path, ("retain = true", "retain = false")) as story:
        _, run = await begun(story)
        await ended(story, run)
        assert kept(story) == []


# ---- the service -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.chaos
async def test_azure_is_down_for_a_while(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        went_on(story, run)
        await asked(story, "Sign", run)
        before = await row(story)
        outage = story.world.faults.add(Fault(action=refuse(503), path=AZURE, times=10))

        async def over() -> bool:
            return bool(outage.times == 0)

        await story.until("ten looks in vain", over)
        assert await row(story) == before
        await ended_after_sign(story, run)


@pytest.mark.chaos
async def test_the_token_expires_and_is_renewed(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        story.world.azure.expire_token()
        await story.comment(f"@{story.manager}", "does not accept the bot's token any more", "AZURE\\_DEVOPS\\_TOKEN")
        story.world.azure.renew_token()
        await ended(story, run)


@pytest.mark.chaos
async def test_azure_asks_for_patience_and_is_not_asked_meanwhile(tmp_path: Path) -> None:
    async with building(tmp_path) as story:
        _, run = await begun(story)
        await approved(story, run, "Sign")
        went_on(story, run)
        await asked(story, "Pack", run)
        story.world.azure.ask_patience(1)
        await looked_at(story, run, 1)
        story.world.azure.approve(EXPERT, run.id, "Pack")
        went_on(story, run)
        before = len(story.world.requests)
        await story.state("done")
        asked_since = [one for one in story.world.requests[before:] if "/_apis/" in one.path and one.path.endswith(f"/builds/{run.id}")]
        assert len(asked_since) <= 2
