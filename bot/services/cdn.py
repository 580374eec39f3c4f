"""The network in front of python.org and its documentation: have it forget a page, so that everybody gets what is there now.

Anybody may ask it to: https://www.fastly.com/documentation/reference/api/purging/. It is asked softly, as the release tools do
(https://github.com/python/release-tools/tree/main/windows-release): what is forgotten so is handed out for as long as the site behind it
does not answer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from bot.errors import Refused, Unavailable
from bot.services.answers import one_line
from bot.services.patience import retry_at, utc_now
from bot.services.reading import USER_AGENT

PYTHON_ORG: Final = "https://www.python.org/"
DOCS: Final = "https://docs.python.org/"

SOFTLY: Final = "Fastly-Soft-Purge"
"""The header that asks for it; its value is 1."""

_TROUBLE: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, kw_only=True)
class Cdn:
    """Asks without credentials; public addresses lead to the places that the bot was told of, and to no others.

    ``timeout`` in seconds is for each request, ``concurrency`` is how many are under way at once.
    """

    python_org: str
    docs: str
    session: aiohttp.ClientSession
    timeout: float = 30.0
    concurrency: int = 4

    async def forget(self, addresses: Sequence[str]) -> Mapping[str, int]:
        """Have all these addresses forgotten, and return the status of each answer: 200 says that it is.

        It does no harm to ask twice. Raises Unavailable where anything was in trouble, and Refused for an address of another site.
        """
        slots = asyncio.Semaphore(self.concurrency)
        wanted = {address: self._place(address) for address in addresses}
        return dict(zip(wanted, await asyncio.gather(*(self._purge(place, slots) for place in wanted.values())), strict=True))

    def _place(self, address: str) -> str:
        for public, place in ((PYTHON_ORG, self.python_org), (DOCS, self.docs)):
            if address.startswith(public):
                return f"{place.rstrip('/')}/{address.removeprefix(public)}"
        raise Refused(f"{one_line(address, 200)} is no address of {PYTHON_ORG} or {DOCS}, so nobody was asked to forget it.")

    async def _purge(self, place: str, slots: asyncio.Semaphore) -> int:
        what, headers = f"PURGE {place}", {"User-Agent": USER_AGENT, SOFTLY: "1"}
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with slots, self.session.request("PURGE", place, headers=headers, allow_redirects=False, timeout=limit) as answer:
                if answer.status in _TROUBLE or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise Unavailable(f"{what} was answered with {answer.status}", retry_at=_until(answer))
                return answer.status
        except TimeoutError:
            raise Unavailable(f"{what} was not answered within {self.timeout:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{what} failed ({type(error).__name__}: {one_line(str(error))})") from error


def _until(answer: aiohttp.ClientResponse) -> datetime | None:
    return retry_at(answer.headers, utc_now())
