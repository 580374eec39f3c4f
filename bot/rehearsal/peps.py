"""Stand in for peps.python.org: the one page of it that tells which series is in which state, and who its release manager is."""

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.watch import Handler, watching

Entry = dict[str, str | int]

SERIES = {
    "3.16": (826, "feature", "2027-10-06", "2032-10", "Savannah Ostrowski"),
    "3.15": (790, "prerelease", "2026-10-01", "2031-10", "Hugo van Kemenade"),
    "3.14": (745, "bugfix", "2025-10-07", "2030-10", "Hugo van Kemenade"),
    "3.13": (719, "bugfix", "2024-10-07", "2029-10", "Thomas Wouters"),
    "3.12": (693, "security", "2023-10-02", "2028-10", "Thomas Wouters"),
    "3.11": (664, "security", "2022-10-24", "2027-10", "Pablo Galindo Salgado"),
    "3.10": (619, "security", "2021-10-04", "2026-10", "Pablo Galindo Salgado"),
}
"""PEP, status, first release, end of life and release manager as https://peps.python.org/api/release-cycle.json had them in August 2026."""


class Peps:
    """The page https://peps.python.org/api/release-cycle.json; ``series`` may be changed at any time."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin with the real series; the branch of the newest is main."""
        self.url = ""
        self.series: dict[str, Entry] = {
            name: {
                "branch": "main" if status == "feature" else name,
                "pep": pep,
                "status": status,
                "first_release": first,
                "end_of_life": end,
                "release_manager": manager,
            }
            for name, (pep, status, first, end, manager) in SERIES.items()
        }
        self._chronicle = chronicle
        self.application = web.Application(middlewares=[watching(chronicle, "PEPs"), self._strict])
        self.application.router.add_get("/api/release-cycle.json", self._release_cycle)

    def set(self, series: str, **fields: str | int) -> None:
        """Change fields of a series, or add one: branch, pep, status, first_release, end_of_life, release_manager."""
        self.series[series] = {**self.series.get(series, {}), **fields}

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self._chronicle.violation(f"peps: {request.method} {request.path} is not there for programs")
        return await handler(request)

    async def _release_cycle(self, _request: web.Request) -> web.Response:
        return web.json_response(self.series)
