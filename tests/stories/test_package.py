"""A package goes to PyPI, and only it: somebody says which stage is released, and everything else of the same run is not."""

from collections import Counter
from pathlib import Path

import pytest

from bot.rehearsal.sdk_stage import OWNER
from bot.rehearsal.sdk_tree import changelog
from tests.stories.disorder import Mortal, reviving
from tests.stories.package_story import OTHERS, RELEASE, PackageStory, telling_of
from tests.stories.test_whole_disorder import DISORDERS, deeds

CHANGELOG = "sdk/core/azure-core/CHANGELOG.md"
PATIENT = 120.0
"""Seconds; dying after everything takes a while."""

APPROVE = "/release approve-stage azure-core"


def acknowledged(body: str) -> str:
    """Return the line that takes note of what a comment tells."""
    return next(line for line in body.splitlines() if line.startswith("/release ack"))


async def ended(story: PackageStory, tag: str) -> None:
    """See that exactly what was built is on PyPI, and exactly the approved tag upstream."""
    await story.comment("is out", "https://pypi.org/project/azure-core/1.30.0/")
    await story.state("done")
    assert (await story.upstream())[f"refs/tags/{story.setting.tag}"] == tag
    assert story.on_pypi() == story.built()
    assert [stage.result for stage in story.run.stages] == ["succeeded", "succeeded", "succeeded", "failed", "failed"]
    assert story.run.result == "failed"


async def test_the_bot_approves_what_was_decided_rejects_the_rest_and_waits_for_pypi(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.world.pypi.holding = True
        tag = await story.to_decision()
        before = await story.upstream()
        decided = story.say(APPROVE)
        await story.agreed(decided)
        await story.status_of(RELEASE, "approved")
        for other in OTHERS:
            await story.status_of(other, "rejected")
        await story.step("pypi", "waiting")
        story.world.pypi.let_through("azure_core-1.30.0.tar.gz")
        await story.swept()
        assert await story.upstream() == before
        story.world.pypi.let_through()
        await ended(story, tag)
        after = await story.upstream()
        assert {ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref)} == {"refs/tags/azure-core_1.30.0"}


@pytest.mark.chaos  # a rehearsal tells the same
async def test_people_approve_by_link_where_the_bot_is_no_approver(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=False) as story:
        tag = await story.to_decision()
        story.say(APPROVE)
        approver = story.setting.approver.login
        await story.comment("please approve `azure-core` and reject", f"buildId={story.run.id}")
        for other in OTHERS:
            story.world.azure.reject(approver, story.run.id, other)
        story.world.azure.approve(approver, story.run.id, RELEASE)
        await ended(story, tag)


async def carried(story: PackageStory) -> Counter[str]:
    """Carry a release to its end, and return what the bot did."""
    story.patience = PATIENT
    tag = await story.to_decision()
    story.say(APPROVE)
    await ended(story, tag)
    commands = [comment.id for comment in story.world.github.comments(story.home, story.issue) if comment.body.startswith("/release ")]
    for command in commands:
        await story.reaction(command, "+1")
    return deeds(story)


@pytest.mark.chaos
async def test_however_often_the_bot_dies_and_whatever_gets_lost_it_does_the_same(tmp_path: Path) -> None:
    async with telling_of(tmp_path / "orderly", bot_approves=True) as story:
        wanted = await carried(story)
    for disorder in DISORDERS:
        async with telling_of(tmp_path / disorder.__name__, bot_approves=True) as story:
            disorder(story.world.github.webhooks)
            disorder(story.world.azure.hooks)
            assert await carried(story) == wanted
    mortal = Mortal()
    async with telling_of(tmp_path / "deadly", bot_approves=True, observers=[mortal]) as story, reviving(story, mortal):
        assert await carried(story) == wanted
    assert {key.step for _, key in mortal.deaths} >= {"package-build", "package-release", "push"}


@pytest.mark.chaos
async def test_a_changelog_that_is_not_ready_stops_the_release(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        unready = changelog("1.30.0", story.world.now(), unreleased=True)
        await story.world.github.commit(story.manager, story.home, "main", {CHANGELOG: unready}, "Forget the date")
        story.say(f"/release {story.name}")
        await story.comment("CHANGELOG.md")
        await story.world.github.commit(story.manager, story.home, "main", {CHANGELOG: changelog("1.30.0", story.world.now())}, "Set it")
        story.say("/release retry package-tag")
        await story.tag_object()
        story.say("/release abort enough was seen")
        await story.state("aborted")


@pytest.mark.chaos
async def test_other_bytes_on_pypi_halt_the_release(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.machines.tampering["azure_core-1.30.0.tar.gz"] = b"not what was built"
        await story.to_decision()
        story.say(APPROVE)
        await story.comment("PyPI has something else than was built")
        await story.state("halted")
        assert f"refs/tags/{story.setting.tag}" not in await story.upstream()
        story.say("/release abort somebody has the keys of others")
        await story.comment("wants to recall")
        story.say("/release abort it is so", by=story.setting.approver.login)
        await story.state("aborted")
        await story.comment("was recalled after its go")


@pytest.mark.chaos
async def test_a_test_that_fails_releases_nothing_until_it_passes(tmp_path: Path) -> None:
    async with telling_of(tmp_path, bot_approves=True) as story:
        story.machines.failing.add("Test")
        tag = await story.released()
        await story.comment("/release retry package-build")
        story.machines.failing.clear()
        story.say("/release retry package-build")
        await story.comment(APPROVE)
        story.say(APPROVE)
        await ended(story, tag)


@pytest.mark.chaos
async def test_the_owner_is_asked_for_at_the_first_release(tmp_path: Path) -> None:
    async with telling_of(tmp_path, "azure-parrot", bot_approves=True) as story:
        story.say(f"/release {story.name}")
        asked = await story.comment("This is the first release of azure-parrot", "/release ack")
        story.say(acknowledged(asked))
        tag = await story.tag_object()
        story.say(f"/release approve {tag}")
        await story.comment("/release approve-stage azure-parrot")
        story.say("/release approve-stage azure-parrot")
        asked = await story.comment("microsoft is not among the owners of azure-parrot", "/release ack")
        await story.swept()
        story.world.pypi.add_role("azure-parrot", OWNER)
        story.say(acknowledged(asked))
        await story.comment("azure-parrot", "is out")
        await story.state("done")
