"""After a release is out, what python.org shows of it is confirmed again, and again; whoever is in charge hears of a difference, once."""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.effects import Observer
from bot.rehearsal import publisher
from bot.rehearsal.faults import Fault, call, refuse
from bot.rehearsal.release_manager import Cut
from bot.release.ids import WorkKey
from bot.store.model import EffectKey
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import only, telling
from tests.stories.test_publication import FTP, NAME, PKG, RELEASES, TGZ, asked, ends_well, names, published, site, without_pipeline

NEVER = (3600.0,)
"""Seconds after the push, long after every story is told."""

PUSHING = r"git-receive-pack$"


STEPS = ("preflight", "freeze", "tag", "audit", "approve", "go", "publication", "push", "thaw")


def confirmed_again(text: str, times: Sequence[float]) -> str:
    """Let a profile have the publication confirmed again so long after the push; Windows is told of elsewhere."""
    return without_pipeline(text).replace("confirm_gap = 0.05\n", f"confirm_gap = 0.05\nconfirm_again = {list(times)}\n")


@asynccontextmanager
async def out(tmp_path: Path, times: Sequence[float] = NEVER, *, observers: Sequence[Observer] = ()) -> AsyncIterator[tuple[Story, Cut]]:
    """Tell a release that nobody builds up to the moment in which only its publication is missing."""
    policy = only(*STEPS)
    async with telling(tmp_path, "3.15.0a3", policy=lambda text: policy(confirmed_again(text, times)), observers=observers) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org does not show Python 3.15.0a3 to everybody yet", "@hugovk")
        yield story, cut


async def released(story: Story, cut: Cut) -> None:
    """Publish, and take note of it that nobody built what is published, to the end of the release."""
    published(story)
    body = await story.comment("Nobody who builds told the hash of files")
    story.say(str(re.search(r"^/release ack [0-9a-f]+$", body, re.MULTILINE)[0]))  # type: ignore[index]  # it is asked for
    await ends_well(story, cut)


@asynccontextmanager
async def out_without_macos(tmp_path: Path) -> AsyncIterator[tuple[Story, Cut]]:
    """Tell of a release that went public without its installer for macOS, which is to follow."""
    async with telling(tmp_path, "3.15.0a3", policy=lambda text: confirmed_again(text, NEVER), whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment("/release done macos")
        story.say("/release defer macos the notary is on holiday")
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org does not show Python 3.15.0a3 to everybody yet", "@hugovk")
        published(story, PKG)
        await ends_well(story, cut)
        yield story, cut


async def looks(story: Story, number: int = 1) -> list[dict[str, Any]]:
    """Wait until so many looks were ended, and return all that were."""

    async def there() -> list[dict[str, Any]] | None:
        seen = (await story.release()).get("confirmed_again", [])
        return seen if len(seen) >= number else None

    return list(await story.until(f"{number} looks", there))


async def at_rest(story: Story) -> None:
    """Wait until nothing is to be looked at any more."""

    async def none() -> bool:
        work = await story.bot.store.work(WorkKey(f"cpython#{story.issue}")) if story.bot else None
        return work is not None and work.due is None and work.owner is None

    await story.until("an end of all looking", none)


async def over(story: Story) -> None:
    """Wait until the release does not hold its branch any more."""

    async def there() -> bool:
        work = await story.bot.store.work(WorkKey(f"cpython#{story.issue}")) if story.bot else None
        return work is not None and not work.live

    await story.until("the end of the release", there)


async def looked_again(story: Story) -> list[dict[str, Any]]:
    """Ask for a look, and wait for its end."""
    before = len((await story.release())["confirmed_again"])
    await story.agreed(story.say("/release retry publication"))
    return await looks(story, before + 1)


def alarms(story: Story) -> list[str]:
    """Return every alarm on the issue."""
    said = story.world.github.comments("python/cpython", story.issue)
    return [one.body for one in said if re.search("about=(?:changed|silent)-", one.body)]


@pytest.mark.chaos
async def test_what_is_not_handed_out_is_not_asked_for_again_because_python_org_was_silent_meanwhile(tmp_path: Path) -> None:
    times = (0.2, 1.5, 2.3)
    async with out(tmp_path, times) as (story, cut):
        # Nobody hands it out from the first look on.
        gone = Fault(action=refuse(404), path=f"^{FTP}{TGZ}$", skip=2, times=1_000_000)
        story.world.faults.add(gone)
        await released(story, cut)
        await story.comment("about=changed-", TGZ)
        before = asked(story, TGZ)
        down = Fault(action=refuse(503), path=f"^{RELEASES}$", times=1_000_000)
        story.world.faults.add(down)
        await story.comment("about=silent-")
        down.times = 0
        await looks(story, 2)
        await at_rest(story)
        assert asked(story, TGZ) == before == 3
        assert len(alarms(story)) == 2


async def test_all_is_right_every_time_and_nobody_hears_of_it_but_that_python_org_was_silent_for_long(tmp_path: Path) -> None:
    times = (0.2, 1.5, 2.3)
    async with out(tmp_path, times) as (story, cut):
        down = Fault(action=refuse(503), path=f"^{RELEASES}$", times=1_000_000)

        async def fall_silent() -> None:
            story.world.faults.add(down)

        story.world.faults.add(Fault(action=call(after=fall_silent), path=PUSHING))
        await released(story, cut)
        await story.comment("about=silent-", "@hugovk", "it cannot be", "503")
        await story.status("What python.org shows cannot be read again since")
        assert asked(story, TGZ) == 2
        down.times = 0
        await at_rest(story)
        seen = await looks(story)
        # On a busy machine one look is enough for all times that are past.
        assert 1 <= len(seen) <= len(times)
        assert all((one["differences"], one["news"]) == ([], []) for one in seen)
        assert {asked(story, name) for name in names(story)} == {2 + len(seen)}
        body = await story.status("**Read again** on ", "everything is as it was confirmed")
        assert body.count("**Read again**") == len(seen)
        assert "cannot be read again" not in body
        assert len(alarms(story)) == 1, "that python.org is silent is told once"


class MortalAfterwards(Mortal):
    """Die at everything that is told of a look, and once it is in the status."""

    async def _perhaps(self, point: str, key: EffectKey) -> None:
        if "changed-" in key.name or (self.deaths and key.step == "status" and point == "acted"):
            await super()._perhaps(point, key)


async def test_one_byte_is_another_and_everybody_in_charge_hears_of_it_once_however_often_the_bot_dies(tmp_path: Path) -> None:
    mortal = MortalAfterwards()
    async with out(tmp_path, (0.1, 1.5, 2.5), observers=[mortal]) as (story, cut):
        story.patience = 60.0

        async def swap() -> None:
            site(story).corrupt(FTP + TGZ)

        # It is read twice before the push, and once after it.
        story.world.faults.add(Fault(action=call(before=swap), path=f"^{FTP}{TGZ}$", skip=3))
        async with reviving(story, mortal):
            await released(story, cut)
            await looks(story)
            story.say("/release retry publication")
            body = await story.comment(
                "about=changed-", "@hugovk", TGZ, "is another file: its SHA-256 is", "curl -X PURGE https://www.python.org"
            )
            assert f"curl -X PURGE https://www.python.org{FTP}{TGZ}\n" in body
            await at_rest(story)
        mortal.points = ()
        assert len(alarms(story)) == 1
        assert len(mortal.deaths) >= 3
        await story.status("🚨 **Read again** on ", "not as it was confirmed")
        site(story).corrupt(FTP + TGZ)
        assert (await looked_again(story))[-1]["differences"] == []
        assert len(alarms(story)) == 1


@pytest.mark.chaos
async def test_a_row_vanishes_and_two_persons_recall_the_release_while_the_next_one_is_made(tmp_path: Path) -> None:
    async with out(tmp_path) as (story, cut):
        await released(story, cut)
        await over(story)
        following = await story.beside("3.15.0a4", "hugovk")
        await following.agreed(following.say("/release 3.15.0a4"))
        site(story).change(NAME, is_latest=True)
        assert (await looked_again(story))[-1]["differences"] == [], "the site moves that mark by itself"
        site(story).unregister(FTP + TGZ)
        await looked_again(story)
        await story.comment("about=changed-", "@hugovk", f"{TGZ}` is not listed any more")
        site(story).withdraw(NAME)
        await looked_again(story)
        await story.comment("about=changed-", "the release is not shown to everybody any more")
        await looked_again(story)
        assert len(alarms(story)) == 2, "what was told is told once"
        await story.agreed(story.say("/release abort it is cursed"))
        await story.comment("@pablogsal", "hugovk wants to recall 3.15.0a3, which is out")
        await story.refusal(story.say("/release abort it is cursed"), "a second person has to say")
        await story.agreed(story.say("/release abort it really is", by="pablogsal"))
        await story.status("Nobody looks at it any more: hugovk and pablogsal recalled it: it really is")
        await at_rest(story)
        await story.refusal(story.say("/release retry publication"), "nobody looks at it any more")
        await following.asked_to_cut()
        following.say("/release abort this story is told")
        await following.state("aborted")


@pytest.mark.chaos
async def test_a_file_that_was_put_off_follows_and_is_what_its_maker_tells(tmp_path: Path) -> None:
    async with out_without_macos(tmp_path) as (story, _):
        publisher.upload(story.world, story.files, {PKG: story.files[PKG]})
        site(story).register(NAME, FTP + PKG)
        (look,) = await looked_again(story)
        assert look["differences"] == []
        assert f"{PKG}` followed, with the SHA-256 {hashlib.sha256(story.files[PKG]).hexdigest()}" in look["news"][0]
        expert, wrong = story.setting.macos_expert.login, "5" * 64
        await story.refusal(story.say("/release done macos", by=expert), "The SHA-256 of the file is missing")
        await story.agreed(story.say(f"/release done macos {wrong}", by=expert))
        await story.comment("about=changed-", f"told was {wrong}", PKG)


@pytest.mark.chaos
async def test_what_is_missing_is_not_asked_for_again_by_the_clock(tmp_path: Path) -> None:
    async with out(tmp_path, (0.1, 0.9, 1.7)) as (story, cut):
        story.world.faults.add(Fault(action=refuse(404), path=f"^{FTP}{TGZ}$", skip=2))
        await released(story, cut)
        await story.comment(
            "about=changed-", f"{TGZ}` is not handed out: there is no such file", f"curl -X PURGE https://www.python.org{FTP}{TGZ}"
        )
        await at_rest(story)
        assert asked(story, TGZ) == 3
        assert (await looked_again(story))[-1]["differences"] == []
