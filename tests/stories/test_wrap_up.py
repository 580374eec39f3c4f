"""What is tidied up after a release, what is left to people, and the last word."""

import asyncio
import hashlib
import json
import re
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.journal import Head, verify
from bot.rehearsal.azure_model import Run as AzureRun
from bot.rehearsal.faults import Fault, call, drop_after, refuse
from bot.rehearsal.github_model import Issue, Label
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.schedule_repository import unscheduled
from bot.release.facts import Run
from bot.release.ids import WorkKey
from bot.state import dump, load
from bot.store.claim import Claim
from bot.store.model import EffectKey
from bot.store.store import Store
from tests.stories.disorder import Mortal, reviving
from tests.stories.story import Story
from tests.stories.telling import telling
from tests.stories.test_first_beta import B1, acknowledged, asked_for_bump, bumped

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


@pytest.mark.chaos
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


@pytest.mark.chaos
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
        # It is left for having moved, or for where it is when that is looked at again.
        await thanked(story, "left as it is: it ")
        assert [await forks_branch(story)] == heads


@pytest.mark.chaos
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


@pytest.mark.chaos
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


@pytest.mark.chaos
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
        story.world.faults.add(Fault(action=refuse(403, no), method="POST", path=LEASES, times=100))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await thanked(story, f"refused to keep run {run.id}", "needs Retain indefinitely", "can retain it on its page", f"buildId={run.id}")
        assert kept(story) == []


@pytest.mark.chaos
async def test_azure_is_down_at_the_end(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        run = queued(story)
        await with_runs(story, run)
        down = story.world.faults.add(Fault(action=refuse(503), path=r"/_apis/build/", times=1_000_000))
        number = story.world.github.open_issue("coredev", UPSTREAM, "It crashes", labels=["deferred-blocker"])
        story.say(f"/release approve {cut.tag}")
        step = await story.step("wrap-up", "waiting")
        assert "Azure DevOps" in step["why"]
        assert story.world.github.issue(UPSTREAM, number).labels == ["release-blocker"], "nothing else has to wait for it"
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


UPSTREAM, SCHEDULE = "python/cpython", "python/peps"
PROPOSED = "refs/heads/release-bot/3.15.0a3"
DATES, LISTS = "release_management/python-releases.toml", "peps/pep-0790.rst"


async def proposed(story: Story, ref: str = PROPOSED) -> dict[str, Any]:
    """Return what the schedule says on a branch of its repository."""
    git = story.world.github.repository(SCHEDULE).git
    found = await git.resolve(f"{ref}:{DATES}")
    return tomllib.loads((await git.content("blob", str(found))).decode())


async def listed(story: Story, ref: str = "refs/heads/main") -> str:
    """Return what the PEP of the series says on a branch of the same repository."""
    git = story.world.github.repository(SCHEDULE).git
    return (await git.content("blob", str(await git.resolve(f"{ref}:{LISTS}")))).decode()


def pulls(story: Story) -> list[Issue]:
    return [issue for issue in story.world.github.repository(SCHEDULE).issues.values() if issue.is_pull_request]


async def test_what_was_put_off_blocks_the_next_release_and_what_was_made_is_proposed_and_drafted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        github, deferred = story.world.github, ["deferred-blocker"]
        issue = github.open_issue("coredev", UPSTREAM, "It crashes", labels=[*deferred, "3.15"])
        pull = github.open_issue("coredev", UPSTREAM, "Mend it", labels=deferred, pull_request=True)
        over = github.open_issue("coredev", UPSTREAM, "It crashed", labels=deferred)
        github.close("coredev", UPSTREAM, over)
        other = github.open_issue("coredev", UPSTREAM, "It crashes in 3.14", labels=[*deferred, "3.13", "3.14"])
        before = await proposed(story, "refs/heads/main")
        await carried(story)
        # What was put off blocks the next release, whatever it is; what is settled stays as it is.
        labels = {number: github.issue(UPSTREAM, number).labels for number in (issue, pull, over, other)}
        theirs = {other: [*deferred, "3.13", "3.14"]}
        assert labels == {issue: ["3.15", "release-blocker"], pull: ["release-blocker"], over: deferred, **theirs}
        assert (await evidence(story))["deferred-blocker to release-blocker"] == f"#{issue} and #{pull}"
        # The day of the release is proposed, and merged by the bot itself; nothing else of the schedule changes.
        (proposal,) = pulls(story)
        assert (proposal.head, proposal.base, proposal.title) == ("release-bot/3.15.0a3", "main", "Release schedule: Python 3.15.0a3")
        assert (proposal.merged_by, proposal.merged_as) == (github.app.bot, (await github.refs(SCHEDULE))["refs/heads/main"])
        assert (await evidence(story))["pull request python/peps#1"] == "merged"
        (made,) = [entry for entry in before["release"]["3.15"] if entry["stage"] == "3.15.0 alpha 3"]
        made |= {"state": "actual", "date": datetime.now(UTC).date()}
        assert await proposed(story) == await proposed(story, "refs/heads/main") == before
        # So do the lists of its PEP, in the same pull request.
        assert f"- 3.15.0 alpha 3: {datetime.now(UTC):%A, %Y-%m-%d}\n" in (await listed(story)).partition("Bugfix releases")[0]
        assert await unscheduled(story.world, story.setting.version) == []
        # The announcement is drafted, and is a row that nothing waits for.
        body = await thanked(story, "Draft for https://discuss.python.org/c/core-dev/23", "content/posts/python-3150-alpha-3/index.md")
        assert "Only people can do this" not in body
        asked = await handed(story, "Announce Python 3.15.0a3 at https://discuss")
        assert re.search(r"drafts are in \S+#issuecomment-[0-9]+\. Nothing waits for it\.$", asked)
        assert not any(act["what"].startswith("Merge ") for act in (await story.release())["people"])


async def test_what_the_bot_may_not_do_is_left_to_people_with_all_they_need_for_it(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        github = story.world.github
        github.uninstall(SCHEDULE)
        number = github.open_issue("coredev", UPSTREAM, "It crashes", labels=["deferred-blocker"])
        no = refuse(403, {"message": "Resource not accessible by integration"})
        story.world.faults.add(Fault(action=no, method="POST", path=rf"/issues/{number}/labels"))
        await carried(story)
        body = await thanked(story, "Resource not accessible by integration", f"issues/{number}", "the App is not installed there")
        assert '\n-state = "expected"\n+state = "actual"\n' in body
        assert (github.issue(UPSTREAM, number).labels, pulls(story)) == (["deferred-blocker"], [])
        why = (await story.step("wrap-up", "passed"))["why"]
        assert why.startswith(
            f"Left to people: deferred-blocker to release-blocker, #{number}, branch branch-3.15.0a3 in hugovk/cpython and "
        )
        assert why.endswith(" and schedule in python/peps.")
        await handed(story, "Put the label release-blocker in the place of deferred-blocker on", f" on #{number}.")
        await handed(story, "Say in ", f"{SCHEDULE}/blob/main/release_management/python-releases.toml that Python 3.15.0a3 was made on ")


async def handed(story: Story, start: str, *words: str) -> str:
    """See that the manager has one row that begins so, which nothing waits for; return what it says."""
    (row,) = [act for act in (await story.release())["people"] if act["what"].startswith(start)]
    assert (row["who"], row["done"]) == (["hugovk"], row["since"])
    what = str(row["what"])
    assert all(word in what for word in words), what
    assert what.endswith("Nothing waits for it.")
    return what


def unmerged(text: str) -> str:
    """Return the policy where people merge what the bot proposes."""
    old = ", merge = true }\nnew_branch"
    assert old in text
    return wrapped(text.replace(old, " }\nnew_branch"))


REVIEWS = ("dismiss_stale_reviews_on_push", "require_code_owner_review", "require_last_push_approval", "required_review_thread_resolution")


async def closed(story: Story) -> None:
    """Require a review of everything that is merged into the schedule."""
    rule = {"type": "pull_request", "parameters": {**dict.fromkeys(REVIEWS, False), "required_approving_review_count": 1}}
    names = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    story.world.github.add_ruleset("coredev", SCHEDULE, {"name": "reviews", "conditions": names, "rules": [rule]})


async def changed(story: Story) -> None:
    """Let somebody put another change on the bot's branch before it merges."""

    async def change() -> None:
        await story.world.github.commit("hugovk", SCHEDULE, "release-bot/3.15.0a3", {"README.rst": "Hello"}, "Say hello")

    story.world.faults.add(Fault(action=call(after=change), method="POST", path=r"/pulls$"))


async def doctored(story: Story) -> None:
    """Let somebody put as many commits in the place of the bot's, of which one says a little more."""

    async def change() -> None:
        github, git = story.world.github, story.world.github.repository(SCHEDULE).git
        dates = (await git.content("blob", str(await git.resolve(f"{PROPOSED}:{DATES}")))).decode()
        lists = (await listed(story, PROPOSED)).replace("alpha 3", "alpha three")
        await github.set_ref("hugovk", SCHEDULE, PROPOSED, (await github.refs(SCHEDULE))["refs/heads/main"])
        for path, text in ((DATES, dates), (LISTS, lists)):
            await github.commit("hugovk", SCHEDULE, "release-bot/3.15.0a3", {path: text}, "Change it")

    story.world.faults.add(Fault(action=call(after=change), method="POST", path=r"/pulls$"))


async def moved(story: Story) -> None:
    """Let somebody do so in the last moment, after the bot has read it."""

    async def change() -> None:
        await story.world.github.commit("hugovk", SCHEDULE, "release-bot/3.15.0a3", {"README.rst": "Hello"}, "Say hello")

    story.world.faults.add(Fault(action=call(before=change), method="PUT", path=r"/merge$"))


NOT_MERGED: dict[Callable[[Story], Awaitable[None]], str] = {
    closed: "At least 1 approving review is required",
    changed: "it holds more than the one change that the bot made. Please merge it there.",
    doctored: "it does not hold what the bot wrote. Please merge it there.",
    moved: "Head branch was modified",
}


@pytest.mark.chaos
@pytest.mark.parametrize("how", [closed, *(pytest.param(how, marks=pytest.mark.chaos) for how in (changed, doctored, moved))])
async def test_what_the_bot_may_not_merge_people_are_handed(tmp_path: Path, how: Callable[[Story], Awaitable[None]]) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        before = await proposed(story, "refs/heads/main")
        await how(story)
        await carried(story)
        (proposal,) = pulls(story)
        assert (proposal.state, await proposed(story, "refs/heads/main")) == ("open", before)
        await thanked(story, "Left for people to do", f"pull request {SCHEDULE}#1", "Please merge it there", "/pull/1")
        assert NOT_MERGED[how] in (await evidence(story))[f"pull request {SCHEDULE}#1"]
        await handed(story, "Merge ", f"{SCHEDULE}/pull/1 into main of {SCHEDULE}, which says that Python 3.15.0a3 was made.")


async def test_a_pep_that_people_wrote_otherwise_is_left_to_them_with_the_merge(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        before, old = await proposed(story, "refs/heads/main"), await listed(story)
        theirs = old.replace("alpha 3", "alpha three")
        await story.world.github.commit("hugovk", SCHEDULE, "main", {LISTS: theirs}, "Write it out")
        await carried(story)
        (proposal,) = pulls(story)
        assert (proposal.state, await proposed(story, "refs/heads/main")) == ("open", before)
        assert await proposed(story) != before
        assert await listed(story, PROPOSED) == await listed(story) == theirs
        assert "Please run `python -m release_management update-peps` on this branch" in proposal.body
        await thanked(story, "its lists are not those that are made of the dates as they were", "add its lists, and merge it")
        await handed(
            story, "Run `python -m release_management update-peps` in python/peps on the branch of ", "/pull/1, add what it changes"
        )


@pytest.mark.chaos
async def test_where_the_profile_leaves_the_merge_to_people_they_are_handed_it(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=unmerged) as story:
        await carried(story)
        await thanked(story, "the profile leaves it to people. Please merge it there")
        await handed(story, "Merge ", f"{SCHEDULE}/pull/1 into main of {SCHEDULE}")
        assert story.world.counts["PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge"] == 0


@pytest.mark.chaos
async def test_what_cannot_even_be_listed_is_left_to_people_and_holds_no_release_open(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        cut = await begun(story)
        no = refuse(403, {"message": "Resource not accessible by integration"})

        async def shut() -> None:
            story.world.faults.add(Fault(action=no, method="GET", path=r"/repos/python/cpython/issues$", times=1_000))

        story.world.faults.add(Fault(action=call(after=shut), method="POST", path=r"git-receive-pack"))
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        told = (await evidence(story))["labels of what was put off"]
        assert "Resource not accessible by integration" in told
        assert told.endswith("Please see to it.")
        await thanked(story, "labels of what was put off")


@pytest.mark.chaos
@pytest.mark.parametrize(
    "lost",
    [
        ("PUT", "/merge$"),
        ("POST", r"/pulls$"),
        ("PUT", "/contents/"),
        ("POST", "/git/refs$"),
        ("POST", r"/labels$"),
        ("DELETE", "/labels/"),
    ],
)
async def test_an_answer_that_was_lost_has_nothing_done_twice(tmp_path: Path, lost: tuple[str, str]) -> None:
    async with telling(tmp_path, "3.15.0a3", policy=wrapped) as story:
        number = story.world.github.open_issue("coredev", UPSTREAM, "It crashes", labels=["deferred-blocker"])
        story.world.github.install(FORK)
        story.world.faults.add(Fault(action=drop_after(), method=lost[0], path=lost[1]))
        await carried(story)
        assert "Left for people" not in await thanked(story)
        assert story.world.github.issue(UPSTREAM, number).labels == ["release-blocker"]
        (proposal,) = pulls(story)
        assert proposal.merged
        assert sum("push by" in line and "release-bot/" in line for line in story.world.log) == 3
        assert sum(f"{SCHEDULE}#1 merged by" in line for line in story.world.log) == 1


CLASSIC: dict[str, object] = {
    "url": "https://api.github.example/repos/python/cpython/branches/3.14/protection",
    "required_signatures": {"url": "https://api.github.example/required_signatures", "enabled": False},
    "enforce_admins": {"url": "https://api.github.example/enforce_admins", "enabled": True},
    "required_linear_history": {"enabled": True},
    "allow_force_pushes": {"enabled": False},
    "allow_deletions": {"enabled": False},
    "block_creations": {"enabled": False},
    "required_conversation_resolution": {"enabled": False},
    "lock_branch": {"enabled": False},
    "allow_fork_syncing": {"enabled": False},
}


def begun_with(text: str) -> str:
    """Return the policy of a release with a checklist, as it begins a branch."""
    return f'{wrapped(text)}\n\n[[step]]\nname = "checklist"\nneeds = ["thaw"]\n'


async def test_a_branch_that_began_gets_what_the_one_before_has_and_its_manager_a_checklist(tmp_path: Path) -> None:
    async with telling(tmp_path, B1, policy=begun_with) as story:
        github = story.world.github
        rules = [{"type": "deletion"}, {"type": "non_fast_forward"}]
        names = {"ref_name": {"include": ["refs/heads/3.14"], "exclude": []}}
        theirs = github.add_ruleset("coredev", UPSTREAM, {"name": "protect 3.14", "conditions": names, "rules": rules})
        github.protect(UPSTREAM, "3.14", CLASSIC)
        for name in ("3.14", "needs backport to 3.14"):
            github.repository(UPSTREAM).labels[name] = Label(id=1, name=name, color="c2e0c6", description="fixes for 3.14")
        cut = await story.opened()
        await asked_for_bump(story)
        await acknowledged(story, await bumped(story, cut))
        await story.approved(cut)
        await story.comment("<!-- about=checklist-", "@hugovk", "- [ ] Add the branch 3.15 to the buildbots")
        await story.comment("/release done checklist")

        async def only_that() -> bool:
            return bool((await story.step("wrap-up", "waiting"))["on"] == ["checklist"])

        await story.until("the last word to wait for the checklist alone", only_that)
        story.say("/release done checklist")
        await story.comment("3.15.0b1 is upstream")
        await story.state("done")
        old, new = ({one.name: one for one in github.rulesets(UPSTREAM)}[name] for name in ("protect 3.14", "protect 3.15"))
        assert (old.id, new.patterns("include"), new.rules) == (theirs, ["refs/heads/3.15"], old.rules)
        kept = github.repository(UPSTREAM)
        flags = {key: value for key, value in kept.protection["3.15"].items() if isinstance(value, dict) and "url" not in value}
        assert flags == {key: value for key, value in CLASSIC.items() if isinstance(value, dict) and "url" not in value}
        made = kept.labels["needs backport to 3.15"]
        assert (made.color, made.description) == ("c2e0c6", "fixes for 3.15")
        schedule = await proposed(story, "refs/heads/release-bot/3.15.0b1")
        assert (schedule["metadata"]["3.15"]["status"], schedule["metadata"]["3.15"]["branch"]) == ("prerelease", "3.15")


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
        number = story.world.github.open_issue("coredev", UPSTREAM, "It crashes", labels=["deferred-blocker"])
        async with reviving(story, mortal):
            story.say(f"/release approve {cut.tag}")
            await story.state("done")
            body = await thanked(story)
        assert hashlib.sha256(await dossier(story)).hexdigest() in body
        assert kept(story) == [run.id]
        assert await forks_branch(story) is None
        assert story.world.github.issue(UPSTREAM, number).labels == ["release-blocker"]
        (proposal,) = pulls(story)
        assert proposal.merged
        assert sum(f"{SCHEDULE}#1 merged by" in line for line in story.world.log) == 1
        assert len(mortal.deaths) == 3 * len({key for _, key in mortal.deaths}) == 33


@pytest.mark.chaos
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


@pytest.mark.chaos
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
