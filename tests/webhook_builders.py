"""What the tests of webhooks are made of: a profile, bodies as GitHub sends them, and a sender that signs them."""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from bot.profile import load
from bot.release.ids import Repository, UserId, WorkKey
from bot.store.model import Delivery, Work
from bot.web.app import WebSettings

Client = TestClient[web.Request, web.Application]
SECRET = "a webhook secret of some length"
OLD_SECRET = "the one that is being replaced"
APP = 1234
ACCOUNT = UserId(99)
INSTALLATION = 555
PROFILE = """
[project]
name = "cpython"
repository = "python/cpython"
command_repositories = ["python/cpython", "python/release-talk"]
team = "python/release-managers"

[[person]]
login = "hugovk"
id = 1324225
name = "Hugo van Kemenade"
roles = ["release-manager"]
forks = ["hugovk/cpython"]

[series."3.15"]
branch = "3.15"
signature = "if-present"

[workflow]
repository = "python/release-tools"
file = "build-release.yml"
"""
Json = dict[str, Any]
ISSUE = WorkKey("cpython#42")
WATCH = WorkKey("cpython")


def web_settings(folder: Path) -> WebSettings:
    """Write the profile into a folder and return settings that listen to its repositories."""
    path = folder / "cpython.toml"
    path.write_text(PROFILE, encoding="utf-8")
    return WebSettings(
        secrets=[SECRET, OLD_SECRET],
        profiles=[load(str(path))],
        app_id=APP,
        account=lambda: ACCOUNT,
        installation_of={Repository("python/cpython"): INSTALLATION}.get,
        clock=lambda: datetime(2026, 11, 20, tzinfo=UTC),
        largest_body=200_000,
        patience=5,
    )


def comment(body: str, *, action: str = "created", was: str | None = None, repository: str = "python/cpython") -> Json:
    return {
        "action": action,
        "issue": {"number": 42, "title": "Release"},
        "comment": {"id": 7, "body": body, "user": {"id": 1324225, "login": "hugovk", "type": "User"}},
        "repository": {"id": 1, "full_name": repository},
        "sender": {"id": 1324225, "login": "hugovk", "type": "User"},
        "installation": {"id": INSTALLATION},
        **({"changes": {"body": {"from": was}}} if was is not None else {}),
    }


def push(ref: str = "refs/heads/main", repository: str = "python/cpython", sender: Json | None = None) -> Json:
    return {
        "ref": ref,
        "before": "0" * 40,
        "after": "a" * 40,
        "commits": [{"id": "a" * 40}],
        "repository": {"full_name": repository},
        "sender": sender or {"id": 5, "login": "somebody", "type": "User"},
    }


def rerequested(external_id: str | None, *, app: int = APP, action: str = "rerequested", repository: str = "python/cpython") -> Json:
    return {
        "action": action,
        "check_run": {"id": 11, "name": "release / preflight", "external_id": external_id, "app": {"id": app}},
        "repository": {"full_name": repository},
        "sender": {"id": 1324225, "login": "hugovk", "type": "User"},
    }


def workflow_run(action: str = "completed", *, repository: str = "python/release-tools", sender: Json | None = None) -> Json:
    return {
        "action": action,
        "workflow": {"id": 5, "path": ".github/workflows/build-release.yml"},
        "workflow_run": {"id": 77, "status": "completed"},
        "repository": {"full_name": repository},
        "sender": sender or {"id": 5, "login": "somebody", "type": "User"},
    }


def workflow_job(action: str = "completed", *, repository: str = "python/release-tools", sender: Json | None = None) -> Json:
    return {
        "action": action,
        "workflow_job": {"id": 78, "run_id": 77, "name": "build-source"},
        "repository": {"full_name": repository},
        "sender": sender or {"id": 5, "login": "somebody", "type": "User"},
    }


def ruleset(action: str, **where: Json) -> Json:
    return {
        "action": action,
        "repository_ruleset": {"id": 3, "name": "release-freeze main #42 x"},
        "sender": {"id": 5, "login": "admin", "type": "User"},
        **where,
    }


async def post(client: Client, event: str, body: object, secret: str = SECRET, /, **headers: str | None) -> tuple[int, Json]:
    """Send a body as GitHub does; headers named with underscores replace GitHub's, None leaves one out."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: dict[str, str | None] = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(),
        "Content-Type": "application/json",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    present = {name: value for name, value in sent.items() if value is not None}
    async with client.post("/webhook/github", data=raw, headers=present) as response:
        assert response.content_type == "application/json"
        answer: Json = await response.json()
        assert list(answer) == ["message"]
        assert answer["message"].endswith(".")
        return response.status, answer


class Recorder:
    """The port to the store, for what the store itself does not show: which project is woken, and what happens when it is down."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.woken: list[tuple[WorkKey, str | None]] = []

    async def put(self, delivery: Delivery, *, wake_project: str | None = None) -> bool:
        await self.ping()
        self.woken.append((delivery.key, wake_project))
        return True

    async def ping(self) -> None:
        if self.error:
            raise self.error

    async def works(self, project: str) -> list[Work]:
        await self.ping()
        del project
        return []
