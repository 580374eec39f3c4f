"""The pages and the document of a release, over real HTTP and from a real database."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.profile import load
from bot.release import dossier
from bot.release.facts import FrozenRef, PlannedRef, Signed, Tag
from bot.release.ids import CommentId, CommitId, IssueNumber, Ref, ReleaseId, Repository, RulesetId, TagId, UserId, WorkKey
from bot.release.model import Actor, HumanAct, Later, Look, Release, ReleaseState, StepState, StepStatus, Waiver
from bot.release.outcomes import Evidence
from bot.release.rows import WITHDRAW
from bot.release.version import Kind, Version
from bot.state import dump
from bot.store.claim import Claim
from bot.store.store import Store
from bot.web.app import WebSettings, create_app
from tests.webhook_builders import PROFILE, Client

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
STARTER = Actor(id=UserId(1324225), login="hugovk")
BARE = Release(
    id=ReleaseId("cpython-3.15.0a3-42"),
    project="cpython",
    repository=Repository("python/cpython"),
    home=Repository("python/cpython"),
    issue=IssueNumber(42),
    version=Version.parse("3.15.0a3"),
    kind=Kind.ALPHA,
    series="3.15",
    branch="main",
    starter=STARTER,
    manager=None,
    opened=NOW,
)
FULL = replace(
    BARE,
    state=ReleaseState.HALTED,
    state_why="<script>alert(1)</script>",
    attempt=2,
    frozen=(
        FrozenRef(ref=Ref("refs/heads/main"), head=CommitId("c" * 40), since=NOW, ruleset=RulesetId(1), ruleset_name="x"),
        FrozenRef(ref=Ref("refs/tags/v3.15.0a3"), head=None, since=NOW, ruleset=RulesetId(2), ruleset_name="y"),
    ),
    tag=Tag(
        object=TagId("a" * 40),
        commit=CommitId("b" * 40),
        name="v3.15.0a3",
        fork=Repository("hugovk/cpython"),
        owner=UserId(1324225),
        content="",
        signature=Signed.SSH,
    ),
    plan=(PlannedRef(ref=Ref("refs/tags/v3.15.0a3"), old=None, new=TagId("a" * 40)),),
    waivers=(Waiver(by=STARTER, check="buildbots", sha="a" * 40, digest="d" * 12, reason="<b>flaky</b>", at=NOW, comment=CommentId(5)),),
    steps=(
        StepState(
            name="preflight",
            status=StepStatus.NEEDS_PERSON,
            why="two & more",
            on=("hugovk",),
            since=NOW,
            evidence=(
                Evidence(what="builders", value="99", url="https://buildbot.python.org/all/"),
                Evidence(what="trick", value="1", url="javascript:alert(1)"),
            ),
        ),
    ),
    people=(HumanAct(step="preflight", who=("hugovk",), what="Look at the builders.", since=NOW, done=NOW),),
)


async def opened(store: Store, releases: list[tuple[WorkKey, Release]]) -> None:
    """Open releases in the store, as a reconciler does."""
    waiting = dict(releases)
    done = asyncio.Event()

    async def look(claim: Claim) -> None:
        release = waiting.pop(claim.key)
        await claim.open_release(version=str(release.version), branch=release.branch, state=dump(release))
        await claim.save(dump(release), live=not release.state.over)
        done.set()

    task = asyncio.create_task(store.run(look, parallel=1))
    for key, _ in releases:
        done.clear()
        await store.wake(key)
        await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    yield store
    await store.close()


@pytest.fixture
async def client(tmp_path: Path, store: Store) -> AsyncIterator[Client]:
    path = tmp_path / "cpython.toml"
    path.write_text(PROFILE, encoding="utf-8")
    settings = WebSettings(secrets=["a secret of some length"], profiles=[load(str(path))], app_id=1, github_url="https://github.com/")
    async with TestClient(TestServer(create_app(settings, store))) as client:
        yield client


async def test_the_document_of_a_release_has_the_promised_keys(client: Client, store: Store) -> None:
    look = Look(at=datetime(2026, 11, 20, 13, 30, tzinfo=UTC), differences=("a file is gone",))
    await opened(store, [(WorkKey("cpython#42"), replace(FULL, later=Later(looks=(look,))))])
    page = await (await client.get("/releases/cpython/3.15.0a3")).text()
    assert "Read again after the end" in page
    assert "a file is gone" in page
    response = await client.get("/releases/cpython/3.15.0a3.json")
    assert response.status == 200
    assert await response.json() == {
        "project": "cpython",
        "version": "3.15.0a3",
        "kind": "alpha",
        "state": "halted",
        "attempt": 2,
        "frozen": [
            {"ref": "refs/heads/main", "head": "c" * 40, "since": "2026-11-20T12:30:00Z"},
            {"ref": "refs/tags/v3.15.0a3", "head": None, "since": "2026-11-20T12:30:00Z"},
        ],
        "tag": {"object": "a" * 40, "commit": "b" * 40, "signature": "ssh"},
        "plan": [{"ref": "refs/tags/v3.15.0a3", "old": None, "new": "a" * 40}],
        "steps": [
            {
                "name": "preflight",
                "state": "needs a person",
                "on": ["hugovk"],
                "why": "two & more",
                "since": "2026-11-20T12:30:00Z",
                "evidence": [
                    {"what": "builders", "value": "99", "url": "https://buildbot.python.org/all/"},
                    {"what": "trick", "value": "1", "url": "javascript:alert(1)"},
                ],
            }
        ],
        "people": [{"who": ["hugovk"], "what": "Look at the builders.", "since": "2026-11-20T12:30:00Z", "done": "2026-11-20T12:30:00Z"}],
        "confirmed_again": [{"at": "2026-11-20T13:30:00Z", "differences": ["a file is gone"], "news": []}],
    }


async def test_the_page_of_a_release_shows_all_of_it_and_runs_nothing(client: Client, store: Store) -> None:
    await opened(store, [(WorkKey("cpython#42"), FULL)])
    response = await client.get("/releases/cpython/3.15.0a3")
    text = await response.text()
    assert response.status == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for shown in ("halted", "needs a person", "two &amp; more", "a" * 40, "b" * 40, "c" * 40, "Look at the builders.", "attempt 2"):
        assert shown in text
    assert '<a href="https://github.com/python/cpython/issues/42">' in text
    assert "<script>" not in text
    assert "&lt;b&gt;flaky" in text
    assert 'href="javascript' not in text


async def test_a_release_just_opened_has_a_page(client: Client, store: Store) -> None:
    await opened(store, [(WorkKey("cpython#42"), BARE)])
    assert "There is no tag yet." in await (await client.get("/releases/cpython/3.15.0a3")).text()
    document = await (await client.get("/releases/cpython/3.15.0a3.json")).json()
    assert document["tag"] is None


async def test_the_dossier_is_given_out_byte_for_byte(client: Client, store: Store) -> None:
    await opened(store, [(WorkKey("cpython#42"), FULL)])
    response = await client.get("/releases/cpython/3.15.0a3/dossier.json")
    assert (response.status, response.content_type, response.headers["Cache-Control"]) == (200, "application/json", "no-cache")
    assert hashlib.sha256(await response.read()).hexdigest() == dossier.digest(dossier.dossier(FULL))
    text = await (await client.get("/releases/cpython/3.15.0a3")).text()
    assert '<a href="/releases/cpython/3.15.0a3/dossier.json">' in text
    assert "It is closed since" not in text


async def test_the_page_of_a_release_that_is_over_names_the_digest_of_its_dossier(client: Client, store: Store) -> None:
    steps = (StepState(name="thaw", status=StepStatus.PASSED, began=NOW, ended=NOW), StepState(name="wrap-up", status=StepStatus.PASSED))
    over = replace(BARE, state=ReleaseState.DONE, steps=steps)
    await opened(store, [(WorkKey("cpython#42"), over)])
    text = await (await client.get("/releases/cpython/3.15.0a3")).text()
    assert "It is closed since 2026-11-20 12:30 UTC" in text
    assert dossier.digest(dossier.dossier(over)) in text


async def test_the_live_release_is_shown_rather_than_an_aborted_one(client: Client, store: Store) -> None:
    aborted = replace(BARE, state=ReleaseState.ABORTED, issue=IssueNumber(41))
    await opened(store, [(WorkKey("cpython#41"), aborted), (WorkKey("cpython#43"), replace(BARE, issue=IssueNumber(43)))])
    assert (await (await client.get("/releases/cpython/3.15.0a3.json")).json())["state"] == "running"
    text = await (await client.get("/")).text()
    assert text.index("cpython#43") < text.index("cpython#41")


@pytest.mark.parametrize("state", [ReleaseState.RUNNING, ReleaseState.ABORTED])
async def test_a_release_that_is_done_keeps_its_addresses(client: Client, store: Store, state: ReleaseState) -> None:
    done = replace(BARE, state=ReleaseState.DONE)
    later = replace(BARE, state=state, issue=IssueNumber(44), opened=NOW + timedelta(days=1))
    await opened(store, [(WorkKey("cpython#42"), done), (WorkKey("cpython#44"), later)])
    assert (await (await client.get("/releases/cpython/3.15.0a3.json")).json())["state"] == "done"
    assert "issues/42" in await (await client.get("/releases/cpython/3.15.0a3")).text()
    book = await (await client.get("/releases/cpython/3.15.0a3/dossier.json")).read()
    assert hashlib.sha256(book).hexdigest() == dossier.digest(dossier.dossier(done))


async def test_what_has_to_be_withdrawn_of_a_recalled_release_is_seen(client: Client, store: Store) -> None:
    what = "Take what is public of it off python.org."
    row = HumanAct(step=WITHDRAW, who=("hugovk", "pablogsal"), what=what, say="/release done withdraw", since=NOW)
    await opened(store, [(WorkKey("cpython#42"), replace(BARE, state=ReleaseState.ABORTED, people=(row,)))])
    text = await (await client.get("/releases/cpython/3.15.0a3")).text()
    for shown in ("Waiting for hugovk or pablogsal", what, "<pre>/release done withdraw</pre>"):
        assert shown in text
    [act] = (await (await client.get("/releases/cpython/3.15.0a3.json")).json())["people"]
    assert (act["what"], act["done"]) == (what, None)


async def test_without_a_release_the_front_page_says_how_to_begin(client: Client) -> None:
    response = await client.get("/")
    assert response.status == 200
    assert response.content_type == "text/html"
    assert "/release VERSION" in await response.text()


@pytest.mark.parametrize("path", ["/releases/cpython/3.99.0", "/releases/other/3.15.0a3", "/releases/cpython/%3Cscript%3E"])
async def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 404
    assert "<script>" not in await response.text()
    for document in (f"{path}.json", f"{path}/dossier.json"):
        response = await client.get(document)
        assert response.status == 404
        assert (await response.json())["message"].startswith("There is no such release")
