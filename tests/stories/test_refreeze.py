"""A fix is needed after the freeze: thaw, let it in, freeze again, tag again."""

from pathlib import Path

from tests.stories.telling import IN_BOTH_MODES, Policy, telling


@IN_BOTH_MODES
async def test_a_fix_comes_in_after_the_tag(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        first = await story.opened()
        await story.comment("/release approve", first.tag)
        refreeze = story.say("/release refreeze gh-150001 breaks the build")
        await story.agreed(refreeze)
        await story.comment("@hugovk", "main is open again for the fix", first.head, "/release retry freeze")
        assert story.freezes() == []
        assert "+1" not in story.reactions(refreeze)
        fix = await story.hands.merge_fix("main")
        assert fix.answer.accepted
        await story.reaction(refreeze, "+1")
        await story.comment("Cut 3.15.0a3 from main at", fix.commit)
        assert len(story.freezes()) == holds
        stopped = await story.hands.merge_fix("main")
        assert not stopped.answer.accepted
        second = await story.hands_cut()
        assert second.head == fix.commit
        await story.pushed(second, force=True)
        await story.approved(second)
        release = await story.state("done")
        assert release["attempt"] == 2
        assert "Attempt 1 ended" in await story.status("gh-150001 breaks the build", first.tag)
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == second.tag


@IN_BOTH_MODES
async def test_the_fix_comes_before_the_tag(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert len(story.freezes()) == holds
        story.say("/release refreeze one more pull request")
        await story.comment("main is open again for the fix")
        fix = await story.hands.merge_fix("main")
        await story.asked_to_cut()
        cut = await story.cut()
        assert cut.head == fix.commit
        await story.approved(cut)
        await story.state("done")


@IN_BOTH_MODES
async def test_it_is_frozen_again_without_a_fix(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        first = await story.opened()
        assert len(story.freezes()) == holds
        await story.comment("/release approve", first.tag)
        story.say("/release refreeze perhaps there is a fix")
        await story.comment("main is open again for the fix")
        twice = story.say("/release refreeze again")
        await story.refusal(twice, "Nothing is frozen")
        retry = story.say("/release retry freeze")
        await story.agreed(retry)
        await story.comment("Cut 3.15.0a3 from main at", first.head)
        second = await story.retagged(first)
        await story.approved(second)
        release = await story.state("done")
        assert release["attempt"] == 2


@IN_BOTH_MODES
async def test_a_release_is_aborted_while_the_branch_is_open_for_a_fix(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert len(story.freezes()) == holds
        story.say("/release refreeze one more pull request")
        await story.comment("main is open again for the fix")
        story.say("/release abort there is no fix")
        await story.state("aborted")
