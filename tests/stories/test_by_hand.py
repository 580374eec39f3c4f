"""What people do with their own hands, what is put off, and the go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.rehearsal.release_manager import Cut
from tests.stories.story import Story
from tests.stories.telling import only, telling

HASH, OTHER_HASH = "a" * 64, "b" * 64
BY_HAND = only("preflight", "freeze", "tag", "audit", "approve", "macos", "go", "push", "thaw")
MACOS = "Build the macOS installer"


@asynccontextmanager
async def at_macos(tmp_path: Path) -> AsyncIterator[tuple[Story, Cut]]:
    """Tell a release from the moment when the macOS expert is asked."""
    async with telling(tmp_path, "3.15.0a3", policy=BY_HAND, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment(MACOS, f"@{story.setting.macos_expert.login}", "/release done macos SHA256", cut.commit)
        yield story, cut


async def pushed(story: Story, cut: Cut) -> None:
    """See the release end well."""
    await story.state("done")
    assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag


async def test_an_expert_builds_and_the_go_lets_it_out(tmp_path: Path) -> None:
    async with at_macos(tmp_path) as (story, cut):
        expert = story.setting.macos_expert.login
        word = story.say(f"/release done macos {HASH}", by=expert)
        await story.reaction(word, "+1")
        call = await story.comment(f"/release go {cut.tag}", f"@{story.manager}")
        assert "Everything is built" in call
        status = await story.status("**What was built**", HASH, "python-3.15.0a3-macos11.pkg")
        assert cut.commit in status
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        go = story.say(f"/release go {cut.tag}")
        await story.reaction(go, "+1")
        await pushed(story, cut)
        await story.status(f"**Go** by `{story.manager}`", ": done")
        release = await story.release()
        assert all(act["done"] for act in release["people"])


async def test_nobody_else_says_that_it_is_done(tmp_path: Path) -> None:
    async with at_macos(tmp_path) as (story, cut):
        expert = story.setting.macos_expert.login
        mine = story.say(f"/release done macos {HASH}")
        await story.refusal(mine, "Only a macos-expert may say that macos is done")
        windows = story.say(f"/release done macos {HASH}", by=story.setting.windows_expert.login)
        await story.refusal(windows, "Only a macos-expert")
        bare = story.say("/release done macos", by=expert)
        await story.refusal(bare, "The SHA-256 of the file is missing")
        short = story.say("/release done macos abc", by=expert)
        await story.answer(short, "A SHA-256 is exactly 64 lower-case hexadecimal digits")
        early = story.say(f"/release go {cut.tag}")
        await story.refusal(early, "Not everything is there yet: macos: needs a person")
        amiga = story.say(f"/release done amiga {HASH}", by=expert)
        await story.refusal(amiga, "knows no step `amiga` that is done by hand")
        story.say(f"/release done macos {HASH}", by=expert)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await pushed(story, cut)


@pytest.mark.chaos
async def test_a_word_that_was_corrected_before_the_go_is_the_one_that_counts(tmp_path: Path) -> None:
    async with at_macos(tmp_path) as (story, cut):
        expert = story.setting.macos_expert.login
        story.say(f"/release done macos {HASH}", by=expert)
        await story.comment(f"/release go {cut.tag}")
        await story.reaction(story.say(f"/release done macos {OTHER_HASH}", by=expert), "+1")
        await story.status(OTHER_HASH)
        await story.comment("Look at the table of results", f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.step("go", "passed")
        late = story.say(f"/release done macos {HASH}", by=expert)
        await story.reaction(late, "-1")
        await story.comment(f"about=answer-{late}")
        await pushed(story, cut)
        rows = {one["what"]: one["value"] for one in (await story.step("go", "passed"))["evidence"]}
        assert rows["macos: python-3.15.0a3-macos11.pkg"] == f"sha256:{OTHER_HASH}"


async def test_the_release_manager_puts_the_installer_off(tmp_path: Path) -> None:
    async with at_macos(tmp_path) as (story, cut):
        expert = story.setting.macos_expert.login
        theirs = story.say("/release defer macos no time", by=expert)
        await story.refusal(theirs, "Only a release manager")
        source = story.say("/release defer source no time")
        await story.refusal(source, "source is no step that is done by hand")
        story.say("/release defer macos the notary service is down")
        await story.comment(f"/release go {cut.tag}")
        await story.status("follows later, says `hugovk`: the notary service is down")
        story.say(f"/release go {cut.tag}")
        await pushed(story, cut)


async def test_a_go_names_the_tag_object_and_nothing_else(tmp_path: Path) -> None:
    async with at_macos(tmp_path) as (story, cut):
        story.say(f"/release done macos {HASH}", by=story.setting.macos_expert.login)
        await story.comment(f"/release go {cut.tag}")
        commit = story.say(f"/release go {cut.commit}")
        await story.refusal(commit, f"/release go {cut.tag}")
        stranger = story.say(f"/release go {cut.tag}", by="stranger")
        await story.refusal(stranger, "Only a release manager")
        expert = story.say(f"/release go {cut.tag}", by=story.setting.macos_expert.login)
        await story.refusal(expert, "Only a release manager")
        story.say(f"/release go {cut.tag}")
        await pushed(story, cut)


async def test_after_the_go_another_tag_halts_the_release_and_two_recall_it(tmp_path: Path) -> None:
    """The go is followed by a publication that never comes, so that there is time to change one's mind."""
    steps = only("preflight", "freeze", "tag", "audit", "approve", "macos", "go", "publication", "push", "thaw")
    async with telling(tmp_path, "3.15.0a3", policy=steps, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment(MACOS)
        story.say(f"/release done macos {HASH}", by=story.setting.macos_expert.login)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org")
        again = story.say("/release refreeze one more fix")
        await story.refusal(again, "may be public, so this version cannot be cut again")
        await story.retagged(cut)
        await story.state("halted")
        await story.comment("is halted", "but the go was given", "/release resume")
        first = story.say("/release abort the sources are broken")
        await story.reaction(first, "+1")
        await story.comment("wants to recall 3.15.0a3", "a second person has to agree")
        alone = story.say("/release abort really")
        await story.refusal(alone, "you did already")
        story.say("/release abort I agree", by="ambv")
        await story.state("aborted")
        await story.comment("was recalled after its go", "off python.org")
        assert "refs/tags/v3.15.0a3" not in await story.upstream()
        assert "files of it may be public" in await story.status(": aborted")
        word = story.say("/release done withdraw")
        await story.reaction(word, "+1")

        async def withdrawn() -> bool:
            return story.people(await story.release()) == []

        await story.until("nobody to be asked any more", withdrawn)
