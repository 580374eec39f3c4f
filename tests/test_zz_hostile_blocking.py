import asyncio
from blockbuster import blockbuster_ctx
from tests.webhook_builders import *
from tests.databases import *
from aiohttp.test_utils import TestClient, TestServer
from bot.web.app import create_app
from tests.git.story import prepare
from tests.git.server import GitServer
from tests.git.conftest import FORK, UPSTREAM
from bot.services.git import Git
import pytest

async def test_web(tmp_path, database_url):
    settings = web_settings(tmp_path)
    store = await Store.open(database_url, timings=QUICK)
    with blockbuster_ctx('bot') as bb:
        async with TestClient(TestServer(create_app(settings, store))) as c:
            print(await post(c, "issue_comment", comment("/release status")))
            for p in ("/", "/readyz", "/releases/cpython/3.15.0a3", "/releases/cpython/3.15.0a3.json"):
                r = await c.get(p); print(p, r.status)
        async def look(claim): return None
        async with running(store, look):
            await becomes(lambda: at_rest(store, ISSUE))
        await store.close()

async def test_git(tmp_path):
    async with GitServer(root=tmp_path / "server").running() as server:
        story = prepare(server)
        g = Git(tmp_path / "home", server.url, timeout=30)
        with blockbuster_ctx("bot"):
            await g.fetch_range(FORK, story.base, story.tip)
            await g.refs(FORK)
            await g.fetch_files(FORK, story.tip, "README.rst")
            await g.patch_id(story.tip)
