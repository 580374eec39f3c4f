"""A release that takes the place of another one: the day after it, after it was recalled, or made by somebody who stands in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rehearsal.keys import OpenPgpKey, openpgp_key
from bot.rehearsal.machinery import Machines
from bot.rehearsal.repository import Identity
from tests.stories import test_ordinary, test_whole
from tests.stories.telling import only, telling
from tests.stories.test_confirmed_again import over

HUGO = Identity(name="Hugo van Kemenade", email="hugovk@rehearsal.invalid")


async def test_a_replacement_follows_at_once(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        await test_ordinary.carried(story)
        await over(story)
        again = await story.beside("3.15.0a4", "hugovk")
        cut = await test_ordinary.carried(again)
        refs = await story.upstream()
        assert refs["refs/tags/v3.15.0a4"] == cut.tag
        # It follows naturally, and nobody has to acknowledge that the schedule does not know of it.
        await again.status("The published schedule has no 3.15.0a4")


@pytest.mark.chaos
async def test_a_replacement_is_built_and_published_in_the_same_folder(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, machines=False) as story:
        again = await story.beside("3.15.0a4", "hugovk")
        async with Machines(story.world, story.files, again.files).working():
            await test_whole.carried(story)
            await over(story)
            await test_whole.carried(again)
        folders = {files.path(name).rpartition("/")[0] for files in (story.files, again.files) for name in files}
        assert len(folders) == 1


async def test_a_recalled_number_is_not_used_again(tmp_path: Path) -> None:
    steps = only("preflight", "freeze", "tag", "audit", "approve", "go", "publication", "push", "thaw")
    async with telling(tmp_path, "3.15.0a3", policy=steps, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org")
        story.say("/release abort the sources are broken")
        await story.comment("wants to recall 3.15.0a3", "a second person has to agree")
        story.say("/release abort I agree", by="ambv")
        await story.state("aborted")
        await story.comment("was recalled after its go", "off python.org")
        await story.agreed(story.say("/release done withdraw"))
        again = story.open_issue()
        reused = story.say("/release 3.15.0a3", issue=again)
        await story.refusal(reused, "3.15.0a3", "recalled", issue=again)
        following = await story.beside("3.15.0a4", "hugovk")
        following.say("/release 3.15.0a4")
        asked = await following.comment("3.15.0a4 does not follow 3.15.0a2", "/release ack")
        following.say(asked.partition("```\n")[2].partition("\n")[0])
        await following.asked_to_cut()
        following.say("/release abort this story is told")
        await following.state("aborted")


def trusting(key: OpenPgpKey) -> Callable[[str], str]:
    """Return a policy in which hugovk has a key."""

    def change(text: str) -> str:
        text = text.replace('login = "hugovk"\n', f'login = "hugovk"\npgp_fingerprints = ["{key.fingerprint}"]\n')
        return text.replace('openpgp = ["manager.asc"', 'openpgp = ["manager.asc", "hugo.asc"')

    return change


async def test_a_stand_in_makes_a_release_that_has_to_be_signed(tmp_path: Path) -> None:
    with openpgp_key(HUGO) as key:
        (tmp_path / "hugo.asc").write_text(key.public())
        async with telling(tmp_path, "3.13.6", policy=trusting(key)) as story:
            instead = await story.beside("3.13.6", "hugovk")
            cut = await instead.opened(key=key)
            await instead.status("hugovk stands in for Yhg1s, who manages 3.13: the tag may be either's.")
            await instead.approved(cut)
            release = await instead.state("done")
            assert release["tag"]["signature"] == "openpgp"
            await instead.status("Signature | openpgp by", key.fingerprint)


async def test_a_stand_in_is_told_who_has_to_sign_the_files(tmp_path: Path) -> None:
    steps = only("preflight", "freeze", "tag", "audit", "approve", "go", "publication", "push", "thaw")
    async with telling(tmp_path, "3.13.6", policy=steps, whole=True) as story:
        instead = await story.beside("3.13.6", "hugovk")
        instead.say("/release 3.13.6")
        await instead.comment("@hugovk", "hugovk cannot sign files of 3.13: only thomas@", "so Yhg1s has to sign them", "/release ack")
        instead.say("/release abort then Thomas does it")
        await instead.state("aborted")
