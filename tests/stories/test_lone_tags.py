"""A version tag appears without a release."""

from pathlib import Path

from bot.rehearsal.stage import UPSTREAM
from tests.stories.story import Story
from tests.stories.telling import telling

WITHOUT = "appeared in python/cpython without a release"


async def watched(story: Story) -> None:
    """Wait until the bot has taken note of the tags that are there."""
    await story.until("the tags to be read", lambda: read(story, UPSTREAM))


async def read(story: Story, repository: str) -> bool:
    """Tell whether the tags of a repository were read twice."""
    path = f"/repos/{repository}/git/matching-refs/tags/v"
    return sum(request.path == path for request in story.world.requests) > 1


async def test_a_tag_upstream_raises_an_alarm_once(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.forgiven.append(WITHOUT)
        await watched(story)
        cut = await story.hands.cut(story.setting.version, await story.hands.upstream_head("main"))
        await story.hands.push_to_fork(cut)
        await story.smuggled(UPSTREAM, "refs/tags/v3.15.0a3", cut.tag)
        alarm = await story.alarm(f"The tag v3.15.0a3 {WITHOUT}", cut.tag, "It is not signed, which this series allows.")
        [run] = story.world.github.check_runs(UPSTREAM, cut.commit)
        assert (run.name, run.conclusion) == ("release / tag", "neutral")
        await story.stop_bot()
        await story.start_bot()
        await story.swept()
        assert story.world.github.comments(UPSTREAM, alarm) == []


async def test_a_tag_that_appears_while_the_bot_is_away_raises_an_alarm(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as story:
        story.forgiven.append(WITHOUT)
        await watched(story)
        await story.stop_bot()
        cut = await story.hands.cut(story.setting.version, await story.hands.upstream_head("3.13"))
        await story.hands.push_to_fork(cut)
        await story.smuggled(UPSTREAM, "refs/tags/v3.13.6", cut.tag)
        await story.start_bot()
        await story.alarm(f"The tag v3.13.6 {WITHOUT}", "must be signed")
        [run] = story.world.github.check_runs(UPSTREAM, cut.commit)
        assert (run.name, run.conclusion) == ("release / tag", "failure")


async def test_a_released_tag_that_is_moved_raises_an_alarm(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.forgiven.append(WITHOUT)
        await watched(story)
        refs = await story.upstream()
        await story.world.github.set_ref("coredev", UPSTREAM, "refs/tags/v3.15.0a2", refs["refs/tags/v3.15.0a1"])
        await story.alarm(f"The tag v3.15.0a2 {WITHOUT}", "moved there from", refs["refs/tags/v3.15.0a2"], "v3.15.0a1")


async def test_a_tag_in_a_fork_gets_its_check_and_no_alarm(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.github.install("hugovk/cpython")
        await story.until("the tags to be read", lambda: read(story, "hugovk/cpython"))
        cut = await story.hands.cut(story.setting.version, await story.hands.upstream_head("main"))
        await story.pushed(cut)

        async def checked() -> list[str | None]:
            return [run.conclusion for run in story.world.github.check_runs("hugovk/cpython", cut.commit)]

        assert await story.until("a check run in the fork", checked) == ["neutral"]
