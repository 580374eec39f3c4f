from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.services.github import GitHub, Limits
from tests.github.loopback import APP_ID, GitHubOnLoopback, pem_of, private_key, serving

FAST = Limits(write_gap=0.0, backoff=0.001, timeout=5.0)

Connect = Callable[..., GitHub]


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return private_key()


@pytest.fixture
async def server(key: rsa.RSAPrivateKey) -> AsyncIterator[GitHubOnLoopback]:
    server = GitHubOnLoopback(key.public_key())
    async with serving(server.application) as url:
        server.url = url
        yield server
    assert server.unexpected == [], "the bot asked what the story does not know"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def connect(server: GitHubOnLoopback, session: aiohttp.ClientSession, key: rsa.RSAPrivateKey) -> Connect:
    pem = pem_of(key)

    def connected(limits: Limits = FAST) -> GitHub:
        return GitHub(APP_ID, pem, server.url, session, limits=limits)

    return connected


@pytest.fixture
def github(connect: Connect) -> GitHub:
    return connect()
