"""A store over each kind of database, and a world of reconcilers to run on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.release.ids import WorkKey
from bot.store.engine import Reconcile
from bot.store.model import Delivery, Timings
from bot.store.store import Store

QUICK = Timings(lease=1.0, heartbeat=0.2, idle=0.02, backoff=0.05, backoff_cap=0.2, patience=3.0, checkpoint=0.05, grace=0.5)

KEY = WorkKey("cpython#1")
OTHER = WorkKey("cpython#2")
WATCH = WorkKey("cpython")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return f"sqlite:///{tmp_path / 'bot.sqlite3'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url, timings=QUICK)
    yield opened
    await opened.close()


def event(guid: str, key: WorkKey = KEY, **payload: object) -> Delivery:
    received = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return Delivery(guid=guid, key=key, event="issue_comment", action="created", payload=payload, received=received)


@asynccontextmanager
async def running(store: Store, reconcile: Reconcile, parallel: int = 8) -> AsyncIterator[None]:
    """Run a reconciler for as long as the block lasts; what kills the loop fails the test."""
    task = asyncio.create_task(store.run(reconcile, parallel=parallel))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def becomes(true: Callable[[], bool | Awaitable[bool]], within: float = 10) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)
