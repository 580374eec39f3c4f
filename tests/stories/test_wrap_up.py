"""What is tidied up after a release, what is left to people, and the last word."""

import asyncio
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.journal import Head, verify
from bot.rehearsal.azure_model import Run as AzureRun
from bot.rehearsal.faults import Fault, call, drop_after, refuse
from bot.rehearsal.release_manager import Cut
from bot.release.facts import Run
from bot.release.ids import WorkKey
from bot.state import dump, load
from bot.store.claim import Claim
from bot.store.model import EffectKey
from bot.store.store import Store
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import telling

FORK = "hugovk/cpython"
BRANCH = "refs/heads/branch-3.15.0a3"
STEPS = ("preflight", "freeze", "tag", "audit", "approve", "push", "thaw", "wrap-up")
LEASES = r"/_apis/build/retention/leases"


def wrapped(text: str) -> str:
    """Return a policy that builds nothing, and tidies up at its end."""
    steps = [
        f'[[step]]\nname = "{name}"\nneeds = [{", ".join(repr(need) for need in STEPS[:number][-1:])}]' for number, name in enumerate(STEPS)
    ]
    return "\n\n".join([text, *steps, ""])


async def begun(story: Story) -> Cut:
    """Carry a release to the point where only the approval is missing."""
    cut = await story.opened()
    await story.comment("/release approve", cut.tag)
    return cut


async def carried(story: Story) -> Cut:
    """Carry a release to its end."""
    cut = await begun(story)
    story.say(f"/release approve {cut.tag}")
    await story.state("done")
    return cut


async def with_runs(story: Story, *orders: AzureRun, attempt: int = 1) -> None:
    """Let the release remember runs that people queued, as if it had ordered them itself."""
    await story.stop_bot()
    runs = tuple(remembered(order, number, attempt) for number, order in enumerate(orders, start=1))
    store = await Store.open(f"sqlite:///{story.directory / 'home' / 'bot.sqlite3'}")
    done = asyncio.Event()

    async def look(claim: Claim) -> None:
        release = load(claim.state or "")
        await claim.save(dump(replace(release, runs=(*release.runs, *runs))), live=True)
        done.set()

    key = WorkKey(f"cpython#{story.issue}")
    task = asyncio.create_task(store.run(lambda claim: look(claim) if claim.key == key else asyncio.sleep(0), parallel=1))
    await store.wake(key)
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.wake(key)
    await store.close()
    await story.start_bot()


def remembered(order: AzureRun, number: int, attempt: int) -> Run:
    return Run(
        step="windows" if number == 1 else "windows-publish",
        purpose="build",
        number=number,
        attempt=attempt,
        id=order.id,
        name=order.name,
        url=f"https://dev.azure.example/Python/cpython/_build/results?buildId={order.id}",
        ordered=(("DoPublish", "false"),),
        at=datetime.now(UTC),
    )


def queued(story: Story) -> AzureRun:
    return story.world.azure.queue("zooba", {"SourceTag": f"v{story.setting.version}"})


def kept(story: Story) -> list[int]:
    return [lease.run for lease in story.world.azure.leases]


async def thanked(story: Story, *words: str) -> str:
    """Hear the last word, which is said once."""
    body = await story.comment("<!-- about=thanks-cpython-3.15.0a3-", *words)
    said = [one for one in story.world.github.comments("python/cpython", story.issue) if "about=thanks-" in one.body]
    assert len(said) == 1
    return body


async def dossier(story: Story) -> bytes:
    url = f"{story.url}/releases/cpython/3.15.0a3/dossier.json"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


async def forks_branch(story: Story, fork: str = FORK) -> str | None:
    return (await story.world.github.refs(fork)).get(BRANCH)


async def evidence(story: Story) -> dict[str, str]:
    release = await story.release()
    return {one["what"]: one["value"] for step in release["steps"] if step["name"] == "wrap-up" for one in step["evidence"]}


async def test_the_last_word_thanks_everybody_and_holds_the_digest_of_the_dossier(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await carried(story)
        body = await thanked(story, "3.15.0a3 is upstream", "`hugovk`", cut.tag)
        assert not re.search(r"@\w", body)
        assert "| push | took " in body
        assert "releases/tag/v3.15.0a3" in body
        digest = hashlib.sha256(await dossier(story)).hexdigest()
        assert f"SHA-256 `{digest}`" in body
        assert (await evidence(story))["dossier"] == f"sha256:{digest}"
        # What is said after the end changes nothing about it.
        await story.refusal(story.say("/release halt it is too late"), "finished")
        await story.later()
        assert hashlib.sha256(await dossier(story)).hexdigest() == digest


async def test_where_the_bot_is_public_the_last_word_and_the_status_lead_to_the_dossier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        public = {**story.environment(), "BOT_URL": "http://127.0.0.1:8080"}
        monkeypatch.setattr(story, "environment", lambda: public)
        # The news of the issue comes first: asyncio loses a connection that it accepts while its server closes
        # (https://github.com/python/cpython/issues/109564).
        await story.world.drain()
        await story.stop_bot()
        await story.start_bot()
        await carried(story)
        link = "(http://127.0.0.1:8080/releases/cpython/3.15.0a3/dossier)"
        digest = hashlib.sha256(await dossier(story)).hexdigest()
        await thanked(story, f"[every id, hash, run and decision]{link}, SHA-256 `{digest}`")
        anchored = f"**Dossier**: [every id, hash, signature, run and decision]{link}, SHA-256 `{digest}`."
        await story.status("3.15.0a3: done", f"[dossier]{link}", anchored)


async def test_the_dossier_of_an_aborted_release_is_anchored_in_its_status_and_binds_the_journal(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        abort = await aborted(story)
        body = await dossier(story)
        digest = hashlib.sha256(body).hexdigest()
        await story.status("3.15.0a3: aborted", f"**Dossier**, SHA-256 `{digest}`")
        book = json.loads(body)
        assert (book["outcome"], book["why"]) == ("aborted", "a blocker")
        assert [(one["verb"], one["comment"], one["by"]["login"]) for one in book["commands"]][-1] == ("abort", abort, "hugovk")
        await story.stop_bot()
        store = await Store.open(f"sqlite:///{story.directory / 'home' / 'bot.sqlite3'}")
        chain = await store.journal(WorkKey(f"cpython#{story.issue}"))
        await store.close()
        ends = book["journal"]["sequence"]
        assert verify(chain[:ends], head=Head(sequence=ends, hash=book["journal"]["hash"])) is None
        assert chain[ends].details == {"what": "sealed the dossier", "sha256": digest}


async def aborted(story: Story) -> int:
    """Open a release and give it up at once; return the comment that did."""
    await begun(story)
    abort = story.say("/release abort a blocker")
    await story.state("aborted")
    return int(abort)


async def test_a_whole_release_is_kept_and_everybody_is_thanked(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", whole=True) as story:
        story.patience = 60.0
        cut = await story.opened()
        await story.built(cut)
        await story.went(cut)
        await story.published()
        await story.state("done")
        body = await thanked(story, "3.15.0a3 is out", "Thank you, `hugovk`", "`ned-deily`", "`zooba`", "| windows-publish | took ")
        assert "| Release page | https://www.python.org/downloads/release/python-3150a3/ |" in body
        assert kept(story) == [run.id for run in story.world.azure.runs]
        assert len(kept(story)) == 2
        book = await dossier(story)
        assert hashlib.sha256(book).hexdigest() in body
        assert all(f'"sha256":"{hashlib.sha256(content).hexdigest()}"' in book.decode() for content in story.files.macos.values())
        assert [run["id"] for run in json.loads(book)["runs"] if run["step"].startswith("windows")] == kept(story)


async def test_where_the_app_is_not_installed_the_branch_stays_and_it_says_so(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await carried(story)
        await thanked(story, "Left for people to do", f"branch branch-3.15.0a3 in {FORK}", "not installed there. hugovk can delete it.")
        assert await forks_branch(story) == cut.tip
        step = await story.step("wrap-up", "passed")
        assert step["why"] == f"Left to people: branch branch-3.15.0a3 in {FORK}."


async def test_where_the_app_is_installed_the_branch_is_deleted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        story.world.github.install(FORK)
        cut = await carried(story)
        assert cut.tip != cut.commit
        body = await thanked(story)
        assert "Left for people" not in body
        assert await forks_branch(story) is None
        assert (await story.world.github.refs(FORK))["refs/tags/v3.15.0a3"] == cut.tag
        assert (await evidence(story))[f"branch branch-3.15.0a3 in {FORK}"] == "deleted"


async def test_a_branch_that_went_on_is_left_alone(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        story.world.github.install(FORK)
        await begun(story)
        head = await story.world.github.commit("hugovk", FORK, "branch-3.15.0a3", {"Lib/later.py": "x = 1\n"}, "Something else")
        story.say(f"/release approve {await tag_of(story)}")
        await story.state("done")
        await thanked(story, "left as it is: it is at", head, "hugovk can delete it.")
        assert await forks_branch(story) == head


@pytest.mark.chaos
async def test_a_branch_that_moves_in_the_last_moment_is_left_alone(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        story.world.github.install(FORK)
        await begun(story)
        heads: list[str] = []

        async def move() -> None:
            heads.append(await story.world.github.commit("hugovk", FORK, "branch-3.15.0a3", {"Lib/later.py": "x = 1\n"}, "Late"))

        # The first look at the branch is that of everybody, before it moves; the one in the last moment comes after.
        story.world.faults.add(Fault(action=call(before=move), method="GET", path=rf"/{FORK}/git/ref/heads/branch"))
        story.say(f"/release approve {await tag_of(story)}")
        await story.state("done")
        await thanked(story, "left as it is: it moves")
        assert [await forks_branch(story)] == heads


async def test_a_branch_with_the_same_tree_on_another_parent_is_left_alone(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        story.world.github.install(FORK)
        cut = await begun(story)
        other = await story.world.github.commit("hugovk", FORK, "branch-3.15.0a3", {}, "The same files, and one commit more")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await thanked(story, "left as it is: it is at", other, "hugovk can delete it.")
        assert await forks_branch(story) == other


@pytest.mark.chaos
async def test_a_branch_that_is_gone_needs_no_app_and_nobody(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        await story.world.github.set_ref("hugovk", FORK, BRANCH, None)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        assert "Left for people" not in await thanked(story)
        assert (await evidence(story))[f"branch branch-3.15.0a3 in {FORK}"] == "not there"
        assert (await story.step("wrap-up", "passed"))["why"] == "Everything is tidied up."


@pytest.mark.parametrize("how", ["gone", "kept by a rule"])
async def test_a_branch_that_is_gone_or_protected(tmp_path: Path, how: str) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        github = story.world.github
        github.install(FORK)
        cut = await begun(story)
        if how == "gone":
            await github.set_ref("hugovk", FORK, BRANCH, None)
        else:
            keep = {"conditions": {"ref_name": {"include": [BRANCH], "exclude": []}}, "rules": [{"type": "deletion"}]}
            github.add_ruleset("hugovk", FORK, {"name": "keep", **keep})
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        body = await thanked(story)
        assert await forks_branch(story) == (None if how == "gone" else cut.tip)
        assert ("Repository rule violations found" in body) == (how != "gone")


@pytest.mark.chaos
async def test_a_branch_whose_deletion_was_answered_into_a_broken_connection(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        story.world.github.install(FORK)
        story.world.faults.add(Fault(action=drop_after(), method="DELETE", path=r"/git/refs/heads/branch"))
        await carried(story)
        await thanked(story)
        assert await forks_branch(story) is None
        assert (await evidence(story))[f"branch branch-3.15.0a3 in {FORK}"] == "deleted"


async def test_every_run_of_the_attempt_is_kept(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        build, publish, foreign = queued(story), queued(story), queued(story)
        await with_runs(story, build, publish)
        await with_runs(story, foreign, attempt=0)
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await thanked(story)
        assert kept(story) == [build.id, publish.id]
        assert {lease.owner for lease in story.world.azure.leases} == {f"brother-maynard cpython-3.15.0a3-{story.issue}"}
        assert (await evidence(story))[f"run {build.name}"].startswith("kept for ever by the lease ")


async def test_a_lease_whose_answer_was_lost_is_not_added_twice(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        run = queued(story)
        await with_runs(story, run)
        story.world.faults.add(Fault(action=drop_after(), method="POST", path=LEASES))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await thanked(story)
        assert kept(story) == [run.id]


@pytest.mark.chaos
async def test_a_run_that_may_not_be_kept_is_left_to_people(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        run = queued(story)
        await with_runs(story, run)
        no = {
            "$id": "1",
            "message": "Access denied: needs Retain indefinitely.",
            "typeName": "x",
            "typeKey": "AccessDeniedException",
            "errorCode": 0,
        }
        story.world.faults.add(Fault(action=refuse(403, no), method="POST", path=LEASES))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await thanked(story, f"refused to keep run {run.id}", "needs Retain indefinitely", "can retain it on its page", f"buildId={run.id}")
        assert kept(story) == []


async def test_azure_is_down_at_the_end(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        run = queued(story)
        await with_runs(story, run)
        down = story.world.faults.add(Fault(action=refuse(503), path=r"/_apis/build/", times=1_000_000))
        story.say(f"/release approve {cut.tag}")
        step = await story.step("wrap-up", "waiting")
        assert "Azure DevOps" in step["why"]
        assert story.freezes() == []
        assert (await story.release())["state"] == "running"
        assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag
        assert story.people(await story.release()) == []
        before = await dossier(story)
        down.times = 0
        await story.state("done")
        await thanked(story)
        assert kept(story) == [run.id]
        assert await dossier(story) == before


@pytest.mark.chaos
async def test_a_locked_issue_does_not_hold_the_release_open(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        locked = {"message": "Unable to create comment because issue is locked."}

        async def lock() -> None:
            story.world.faults.add(Fault(action=refuse(403, locked), method="POST", path=rf"/issues/{story.issue}/comments", times=100))

        story.world.faults.add(Fault(action=call(after=lock), method="POST", path=r"git-receive-pack"))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        assert "issue is locked. Please thank everybody yourself." in (await evidence(story))["thanks"]


class MortalAtTheEnd(Mortal):
    """Die at everything that is done after the thaw, before and after it and once more when it is recorded."""

    async def _perhaps(self, point: str, key: EffectKey) -> None:
        if key.step == "wrap-up" or "thanks" in key.name:
            await super()._perhaps(point, key)


@pytest.mark.chaos
async def test_the_bot_dies_at_everything_that_it_tidies_up(tmp_path: Path) -> None:
    mortal = MortalAtTheEnd()
    async with telling(tmp_path, "3.15.0a3", policy=wrapped, observers=[mortal]) as story:
        story.patience = 90.0
        story.world.github.install(FORK)
        cut = await begun(story)
        run = queued(story)
        await with_runs(story, run)
        async with reviving(story, mortal):
            story.say(f"/release approve {cut.tag}")
            await story.state("done")
            body = await thanked(story)
        assert hashlib.sha256(await dossier(story)).hexdigest() in body
        assert kept(story) == [run.id]
        assert await forks_branch(story) is None
        assert len(mortal.deaths) == 9


async def test_a_halt_and_its_end_are_not_part_of_the_dossier_once_it_is_closed(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        await with_runs(story, queued(story))
        down = story.world.faults.add(Fault(action=refuse(503), path=r"/_apis/build/", times=1_000_000))
        story.say(f"/release approve {cut.tag}")
        await story.step("wrap-up", "waiting")
        before = await dossier(story)
        story.say("/release halt wait a moment")
        await story.comment("is halted", "/release resume")
        story.say("/release resume")
        await story.state("running")
        down.times = 0
        await story.state("done")
        body = await thanked(story)
        assert await dossier(story) == before
        assert hashlib.sha256(before).hexdigest() in body


async def test_a_version_that_is_done_is_not_opened_again_and_keeps_its_dossier(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        await carried(story)
        book = await dossier(story)
        assert hashlib.sha256(book).hexdigest() in await thanked(story)
        other = story.open_issue()
        again = story.say("/release 3.15.0a3", issue=other)
        await story.refusal(again, f"3.15.0a3 was released at cpython#{story.issue} already", "release the next version", issue=other)
        assert (await story.release())["state"] == "done"
        assert await dossier(story) == book


async def test_as_long_as_a_run_cannot_be_named_there_is_no_last_word(tmp_path: Path) -> None:
    def patient(text: str) -> str:
        return re.sub(r"(?m)^confirm_gap = .*$", "confirm_gap = 3600.0", wrapped(text))

    async with telling(tmp_path, "3.15.0a3", policy=patient) as story:
        cut = await begun(story)
        lost = replace(queued(story), id=0)
        await with_runs(story, lost, attempt=0)
        story.say(f"/release approve {cut.tag}")
        step = await story.step("wrap-up", "waiting")
        assert "its run is looked for, so that the dossier can name it" in step["why"]
        assert json.loads(await dossier(story))["closed"] is None
        assert not any("about=thanks-" in one.body for one in story.world.github.comments("python/cpython", story.issue))


async def tag_of(story: Story) -> str:
    return str((await story.release())["tag"]["object"])
