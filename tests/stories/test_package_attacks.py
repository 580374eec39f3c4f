"""What must not be released, whoever tries, and what must not be mixed up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.faults import Fault, drop_after
from bot.rehearsal.repository import LocalRepository
from bot.rehearsal.sdk_tree import changelog
from tests.stories.disorder import Mortal, reviving
from tests.stories.package_story import RELEASE, PackageStory, telling_of

APPROVE = "/release approve-stage azure-core"
MGMT = "sdk/core/azure-mgmt-core"
PATIENT = 90.0
"""Seconds; two at once take a while, and dying does as well."""

pytestmark = pytest.mark.chaos


async def ended(story: PackageStory, tag: str) -> None:
    await story.comment("is out")
    await story.state("done")
    assert (await story.upstream())[f"refs/tags/{story.setting.tag}"] == tag


async def beside(story: PackageStory, package: str, version: str) -> PackageStory:
    """Return the story of another package of the same service, with an issue of its own."""
    states, told = f"{MGMT}/azure/mgmt/core/_version.py", f"{MGMT}/CHANGELOG.md"
    ready = {states: f'VERSION = "{version}"\n', told: changelog(version, story.world.now())}
    await story.world.github.commit(story.manager, story.home, "main", ready, f"Prepare {package} {version}")
    setting: Any = replace(story.setting, package=package, version=version)
    other = replace(story, setting=setting)
    other.machines, other.expected = story.machines, story.expected
    other.issue = other.open_issue()
    return other


async def asked(story: PackageStory, words: str) -> str:
    return await story.comment(words, issue=story.issue)


async def test_two_packages_of_one_service_go_to_pypi_at_the_same_time_each_from_a_run_of_its_own(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        await both_released(story)


async def test_two_packages_are_not_mixed_up_however_often_the_bot_dies_and_answers_get_lost(tmp_path: Path) -> None:
    mortal = Mortal(only=["package-build", "package-release"])
    async with telling_of(tmp_path, bot_approves=True, observers=[mortal]) as story, reviving(story, mortal):
        story.world.faults.add(Fault(action=drop_after(), method="POST", path=r"/_apis/pipelines/983/runs$"))
        await both_released(story)
    assert len({key.release for _, key in mortal.deaths}) == 2


async def both_released(story: PackageStory) -> None:
    """Release two packages of one commit beside each other, and see that each came from a run of its own."""
    other = await beside(story, "azure-mgmt-core", "1.6.0")
    both = (story, other)
    for one in both:
        one.patience = PATIENT
        one.say(f"/release {one.name}")
    tags = {one.name: await one.tag_object() for one in both}
    for one in both:
        one.say(f"/release approve {tags[one.name]}")
    for one in both:
        await asked(one, f"/release approve-stage {one.setting.package}")
    for one in both:
        one.say(f"/release approve-stage {one.setting.package}")
    for one in both:
        await asked(one, "is out")
        one.bot = story.bot  # the one that lives since it died last
        await one.state("done")
        assert (await one.upstream())[f"refs/tags/{one.setting.tag}"] == tags[one.name]
    stages = [{stage.plan.name: stage.result for stage in run.stages if stage.plan.asks} for run in story.world.azure.runs]
    assert len(stages) == 2
    for name in (RELEASE, "Release_azuremgmtcore"):
        assert sorted(str(run[name]) for run in stages) == ["failed", "succeeded"]
    assert all(list(run.values()).count("succeeded") == 1 for run in stages)


async def test_nothing_is_released_of_a_commit_that_is_no_longer_on_its_branch(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        await story.to_decision()
        upstream = LocalRepository(story.world.github.repository(story.home).git.directory)
        upstream.text("update-ref", "refs/heads/main", upstream.resolve("refs/heads/main~1"))
        story.say(APPROVE)
        await story.comment("its history was written anew")
        await story.state("halted")
        assert story.on_pypi() == {}
        assert story.run.stage(RELEASE).approval.status == "pending"  # type: ignore[union-attr]  # it was asked for
        await recalled(story)


async def recalled(story: PackageStory) -> None:
    story.say("/release abort it cannot be")
    await story.comment("wants to recall")
    story.say("/release abort it is so", by=story.setting.approver.login)
    await story.state("aborted")
    await story.comment("was recalled after its go")


async def test_what_ran_without_a_word_and_failed_may_be_public_and_is_never_said_not_to_be(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.machines.failing.add(RELEASE)
        story.handled.add("it is public, or about to be")  # where somebody looks before it has failed
        tag = await story.to_decision()
        story.world.azure.approve(story.setting.approver.login, story.run.id, RELEASE)
        await story.comment("it failed, and a part of it may be public", APPROVE)
        story.say(APPROVE)
        await story.comment(f"The stage `{RELEASE}`", "/release retry package-release")
        story.machines.failing.clear()
        story.say("/release retry package-release")
        await ended(story, tag)


async def test_a_run_that_is_deleted_after_its_package_went_out_holds_nothing_up(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=False) as story:
        tag = await story.to_decision()
        story.say(APPROVE)
        await story.comment("please approve `azure-core` and reject", f"buildId={story.run.id}")
        story.world.azure.approve(story.setting.approver.login, story.run.id, RELEASE)
        await story.until("the package on PyPI", lambda: there(story))
        story.world.azure.delete(story.run.id)
        story.forgiven.append("retained")
        await story.comment("is out")
        await story.state("done")
        assert (await story.upstream())[f"refs/tags/{story.setting.tag}"] == tag


async def there(story: PackageStory) -> bool:
    return len(story.on_pypi()) == 2


async def test_after_a_word_against_it_the_stage_that_the_bot_may_not_reject_is_asked_of_people(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=False) as story:
        await story.to_decision()
        story.say("/release reject-stage azure-core")
        await story.comment("kept azure-core back", "please reject it as well", f"buildId={story.run.id}")
        story.say("/release abort enough")
        await story.state("aborted")
        assert story.run.result == "canceled"
