"""The page of a dossier: what people read of it, and its picture."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from aiohttp.test_utils import TestClient, TestServer
from typing_extensions import override

from bot.profile import load
from bot.release import dossier
from bot.release.ids import IssueNumber, ReleaseId, WorkKey
from bot.release.model import Release, ReleaseState, StepState
from bot.release.published import Stated
from bot.store.store import Store
from bot.web.app import WebSettings, create_app
from bot.web.dossier_page import Piece, tables
from bot.web.telling import length
from bot.web.timeline import NARROWEST, timeline
from tests.release_builders import done, opened, until
from tests.test_dossier import FTP, INSTALLER, PUBLISHED, SOURCE, full
from tests.test_pages import opened as stored
from tests.webhook_builders import PROFILE, Client

GITHUB = "https://github.com"
DONE = replace(full(), state=ReleaseState.DONE)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    yield store
    await store.close()


@pytest.fixture
async def client(tmp_path: Path, store: Store) -> AsyncIterator[Client]:
    path = tmp_path / "cpython.toml"
    path.write_text(PROFILE, encoding="utf-8")
    settings = WebSettings(secrets=["a secret of some length"], profiles=[load(str(path))], app_id=1, url="https://bot.example/")
    async with TestClient(TestServer(create_app(settings, store))) as client:
        yield client


class Page(HTMLParser):
    """What a screen reader is told of a page: landmarks, headings, tables, and what names what."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


async def test_the_page_says_what_the_document_says_and_how_to_check_it(client: Client, store: Store) -> None:
    await stored(store, [(WorkKey("cpython#42"), DONE)])
    body = await (await client.get("/releases/cpython/3.15.0a3/dossier.json")).read()
    response = await client.get("/releases/cpython/3.15.0a3/dossier")
    text = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert body == dossier.written(dossier.dossier(DONE))
    digest = dossier.digest(dossier.dossier(DONE))
    assert f"<pre>{digest}</pre>" in text
    assert "curl -fsS https://bot.example/releases/cpython/3.15.0a3/dossier.json | sha256sum" in text
    for shown in (
        "a" * 40,
        "6" * 64,
        "Python Software Foundation",
        "hugo@python.org",
        "e" * 64,
        "Tomorrow.",
        "2 h 5 min",
        "/release approve",
    ):
        assert shown in text
    assert "https://github.com/python/release-tools/issues/42#issuecomment-77" in text
    assert digest in await (await client.get("/releases/cpython/3.15.0a3")).text()


async def test_the_page_can_be_heard(client: Client, store: Store) -> None:
    await stored(store, [(WorkKey("cpython#42"), DONE)])
    page = Page(await (await client.get("/releases/cpython/3.15.0a3/dossier")).text())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [len(page.all(landmark)) for landmark in ("main", "nav", "footer", "h1")] == [1, 1, 1, 1]
    named = [name for attributes in page.all("section", "table", "svg") for name in (attributes.get("aria-labelledby") or "").split()]
    assert named
    assert set(named) <= set(ids)
    assert {attributes["href"] for attributes in page.all("a") if (attributes["href"] or "").startswith("#")} <= {f"#{one}" for one in ids}
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    assert len(page.all("title")) == 2
    assert page.all("script") == page.all("img") == []


async def test_the_dossier_of_an_aborted_release_is_found_behind_a_later_one(client: Client, store: Store) -> None:
    aborted = replace(DONE, state=ReleaseState.ABORTED, pushed=None, state_why="<b>a blocker</b>", id=ReleaseId("cpython-3.15.0a3-41"))
    aborted = replace(aborted, issue=IssueNumber(41))
    later = replace(opened(), issue=IssueNumber(42))
    await stored(store, [(WorkKey("cpython#41"), aborted), (WorkKey("cpython#42"), later)])
    text = await (await client.get(dossier.path(aborted))).text()
    assert "aborted: &lt;b&gt;a blocker" in text
    assert "dossier.json?release=cpython-3.15.0a3-41" in text
    body = await (await client.get(dossier.path(aborted, ".json"))).read()
    assert body == dossier.written(dossier.dossier(aborted))
    assert "It is not closed yet" in await (await client.get("/releases/cpython/3.15.0a3/dossier")).text()
    for path in ("/releases/cpython/3.15.0a3/dossier?release=other", "/releases/cpython/3.99.0/dossier"):
        assert (await client.get(path)).status == 404


async def test_code_in_a_sentence_is_shown_as_code(client: Client, store: Store) -> None:
    recalls = [replace(DONE.recalls[0], reason=reason) for reason in ("a `b<` & c", "one ` & two")]
    await stored(store, [(WorkKey("cpython#42"), replace(DONE, recalls=tuple(recalls)))])
    text = await (await client.get("/releases/cpython/3.15.0a3/dossier")).text()
    assert "a <code>b&lt;</code> &amp; c" in text
    assert "one ` &amp; two" in text


async def test_programs_are_told_the_form(client: Client) -> None:
    response = await client.get("/dossier.schema.json")
    assert response.content_type == "application/schema+json"
    jsonschema.Draft202012Validator.check_schema(await response.json(content_type=None))


# --- the tables


def texts(release: Release, table: str) -> list[list[list[str]]]:
    """Return the texts of a table: of each row, of each cell, of each line."""
    [found] = [one for one in tables(dossier.dossier(release), GITHUB) if one.id == table]
    assert all(len(row) == len(found.headings) for row in found.rows)
    return [[[piece.text for piece in cell] for cell in row] for row in found.rows]


def test_each_hash_is_shown_once_with_everybody_who_stated_it() -> None:
    source, vouching, not_read, installer = texts(DONE, "files")
    assert source[:4] == [[SOURCE], ["6" * 64], ["6" * 32], ["5"]]
    assert source[4] == [
        "the builder of source, 2026-11-20 12:31:00 UTC",
        "the list of python.org",
        "its bytes, read 2026-11-20 12:31:00 UTC",
        "its bytes, read 2026-11-20 13:30:00 UTC",
    ]
    assert vouching[1] == ["7" * 64]
    assert not_read[1:] == [["none"], [], [], ["asked for, and withheld 2026-11-20 13:30:00 UTC"]]
    assert (installer[0], installer[4]) == ([INSTALLER], ["ned-deily, by hand, for macos, 2026-11-20 12:31:00 UTC"])


def test_hashes_that_differ_are_called_out_in_words() -> None:
    wrong = replace(PUBLISHED, stated=(Stated(url=f"{FTP}{SOURCE}", size=6, md5="", sha256="0" * 64),))
    rows = texts(replace(DONE, publication=wrong), "files")
    assert [row[0] for row in rows[:2]] == [[SOURCE, "its hashes differ"], [f"{SOURCE}, again", "its hashes differ"]]
    assert [row[1] for row in rows[:2]] == [["6" * 64], ["0" * 64]]


def test_only_addresses_of_the_web_lead_anywhere() -> None:
    release = replace(DONE, runs=(replace(DONE.runs[0], url="javascript:alert(1)"),))
    [runs] = [one for one in tables(dossier.dossier(release), GITHUB) if one.id == "runs"]
    assert runs.rows[0][0] == (Piece(text="Release_v3.15.0a3_20261120.01"),)


def test_a_release_just_opened_has_no_empty_tables() -> None:
    assert [table.id for table in tables(dossier.dossier(opened()), GITHUB)] == ["steps", "actors"]


# --- the picture


def test_the_picture_is_to_scale() -> None:
    picture = timeline(dossier.dossier(DONE))
    assert picture is not None
    labels = {bar.label.partition(":")[0]: bar for bar in picture.bars}
    assert labels["thaw"].span.left == 0
    assert labels["thaw"].span.width == 100
    assert labels["windows"].span.width == pytest.approx(48)
    assert [wait.width for wait in labels["windows"].waits] == [0.8, 0.8]
    assert labels["windows"].label == "windows: passed, 1 h, 1 min of it waiting for people"
    assert labels["windows"].caption == "windows · 1 h · 1 min for people"
    assert len(picture.lapsed) == 1
    assert "windows-publish" not in labels


@pytest.mark.parametrize("release", [opened(), until("tag"), until("thaw"), done(), replace(full(), people=())], ids=lambda one: one.state)
def test_every_bar_lies_within_the_picture(release: Release) -> None:
    picture = timeline(dossier.dossier(release))
    for span in (one for bar in (picture.bars if picture else ()) for one in (bar.span, *bar.waits)):
        assert span.left >= 0
        assert span.width >= NARROWEST
        assert span.left + span.width <= 100.01


def test_a_step_that_has_not_ended_is_drawn_to_the_end() -> None:
    going = replace(until("audit"), steps=(*until("audit").steps[:3], StepState(name="audit", began=until("audit").opened)))
    picture = timeline(dossier.dossier(going))
    assert picture is not None
    assert (picture.bars[-1].label, picture.bars[-1].caption) == ("audit: pending, not ended", "audit · not ended")


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_401, "1 d")]
)
def test_lengths_are_said_with_their_two_largest_units(seconds: int | None, words: str) -> None:
    assert length(seconds) == words


def test_no_colour_is_needed_to_tell_waiting_from_work() -> None:
    template = (Path(__file__).parent.parent / "bot" / "web" / "html" / "dossier.html").read_text(encoding="utf-8")
    assert re.search(r"\.wait \{ fill: url\(#hatch\); stroke:", template)
