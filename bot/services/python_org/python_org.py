"""The public face of python.org: which releases it shows, with which files, and what these hold."""

from collections.abc import Mapping
from typing import BinaryIO

import aiohttp
from pydantic import TypeAdapter

from bot.services.answers import MalformedAnswer, one_line
from bot.services.patience import Clock, utc_now
from bot.services.python_org.downloading import Downloads
from bot.services.python_org.listing import Listing
from bot.services.python_org.rows import FileRow, Page, ReleaseRow, SystemRow, file_of, release_of, release_uri
from bot.services.python_org.shapes import AmbiguousRelease, Download, Limits, Release, ReleaseFile
from bot.services.reading import Reader

_RELEASES = TypeAdapter(Page[ReleaseRow])
_FILES = TypeAdapter(Page[FileRow])
_SYSTEMS = TypeAdapter(Page[SystemRow])


class PythonOrg:
    """One python.org, asked without credentials: only what every visitor sees is published.

    Every method raises Unavailable for 5xx, 429 (with ``retry_at`` where the site named a time) and for answers that cannot be believed.
    """

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, limits: Limits | None = None, clock: Clock = utc_now) -> None:
        """Keep where to read. Addresses that begin with ``https://www.python.org/`` are fetched from ``base_url`` as well."""
        limits = limits or Limits()
        reader = Reader(base_url=base_url, session=session, timeout=limits.timeout)
        self._listing = Listing(reader, limits, clock)
        self._downloads = Downloads(base_url, session, limits, clock)
        self._systems: dict[str, str] = {}

    async def release(self, name: str) -> Release | None:
        """Return the published release of exactly this name, such as ``Python 3.15.0a3``; None where there is none yet.

        Only the list tells: the page and the files of a draft can be seen by everybody. The name decides and never the slug, which 3.1.21
        and 3.12.1 would share. Raises AmbiguousRelease where several are published under the name.
        """
        rows = await self._listing.all(_RELEASES, "release", {"name": name})
        if any(row.name != name for row in rows):
            raise MalformedAnswer(f"python.org was asked for the release {one_line(name, 60)} and told of another one")
        published = [row for row in rows if row.is_published]
        if len(published) > 1:
            numbers = ", ".join(str(release_of(row).id) for row in published)
            raise AmbiguousRelease(
                f"python.org shows {len(published)} published releases named {one_line(name, 60)} (numbers {numbers}), so it is unclear "
                "which one is meant: delete or rename all but one of them in its admin pages."
            )
        return release_of(published[0]) if published else None

    async def files(self, release: Release) -> tuple[ReleaseFile, ...]:
        """Return every file of a release, in the order of the site: by operating system, then by title."""
        rows = await self._listing.all(_FILES, "release_file", {"release": str(release.id)})
        if any(row.release != release_uri(release) for row in rows):
            raise MalformedAnswer(f"python.org was asked for the files of release {release.id} and told of another one's")
        if any(row.os not in self._systems for row in rows):
            systems = await self._listing.all(_SYSTEMS, "os", {})
            self._systems = {system.resource_uri: system.slug for system in systems}
        unknown = sorted({row.os for row in rows} - self._systems.keys())
        if unknown:
            raise MalformedAnswer(f"python.org names an operating system that it does not list: {unknown[0]}")
        return tuple(file_of(row, self._systems[row.os]) for row in rows)

    async def download(self, url: str, *, limit: int, into: BinaryIO | None = None) -> Download:
        """Read one file to its end and return its size and hashes, or why that cannot be.

        At most ``limit`` bytes are read. ``into`` is emptied first and then holds what was read; it must be seekable. After ``Missing`` do
        not ask again by the clock: see there.
        """
        return await self._downloads.fetch(url, limit, into)

    async def download_all(self, limits: Mapping[str, int], into: Mapping[str, BinaryIO] | None = None) -> dict[str, Download]:
        """Read several files, by their addresses with the limit of each; a bounded number at once.

        One that cannot be read is ``Unread``, and the others are read all the same. Once the site has asked for patience, nothing more is
        asked of it before the time it named, this time and later. ``into`` is where some of them are written, by their addresses.
        """
        return await self._downloads.fetch_all(limits, into or {})
