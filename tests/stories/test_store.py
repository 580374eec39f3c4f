"""The Microsoft Store is served by hand: it holds up nothing, but the release is not over before."""

from pathlib import Path

from bot.rehearsal.azure_model import Run
from bot.rehearsal.release_files import hash_table
from tests.stories.pipeline import EXPERT, PUBLISHED, approved, begun, building, ordered
from tests.stories.story import Story

STEPS = (*PUBLISHED, "store")
AT_ONCE = ('name = "store"\nneeds = ["thaw"]', 'name = "store"\nneeds = ["windows-publish"]')
STAND_IN = ('login = "ned-deily"\n', f'login = "ned-deily"\nstands_in_for = ["{EXPERT}"]\n')


async def published(story: Story) -> Run:
    """Have Windows built, said go to and published; return the run that built."""
    cut, first = await begun(story)
    story.world.azure.fill("hashes", {"hashes.txt": hash_table(story.files.installers, "SHA256", "MD5")})
    story.world.azure.fill("pymanager_hashes", {"hashes.txt": hash_table(story.files.packages, "SHA256")})
    await approved(story, first, "Sign", "Pack")
    await story.comment(f"/release go {cut.tag}")
    story.say(f"/release go {cut.tag}")
    await approved(story, await ordered(story, 2), "Publish")
    return first


async def test_a_stand_in_serves_the_store_while_branch_and_tag_are_upstream_already(tmp_path: Path) -> None:
    async with building(tmp_path, AT_ONCE, STAND_IN, steps=STEPS) as story:
        first = await published(story)
        call = await story.comment(f"@{EXPERT} @ned-deily", "Take the packages for the Microsoft Store", "/release done store")
        assert f"msixupload: {story.world.azure.url}/cpython/_build/results?buildId={first.id}&view=artifacts" in call
        assert "https://partner.microsoft.com" in call
        await story.step("thaw", "passed")
        assert "refs/tags/v3.15.0a3" in await story.upstream()
        assert (await story.release())["state"] == "running"
        await story.refusal(story.say("/release done store"), "Only a windows-expert may say that store is done")
        hashed = story.say(f"/release done store {'a' * 64}", by="ned-deily")
        await story.refusal(hashed, "store makes no file that could be compared")
        await story.agreed(story.say("/release done store", by="ned-deily"))
        await story.state("done")
        passed = await story.step("store", "passed")
        assert f"ned-deily, who stands in for {EXPERT}, says that it is done" in passed["why"]
        assert all(act["done"] for act in (await story.release())["people"])
