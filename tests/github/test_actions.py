"""Workflows: started once, watched strictly; what they leave behind is fetched from named hosts only, without the token."""

import asyncio
import hashlib
import io
import logging
import os
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import Unavailable
from bot.release.ids import ArtifactId, CommitId, JobId, Repository, RunId, UserId
from bot.services.answers import MalformedAnswer
from bot.services.archive import HostileArchive
from bot.services.github import GitHub, GitHubRefused, Limits
from bot.services.github.actions import UnusableArtifact
from bot.services.github.downloads import BadHost
from bot.services.github.shapes import User
from bot.services.github.shapes_actions import Artifact, Job, JobStep, WorkflowDispatched, WorkflowRun
from tests.github.answers import OBJECT_ID
from tests.github.conftest import FAST
from tests.github.loopback import APP_ID, Answer, GitHubOnLoopback, pem_of, serving

TOOLS = Repository("python/release-tools")
ACTIONS = "/repos/python/release-tools/actions"
FILE = "build-release.yml"
DISPATCH = f"POST {ACTIONS}/workflows/{FILE}/dispatches"
RUNS = f"GET {ACTIONS}/workflows/{FILE}/runs"
LOG = f"GET {ACTIONS}/jobs/5/logs"
ZIP = f"GET {ACTIONS}/artifacts/11/zip"
INPUTS = {"git_remote": "hugovk", "git_commit": OBJECT_ID, "cpython_release": "3.15.0a3"}
BOT = {"id": 999, "login": "brother-maynard[bot]", "type": "Bot"}
MOMENT = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
RUN, JOB = RunId(7), JobId(5)


def run(number: int = 7, **changes: object) -> dict[str, object]:
    return {
        "id": number,
        "status": "completed",
        "conclusion": "success",
        "event": "workflow_dispatch",
        "head_sha": OBJECT_ID,
        "head_repository": {"id": 12},
        "path": f".github/workflows/{FILE}@main",
        "actor": BOT,
        "run_attempt": 1,
        "html_url": f"https://github.com/python/release-tools/actions/runs/{number}",
        "created_at": "2026-11-20T10:00:00Z",
        **changes,
    }


def job(number: int = 5, **changes: object) -> dict[str, object]:
    return {
        "id": number,
        "run_id": 7,
        "run_attempt": 2,
        "name": "build-source",
        "status": "in_progress",
        "conclusion": None,
        "steps": [{"number": 1, "name": "Set up job", "status": "completed", "conclusion": "success"}],
        "html_url": None,
        "started_at": "2026-11-20T10:00:00Z",
        "completed_at": None,
        **changes,
    }


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def artifact(archive: bytes, **changes: object) -> Artifact:
    known = {"id": ArtifactId(11), "name": "source", "size": len(archive), "expired": False, "url": "https://api.github.com/x"}
    return Artifact(**{**known, "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}", **changes})  # type: ignore[arg-type]  # one mapping


@dataclass
class Storage:
    """Another host: it hands out what lies there to whoever comes with the right address, and remembers what was sent along."""

    url: str = ""
    status: int = 200
    content: bytes = b""
    cut: bool = False
    visits: list[dict[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]

    @property
    def address(self) -> str:
        return f"{self.url}/blob?se=2026-11-20T10%3A01%3A00Z&sig=se%2Bcr%3Det"

    async def visit(self, request: web.Request) -> web.Response:
        assert request.query.get("sig") == "se+cr=et"
        self.visits.append(dict(request.headers))
        if self.cut:
            response = web.StreamResponse(headers={"Content-Length": str(len(self.content) + 1)})
            await response.prepare(request)
            await response.write(self.content)
            if request.transport is not None:
                request.transport.abort()
        return web.Response(status=self.status, body=self.content, headers={"Location": self.address})


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = Storage()
    application = web.Application()
    application.router.add_get("/blob", storage.visit)
    async with serving(application) as storage.url:
        yield storage


@dataclass
class Near:
    """A GitHub with release-tools, and ways to connect to it."""

    server: GitHubOnLoopback
    session: aiohttp.ClientSession
    pem: str

    def connect(self, *hosts: str, limits: Limits = FAST) -> GitHub:
        return GitHub(APP_ID, self.pem, self.server.url, self.session, limits=limits, download_hosts=hosts)


@pytest.fixture
def near(server: GitHubOnLoopback, session: aiohttp.ClientSession, key: rsa.RSAPrivateKey) -> Near:
    server.granted = {"actions": "write"}
    server.installed = {TOOLS: 77}
    return Near(server, session, pem_of(key))


@pytest.fixture
def github(near: Near, storage: Storage) -> GitHub:
    for action in (LOG, ZIP):
        near.server.on(action, Answer(status=302, headers={"Location": storage.address}))
    return near.connect(storage.host)


async def test_a_dispatch_names_its_run(near: Near) -> None:
    page = "https://github.com/python/release-tools/actions/runs/7"
    near.server.on(DISPATCH, Answer(body={"workflow_run_id": 7, "run_url": "https://api.github.com/x", "html_url": page}))

    assert await near.connect().dispatch_workflow(TOOLS, FILE, "main", INPUTS) == WorkflowDispatched(run=RUN, url=page)
    assert [asked.body for asked in near.server.requests(DISPATCH)] == [{"ref": "main", "inputs": INPUTS}]
    assert near.server.mints[0].body == {"permissions": {"actions": "write"}, "repositories": ["release-tools"]}


async def test_a_dispatch_may_keep_its_run_to_itself(near: Near) -> None:
    near.server.on(DISPATCH, Answer(status=204))
    assert await near.connect().dispatch_workflow(TOOLS, FILE, "main", INPUTS) is None


@pytest.mark.parametrize("body", [{"workflow_run_id": "7", "html_url": ""}, {"workflow_run_id": None, "html_url": ""}, {}, []])
async def test_a_dispatch_with_another_answer_may_have_been_done(near: Near, body: object) -> None:
    near.server.on(DISPATCH, Answer(body=body))
    with pytest.raises(MalformedAnswer):
        await near.connect().dispatch_workflow(TOOLS, FILE, "main", INPUTS)
    assert len(near.server.requests(DISPATCH)) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_dispatch_is_never_tried_again(near: Near, status: int) -> None:
    near.server.on(DISPATCH, Answer(status=status))
    with pytest.raises(Unavailable):
        await near.connect().dispatch_workflow(TOOLS, FILE, "main", INPUTS)
    assert len(near.server.requests(DISPATCH)) == 1


async def test_an_unknown_input_is_refused_in_githubs_words(near: Near) -> None:
    near.server.on(DISPATCH, Answer(status=422, body={"message": 'Unexpected inputs provided: ["git_tag"]'}))
    with pytest.raises(GitHubRefused, match="git_tag") as refused:
        await near.connect().dispatch_workflow(TOOLS, FILE, "main", {"git_tag": "v3.15.0a3"})
    assert refused.value.status == 422


async def test_runs_are_those_that_were_asked_for(near: Near) -> None:
    since = MOMENT.replace(microsecond=5)
    push, other, early = run(8, event="push"), run(9, actor=None), run(10, created_at="2026-11-20T09:59:59Z")
    near.server.on(RUNS, Answer(body={"total_count": 4, "workflow_runs": [push, other, early, run()]}))

    found = await near.connect().workflow_runs(TOOLS, FILE, event="workflow_dispatch", actor="Brother-Maynard[bot]", since=since)

    assert [one.id for one in found] == [7]
    assert near.server.requests(RUNS)[0].query == {
        "event": "workflow_dispatch",
        "actor": "Brother-Maynard[bot]",
        "created": ">=2026-11-20T10:00:00Z",
        "per_page": "100",
    }
    assert near.server.mints[0].body == {"permissions": {"actions": "read"}, "repositories": ["release-tools"]}


async def test_a_run_is_read_whole(near: Near) -> None:
    near.server.on(f"GET {ACTIONS}/runs/7", Answer(body=run()))
    near.server.on(f"GET {ACTIONS}/runs/8", Answer(status=404, body={"message": "Not Found"}))
    near.server.on(f"GET {ACTIONS}/runs/9", Answer(body=run(head_repository=None, status=None, conclusion=None)))
    github = near.connect()

    found = await github.workflow_run(TOOLS, RUN)

    assert found == WorkflowRun(
        id=RUN,
        status="completed",
        conclusion="success",
        event="workflow_dispatch",
        head=CommitId(OBJECT_ID),
        head_repository=12,
        path=f".github/workflows/{FILE}@main",
        actor=User(id=UserId(999), login="brother-maynard[bot]", type="Bot"),
        attempt=1,
        url="https://github.com/python/release-tools/actions/runs/7",
        created=MOMENT,
    )
    assert (found.file, found.completed) == (f".github/workflows/{FILE}", True)
    assert await github.workflow_run(TOOLS, RunId(8)) is None
    with pytest.raises(MalformedAnswer, match="asked for the run 9 and answered with 7"):
        await github.workflow_run(TOOLS, RunId(9))


async def test_jobs_are_those_of_the_run(near: Near) -> None:
    action = f"GET {ACTIONS}/runs/7/jobs"
    near.server.on(action, Answer(body={"total_count": 1, "jobs": [job()]}))
    github = near.connect()

    step = JobStep(number=1, name="Set up job", status="completed", conclusion="success")
    known = Job(id=JOB, run=RUN, name="build-source", status="in_progress", steps=(step,), attempt=2, started=MOMENT)
    assert await github.jobs(TOOLS, RUN) == [known]
    assert near.server.requests(action)[0].query == {"filter": "latest", "per_page": "100"}

    near.server.on(action, Answer(body={"total_count": 1, "jobs": [job(run_id=8)]}))
    with pytest.raises(MalformedAnswer, match="another"):
        await github.jobs(TOOLS, RUN)


async def test_artifacts_are_those_of_the_run(near: Near) -> None:
    action = f"GET {ACTIONS}/runs/7/artifacts"
    listed = {"id": 11, "name": "source", "size_in_bytes": 9, "digest": None, "expired": True, "url": "u", "workflow_run": {"id": 7}}
    near.server.on(action, Answer(body={"total_count": 1, "artifacts": [listed]}))
    github = near.connect()

    assert await github.artifacts(TOOLS, RUN) == [Artifact(id=ArtifactId(11), name="source", size=9, expired=True, url="u", run=RUN)]

    near.server.on(action, Answer(body={"total_count": 1, "artifacts": [{**listed, "workflow_run": {"id": 8}}]}))
    with pytest.raises(MalformedAnswer, match="another"):
        await github.artifacts(TOOLS, RUN)


async def test_failed_jobs_are_run_again_once(near: Near) -> None:
    action = f"POST {ACTIONS}/runs/7/rerun-failed-jobs"
    near.server.on(action, Answer(status=201, body={}))
    await near.connect().rerun_failed_jobs(TOOLS, RUN)
    assert [asked.body for asked in near.server.requests(action)] == [None]

    near.server.on(action, Answer(status=403, body={"message": "This workflow is already running"}))
    with pytest.raises(GitHubRefused, match="already running"):
        await near.connect().rerun_failed_jobs(TOOLS, RUN)


async def test_a_run_is_stopped_unless_it_is_over(near: Near) -> None:
    action = f"POST {ACTIONS}/runs/7/cancel"
    near.server.on(action, Answer(status=202, body={}))
    await near.connect().cancel_run(TOOLS, RUN)
    assert [asked.body for asked in near.server.requests(action)] == [None]
    assert near.server.mints[0].body == {"permissions": {"actions": "write"}, "repositories": ["release-tools"]}

    near.server.on(action, Answer(status=409, body={"message": "Cannot cancel a workflow run that is completed."}))
    with pytest.raises(GitHubRefused, match="completed") as refused:
        await near.connect().cancel_run(TOOLS, RUN)
    assert refused.value.status == 409


async def test_a_log_comes_from_a_named_host_which_never_sees_the_token(
    near: Near, storage: Storage, github: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    storage.content = "\ufeff2026-11-20T10:00:00.0Z line\r\n".encode() + b"\xff"

    with blockbuster_ctx("bot"):
        assert await github.job_log(TOOLS, JOB) == "2026-11-20T10:00:00.0Z line\r\n\ufffd"

    (visit,) = storage.visits
    assert "Authorization" not in visit
    assert not any("ghs_" in value for value in visit.values())
    assert near.server.requests(LOG)[0].headers["X-GitHub-Api-Version"] == "2026-03-10"
    said = [record.getMessage() for record in caplog.records if record.name.startswith("bot.")]
    assert said
    assert not any("sig=" in sentence or "ghs_" in sentence for sentence in said)


async def test_a_log_that_is_not_there_is_none_and_one_that_is_kept_no_more_is_refused(near: Near) -> None:
    near.server.on(LOG, Answer(status=404, body={"message": "Not Found"}))
    assert await near.connect().job_log(TOOLS, JOB) is None
    near.server.on(LOG, Answer(status=410, body={"message": "Gone"}))
    with pytest.raises(GitHubRefused) as refused:
        await near.connect().job_log(TOOLS, JOB)
    assert refused.value.status == 410


async def test_a_log_may_lie_with_the_api_itself(near: Near, storage: Storage) -> None:
    near.server.on(LOG, Answer(status=302, headers={"Location": storage.address}))
    with pytest.raises(MalformedAnswer, match="another place"):
        await near.connect().job_log(TOOLS, JOB)
    near.server.on(LOG, Answer(status=302, headers={"Location": f"{near.server.url}/blob?sig=x"}))
    # The loopback GitHub refuses whoever comes without a token: that it was asked, and how, is what counts here.
    with pytest.raises(Unavailable, match="GitHub's storage answered with 401"):
        await near.connect().job_log(TOOLS, JOB)
    assert "Authorization" not in near.server.requests("GET /blob")[0].headers
    assert storage.visits == []


@pytest.mark.parametrize(
    "address",
    [
        "http://storage.example.org/blob?sig=x",
        "https://storage.example.org:444/blob?sig=x",
        "https://evil.storage.example.org/blob?sig=x",
        "https://storage.example.org.evil.example/blob?sig=x",
        "https://storage.example.org@evil.example/blob?sig=x",
        "https://me:secret@storage.example.org/blob?sig=x",
        "https://evil.example\\@storage.example.org/blob",
        "https://storage.example.org:port/blob?sig=x",
        "//storage.example.org/blob?sig=x",
        "/blob?sig=x",
        "file:///etc/passwd",
        "https://[::1/blob?sig=x",
        "",
    ],
)
async def test_no_other_host_is_ever_asked(near: Near, storage: Storage, address: str) -> None:
    near.server.on(LOG, Answer(status=302, headers={"Location": address}))
    with pytest.raises(MalformedAnswer, match="another place") as caught:
        await near.connect("storage.example.org", storage.host).job_log(TOOLS, JOB)
    assert "sig=" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["*.blob.core.windows.net", "https://storage.example.org", "storage.example.org/x", "", "a:b", "-a"])
async def test_the_list_holds_hosts_and_nothing_else(near: Near, host: str) -> None:
    with pytest.raises(BadHost, match="write HOST or HOST:PORT"):
        near.connect(host)


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_the_storage_cannot_send_the_bot_on(storage: Storage, github: GitHub, status: int) -> None:
    storage.status = status
    with pytest.raises(Unavailable, match=f"answered with {status}"):
        await github.job_log(TOOLS, JOB)
    assert len(storage.visits) == 1


@pytest.mark.parametrize("status", [200, 204, 307])
async def test_only_a_pointer_points(near: Near, storage: Storage, github: GitHub, status: int) -> None:
    near.server.on(LOG, Answer(status=status, body=b"log" if status == 200 else None, headers={"Location": storage.address}))
    with pytest.raises(MalformedAnswer):
        await github.job_log(TOOLS, JOB)
    assert storage.visits == []


async def test_a_renamed_repository_is_followed_within_the_api(near: Near, storage: Storage, github: GitHub) -> None:
    near.server.on(LOG, Answer(status=301, headers={"Location": "/repositories/7/actions/jobs/5/logs"}))
    near.server.on("GET /repositories/7/actions/jobs/5/logs", Answer(status=302, headers={"Location": storage.address}))
    storage.content = b"line"
    assert await github.job_log(TOOLS, JOB) == "line"


async def test_a_dead_token_is_renewed_for_a_download_too(near: Near, storage: Storage, github: GitHub) -> None:
    storage.content = b"line"
    await github.job_log(TOOLS, JOB)
    near.server.tokens.clear()
    assert await github.job_log(TOOLS, JOB) == "line"


async def test_a_pointer_is_asked_for_again_after_trouble(near: Near, storage: Storage, github: GitHub) -> None:
    answers = iter([Answer(status=502), Answer(status=302, headers={"Location": storage.address})])
    near.server.on(LOG, lambda _asked: next(answers))
    assert await github.job_log(TOOLS, JOB) == ""


async def test_a_download_is_bounded_in_length_and_time(near: Near, storage: Storage) -> None:
    near.server.on(LOG, Answer(status=302, headers={"Location": storage.address}))
    storage.content = b"x" * 1001
    with pytest.raises(MalformedAnswer, match="longer than the 1000 bytes"):
        await near.connect(storage.host, limits=Limits(largest_log=1000)).job_log(TOOLS, JOB)
    assert await near.connect(storage.host, limits=Limits(largest_log=1001)).job_log(TOOLS, JOB) == "x" * 1001

    async def hang(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    slow = web.Application()
    slow.router.add_get("/blob", hang)
    async with serving(slow) as url:
        near.server.on(LOG, Answer(status=302, headers={"Location": f"{url}/blob?sig=x"}))
        with pytest.raises(Unavailable, match=r"within 0\.1 seconds"):
            await near.connect(url.partition("://")[2], limits=Limits(download_timeout=0.1)).job_log(TOOLS, JOB)


async def test_half_a_log_is_no_log(storage: Storage, github: GitHub) -> None:
    storage.content, storage.cut = b"half", True
    with pytest.raises(Unavailable, match="could not be downloaded") as caught:
        await github.job_log(TOOLS, JOB)
    assert "sig=" not in str(caught.value)


async def test_an_artifact_is_checked_and_its_files_are_named_with_their_hashes(storage: Storage, github: GitHub) -> None:
    files = {"Python-3.15.0a3.tgz": os.urandom(2_100_000), "Python-3.15.0a3.tar.xz": b"xz"}
    storage.content = packed(files)

    with blockbuster_ctx("bot"):
        read = await github.artifact_files(TOOLS, artifact(storage.content), keep={"Python-3.15.0a3.tar.xz"})

    assert {name: file.sha256 for name, file in read.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert [(file.size, file.content) for file in read.values()] == [(2_100_000, None), (2, b"xz")]
    assert "Authorization" not in storage.visits[0]


async def test_an_artifact_with_another_digest_has_not_arrived(storage: Storage, github: GitHub) -> None:
    storage.content = packed({"x": b"x"})
    with pytest.raises(MalformedAnswer, match="not with its digest"):
        await github.artifact_files(TOOLS, artifact(packed({"x": b"y"})))


async def test_a_hostile_artifact_is_refused(storage: Storage, github: GitHub) -> None:
    storage.content = packed({"../x": b"x"})
    with pytest.raises(HostileArchive, match=r"The artifact 'source' \(11\) was not read: it holds '../x', which leads elsewhere"):
        await github.artifact_files(TOOLS, artifact(storage.content))


async def test_an_artifact_is_bounded_packed_and_unpacked(near: Near, storage: Storage) -> None:
    near.server.on(ZIP, Answer(status=302, headers={"Location": storage.address}))
    storage.content = packed({"x": b"\0" * 5000, "y": b""})
    for limits in (Limits(largest_unpacked=4999), Limits(most_files=1)):
        with pytest.raises(HostileArchive):
            await near.connect(storage.host, limits=limits).artifact_files(TOOLS, artifact(storage.content))
    visits = len(storage.visits)
    small = near.connect(storage.host, limits=Limits(largest_artifact=len(storage.content) - 1))
    with pytest.raises(UnusableArtifact, match="more than the"):
        await small.artifact_files(TOOLS, artifact(storage.content))
    assert len(storage.visits) == visits
    with pytest.raises(MalformedAnswer, match="longer than"):
        await small.artifact_files(TOOLS, artifact(storage.content, size=1))


@pytest.mark.parametrize("digest", ["", "sha1:0000", f"sha256:{'A' * 64}", "sha256:"])
async def test_an_artifact_without_a_digest_is_not_even_fetched(near: Near, github: GitHub, digest: str) -> None:
    with pytest.raises(UnusableArtifact, match="cannot be checked"):
        await github.artifact_files(TOOLS, artifact(b"", digest=digest))
    assert near.server.asked == []


async def test_an_expired_artifact_and_one_that_is_gone_are_refused(near: Near, github: GitHub) -> None:
    for status in (404, 410):
        near.server.on(ZIP, Answer(status=status, body={"message": "Artifact has expired"}))
        with pytest.raises(GitHubRefused) as refused:
            await github.artifact_files(TOOLS, artifact(b""))
        assert refused.value.status == status
