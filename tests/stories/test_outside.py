"""Somebody does by hand, past the bot, what only the bot should do."""

from pathlib import Path

from bot.rehearsal.faults import Fault, call
from bot.rehearsal.stage import UPSTREAM
from tests.stories.story import Story
from tests.stories.telling import IN_BOTH_MODES, Policy, telling

FIX = {"Lib/shrubbery.py": "print('Ni!')\n"}


def rule(story: Story, part: str) -> int:
    """Return the id of the bot's rule whose name has this part."""
    return next(ruleset.id for ruleset in story.world.github.rulesets(UPSTREAM) if part in ruleset.name)


async def halted(story: Story, *words: str) -> None:
    """See that the release is halted, that its freeze is not touched, and that somebody is called."""
    release = await story.state("halted")
    await story.comment("is halted and its freeze stays", "/release resume", *words)
    [row] = story.people(release)
    assert row["who"] == ["hugovk"]


async def given_up(story: Story) -> None:
    """Abort, and see that nothing is left of the release."""
    story.say("/release abort somebody else moved the branch")
    await story.state("aborted")
    assert "refs/tags/v3.15.0a3" not in await story.upstream()


async def test_the_release_script_is_run_to_its_end(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        before = await story.upstream()
        cut = await story.opened()
        answer = await story.hands.run_release_script_to_its_end(cut)
        assert not answer.accepted
        assert set(answer.refused()) == {"refs/heads/main", "refs/tags/v3.15.0a3"}
        assert "GH013" in answer.words
        assert await story.upstream() == before
        await story.approved(cut)
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag


async def test_a_deleted_rule_halts_until_everything_is_frozen_anew(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened()
        await story.comment("/release approve", first.tag)
        story.world.github.delete_ruleset("coredev", rule(story, "refs/heads/main"))
        await halted(story, "is gone")
        story.say("/release resume")
        await halted(story, "is gone")
        story.say("/release refreeze the rule was deleted by mistake")
        await story.comment("main is open again for the fix", "/release retry freeze")
        again = story.say("/release retry freeze")
        await story.agreed(again)
        await story.asked_to_cut()
        second = await story.retagged(first)
        await story.approved(second)
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == second.tag


async def test_an_edited_rule_halts(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        everybody = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
        story.world.github.edit_ruleset("coredev", rule(story, "refs/tags/v3.15.0a3"), {"bypass_actors": everybody})
        await halted(story, "another list of actors who may pass")
        await given_up(story)


@IN_BOTH_MODES
async def test_a_branch_that_moves_in_spite_of_the_freeze_halts(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert len(story.freezes()) == holds
        fix = await story.world.github.repository(UPSTREAM).git.resolve("refs/heads/main^")
        await story.world.github.set_ref("coredev", UPSTREAM, "refs/heads/main", fix)
        await halted(story, "main moved from", str(fix))
        await given_up(story)
        assert (await story.upstream())["refs/heads/main"] == fix


async def test_a_branch_that_moves_during_the_push_gets_nothing_of_it(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        github = story.world.github

        async def merge() -> None:
            github.delete_ruleset("coredev", rule(story, "refs/heads/main"))
            await github.commit("coredev", UPSTREAM, "main", FIX, "gh-1: Sneak something in")

        story.world.faults.add(Fault(action=call(before=merge), method="POST", path=r"^/python/cpython\.git/git-receive-pack$"))
        await story.approved(cut)
        await halted(story, "neither before nor after our push")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.say("/release resume")
        await halted(story, "is gone")
        await given_up(story)


async def test_the_tag_is_pushed_past_the_bot(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        await story.smuggled(UPSTREAM, "refs/tags/v3.15.0a3", cut.tag)
        story.say(f"/release approve {cut.tag}")
        await halted(story, "pushed outside the bot")
        abort = story.say("/release abort it is out already")
        await story.agreed(abort)
        await halted(story, "an abort would be a lie")
        await story.world.github.set_ref("coredev", UPSTREAM, "refs/tags/v3.15.0a3", None)
        story.say("/release resume")
        await story.state("aborted")
        await story.reaction(abort, "+1")


async def test_another_tag_is_pushed_past_the_bot(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.forgiven.append("appeared in python/cpython without a release")
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        other = await story.hands.retag(cut)
        await story.pushed_aside(other.tag)
        await story.smuggled(UPSTREAM, "refs/tags/v3.15.0a3", other.tag)
        story.say(f"/release approve {cut.tag}")
        await halted(story, f"is {other.tag} upstream", "absent")
        await story.alarm("v3.15.0a3", other.tag)
        story.say("/release abort there is a stranger upstream")
        await story.state("aborted")


@IN_BOTH_MODES
async def test_a_rule_that_comes_after_the_freeze_stops_the_push_until_it_is_gone(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        cut = await story.opened()
        assert len(story.freezes()) == holds
        await story.comment("/release approve", cut.tag)
        reviewed = {"name": "reviews", "rules": [{"type": "pull_request"}], "conditions": on("refs/heads/main")}
        late = story.world.github.add_ruleset("coredev", UPSTREAM, reviewed)
        story.say(f"/release approve {cut.tag}")
        await story.step("push", "failed")
        await story.comment("@hugovk", "GitHub refused the push, so nothing was changed", "through a pull request")
        story.world.github.delete_ruleset("coredev", late)
        await story.state("done")


@IN_BOTH_MODES
async def test_a_release_whose_push_is_refused_can_be_aborted(tmp_path: Path, policy: Policy, holds: int) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=policy) as story:
        cut = await story.opened()
        assert len(story.freezes()) == holds
        await story.comment("/release approve", cut.tag)
        reviewed = {"name": "reviews", "rules": [{"type": "pull_request"}], "conditions": on("refs/heads/main")}
        story.world.github.add_ruleset("coredev", UPSTREAM, reviewed)
        story.say(f"/release approve {cut.tag}")
        await story.comment("@hugovk", "GitHub refused the push")
        await given_up(story)


def on(ref: str) -> dict[str, object]:
    """Return the conditions of a ruleset that holds for one ref."""
    return {"ref_name": {"include": [ref], "exclude": []}}
