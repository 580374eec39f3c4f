"""A small populated world, and a stranger in it."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.rehearsal.world import World
from tests.rehearsal.stranger import Ear, Stranger, listening, populate


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    identity = ["-c", "user.name=Guido", "-c", "user.email=guido@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", directory], check=True)
    (directory / ".github/workflows").mkdir(parents=True)
    (directory / ".github/workflows/build.yml").write_text("name: build\n")
    (directory / "README.rst").write_text("This is Python version 3.15.0 alpha 2\n")
    subprocess.run(["git", "-C", directory, "add", "."], check=True)
    subprocess.run(["git", "-C", directory, *identity, "commit", "--quiet", "--message", "Start"], check=True)
    subprocess.run(["git", "-C", directory, "branch", "3.14"], check=True)
    return directory


@pytest.fixture
async def world(tmp_path: Path, source: Path) -> AsyncIterator[World]:
    async with World(tmp_path / "world") as world:
        await populate(world, source)
        yield world


@pytest.fixture
async def stranger(world: World, tmp_path: Path) -> AsyncIterator[Stranger]:
    async with aiohttp.ClientSession() as session:
        yield Stranger(world, session, tmp_path)


@pytest.fixture
async def ear(world: World) -> AsyncIterator[Ear]:
    async with listening() as ear:
        world.github.app.webhook_url = ear.url
        yield ear
