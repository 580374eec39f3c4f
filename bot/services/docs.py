"""The documentation of one version: its page on docs.python.org, and its archives on python.org.

Only pages are asked for, and never an archive: the network in front of the files remembers that one is missing
(``bot.services.python_org.Missing``). Where a page is not there, do not ask again by the clock either, for the same reason.
"""

import re
from html import unescape
from typing import Final
from urllib.parse import unquote

import aiohttp

from bot.services.reading import Reader

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a page that are read; the first page of the documentation has some twenty thousand."""

_LINK: Final = re.compile(r'<a\s[^<>"]{0,100}href="([^"<>]{1,300})"', re.IGNORECASE)
"""A link as such a list has it. The parser of HTML in the standard library takes hours for a page that was made to do harm."""


class Docs:
    """Both places, asked without credentials; each method raises Unavailable."""

    def __init__(self, base_url: str, python_org_url: str, session: aiohttp.ClientSession, *, timeout: float = 30.0) -> None:
        """Keep where to read; ``timeout`` in seconds."""
        self._pages = Reader(base_url=base_url, session=session, timeout=timeout, largest=LARGEST)
        self._files = Reader(base_url=python_org_url, session=session, timeout=timeout, largest=LARGEST)

    async def page(self, version: str) -> str | None:
        """Return the first page of the documentation of a version, such as ``3.15.0rc1``; None where there is none."""
        return await self._pages.page(f"release/{version}/")

    async def listing(self, version: str) -> tuple[str, ...] | None:
        """Return the names of the files in a version's folder of archives, as the server lists them; None where there is no folder.

        The lists are those of nginx: https://nginx.org/en/docs/http/ngx_http_autoindex_module.html.
        """
        page = await self._files.page(f"ftp/python/doc/{version}/")
        return None if page is None else _files(page)


def _files(page: str) -> tuple[str, ...]:
    """Return the links of a list that lead to files beside it: to no other folder, and to no other order of the same list."""
    links = [unescape(found[1]) for found in _LINK.finditer(page)]
    return tuple(dict.fromkeys(unquote(link) for link in links if "/" not in link and not link.startswith(("?", "#", "."))))
