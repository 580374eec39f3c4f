"""PyPI as the bot reads it: the files of a version, and who owns a project."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Unavailable
from bot.rehearsal import pypi as stand_in
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, refuse
from bot.services.answers import MalformedAnswer
from bot.services.pypi import PublishedFile, PyPI

WHEEL, SOURCE = "azure_core-1.30.0-py3-none-any.whl", "azure_core-1.30.0.tar.gz"


@dataclass(frozen=True, kw_only=True)
class Index:
    """A stand-in that serves, and somebody who asks."""

    world: stand_in.PyPI
    chronicle: Chronicle
    pypi: PyPI


@pytest.fixture
async def index() -> AsyncIterator[Index]:
    chronicle = Chronicle()
    world = stand_in.PyPI(chronicle)
    async with TestServer(world.application, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        world.url = str(server.make_url(""))
        yield Index(world=world, chronicle=chronicle, pypi=PyPI(world.url, session))
    assert chronicle.violations == []


def published(name: str, content: bytes, *, yanked: bool = False) -> PublishedFile:
    return PublishedFile(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content), yanked=yanked)


async def test_the_files_of_a_version_are_read_with_hash_and_size(index: Index) -> None:
    for name, content in ((WHEEL, b"the wheel"), (SOURCE, b"the source"), ("azure_core-1.29.0.tar.gz", b"before")):
        index.world.upload("azure-sdk", name, content)
    project = await index.pypi.project("Azure.Core")
    assert project is not None
    assert project.of("1.30.0") == (published(WHEEL, b"the wheel"), published(SOURCE, b"the source"))
    assert project.of("1.31.0") == ()
    assert {str(version) for version in project.versions} == {"1.29.0", "1.30.0"}


async def test_a_project_that_is_not_there_has_neither_files_nor_owners(index: Index) -> None:
    assert await index.pypi.project("azure-nothing") is None
    assert await index.pypi.ownership("azure-nothing") is None


async def test_what_is_yanked_is_still_there(index: Index) -> None:
    index.world.upload("azure-sdk", SOURCE, b"the source")
    for reason in ("", "it is broken"):
        index.world.yank("azure-core", "1.30.0", reason)
        project = await index.pypi.project("azure-core")
        assert project is not None
        assert project.files == (published(SOURCE, b"the source", yanked=True),)


async def test_owners_are_those_with_that_role_and_the_organisation(index: Index) -> None:
    index.world.upload("azure-sdk", SOURCE, b"the source")
    index.world.add_role("azure-core", "somebody", "Maintainer")
    told = await index.pypi.ownership("azure-core")
    assert told is not None
    assert (told.has("azure-sdk"), told.has("somebody"), told.has("microsoft")) == (True, False, False)
    index.world.register("azure-core", organization="microsoft")
    told = await index.pypi.ownership("azure-core")
    assert told is not None
    assert told.has("microsoft")


async def test_an_index_in_trouble_is_unavailable(index: Index) -> None:
    index.chronicle.faults.add(Fault(action=refuse(503, headers={"Retry-After": "60"})))
    with pytest.raises(Unavailable, match=r"simple/azure-core/ was answered with 503") as caught:
        await index.pypi.project("azure-core")
    assert caught.value.retry_at is not None


async def test_a_name_that_leads_elsewhere_is_not_asked_for(index: Index) -> None:
    for name in ("../../evil", "a/b", "", "a b"):
        with pytest.raises(ValueError, match="name is invalid"):
            await index.pypi.project(name)
    assert index.chronicle.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"files": "none"},
        {"files": [{"filename": WHEEL, "hashes": {}}]},
        {"files": [{"filename": WHEEL, "hashes": {"sha256": "A" * 64}}]},
        {"files": [{"filename": WHEEL, "hashes": {"sha256": "a" * 64}, "size": -1}]},
        {"files": [{"filename": "", "hashes": {"sha256": "a" * 64}}]},
    ],
)
async def test_an_answer_of_another_shape_tells_nothing(answer: object) -> None:
    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(answer)

    application = web.Application()
    application.router.add_get("/simple/azure-core/", tell)
    async with TestServer(application, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        with pytest.raises(MalformedAnswer):
            await PyPI(str(server.make_url("")), session).project("azure-core")
