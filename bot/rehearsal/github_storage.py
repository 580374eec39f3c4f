"""Where GitHub keeps logs and artifacts: on another address, for whoever comes with a signed link within a minute, and without credentials.

https://docs.github.com/en/rest/actions/artifacts#download-an-artifact
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.moments import now, stamp

PATH = "/storage/{kind}/{number}"


class Storage:
    """The signed links of one GitHub, and what lies behind them; ``signed_for`` is how long a link is good."""

    def __init__(self, links: Links, chronicle: Chronicle) -> None:
        """Keep a secret to sign with."""
        self.signed_for = timedelta(minutes=1)
        self._kept: dict[str, bytes] = {}
        self._links = links
        self._chronicle = chronicle
        self._secret = secrets.token_bytes(32)

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [web.get(PATH, self.fetch)]

    def link(self, kind: str, number: int, content: bytes) -> str:
        """Return a signed link to a thing as it is now."""
        path = PATH.format(kind=kind, number=number)
        self._kept[path] = content
        until = stamp(now() + self.signed_for)
        return f"{self._links.server}{path}?{urlencode({'se': until, 'sig': self._signature(path, until)})}"

    async def fetch(self, request: web.Request) -> web.Response:
        """Hand out what a link is for."""
        if "Authorization" in request.headers:
            self._chronicle.violation(f"{request.path} was asked with credentials, which GitHub's storage must never see")
            return _no("AuthenticationFailed")
        until = request.query.get("se", "")
        if not hmac.compare_digest(request.query.get("sig", ""), self._signature(request.path, until)):
            self._chronicle.violation(f"{request.path} was asked with a link that GitHub did not sign")
            return _no("AuthenticationFailed")
        if until < stamp(now()):
            return _no("AuthenticationFailed: the link has expired")
        return web.Response(body=self._kept[request.path])

    def _signature(self, path: str, until: str) -> str:
        return hmac.new(self._secret, f"{path}\n{until}".encode(), hashlib.sha256).hexdigest()


def _no(reason: str) -> web.Response:
    return web.Response(status=HTTPStatus.FORBIDDEN, text=reason)
