"""Real git repositories behind real git smart HTTP (https://git-scm.com/docs/git-http-backend), with the faults a test asks for."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

_LARGEST = 1 << 28


@dataclass(kw_only=True)
class GitServer:
    """Serves ``root/OWNER/NAME.git``; the attributes may be changed at any time."""

    root: Path
    token: str = ""
    """When set, whoever comes without it gets 401."""
    lose_push_answers: bool = False
    """Apply pushes, then close the connection without a word."""
    status: int = 0
    """When set, answer this status and nothing else."""
    stall: bool = False
    """Accept requests and never answer."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set as soon as anything is asked."""
    on_request: Callable[[], None] = lambda: None
    """Called while a request is open, so while git is certainly running."""
    requests: list[str] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["GitServer"]:
        """Serve on a free port of this machine."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", self._answer)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    def repository(self, name: str) -> Path:
        """Return a bare repository, made on first use the way GitHub serves its own."""
        path = self.root / f"{name}.git"
        if not path.exists():
            git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
            for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
                git("-C", str(path), "config", key, "true")
        return path

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        self.reached.set()
        self.on_request()
        if self.stall:
            await asyncio.Event().wait()
        if self.status:
            return web.Response(status=self.status, headers={"Location": "/elsewhere"} if self.status // 100 == 3 else {})
        if self.token and request.headers.get("Authorization") != _basic(self.token):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        status, headers, body = await self._backend(request, await request.read())
        if self.lose_push_answers and request.method == "POST" and request.path.endswith("git-receive-pack") and request.transport:
            request.transport.abort()
        return web.Response(status=status, headers=headers, body=body)

    async def _backend(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": "127.0.0.1",
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        output, _ = await process.communicate(body)
        head, _, rest = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split(" ")[0])
        return status, headers, rest


def git(*arguments: str, given: bytes | None = None, directory: Path | None = None) -> str:
    """Run git as a person would, without the person's own configuration, and return what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "A Person",
        "GIT_AUTHOR_EMAIL": "person@example.org",
        "GIT_COMMITTER_NAME": "A Person",
        "GIT_COMMITTER_EMAIL": "person@example.org",
        "GIT_AUTHOR_DATE": "1700000000 +0100",
        "GIT_COMMITTER_DATE": "1700000000 +0100",
    }
    where = ("-C", str(directory)) if directory else ()
    done = subprocess.run(["git", *where, *arguments], input=given, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout.decode().rstrip("\n")


def commit(repository: Path, files: dict[str, bytes | None], *, parent: str = "", branch: str = "main", message: str = "A change\n") -> str:
    """Add a commit to a bare repository and put a branch on it; None removes a file."""
    lines = [
        f"commit refs/heads/{branch}\ncommitter A Person <person@example.org> 1700000000 +0100\ndata {len(message.encode())}\n{message}\n"
    ]
    stream = lines[0].encode()
    if parent:
        stream += f"from {parent}\n".encode()
    for path, content in files.items():
        stream += (
            f"D {path}\n".encode()
            if content is None
            else f"M {_mode(path)} inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
        )
    git("fast-import", "--quiet", "--force", given=stream, directory=repository)
    return git("rev-parse", f"refs/heads/{branch}", directory=repository)


def annotated(repository: Path, name: str, target: str, message: str = "A release") -> str:
    """Make an annotated tag and return the id of its object."""
    git("tag", "-a", "-m", message, name, target, directory=repository)
    return git("rev-parse", f"refs/tags/{name}", directory=repository)


def _mode(path: str) -> str:
    return "100755" if path.endswith(".sh") else "100644"


def _basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
