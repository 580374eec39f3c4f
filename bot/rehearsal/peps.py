"""Stand in for peps.python.org: what tells which series is in which state, who its release manager is, and what is released when."""

from datetime import date

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


_LEVELS = {"a": "alpha", "b": "beta", "rc": "candidate"}


def stage_of(version: str) -> str:
    """Return how https://github.com/python/peps/blob/main/release_management/python-releases.toml names a release."""
    for token, word in _LEVELS.items():
        base, found, serial = version.partition(token)
        if found:
            return f"{base} {word} {serial}"
    return f"{version} final" if version.endswith(".0") else version


def _next_one(series: str) -> Entry:
    """Return a series that the real data did not know yet, a year after the one before it."""
    years = int(series.partition(".")[2]) - 16
    told = {"first_release": f"{2027 + years}-10-06", "end_of_life": f"{2032 + years}-10", "release_manager": "Nobody Yet"}
    return {"branch": series, "pep": 9000 + years, "status": "feature", **told}


class Peps:
    """The pages below https://peps.python.org/api/; ``series`` and ``planned`` may be changed at any time."""

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
        self.planned: dict[str, list[dict[str, str]]] = {}
        """By series, what https://peps.python.org/api/python-releases.json has below ``releases``; 3.9 stands for all that is past."""
        self.plan("3.9.25", day=date(2025, 10, 31), made=True)
        self._chronicle = chronicle
        self.application = web.Application(middlewares=[watching(chronicle, "PEPs"), self._strict])
        self.application.router.add_get("/api/release-cycle.json", self._release_cycle)
        self.application.router.add_get("/api/python-releases.json", self._python_releases)

    def set(self, series: str, **fields: str | int) -> None:
        """Change fields of a series, or add one: branch, pep, status, first_release, end_of_life, release_manager.

        The branch follows the status where it is not given, because that is how the real data is kept.
        """
        branch: Entry = {"branch": "main" if fields["status"] == "feature" else series} if "status" in fields else {}
        self.series[series] = {**self.series.get(series, _next_one(series)), **branch, **fields}

    def plan(self, version: str, *, day: date, made: bool = False) -> None:
        """Put a release into the schedule, or move it there; ``made`` when it was released on that day. A series ends in that month."""
        if version in self.series:
            self.set(version, end_of_life=f"{day:%Y-%m}")
            return
        series, stage = ".".join(version.split(".")[:2]), stage_of(version)
        others = [one for one in self.planned.get(series, []) if one["stage"] != stage]
        entry = {"stage": stage, "state": "actual" if made else "expected", "date": day.isoformat(), "note": ""}
        self.planned[series] = sorted([*others, entry], key=lambda one: one["date"])

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self._chronicle.violation(f"peps: {request.method} {request.path} is not there for programs")
        return await handler(request)

    async def _release_cycle(self, _request: web.Request) -> web.Response:
        return web.json_response(self.series)

    async def _python_releases(self, _request: web.Request) -> web.Response:
        return web.json_response({"metadata": self.series, "releases": self.planned})
