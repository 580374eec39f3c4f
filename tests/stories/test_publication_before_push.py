"""Just before the push: the go still counts, and python.org was confirmed, not long ago."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.effects import Door
from bot.rehearsal.faults import Fault, call, refuse
from bot.rehearsal.release_manager import Cut
from bot.release.outcomes import Failed, Outcome
from bot.release.published import PublicationSeen
from bot.state import load
from bot.steps import push
from bot.store.claim import Claim
from bot.store.store import Store
from tests.databases import QUICK, during_a_look
from tests.stories.story import Story
from tests.stories.telling import telling
from tests.stories.test_publication import FTP, PKG, TGZ, asked, ends_well, gone, published, recalled, site, without_pipeline

LASTING = 2.0
"""Seconds for which it counts in these stories that something was read."""

PUSHING = r"^/python/cpython\.git/git-receive-pack$"


@pytest.mark.chaos
async def test_who_said_go_and_has_left_does_not_count(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=without_pipeline, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment("/release done macos")
        story.say("/release defer macos the notary is on holiday")
        await story.comment(f"/release go {cut.tag}")
        await story.answer(story.say(f"/release go {cut.tag}", by="pablogsal"), "acts as a stand-in", about="warning")
        await story.comment("python.org does not show Python 3.15.0a3 to everybody yet")
        # The go renewed the approval; this one is newer.
        await story.agreed(story.say(f"/release approve {cut.tag}"))
        story.world.github.leave_team("pablogsal", *story.setting.team)
        published(story, PKG)
        await story.comment("@hugovk", "The go by pablogsal no longer counts", "not an active member of the release team")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        story.world.github.join_team("pablogsal", *story.setting.team)
        await ends_well(story, cut)


async def later_than_it_counts(story: Story) -> None:
    """Let pass as much time as it counts that something was read."""
    loop = asyncio.get_running_loop()
    since = loop.time()

    async def passed() -> bool:
        return loop.time() > since + LASTING

    await story.until("more time than it counts", passed)


@asynccontextmanager
async def kept_from_pushing(tmp_path: Path, path: str) -> AsyncIterator[tuple[Story, Cut, Fault]]:
    """Tell of a release that is confirmed, and of a world that refuses something which the push needs, until the fault is mended."""
    async with gone(tmp_path) as (story, cut):
        busy = Fault(action=refuse(503), path=path, times=10_000)

        async def fall_silent() -> None:
            story.world.faults.add(busy)

        story.world.faults.add(Fault(action=call(before=fall_silent), path=f"^{FTP}{TGZ}$", skip=1))
        published(story)
        await story.step("publication", "passed")
        await story.step("push", "waiting")
        yield story, cut, busy


@pytest.mark.chaos
async def test_what_was_read_long_ago_is_read_again_before_the_push_and_nobody_is_called(tmp_path: Path) -> None:
    async with kept_from_pushing(tmp_path, r"/user/\d+$") as (story, cut, busy):
        await later_than_it_counts(story)
        assert asked(story, TGZ) == 2
        busy.times = 0
        await ends_well(story, cut)
        assert asked(story, TGZ) == 4


@pytest.mark.chaos
async def test_a_push_that_was_begun_long_ago_has_everything_read_again(tmp_path: Path) -> None:
    async with kept_from_pushing(tmp_path, PUSHING) as (story, cut, busy):

        async def read_again() -> bool:
            return asked(story, TGZ) >= 4

        await story.until("everything to be read again", read_again)
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        busy.times = 0
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_who_finds_something_wrong_before_a_push_that_was_begun_may_still_turn_back(tmp_path: Path) -> None:
    async with kept_from_pushing(tmp_path, PUSHING) as (story, cut, _):
        site(story).corrupt(FTP + TGZ)
        await story.comment("Files do not have the hash that python.org states", TGZ, f"/release waive publication {cut.tag} REASON")
        await recalled(story)
        assert "refs/tags/v3.15.0a3" not in await story.upstream()


async def pushed(story: Story, tmp_path: Path, seen: PublicationSeen | None) -> Outcome:
    """Let the push look at this release as if its publication had been seen so."""
    assert story.bot is not None
    context, (work,) = story.bot.contexts["cpython"], await story.bot.store.works("cpython")
    assert work.state is not None
    release = replace(load(work.state), publication=seen)

    async def look(claim: Claim) -> Outcome:
        return await push.advance(release, context.tools(Door(claim, release.id, release.attempt)))

    ledger = await Store.open(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", timings=QUICK)
    try:
        return await during_a_look(ledger, look)
    finally:
        await ledger.close()


async def test_nothing_is_pushed_that_was_not_confirmed(tmp_path: Path) -> None:
    async with gone(tmp_path, gap=3600) as (story, _):
        assert story.bot is not None
        published(story)
        await story.status("Everything that is listed was read; it has to stay as it is until")
        (work,) = await story.bot.store.works("cpython")
        seen = load(work.state or "").publication
        assert seen is not None
        assert seen.again is None
        assert seen.rows
        for unconfirmed in (None, seen):
            outcome = await pushed(story, tmp_path, unconfirmed)
            assert isinstance(outcome, Failed)
            assert outcome.why == "The publication was not confirmed."
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        await recalled(story)
