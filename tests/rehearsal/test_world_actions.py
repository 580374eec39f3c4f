"""The bot's own adapter starts the release workflow in the world in a box, watches it, and takes what it leaves behind."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.errors import Unavailable
from bot.rehearsal.faults import Fault, drop_after, refuse
from bot.rehearsal.github_actions import CannotHappen
from bot.rehearsal.github_actions_model import Input, Workflow
from bot.rehearsal.github_problems import Problem
from bot.rehearsal.release_workflow import BUILD_RELEASE, REPOSITORY
from bot.rehearsal.world import World
from bot.release.ids import JobId, Repository, RunId
from bot.services.answers import MalformedAnswer
from bot.services.archive import HostileArchive
from bot.services.github import GitHub, GitHubRefused, Limits
from bot.services.github.shapes_actions import Artifact, Job
from tests.reference import reference
from tests.rehearsal.stranger import Ear, Stranger

TOOLS, FILE, BOT = Repository(REPOSITORY), BUILD_RELEASE.file, "brother-maynard[bot]"
COMMIT = "5d2a1c8f0e9b7a6d4c3b2a190817263544536271"
INPUTS = {"git_remote": "hugovk", "git_commit": COMMIT, "cpython_release": "3.15.0a3"}
TGZ, XZ = "Python-3.15.0a3.tgz", "Python-3.15.0a3.tar.xz"
SOURCE = {TGZ: b"tgz" * 1000, XZ: b"xz" * 500}
REST = f"/repos/{TOOLS}/actions"


@pytest.fixture(autouse=True)
def described() -> None:
    reference("specs/github/openapi.json.gz")
    reference("specs/github/webhook-schemas.json.gz")


@pytest.fixture
async def tools(world: World) -> World:
    """Add the repository with the release workflow, where the App is installed as well."""
    source = world.github.repository("python/cpython").git.directory
    await world.github.add_repository(TOOLS, source=source, committers=["hugovk"])
    await world.github.commit("hugovk", TOOLS, "main", {BUILD_RELEASE.path: "name: Build release artifacts\n"}, "Add the workflow")
    world.github.install(TOOLS)
    world.github.actions.add_workflow(TOOLS, BUILD_RELEASE)
    return world


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def bot(tools: World, session: aiohttp.ClientSession) -> GitHub:
    app, storage = tools.github.app, urlsplit(tools.github.server_url).netloc
    limits = Limits(write_gap=0, backoff=0.001)
    return GitHub(app.id, app.private_key, tools.github.api_url, session, limits=limits, download_hosts=[storage])


async def dispatched(bot: GitHub, **inputs: str) -> RunId:
    made = await bot.dispatch_workflow(TOOLS, FILE, "main", INPUTS | inputs)
    assert made is not None
    return made.run


async def jobs(bot: GitHub, run: RunId) -> dict[str, Job]:
    return {job.name: job for job in await bot.jobs(TOOLS, run)}


async def only_artifact(bot: GitHub, run: RunId) -> Artifact:
    (artifact,) = await bot.artifacts(TOOLS, run)
    return artifact


async def test_a_release_is_built_from_dispatch_to_archives(tools: World, bot: GitHub, ear: Ear) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    seen = await bot.workflow_run(TOOLS, run)
    assert seen is not None
    assert (seen.status, seen.event, seen.actor.id, seen.attempt) == ("queued", "workflow_dispatch", tools.github.app.bot.id, 1)
    assert (seen.file, seen.head) == (BUILD_RELEASE.path, (await tools.github.refs(TOOLS))["refs/heads/main"])
    assert seen.head_repository == tools.github.repository(TOOLS).id
    assert list(await jobs(bot, run)) == ["verify-input"]
    assert await bot.job_log(TOOLS, (await jobs(bot, run))["verify-input"].id) is None

    actions.start(run)
    actions.finish_job(run, "verify-input")
    known = await jobs(bot, run)
    log = await bot.job_log(TOOLS, known["verify-input"].id)
    assert log is not None
    assert [line.partition(" ")[2] for line in log.splitlines()] == [f"{name}: {value}" for name, value in INPUTS.items()]
    assert {name: job.conclusion or job.status for name, job in known.items()} == {
        "verify-input": "success",
        "build-source": "in_progress",
        "build-docs": "skipped",
        "test-docs": "skipped",
        "build-android (aarch64)": "in_progress",
        "build-android (x86_64)": "in_progress",
        "build-iOS": "in_progress",
    }
    assert [(step.status, step.conclusion) for step in known["build-source"].steps][:2] == [("completed", "success"), ("in_progress", None)]

    actions.upload(run, "source", SOURCE)
    for name in ("build-source", "test-source", "build-android (aarch64)", "build-android (x86_64)", "build-iOS"):
        actions.finish_job(run, name)
    done = await bot.workflow_run(TOOLS, run)
    assert done is not None
    assert (done.completed, done.conclusion) == (True, "success")
    log = await bot.job_log(TOOLS, (await jobs(bot, run))["build-source"].id)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in SOURCE.items()}
    assert [tuple(line.split()[1:]) for line in (log or "").splitlines()] == [(hashes[TGZ], "3000", TGZ), (hashes[XZ], "1000", XZ)]
    files = await bot.artifact_files(TOOLS, await only_artifact(bot, run), keep=[TGZ])
    assert {name: file.sha256 for name, file in files.items()} == hashes
    assert (files[TGZ].content, files[XZ].content) == (SOURCE[TGZ], None)

    await tools.drain()
    told = [json.loads(heard.body) for heard in ear.heard if heard.headers["x-github-event"] == "workflow_run"]
    assert [(event["action"], event["workflow_run"]["id"]) for event in told] == [
        ("requested", run),
        ("in_progress", run),
        ("completed", run),
    ]
    assert ear.events().count("workflow_job") == 3 * 6 + 2
    assert tools.log[-1] == f"github: {TOOLS} run {run} success"
    assert tools.violations == []


@pytest.mark.parametrize(
    ("version", "skipped"),
    [
        ("3.15.0rc1", set()),
        ("3.14.7", {"build-iOS"}),
        ("3.13.9", {"build-iOS", "build-android (aarch64)", "build-android (x86_64)"}),
        ("3.16.0b2", {"build-docs", "test-docs"}),
        ("no version", {"build-docs", "test-docs", "build-iOS", "build-android (aarch64)", "build-android (x86_64)"}),
    ],
)
async def test_the_version_decides_which_jobs_there_are(tools: World, bot: GitHub, version: str, skipped: set[str]) -> None:
    run = await dispatched(bot, cpython_release=version)
    tools.github.actions.start(run)
    tools.github.actions.finish_job(run, "verify-input")
    assert {name for name, job in (await jobs(bot, run)).items() if job.conclusion == "skipped"} == skipped


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({**INPUTS, "git_tag": "v3.15.0a3"}, 'Unexpected inputs provided: \\["git_tag"\\]'),
        ({**INPUTS, "git_remote": "stranger"}, "Provided value 'stranger' for input 'git_remote' not in the list"),
        ({**INPUTS, "git_commit": 5}, "Invalid value for input 'git_commit'"),
    ],
)
async def test_wrong_inputs_are_refused(tools: World, bot: GitHub, inputs: dict[str, str], said: str) -> None:
    with pytest.raises(GitHubRefused, match=said) as refused:
        await bot.dispatch_workflow(TOOLS, FILE, "main", inputs)
    assert refused.value.status == 422
    assert tools.github.actions.runs(TOOLS) == []


async def test_inputs_are_an_object(tools: World, stranger: Stranger) -> None:
    token = await stranger.token(TOOLS, actions="write")
    refused = await stranger.ask("POST", f"{REST}/workflows/{FILE}/dispatches", token, {"ref": "main", "inputs": ["git_tag"]})
    assert refused.status == 422
    assert ["is not of type 'object'" in violation for violation in tools.violations] == [True]


async def test_what_is_left_out_silently_becomes_the_test_of_the_workflow_itself(tools: World, bot: GitHub) -> None:
    await bot.dispatch_workflow(TOOLS, FILE, "main", {"git_remote": "hugovk", "cpython_release": ""})
    (run,) = tools.github.actions.runs(TOOLS)
    assert run.inputs == {**BUILD_RELEASE.defaults, "git_remote": "hugovk"}
    assert [violation.partition(",")[0] for violation in tools.violations] == [
        f"{FILE} was started without git_commit",
        f"{FILE} was started without cpython_release",
    ]


async def test_a_required_input_is_required(tools: World, bot: GitHub) -> None:
    strict: Workflow = replace(BUILD_RELEASE, inputs=(Input(name="git_commit", required=True),))
    tools.github.actions.add_workflow(TOOLS, strict)
    with pytest.raises(GitHubRefused, match="Required input 'git_commit' not provided"):
        await bot.dispatch_workflow(TOOLS, FILE, "main", {"git_commit": ""})


async def test_a_workflow_must_be_known_and_be_there_at_the_ref(tools: World, bot: GitHub) -> None:
    with pytest.raises(GitHubRefused) as refused:
        await bot.dispatch_workflow(TOOLS, "lint.yml", "main", {})
    assert refused.value.status == 404
    with pytest.raises(GitHubRefused, match=r"No ref found for: 3\.99"):
        await bot.dispatch_workflow(TOOLS, FILE, "3.99", INPUTS)
    with pytest.raises(GitHubRefused, match="trigger"):
        await bot.dispatch_workflow(TOOLS, FILE, "3.14", INPUTS)
    await tools.github.commit("hugovk", TOOLS, "main", {BUILD_RELEASE.path: None}, "Remove the workflow")
    with pytest.raises(GitHubRefused) as refused:
        await bot.dispatch_workflow(TOOLS, FILE, "main", INPUTS)
    assert refused.value.status == 404
    assert tools.github.actions.runs(TOOLS) == []
    assert tools.violations == []


async def test_a_dispatch_needs_its_permission(tools: World, stranger: Stranger) -> None:
    token = await stranger.token(TOOLS, actions="read")
    refused = await stranger.ask("POST", f"{REST}/workflows/{FILE}/dispatches", token, {"ref": "main", "inputs": INPUTS})
    assert refused.status == 403
    assert refused.headers["x-accepted-github-permissions"] == "actions=write"
    assert len(tools.violations) == 1


async def test_a_run_whose_answer_was_lost_is_found_among_all_others(tools: World, bot: GitHub) -> None:
    actions, since = tools.github.actions, datetime.now(UTC)
    await actions.self_test("hugovk", TOOLS, FILE)
    tools.github.add_user("mallory")
    await tools.github.add_repository("mallory/release-tools", fork_of=TOOLS)
    pull = await actions.self_test("mallory", TOOLS, FILE, event="pull_request", fork="mallory/release-tools")
    by_hand = await actions.dispatch("hugovk", TOOLS, FILE, "main", {**INPUTS, "git_remote": "python"})
    tools.faults.add(Fault(action=drop_after(), path="/dispatches$"))
    with pytest.raises(Unavailable):
        await dispatched(bot)

    found = await bot.workflow_runs(TOOLS, FILE, event="workflow_dispatch", actor=BOT, since=since)
    assert [run.actor.login for run in found] == [BOT]
    actions.start(found[0].id)
    actions.finish_job(found[0].id, "verify-input")
    assert f"git_commit: {COMMIT}" in (await bot.job_log(TOOLS, (await jobs(bot, found[0].id))["verify-input"].id) or "")

    assert await bot.workflow_runs(TOOLS, FILE, event="workflow_dispatch", actor=BOT, since=since + timedelta(seconds=60)) == []
    mine = await bot.workflow_runs(TOOLS, FILE, event="workflow_dispatch", actor="hugovk", since=since)
    assert [run.id for run in mine] == [by_hand]
    foreign = await bot.workflow_run(TOOLS, RunId(pull))
    assert foreign is not None
    assert foreign.head_repository == tools.github.repository("mallory/release-tools").id
    actions.start(pull)
    actions.finish_job(pull, "verify-input")
    assert all(job.planned.wanted for job in actions.run(pull).jobs)
    assert tools.violations == []


async def test_a_failed_build_is_run_again_and_what_succeeded_stays(tools: World, bot: GitHub, ear: Ear) -> None:
    actions = tools.github.actions
    run = RunId(await actions.dispatch("hugovk", TOOLS, FILE, "main", dict(INPUTS)))
    actions.start(run)
    actions.finish_job(run, "verify-input")
    actions.upload(run, "source", {TGZ: b"old"})
    with pytest.raises(GitHubRefused, match="This workflow is already running"):
        await bot.rerun_failed_jobs(TOOLS, run)
    actions.finish_job(run, "build-source", "failure", log="No space left on device")
    for name, conclusion in {"build-android (aarch64)": "success", "build-android (x86_64)": "success", "build-iOS": "cancelled"}.items():
        actions.finish_job(run, name, conclusion)
    first = await jobs(bot, run)
    assert (first["test-source"].conclusion, first["build-source"].steps[-2].conclusion) == ("skipped", "failure")
    assert "No space left on device" in (await bot.job_log(TOOLS, first["build-source"].id) or "")

    await bot.rerun_failed_jobs(TOOLS, run)
    again = await bot.workflow_run(TOOLS, run)
    assert again is not None
    assert (again.status, again.conclusion, again.attempt, again.actor.login) == ("queued", None, 2, "hugovk")
    actions.start(run)
    actions.upload(run, "source", SOURCE)
    for name in ("build-source", "test-source", "build-iOS"):
        actions.finish_job(run, name)
    second = await jobs(bot, run)
    assert {name for name, job in second.items() if job.attempt == 2} == {"build-source", "test-source", "build-iOS"}
    assert second["verify-input"] == first["verify-input"]
    assert second["build-source"].id != first["build-source"].id
    done = await bot.workflow_run(TOOLS, run)
    assert done is not None
    assert done.conclusion == "success"
    assert [artifact.name for artifact in await bot.artifacts(TOOLS, run)] == ["source", "source"]
    newest = (await bot.artifacts(TOOLS, run))[0]
    assert set(await bot.artifact_files(TOOLS, newest)) == {TGZ, XZ}
    with pytest.raises(GitHubRefused, match="cannot be retried"):
        await bot.rerun_failed_jobs(TOOLS, run)
    await tools.drain()
    told = [json.loads(heard.body) for heard in ear.heard if heard.headers["x-github-event"] == "workflow_run"]
    assert [(event["workflow_run"]["run_attempt"], event["action"], event["sender"]["login"]) for event in told] == [
        (attempt, action, login) for attempt, login in ((1, "hugovk"), (2, BOT)) for action in ("requested", "in_progress", "completed")
    ]
    assert tools.violations == []


async def test_a_run_is_stopped_with_all_its_jobs(tools: World, bot: GitHub, stranger: Stranger) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    actions.start(run)
    actions.finish_job(run, "verify-input")
    token = await stranger.token(TOOLS, actions="read")
    assert (await stranger.ask("POST", f"{REST}/runs/{run}/cancel", token)).status == 403
    assert len(tools.violations) == 1
    await bot.cancel_run(TOOLS, run)
    done = await bot.workflow_run(TOOLS, run)
    assert done is not None
    assert (done.completed, done.conclusion) == (True, "cancelled")
    known = await jobs(bot, run)
    assert {job.conclusion for job in known.values()} == {"success", "cancelled", "skipped"}
    assert "canceled" in (await bot.job_log(TOOLS, known["build-source"].id) or "")
    with pytest.raises(GitHubRefused, match="completed") as refused:
        await bot.cancel_run(TOOLS, run)
    assert refused.value.status == 409
    await bot.rerun_failed_jobs(TOOLS, run)
    await bot.cancel_run(TOOLS, run)
    assert await bot.job_log(TOOLS, (await jobs(bot, run))["build-source"].id) is None
    actions.delete(run)
    assert await bot.workflow_run(TOOLS, run) is None
    assert len(tools.violations) == 1


@pytest.mark.parametrize(("ends", "conclusion"), [("timed_out", "failure"), ("cancelled", "cancelled")])
async def test_a_run_ends_as_its_worst_job(tools: World, bot: GitHub, ends: str, conclusion: str) -> None:
    run = await dispatched(bot)
    tools.github.actions.start(run)
    tools.github.actions.finish_job(run, "verify-input", ends)
    done = await bot.workflow_run(TOOLS, run)
    assert done is not None
    assert done.conclusion == conclusion
    assert {job.conclusion for name, job in (await jobs(bot, run)).items() if name != "verify-input"} == {"skipped"}


async def test_logs_and_artifacts_expire(tools: World, bot: GitHub) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    actions.start(run)
    actions.finish_job(run, "verify-input")
    actions.upload(run, "source", SOURCE)
    before = await only_artifact(bot, run)
    actions.expire(run)
    after = await only_artifact(bot, run)
    assert (before.expired, after.expired) == (False, True)
    for asked in (bot.artifact_files(TOOLS, before), bot.job_log(TOOLS, (await jobs(bot, run))["verify-input"].id)):
        with pytest.raises(GitHubRefused) as refused:
            await asked
        assert refused.value.status == 410
    assert tools.violations == []


async def test_a_link_is_good_for_a_minute_and_for_one_thing_and_nobody_who_shows_credentials(
    tools: World, bot: GitHub, stranger: Stranger
) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    actions.start(run)
    actions.finish_job(run, "verify-input")
    artifact = actions.upload(run, "source", SOURCE)
    token = await stranger.token(TOOLS, actions="read")
    async with stranger.session.get(
        f"{tools.github.api_url}{REST}/artifacts/{artifact}/zip",
        headers={"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2026-03-10"},
        allow_redirects=False,
    ) as pointer:
        assert pointer.status == 302
        link = pointer.headers["Location"]
    assert link.startswith(f"{tools.github.server_url}/storage/artifact/{artifact}?")
    async with stranger.session.get(link) as answer:
        assert (answer.status, await answer.read()) == (200, actions.run(run).artifacts[0].archive)
    assert tools.violations == []

    for wrong in (link.replace(f"/{artifact}?", f"/{artifact + 1}?"), link.replace("artifact", "log"), link.partition("?")[0]):
        async with stranger.session.get(wrong) as answer:
            assert answer.status == 403
    assert len(tools.violations) == 3
    assert (await stranger.ask("GET", link, token)).status == 403
    assert tools.violations[-1].endswith("with credentials, which GitHub's storage must never see")

    tools.github.storage.signed_for = timedelta(seconds=-5)
    with pytest.raises(Unavailable, match="storage answered with 403"):
        await bot.artifact_files(TOOLS, await only_artifact(bot, run))
    assert len(tools.violations) == 4


async def test_the_storage_fails_and_lies(tools: World, bot: GitHub) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    actions.start(run)
    actions.upload(run, "source", {"../../etc/passwd": b"x"})
    artifact = await only_artifact(bot, run)
    tools.faults.add(Fault(action=refuse(503), path="^/storage/"))
    with pytest.raises(Unavailable, match="storage answered with 503"):
        await bot.artifact_files(TOOLS, artifact)
    with pytest.raises(HostileArchive, match="leads elsewhere"):
        await bot.artifact_files(TOOLS, artifact)
    actions.run(run).artifacts[0].archive += b"more"
    with pytest.raises(MalformedAnswer, match="not with its digest"):
        await bot.artifact_files(TOOLS, artifact)
    actions.upload(run, "docs", b"this is no archive, although it says so")
    with pytest.raises(HostileArchive, match="does not end"):
        await bot.artifact_files(TOOLS, (await bot.artifacts(TOOLS, run))[0])
    assert tools.violations == []


async def test_what_is_in_another_repository_or_nowhere_is_not_found(tools: World, bot: GitHub, stranger: Stranger) -> None:
    run = await dispatched(bot)
    tools.github.actions.start(run)
    tools.github.actions.finish_job(run, "verify-input")
    job, artifact = (await jobs(bot, run))["verify-input"].id, tools.github.actions.upload(run, "source", SOURCE)
    cpython = Repository("python/cpython")
    assert await bot.workflow_run(cpython, run) is None
    assert await bot.job_log(cpython, job) is None
    assert await bot.job_log(TOOLS, JobId(1)) is None
    with pytest.raises(GitHubRefused, match="gone from GitHub"):
        await bot.artifact_files(cpython, await only_artifact(bot, run))
    token = await stranger.token(TOOLS, actions="read")
    for path in (f"artifacts/{artifact}/tar", f"artifacts/{artifact + 999}/zip", "runs/1/jobs"):
        assert (await stranger.ask("GET", f"{REST}/{path}", token)).status == 404
    every = await stranger.ask("GET", f"{REST}/runs/{run}/jobs?filter=all", token)
    assert every["total_count"] == 7


async def test_a_narrowing_that_is_not_known_here_is_noticed(tools: World, stranger: Stranger) -> None:
    token = await stranger.token(TOOLS, actions="read")
    for query in ("branch=main", "created=2026-11-20"):
        assert (await stranger.ask("GET", f"{REST}/workflows/{FILE}/runs?{query}", token)).status == 500
    assert len(tools.violations) == 2
    assert (await stranger.ask("GET", f"{REST}/workflows/{FILE}/runs", token))["total_count"] == 0


async def test_a_story_cannot_tell_what_cannot_happen(tools: World, bot: GitHub) -> None:
    actions = tools.github.actions
    run = await dispatched(bot)
    with pytest.raises(CannotHappen, match="queued"):
        actions.finish_job(run, "verify-input")
    with pytest.raises(CannotHappen):
        actions.upload(run, "source", SOURCE)
    actions.start(run)
    actions.upload(run, "source", SOURCE)
    with pytest.raises(CannotHappen, match="in_progress"):
        actions.start(run)
    with pytest.raises(CannotHappen, match="cannot upload source"):
        actions.upload(run, "source", SOURCE)
    with pytest.raises(CannotHappen, match="splendid"):
        actions.finish_job(run, "verify-input", "splendid")
    with pytest.raises(KeyError):
        actions.finish_job(run, "build-everything")
    with pytest.raises(KeyError):
        actions.start(0)
    with pytest.raises(KeyError):
        await actions.dispatch("nobody", TOOLS, FILE, "main", INPUTS)
    with pytest.raises(KeyError):
        await actions.self_test("nobody", TOOLS, FILE)
    with pytest.raises(KeyError):
        await actions.self_test("hugovk", TOOLS, FILE, branch="no-such-branch")
    with pytest.raises(Problem):
        await actions.dispatch("hugovk", TOOLS, FILE, "no-such-branch", INPUTS)
