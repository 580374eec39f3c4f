"""Fetch what GitHub keeps elsewhere: from signed addresses, on named hosts only, without any credential of ours.

Logs and artifacts lie in a storage of their own, to which the API points with an address that is good for a minute:
https://docs.github.com/en/rest/actions/artifacts#download-an-artifact
"""

import asyncio
import hashlib
import ipaddress
import re
from collections.abc import Collection
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

import aiohttp

from bot.errors import Unavailable, UserError
from bot.services.answers import MalformedAnswer, one_line

_HOST = re.compile(r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?")
_USUAL_PORTS = {"http": 80, "https": 443}
_PIECE = 1024 * 1024
"""Bytes that are gathered before they are written."""

Place = tuple[str, str, int]
"""Scheme, host and port."""

_NOWHERE: Place = ("", "", 0)


class BadHost(UserError):
    """A host that downloads may come from is not written as one."""


class Downloads:
    """Downloads from the API's own host and from hosts on a list; one may be redirected to neither, and never further."""

    def __init__(self, session: aiohttp.ClientSession, user_agent: str, *, api_url: str, hosts: Collection[str], timeout: float) -> None:
        """Read the list: ``HOST`` or ``HOST:PORT``, reached by https (on loopback also by http). Raises BadHost. ``timeout`` in seconds."""
        self._session = session
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._places = {_place(api_url), *(place for host in hosts for place in _places(host))}
        self._places.discard(_NOWHERE)
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def fetch(self, address: str, into: BinaryIO, *, largest: int, what: str) -> str:
        """Write what lies at a signed address into a file, and return its SHA-256 in hexadecimal digits.

        ``largest`` is in bytes; ``what`` names the thing in errors, since its address must not be shown. Raises MalformedAnswer for another
        host and for more bytes than allowed, and Unavailable for every other trouble; the address is good for one try.
        """
        self._require_named(address, what)
        try:
            async with self._session.get(address, headers=self._headers, allow_redirects=False, timeout=self._timeout) as response:
                if response.status != HTTPStatus.OK:
                    raise Unavailable(f"{what} could not be downloaded: GitHub's storage answered with {response.status}")
                return await _write(response, into, largest, what)
        except TimeoutError:
            raise Unavailable(f"{what} could not be downloaded within {self._timeout.total:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Neither chained nor quoted: some of these errors hold the address.
            raise Unavailable(f"{what} could not be downloaded ({type(error).__name__})") from None

    def _require_named(self, address: str, what: str) -> None:
        """Refuse every place that is not on the list, and addresses with a name and password in them."""
        place = _place(address)
        if place not in self._places or "@" in urlsplit(address).netloc:
            raise MalformedAnswer(f"{what} was not downloaded: GitHub pointed the bot to another place ({one_line(place[1], 80)})")


async def _write(response: aiohttp.ClientResponse, into: BinaryIO, largest: int, what: str) -> str:
    """Write the body, and never more of it than is allowed; the file is written outside the event loop."""
    digest, pending, length = hashlib.sha256(), bytearray(), 0
    async for chunk in response.content.iter_any():
        length += len(chunk)
        if length > largest:
            raise MalformedAnswer(f"{what} is longer than the {largest} bytes that are allowed, so it was not downloaded whole")
        digest.update(chunk)
        pending += chunk
        if len(pending) >= _PIECE:
            await asyncio.to_thread(into.write, bytes(pending))
            pending.clear()
    await asyncio.to_thread(into.write, bytes(pending))
    return digest.hexdigest()


def _place(address: str) -> Place:
    """Return where an address is; what cannot be read is nowhere."""
    try:
        parts = urlsplit(address)
        port = _USUAL_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError:
        return _NOWHERE
    return parts.scheme, parts.hostname or "", port


def _places(host: str) -> list[Place]:
    """Return the places that an entry of the list stands for."""
    match = _HOST.fullmatch(host)
    if match is None:
        raise BadHost(f"{host!r} is not a host to download from: write HOST or HOST:PORT, without patterns, such as storage.example.org")
    name, port = match["host"].lower(), match["port"]
    schemes = ["https", "http"] if _is_loopback(name) else ["https"]
    return [(scheme, name, int(port) if port else _USUAL_PORTS[scheme]) for scheme in schemes]


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
