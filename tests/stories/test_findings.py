"""What is found is explained, acknowledged, or waived by a second person; nothing is skipped silently."""

import re
from pathlib import Path

import pytest

from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.stage import UPSTREAM
from tests.stories.story import Story
from tests.stories.telling import telling

FAILURE = 2


def digest_in(body: str) -> str:
    """Return the digest that a call asks to acknowledge."""
    found = re.search(r"^/release ack ([0-9a-f]{12})$", body, re.MULTILINE)
    assert found, body
    return found[1]


async def goes_on(story: Story) -> None:
    """See that nothing holds the release any more, and give it up."""
    await story.asked_to_cut()
    story.say("/release abort this story is told")
    await story.state("aborted")


async def holds(story: Story, check: str, *words: str) -> str:
    """See that the preflight holds the release for a waiver, before anything is frozen; return the head that is waived for."""
    body = await story.comment(f"/release waive {check}", "This stops the release unless it is mended", *words)
    found = re.search(rf"^/release waive {check} ([0-9a-f]{{40}}) REASON$", body, re.MULTILINE)
    assert found, body
    assert story.freezes() == []
    return found[1]


async def test_a_blocker_is_waived_by_a_second_person(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        blocker = github.open_issue("coredev", UPSTREAM, "It crashes <b>@everywhere</b>", labels=["release-blocker", "3.15"])
        github.open_issue("coredev", UPSTREAM, "It crashes elsewhere", labels=["release-blocker", "3.14"])
        github.open_issue("coredev", UPSTREAM, "It can wait", labels=["deferred-blocker", "3.15"])
        story.say("/release 3.15.0a3")
        head = await holds(story, "blockers", f"The issue #{blocker}", "is labelled release-blocker for 3.15")
        own = story.say(f"/release waive blockers {head} I know better")
        await story.refusal(own, "A waiver needs a second person, and hugovk started this release")
        other = story.say("/release waive blockers 0000000000000000000000000000000000000000 why not", by="pablogsal")
        await story.refusal(other, f"failed for {head}")
        unrelated = story.say(f"/release waive buildbots {head} why not", by="pablogsal")
        await story.refusal(unrelated, "nothing to waive")
        stranger = story.say(f"/release waive blockers {head} why not", by="coredev")
        await story.refusal(stranger, "Only a release manager or an approver")
        waiver = story.say(f"/release waive blockers {head} only Windows 7 is affected", by="pablogsal")
        await story.agreed(waiver)
        await story.asked_to_cut()
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")
        assert "**Waived** by `pablogsal`" in await story.status(f"`blockers` for `{head}`: only Windows 7 is affected")


async def test_a_blocker_that_is_solved_holds_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        blocker = github.open_issue("coredev", UPSTREAM, "Revert it", labels=["release-blocker", "3.15"], pull_request=True)
        story.say("/release 3.15.0a3")
        await holds(story, "blockers", f"The pull request #{blocker}")
        github.close("coredev", UPSTREAM, blocker)
        await goes_on(story)


async def test_a_blocker_of_no_series_is_acknowledged(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        blocker = story.world.github.open_issue("coredev", UPSTREAM, "It crashes", labels=["release-blocker"])
        story.say("/release 3.15.0a3")
        digest = digest_in(await story.comment(f"issue #{blocker}", "without naming a series: does it stop 3.15.0a3?"))
        assert story.freezes() == []
        wrong = story.say("/release ack 000000000000")
        await story.refusal(wrong, "Nothing waits to be acknowledged under that digest")
        ack = story.say(f"/release ack {digest}")
        await story.agreed(ack)
        await goes_on(story)


async def test_another_blocker_makes_another_digest(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        github.open_issue("coredev", UPSTREAM, "It crashes", labels=["release-blocker"])
        story.say("/release 3.15.0a3")
        first = digest_in(await story.comment("does it stop 3.15.0a3?"))
        late = github.open_issue("coredev", UPSTREAM, "It burns", labels=["release-blocker"])
        second = digest_in(await story.comment("does it stop 3.15.0a3?", f"issue #{late}"))
        assert second != first
        await story.refusal(story.say(f"/release ack {first}"), "Nothing waits to be acknowledged under that digest")
        story.say(f"/release ack {second}")
        await goes_on(story)


async def test_deferred_blockers_stop_candidates(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0rc1") as story:
        deferred = story.world.github.open_issue("coredev", UPSTREAM, "It cannot wait", labels=["deferred-blocker", "3.15"])
        story.say("/release 3.15.0rc1")
        head = await holds(story, "blockers", f"The issue #{deferred}", "deferred-blocker")
        story.say(f"/release waive blockers {head} the next candidate will do", by="pablogsal")
        await story.asked_to_cut()
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")
        assert (await story.upstream())["refs/tags/v3.15.0rc1"] == cut.tag


async def test_a_red_buildbot_is_acknowledged(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.buildbot.finish("builder 0", FAILURE)
        story.world.buildbot.finish("builder 2", FAILURE)
        story.say("/release 3.15.0a3")
        body = await story.comment("1 stable buildbot of the blocking tiers is red: builder 0")
        assert "builder 2" not in body
        await story.status("1 stable buildbot of the other tiers is red: builder 2")
        ack = story.say(f"/release ack {digest_in(body)}")
        await story.agreed(ack)
        await goes_on(story)


async def test_a_buildbot_that_recovers_holds_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.buildbot.finish("builder 1", FAILURE)
        story.say("/release 3.15.0a3")
        await story.comment("is red: builder 1")
        story.world.buildbot.finish("builder 1")
        await goes_on(story)


async def test_a_version_is_left_out(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        later = await story.beside("3.15.0a5", "hugovk")
        later.say("/release 3.15.0a5")
        digest = digest_in(await later.comment("3.15.0a5", "3.15.0a2"))
        later.say(f"/release ack {digest}")
        await later.asked_to_cut()
        cut = await later.cut()
        await later.approved(cut)
        await later.state("done")
        assert (await later.upstream())["refs/tags/v3.15.0a5"] == cut.tag


async def test_an_extra_change_is_waived_by_somebody_who_neither_started_nor_tagged(tmp_path: Path) -> None:
    extra = {"Lib/shrubbery.py": b"print('Ni!')\n"}
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3", by="pablogsal")
        await story.asked_to_cut()
        cut = await story.cut(extra_changes=extra)
        await story.comment("Lib/shrubbery.py", "is not a file that a release changes", f"/release waive audit {cut.tag} REASON")
        early = story.say(f"/release approve {cut.tag}")
        await story.refusal(early, "no audited push plan")
        starter = story.say(f"/release waive audit {cut.tag} please", by="pablogsal")
        await story.refusal(starter, "pablogsal started this release")
        tagger = story.say(f"/release waive audit {cut.tag} please")
        await story.refusal(tagger, "hugovk made the tag")
        commit = story.say(f"/release waive audit {cut.commit} please", by="ambv")
        await story.refusal(commit, f"failed for {cut.tag}")
        story.say(f"/release waive audit {cut.tag} the knights insist", by="ambv")
        await story.approved(cut)
        await story.state("done")
        await story.status("**Waived** by `ambv`", f"`audit` for `{cut.tag}`: the knights insist")


@pytest.mark.chaos
async def test_a_waiver_is_for_one_tag_only(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        first = await story.opened(extra_changes={"Lib/shrubbery.py": b"print('Ni!')\n"})
        await story.comment(f"/release waive audit {first.tag} REASON")
        story.say(f"/release waive audit {first.tag} the knights insist", by="pablogsal")
        await story.comment("/release approve", first.tag)
        second = await story.retagged(first)
        await story.comment("Lib/shrubbery.py", f"/release waive audit {second.tag} REASON")
        third = await story.hands_cut()
        await story.pushed(third, force=True)
        await story.approved(third)
        release = await story.state("done")
        assert release["attempt"] == 3
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == third.tag


async def test_a_rule_the_bot_cannot_pass_is_named_before_the_freeze(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
        fields = {"name": "Reviews for all", "rules": [{"type": "pull_request"}], "conditions": conditions}
        reviews = github.add_ruleset("coredev", UPSTREAM, fields)
        story.say("/release 3.15.0a3")
        await holds(story, "passage", "the ruleset “Reviews for all” (pull\\_request)", "add the App to its bypass list")
        ours = {"actor_id": github.app.id, "actor_type": "Integration", "bypass_mode": "always"}
        github.edit_ruleset("coredev", reviews, {"bypass_actors": [ours]})
        await story.asked_to_cut()
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")


async def test_a_rule_of_the_organisation_about_tags_is_named_too(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        conditions = {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}, "repository_name": {"include": ["~ALL"], "exclude": []}}
        fields = {"name": "Only managers tag", "target": "tag", "rules": [{"type": "creation"}], "conditions": conditions}
        rule = github.add_ruleset("coredev", "python", fields)
        story.say("/release 3.15.0a3")
        await holds(story, "passage", "the ruleset “Only managers tag” (creation)")
        github.delete_ruleset("coredev", rule)
        await goes_on(story)


async def test_classic_protection_is_named_too(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        github.protect(UPSTREAM, "main", {"lock_branch": {"enabled": True}})
        story.say("/release 3.15.0a3")
        await holds(story, "passage", "the classic protection of main (it is locked)")
        github.protect(UPSTREAM, "main", None)
        await goes_on(story)


async def test_nobody_is_called_twice_because_something_is_silent_for_a_while(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        story.world.faults.add(Fault(action=refuse(503), path=r"^/hugovk/cpython\.git/info/refs$", times=4))
        await story.step("tag", "waiting")
        await story.step("tag", "needs a person")
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")
