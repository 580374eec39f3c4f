"""The ordinary course of things: nobody errs, nothing breaks."""

from pathlib import Path

from bot.rehearsal.release_manager import Cut
from tests.stories.story import Story
from tests.stories.telling import telling


async def carried(story: Story) -> Cut:
    """Carry a release from its first word to its end, as people do it every month."""
    opening = story.say(f"/release {story.setting.version}")
    await story.comment("Cut", "push the annotated tag")
    cut = await story.cut()
    await story.comment("/release approve", cut.tag)
    approval = story.say(f"/release approve {cut.tag}")
    await story.state("done")
    await story.reaction(opening, "+1")
    await story.reaction(approval, "+1")
    return cut


async def all_checked(story: Story, cut: Cut) -> bool:
    return len(story.world.github.check_runs("python/cpython", cut.commit)) == 7


async def test_an_unsigned_alpha_reaches_upstream(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        head = (await story.upstream())["refs/heads/main"]
        cut = await carried(story)
        refs = await story.upstream()
        assert refs["refs/tags/v3.15.0a3"] == cut.tag
        assert cut.head == head
        release = await story.release()
        assert release["plan"] == [
            {"ref": "refs/heads/main", "old": head, "new": refs["refs/heads/main"]},
            {"ref": "refs/tags/v3.15.0a3", "old": None, "new": cut.tag},
        ]
        assert release["tag"]["signature"] == "unsigned"
        assert story.freezes() == []
        status = story.status_now()
        assert "✅ Release of cpython 3.15.0a3: done" in status
        assert all(act["done"] for act in release["people"])
        await story.until("all check runs", lambda: all_checked(story, cut))
        runs = {run.name: run.conclusion for run in story.world.github.check_runs("python/cpython", cut.commit)}
        steps = ["preflight", "freeze", "tag", "audit", "approve", "push", "thaw"]
        assert runs == dict.fromkeys([f"release / {step}" for step in steps], "success")


async def test_a_signed_bugfix_release_reaches_upstream(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as story:
        cut = await carried(story)
        refs = await story.upstream()
        assert refs["refs/tags/v3.13.6"] == cut.tag
        release = await story.release()
        assert release["tag"]["signature"] == "openpgp"
        assert story.freezes() == []
