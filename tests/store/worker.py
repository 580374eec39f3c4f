"""A process that takes deliveries in and works on them, to be killed at any moment.

It is told ``put GUID KEY`` and ``drain`` on standard input and answers ``ready``, ``ack GUID`` and ``drained``. Its outside world is one
file, to which lines are appended: what was done there stays done, whoever dies.
"""

import asyncio
import os
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.effects import Door, Nature
from bot.journal import Json
from bot.release.ids import WorkKey
from bot.store.claim import Claim
from bot.store.model import Delivery, Timings
from bot.store.store import Store
from tests.databases import at_rest, becomes

STEPS = ("freeze", "push", "thaw")
TIMINGS = Timings(lease=5.0, heartbeat=0.3, idle=0.05, backoff=0.05, backoff_cap=0.2)


class World:
    """The outside world: an append-only file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())

    def has(self, line: str) -> bool:
        return line in self._path.read_text().splitlines()


async def reconcile(world: World, claim: Claim) -> None:
    world.write("begin", claim.key, os.getpid())
    for one in claim.unread:
        door = Door(claim, claim.key, 1)
        for step in STEPS:
            await effect(world, door, step, one.guid)
        await claim.save(one.guid, read=[one.guid])
    world.write("end", claim.key, os.getpid())


async def effect(world: World, door: Door, step: str, guid: str) -> None:
    line = f"effect {guid} {step}"

    async def do() -> Mapping[str, Json]:
        await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - the way there
        world.write(line)
        await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - and back
        return {}

    async def find() -> Mapping[str, Json] | None:
        return {} if world.has(line) else None

    await door(step, guid, nature=Nature.FINDABLE, parameters={}, do=do, find=find)


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def take(store: Store, guid: str, key: str) -> None:
    delivery = Delivery(guid=guid, key=WorkKey(key), event="push", action="", payload={}, received=datetime.now(UTC))
    await store.put(delivery)
    say("ack", guid)


async def drained(store: Store, keys: list[WorkKey]) -> None:
    """Wait until nothing is due any more."""
    await becomes(lambda: at_rest(store, *keys), within=60)
    say("drained")


async def main(url: str, path: str) -> None:
    store, world = await Store.open(url, timings=TIMINGS), World(Path(path))
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    run = asyncio.create_task(store.run(lambda claim: reconcile(world, claim)))
    say("ready")
    async with asyncio.TaskGroup() as group:
        async for line in orders:
            match line.decode().split():
                case ["put", guid, key]:
                    group.create_task(take(store, guid, key))
                case ["drain", *keys]:
                    group.create_task(drained(store, [WorkKey(key) for key in keys]))
    await store.close()
    await run


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
