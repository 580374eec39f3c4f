"""Read files to their end: size and hashes in one pass, in little memory, going on where a connection broke."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import BinaryIO, Final

import aiohttp

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer, one_line
from bot.services.patience import Clock, retry_at
from bot.services.python_org.shapes import Download, Limits, Missing, Oversized, Unread, Withheld
from bot.services.python_org.transfer import Transfer
from bot.services.reading import USER_AGENT

PUBLIC: Final = "https://www.python.org/"
"""How every address in the API's data begins; the site refuses others when a file is registered."""

_PATH: Final = re.compile(r"(?:[A-Za-z0-9_+-][A-Za-z0-9._+-]*/)*[A-Za-z0-9_+-][A-Za-z0-9._+-]*")
"""The paths of files: no parameters, nothing that has to be quoted, no step upwards."""

_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_PATIENCE: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class _Interrupted(Exception):
    """An attempt ended before the file did; another may go on."""


class Downloads:
    """Reads files from one site, and none while it asked for patience; redirects are never followed, wherever they lead."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, limits: Limits, clock: Clock) -> None:
        """Keep where to read, and how much at once."""
        self._base = base_url.rstrip("/")
        self._session = session
        self._limits = limits
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._silent_until = datetime.min.replace(tzinfo=UTC)
        # The bytes have to be those of the file: compressed on the way they would have another length.
        self._headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=limits.stall, sock_read=limits.stall)

    async def fetch_all(self, limits: Mapping[str, int], into: Mapping[str, BinaryIO]) -> dict[str, Download]:
        """Read several files; one that cannot be read keeps none of the others from it."""
        async with asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(self._fetched(url, limit, into.get(url))) for url, limit in limits.items()}
        return {url: task.result() for url, task in tasks.items()}

    async def _fetched(self, url: str, limit: int, into: BinaryIO | None) -> Download:
        try:
            return await self.fetch(url, limit, into)
        except Unavailable as trouble:
            return Unread(why=str(trouble), retry_at=trouble.retry_at)

    async def fetch(self, url: str, limit: int, into: BinaryIO | None = None) -> Download:
        """Read one file; raise Unavailable where that cannot be done now."""
        path = url.removeprefix(PUBLIC)
        if path == url or not _PATH.fullmatch(path):
            return Withheld(status=0, why=f"its address is not that of a file below {PUBLIC}")
        address = f"{self._base}/{path}"
        async with self._slots:
            try:
                async with asyncio.timeout(self._limits.whole):
                    return await self._persevere(address, Transfer(limit, into))
            except TimeoutError:
                raise Unavailable(f"GET {address} did not end within {self._limits.whole:g} seconds") from None

    async def _persevere(self, address: str, transfer: Transfer) -> Download:
        """Try several times, each time from where the last one broke."""
        trouble = ""
        for attempt in range(self._limits.attempts):
            if attempt:
                await asyncio.sleep(self._limits.backoff * 2 ** (attempt - 1))
            try:
                return await self._attempt(address, transfer)
            except _Interrupted as interrupted:
                trouble = str(interrupted)
            except (aiohttp.ClientError, OSError) as error:
                trouble = f"{type(error).__name__}: {one_line(str(error))}"
        raise Unavailable(f"GET {address} failed {self._limits.attempts} times, at last after {transfer.size} bytes ({trouble})")

    async def _attempt(self, address: str, transfer: Transfer) -> Download:
        # Another file may have been answered with a wish for patience while this one waited for its turn.
        until = self._silent_until
        if self._clock() < until:
            raise Unavailable(f"python.org asked the bot to wait until {until:%Y-%m-%d %H:%M:%S} UTC, so nothing was asked", retry_at=until)
        headers = {**self._headers, **transfer.range_headers()}
        async with self._session.get(address, headers=headers, allow_redirects=False, timeout=self._timeout) as response:
            outcome = await self._begin(response, transfer)
            if outcome is not None:
                return outcome
            async for chunk in response.content.iter_any():
                if transfer.size + len(chunk) > transfer.limit:
                    return Oversized(limit=transfer.limit)
                # Hashing and writing are kept off the event loop: they may wait for a processor or a disk.
                await asyncio.to_thread(transfer.take, chunk)
        if not transfer.complete:
            raise _Interrupted(f"the answer ended after {transfer.size} bytes, before the file did")
        return transfer.result()

    async def _begin(self, response: aiohttp.ClientResponse, transfer: Transfer) -> Download | None:
        """Judge the head of an answer: None says that the body is to be read."""
        match response.status:
            case HTTPStatus.OK:
                self._refuse_encoding(response)
                await asyncio.to_thread(transfer.restart, response.headers)
            case HTTPStatus.PARTIAL_CONTENT if transfer.continued_by(response.headers):
                self._refuse_encoding(response)
            case HTTPStatus.PARTIAL_CONTENT | HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE if transfer.size:
                transfer.forget()
                raise _Interrupted("the site offered another part than the one that was missing")
            case _:
                return self._no_body(response)
        return Oversized(limit=transfer.limit) if (transfer.total or 0) > transfer.limit else None

    def _no_body(self, response: aiohttp.ClientResponse) -> Download:
        """Return what an answer without the file means, or raise where asking again may help."""
        status = response.status
        if status in _GONE:
            return Missing()
        if status in _PATIENCE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            until = retry_at(response.headers, self._clock())
            self._silent_until = max(until or self._silent_until, self._silent_until)
            if until or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Unavailable(f"GET {response.url} was answered with {status}", retry_at=until)
            raise _Interrupted(f"it was answered with {status}")
        if status >= HTTPStatus.BAD_REQUEST:
            return Withheld(status=status, why=f"the site answers {status}")
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            place = one_line(response.headers.get("Location", "nowhere"), 100)
            return Withheld(status=status, why=f"the site sends visitors elsewhere ({status} to {place})")
        raise MalformedAnswer(f"GET {response.url} was answered with {status}, which was not asked for")

    @staticmethod
    def _refuse_encoding(response: aiohttp.ClientResponse) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding != "identity":
            raise MalformedAnswer(f"GET {response.url} was answered with {one_line(encoding, 30)}, although the plain file was asked for")
