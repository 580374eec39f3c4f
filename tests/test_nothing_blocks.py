"""The event loop is never held up by a call that waits: who does that is denied everything else meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from blockbuster import blockbuster_ctx
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.effects import Door, Nature
from bot.release.ids import CommentId, Repository
from bot.services.git import Git
from bot.services.github import GitHub
from bot.store.claim import Claim
from bot.store.store import Store
from bot.web.app import create_app
from tests.databases import KEY, QUICK, during_a_look
from tests.git.conftest import FORK, UPSTREAM
from tests.git.server import GitServer
from tests.git.story import prepare
from tests.github.answers import REPO, comment
from tests.github.conftest import FAST
from tests.github.loopback import APP_ID, Answer, GitHubOnLoopback, pem_of, private_key, serving
from tests.webhook_builders import comment as comment_event
from tests.webhook_builders import post, web_settings


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(str(tmp_path / "bot.sqlite3"), timings=QUICK)
    yield opened
    await opened.close()


async def test_webhooks_and_pages(tmp_path: Path, store: Store) -> None:
    async with TestClient(TestServer(create_app(web_settings(tmp_path), store))) as client:
        with blockbuster_ctx("bot"):
            assert (await post(client, "issue_comment", comment_event("/release status")))[0] == 202
            for path, status in {"/": 200, "/readyz": 200, "/releases/cpython/3.15.0a3": 404}.items():
                assert (await client.get(path)).status == status


async def test_work_and_effects(store: Store) -> None:
    async def do() -> dict[str, int]:
        return {"id": 1}

    async def work(claim: Claim) -> object:
        return await Door(claim, "cpython-3.15.0a3-1", 1)("step", "name", nature=Nature.REPEATABLE, parameters={}, do=do)

    with blockbuster_ctx("bot"):
        assert await during_a_look(store, work) == {"id": 1}
        assert len(await store.journal(KEY)) == 2


async def test_git(tmp_path: Path) -> None:
    async with GitServer(root=tmp_path / "server").running() as server:
        story = prepare(server)
        git = Git(tmp_path / "home", server.url, timeout=30)
        with blockbuster_ctx("bot"):
            assert (await git.fetch_range(FORK, story.base, story.tip)).commits
            assert await git.refs(UPSTREAM)
            assert await git.patch_id(story.tip)


async def test_github() -> None:
    key: rsa.RSAPrivateKey = private_key()
    server = GitHubOnLoopback(key.public_key())
    server.on(f"GET {REPO}/issues/comments/1", Answer(body=comment()))
    async with serving(server.application) as url, aiohttp.ClientSession() as session:
        server.url = url
        github = GitHub(APP_ID, pem_of(key), url, session, limits=FAST)
        with blockbuster_ctx("bot"):
            assert await github.comment(Repository("python/cpython"), CommentId(1))
