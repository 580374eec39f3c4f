"""NuGet: what is asked of it, what it says, and what that proves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Unavailable
from bot.rehearsal import nuget as stand_in
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.versions import PythonVersion
from bot.release.version import Version
from bot.services.answers import MalformedAnswer
from bot.services.nuget import NuGet
from bot.verify.nuget import NuGetVisible, nuget_version
from bot.verify.result import NotProven

VERSIONS = {"3.15.0a3": "3.15.0-a3", "3.15.0b1": "3.15.0-b1", "3.15.0rc2": "3.15.0-rc2", "3.14.7": "3.14.7", "3.15.0": "3.15.0"}


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A stand-in that serves, what happened to it, and somebody who asks."""

    world: stand_in.NuGet
    chronicle: Chronicle
    nuget: NuGet
    session: aiohttp.ClientSession


@asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    async with TestServer(application, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        yield str(server.make_url("/")), session


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    chronicle = Chronicle()
    world = stand_in.NuGet(chronicle)
    async with serving(world.application) as (url, session):
        world.url = url
        yield Registry(world=world, chronicle=chronicle, nuget=NuGet(url, session), session=session)


async def test_the_versions_of_a_package_are_read(registry: Registry) -> None:
    assert registry.world.push("python", "3.15.0-a2")
    assert registry.world.push("python", "3.15.0-a3")
    assert registry.world.push("PythonX86", "3.15.0-A3")
    assert await registry.nuget.versions("python") == ("3.15.0-a2", "3.15.0-a3")
    assert await registry.nuget.versions("PythonX86") == ("3.15.0-a3",)
    assert await registry.nuget.versions("pythonarm64") == ()
    assert registry.chronicle.violations == []
    assert [request.status for request in registry.chronicle.requests] == [200, 200, 404]


async def test_a_version_is_pushed_once_and_shown_when_it_was_validated(registry: Registry) -> None:
    registry.world.holding = True
    assert registry.world.push("python", "3.15.0-a3")
    assert not registry.world.push("python", "3.15.0-a3")
    assert await registry.nuget.versions("python") == ()
    registry.world.let_through()
    assert not registry.world.push("Python", "3.15.0-A3")
    assert await registry.nuget.versions("python") == ("3.15.0-a3",)
    assert registry.chronicle.log == ["NuGet has python 3.15.0-a3"]


async def test_asking_for_anything_else_is_a_violation(registry: Registry) -> None:
    registry.world.push("python", "3.14.7")
    for path, status in (
        ("v3-flatcontainer/Python/index.json", 404),
        ("v3/index.json", 404),
        ("v3-flatcontainer/python/index.json?a=b", 200),
    ):
        async with registry.session.get(registry.world.url + path) as answer:
            assert answer.status == status
    async with registry.session.put(f"{registry.world.url}api/v2/package") as answer:
        assert answer.status == 404
    assert len(registry.chronicle.violations) == 4


async def test_a_registry_in_trouble_is_unavailable(registry: Registry) -> None:
    registry.chronicle.faults.add(Fault(action=refuse(503, headers={"Retry-After": "60"})))
    with pytest.raises(Unavailable, match=r"v3-flatcontainer/python/index\.json was answered with 503") as caught:
        await registry.nuget.versions("python")
    assert caught.value.retry_at is not None


@pytest.mark.parametrize("package", ["", "a/b", "..", "python?", "pythön", "a" * 101, "python-"])
async def test_what_cannot_be_a_package_is_not_asked_for(registry: Registry, package: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a package"):
        await registry.nuget.versions(package)
    assert registry.chronicle.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({}),
        web.json_response([]),
        web.json_response({"versions": [1]}),
        web.json_response({"versions": [""]}),
        web.Response(text="<html>"),
        web.json_response({"versions": ["1" * 2_000_000]}),
    ],
)
async def test_an_answer_of_another_form_is_no_answer(answer: web.Response) -> None:
    async def serve(_request: web.Request) -> web.Response:
        return answer

    application = web.Application()
    application.router.add_get("/v3-flatcontainer/python/index.json", serve)
    async with serving(application) as (url, session):
        with pytest.raises(MalformedAnswer):
            await NuGet(url, session).versions("python")


def test_versions_are_written_as_nuget_writes_them() -> None:
    for text, written in VERSIONS.items():
        assert nuget_version(Version.parse(text)) == written
        assert stand_in.in_nuget(PythonVersion.parse(text)) == written


def test_a_release_is_visible_when_each_of_its_packages_is() -> None:
    proof = NuGetVisible(packages=("python", "pythonx86"), version=Version.parse("3.15.0a3"))
    listed = {"python": ["3.15.0-a2", "3.15.0-a3"], "pythonx86": ["3.15.0-A3+build"], "another": []}
    assert proof.verify(listed).why == "NuGet has 3.15.0-a3 of python and pythonx86."


@pytest.mark.parametrize("versions", [[], ["3.15.0"], ["3.15.0-a2"], ["3.15.0-a30"], ["3.15.0a3"], ["3.15.0-rc3"]])
def test_a_release_without_one_of_its_packages_is_not_visible(versions: list[str]) -> None:
    proof = NuGetVisible(packages=("python", "pythonx86"), version=Version.parse("3.15.0a3"))
    with pytest.raises(
        NotProven,
        match=r"^NuGet does not have 3\.15\.0-a3 of pythonx86; it may take an hour after the push, so look again before acting\.$",
    ) as caught:
        proof.verify({"python": ["3.15.0-a3"], "pythonx86": versions})
    assert caught.value.diagnostics == (f"pythonx86: it lists `{versions[0]}`" if versions else "pythonx86: it lists no version",)


def test_nothing_asked_for_is_nothing_proved() -> None:
    version = Version.parse("3.14.7")
    with pytest.raises(NotProven, match=r"of python and pythonx86;"):
        NuGetVisible(packages=("pythonx86", "python"), version=version).verify({})
    with pytest.raises(NotProven, match="of any package"):
        NuGetVisible(packages=(), version=version).verify({"python": ["3.14.7"]})
