"""Read public JSON, and pages, from a service that needs no credentials."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import TypeAdapter

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer, one_line, parse
from bot.services.patience import retry_at, utc_now

Shape = TypeVar("Shape")

USER_AGENT = "brother-maynard (release bot; https://github.com/python)"
"""Named, because python.org's services refuse or slow down requests without a name."""

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of an answer that are still read; the longest that is asked for has less than a hundredth of it."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads from one address and no other; ``timeout`` in seconds is for each request as a whole, ``largest`` in bytes for its answer."""

    base_url: str
    session: aiohttp.ClientSession
    timeout: float = 30.0
    largest: int = LARGEST

    async def get(
        self, shape: TypeAdapter[Shape], path: str, query: Mapping[str, str] | None = None, *, accept: str = "application/json"
    ) -> Shape | None:
        """Return what a path holds, or None where there is nothing (404); raise Unavailable for every other trouble.

        ``accept`` is the kind of JSON that is asked for.
        """
        what = self._what(path)
        body = await self._read(what, query, accept)
        if body is None:
            return None
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedAnswer(f"{what} was answered with something other than JSON") from None
        return parse(shape, content, what=what)

    async def page(self, path: str) -> str | None:
        """Return the page at a path as text, or None where there is nothing (404); raise Unavailable for every other trouble.

        What is not UTF-8 in it is replaced: a page is looked at, and never taken for more than it shows.
        """
        body = await self._read(self._what(path), None, "text/html")
        return None if body is None else body.decode(errors="replace")

    def _what(self, path: str) -> str:
        return f"GET {self.base_url.rstrip('/')}/{quote(path)}"

    async def _read(self, what: str, query: Mapping[str, str] | None, accept: str) -> bytes | None:
        try:
            async with self.session.get(
                what.removeprefix("GET "),
                params=query,
                headers={"User-Agent": USER_AGENT, "Accept": accept},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            ) as response:
                if response.status == HTTPStatus.NOT_FOUND:
                    return None
                if response.status != HTTPStatus.OK:
                    raise Unavailable(f"{what} was answered with {response.status}", retry_at=retry_at(response.headers, utc_now()))
                return await self._body(response, what)
        except TimeoutError:
            raise Unavailable(f"{what} was not answered within {self.timeout:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{what} failed ({type(error).__name__}: {one_line(str(error))})") from error

    async def _body(self, response: aiohttp.ClientResponse, what: str) -> bytes:
        """Read the answer, unpacked, and never more of it than is allowed."""
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self.largest:
                raise MalformedAnswer(f"{what} was answered with more than {self.largest} bytes")
        return bytes(body)
