"""Serve the repositories over git's smart HTTP, with git's own http-backend: https://git-scm.com/docs/http-protocol."""

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web
from multidict import CIMultiDict

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.git_repository import ABSENT, git_environment
from bot.rehearsal.github_access import Caller
from bot.rehearsal.github_desk import Desk
from bot.rehearsal.github_model import Repository
from bot.rehearsal.github_policy import Actor
from bot.rehearsal.github_problems import Problem
from bot.rehearsal.watch import BY, watching

CHUNK = 65_536
LARGEST_PUSH = 2 * 1024**3
"""Bytes; github.com's limit for one push."""

APP_LOGIN = "x-access-token"
"""The user name that goes with an installation token: https://docs.github.com/en/apps/creating-github-apps."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who came with which credentials: nobody, a person, or the App with a token."""

    actor: Actor | None
    caller: Caller | None = None


class GitHttp:
    """The web application for ``/OWNER/NAME.git``."""

    def __init__(self, desk: Desk, chronicle: Chronicle, directory: Path) -> None:
        """Serve the repositories below ``directory``."""
        self._desk = desk
        self._chronicle = chronicle
        self._directory = directory
        self.application = web.Application(middlewares=[watching(chronicle, "git")], client_max_size=LARGEST_PUSH)
        self.application.add_routes(
            [
                web.get("/{owner}/{name}.git/info/refs", self.refs),
                web.post("/{owner}/{name}.git/git-upload-pack", self.upload_pack),
                web.post("/{owner}/{name}.git/git-receive-pack", self.receive_pack),
                *desk.storage.routes(),
                web.route("*", "/{path:.*}", self.unknown),
            ]
        )

    async def unknown(self, request: web.Request) -> web.Response:
        """Refuse what is not git."""
        self._chronicle.violation(f"{request.method} {request.path} is no address of git's smart HTTP")
        return web.Response(status=HTTPStatus.NOT_FOUND, text="Not Found")

    async def refs(self, request: web.Request) -> web.StreamResponse:
        """Advertise refs, for a fetch or for a push."""
        service = request.query.get("service")
        if service not in ("git-upload-pack", "git-receive-pack"):
            self._chronicle.violation(f"{request.path} was asked over the dumb protocol")
            return web.Response(status=HTTPStatus.FORBIDDEN, text="Please upgrade your git client.")
        return await self._serve(request, writing=service == "git-receive-pack")

    async def upload_pack(self, request: web.Request) -> web.StreamResponse:
        """Send objects."""
        return await self._serve(request, writing=False)

    async def receive_pack(self, request: web.Request) -> web.StreamResponse:
        """Take objects and move refs, one push at a time in each repository."""
        return await self._serve(request, writing=True)

    async def _serve(self, request: web.Request, *, writing: bool) -> web.StreamResponse:
        repository = self._desk.model.repository(f"{request.match_info['owner']}/{request.match_info['name']}")
        visitor = self._visitor(request)
        if visitor is None or (writing and visitor.actor is None):
            challenge = {"WWW-Authenticate": 'Basic realm="GitHub"'}
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="Invalid username or password.", headers=challenge)
        if visitor.actor is not None:
            request[BY] = visitor.actor.user.login
        if repository is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="Repository not found.")
        if not writing:
            return await self._stream(request, repository)
        refusal = self._refusal(repository, visitor)
        if refusal is not None or visitor.actor is None:
            return web.Response(status=HTTPStatus.FORBIDDEN, text=refusal or "")
        if request.method == "GET":
            return await self._stream(request, repository)
        return await self._push(request, repository, visitor.actor)

    def _visitor(self, request: web.Request) -> Visitor | None:
        """Read the credentials; None where they are wrong."""
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return Visitor(actor=None)
        login, password = _basic(authorization)
        if login == APP_LOGIN:
            return self._app_visitor(password)
        user = self._desk.model.user(login)
        if user is None or not user.token or password != user.token:
            return None
        return Visitor(actor=Actor(user=user))

    def _app_visitor(self, text: str) -> Visitor | None:
        try:
            token = self._desk.access.token(text)
        except Problem:
            return None
        if token is None:
            return None
        caller = Caller(name=self._desk.app.bot.login, token=token)
        return Visitor(actor=Actor(user=self._desk.app.bot, is_app=True, workflows=caller.may("workflows", "write")), caller=caller)

    def _refusal(self, repository: Repository, visitor: Visitor) -> str | None:
        """Return why somebody may not push here at all."""
        if visitor.actor is None:
            return "anonymous"
        user = visitor.actor.user
        denied = f"Permission to {repository.name}.git denied to {user.login}."
        if visitor.caller is None:
            allowed = {repository.owner.id} | repository.committers | repository.administrators
            return None if user.id in allowed else denied
        token = visitor.caller.token
        if token is not None and repository.name in token.repositories and visitor.caller.may("contents", "write"):
            return None
        self._chronicle.violation(f"a push to {repository.name} needs contents=write there, which the token does not carry")
        return denied

    async def _push(self, request: web.Request, repository: Repository, actor: Actor) -> web.StreamResponse:
        policy = self._desk.rules.policy(repository, actor)
        async with repository.git.pushing:
            before = await repository.git.refs()
            with TemporaryDirectory() as directory:
                path = Path(directory) / "policy.json"
                path.write_text(json.dumps(policy), encoding="utf-8")
                async with self._backend(request, repository, {"REHEARSAL_POLICY": str(path)}) as output:
                    status, headers = await _read_headers(output)
                    body = await output.read()
            after = await repository.git.refs()
        names = sorted({*before, *after})
        changes = {name: (before.get(name, ABSENT), after.get(name, ABSENT)) for name in names if before.get(name) != after.get(name)}
        await self._desk.acts.refs_moved(actor.user, repository, changes)
        return web.Response(status=status, headers=headers, body=body)

    async def _stream(self, request: web.Request, repository: Repository) -> web.StreamResponse:
        async with self._backend(request, repository, {}) as output:
            status, headers = await _read_headers(output)
            response = web.StreamResponse(status=status, headers=headers)
            await response.prepare(request)
            while chunk := await output.read(CHUNK):
                await response.write(chunk)
            await response.write_eof()
            return response

    @asynccontextmanager
    async def _backend(self, request: web.Request, repository: Repository, more: dict[str, str]) -> AsyncIterator[asyncio.StreamReader]:
        """Run http-backend on a request, and give its output; the request's body flows in beside."""
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env={**self._environment(request, repository), **more},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process that was started with pipes has none")
        feeding = asyncio.create_task(_feed(request, process.stdin))
        try:
            yield process.stdout
            await process.wait()
        finally:
            feeding.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.gather(feeding, return_exceptions=True)
            # To the end of what it said, or its pipes stay open for as long as the loop lives.
            await asyncio.gather(process.communicate(), return_exceptions=True)

    def _environment(self, request: web.Request, repository: Repository) -> dict[str, str]:
        """Return the CGI variables of https://git-scm.com/docs/git-http-backend; aiohttp has unpacked the body already."""
        service = request.path.partition(".git/")[2]
        return git_environment(self._directory) | {
            "GIT_PROJECT_ROOT": str(repository.git.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "PATH_INFO": f"/{service}",
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "REMOTE_USER": request.get(BY, ""),
            "REMOTE_ADDR": "127.0.0.1",
        }


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    login, _, password = decoded.partition(":")
    return (login, password) if scheme.lower() == "basic" else ("", "")


async def _feed(request: web.Request, stdin: asyncio.StreamWriter) -> None:
    """Pass the body on as it arrives; a backend that has heard enough may close early."""
    with contextlib.suppress(ConnectionError):
        async for chunk in request.content.iter_chunked(CHUNK):
            stdin.write(chunk)
            await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _read_headers(output: asyncio.StreamReader) -> tuple[int, CIMultiDict[str]]:
    """Read what comes before the body in CGI: https://www.rfc-editor.org/rfc/rfc3875#section-6.2."""
    headers: CIMultiDict[str] = CIMultiDict()
    while line := (await output.readline()).decode().strip():
        name, _, value = line.partition(":")
        headers.add(name, value.strip())
    status = headers.pop("Status", "200").split()[0]
    return int(status), headers
