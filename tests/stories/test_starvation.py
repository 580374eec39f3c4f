"""One thing that cannot be done keeps nothing else from being done."""

import asyncio
from pathlib import Path

import pytest

from bot.rehearsal.faults import Fault, call, refuse
from bot.rehearsal.stage import UPSTREAM
from bot.store.claim import Claim
from bot.store.store import Store
from tests.stories.story import Story
from tests.stories.telling import telling
from tests.stories.test_commands_heard import MEMBERSHIP

FORK = "hugovk/cpython"
ALWAYS = 100_000


async def next_version_can_be_opened(story: Story) -> None:
    """See that the release before is over for everybody: its branch is free for another one."""
    story.issue = story.open_issue()
    await story.agreed(story.say("/release 3.15.0a4"))
    await story.asked_to_cut()
    abort = story.say("/release abort this story is told")
    await story.reaction(abort, "+1")


async def test_a_freeze_that_github_refuses(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.faults.add(Fault(action=refuse(403), method="POST", path=rf"^/repos/{UPSTREAM}/rulesets$", times=3))
        refused = story.say("/freeze 3.14 because")
        await story.refusal(refused, "GitHub refused")
        await story.swept()


async def test_a_freeze_that_is_not_effective_is_not_left_behind(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github

        async def switch_off() -> None:
            [rule] = github.rulesets(UPSTREAM)
            github.edit_ruleset("coredev", rule.id, {"enforcement": "disabled"})

        story.world.faults.add(Fault(action=call(before=switch_off), method="GET", path=rf"^/repos/{UPSTREAM}/rulesets/[0-9]+$"))
        freeze = story.say("/freeze 3.14 because")
        await story.refusal(freeze, "has another enforcement", "nothing is frozen")
        assert story.freezes() == []
        await story.answer(story.say("/freeze 3.14 because"), "`3.14` is frozen")
        await story.answer(story.say("/unfreeze 3.14"), "was lifted")


async def test_a_look_up_that_github_refuses_is_refused_after_a_while(tmp_path: Path) -> None:
    def impatient(text: str) -> str:
        return text.replace("authority_patience = 2", "authority_patience = 0.3")

    async with telling(tmp_path, "3.15.0a3", policy=impatient) as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        away = story.world.faults.add(Fault(action=refuse(403), path=MEMBERSHIP, times=ALWAYS))
        await story.refusal(story.say("/release status", by="stranger"), "GitHub could not tell", "please try again")
        away.times = 0
        story.say(f"/release approve {cut.tag}")
        await story.state("done")


@pytest.mark.chaos
async def test_checks_that_the_fork_refuses_do_not_keep_the_release_open(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.github.install(FORK)
        story.world.faults.add(Fault(action=refuse(403), method="POST", path=rf"^/repos/{FORK}/check-runs$", times=ALWAYS))
        cut = await story.opened()
        await story.approved(cut)
        await story.state("done")

        async def checked() -> bool:
            return len(story.world.github.check_runs(UPSTREAM, cut.commit)) == 7

        await story.until("all checks upstream", checked)
        await next_version_can_be_opened(story)


@pytest.mark.chaos
async def test_an_issue_that_is_gone_does_not_keep_the_release_open(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        [status] = [one for one in story.world.github.comments(UPSTREAM, story.issue) if "<!-- about=status -->" in one.body]
        for method, path in (
            ("POST", rf"/issues/{story.issue}/comments$"),
            ("PATCH", rf"/issues/comments/{status.id}$"),
            ("POST", "/reactions$"),
        ):
            gone = refuse(410, {"message": "This issue was deleted"})
            story.world.faults.add(Fault(action=gone, method=method, path=path, times=ALWAYS))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await story.swept()
        story.world.faults.clear()
        await next_version_can_be_opened(story)


async def test_a_locked_issue_is_still_listened_to(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        locked = refuse(403, {"message": "Unable to create comment because issue is locked."})
        for path in (rf"/issues/{story.issue}/comments$", "/reactions$"):
            story.world.faults.add(Fault(action=locked, method="POST", path=path, times=ALWAYS))
        story.say("/release halt wait a moment")
        await story.state("halted")
        story.world.faults.clear()
        await story.comment("is halted and its freeze stays: wait a moment")
        story.say("/release abort enough")
        await story.state("aborted")


async def test_a_suspended_fork_does_not_hide_a_tag_upstream(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.forgiven.append("appeared in python/cpython without a release")
        story.world.github.install(FORK)

        async def read() -> bool:
            return sum(request.path == f"/repos/{FORK}/git/matching-refs/tags/v" for request in story.world.requests) > 1

        await story.until("the tags to be read", read)
        story.world.faults.add(Fault(action=refuse(403), path=rf"^/repos/{FORK}/", times=ALWAYS))
        refs = await story.upstream()
        await story.world.github.set_ref("coredev", UPSTREAM, "refs/tags/v3.15.0a2", refs["refs/tags/v3.15.0a1"])
        await story.alarm("The tag v3.15.0a2", "moved there from")


async def test_a_fork_that_is_gone_does_not_hide_the_tag_in_another(tmp_path: Path) -> None:
    def two_forks(text: str) -> str:
        assert f'forks = ["{FORK}"]' in text
        return text.replace(f'forks = ["{FORK}"]', f'forks = ["hugovk/gone", "{FORK}"]')

    async with telling(tmp_path, "3.15.0a3", policy=two_forks) as story:
        cut = await story.opened()
        await story.approved(cut)
        await story.state("done")


async def test_a_delivery_that_cannot_come_again_does_not_keep_comments_from_being_read(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.faults.add(Fault(action=refuse(404), path=r"^/app/hook/deliveries", times=ALWAYS))
        url, story.world.github.app.webhook_url = story.world.github.app.webhook_url, "http://127.0.0.1:9/webhook/github"
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        story.world.github.app.webhook_url = url
        story.say("/release abort this story is told")
        await story.state("aborted")


async def test_a_release_that_nobody_meant_to_look_at_is_looked_at_after_a_restart(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        assert story.bot is not None
        settings = story.bot.settings
        await story.stop_bot()
        store = await Store.open(settings.database)
        asleep = asyncio.Event()

        async def never(claim: Claim) -> None:
            """Look at it as a bot does that does not serve the project."""
            if "#" in claim.key:
                asleep.set()

        running = asyncio.create_task(store.run(never))
        await asleep.wait()
        await store.close()
        await running
        cut = await story.hands.cut(story.setting.version, await story.hands.upstream_head("main"))
        await story.pushed(cut)
        await story.start_bot()
        await story.approved(cut)
        await story.state("done")


@pytest.mark.chaos
async def test_a_push_that_is_refused_again_and_again_calls_once(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        for number in range(12):
            # GitHub names every request by another id.
            refusal = refuse(403, {"message": "no such permission"}, {"X-GitHub-Request-Id": f"ABCD:{number}"})
            story.world.faults.add(Fault(action=refusal, method="POST", path=r"^/app/installations/[0-9]+/access_tokens$"))
        story.say(f"/release approve {cut.tag}")
        await story.comment("GitHub refused the push", "no such permission")
        await story.state("done")
