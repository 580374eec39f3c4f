"""What stories about Windows share: a release that builds for Windows alone, and a pipeline that is driven by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bot.rehearsal.azure_model import Run
from bot.rehearsal.release_files import certificate_info
from bot.rehearsal.release_manager import Cut
from bot.store.model import EffectKey
from tests.stories.disorder import Mortal
from tests.stories.story import Story
from tests.stories.telling import telling, walls

EXPERT = "zooba"
QUEUE = "POST /{organization}/{project}/_apis/pipelines/{pipelineId}/runs"
PREVIEW = "POST /{organization}/{project}/_apis/pipelines/{pipelineId}/preview"
RUNS = r"/_apis/pipelines/21/runs$"
"""Where runs are ordered."""

_START = ("preflight", "freeze", "tag", "audit", "approve", "windows")
BUILT = (*_START, "push", "thaw")
"""The steps of a release that only builds for Windows."""

PUBLISHED = (*_START, "go", "windows-publish", "push", "thaw")
"""The steps of a release that publishes it, too."""


def only(steps: Sequence[str], *changes: tuple[str, str]) -> Callable[[str], str]:
    """Return a policy with these steps, each after the one before it, in which some texts stand in place of others."""
    needs = ["", *(f'needs = ["{step}"]\n' for step in steps)]
    blocks = "\n".join(f'[[step]]\nname = "{step}"\n{need}' for step, need in zip(steps, needs, strict=False))

    def change(text: str) -> str:
        text = walls(text).replace("[workflow]", f"{blocks}\n[workflow]")
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        return text

    return change


def building(directory: Path, *changes: tuple[str, str], steps: Sequence[str] = BUILT, **how: Any) -> Any:
    """Tell a story about Windows alone, in which nothing happens on Azure by itself."""
    return telling(directory, "3.15.0a3", policy=only(steps, *changes), whole=True, machines=False, **how)


async def ordered(story: Story, number: int = 1) -> Run:
    """Wait until that many runs are on Azure, and return the newest."""

    async def there() -> bool:
        return len(story.world.azure.runs) >= number

    await story.until(f"run {number} on Azure", there)
    assert len(story.world.azure.runs) == number
    return story.world.azure.runs[-1]


async def begun(story: Story) -> tuple[Cut, Run]:
    """Have a release cut and approved, and return it with the run that was ordered for it."""
    fill(story)
    cut = await story.opened()
    await story.approved(cut)
    return cut, await ordered(story)


def fill(story: Story, *, real: bool = True) -> None:
    """Say what the artifacts of runs will have in them."""
    story.world.azure.fill("cert", certificate_info(real=real))


def went_on(story: Story, run: Run) -> None:
    """Let everything happen in a run that can happen without people."""
    while story.world.azure.advance(run.id):
        pass


async def asked(story: Story, stage: str, run: Run) -> str:
    """Wait until the experts are called for the approval of a stage."""
    return await story.comment(f"@{EXPERT}", f"The stage `{stage}` of the run", "waits for an approval since", f"buildId={run.id}")


async def approved(story: Story, run: Run, *stages: str) -> None:
    """Let the expert approve stages, each as soon as they are called for it, and let the run go on."""
    for stage in stages:
        went_on(story, run)
        await asked(story, stage, run)
        story.world.azure.approve(EXPERT, run.id, stage)
    went_on(story, run)


async def ended(story: Story, run: Run) -> None:
    """Let a run come to its end, and the release to its own."""
    await approved(story, run, "Sign", "Pack")
    assert run.result == "succeeded"
    await story.state("done")


async def row(story: Story) -> dict[str, Any]:
    """Wait until something is asked of the experts, and return it."""

    async def there() -> dict[str, Any] | None:
        return next((act for act in story.people(await story.release()) if EXPERT in act["who"]), None)

    return dict(await story.until(f"a row for {EXPERT}", there))


async def looked_at(story: Story, run: Run, times: int = 5) -> None:
    """Wait until the bot has looked at a run some more times."""
    path = f"/_apis/build/builds/{run.id}"

    def looks() -> int:
        return sum(request.method == "GET" and request.path.endswith(path) for request in story.world.requests)

    before = looks()

    async def there() -> bool:
        return looks() >= before + times

    await story.until(f"{times} looks at run {run.id}", there)


def retry(story: Story, step: str = "windows") -> int:
    """Let the expert ask for another try."""
    return story.say(f"/release retry {step}", by=EXPERT)


class Doomed(Mortal):
    """Die at every effect of the steps that are about Windows, and at no other."""

    async def _perhaps(self, point: str, key: EffectKey) -> None:
        if key.step.startswith("windows"):
            await super()._perhaps(point, key)
