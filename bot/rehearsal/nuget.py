"""Stand in for NuGet: the one list that tells which versions of a package everybody can fetch.

https://learn.microsoft.com/en-us/nuget/api/package-base-address-resource#enumerate-package-versions
"""

from typing import Final

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.versions import Level, PythonVersion
from bot.rehearsal.watch import Handler, watching

PACKAGES: Final = ("python", "pythonx86", "pythonarm64", "python-freethreaded", "pythonx86-freethreaded", "pythonarm64-freethreaded")
"""Every package that CPython's pipeline pushes: https://docs.python.org/3/using/windows.html#the-nuget-org-packages and their variants."""

_SHORT: Final = {Level.ALPHA: "a", Level.BETA: "b", Level.CANDIDATE: "rc"}


def in_nuget(version: PythonVersion) -> str:
    """Write a version as the pipeline does for NuGet: ``3.15.0-a3``."""
    return version.base + (f"-{_SHORT[version.level]}{version.serial}" if version.level in _SHORT else "")


class NuGet:
    """The page ``/v3-flatcontainer/ID/index.json`` of every package; while it is ``holding``, what is pushed is not shown yet."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin without packages."""
        self.url = ""
        self.holding = False
        self._shown: dict[str, list[str]] = {}
        self._held: list[tuple[str, str]] = []
        self._chronicle = chronicle
        self.application = web.Application(middlewares=[watching(chronicle, "NuGet"), self._strict])
        self.application.router.add_get("/v3-flatcontainer/{id}/index.json", self._versions)

    def push(self, package: str, version: str) -> bool:
        """Take a package as the pipeline pushes it; tell False for a version that is there already, which NuGet refuses with 409."""
        pushed = (package.lower(), version.lower())
        if pushed in self._held or pushed[1] in self._shown.get(pushed[0], ()):
            return False
        self._held.append(pushed)
        self._chronicle.happened(f"NuGet has {package} {version}")
        if not self.holding:
            self.let_through()
        return True

    def let_through(self) -> None:
        """Show what is held, and hold nothing back any more."""
        self.holding = False
        for package, version in self._held:
            self._shown.setdefault(package, []).append(version)
        self._held.clear()

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self._chronicle.violation(f"nuget: {request.method} {request.path} is not there for programs")
        elif request.query_string:
            self._chronicle.violation(f"nuget: {request.path} takes no query")
        return await handler(request)

    async def _versions(self, request: web.Request) -> web.Response:
        package = request.match_info["id"]
        if package != package.lower():
            self._chronicle.violation(f"nuget: {request.path} has capital letters, under which NuGet finds nothing")
        if package not in self._shown:
            return web.Response(
                status=404, text="<?xml version='1.0'?><Error><Code>BlobNotFound</Code></Error>", content_type="application/xml"
            )
        return web.json_response({"versions": self._shown[package]})
