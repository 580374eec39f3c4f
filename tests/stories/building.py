"""What people do between the approval of a tag and its push: they approve, build, say go and publish."""

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from bot.rehearsal import publisher
from bot.rehearsal.azure_model import Run, Stage
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.stage import UPSTREAM

if TYPE_CHECKING:
    from tests.stories.story import Story

CALL = "<!-- about=call-"
LAST_IN_THE_STORE = (3, 13)
"""The last series in the Microsoft Store; after it there is the install manager."""


def is_handled(story: "Story", comment: str) -> bool:
    """Tell whether a comment calls for what is done in the story anyway."""
    return CALL in comment and any(words in comment for words in story.handled)


async def signed(story: "Story") -> None:
    """Approve every stage of the newest run on Azure, each as soon as the Windows expert is called for it, until the run has ended."""
    run = await story.until("a run on Azure", lambda: _newest(story))
    while await story.until(f"run {run.id} to ask or to end", lambda: _asks_or_ended(run)) != run.status:
        for stage in _asking(run):
            expert = story.setting.windows_expert.login
            words = (CALL, f"@{expert}", f"stage `{stage.plan.name}`", f"buildId={run.id}")
            await story.until(f"a call with {words}", partial(_called, story, words))
            story.world.azure.approve(expert, run.id, stage.plan.name)


async def to_go(story: "Story", cut: Cut) -> None:
    """Approve the tag and let everything be built for it; the macOS expert builds by hand."""
    await story.approved(cut)
    if story.files.windows:
        await signed(story)
    if story.files.macos:
        await made(story)
    await story.step("go", "needs a person")


async def made(story: "Story") -> int:
    """Make the installer for macOS, upload it and say so, as the bot asks for it; return the comment."""
    expert = story.setting.macos_expert.login
    await story.comment(CALL, f"@{expert}", "/release done macos")
    ((name, content),) = story.files.macos.items()
    story.world.python_org.upload(story.files.path(name), content)
    return story.say(f"/release done macos {hashlib.sha256(content).hexdigest()}", by=expert)


async def built(story: "Story", cut: Cut) -> None:
    """Do all of it, and hear the bot ask for the go."""
    await to_go(story, cut)
    await story.comment(CALL, f"/release go {cut.tag}")


async def went(story: "Story", cut: Cut) -> int:
    """Say go, whether or not its call was heard, and approve what is published on Azure; return the comment."""
    await story.step("go", "needs a person")
    story.handled.add(f"/release go {cut.tag}")
    before = len(story.world.azure.runs)
    go = story.say(f"/release go {cut.tag}")
    if story.files.windows:
        await story.until("the run that publishes", lambda: _more_than(story, before))
        await signed(story)
    return go


async def published(story: "Story") -> None:
    """Upload what the workflow built, sign and list every file, and publish the release, when the bot waits for that."""
    await story.step("publication", "needs a person")
    await story.comment(CALL, f"@{story.manager}", "python.org")
    publish_now(story)


async def sold(story: "Story") -> None:
    """Serve the Microsoft Store when the Windows expert is called for it, where the series is in it."""
    series = (story.setting.version.major, story.setting.version.minor)
    if story.files.windows and series <= LAST_IN_THE_STORE:
        expert = story.setting.windows_expert.login
        await story.comment(CALL, f"@{expert}", "/release done store")
        story.say("/release done store", by=expert)


def publish_now(story: "Story") -> None:
    """Do so at once."""
    world, files = story.world, story.files
    publisher.upload(world, files, publisher.downloaded(world, files))
    publisher.vouch(world, files)
    publisher.list_files(world, files)
    publisher.publish(world, files)


async def _newest(story: "Story") -> Run | None:
    mine = (run for run in reversed(story.world.azure.runs) if run.parameters.get("SourceTag") == story.setting.version.tag)
    return next(mine, None)


async def _more_than(story: "Story", number: int) -> bool:
    return len(story.world.azure.runs) > number


def _asking(run: Run) -> list[Stage]:
    return [stage for stage in run.stages if stage.approval is not None and stage.approval.status == "pending"]


async def _asks_or_ended(run: Run) -> str:
    if run.status == "completed":
        return run.status
    return "asks" if _asking(run) else ""


async def _called(story: "Story", words: tuple[str, ...]) -> bool:
    """Tell whether somebody was called with these words, whether or not the story has told of it already."""
    called = {one.id for one in story.world.github.comments(UPSTREAM, story.issue) if all(word in one.body for word in words)}
    story.expected |= called
    return bool(called)
