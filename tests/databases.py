"""A store over each kind of database, and a world of reconcilers to run on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.engine import Reconcile
from bot.store.model import Delivery, Timings
from bot.store.store import Store

Result = TypeVar("Result")

QUICK = Timings(lease=2.0, heartbeat=0.2, idle=0.02, backoff=0.05, backoff_cap=0.2, patience=3.0, checkpoint=0.05, grace=0.5)

KEY = WorkKey("cpython#1")
OTHER = WorkKey("cpython#2")
WATCH = WorkKey("cpython")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return f"sqlite:///{tmp_path / 'bot.sqlite3'}"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(database_url, timings=QUICK)
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
        await asyncio.wait([task])
    if not task.cancelled():
        await task


async def becomes(true: Callable[[], bool | Awaitable[bool]], within: float = 10) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)


async def during_a_look(store: Store, work: Callable[[Claim], Awaitable[Result]], key: WorkKey = KEY) -> Result:
    """Do something while holding the claim on a row, and return what came of it or raise what it raised."""
    answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    async def look(claim: Claim) -> None:
        if claim.key != key or answer.done():
            return
        try:
            result = await work(claim)
        except BaseException as error:
            answer.set_exception(error)
            raise
        answer.set_result(result)

    await store.wake(key)
    async with running(store, look):
        await asyncio.wait([answer], timeout=10)
    return answer.result()


async def at_rest(store: Store, *keys: WorkKey) -> bool:
    """Tell whether nobody works on these rows, and nothing makes them due."""
    works = [await store.work(key) for key in keys]
    return all(work and work.due is None and work.owner is None for work in works)
