"""The App is installed on the release manager's fork, so the checks appear there while the release is under way."""

from pathlib import Path

from bot.rehearsal.release_manager import Cut
from tests.stories.story import Story, accepted
from tests.stories.telling import telling

FORK = "hugovk/cpython"
STEPS = ("preflight", "freeze", "tag", "audit", "approve", "push", "thaw")


def checks(story: Story, repository: str, cut: Cut) -> dict[str, str | None]:
    """Return what the check runs on a commit say."""
    return {run.name.removeprefix("release / "): run.conclusion for run in story.world.github.check_runs(repository, cut.commit)}


async def test_every_step_has_its_check_on_the_forks_commit(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.github.install(FORK)
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        wanted = dict.fromkeys(("preflight", "freeze", "tag", "audit"), "success") | {"approve": "action_required"}

        async def there() -> bool:
            return checks(story, FORK, cut) == wanted

        await story.until("the checks in the fork", there)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")

        async def everywhere() -> bool:
            return all(checks(story, place, cut) == dict.fromkeys(STEPS, "success") for place in (FORK, "python/cpython"))

        await story.until("all checks everywhere", everywhere)
        for place in (FORK, "python/cpython"):
            assert len(story.world.github.check_runs(place, cut.commit)) == len(STEPS)


async def test_a_failed_audit_is_seen_in_the_fork(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as story:
        story.world.github.install("Yhg1s/cpython")
        unsigned = await story.opened(key=None)
        await story.comment("It is not signed")

        async def refused() -> bool:
            return checks(story, "Yhg1s/cpython", unsigned).get("audit") == "failure"

        await story.until("the check of the audit to fail", refused)
        signed = await story.retagged(unsigned, key=story.setting.key)
        await story.approved(signed)
        await story.state("done")

        async def mended() -> bool:
            return checks(story, "Yhg1s/cpython", signed).get("audit") == "success"

        await story.until("the check of the audit to pass", mended)


async def test_a_step_that_comes_back_is_shown_as_it_is(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.github.install(FORK)
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)

        async def says(wanted: str) -> None:
            async def there() -> bool:
                return checks(story, FORK, cut).get("tag") == wanted

            await story.until(f"the check of the tag to be a {wanted}", there)

        await says("success")
        accepted(await story.hands.delete_tag_in_fork(cut))
        await story.comment("@hugovk", "no longer in hugovk/cpython")
        await says("failure")
        await story.pushed(cut)
        await says("success")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


async def test_the_button_of_a_check_has_the_bot_look_again(tmp_path: Path) -> None:
    def patient(text: str) -> str:
        return text.replace("poll = 0.1", "poll = 1000").replace("sweep = 0.25", "sweep = 1000")

    async with telling(tmp_path, "3.13.6", policy=patient) as story:
        story.world.github.install("Yhg1s/cpython")
        unsigned = await story.opened(key=None)
        await story.comment("It is not signed")

        async def refused() -> list[int]:
            runs = story.world.github.check_runs("Yhg1s/cpython", unsigned.commit)
            return [run.id for run in runs if run.name == "release / audit"]

        [run] = await story.until("the check of the audit", refused)
        before = len(looks(story))
        story.world.github.press("Yhg1s", run)

        async def looked() -> bool:
            return len(looks(story)) > before

        await story.until("another look at the fork", looked)
        story.say("/release abort this story is told")
        await story.state("aborted")


def looks(story: Story) -> list[str]:
    """Return the looks at the fork by git."""
    return [request.path for request in story.world.requests if request.path == "/Yhg1s/cpython.git/info/refs"]
