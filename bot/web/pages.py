"""The pages people open in a browser, made of the releases' states alone; everything in them is escaped."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from shlex import quote as quoted
from typing import Final, Protocol
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from pydantic import ValidationError

from bot import __version__
from bot.dossier_docs import schema as dossier_schema
from bot.release import dossier
from bot.release.document import document
from bot.release.model import Release
from bot.release.signature import authenticated
from bot.state import is_done, load
from bot.store.model import Work
from bot.web.dossier_page import tables
from bot.web.receiving import answer
from bot.web.telling import clock, length
from bot.web.timeline import timeline

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""No script ever runs on a page, and nothing is loaded: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP."""


MOST_SHOWN: Final = 100
"""Releases of one project on the first page; there are some thirty a year."""

NO_SUCH_RELEASE: Final = "There is no such release here: the list of all is at the root of this site."

log: Final = logging.getLogger(__name__)


class Shelf(Protocol):
    """Where the rows of work are read."""

    async def works(self, project: str) -> Sequence[Work]:
        """Return the releases of a project, the newest first; raise Unavailable when they cannot be read."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The handlers of ``GET /`` and ``GET /releases/PROJECT/VERSION``, with and without ``/dossier``, each with and without ``.json``.

    ``url`` is where everybody finds these pages, empty where they are not public.
    """

    shelf: Shelf
    projects: Sequence[str]
    github_url: str
    url: str = ""

    def __post_init__(self) -> None:
        """Read the templates now: a request that waits for the disk would hold up all others."""
        for name in _environment().list_templates():
            _environment().get_template(name)

    async def index(self, _request: web.Request) -> web.Response:
        """Show all releases of all projects, those under way first."""
        works = [work for project in self.projects for work in (await self.shelf.works(project))[:MOST_SHOWN]]
        releases = [release for release in map(_readable, works) if release]
        releases.sort(key=lambda release: (not release.state.over, release.opened), reverse=True)
        return self._page("index.html", releases=releases, projects=self.projects)

    async def release(self, request: web.Request) -> web.Response:
        """Show one release."""
        release = await self._find(request)
        if release is None:
            return self._page("missing.html", status=404, **request.match_info)
        return self._page(
            "release.html",
            release=release,
            dossier_closed=dossier.closed(release),
            dossier_digest=dossier.digest(dossier.dossier(release)),
            dossier_path=dossier.path(release),
            dossier_json=dossier.path(release, ".json"),
        )

    async def release_json(self, request: web.Request) -> web.Response:
        """Tell other programs about one release."""
        release = await self._find(request)
        if release is None:
            return answer(404, NO_SUCH_RELEASE)
        return web.json_response(document(release), headers={"Cache-Control": "no-cache"})

    async def dossier_json(self, request: web.Request) -> web.Response:
        """Give out the dossier of one release, byte for byte as its digest was published."""
        release = await self._find(request)
        if release is None:
            return answer(404, NO_SUCH_RELEASE)
        body = dossier.written(dossier.dossier(release))
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    async def dossier(self, request: web.Request) -> web.Response:
        """Show the dossier of one release to people."""
        release = await self._find(request)
        if release is None:
            return self._page("missing.html", status=404, **request.match_info)
        document = dossier.dossier(release)
        address = f"{self.url or request.url.origin()}{dossier.path(release, '.json')}"
        return self._page(
            "dossier.html",
            document=document,
            digest=dossier.digest(document),
            path=dossier.path(release, ".json"),
            check=f"curl -fsS {quoted(address)} | sha256sum",
            tables=tables(document, self.github_url.rstrip("/")),
            timeline=timeline(document),
        )

    async def schema(self, _request: web.Request) -> web.Response:
        """Tell other programs what a dossier looks like."""
        return web.json_response(dossier_schema(), content_type="application/schema+json", headers={"Cache-Control": "no-cache"})

    async def _find(self, request: web.Request) -> Release | None:
        """Return the release of a version, or the one that is named of several of that version, by ``?release=``.

        The one that is done keeps its address, then comes the live one, then the newest.
        """
        project, version = request.match_info["project"], request.match_info["version"]
        if project not in self.projects:
            return None
        works = [work for work in await self.shelf.works(project) if work.version == version and work.state]
        if named := request.query.get("release"):
            return next((release for release in map(_readable, works) if release and release.id == named), None)
        chosen = max(works, key=lambda work: (is_done(work.state or ""), work.live, work.opened), default=None)
        return load(chosen.state) if chosen and chosen.state else None

    def _page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        text = _environment().get_template(template).render(github=self.github_url.rstrip("/"), bot_version=__version__, **values)
        return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def _readable(work: Work) -> Release | None:
    """Return the release of a row; None where there is none, or where it was written in a way nobody can read any more."""
    try:
        return load(work.state) if work.state else None
    except ValidationError:
        log.exception("The release at %s cannot be read.", work.key)
        return None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.web", "html"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(authenticated=authenticated, clock=clock, length=length, segment=lambda text: quote(str(text), safe=""))
    return environment
