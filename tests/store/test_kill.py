"""Workers are killed with SIGKILL at random moments: nothing acknowledged is lost, no row is in two hands, nothing is done twice."""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from bot.journal import verify
from bot.release.ids import WorkKey
from bot.store.store import Store
from tests.databases import QUICK
from tests.store.worker import STEPS, World

KEYS = [f"cpython#{number}" for number in range(4)]


class Worker:
    """A worker process and what it answered."""

    def __init__(self, process: asyncio.subprocess.Process, acked: set[str]) -> None:
        self._process = process
        self._acked = acked
        self._ready, self._drained = asyncio.Event(), asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, url: str, world: Path, acked: set[str]) -> "Worker":
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "tests.store.worker", url, str(world)]
        worker = cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe), acked)
        await asyncio.wait_for(worker._ready.wait(), 60)
        return worker

    def tell(self, *words: str) -> None:
        assert self._process.stdin
        self._process.stdin.write((" ".join(words) + "\n").encode())

    async def drain(self) -> None:
        self.tell("drain", *KEYS)
        await asyncio.wait_for(self._drained.wait(), 90)

    async def kill(self, world: World) -> None:
        self._process.kill()
        await self._process.wait()
        world.write("killed", self._process.pid)
        await self._reading

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        assert await self._process.wait() == 0
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            match line.decode().split():
                case ["ready"]:
                    self._ready.set()
                case ["drained"]:
                    self._drained.set()
                case ["ack", guid]:
                    self._acked.add(guid)


async def chaos(url: str, world_path: Path, *, workers: int, kills: int, seed: int) -> None:
    """Kill workers while deliveries come in; what was not acknowledged is sent again, as GitHub can be asked to."""
    chance = random.Random(seed)  # noqa: S311 - a story that can be told again
    world, acked, sent = World(world_path), set[str](), dict[str, str]()
    running = [await Worker.start(url, world_path, acked) for _ in range(workers)]
    for number in range(kills):
        victim = chance.randrange(workers)
        for guid, key in {guid: key for guid, key in sent.items() if guid not in acked}.items():
            chance.choice(running).tell("put", guid, key)
        end = asyncio.get_running_loop().time() + chance.uniform(0, 0.4)
        while asyncio.get_running_loop().time() < end:
            guid = f"{number}-{len(sent)}"
            sent[guid] = chance.choice(KEYS)
            chance.choice(running).tell("put", guid, sent[guid])
            await asyncio.sleep(0.01)
        await running[victim].kill(world)
        running[victim] = await Worker.start(url, world_path, acked)
    for guid, key in sent.items():
        running[0].tell("put", guid, key)
    for key in KEYS:
        running[0].tell("put", f"last-{key}", key)
        sent[f"last-{key}"] = key
    await running[0].drain()
    for worker in running:
        await worker.end()
    assert acked == set(sent)
    judge(world_path, set(sent))
    await judge_the_store(url, len(sent))


def judge(world: Path, sent: set[str]) -> None:
    """Read what happened outside: every effect of every delivery once, and no row in two hands."""
    effects: Counter[tuple[str, str]] = Counter()
    holder: dict[str, str] = {}
    dead: set[str] = set()
    for line in world.read_text().splitlines():
        match line.split():
            case ["begin", key, process]:
                assert key not in holder or holder[key] in dead, f"{key} is worked on by {holder[key]} and {process}"
                holder[key] = process
            case ["end", key, process]:
                assert holder.pop(key) == process
            case ["killed", process]:
                dead.add(process)
            case ["effect", guid, step]:
                effects[guid, step] += 1
    assert effects == Counter({(guid, step): 1 for guid in sent for step in STEPS})


async def judge_the_store(url: str, sent: int) -> None:
    store = await Store.open(url, timings=QUICK)
    rows = 0
    for key in map(WorkKey, KEYS):
        assert verify(await store.journal(key), head=await store.head(key)) is None
        assert await store.deliveries(key, unread=True) == []
        assert all(effect.finished for effect in await store.effects(key))
        rows += len(await store.deliveries(key))
    assert rows == sent
    await store.close()


async def test_killed_again_and_again(database_url: str, tmp_path: Path) -> None:
    await chaos(database_url, tmp_path / "world", workers=1, kills=6, seed=20231002)


@pytest.mark.chaos
async def test_two_replicas_killed_again_and_again(postgres_url: str, tmp_path: Path) -> None:
    await chaos(postgres_url, tmp_path / "world", workers=2, kills=4, seed=20231003)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(3))
async def test_killed_very_often(database_url: str, tmp_path: Path, seed: int) -> None:
    workers = 2 if database_url.startswith("postgres") else 1
    await chaos(database_url, tmp_path / "world", workers=workers, kills=40, seed=seed)
