"""The first beta: a branch begins where the tag is, and main becomes the next version, all in one push."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.release_manager import Cut
from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.stage import UPSTREAM
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story, accepted
from tests.stories.telling import only, telling

B1 = "3.15.0b1"
NEW, OLD, TAG = "refs/heads/3.15", "refs/heads/main", "refs/tags/v3.15.0b1"
BUMP = "refs/heads/branch-3.16.0a0"

WITH_GO = only("preflight", "freeze", "tag", "audit", "approve", "go", "push", "thaw")
"""Who says go lets things become public, here nothing."""


async def asked_for_bump(story: Story, *words: str) -> None:
    """Wait for the call for the commit that makes main the next version."""
    await story.comment("Make it on top of the tag", "git switch -c branch-3.16.0a0 refs/tags/v3.15.0b1", *words)


async def bumped(story: Story, cut: Cut, **how: Any) -> str:
    """Push the commit that makes main the next version to the fork, and return its id."""
    accepted(await story.hands.bump_main(cut, **how))
    return (await story.world.github.refs("hugovk/cpython"))[BUMP]


async def acknowledged(story: Story, bump: str) -> None:
    """Take note of what was edited by hand."""
    asked = await story.comment("/release ack", f"In the commit {bump}, which main becomes", "was edited by hand for 3.16.0a0: read it")
    story.say(f"/release ack {asked.partition('/release ack ')[2][:12]}")


async def all_arrived(story: Story, cut: Cut, bump: str, before: dict[str, str]) -> None:
    """See that exactly what was approved is upstream, and nothing else moved."""
    plan = {line["ref"]: (line["old"], line["new"]) for line in (await story.release())["plan"]}
    assert {ref: old for ref, (old, _) in plan.items()} == {NEW: None, OLD: before[OLD], TAG: None}
    refs = await story.upstream()
    assert {ref: refs[ref] for ref in refs if refs[ref] != before.get(ref)} == {ref: new for ref, (_, new) in plan.items()}
    assert (refs[OLD], refs[TAG]) == (bump, cut.tag)
    upstream = LocalRepository(story.world.github.repository(UPSTREAM).git.directory)
    assert [upstream.text("log", "-1", "--format=%s %P", refs[ref]) for ref in (NEW, OLD)] == [
        f"Post {B1} {cut.commit}",
        f"Python 3.16.0a0 {cut.commit}",
    ]


async def test_a_branch_begins_and_main_becomes_the_next_version(tmp_path: Path) -> None:
    async with telling(tmp_path, B1) as story:
        before = await story.upstream()
        assert NEW not in before
        cut = await story.opened()
        await asked_for_bump(story, "python release.py --bump 3.16.0a0", "git push origin refs/heads/branch-3.16.0a0")
        rules = {ruleset.name.split()[1]: {rule["type"] for rule in ruleset.rules} for ruleset in story.world.github.rulesets(UPSTREAM)}
        assert rules == {
            NEW: {"creation", "update", "deletion"},
            OLD: {"update", "deletion", "non_fast_forward"},
            TAG: {"creation", "update", "deletion"},
        }
        bump = await bumped(story, cut)
        await acknowledged(story, bump)
        await story.comment(
            "/release approve",
            cut.tag,
            f"The branch 3.15 begins at the tag; main becomes 3.16.0a0 by the commit {bump} of branch-3.16.0a0 in hugovk/cpython",
        )
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await all_arrived(story, cut, bump, before)
        await story.status("branch 3.15, branch main and tag v3.15.0b1 are at the approved ids")


@pytest.mark.chaos
async def test_another_bump_is_judged_and_approved_anew(tmp_path: Path) -> None:
    async with telling(tmp_path, B1, policy=WITH_GO) as story:
        before = await story.upstream()
        cut = await story.opened()
        await asked_for_bump(story, "has to be made now")
        await bumped(story, cut, onto=cut.head)
        await asked_for_bump(story, "is not the one commit on top of the tag")
        await bumped(story, cut, subject="Bump the version")
        await asked_for_bump(story, "which says “Bump the version” where “Python 3.16.0a0” is expected")
        await bumped(story, cut, extra_changes={"Lib/site.py": b"import antigravity\n"})
        await story.comment("/release waive bump", cut.tag, "`Lib/site.py` is not a file that a release changes")
        good = await bumped(story, cut)
        await acknowledged(story, good)
        await story.approved(cut)
        await story.comment("/release go")
        later = await bumped(story, cut, extra_changes={"configure": b"#! /bin/sh\necho spam\n"})
        await acknowledged(story, later)
        await story.comment("/release approve", later)
        assert (await story.upstream())[OLD] == before[OLD]
        story.say(f"/release approve {cut.tag}")
        await story.step("approve", "passed")
        story.say(f"/release go {cut.tag}")
        await story.state("done")
        await all_arrived(story, cut, later, before)


@pytest.mark.chaos
async def test_while_the_bump_is_awaited_nothing_is_proved_again(tmp_path: Path) -> None:
    async with telling(tmp_path, B1) as story:
        before = await story.upstream()
        cut = await story.opened()
        await asked_for_bump(story, "has to be made now")
        await story.step("audit", "needs a person")
        await story.stop_bot()
        await asyncio.to_thread(shutil.rmtree, story.directory / "home" / "git")
        await story.start_bot()
        # What is said is heard before the steps look: at the second time they have looked.
        await story.later()
        await story.later()
        assert not list((story.directory / "home" / "git").glob("**/*.pack"))
        bump = await bumped(story, cut)
        await acknowledged(story, bump)
        await story.approved(cut)
        await story.state("done")
        await all_arrived(story, cut, bump, before)


@pytest.mark.chaos
async def test_nobody_else_begins_the_branch(tmp_path: Path) -> None:
    async with telling(tmp_path, B1) as story:
        await story.hands.fetch()
        main = (await story.upstream())[OLD]
        accepted(await story.hands.push_upstream(f"{main}:{NEW}"))
        story.say(f"/release {B1}")
        await story.comment("3.15.0b1 begins the branch 3.15, which exists in python/cpython already")
        accepted(await story.hands.push_upstream(f":{NEW}"))
        await story.asked_to_cut()
        assert not (await story.hands.push_upstream(f"{main}:{NEW}")).accepted
        rules = story.world.github.rulesets(UPSTREAM)
        story.world.github.delete_ruleset("coredev", next(rule.id for rule in rules if NEW in rule.name))
        accepted(await story.hands.push_upstream(f"{main}:{NEW}"))
        await story.comment("The freeze of refs/heads/3.15 was changed from outside")
        await story.state("halted")
        story.say("/release abort somebody was faster")
        await story.state("aborted")


@pytest.mark.chaos
async def test_a_rule_of_others_on_the_branch_to_come_is_found_before_the_freeze(tmp_path: Path) -> None:
    async with telling(tmp_path, B1) as story:
        ref = {"ref_name": {"include": ["refs/heads/3.*"], "exclude": []}}
        rule = {"name": "no new branches", "rules": [{"type": "creation"}, {"type": "deletion"}], "conditions": ref}
        late = story.world.github.add_ruleset("coredev", UPSTREAM, rule)
        story.say(f"/release {B1}")
        await story.comment("/release waive passage", "could not push past the ruleset “no new branches” (creation)")
        assert not story.freezes()
        story.world.github.delete_ruleset("coredev", late)
        await story.asked_to_cut()
        story.say("/release abort this story is told")
        await story.state("aborted")


@pytest.mark.chaos
async def test_all_of_it_arrives_once_however_often_the_bot_dies(tmp_path: Path) -> None:
    mortal = Mortal(only=("freeze", "push", "thaw"))
    async with telling(tmp_path, B1, observers=[mortal]) as story, reviving(story, mortal):
        story.patience = 60
        before = await story.upstream()
        cut = await story.opened()
        await asked_for_bump(story)
        bump = await bumped(story, cut)
        await acknowledged(story, bump)
        await story.approved(cut)
        await story.state("done")
        await all_arrived(story, cut, bump, before)


@pytest.mark.chaos
async def test_from_the_push_on_nothing_takes_the_place_of_the_bump(tmp_path: Path) -> None:
    mortal = Mortal(("between",), only=("push",))
    async with telling(tmp_path, B1, observers=[mortal]) as story:
        before = await story.upstream()
        cut = await story.opened()
        await asked_for_bump(story)
        bump = await bumped(story, cut)
        await acknowledged(story, bump)
        await story.approved(cut)
        await story.until("the death before the push", _died(mortal))
        await story.kill_bot()
        other = await bumped(story, cut, extra_changes={"configure": b"#! /bin/sh\necho spam\n"})
        await story.start_bot()
        await story.comment(f"{BUMP} in hugovk/cpython is {other}, no longer {bump}", "Push it there again")
        assert (await story.upstream())[OLD] == before[OLD]
        accepted(await story.hands.push_again(f"{bump}:{BUMP}"))
        await story.state("done")
        await all_arrived(story, cut, bump, before)


def _died(mortal: Mortal) -> Callable[[], Awaitable[bool]]:
    async def died() -> bool:
        return mortal.died.is_set()

    return died
