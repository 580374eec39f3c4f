"""What the audit of a release says, where people look: the check run, the lines it annotates, the status, the page."""

from pathlib import Path

import aiohttp

from bot.rehearsal.stage import UPSTREAM
from bot.verify.release_diff import LARGEST_FILE
from tests.stories.story import Story
from tests.stories.telling import telling

FORK = "hugovk/cpython"
MOST_AT_ONCE = 50
UNSIGNED = "unsigned: authenticated by the typed SHA of"


async def page(story: Story) -> str:
    """Return the page of the release."""
    async with aiohttp.ClientSession() as session, session.get(f"{story.url}/releases/cpython/{story.setting.version}") as answer:
        return await answer.text()


async def test_the_check_run_shows_what_is_explained_and_annotates_what_is_not(tmp_path: Path) -> None:
    shrubs = {f"Lib/shrub{number:02}.py": b"import os\n\n" + b"print('Ni!')\n" * 2 for number in range(53)}
    hostile = {"Lib/a`|@everyone<b>.py": "print('\u202e')\n".encode()}
    large = {"Lib/large.txt": b" " * (LARGEST_FILE + 1)}
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        github.install(FORK)
        cut = await story.opened(extra_changes=shrubs | hostile | large)
        await story.comment(f"/release waive audit {cut.tag} REASON")

        async def held() -> bool:
            # GitHub takes fifty annotations at a time, so the rest follows in a request of its own.
            runs = github.check_runs(FORK, cut.commit)
            return any(run.name == "release / audit" and run.conclusion and len(run.annotations) > MOST_AT_ONCE for run in runs)

        await story.until("the check run of the audit, with all its annotations", held)
        [audit] = [run for run in github.check_runs(FORK, cut.commit) if run.name == "release / audit"]
        assert audit.conclusion == "action_required"
        assert len(audit.annotations) == 55
        assert {one["annotation_level"] for one in audit.annotations} == {"failure"}
        hidden = next(one for one in audit.annotations if one["title"] == "audit, invisible: waiver only")
        assert (hidden["path"], hidden["start_line"]) == ("Lib/a`|@everyone<b>.py", 1)
        assert "U+202E RIGHT-TO-LEFT OVERRIDE" in str(hidden["message"])
        shrub = next(one for one in audit.annotations if one["path"] == "Lib/shrub07.py")
        assert (shrub["start_line"], shrub["end_line"]) == (1, 4)
        summary, text = str(audit.output["summary"]), str(audit.output["text"])
        assert "`Lib/large.txt` could not be read, or has more than 8 MiB" in summary
        assert "55 places are annotated in the files." in summary
        assert "| `patchlevel` | 1 | the whole file is the old one with the constants of this version, byte for byte |" in summary
        assert "- `Lib/shrub52.py`" in text
        assert "@everyone" not in summary.replace("`Lib/a'\\|@everyone<b>.py`", "")
        story.say(f"/release waive audit {cut.tag} the knights insist", by="pablogsal")
        await story.comment("/release approve", cut.tag, "The tag is unsigned: to be authenticated by the typed SHA of hugovk")
        await story.status("Signature | unsigned: to be authenticated by the typed SHA of `hugovk`")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await story.status(f"Signature | {UNSIGNED} `hugovk`")
        assert f"{UNSIGNED} hugovk" in await page(story)

        async def upstream() -> bool:
            return len(github.check_runs(UPSTREAM, cut.commit)) == len((await story.release())["steps"])

        await story.until("all check runs upstream", upstream)
        for repository in (FORK, UPSTREAM):
            runs = {run.name: run for run in github.check_runs(repository, cut.commit)}
            audit = runs["release / audit"]
            # What was said once is not said again when the step comes to another end.
            assert (audit.conclusion, len(audit.annotations)) == ("success", 55)
            assert "Waived by `pablogsal`: the knights insist" in str(audit.output["summary"])
            assert f"{UNSIGNED} hugovk" in str(runs["release / approve"].output["summary"])


async def test_a_tag_of_a_tag_is_refused(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        cut = await story.hands_cut()
        nested = await story.hands.retag(cut, target=cut.tag)
        await story.pushed_as_tag(nested.tag)
        await story.comment("@hugovk", "is malformed", "The tag points to a 'tag', not to a commit")
        await story.pushed_as_tag(cut.tag)
        await story.comment("/release approve", cut.tag)
        story.say("/release abort this story is told")
        await story.state("aborted")
