from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.release.ids import Repository
from bot.services.git import Git
from tests.git.server import GitServer

UPSTREAM = Repository("python/cpython")
FORK = Repository("manager/cpython")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[GitServer]:
    async with GitServer(root=tmp_path / "server").running() as running:
        yield running


@pytest.fixture
def git_client(tmp_path: Path, server: GitServer) -> Git:
    return Git(tmp_path / "home", server.url, timeout=30)
