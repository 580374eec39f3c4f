"""What is published about a series and its schedule is held against the profile, and every disagreement is shown."""

import re
from datetime import timedelta
from pathlib import Path

from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.stage import UPSTREAM
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import telling


async def test_disagreements_are_shown_and_some_are_acknowledged(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        peps, today = story.world.peps, story.world.now().date()
        peps.set("3.15", branch="3.15", release_manager="Somebody New")
        peps.plan("3.15.0a3", day=today + timedelta(days=9))
        story.say("/release 3.15.0a3")
        asked = await story.comment("Somebody New manages 3.15, whom the profile does not know", "lives on 3.15; this is cut from main")
        # What needs nobody is shown beside it.
        await story.status("The published schedule expects 3.15.0a3 on", "and it was begun on")
        story.say(str(re.search(r"/release ack [0-9a-f]+", asked)[0]))  # type: ignore[index] # what the bot asks for has its line
        await story.asked_to_cut()
        cut = await story.cut()
        # The status flips while the release is under way.
        peps.set("3.15", status="prerelease")
        await story.comment("/release approve", cut.tag)
        await story.status("3.15 was feature when this release was started and is prerelease now; its kind, alpha, stays.")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_what_cannot_be_read_is_shown_as_such(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        away = story.world.faults.add(Fault(action=refuse(503), path=r"^/api/(release-cycle|python-releases)\.json$", times=1_000))
        story.say("/release 3.15.0a3")
        await story.comment("The published life cycle cannot be read now: nobody knows status, branch, manager of 3.15.", "/release ack")
        await story.status("The published schedule cannot be read now")
        # Nobody has to say anything once it can be read.
        away.times = 0
        await story.asked_to_cut()
        story.say("/release abort this story is told")
        await story.state("aborted")


def by_the_bot(story: Story) -> list[int]:
    """Return the issues that the bot opened."""
    bot = story.world.github.app.bot.login
    return [number for number, issue in story.world.github.repository(UPSTREAM).issues.items() if issue.author.login == bot]


async def read_again(story: Story) -> None:
    """Wait until the schedule was read twice more."""
    reading, wanted = "GET /api/python-releases.json", story.world.counts["GET /api/python-releases.json"] + 2

    async def there() -> bool:
        return story.world.counts[reading] >= wanted

    await story.until("the schedule to be read again", there)


def soon(text: str) -> str:
    """Open issues so shortly ahead that the schedule is read all the time."""
    return text.replace("ahead = 0", "ahead = 1")


async def test_the_issue_of_a_release_is_there_before_its_day_and_once(tmp_path: Path) -> None:
    mortal = Mortal(only=["calendar"])
    async with telling(tmp_path, "3.15.0a3", observers=[mortal], whole=True, policy=soon) as story:
        async with reviving(story, mortal):
            number = await story.alarm("Release Python 3.15.0a3", "@hugovk", "@zooba", "@ned-deily", "/release 3.15.0a3")
            day = story.world.now().date()
            # Neither what is past, nor what is far, nor what is out has one.
            for version, shift in (("3.14.9", -1), ("3.13.99", 3), ("3.15.0a2", 0)):
                story.world.peps.plan(version, day=day + timedelta(days=shift))
            await read_again(story)
        assert by_the_bot(story) == [number]
        assert len(mortal.deaths) == 3
        story.issue = number
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        story.say("/release abort this story is told")
        await story.state("aborted")
