"""Stories of a release that is built by the workflow and by nothing else: its profile has no other builders, and publishes nothing."""

import re
from collections.abc import Mapping

from bot.rehearsal.github_actions_model import Run
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.release_workflow import BUILD_RELEASE, REPOSITORY, SOURCE, VERIFY
from tests.stories.story import Story

FILE = BUILD_RELEASE.file
DISPATCH = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"
OTHERS = ("windows", "macos", "go", "windows-publish", "publication", "store", "wrap-up", "checklist")

_STEP = re.compile(r"^\[\[step\]\]\nname = \"(?P<name>.+)\"\n(?:(?!\[).*\n)*", re.MULTILINE)


def sources_only(text: str) -> str:
    """Leave of a profile the steps that the walls need, and the sources."""
    kept = _STEP.sub(lambda match: "" if match["name"] in OTHERS else match[0], text)
    return kept.replace('name = "push"\nneeds = ["publication"]', 'name = "push"\nneeds = ["source"]')


async def approved(story: Story) -> Cut:
    """Bring a release to where it is built."""
    cut = await story.opened()
    await story.approved(cut)
    return cut


async def ordered(story: Story, number: int = 1) -> Run:
    """Wait for a run that the bot ordered, and for the bot to know of it."""
    bot = story.world.github.app.bot

    async def there() -> Run | None:
        runs = [run for run in reversed(runs_of(story)) if run.actor is bot]
        return runs[number - 1] if len(runs) >= number else None

    run: Run = await story.until(f"the order number {number}", there)
    return run


def runs_of(story: Story) -> list[Run]:
    """Return every run of the workflow, newest first."""
    return story.world.github.actions.runs(REPOSITORY)


def inputs(story: Story, cut: Cut) -> dict[str, str]:
    """Return what is to be built."""
    return {"git_remote": story.manager, "git_commit": cut.commit, "cpython_release": str(story.setting.version)}


def shows(story: Story, run: Run) -> None:
    """Let the first job of a queued run end, which shows what is built."""
    story.world.github.actions.start(run.id)
    story.world.github.actions.finish_job(run.id, VERIFY)


def uploads(story: Story, run: Run, sources: Mapping[str, bytes] | None = None) -> None:
    """Upload what the jobs of a run make."""
    actions, files = story.world.github.actions, story.files
    actions.upload(run.id, "source", files.sources if sources is None else sources)
    for architecture, made in files.android.items():
        actions.upload(run.id, f"{architecture}-linux-android", made)


def ends(story: Story, run: Run, *, log: str | None = None, **conclusions: str) -> None:
    """End every job that is left, in their order; ``log`` is what the build of the sources prints instead of its hashes."""
    actions = story.world.github.actions
    while job := next((job for job in run.latest().values() if job.status == "in_progress"), None):
        ending = conclusions.get(job.name.replace("-", "_"), "success")
        actions.finish_job(run.id, job.name, ending, log=log if job.name == SOURCE else None)


def builds(story: Story, run: Run) -> None:
    """Let a run do all that it was ordered for."""
    shows(story, run)
    uploads(story, run)
    ends(story, run)


async def pushed(story: Story, cut: Cut) -> None:
    """See the release come to its end."""
    await story.state("done")
    assert (await story.upstream())[f"refs/tags/v{story.setting.version}"] == cut.tag


def dispatches(story: Story) -> int:
    """Return how often the bot ordered a run."""
    return story.world.counts[DISPATCH]
