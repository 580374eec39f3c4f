"""A branch is frozen by hand, without a release."""

from pathlib import Path

from bot.rehearsal.stage import UPSTREAM
from tests.stories.telling import telling


async def test_a_branch_is_frozen_and_opened_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        freeze = story.say("/freeze 3.14 the buildbots are on fire")
        await story.answer(freeze, "`3.14` is frozen: only this bot can move it", "the buildbots are on fire", "`/unfreeze 3.14` lifts it")
        await story.reaction(freeze, "+1")
        assert story.freezes() == [f"release-freeze refs/heads/3.14 #{story.issue} cpython-standing-{freeze}"]
        stopped = await story.hands.merge_fix("3.14")
        assert "GH013" in stopped.answer.words
        merged = await story.hands.merge_fix("main")
        assert merged.answer.accepted
        twice = story.say("/freeze 3.14 me too", by="pablogsal")
        await story.refusal(twice, "`3.14` is frozen already, by `hugovk`", "the buildbots are on fire")
        unfreeze = story.say("/unfreeze 3.14", by="pablogsal")
        await story.answer(unfreeze, "The standing freeze of `3.14` was lifted by `pablogsal`", "`3.14` is open again")
        await story.reaction(unfreeze, "+1")
        merged = await story.hands.merge_fix("3.14")
        assert merged.answer.accepted
        again = story.say("/unfreeze 3.14")
        await story.refusal(again, "No standing freeze holds 3.14")


async def test_who_and_what_may_be_frozen(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.github.join_team("coredev", *story.setting.team)
        for login in ("stranger", "coredev"):
            await story.refusal(story.say("/freeze 3.14 because", by=login), "Only a release manager may do this")
            await story.refusal(story.say("/unfreeze 3.14", by=login), "Only a release manager may do this")
        await story.refusal(story.say("/freeze 3.99 because"), "There is no branch 3.99 in python/cpython")
        edited = story.say("/freeze 3.13 because")
        story.world.github.edit("hugovk", edited, "/freeze 3.14 because")
        await story.refusal(edited, "I act on unedited comments only")
        assert story.freezes() == []


async def test_a_release_and_a_standing_freeze_hold_the_same_branch(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        freeze = story.say("/freeze main the servers are moved", by="pablogsal")
        await story.reaction(freeze, "+1")
        await story.answer(freeze, "`main` is frozen")
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert len(story.freezes()) == 3
        lifted = story.say("/unfreeze main")
        await story.answer(
            lifted, "was lifted by `hugovk`", "is frozen since", "by the release of 3.15.0a3", "`/release abort REASON` ends it"
        )
        assert len(story.freezes()) == 2
        held = story.say("/unfreeze main")
        await story.refusal(held, "by the release of 3.15.0a3", f"{UPSTREAM}#{story.issue}", "started by `hugovk`")
        stopped = await story.hands.merge_fix("main")
        assert not stopped.answer.accepted
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")
        assert story.freezes() == []


async def test_a_standing_freeze_outlives_a_release(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        freeze = story.say("/freeze main the servers are moved")
        await story.answer(freeze, "`main` is frozen")
        await story.approved(cut)
        await story.state("done")
        assert story.freezes() == [f"release-freeze refs/heads/main #{story.issue} cpython-standing-{freeze}"]
        stopped = await story.hands.merge_fix("main")
        assert not stopped.answer.accepted
        await story.stop_bot()
        await story.start_bot()
        await story.answer(story.say("/unfreeze main"), "`main` is open again")
        merged = await story.hands.merge_fix("main")
        assert merged.answer.accepted


async def test_the_rule_of_a_standing_freeze_is_deleted_by_hand(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        freeze = story.say("/freeze 3.14 because", by="pablogsal")
        await story.answer(freeze, "`3.14` is frozen")
        [rule] = story.world.github.rulesets(UPSTREAM)
        story.world.github.delete_ruleset("coredev", rule.id)
        await story.comment("@pablogsal", "`3.14` is no longer frozen, because", "is gone", "`/freeze 3.14 REASON`")
        merged = await story.hands.merge_fix("3.14")
        assert merged.answer.accepted
        again = story.say("/freeze 3.14 because")
        await story.answer(again, "`3.14` is frozen")
        await story.answer(story.say("/unfreeze 3.14"), "was lifted")


async def test_a_freeze_that_nobody_stands_for_is_lifted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        names = story.freezes()
        story.say("/release abort this one")
        await story.state("aborted")
        freeze = story.say("/freeze 3.13 because")
        await story.answer(freeze, "`3.13` is frozen")

        def late(name: str) -> None:
            rules = {
                "name": name,
                "rules": [{"type": "update"}],
                "conditions": {"ref_name": {"include": ["refs/heads/3.14"], "exclude": []}},
            }
            story.world.github.add_ruleset("coredev", UPSTREAM, rules)

        for name in (*names[:1], "release-freeze refs/heads/3.14 #1 cpython-standing-7", "release-freeze by hand", "cpython-standing-7"):
            late(name)
        mine = f"release-freeze refs/heads/3.13 #{story.issue} cpython-standing-{freeze}"

        async def lifted() -> bool:
            return story.freezes() == ["release-freeze by hand", mine]

        await story.until("what was left behind to be lifted", lifted)
        await story.swept()
        assert await lifted()
        assert "cpython-standing-7" in [rule.name for rule in story.world.github.rulesets(UPSTREAM)]
        await story.answer(story.say("/unfreeze 3.13"), "was lifted")
        [hand] = [rule for rule in story.world.github.rulesets(UPSTREAM) if rule.name == "release-freeze by hand"]
        story.world.github.delete_ruleset("coredev", hand.id)
