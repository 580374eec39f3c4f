"""What people can do to tags and refs, but should not."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.rehearsal.release_manager import Cut

if TYPE_CHECKING:
    from tests.stories.story import Story


async def pushed_as_tag(story: "Story", target: str) -> None:
    """Make the tag in the fork name any object of the clone."""
    await _pushed_to_fork(story, f"+{target}:refs/tags/{story.setting.version.tag}")


async def pushed_aside(story: "Story", target: str) -> None:
    """Push an object of the clone to the fork, under a name that nobody watches."""
    await _pushed_to_fork(story, f"{target}:refs/tags/aside")


async def rewritten(story: "Story", cut: Cut, change: Callable[[bytes], bytes]) -> str:
    """Write a tag object that differs from another one in what ``change`` does to its bytes, and return its id."""
    clone = story.hands._clone

    def write() -> str:
        content = change(clone.run("cat-file", "tag", cut.tag))
        return clone.run("hash-object", "-t", "tag", "-w", "--literally", "--stdin", feed=content).decode().strip()

    return await asyncio.to_thread(write)


async def smuggled(story: "Story", repository: str, ref: str, target: str, *, by: str = "coredev") -> None:
    """Make a ref of a repository name an object of the fork, past every rule, as an administrator can."""
    directory = story.world.github.repository(str(story.setting.manager.fork)).git.directory
    await story.world.github.repository(repository).git.git("fetch", "--quiet", "--no-tags", str(directory), target)
    await story.world.github.set_ref(by, repository, ref, target)


async def _pushed_to_fork(story: "Story", refspec: str) -> None:
    answer = await asyncio.to_thread(story.hands._push, story.hands.fork or "", refspec)
    assert answer.accepted, answer.words
