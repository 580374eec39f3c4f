"""What may happen to the stages of a package between its build and its release."""

from pathlib import Path

import pytest

from bot.rehearsal.faults import Fault, drop_after
from tests.stories.package_story import OTHERS, RELEASE, PackageStory, telling_of

APPROVE = "/release approve-stage azure-core"
RUNS = r"/_apis/pipelines/983/runs$"

pytestmark = pytest.mark.chaos


async def ended(story: PackageStory, tag: str) -> None:
    await story.comment("is out")
    await story.state("done")
    assert (await story.upstream())[f"refs/tags/{story.setting.tag}"] == tag


async def test_what_is_kept_back_is_released_from_another_commit(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        await story.to_decision()
        story.say("/release reject-stage azure-core")
        await story.status_of(RELEASE, "rejected")
        await story.comment("kept azure-core back", "/release refreeze REASON")
        await story.world.github.commit(
            story.manager, story.home, "main", {"sdk/core/azure-core/azure/core/mended.py": "pass\n"}, "Mend it"
        )
        story.say("/release refreeze something was mended")
        tag = await story.until("another tag", lambda: another(story))
        await story.comment(f"/release approve {tag}")
        story.say(f"/release approve {tag}")
        await story.comment(APPROVE)
        story.say(APPROVE)
        await ended(story, tag)
        first, second = story.world.azure.runs
        assert (first.result, second.stage(RELEASE).result) == ("canceled", "succeeded")


async def another(story: PackageStory) -> str:
    release = await story.release()
    return str(release["tag"]["object"]) if release.get("attempt") == 2 and release.get("tag") else ""


async def test_what_was_approved_on_azure_alone_needs_a_word_all_the_same(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        tag = await story.to_decision()
        story.world.azure.approve(story.setting.approver.login, story.run.id, RELEASE)
        await story.comment("was approved on Azure, and nobody told me", APPROVE)
        assert f"refs/tags/{story.setting.tag}" not in await story.upstream()
        story.say(APPROVE)
        for other in OTHERS:
            await story.status_of(other, "rejected")
        await ended(story, tag)


async def test_a_release_stage_that_failed_is_tried_again_and_approved_again(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.machines.failing.add(RELEASE)
        tag = await story.to_decision()
        story.say(APPROVE)
        await story.comment(f"The stage `{RELEASE}`", "/release retry package-release")
        assert story.on_pypi() == {}
        story.machines.failing.clear()
        story.say("/release retry package-release")
        await ended(story, tag)
        assert story.on_pypi() == story.built()


async def test_one_run_is_ordered_although_its_answer_was_lost_and_main_moves_on(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.world.faults.add(Fault(action=drop_after(), method="POST", path=RUNS))
        tag = await story.to_decision()
        await story.world.github.commit(story.manager, story.home, "main", {"README.md": "More to come\n"}, "Go on")
        story.say(APPROVE)
        await ended(story, tag)
        assert len(story.world.azure.runs) == 1
