"""A small strict GitHub on loopback: real HTTP, real signatures, and an answer only where a test put one."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

APP_ID = 4242
INSTALLATION = 77

Json = object


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    at: float

    @property
    def action(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def token(self) -> str:
        return self.headers["Authorization"].partition(" ")[2]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer to give; a body of bytes is sent as it is."""

    status: int = 200
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Answer | Awaitable[Answer]]


class GitHubOnLoopback:
    """Answers what it was told to answer, checks every credential, and keeps what was asked."""

    def __init__(self, public_key: rsa.RSAPublicKey) -> None:
        self.url = ""
        self.private_pem = ""
        self.installation_example: dict[str, Json] = {}
        self.token_example: dict[str, Json] = {}
        self.asked: list[Asked] = []
        self.answered: list[tuple[Asked, Answer]] = []
        self.unexpected: list[str] = []
        self.ahead = timedelta(0)
        self.token_life = timedelta(hours=1)
        self.granted = {"issues": "write", "contents": "write", "administration": "write", "members": "read", "checks": "write"}
        self.installed = {"python/cpython": INSTALLATION}
        self.suspended: set[int] = set()
        self.tokens: dict[str, dict[str, Json]] = {}
        self._public_key = public_key
        self._answers: dict[str, Answering] = {}
        self.minting = asyncio.Event()
        self._minted = 0
        self.application = web.Application()
        self.application.router.add_route("*", "/{any:.*}", self._serve)

    def on(self, action: str, answer: Answer | Answering) -> None:
        """Answer ``METHOD /path`` so from now on."""
        self._answers[action] = answer if callable(answer) else lambda _asked: answer

    def requests(self, action: str) -> list[Asked]:
        """Return what was asked of one path so far."""
        return [asked for asked in self.asked if asked.action == action]

    @property
    def mints(self) -> list[Asked]:
        """Return the requests for tokens."""
        return [asked for asked in self.asked if asked.path.endswith("/access_tokens")]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def _serve(self, request: web.Request) -> web.Response:
        text = await request.text()
        asked = Asked(
            method=request.method,
            path=request.rel_url.raw_path,
            query=dict(request.query),
            headers=request.headers,
            body=json.loads(text) if text else None,
            at=monotonic(),
        )
        self.asked.append(asked)
        answer = self._refusal(asked) or self._built_in(asked)
        if answer is None:
            answering = self._answers.get(asked.action)
            if answering is None:
                self.unexpected.append(asked.action)
                answer = Answer(status=404, body={"message": "Not Found"})
            else:
                made = answering(asked)
                answer = made if isinstance(made, Answer) else await made
        self.answered.append((asked, answer))
        return self._response(answer)

    def _response(self, answer: Answer) -> web.Response:
        headers = {"X-GitHub-Request-Id": "ABCD:1234", "Date": format_datetime(self.now(), usegmt=True), **answer.headers}
        if isinstance(answer.body, bytes):
            return web.Response(status=answer.status, body=answer.body, headers=headers)
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    def _refusal(self, asked: Asked) -> Answer | None:
        """Refuse requests without a good credential, as GitHub does."""
        scheme, _, credential = asked.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer"):
            return Answer(status=401, body={"message": "Requires authentication"})
        if asked.path.startswith("/app") or asked.path.endswith("/installation"):
            return self._signature_problem(credential)
        token = self.tokens.get(credential)
        if token is None:
            return Answer(status=401, body={"message": "Bad credentials"})
        return None

    def _signature_problem(self, signature: str) -> Answer | None:
        try:
            claims = jwt.decode(signature, self._public_key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
        except jwt.InvalidTokenError:
            return Answer(status=401, body={"message": "A JSON web token could not be decoded"})
        now = self.now().timestamp()
        if claims["iss"] != str(APP_ID):
            return Answer(status=404, body={"message": "Integration not found"})
        if claims["iat"] > now:
            return Answer(status=401, body={"message": "'Issued at' claim ('iat') must be an Integer representing a time in the past"})
        if not now < claims["exp"] <= now + 600:
            return Answer(status=401, body={"message": "'Expiration time' claim ('exp') is too far in the future"})
        return None

    def _built_in(self, asked: Asked) -> Answer | None:
        parts = asked.path.strip("/").split("/")
        match asked.method, parts:
            case "GET", ["repos", owner, name, "installation"]:
                return self._installation(self.installed.get(f"{owner}/{name}"))
            case "POST", ["app", "installations", _, "access_tokens"] if asked.action not in self._answers:
                return self._mint(asked)
            case "DELETE", ["installation", "token"]:
                del self.tokens[asked.token]
                return Answer(status=204)
            case _:
                return None

    def _installation(self, installation: int | None) -> Answer:
        if installation is None:
            return Answer(status=404, body={"message": "Not Found"})
        known = {"id": installation, "app_id": APP_ID, "permissions": self.granted}
        suspended = "2026-11-20T10:00:00Z" if installation in self.suspended else None
        return Answer(body={**self.installation_example, **known, "suspended_at": suspended})

    def _mint(self, asked: Asked) -> Answer:
        wanted = asked.body
        if int(asked.path.split("/")[3]) in self.suspended:
            return Answer(status=403, body={"message": "This installation has been suspended"})
        if not isinstance(wanted, dict):
            return Answer(status=422, body={"message": "a token for everything was asked"})
        excess = {name for name in wanted["permissions"] if name not in {*self.granted, "metadata"}}
        if excess:
            return Answer(status=422, body={"message": "The permissions requested are not granted to this installation."})
        self._minted += 1
        self.minting.set()
        value = f"ghs_{APP_ID}_eyJhbGciOi.loopback-secret-{self._minted:04d}.{'x' * 60}"
        self.tokens[value] = wanted
        expires = (self.now() + self.token_life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(status=201, body={**self.token_example, "token": value, "expires_at": expires})


def private_key() -> rsa.RSAPrivateKey:
    """Make a key for an App."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """Write a key as GitHub hands it out."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[str]:
    """Serve on a free port of 127.0.0.1 and give the address."""
    async with TestServer(application, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")
