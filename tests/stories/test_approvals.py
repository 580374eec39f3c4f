"""An approval is one person's word for one push plan, for a while; and whoever is waited for is reminded."""

from pathlib import Path

from bot.rehearsal.faults import Fault, call
from tests.stories.telling import telling

UPSTREAM_BY_GIT = r"^/python/cpython\.git/info/refs$"
"""With the audit behind it, the next that the bot reads by git upstream is its last look before the push."""


async def test_an_approver_who_has_left_does_not_count(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)

        async def leave() -> None:
            story.world.github.leave_team("pablogsal", *story.setting.team)

        story.world.faults.add(Fault(action=call(before=leave), path=UPSTREAM_BY_GIT))
        approval = story.say(f"/release approve {cut.tag}", by="pablogsal")
        await story.answer(approval, "acts as a stand-in", about="warning")
        await story.comment("@hugovk", "The approval by pablogsal no longer counts", "not an active member of the release team")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_an_approval_expires(tmp_path: Path) -> None:
    def hasty(text: str) -> str:
        return text.replace("approval_valid = 3600", "approval_valid = 5")

    async with telling(tmp_path, "3.15.0a3", policy=hasty) as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        story.world.github.protect("python/cpython", "main", {"lock_branch": {"enabled": True}})
        story.say(f"/release approve {cut.tag}")
        await story.comment("@hugovk", "GitHub refused the push")
        await story.comment("/release approve", cut.tag)
        story.world.github.protect("python/cpython", "main", None)
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_whoever_is_waited_for_is_reminded(tmp_path: Path) -> None:
    def urgent(text: str) -> str:
        return text.replace("remind = 3600", "remind = 5")

    async with telling(tmp_path, "3.15.0a3", policy=urgent) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        await story.comment("@hugovk – a reminder, because this waits for you since", "push the annotated tag")
        story.say("/release abort this story is told")
        await story.state("aborted")
