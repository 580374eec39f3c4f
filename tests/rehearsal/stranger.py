"""A stranger to the world in a box: speaks plain HTTP and real git, knows GitHub's documentation and nothing else."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import jwt
from aiohttp import web

from bot.rehearsal.serving import reserve, serving, url_of
from bot.rehearsal.world import World

UPSTREAM = "python/cpython"
FORK = "hugovk/cpython"
SETTINGS = ["-c", "user.name=Hugo", "-c", "user.email=hugo@example.org", "-c", "protocol.version=2"]


@dataclass
class Answer:
    status: int
    body: object
    headers: dict[str, str]

    def __getitem__(self, key: str) -> object:
        assert isinstance(self.body, dict), self.body
        return self.body[key]


@dataclass
class Git:
    """What git said; ``said`` is both of its outputs."""

    code: int
    said: str


@dataclass
class Stranger:
    world: World
    session: aiohttp.ClientSession
    directory: Path
    version: str = "2026-03-10"
    headers: dict[str, str] = field(default_factory=dict)

    def signature(self, *, lives: int = 540, issued: int = -60, key: str = "") -> str:
        now = int(time.time())
        claims = {"iat": now + issued, "exp": now + lives, "iss": str(self.world.github.app.id)}
        return jwt.encode(claims, key or self.world.github.app.private_key, algorithm="RS256")

    async def ask(self, method: str, path: str, token: str, body: object = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": self.version, **self.headers, **headers}
        url = path if path.startswith("http") else self.world.github.api_url + path
        async with self.session.request(method, url, json=body, headers=sent) as answer:
            content = await answer.json() if answer.content_type == "application/json" else await answer.text()
            return Answer(answer.status, content, {name.lower(): value for name, value in answer.headers.items()})

    async def token(self, repository: str = UPSTREAM, **permissions: str) -> str:
        found = await self.ask("GET", f"/repos/{repository}/installation", self.signature())
        wanted = {"permissions": permissions, "repositories": [repository.partition("/")[2]]} if permissions else None
        made = await self.ask("POST", f"/app/installations/{found['id']}/access_tokens", self.signature(), wanted)
        assert made.status == 201, made.body
        return str(made["token"])

    async def git(self, *arguments: str, inside: str = "clone") -> Git:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        process = await asyncio.create_subprocess_exec(
            "git",
            *SETTINGS,
            *arguments,
            cwd=self.directory / inside,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return Git(process.returncode or 0, said.decode().strip())

    async def clone(self, login: str = "hugovk", repository: str = UPSTREAM) -> None:
        cloned = await self.git("clone", "--quiet", self.world.github.clone_url(repository, login), "clone", inside=".")
        assert cloned.code == 0, cloned.said

    async def commit(self, path: str, content: str) -> str:
        """Commit a file in the clone, and return the new head."""
        file = self.directory / "clone" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        await self.git("add", "--all")
        made = await self.git("commit", "--quiet", "--message", f"Change {path}")
        assert made.code == 0, made.said
        return (await self.git("rev-parse", "HEAD")).said

    def push_url(self, token: str, repository: str = UPSTREAM) -> str:
        return self.world.github.clone_url(repository).replace("://", f"://x-access-token:{token}@")


@dataclass
class Heard:
    headers: dict[str, str]
    body: bytes


@dataclass
class Ear:
    """A receiver of webhooks that answers as it is told."""

    url: str = ""
    status: int = 202
    heard: list[Heard] = field(default_factory=list)

    async def listen(self, request: web.Request) -> web.Response:
        self.heard.append(Heard({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status)

    def guids(self) -> list[str]:
        return [heard.headers["x-github-delivery"] for heard in self.heard]

    def events(self) -> list[str]:
        return [heard.headers["x-github-event"] for heard in self.heard]


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    ear, reserved = Ear(), reserve()
    ear.url = f"{url_of(reserved)}/webhook/github"
    application = web.Application()
    application.router.add_post("/webhook/github", ear.listen)
    async with serving(application, reserved):
        yield ear


async def populate(world: World, source: Path) -> None:
    """Fill a world with an upstream that has the App, and a fork that has not."""
    github = world.github
    for login in ("hugovk", "encukou", "stranger"):
        github.add_user(login)
    github.add_user("python", type="Organization")
    github.add_team("python", "release-managers", members=["hugovk"], pending=["encukou"])
    await github.add_repository(UPSTREAM, source=source, committers=["hugovk", "encukou"], administrators=["encukou"])
    await github.add_repository(FORK, fork_of=UPSTREAM)
    github.install(UPSTREAM)
