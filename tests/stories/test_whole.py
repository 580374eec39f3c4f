"""The whole release, from its first word to the thanks: everything is built, published and pushed, once."""

import io
import math
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.rehearsal.calls import calls
from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.scene import Scene
from bot.rehearsal.timeline import TimelineForPrograms
from tests.stories.story import Story
from tests.stories.telling import rarely, telling

PATIENT = 60.0
"""Seconds; a whole release takes a while on a busy machine."""

ASKED = {
    "3.15.0a3": {"manager": 6, "windows-expert": 3, "macos-expert": 1},
    "3.13.6": {"manager": 7, "windows-expert": 4, "macos-expert": 1},
    "3.12.99": {"manager": 8},
}
"""For each version, who was asked how often: to begin, to tag, to approve, to say go, to publish and to announce it,
and what only people can do in the end; to approve on Azure, and to serve the Store; and to build."""


async def carried(story: Story, patience: float = PATIENT) -> Cut:
    """Carry a whole release from its first word to its end, as people do it every month."""
    story.patience = patience
    opening = story.say(f"/release {story.setting.version}")
    await story.asked_to_cut()
    cut = await story.cut()
    await story.built(cut)
    go = await story.went(cut)
    await story.published()
    await story.sold()
    await story.comment("is out")
    await story.state("done")
    await story.reaction(go, "+1")
    await story.reaction(opening, "+1")
    await story.until("all check runs", lambda: all_checked(story, cut))
    return cut


async def all_checked(story: Story, cut: Cut) -> bool:
    """Tell whether every step stands beside the commit, also those that the release does not have."""
    steps = (await story.release()).get("steps", ())
    return 0 < len(story.world.github.check_runs("python/cpython", cut.commit)) == len(steps)


def scene_of(story: Story, cut: Cut) -> Scene:
    """Return the story as the inspection of a rehearsal wants it."""
    return Scene(world=story.world, stage=story.setting, timeline=TimelineForPrograms(io.StringIO()), issue=story.issue, cut=cut)


async def asked(story: Story) -> Counter[str]:
    """Return how often each was asked for something, and see that nobody is waited for any more."""
    setting, people = story.setting, (await story.release())["people"]
    assert all(act["done"] for act in people), people
    parts = {setting.manager.login: "manager", setting.windows_expert.login: "windows-expert", setting.macos_expert.login: "macos-expert"}
    return Counter(parts[login] for act in people for login in act["who"])


@pytest.mark.parametrize("version", [rarely("3.15.0a3"), rarely("3.13.6"), "3.12.99"])
async def test_a_whole_release_is_built_published_and_pushed(tmp_path: Path, version: str) -> None:
    async with telling(tmp_path, version, whole=True) as story:
        cut = await carried(story)
        refs = await story.upstream()
        assert refs[f"refs/tags/v{version}"] == cut.tag
        assert of_the_builders(scene_of(story, cut)) == []
        assert await asked(story) == ASKED[version]
        release = await story.release()
        states = {step["name"]: step["state"] for step in release["steps"]}
        assert set(states.values()) <= {"passed", "not applicable"}
        without = {name for name, state in states.items() if state == "not applicable"}
        hands = {"checklist"} if version == "3.13.6" else {"checklist", "store"}
        assert without == hands | ({"windows", "macos", "windows-publish"} if story.files.security else set())


# --- what it costs

PURGED = 29
"""How many addresses are purged: eight pages, and of the 21 files of builders that nobody else purges what lies there."""

WRITES = {
    "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches": 1,
    "POST /repos/{owner}/{repo}/rulesets": 2,
    "DELETE /repos/{owner}/{repo}/rulesets/{ruleset_id}": 2,
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": 10,
    "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": 12,
    "POST /repos/{owner}/{repo}/check-runs": 16,
    "POST /{organization}/{project}/_apis/pipelines/{pipelineId}/preview": 2,
    "POST /{organization}/{project}/_apis/pipelines/{pipelineId}/runs": 2,
    "PUT /{organization}/{project}/_apis/build/builds/{buildId}/tags/{tag}": 2,
    "POST /{organization}/{project}/_apis/build/retention/leases": 2,
    "POST /repos/{owner}/{repo}/git/refs": 1,
    "PUT /repos/{owner}/{repo}/contents/{path}": 2,
    "POST /repos/{owner}/{repo}/pulls": 1,
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge": 1,
    "PURGE /{path}": PURGED,
}
"""What a whole release writes, exactly: one run of the workflow; two runs on Azure, each checked first, marked and kept; a status, eight
calls and thanks; three reactions to each of four commands; two rules made and lifted; a check run for each step;
and a branch, two commits and a pull request for the schedule."""

AT_MOST = {"PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": 30, "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": 14}
"""What depends on how the news come together: how often the status is written anew."""

NOT_COUNTED = ("/access_tokens", "/installation/token", "git-upload-pack", "git-receive-pack")

READS = {"GitHub": 140, "git": 50, "Azure": 40, "python.org": 90}
"""The most that a whole release reads however quickly it goes by.

Of python.org: 13 files and 21 that vouch for them, each twice, and the lists."""

READS_WHILE_WAITING = {"GitHub": 15, "git": 3, "Azure": 3, "python.org": 2}
"""The most that is read beside that each time the bot asks by itself, which in that story is once in a second."""


def in_no_hurry(text: str) -> str:
    """Let the bot ask by itself as rarely as such a short story allows."""
    return text.replace("poll = 0.1", "poll = 1").replace("sweep = 0.25", "sweep = 30")


async def test_a_whole_release_costs_no_more_than_it_has_to(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True, policy=in_no_hurry) as story:
        began = time.monotonic()
        await carried(story)
        looks = math.ceil(time.monotonic() - began)
        asked = {line: times for line, times in story.world.counts.items() if not line.startswith(("GET", "OPTIONS", "HEAD"))}
        written = {line: times for line, times in asked.items() if not line.endswith(NOT_COUNTED)}
        assert {line: times for line, times in written.items() if line not in AT_MOST} == WRITES
        assert all(times <= AT_MOST[line] for line, times in written.items() if line in AT_MOST), written
        spent = {one.system: one for one in calls(story.world, [story.manager])}
        assert (spent["git"].writes, spent["python.org"].writes) == (1, PURGED)
        allowed = {system: reads + looks * READS_WHILE_WAITING[system] for system, reads in READS.items()}
        assert {one.system: one.reads for one in spent.values() if one.reads > allowed[one.system]} == {}, story.world.counts
