"""Put the REST stand-in together: strict about credentials, permissions, version and shape, and correct in every header."""

import hashlib
import json
import uuid
from collections import Counter
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_access import FOR_THE_APP, NEEDS
from bot.rehearsal.github_desk import BODY, CALLER, Desk
from bot.rehearsal.github_problems import Forbidden, NotFound, Problem
from bot.rehearsal.github_rest_actions import ActionsRest
from bot.rehearsal.github_rest_app import AppRest
from bot.rehearsal.github_rest_checks import ChecksRest
from bot.rehearsal.github_rest_git import GitRest
from bot.rehearsal.github_rest_labels import LabelsRest
from bot.rehearsal.github_rest_people import PeopleRest
from bot.rehearsal.github_rest_proposals import ProposalsRest
from bot.rehearsal.github_rest_protection import ProtectionRest
from bot.rehearsal.github_rest_rules import RulesRest
from bot.rehearsal.github_rest_talk import TalkRest
from bot.rehearsal.moments import now
from bot.rehearsal.official import OfficialGitHub
from bot.rehearsal.watch import BY, Handler, template, watching

HOURLY = 5_000
"""Requests that an installation may make: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""

API_VERSION = "2026-03-10"
"""https://docs.github.com/en/rest/about-the-rest-api/api-versions"""

GRAPHQL = "POST /graphql"
"""What the description of the REST API does not describe."""

MISDESCRIBED = frozenset({"GET /app/installations", GRAPHQL})
"""Answers whose description cannot be right, or is not there: for the first an account would have to be a user and an enterprise at once,
which GitHub's own example is not."""

AMBIGUOUS = frozenset({("PUT /repos/{owner}/{repo}/contents/{path}", 409)})
"""Answers that must be exactly one of several kinds of error, and fit more than one of them."""


class GitHubServer:
    """The web application of the REST stand-in."""

    def __init__(self, desk: Desk, chronicle: Chronicle, official: OfficialGitHub | None) -> None:
        """Serve from this desk; ``official`` judges every request and every answer."""
        self._access = desk.access
        self._chronicle = chronicle
        self._official = official
        self._used: Counter[str] = Counter()
        self.application = web.Application(middlewares=[watching(chronicle, "GitHub"), self._envelope, self._judge])
        parts = (AppRest, TalkRest, LabelsRest, GitRest, ProposalsRest, RulesRest, ProtectionRest, PeopleRest, ChecksRest, ActionsRest)
        for part in parts:
            self.application.add_routes(part(desk).routes())

    @web.middleware
    async def _envelope(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn problems into answers, and give every answer the headers that GitHub gives."""
        try:
            response = await handler(request)
        except Problem as problem:
            response = web.json_response(problem.body, status=problem.status, headers=problem.headers)
        if not isinstance(response, web.Response):
            return response
        self._check_answer(request, response)
        response.headers["X-GitHub-Request-Id"] = uuid.uuid4().hex[:24].upper()
        response.headers["X-GitHub-Api-Version-Selected"] = API_VERSION
        response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        self._count(request, response)
        return _unless_known(request, response)

    @web.middleware
    async def _judge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let only what GitHub documents come through to the handlers."""
        action = f"{request.method} {template(request)}"
        if action not in FOR_THE_APP and action not in NEEDS:
            self._chronicle.violation(f"{request.method} {request.path} is not documented, or not needed by any release")
            raise NotFound
        self._check_headers(request, action)
        request[BODY] = await self._body(request)
        if self._official is not None and action != GRAPHQL:
            for problem in self._official.check_request(
                request.method, request.rel_url.raw_path, dict(request.query), request[BODY] or None
            ):
                self._chronicle.violation(f"{action}: {problem}")
        try:
            caller = self._access.admit(action, request.headers.get("Authorization", ""), dict(request.match_info))
        except Forbidden as refused:
            self._chronicle.violation(f"{action} needs {refused.headers['X-Accepted-GitHub-Permissions']}, which the token does not carry")
            raise
        request[CALLER] = caller
        request[BY] = caller.name
        return await handler(request)

    def _check_headers(self, request: web.Request, action: str) -> None:
        version = request.headers.get("X-GitHub-Api-Version")
        if version != API_VERSION:
            self._chronicle.violation(f"{action} was asked in API version {version}, not {API_VERSION}")
        if "User-Agent" not in request.headers:
            self._chronicle.violation(f"{action} was asked without a user agent")
            raise Problem(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")

    async def _body(self, request: web.Request) -> object:
        text = await request.text()
        if not text:
            return {}
        try:
            body: object = json.loads(text)
        except ValueError:
            self._chronicle.violation(f"{request.method} {request.path} came with a body that is no JSON")
            raise Problem(400, "Problems parsing JSON") from None
        return body

    def _check_answer(self, request: web.Request, response: web.Response) -> None:
        """Hold our own answer against the official description."""
        action = f"{request.method} {template(request)}"
        unknown = request.match_info.http_exception is not None or action in MISDESCRIBED or (action, response.status) in AMBIGUOUS
        if self._official is None or unknown or "raw" in response.content_type:
            return
        body: object = json.loads(response.text) if response.text else None
        for problem in self._official.check_response(request.method, request.rel_url.raw_path, response.status, body):
            self._chronicle.violation(f"the rehearsal's own answer to {request.method} {template(request)}: {problem}")

    def _count(self, request: web.Request, response: web.Response) -> None:
        """Write how much of the hour's requests is left to this caller."""
        credential = request.headers.get("Authorization", "")
        self._used[credential] += 1
        used = self._used[credential]
        response.headers.update(
            {
                "X-RateLimit-Limit": str(HOURLY),
                "X-RateLimit-Used": str(used),
                "X-RateLimit-Remaining": str(max(0, HOURLY - used)),
                "X-RateLimit-Reset": str(int(now().timestamp()) + 3_600),
                "X-RateLimit-Resource": "core",
            }
        )


def _unless_known(request: web.Request, response: web.Response) -> web.Response:
    """Answer 304 to those who have seen this very answer: it costs them nothing."""
    if request.method != "GET" or response.status != HTTPStatus.OK or not isinstance(response.body, bytes):
        return response
    tag = f'W/"{hashlib.sha256(response.body).hexdigest()}"'
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
    if request.headers.get("If-None-Match") != tag:
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("Content-Type", "Content-Length")}
    return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=kept)
