"""Stopping: anybody of the team can halt, an approver lets go on, a release manager gives up."""

from pathlib import Path

from bot.rehearsal.stage import UPSTREAM
from tests.stories.telling import IN_BOTH_MODES, Policy, telling


@IN_BOTH_MODES
async def test_a_halt_keeps_the_freeze_until_an_approver_resumes(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        story.world.github.join_team("coredev", *story.setting.team)
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        stranger = story.say("/release halt I do not like it", by="stranger")
        await story.refusal(stranger, "Only people with a role")
        halt = story.say("/release halt the tag is being discussed", by="coredev")
        await story.agreed(halt)
        await story.state("halted")
        await story.comment("@hugovk", "is halted and its freeze stays: the tag is being discussed", "/release resume")
        assert "🛑" in await story.status("the tag is being discussed", "(said by `coredev`)")
        assert len(story.freezes()) == holds
        early = story.say(f"/release approve {cut.tag}")
        await story.refusal(early, "is halted")
        twice = story.say("/release halt once more", by="coredev")
        await story.refusal(twice, "is halted")
        resume = story.say("/release resume", by="coredev")
        await story.refusal(resume, "Only a release manager or an approver")
        resume = story.say("/release resume", by="pablogsal")
        await story.agreed(resume)
        await story.state("running")
        await story.comment("/release approve", cut.tag)
        again = story.say("/release resume", by="pablogsal")
        await story.refusal(again, "not halted")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_an_abort_lifts_the_freeze_and_pushes_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        before = await story.upstream()
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        stopped = await story.hands.merge_fix("main")
        assert "GH013" in stopped.answer.words
        abort = story.say("/release abort a blocker was found")
        await story.state("aborted")
        await story.agreed(abort)
        await story.reaction(abort, "+1")
        assert story.freezes() == []
        assert await story.upstream() == before
        assert "🗑️ Release of cpython 3.15.0a3: aborted" in await story.status("Nothing was pushed", "a blocker was found")
        release = await story.release()
        assert story.people(release) == []
        late = story.say(f"/release approve {cut.tag}")
        await story.refusal(late, "was aborted; open a new issue")
        fix = await story.hands.merge_fix("main")
        assert fix.answer.accepted

        # The same version can be released on another issue; the tag of the first one is still in the fork.
        story.issue = story.open_issue()
        story.say("/release 3.15.0a3")
        await story.comment("@hugovk", "does not descend from the frozen head", fix.commit, "Cut the release again")
        again = await story.hands_cut()
        assert again.head == fix.commit
        await story.pushed(again, force=True)
        await story.approved(again)
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == again.tag


@IN_BOTH_MODES
async def test_a_halted_release_can_be_aborted(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert len(story.freezes()) == holds
        story.say("/release halt wait")
        await story.comment("is halted and its freeze stays: wait")
        story.say("/release abort let us skip this one")
        await story.state("aborted")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()


async def test_closing_the_issue_changes_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        story.world.github.close("hugovk", UPSTREAM, story.issue)
        await story.approved(cut)
        await story.state("done")


async def test_what_is_done_cannot_be_stopped(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.state("done")
        for line in ("/release abort too late", "/release halt too late", "/release refreeze too late", "/release retry push"):
            await story.refusal(story.say(line), "is finished")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag
