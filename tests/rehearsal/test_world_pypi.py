"""PyPI answers as its documentation says, forgets nothing, and takes every file once."""

import hashlib

import pytest

from bot.rehearsal.pypi import HTML, JSON, PyPI
from bot.rehearsal.pypi_model import Refused
from bot.rehearsal.world import World
from tests.rehearsal.stranger import Stranger

WHEEL, SOURCE = "azure_core-1.30.0-py3-none-any.whl", "azure_core-1.30.0.tar.gz"


@pytest.fixture
def pypi(world: World) -> PyPI:
    world.pypi.upload("azure-sdk", WHEEL, b"the wheel")
    world.pypi.upload("azure-sdk", SOURCE, b"the source")
    return world.pypi


async def test_a_release_is_described_with_digests_and_owners(pypi: PyPI, stranger: Stranger) -> None:
    pypi.add_role("azure-core", "microsoft")
    async with stranger.session.get(f"{pypi.url}/pypi/azure-core/1.30.0/json") as answer:
        told = await answer.json()
    assert {file["filename"]: file["digests"]["sha256"] for file in told["urls"]} == {
        WHEEL: hashlib.sha256(b"the wheel").hexdigest(),
        SOURCE: hashlib.sha256(b"the source").hexdigest(),
    }
    assert [file["packagetype"] for file in told["urls"]] == ["bdist_wheel", "sdist"]
    assert told["ownership"] == {
        "roles": [{"role": "Owner", "user": "azure-sdk"}, {"role": "Owner", "user": "microsoft"}],
        "organization": None,
    }
    assert "releases" not in told
    address = told["urls"][0]["url"]
    blake = hashlib.blake2b(b"the wheel", digest_size=32).hexdigest()
    assert address == f"https://files.pythonhosted.org/packages/{blake[:2]}/{blake[2:4]}/{blake[4:]}/{WHEEL}"
    async with stranger.session.get(address.replace("https://files.pythonhosted.org", pypi.url)) as answer:
        assert await answer.read() == b"the wheel"


async def test_a_project_shows_its_newest_final_version(pypi: PyPI, stranger: Stranger) -> None:
    pypi.upload("azure-sdk", "azure_core-1.31.0b1.tar.gz", b"a beta")
    pypi.upload("azure-sdk", "azure_core-1.9.0.tar.gz", b"an old one")
    async with stranger.session.get(f"{pypi.url}/pypi/azure-core/json") as answer:
        told = await answer.json()
    assert told["info"]["version"] == "1.30.0"
    assert list(told["releases"]) == ["1.9.0", "1.30.0", "1.31.0b1"]


async def test_what_is_not_there_is_not_found(pypi: PyPI, stranger: Stranger) -> None:
    for path in ("azure-cores/json", "azure-core/1.30.1/json"):
        async with stranger.session.get(f"{pypi.url}/pypi/{path}") as answer:
            assert (answer.status, await answer.json()) == (404, {"message": "Not Found"})
    async with stranger.session.get(f"{pypi.url}/simple/azure-cores/", headers={"Accept": JSON}) as answer:
        assert answer.status == 404


async def test_names_lead_to_their_normal_form(pypi: PyPI, stranger: Stranger) -> None:
    for path in ("/pypi/Azure_Core/json", "/pypi/azure.core/1.30.0/json", "/simple/Azure_Core/"):
        async with stranger.session.get(pypi.url + path, headers={"Accept": f"{JSON}, application/json"}) as answer:
            assert (answer.status, [one.status for one in answer.history]) == (200, [301])
            assert "/azure-core/" in str(answer.url)


async def test_the_index_speaks_json_only_with_those_who_ask_for_it(pypi: PyPI, stranger: Stranger) -> None:
    address = f"{pypi.url}/simple/azure-core/"
    async with stranger.session.get(address, headers={"Accept": f"{JSON};q=1, {HTML};q=0.2"}) as answer:
        told = await answer.json(content_type=JSON)
    assert (told["name"], told["versions"], told["meta"]["api-version"]) == ("azure-core", ["1.30.0"], "1.1")
    wanted = [hashlib.sha256(body).hexdigest() for body in (b"the wheel", b"the source")]
    assert [file["hashes"]["sha256"] for file in told["files"]] == wanted
    async with stranger.session.get(address) as answer:
        assert answer.content_type == HTML
    async with stranger.session.get(address, headers={"Accept": "application/json"}) as answer:
        assert answer.status == 406


def test_a_file_can_never_be_uploaded_again(pypi: PyPI) -> None:
    with pytest.raises(Refused, match="400 File already exists"):
        pypi.upload("azure-sdk", WHEEL, b"the wheel")
    pypi.delete("azure-core", WHEEL)
    with pytest.raises(Refused, match="400 File already exists"):
        pypi.upload("azure-sdk", WHEEL, b"another wheel")
    assert pypi.files("azure-core", "1.30.0") == {SOURCE: b"the source"}


def test_only_those_may_upload_who_have_a_role(pypi: PyPI) -> None:
    with pytest.raises(Refused, match="403 The user 'somebody'"):
        pypi.upload("somebody", "azure_core-1.30.1.tar.gz", b"")
    pypi.add_role("azure-core", "somebody", "Maintainer")
    pypi.upload("somebody", "azure_core-1.30.1.tar.gz", b"")
    assert pypi.owners("azure-core") == {"azure-sdk"}
    with pytest.raises(Refused, match="400 Invalid distribution file"):
        pypi.upload("azure-sdk", "azure-core.exe", b"")


async def test_what_is_uploaded_may_be_seen_later_and_one_file_after_the_other(pypi: PyPI, stranger: Stranger) -> None:
    pypi.holding = True
    for name in ("azure_core-1.31.0-py3-none-any.whl", "azure_core-1.31.0.tar.gz"):
        pypi.upload("azure-sdk", name, name.encode())
    address = f"{pypi.url}/pypi/azure-core/1.31.0/json"
    async with stranger.session.get(address) as answer:
        assert answer.status == 404
    pypi.let_through("azure_core-1.31.0.tar.gz")
    async with stranger.session.get(address) as answer:
        assert [file["filename"] for file in (await answer.json())["urls"]] == ["azure_core-1.31.0.tar.gz"]
    pypi.let_through()
    async with stranger.session.get(address) as answer:
        assert len((await answer.json())["urls"]) == 2


async def test_what_was_yanked_says_so(pypi: PyPI, stranger: Stranger) -> None:
    pypi.yank("azure-core", "1.30.0", "it bites")
    async with stranger.session.get(f"{pypi.url}/pypi/azure-core/1.30.0/json") as answer:
        told = await answer.json()
    assert (told["info"]["yanked"], told["info"]["yanked_reason"]) == (True, "it bites")
    assert {(file["yanked"], file["yanked_reason"]) for file in told["urls"]} == {(True, "it bites")}


async def test_other_pages_queries_and_credentials_are_violations(pypi: PyPI, world: World, stranger: Stranger) -> None:
    for path in ("/pypi", "/project/azure-core/", "/pypi/azure-core/json?when=now"):
        async with stranger.session.get(pypi.url + path):
            pass
    async with stranger.session.get(f"{pypi.url}/pypi/azure-core/json", headers={"Authorization": "Basic YTpi"}):
        pass
    assert len(world.violations) == 4
    world.violations.clear()
