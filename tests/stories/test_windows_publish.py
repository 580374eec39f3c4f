"""What was built for Windows is published after the go, by a second run that takes up exactly the first one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.azure_model import Run
from bot.rehearsal.faults import Action, Fault, drop_after, drop_before
from bot.rehearsal.release_files import certificate_info, hash_table
from bot.rehearsal.release_manager import Cut
from tests.reference import reference
from tests.stories.disorder import reviving
from tests.stories.pipeline import (
    EXPERT,
    PUBLISHED,
    QUEUE,
    RUNS,
    Doomed,
    approved,
    asked,
    begun,
    building,
    looked_at,
    ordered,
    retry,
    went_on,
)
from tests.stories.story import Story
from tests.stories.telling import rarely

AGAIN = "/release retry windows-publish"
ONE_RUN = (
    ('plan = "two-runs"', 'plan = "one-run-that-is-public-once-its-last-stage-is-approved"'),
    ('publish = { DoPublish = true, BuildToPublish = "build_to_publish" }', "publish = { DoPublish = true }"),
)


def publishing(directory: Path, *changes: tuple[str, str], **how: Any) -> Any:
    """Tell a story of a release that builds and publishes for Windows alone."""
    return building(directory, *changes, steps=PUBLISHED, **how)


async def to_go(story: Story) -> tuple[Cut, Run]:
    """Have Windows built, and hear the bot ask for the go."""
    cut, run = await begun(story)
    told(story)
    await approved(story, run, "Sign", "Pack")
    await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
    assert len(story.world.azure.runs) == 1
    return cut, run


def told(story: Story) -> None:
    """Have every run tell the hashes of all that it makes."""
    packages = story.files.packages | story.files.manifest
    story.world.azure.fill("hashes", {"hashes.txt": table(story)})
    story.world.azure.fill("pymanager_hashes", {"hashes.txt": hash_table(packages, "SHA256")})


def table(story: Story) -> bytes:
    """Return the hashes of this version's files, as the pipeline writes them."""
    return hash_table(story.files.installers | story.files.embeddable, "SHA256", "MD5")


async def gone(story: Story) -> tuple[Run, Run]:
    """Have Windows built and the go given; return the run that built and the one that publishes."""
    cut, first = await to_go(story)
    story.say(f"/release go {cut.tag}")
    return first, await ordered(story, 2)


async def published(story: Story, run: Run) -> None:
    """Let the run that publishes come to its end, and the release to its own."""
    await approved(story, run, "Publish")
    await story.state("done")


async def test_nothing_is_published_before_the_go_and_then_what_was_built(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        await story.swept()
        assert len(story.world.azure.runs) == 1
        story.say(f"/release go {cut.tag}")
        second = await ordered(story, 2)
        assert second.earlier == {"build_to_publish": first.name}
        assert (second.parameters["BuildToPublish"], second.parameters["SourceCommit"]) == ("build_to_publish", cut.commit)
        assert [stage.plan.name for stage in second.stages] == ["Publish"]
        await published(story, second)
        assert story.world.counts[QUEUE] == 2


@pytest.mark.chaos
@pytest.mark.parametrize("fault", [drop_after(), rarely(drop_before())], ids=["answer", "order"])
async def test_whatever_is_lost_there_is_one_publication(tmp_path: Path, fault: Action) -> None:
    async with publishing(tmp_path) as story:
        story.world.faults.add(Fault(action=fault, method="POST", path=RUNS, skip=1))
        _, second = await gone(story)
        await published(story, second)
        assert len(story.world.azure.runs) == 2


@pytest.mark.chaos
async def test_the_bot_dies_at_every_step_and_there_is_one_publication(tmp_path: Path) -> None:
    mortal = Doomed()
    async with publishing(tmp_path, observers=(mortal,)) as story, reviving(story, mortal):
        first, second = await gone(story)
        await published(story, second)
        effects = {"queue build 1", "tag build 1", "queue publish 1", "tag publish 1"}
        assert {key.name for _, key in mortal.deaths} - {f"retain {first.id}"} == effects
        assert len(story.world.azure.runs) == 2


@pytest.mark.chaos
async def test_a_publication_of_another_run_is_not_taken_for_ours(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        other = story.world.azure.queue(EXPERT, {**first.parameters, "SourceCommit": "2" * 40})
        wrong = {**first.parameters, "DoPublish": "true", "BuildToPublish": "build_to_publish"}
        foreign = story.world.azure.queue(EXPERT, wrong, {"build_to_publish": other.name})
        story.say(f"/release go {cut.tag}")
        await story.comment(f"@{EXPERT}", f"queued by `{EXPERT}`, comes first")
        story.world.azure.cancel(EXPERT, foreign.id)
        went_on(story, foreign)
        ours = await ordered(story, 4)
        assert ours.earlier == {"build_to_publish": first.name}
        await published(story, ours)


async def test_nothing_is_published_while_somebody_else_publishes(tmp_path: Path) -> None:
    """A run that the expert queued by hand comes first; then ours, which stops for the index, and is tried again when nobody is at it."""
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        theirs = {**first.parameters, "SourceTag": "v3.14.8", "SourceCommit": "2" * 40}
        foreign = {**theirs, "DoPublish": "true", "BuildToPublish": "build_to_publish"}
        other = story.world.azure.queue(EXPERT, foreign, {"build_to_publish": first.name})
        story.say(f"/release go {cut.tag}")
        await story.comment(f"@{EXPERT}", f"queued by `{EXPERT}`, comes first", f"buildId={other.id}")
        went_on(story, other)
        story.world.azure.approve(EXPERT, other.id, "Publish")
        story.world.azure.advance(other.id)
        await story.step("windows-publish", "waiting")
        assert len(story.world.azure.runs) == 2
        went_on(story, other)
        ours = await ordered(story, 3)
        story.world.azure.fail(ours.id, "Publish", "Lost a race with another publish step!")
        await approved(story, ours, "Publish")
        await story.comment(
            f"@{story.manager}", "Lost a race", "The job `Publish_PyManager` stops when somebody else changed the index", AGAIN
        )
        retry(story, "windows-publish")

        async def again() -> bool:
            return ours.stage("Publish").attempt == 2

        await story.until("another try", again)
        await published(story, ours)
        assert len(story.world.azure.runs) == 3


@pytest.mark.chaos
async def test_of_two_releases_that_get_their_go_together_one_publishes_after_the_other(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        story.world.buildbot.add_builder("builder of 3.14", "3.14", "stable", "tier-1")
        story.world.buildbot.finish("builder of 3.14")
        cut, _ = await to_go(story)
        other = await story.beside("3.14.2", "pablogsal")
        cut_too = await other.opened()
        await other.approved(cut_too)
        await approved(other, await ordered(other, 2), "Sign", "Pack")
        await other.comment(f"/release go {cut_too.tag}")
        story.say(f"/release go {cut.tag}")
        other.say(f"/release go {cut_too.tag}", by="pablogsal")
        before = await ordered(story, 3)
        one, two = (story, other) if before.parameters["SourceTag"] == "v3.15.0a3" else (other, story)
        went_on(story, before)
        assert "Windows takes 3 approvals in all" in await asked(one, "Publish", before)
        waits = await two.step("windows-publish", "waiting")
        assert "Only one run may publish for Windows at a time" in waits["why"] or "orders its own run" in waits["why"]
        await two.swept()
        assert len(story.world.azure.runs) == 3
        told(one)
        story.world.azure.approve(EXPERT, before.id, "Publish")
        went_on(story, before)
        await one.state("done")
        told(two)
        await published(two, await ordered(two, 4))


@pytest.mark.chaos
async def test_what_turns_out_not_to_be_signed_is_not_published(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        first.artifacts["cert"].files = dict(certificate_info(real=False))
        story.say(f"/release go {cut.tag}")
        await story.comment(f"@{story.manager}", "must not be published", "signed with the certificate of")
        await looked_at(story, first)
        assert len(story.world.azure.runs) == 1
        first.artifacts["cert"].files = dict(certificate_info(real=True))
        await published(story, await ordered(story, 2))


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["deleted", rarely("of another commit")])
async def test_what_counts_no_more_after_it_passed_is_built_anew(tmp_path: Path, how: str) -> None:
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        if how == "deleted":
            story.world.azure.delete(first.id)
        else:
            first.parameters["SourceCommit"] = "2" * 40
        retry(story)
        second = await another(story, first)
        went_on(story, second)
        await asked(story, "Sign", second)
        assert (await story.step("windows", "needs a person"))["name"] == "windows"
        story.world.azure.approve(EXPERT, second.id, "Sign")
        await approved(story, second, "Pack")
        await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        last = await another(story, first, second)
        assert last.earlier == {"build_to_publish": second.name}
        await published(story, last)


async def another(story: Story, *others: Run) -> Run:
    """Wait until a run is on Azure that is none of those, and return it."""

    async def there() -> Run | None:
        return next((run for run in story.world.azure.runs if run.id not in {one.id for one in others}), None)

    run = await story.until("another run on Azure", there)
    assert isinstance(run, Run)
    return run


async def recalled(story: Story) -> None:
    """Give up a release that may be public already, which takes two."""
    story.say("/release abort this story is told")
    await story.comment("wants to recall 3.15.0a3")
    story.say("/release abort it is", by="pablogsal")
    await story.comment("was recalled after its go", "off python.org")
    await story.state("aborted")


@pytest.mark.chaos
async def test_what_was_published_once_is_never_published_again(tmp_path: Path) -> None:
    steps = (*PUBLISHED[:-2], "publication", "push", "thaw")
    async with building(tmp_path, steps=steps) as story:
        first, second = await gone(story)
        await approved(story, second, "Publish")
        await story.step("windows-publish", "passed")
        await story.comment("python.org")
        await story.agreed(retry(story, "windows-publish"))
        await looked_at(story, second, 1)
        await story.swept()
        story.world.azure.delete(second.id)
        retry(story, "windows-publish")
        await story.status("was deleted on Azure since; what it published stays.")
        await story.swept()
        assert (await story.step("windows-publish", "passed"))["why"].startswith("The files for Windows are published;")
        assert story.world.azure.runs == [first]
        await recalled(story)


@pytest.mark.chaos
async def test_what_was_published_once_is_never_published_again_while_somebody_has_to_take_note(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        first, second = await gone(story)
        story.world.azure.limp(second.id, "Publish", "One mirror is slow")
        await approved(story, second, "Publish")
        call = await story.comment("Please take note", "The stage `Publish` of the run", "/release ack")
        story.world.azure.delete(second.id)
        await story.agreed(retry(story, "windows-publish"))
        await story.swept()
        assert story.world.azure.runs == [first]
        story.say(call[call.index("/release ack") :].splitlines()[0])
        await story.state("done")


@pytest.mark.chaos
async def test_what_was_deleted_cannot_be_published(tmp_path: Path) -> None:
    async with publishing(tmp_path) as story:
        cut, first = await to_go(story)
        story.world.azure.delete(first.id)
        story.say(f"/release go {cut.tag}")
        await story.comment(f"@{story.manager}", "was deleted on Azure", "There is nothing to publish")
        story.world.azure.estate.runs[first.id] = first
        await published(story, (await ordered(story, 2)))


@pytest.mark.chaos
@pytest.mark.parametrize(
    "content", [{}, rarely({"hashes.txt": b"nothing\r\n"}), rarely({"hashes.txt": b"\xff\xfe\x00"})], ids=["none", "wrong", "binary"]
)
async def test_without_hashes_nobody_knows_what_was_published(tmp_path: Path, content: dict[str, bytes]) -> None:
    async with publishing(tmp_path) as story:
        _, second = await gone(story)
        story.world.azure.fill("hashes", content)
        await approved(story, second, "Publish")
        await story.comment(f"@{story.manager}", "The step windows-publish failed", "hashes")
        second.artifacts["hashes"].files = {"hashes.txt": table(story)}
        await story.state("done")


@pytest.mark.chaos
async def test_without_installers_only_packages_are_told_of(tmp_path: Path) -> None:
    reference("specs/azure/windows_stages.json")
    async with publishing(tmp_path, ("DoTailCalling = true }\n", "DoTailCalling = true, DoMSI = false }\n")) as story:
        cut, run = await begun(story)
        await approved(story, run, "Sign")
        await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
        listed = story.files.packages | story.files.manifest
        story.world.azure.fill("pymanager_hashes", {"hashes.txt": hash_table(listed, "SHA256")})
        story.say(f"/release go {cut.tag}")
        second = await ordered(story, 2)
        await approved(story, second, "Publish")
        await story.state("done")
        number = len(story.files.packages)
        await story.status(f"the run tells the hashes of {number} files; this series has no installers")


@pytest.mark.chaos
async def test_in_one_run_the_last_approval_publishes(tmp_path: Path) -> None:
    async with publishing(tmp_path, *ONE_RUN) as story:
        cut, run = await begun(story)
        told(story)
        assert (run.parameters["DoPublish"].lower(), run.parameters.get("BuildToPublish", "current")) == ("true", "current")
        await approved(story, run, "Sign", "Pack")
        assert run.stage("Publish").approval is not None
        await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
        passed = await story.step("windows", "passed")
        assert "`Publish`. It makes everything public at once and must not be given before the go." in passed["why"]
        await story.later()
        story.say(f"/release go {cut.tag}")
        await asked(story, "Publish", run)
        story.world.azure.approve(EXPERT, run.id, "Publish")
        went_on(story, run)
        await story.state("done")
        assert story.world.counts[QUEUE] == 1


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["deleted", rarely("of another commit")])
async def test_in_one_run_nobody_is_told_that_another_one_can_be_ordered(tmp_path: Path, how: str) -> None:
    async with publishing(tmp_path, *ONE_RUN) as story:
        cut, run = await begun(story)
        await approved(story, run, "Sign", "Pack")
        await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
        if how == "deleted":
            story.world.azure.delete(run.id)
        else:
            run.parameters["SourceCommit"] = "2" * 40
        story.handled |= {"The stage `Publish`", "The go was not given"}
        story.say(f"/release go {cut.tag}")
        why = "was deleted on Azure" if how == "deleted" else "with other parameters"
        said = await story.comment("The step windows-publish failed", why, "It is the only run of this plan", "/release abort REASON")
        assert "orders" not in said
        await recalled(story)


@pytest.mark.chaos
async def test_in_one_run_what_was_published_too_early_has_to_be_acknowledged(tmp_path: Path) -> None:
    async with publishing(tmp_path, *ONE_RUN) as story:
        cut, run = await begun(story)
        told(story)
        await approved(story, run, "Sign", "Pack")
        await story.comment(f"@{story.manager}", f"/release go {cut.tag}")
        story.world.azure.approve(EXPERT, run.id, "Publish")
        went_on(story, run)
        run.stage("Publish").started = datetime.now(UTC) - timedelta(minutes=10)
        story.say(f"/release go {cut.tag}")
        call = await story.comment("Please take note", "published at", "before the go of", "/release ack")
        story.say(call[call.index("/release ack") :].splitlines()[0])
        await story.state("done")
