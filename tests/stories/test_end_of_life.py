"""The end of a series: a signed tag with the name of its branch, on its last commit, and nothing else."""

from pathlib import Path

import pytest

from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.release_manager import Cut
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story, accepted
from tests.stories.telling import telling

BRANCH, TAG = "refs/heads/3.10", "refs/tags/3.10"


async def tagged(story: Story) -> Cut:
    """Start the end of 3.10, and tag it as the bot asks for it."""
    story.say("/release 3.10 --as eol")
    await story.comment("Sign the tag that ends 3.10", "`git push origin refs/tags/3.10`", "There is no release commit")
    assert [name.split()[1] for name in story.freezes()] == [BRANCH, TAG]
    return await story.cut()


async def only_the_tag_is_new(story: Story, cut: Cut, before: dict[str, str]) -> None:
    """See that the tag stands on the branch, which stayed where it was, and that nothing else was pushed."""
    refs = await story.upstream()
    assert {ref: refs[ref] for ref in refs if refs[ref] != before.get(ref)} == {TAG: cut.tag}
    assert refs[BRANCH] == cut.commit == before[BRANCH]
    release = await story.release()
    assert [(line["ref"], line["old"], line["new"]) for line in release["plan"]] == [(TAG, None, cut.tag)]


async def test_a_series_ends_with_a_signed_tag_on_its_last_commit(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.10") as story:
        before = await story.upstream()
        await story.answer(story.say("/release 3.10"), "end the series by", "--as eol")
        cut = await tagged(story)
        await story.comment("/release approve", cut.tag, "git rev-parse refs/tags/3.10")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await story.status("3.10 is upstream: tag 3.10 is at the approved ids")
        await only_the_tag_is_new(story, cut, before)


@pytest.mark.chaos
async def test_nothing_is_built_for_it_and_what_is_left_is_listed(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.10", whole=True) as story:
        before = await story.upstream()
        cut = await tagged(story)
        await story.approved(cut)
        await story.comment("this is left for people", "`git push upstream --delete refs/heads/3.10`")
        await story.comment("/release done checklist")
        story.say("/release done checklist")
        await story.comment("🎉", "3.10 is upstream")
        release = await story.state("done")
        await only_the_tag_is_new(story, cut, before)
        without = {step["name"] for step in release["steps"] if step["state"] == "not applicable"}
        assert without == {"source", "windows", "macos", "go", "windows-publish", "publication", "store"}


@pytest.mark.chaos
async def test_a_tag_that_is_unsigned_or_elsewhere_is_refused(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.10") as story:
        story.say("/release 3.10 --as eol")
        await story.comment("Sign the tag that ends 3.10")
        cut = await story.cut(key=None)
        await story.comment("is not authentic: It is not signed")
        older = await story.hands.upstream_head("3.11")
        await story.retagged(cut, key=story.setting.key, target=older)
        await story.comment("it has to name the last commit of 3.10")
        again = await story.retagged(cut, key=story.setting.key, message="So long, and thanks")
        await story.approved(again)
        await story.state("done")
        assert (await story.upstream())[TAG] == again.tag


@pytest.mark.chaos
async def test_only_a_series_with_security_fixes_alone_comes_to_its_end(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.14.7") as story:
        await story.refusal(story.say("/release 3.14 --as eol"), "3.14 has the status bugfix")
        # What nobody can know now is asked again later: nothing is ended on somebody's word alone.
        story.world.faults.add(Fault(action=refuse(503), path=r"^/api/release-cycle\.json$"))
        await story.refusal(story.say("/release 3.14 --as eol"), "The status of 3.14 could not be read")
        story.world.faults.clear()


@pytest.mark.chaos
async def test_a_series_that_still_gets_security_fixes_is_ended_by_two_persons_only(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.10") as story:
        story.world.peps.set("3.10", end_of_life=f"{story.world.now().year + 1}-10")
        story.say("/release 3.10 --as eol")
        await story.comment("/release waive end-of-life", "3.10 gets security fixes until", "so its end is not due")
        assert not story.freezes()
        story.say("/release abort it was a slip of the finger")
        await story.state("aborted")


@pytest.mark.chaos
async def test_a_tag_of_that_name_upstream_is_not_taken_again(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.10") as story:
        await story.hands.fetch()
        head = await story.hands.upstream_head("3.10")
        cut = await story.hands.cut(story.setting.version, head, key=story.setting.key)
        accepted(await story.hands.push_upstream(f"{TAG}:{TAG}"))
        story.say("/release 3.10 --as eol")
        await story.comment("The tag 3.10 exists upstream already")
        story.say("/release abort it has ended already")
        await story.state("aborted")
        assert (await story.upstream())[TAG] == cut.tag


@pytest.mark.chaos
async def test_it_ends_once_however_often_the_bot_dies(tmp_path: Path) -> None:
    mortal = Mortal()
    async with telling(tmp_path, "3.10", observers=[mortal]) as story, reviving(story, mortal):
        before = await story.upstream()
        story.patience = 60
        cut = await tagged(story)
        await story.approved(cut)
        await story.state("done")
        await only_the_tag_is_new(story, cut, before)
