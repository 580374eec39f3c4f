"""Where there are no rulesets, a branch is frozen by its classic protection, which is put back exactly as it was."""

from pathlib import Path
from typing import Final

import pytest

from bot.rehearsal.faults import Fault, drop_after, refuse
from bot.rehearsal.github_model import JsonObject
from bot.rehearsal.stage import UPSTREAM
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import classic, only, rarely, telling

GUARDED: Final[JsonObject] = {
    "required_status_checks": {"strict": True, "contexts": [], "checks": [{"context": "All required checks pass", "app_id": -1}]},
    "enforce_admins": False,
    "required_pull_request_reviews": {
        "dismiss_stale_reviews": True,
        "require_code_owner_reviews": True,
        "required_approving_review_count": 1,
        "bypass_pull_request_allowances": {"users": ["pablogsal"], "teams": [], "apps": []},
    },
    "restrictions": {"users": ["coredev"], "teams": ["release-managers"], "apps": []},
    "required_conversation_resolution": True,
}
"""How an administrator protected a branch: much of it would stop the bot."""

PROTECTION: Final = rf"^/repos/{UPSTREAM}/branches/main/protection"


def guard(story: Story, branch: str = "main", *, signatures: bool = True) -> JsonObject | None:
    """Protect a branch as its administrator does, and return what everybody sees of it."""
    story.world.github.write_protection("coredev", UPSTREAM, branch, GUARDED, signatures=signatures)
    return story.world.github.protection(UPSTREAM, branch)


def guarded(story: Story, branch: str = "main") -> JsonObject | None:
    """Return how a branch is protected."""
    return story.world.github.protection(UPSTREAM, branch)


async def frozen(story: Story) -> None:
    """Start the release, up to the freeze."""
    story.say("/release 3.15.0a3")
    await story.asked_to_cut()
    assert story.freezes() == ["main"]


async def released(story: Story) -> None:
    """Carry the release to its end."""
    cut = await story.cut()
    await story.approved(cut)
    await story.state("done")
    assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag


async def test_a_protected_branch_is_frozen_and_protected_again_as_it_was(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        await frozen(story)
        stopped = await story.hands.merge_fix("main")
        assert "GH006" in stopped.answer.words
        freeze = await story.step("freeze", "passed")
        assert [row["what"] for row in freeze["evidence"]] == ["classic protection of main", "no rule on refs/tags/v3.15.0a3"]
        await released(story)
        assert guarded(story) == before
        thaw = await story.step("thaw", "passed")
        assert "read back and equal" in str(thaw["evidence"])


@pytest.mark.chaos
async def test_an_unprotected_branch_is_unprotected_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        await frozen(story)
        await released(story)
        assert guarded(story) is None


async def test_it_dies_at_every_instruction_of_freeze_and_thaw(tmp_path: Path) -> None:
    mortal = Mortal(only=("freeze", "thaw"))
    async with telling(tmp_path, "3.15.0a3", policy=classic, observers=[mortal]) as story, reviving(story, mortal):
        before = guard(story)
        await frozen(story)
        story.say("/release abort it was only a try")
        await story.state("aborted")
        assert guarded(story) == before
        assert {(point, key.step) for point, key in mortal.deaths} == {
            (point, step) for point in ("between", "acted", "after") for step in ("freeze", "thaw")
        }


@pytest.mark.chaos
@pytest.mark.parametrize("signatures", [True, False])
@pytest.mark.parametrize("lost", ["PUT", "POST", "DELETE"])
async def test_answers_are_lost(tmp_path: Path, lost: str, *, signatures: bool) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story, signatures=signatures)
        story.world.faults.add(Fault(action=drop_after(), method=lost, path=PROTECTION))
        await frozen(story)
        story.world.faults.add(Fault(action=drop_after(), method=lost, path=PROTECTION))
        await released(story)
        assert guarded(story) == before
        story.world.faults.clear()


async def test_a_protection_changed_during_the_freeze_is_left_to_people(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        await frozen(story)
        story.world.github.write_protection("coredev", UPSTREAM, "main", {**GUARDED, "enforce_admins": True})
        changed = guarded(story)
        await story.state("halted")
        await story.comment("is halted and its freeze stays", "was changed from outside", "who may push")
        freeze = await story.step("freeze", "failed")
        assert "All required checks pass" in str(freeze["evidence"])
        story.say("/release abort somebody changed the protection")
        await story.comment("/release retry thaw", "Compared with before", "administrators are bound")
        assert guarded(story) == changed != before
        story.say("/release retry thaw")
        await story.state("aborted")
        assert guarded(story) == changed
        thaw = await story.step("thaw", "passed")
        assert "left as somebody made it" in str(thaw["evidence"])


@pytest.mark.chaos
async def test_a_changed_protection_that_still_shuts_everybody_out_is_put_right_by_a_person(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story, signatures=False)
        await frozen(story)
        apps = {"users": [], "teams": [], "apps": [story.world.github.app.slug]}
        loosened = {**GUARDED, "restrictions": apps}
        story.world.github.write_protection("coredev", UPSTREAM, "main", loosened)
        await story.state("halted")
        await story.comment("is halted and its freeze stays", "was changed from outside")
        story.say("/release abort somebody changed the protection")
        await story.comment("/release retry thaw")
        await story.agreed(story.say("/release retry thaw"))
        await story.later()
        assert story.freezes() == ["main"]
        before = guard(story, signatures=False)
        await story.state("aborted")
        assert guarded(story) == before


@pytest.mark.chaos
async def test_what_github_shows_newly_does_not_keep_a_freeze_for_ever(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story, signatures=False)
        await frozen(story)
        ours = guarded(story)
        assert ours is not None
        story.world.github.protect(UPSTREAM, "main", {**ours, "something_new": {"enabled": False}})
        await story.comment("The step freeze failed", "something\\_new", "does not know how to put back")
        story.say("/release abort it was only a try")
        await story.comment("/release retry thaw", "something\\_new")
        await story.agreed(story.say("/release retry thaw"))
        await story.later()
        assert story.freezes() == ["main"]
        before = {**(guard(story, signatures=False) or {}), "something_new": {"enabled": False}}
        story.world.github.protect(UPSTREAM, "main", before)
        await story.later()
        story.say("/release retry thaw")
        await story.state("aborted")
        assert guarded(story) == before


@pytest.mark.chaos
async def test_a_refused_restore_is_put_right_by_a_person(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story, signatures=False)
        await frozen(story)
        story.world.faults.add(Fault(action=refuse(422), method="PUT", path=PROTECTION, times=1))
        story.say("/release abort it was only a try")
        await story.comment("/release retry thaw", "GitHub refused to take the protection of main back")
        await story.agreed(story.say("/release retry thaw"))
        await story.state("aborted")


@pytest.mark.parametrize(
    ("beyond", "reason"),
    [
        ({"merge_queue": True}, "a merge queue works on it"),
        rarely({"requires_deployments": True}, "deployments are required"),
        rarely({"force_pushers": 2}, "some may force pushes to it"),
        rarely({"pattern": "ma*"}, "the pattern “ma\\*” protects it, and other branches too"),
    ],
)
async def test_what_could_not_be_restored_is_refused_before_the_freeze(tmp_path: Path, beyond: JsonObject, reason: str) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        story.world.github.repository(UPSTREAM).beyond_rest["main"] = dict(beyond)
        story.say("/release 3.15.0a3")
        await story.comment("main cannot be frozen", reason)
        assert guarded(story) == before
        guard(story)
        await story.asked_to_cut()
        story.say("/release abort it was only a try")
        await story.state("aborted")


@pytest.mark.chaos
async def test_a_repository_of_a_user_is_refused_before_the_freeze(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        story.world.github.user("python").type = "User"
        await story.refusal(story.say("/freeze 3.14 because"), "belongs to a user", "only in organisations can it be said who may push")


async def test_a_branch_is_frozen_by_a_command_and_opened_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story, "3.14")
        await story.answer(story.say("/freeze 3.14 the buildbots are on fire"), "`3.14` is frozen: only this bot can move it")
        stopped = await story.hands.merge_fix("3.14")
        assert "GH006" in stopped.answer.words
        await story.answer(story.say("/unfreeze 3.14"), "`3.14` is open again")
        assert guarded(story, "3.14") == before


@pytest.mark.chaos
async def test_a_branch_frozen_by_a_command_is_not_frozen_by_a_release_too(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        await story.answer(story.say("/freeze main the servers are moved"), "`main` is frozen")
        story.say("/release 3.15.0a3")
        await story.comment("its protection is that of a freeze already", "/unfreeze")
        await story.answer(story.say("/unfreeze main"), "`main` is open again")
        await story.asked_to_cut()
        await story.refusal(story.say("/freeze main me too"), "its protection is that of a freeze already")
        await released(story)
        assert guarded(story) == before


@pytest.mark.chaos
async def test_the_protection_under_a_standing_freeze_is_changed(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story, "3.14")
        await story.answer(story.say("/freeze 3.14 because"), "`3.14` is frozen")
        story.world.github.write_protection("coredev", UPSTREAM, "3.14", {**GUARDED, "lock_branch": True})
        await story.comment("@hugovk", "`3.14` is no longer frozen, because its classic protection was changed", "the branch is locked")
        await story.refusal(story.say("/unfreeze 3.14"), "No standing freeze holds 3.14")


@pytest.mark.chaos
@pytest.mark.parametrize("wanted", ["PUT", "DELETE"])
async def test_a_command_that_is_refused_half_way_leaves_nothing_behind(tmp_path: Path, wanted: str) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story, "3.14")
        path = PROTECTION.replace("main", "3.14")
        story.world.faults.add(Fault(action=refuse(403, {"message": "no"}), method=wanted, path=path, times=1))
        await story.refusal(story.say("/freeze 3.14 because"), "403")
        assert guarded(story, "3.14") == before


async def test_nothing_is_frozen_without_the_permission(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        story.world.github.install(UPSTREAM).permissions["administration"] = "read"
        await story.refusal(story.say("/freeze 3.14 because"), "may not change branch protection", "administration: write")
        story.world.github.install(UPSTREAM).permissions["administration"] = "write"


@pytest.mark.chaos
async def test_a_freeze_that_appears_when_its_release_is_over_is_lifted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        await frozen(story)
        ours = story.world.github.protection(UPSTREAM, "main")
        story.say("/release abort it was only a try")
        await story.state("aborted")
        assert guarded(story) == before
        assert ours is not None
        story.world.github.protect(UPSTREAM, "main", ours)

        async def lifted() -> bool:
            return guarded(story) == before

        await story.until("what came late to be lifted", lifted)


@pytest.mark.chaos
async def test_the_release_script_is_run_to_its_end(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        before = guard(story)
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        await story.smuggled(UPSTREAM, "refs/tags/v3.15.0a3", cut.tag)
        await story.state("halted")
        await story.comment("is halted and its freeze stays", "v3.15.0a3 exists in python/cpython already, pushed outside the bot")
        await story.world.github.set_ref("coredev", UPSTREAM, "refs/tags/v3.15.0a3", None)
        story.say("/release resume")
        await story.approved(cut)
        await story.state("done")
        assert guarded(story) == before


@pytest.mark.chaos
async def test_a_freeze_that_was_lifted_after_the_go_is_laid_again(tmp_path: Path) -> None:
    steps = only("preflight", "freeze", "tag", "audit", "approve", "macos", "go", "publication", "push", "thaw")
    async with telling(tmp_path, "3.15.0a3", policy=lambda text: classic(steps(text)), whole=True) as story:
        before = guard(story, signatures=False)
        cut = await story.opened()
        await story.approved(cut)
        await story.comment("Build the macOS installer")
        story.say(f"/release done macos {'a' * 64}", by=story.setting.macos_expert.login)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org")
        story.world.github.write_protection("coredev", UPSTREAM, "main", {**GUARDED, "lock_branch": True})
        await story.state("halted")
        await story.comment("is halted", "was changed from outside")
        story.say("/release resume")
        await story.comment("is halted", "Make the protection of main what it was before the freeze")
        guard(story, signatures=False)
        story.say("/release resume")

        async def again() -> bool:
            return story.freezes() == ["main"]

        await story.until("the freeze", again)
        await story.comment("python.org does not show")
        await story.step("freeze", "passed")
        story.say("/release abort it was a rehearsal")
        await story.comment("wants to recall")
        story.say("/release abort so it was", by="ambv")
        await story.state("aborted")
        await story.comment("was recalled after its go", "off python.org")
        assert guarded(story) == before


@pytest.mark.chaos
async def test_what_is_changed_before_the_freeze_could_be_written_is_put_back_too(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story)
        story.world.faults.add(Fault(action=refuse(503), method="PUT", path=PROTECTION, times=1_000))
        story.say("/release 3.15.0a3")
        await story.step("freeze", "waiting")
        story.world.github.write_protection("coredev", UPSTREAM, "main", {**GUARDED, "required_linear_history": True})
        changed = guarded(story)
        story.world.faults.clear()
        await story.asked_to_cut()
        assert story.freezes() == ["main"]
        await released(story)
        assert guarded(story) == changed


@pytest.mark.chaos
async def test_a_freeze_that_was_changed_before_it_was_remembered_is_never_what_is_put_back(tmp_path: Path) -> None:
    mortal = Mortal(("acted",), only=("freeze",))
    async with telling(tmp_path, "3.15.0a3", policy=classic, observers=[mortal]) as story:
        guard(story, signatures=False)
        story.say("/release 3.15.0a3")

        async def died() -> bool:
            return mortal.died.is_set()

        await story.until("the death in the freeze", died)
        await story.kill_bot()
        apps = {"users": [], "teams": [], "apps": [story.world.github.app.slug]}
        story.world.github.write_protection("coredev", UPSTREAM, "main", {**GUARDED, "restrictions": apps})
        await story.start_bot()
        await story.comment("@hugovk", "is neither my freeze nor what it was before")
        before = guard(story, signatures=False)
        await story.asked_to_cut()
        assert story.freezes() == ["main"]
        await released(story)
        assert guarded(story) == before


@pytest.mark.chaos
async def test_a_changed_protection_is_left_when_the_release_is_frozen_anew(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=classic) as story:
        guard(story)
        await frozen(story)
        story.world.github.write_protection("coredev", UPSTREAM, "main", {**GUARDED, "enforce_admins": True})
        changed = guarded(story)
        await story.state("halted")
        await story.comment("is halted and its freeze stays", "was changed from outside")
        story.say("/release refreeze somebody changed the protection")
        await story.comment("/release retry freeze", "I leave it as it is", "administrators are bound")
        await story.agreed(story.say("/release retry freeze"))
        await story.comment("is open again for the fix")
        assert guarded(story) == changed
        await story.agreed(story.say("/release retry freeze"))
        await story.asked_to_cut()
        assert story.freezes() == ["main"]
        await released(story)
        assert guarded(story) == changed


@pytest.mark.chaos
async def test_it_dies_at_every_instruction_of_a_whole_release(tmp_path: Path) -> None:
    mortal = Mortal()
    async with telling(tmp_path, "3.15.0a3", policy=classic, observers=[mortal]) as story, reviving(story, mortal):
        story.patience = 90.0
        before = guard(story)
        await frozen(story)
        await released(story)
        assert guarded(story) == before
