"""Two releases at the same time do not get into each other's way."""

import asyncio
from pathlib import Path

from tests.stories.telling import telling


async def test_two_series_are_released_side_by_side(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as bugfix:
        bugfix.world.buildbot.add_builder("builder of main", "3.x", "stable", "tier-1")
        bugfix.world.buildbot.finish("builder of main")
        alpha = await bugfix.beside("3.15.0a3", "hugovk")
        one, two = await asyncio.gather(bugfix.opened(), alpha.opened())
        assert len(bugfix.freezes()) == 4
        await asyncio.gather(bugfix.comment("/release approve", one.tag), alpha.comment("/release approve", two.tag))
        crossed = alpha.say(f"/release approve {one.tag}", by="hugovk")
        await alpha.refusal(crossed, "not the tag object of this release")
        bugfix.say(f"/release approve {one.tag}")
        await bugfix.state("done")
        assert (await alpha.release())["state"] == "running"
        assert len(bugfix.freezes()) == 2
        alpha.say(f"/release approve {two.tag}")
        await alpha.state("done")
        refs = await bugfix.upstream()
        assert (refs["refs/tags/v3.13.6"], refs["refs/tags/v3.15.0a3"]) == (one.tag, two.tag)


async def test_both_are_started_in_the_same_moment(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        other = await story.beside("3.15.0a3", "pablogsal")
        said = {one.issue: one.say("/release 3.15.0a3") for one in (story, other)}
        await story.state("running")

        async def settled() -> bool:
            return all({"rocket", "-1"} & story.reactions(comment) for comment in said.values())

        await story.until("both to be answered", settled)
        [lost] = [issue for issue, comment in said.items() if "-1" in story.reactions(comment)]
        winner = other if lost == story.issue else story
        await story.refusal(said[lost], "3.15.0a3", f"#{winner.issue}", issue=lost)
        await winner.asked_to_cut()
        winner.say("/release abort this story is told")
        await winner.state("aborted")
