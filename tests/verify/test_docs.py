"""The documentation of a release is proved by what its page shows and by what the list of its archives names."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.elsewhere import documentation
from bot.errors import Unavailable
from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.serving import reserve, serving, url_of
from bot.rehearsal.world import World
from bot.release.version import Version
from bot.services.docs import LARGEST, Docs
from bot.verify.docs import Documentation
from bot.verify.result import NotProven, Verdict

CANDIDATE = Version.parse("3.15.0rc1")
PROOF = Documentation(CANDIDATE)
BOOK = "python-3.15.0rc1-docs.epub"
LISTED = (*PROOF.archives, BOOK)


def page(title: str) -> str:
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" /><title>{title}</title></head></html>'


GOOD = page("3.15.0rc1 Documentation")


def test_page_and_archives_prove_it() -> None:
    assert len(PROOF.archives) == 6
    proven = PROOF.verify(GOOD, LISTED)
    assert proven.why == "The documentation shows 3.15.0rc1, and its archives are listed."
    without = PROOF.verify(page("Python\n3.15.0rc1 documentation"), PROOF.archives)
    assert without.diagnostics[-1] == f"not listed, and not needed: {BOOK}"


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("3.15.0", "3.15.0rc1 Documentation"),
        ("3.15.0", "3.15.0+ Documentation"),
        ("3.15.0", "13.15.0 Documentation"),
        ("3.15.1", "3.15.10 Documentation"),
        ("3.15.1", "3.15.1.1 Documentation"),
        ("3.15.0rc1", "3.15.0rc12 Documentation"),
        ("3.15.0", "3x15y0 Documentation"),
    ],
)
def test_only_exactly_this_version_counts(version: str, shown: str) -> None:
    proof = Documentation(Version.parse(version))
    proof.verify(page(f"Python {version}."), proof.archives)
    with pytest.raises(NotProven) as caught:
        proof.verify(page(shown), proof.archives)
    assert caught.value.why == f"The page https://docs.python.org/release/{version}/ does not show {version}: its title is “{shown}”."


def test_what_is_missing_is_named_with_what_has_to_be_purged() -> None:
    with pytest.raises(NotProven, match=r"1 of the 6 archives .* not listed in https://www.python.org/ftp/python/doc/3.15.0rc1/") as caught:
        PROOF.verify(GOOD, LISTED[1:])
    purge = "curl -X PURGE https://docs.python.org/release/3.15.0rc1/ https://www.python.org/ftp/python/doc/3.15.0rc1/"
    first, last = caught.value.diagnostics
    assert first == f"not listed: {LISTED[0]}"
    assert purge in last
    with pytest.raises(NotProven, match="there is no folder"):
        PROOF.verify(GOOD, None)
    with pytest.raises(NotProven, match=re.escape("is not at https://docs.python.org/release/3.15.0rc1/: put it there")) as both:
        PROOF.verify(None, ())
    assert "6 of the 6 archives" in both.value.diagnostics[0]
    with pytest.raises(NotProven, match="it has no title"):
        PROOF.verify("<title>" + "spam" * 10_000, LISTED)


# --- as the services tell it


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path / "world") as world:
        yield world


@pytest.fixture
async def docs(world: World) -> AsyncIterator[Docs]:
    async with aiohttp.ClientSession() as session:
        yield Docs(world.docs.url, world.python_org.url, session)


def uploaded(world: World, *names: str) -> None:
    for name in names:
        world.python_org.upload(f"doc/3.15.0rc1/{name}", b"spam")


async def test_it_is_looked_up_without_asking_for_any_archive(world: World, docs: Docs) -> None:
    world.docs.publish("3.15.0rc1")
    uploaded(world, *LISTED, "python-3.15.0rc1-docs-pdf-a4.zip")
    result = await documentation(CANDIDATE, docs)
    assert (result.verdict, result.subject) == (Verdict.VERIFIED, "3.15.0rc1")
    assert [request.path for request in world.requests] == ["/release/3.15.0rc1/", "/ftp/python/doc/3.15.0rc1/"]
    assert world.violations == []


async def test_what_was_asked_for_too_early_has_to_be_purged(world: World, docs: Docs) -> None:
    assert "is not at" in (await documentation(CANDIDATE, docs)).why
    world.docs.publish("3.15.0rc1", shown="3.15.0b4")
    uploaded(world, *LISTED)
    assert "is not at" in (await documentation(CANDIDATE, docs)).why
    world.docs.purge("3.15.0rc1")
    result = await documentation(CANDIDATE, docs)
    assert "its title is “3.15.0b4 Documentation”" in result.why
    assert "there is no folder" in result.diagnostics[0]
    world.docs.publish("3.15.0rc1")
    world.docs.purge("3.15.0rc1")
    world.python_org.purge("doc/3.15.0rc1/")
    assert (await documentation(CANDIDATE, docs)).verdict is Verdict.VERIFIED


async def test_links_that_lead_elsewhere_are_no_archives(world: World, docs: Docs) -> None:
    uploaded(world, "a&b.zip")
    assert await docs.listing("3.15.0rc1") == ("a&b.zip",)
    assert await docs.listing("3.15.0rc2") is None


@pytest.mark.parametrize("piece", ["<a ", "<a x='", "<![", "</", "<!--", "<title", "<title>", '<a href="'])
async def test_a_page_that_was_made_to_do_harm_is_read_at_once(piece: str) -> None:
    async def harmful(_: web.Request) -> web.Response:
        return web.Response(text=piece * (LARGEST // len(piece)), content_type="text/html")

    application, port = web.Application(), reserve()
    application.router.add_get("/{path:.*}", harmful)
    async with serving(application, port), aiohttp.ClientSession() as session:
        docs = Docs(url_of(port), url_of(port), session)
        worked = time.process_time()
        assert (await documentation(CANDIDATE, docs)).verdict is Verdict.FAILED
        assert time.process_time() - worked < 5


async def test_other_versions_have_none_and_silence_is_no_answer(world: World, docs: Docs) -> None:
    early = await documentation(Version.parse("3.15.0a3"), docs)
    assert early.verdict is Verdict.ABSENT
    assert world.requests == []
    world.faults.add(Fault(action=refuse(503), path="^/(release|ftp/python/doc)/", times=2))
    with pytest.raises(Unavailable, match="was answered with 503"):
        await documentation(CANDIDATE, docs)
    async with aiohttp.ClientSession() as session, session.get(f"{world.docs.url}/3/") as answer:
        assert answer.status == 404
    assert world.violations == ["docs.python.org: GET /3/ is not needed by any release"]


@pytest.mark.parametrize("silent", ["^/release/", "^/ftp/python/doc/"])
async def test_what_is_missing_is_not_asked_for_again_because_the_other_place_is_silent(world: World, docs: Docs, silent: str) -> None:
    world.faults.add(Fault(action=refuse(503), path=silent, times=1))
    result = await documentation(CANDIDATE, docs)
    assert result.verdict is Verdict.FAILED
    assert "There is nothing at https://" in result.why
    assert "could not be read" in result.why
