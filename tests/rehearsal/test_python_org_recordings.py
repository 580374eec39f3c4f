"""Dialogues with the real site, told again to the stand-in: what guests asked is asked, what people saved is done by hand."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.python_org import PythonOrg
from bot.rehearsal.serving import reserve, serving, url_of
from tests.reference import reference

HEADERS = ("Content-Type", "Vary", "Cache-Control", "Surrogate-Key", "Location", "Allow", "Retry-After")
"""What a client can go by; the others name the server, the hour and the policies of the browser."""

SYSTEMS = {"1": "windows", "2": "macos", "3": "source", "4": "android", "5": "ios"}
BEGINNING = "013-v1-list-limit-0"
"""The dialogue that shows every release there was when the recording began."""


@dataclass
class Dialogue:
    name: str
    method: str
    path: str
    headers: dict[str, str]
    sent: str
    status: int
    answered: dict[str, str]
    body: str

    @property
    def id(self) -> int:
        """The id of what was created, or of what the path names."""
        made = json.loads(self.body).get("resource_uri") if self.body.startswith("{") else self.answered.get("Location")
        return int(re.findall(r"/(\d+)/", made or self.path)[-1])


def dialogues() -> list[Dialogue]:
    found = []
    for path in sorted(reference("recordings/python.org").glob("*.json")):
        told = json.loads(path.read_text())
        request, response = told["request"], told["response"]
        answered = {name: value for name, value in response["headers"] if name in HEADERS}
        found.append(
            Dialogue(
                name=path.stem,
                method=request["method"],
                path=request["path"],
                headers=request["headers"],
                sent=request["body"] or "",
                status=response["status"],
                answered=answered,
                body=response["body"],
            )
        )
    return found


def not_covered(dialogue: Dialogue) -> str:
    """Why the stand-in does not answer this; empty where it does."""
    path = dialogue.path.partition("?")[0]
    reasons = {
        "the second API, which allows guests a hundred requests a day": path.startswith("/api/v2/"),
        "what the staff sees": "<" in dialogue.headers.get("Authorization", ""),
        "the API's descriptions of itself": path == "/api/v1/" or path.endswith("/schema/"),
        "several details at once": "/set/" in path,
        "formats other than JSON": "xml" in dialogue.headers["Accept"] or "format=" in dialogue.path,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


@pytest.fixture
def chronicle() -> Chronicle:
    return Chronicle()


@pytest.fixture
async def site(chronicle: Chronicle) -> AsyncIterator[PythonOrg]:
    site, port = PythonOrg(chronicle), reserve()
    async with serving(site.application, port):
        site.url = url_of(port)
        yield site


def begin(site: PythonOrg, told: list[Dialogue]) -> None:
    for row in json.loads(next(dialogue.body for dialogue in told if dialogue.name == BEGINNING))["objects"]:
        create(site, int(row["resource_uri"].split("/")[-2]), row)


def create(site: PythonOrg, number: int, row: dict[str, Any]) -> None:
    known = {"slug": "", "pre_release": False, "release_notes_url": "", **release_fields(row)}
    name = str(known.pop("name", ""))
    site.create_release(name, id=number, **known)


def release_fields(row: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "slug", "version", "is_published", "is_latest", "pre_release", "show_on_download_page", "release_notes_url")
    fields = {name: row[name] for name in names if name in row}
    if "release_date" in row:
        date = datetime.fromisoformat(row["release_date"])
        fields["release_date"] = date if date.tzinfo else date.replace(tzinfo=UTC)
    return fields


def apply(site: PythonOrg, dialogue: Dialogue) -> None:
    """Do by hand what was saved."""
    kind = "file" if "/release_file/" in dialogue.path else "release"
    sent = dict(parse_qsl(dialogue.sent)) if dialogue.sent[:1] not in ("{", "[", "") else json.loads(dialogue.sent or "{}")
    match dialogue.method, kind:
        case "POST", "release":
            create(site, dialogue.id, sent if isinstance(sent, dict) else {})
        case "PATCH", "release":
            fields = {name: value for name, value in release_fields(sent).items() if value not in ("true", "false")}
            site.change(site.tables.releases[dialogue.id].name, **fields)
        case "POST", "file":
            release, system = (str(sent.pop(name)).split("/")[-2] for name in ("release", "os"))
            site.register(site.tables.releases[int(release)].name, sent.pop("url"), id=dialogue.id, os=SYSTEMS[system], **sent)
        case "PATCH", "file":
            site.change_file(site.tables.files[dialogue.id].url, **sent)
        case "DELETE", "release":
            del site.tables.releases[dialogue.id]
        case "DELETE", _ if "release=" in dialogue.path:
            for file in [*site.tables.files.values()]:
                site.unregister(file.url)
        case "DELETE", _:
            site.unregister(site.tables.files[dialogue.id].url)
        case other:
            pytest.fail(f"{dialogue.name}: {other} was never seen before")


async def test_the_stand_in_answers_guests_as_the_real_site_did(site: PythonOrg) -> None:
    told = dialogues()
    begin(site, told)
    different, counted = {}, Counter[str]()
    async with aiohttp.ClientSession() as session:
        for dialogue in told:
            if dialogue.method != "GET":
                if dialogue.status < 300 and dialogue.method != "OPTIONS":
                    apply(site, dialogue)
                continue
            reason = not_covered(dialogue)
            counted[reason] += 1
            if not reason:
                found = await ask(session, site, dialogue)
                if found != expected(dialogue):
                    different[dialogue.name] = (found, expected(dialogue))
    assert different == {}
    assert counted == {
        "": 42,
        "the second API, which allows guests a hundred requests a day": 27,
        "what the staff sees": 8,
        "the API's descriptions of itself": 3,
        "formats other than JSON": 2,
        "several details at once": 1,
    }


Answered = tuple[int, dict[str, str], str]


def expected(dialogue: Dialogue) -> Answered:
    return dialogue.status, dialogue.answered, essence(dialogue.body)


async def ask(session: aiohttp.ClientSession, site: PythonOrg, dialogue: Dialogue) -> Answered:
    async with session.get(site.url + dialogue.path, headers=dialogue.headers, allow_redirects=False) as answer:
        headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        return answer.status, headers, essence(await answer.text())


def essence(body: str) -> str:
    """Return a body; of a page only its heading, for the rest of it is design."""
    return re.sub(r"(?s)<!doctype html>.*?<h1[^>]*>\s*(.*?)\s*</h1>.*", r"\1", body)
