"""Lists of the first API, read whole or not at all.

The second API allows guests a hundred requests a day, the first 600 an hour: https://github.com/python/pythondotorg/blob/main/pydotorg/resources.py
and ``pydotorg/settings/base.py`` there. Its lists: https://django-tastypie.readthedocs.io/en/latest/paginator.html.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer
from bot.services.patience import Clock
from bot.services.python_org.rows import Meta, Page
from bot.services.python_org.shapes import Limits
from bot.services.reading import Reader


class _Named(Protocol):
    @property
    def resource_uri(self) -> str: ...


Row = TypeVar("Row", bound=_Named)


class Listing:
    """The lists below ``/api/v1/downloads/``, asked anonymously; silent for as long as the site asked for patience."""

    def __init__(self, reader: Reader, limits: Limits, clock: Clock) -> None:
        """Begin without a reason for silence."""
        self._reader = reader
        self._limits = limits
        self._clock = clock
        self._silent_until = datetime.min.replace(tzinfo=UTC)

    async def all(self, shape: TypeAdapter[Page[Row]], name: str, query: Mapping[str, str]) -> tuple[Row, ...]:
        """Return every row of a list that fits; raise Unavailable, also where the list changed while it was read.

        The site passes over filters it does not know, so the caller has to look whether the rows are those that were asked for.
        """
        rows: list[Row] = []
        total: int | None = None
        what = f"the list {name} of python.org"
        while total is None or len(rows) < total:
            page = await self._page(shape, name, {**query, "limit": str(self._limits.page_size), "offset": str(len(rows))})
            if page.meta.offset != len(rows) or total not in (None, page.meta.total_count):
                raise Unavailable(f"{what} changed while it was read")
            total = page.meta.total_count
            rows += page.objects
            self._check(page.meta, len(page.objects), len(rows), what)
        if len({row.resource_uri for row in rows}) != len(rows):
            raise Unavailable(f"{what} changed while it was read")
        return tuple(rows)

    def _check(self, meta: Meta, on_page: int, read: int, what: str) -> None:
        """Refuse a page that contradicts itself, or leads on for ever."""
        if meta.total_count > self._limits.most:
            raise MalformedAnswer(f"{what} has {meta.total_count} rows where at most {self._limits.most} can be")
        ends = read >= meta.total_count
        if read > meta.total_count or (meta.next is None) is not ends or (not ends and not on_page):
            raise MalformedAnswer(
                f"{what} contradicts itself: {read} of {meta.total_count} rows, and {'no' if meta.next is None else 'a'} next page"
            )

    async def _page(self, shape: TypeAdapter[Page[Row]], name: str, query: Mapping[str, str]) -> Page[Row]:
        until = self._silent_until
        if self._clock() < until:
            raise Unavailable(f"python.org asked the bot to wait until {until:%Y-%m-%d %H:%M:%S} UTC, so nothing was asked", retry_at=until)
        try:
            page = await self._reader.get(shape, f"api/v1/downloads/{name}/", query)
        except Unavailable as trouble:
            self._silent_until = trouble.retry_at or self._silent_until
            raise
        if page is None:
            raise Unavailable(f"python.org does not know the list {name}")
        return page
