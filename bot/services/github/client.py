"""The one way to GitHub's REST API: gidgethub, with manners.

gidgethub builds requests, remembers answers by ETag and follows ``Link`` headers; what it leaves open is decided here: version header,
time-outs, which requests are tried again, rate limits, and what each refusal means.
"""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

import aiohttp
import cachetools
from gidgethub.aiohttp import GitHubAPI
from gidgethub.sansio import create_headers, format_url

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer, one_line
from bot.services.github.credentials import Credential
from bot.services.github.limits import Clock, Limits, Pace
from bot.services.github.verdict import Answer, GitHubRefused, failure

if TYPE_CHECKING:
    from gidgethub.abc import CACHE_TYPE
    from uritemplate.variable import VariableValue

API_VERSION = "2026-03-10"
"""https://docs.github.com/en/rest/about-the-rest-api/api-versions"""

_ACCEPT = "application/vnd.github+json"
_SUCCESS = frozenset({200, 201, 202, 204})
_REDIRECTS = frozenset({301, 302, 307, 308})
_UNLESS_KNOWN = _SUCCESS | {304}
_ELSEWHERE = frozenset({302})

_log = logging.getLogger(__name__)

Name = str | int | list[str] | None
"""A value for a place in a path, unquoted; a list fills several segments; None leaves a query parameter out."""

Names = Mapping[str, Name]


class Client(GitHubAPI):
    """The requests of one scope (an installation with one set of permissions): answers are remembered here and for no other scope."""

    def __init__(
        self, session: aiohttp.ClientSession, user_agent: str, *, api_url: str, key: int, limits: Limits, pace: Pace, clock: Clock
    ) -> None:
        """Keep the manners. ``key`` is the installation's id, or 0 for the App itself."""
        remembered = cast("CACHE_TYPE", cachetools.LRUCache[str, Any](maxsize=limits.remembered_answers))
        super().__init__(session, user_agent, base_url=api_url, cache=remembered)
        self.max_pages = limits.max_pages
        self._key = key
        self._limits = limits
        self._pace = pace
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=limits.timeout)

    async def call(
        self, method: str, path: str, names: Names, credential: Credential, data: object = b"", *, spaced: bool = True
    ) -> tuple[object, str | None]:
        """Make one request; return the answer's content and the address of the next page.

        ``path`` is a URI template (RFC 6570), filled with ``names``, quoted. ``spaced=False`` is for writes that create no content, such as
        minting a token. Raises GitHubRefused for a definite no and Unavailable for everything else.
        """
        _require_names(names)
        if method != "GET" and spaced:
            self._pace.check(self._key)
            await self._pace.write_turn(self._key)
        variables = cast("Mapping[str, VariableValue]", names)
        try:
            content, following, _ = await self._make_request(
                method, path, variables, data, _ACCEPT, jwt=credential.signature, oauth_token=credential.token
            )
        except (ValueError, LookupError, RecursionError) as error:
            raise MalformedAnswer(f"GitHub's answer to {method} {path} cannot be read: {type(error).__name__}") from None
        return content, following

    async def locate(self, path: str, names: Names, credential: Credential) -> str:
        """Return where GitHub says (302) that it keeps a thing, such as a log.

        The address is a secret, good for a minute: it is neither remembered nor logged. Raises as ``call`` does.
        """
        _require_names(names)
        url = format_url(path, cast("Mapping[str, VariableValue]", names), base_url=self.base_url)
        headers = create_headers(self.requester, accept=_ACCEPT, jwt=credential.signature, oauth_token=credential.token)
        answer = await self._patiently("GET", url, headers, b"", _ELSEWHERE)
        return answer.headers.get("location", "")

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, Mapping[str, str], bytes]:
        """Send a request of gidgethub's; only one that names what it knows already may be answered with *not modified*."""
        answer = await self._patiently(method, url, headers, body, _UNLESS_KNOWN if "if-none-match" in headers else _SUCCESS)
        return answer.status, answer.headers, answer.body

    async def _patiently(self, method: str, url: str, headers: Mapping[str, str], body: bytes, wanted: frozenset[int]) -> Answer:
        """Send a request; try a read again after trouble, a write never."""
        attempts = self._limits.read_attempts if method == "GET" else 1
        for attempt in range(1, attempts):
            try:
                return await self._send(method, url, headers, body, wanted)
            except MalformedAnswer:
                raise
            except Unavailable as error:
                if error.retry_at is not None:
                    raise
                _log.info("attempt %d of %d: %s", attempt, attempts, error)
            await self.sleep(self._limits.backoff * 2 ** (attempt - 1))
        return await self._send(method, url, headers, body, wanted)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, wanted: frozenset[int]) -> Answer:
        """Send a request once, following one redirect of a read within the API; return an answer of a wanted status."""
        answer = await self._exchange(method, url, headers, body)
        if answer.status in _REDIRECTS - wanted and method == "GET":
            answer = await self._exchange(method, urljoin(url, answer.headers.get("location", "")), headers, body)
        if answer.status in wanted:
            return answer
        error = failure(answer, now=self._clock(), patience=self._limits.secondary_wait)
        if isinstance(error, Unavailable) and error.retry_at is not None:
            self._pace.silence(self._key, error.retry_at)
        raise error

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Do the input and output of one request; raise Unavailable when no answer came."""
        self._require_own_origin(url)
        self._pace.check(self._key)
        what = f"{method} {urlsplit(url).path}"
        # A date has whole seconds, so "not modified since" may hide a change; only an ETag may save an answer.
        sent = {name: value for name, value in headers.items() if name != "if-modified-since"} | {"x-github-api-version": API_VERSION}
        began = time.monotonic()
        try:
            async with (
                self._pace.slots,
                self._session.request(method, url, headers=sent, data=body, allow_redirects=False, timeout=self._timeout) as response,
            ):
                answer = Answer(request=what, status=response.status, headers=response.headers, body=await response.read())
        except TimeoutError:
            raise Unavailable(f"GitHub did not answer {what} within {self._limits.timeout:g} seconds{_doubt(method)}") from None
        except (aiohttp.ClientError, OSError) as error:
            # Not chained: some of these errors carry the request with its headers.
            raise Unavailable(
                f"GitHub could not be reached for {what} ({type(error).__name__}: {one_line(str(error))}){_doubt(method)}"
            ) from None
        _log.debug("%s: %d in %.0f ms [request %s]", what, answer.status, 1000 * (time.monotonic() - began), answer.request_id)
        return answer

    def _require_own_origin(self, url: str) -> None:
        """Refuse to follow a link or a redirect to anywhere but the configured API."""
        wanted, given = urlsplit(self.base_url), urlsplit(url)
        same = (given.scheme, given.hostname, given.port) == (wanted.scheme, wanted.hostname, wanted.port)
        if not same or given.username or not given.path.startswith(wanted.path.rstrip("/") + "/"):
            raise MalformedAnswer(f"GitHub pointed the bot to another place ({one_line(str(given.hostname), 80)}), which was not followed")


def _require_names(names: Names) -> None:
    """Refuse values that would change the path instead of filling a place in it."""
    for place, value in names.items():
        for segment in value if isinstance(value, list) else [value]:
            if segment in ("", ".", ".."):
                raise GitHubRefused(f"{segment!r} cannot be the {place} of anything on GitHub, so it was not asked", status=0)


def _doubt(method: str) -> str:
    """Add what a lost answer means."""
    return "" if method == "GET" else "; whether it was done is unknown"
