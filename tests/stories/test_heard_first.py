"""Before what cannot be undone, people are heard; and what cannot start over is mended in place."""

from pathlib import Path

from bot.rehearsal.faults import Fault, call
from tests.stories.telling import only, telling

BY_HAND = only("preflight", "freeze", "tag", "audit", "approve", "macos", "go", "publication", "push", "thaw")
HASH = "a" * 64


async def test_a_halt_that_is_said_during_the_last_look_stops_the_push(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)

        async def stop() -> None:
            story.say("/release halt look at the tarball first")
            await story.world.github.webhooks.drain()

        # The bot has just heard the approval, and goes on to the push in the same look.
        story.world.faults.add(Fault(action=call(after=stop), path="/reactions$", times=1))
        story.say(f"/release approve {cut.tag}")
        await story.state("halted")
        await story.comment("is halted", "look at the tarball first")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.say("/release resume")
        await story.state("done")


async def test_a_freeze_that_was_lifted_after_the_go_is_laid_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=BY_HAND, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment("Build the macOS installer")
        story.say(f"/release done macos {HASH}", by=story.setting.macos_expert.login)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org")
        branch_rule = next(one for one in story.world.github.rulesets("python/cpython") if "refs/heads/main" in one.name)
        story.world.github.delete_ruleset("coredev", branch_rule.id)
        await story.state("halted")
        await story.comment("is halted", "has me lay the rule again")
        assert len(story.freezes()) == 1
        story.say("/release resume")

        async def whole() -> bool:
            return len(story.freezes()) == 2

        await story.until("both rules", whole)
        # What was asked before the halt is asked again.
        await story.comment("python.org does not show")
        await story.step("freeze", "passed")
        story.say("/release abort it was a rehearsal")
        await story.comment("wants to recall")
        story.say("/release abort so it was", by="ambv")
        await story.state("aborted")
        await story.comment("was recalled after its go", "off python.org")
