"""Stand in for PyPI: what is uploaded there stays as it is, and programs read it from the index and from the JSON pages.

https://docs.pypi.org/api/index-api/, https://docs.pypi.org/api/json/, and for uploads https://docs.pypi.org/api/upload/.
"""

import html
from collections.abc import Callable
from typing import Final

from aiohttp import web
from packaging.utils import canonicalize_name, canonicalize_version

from bot.rehearsal import pypi_shapes as shapes
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.moments import now
from bot.rehearsal.pypi_model import File, Project, Refused, Role, parsed
from bot.rehearsal.watch import Handler, watching

JSON: Final = "application/vnd.pypi.simple.v1+json"
HTML: Final = "application/vnd.pypi.simple.v1+html"

_ANYTHING: Final = frozenset({"*/*", "", "text/html", HTML})


class PyPI:
    """Projects, who owns them, and their files; while it is ``holding``, what is uploaded is not shown yet, as by caches of its CDN."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin without projects."""
        self.url = ""
        self.holding = False
        self._projects: dict[str, Project] = {}
        self._chronicle = chronicle
        self._serial = 30_000_000
        self.application = web.Application(middlewares=[watching(chronicle, "PyPI"), self._strict])
        for path, handler in {
            "/simple/{project}/": self._index,
            "/pypi/{project}/json": self._project,
            "/pypi/{project}/{version}/json": self._release,
            "/packages/{first}/{second}/{rest}/{filename}": self._file,
        }.items():
            self.application.router.add_get(path, handler)

    # What people and pipelines do

    def register(self, name: str, *, owners: tuple[str, ...] = (), organization: str | None = None) -> None:
        """Let a project exist, owned by these accounts; one that exists gets them as well."""
        project = self._projects.setdefault(canonicalize_name(name), Project(name=name))
        project.organization = organization or project.organization
        for owner in owners:
            self.add_role(name, owner)

    def add_role(self, name: str, user: str, role: Role = "Owner") -> None:
        """Let an account own or maintain a project; raises KeyError for one that does not exist."""
        self._projects[canonicalize_name(name)].roles[user] = role
        self._chronicle.happened(f"PyPI: {user} is {role} of {name}")

    def upload(self, user: str, filename: str, content: bytes) -> None:
        """Take a file as ``twine upload`` brings it; raise Refused with what PyPI says.

        A project that does not exist begins to, and is owned by whoever uploads to it; the name of a file can be used once, for ever.
        """
        try:
            name, version, kind = parsed(filename)
        except ValueError as error:
            raise Refused(f"400 Invalid distribution file. {error}") from None
        project = self._projects.get(canonicalize_name(name))
        if project is None:
            project = self._projects[canonicalize_name(name)] = Project(name=canonicalize_name(name), roles={user: "Owner"})
        if user not in project.roles:
            raise Refused(f"403 The user '{user}' isn't allowed to upload to project '{project.name}'.")
        if filename in project.used:
            raise Refused(f"400 File already exists ('{filename}'). See https://pypi.org/help/#file-name-reuse for more information.")
        project.used.add(filename)
        self._serial += 1
        project.serial = self._serial
        project.files.append(File(name=filename, version=version, kind=kind, content=content, uploaded=now(), shown=not self.holding))
        self._chronicle.happened(f"PyPI: {filename} uploaded by {user}")

    def let_through(self, *filenames: str) -> None:
        """Show the files of these names, or all that are held, after which nothing is held back any more."""
        self.holding = self.holding and bool(filenames)
        for project in self._projects.values():
            for file in project.files:
                file.shown = file.shown or not filenames or file.name in filenames

    def yank(self, name: str, version: str, reason: str = "") -> None:
        """Take a release back: it stays, but nobody gets it who does not ask for exactly it (https://peps.python.org/pep-0592/)."""
        for file in self._projects[canonicalize_name(name)].of(version):
            file.yanked, file.yanked_reason = True, reason

    def delete(self, name: str, filename: str) -> None:
        """Delete a file; its name stays used."""
        project = self._projects[canonicalize_name(name)]
        project.files = [file for file in project.files if file.name != filename]

    # What can be seen

    def files(self, name: str, version: str | None = None) -> dict[str, bytes]:
        """Return the files of a project, or of one version, whether they are shown yet or not."""
        project = self._projects.get(canonicalize_name(name))
        return {file.name: file.content for file in (project.of(version) if project else ())}

    def owners(self, name: str) -> set[str]:
        """Return the accounts that own a project; none where it does not exist."""
        project = self._projects.get(canonicalize_name(name))
        return {user for user, role in project.roles.items() if role == "Owner"} if project else set()

    # What programs read

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self._chronicle.violation(f"pypi: {request.method} {request.path} is not there for programs")
        elif request.query_string:
            self._chronicle.violation(f"pypi: {request.path} takes no query")
        elif "Authorization" in request.headers:
            self._chronicle.violation(f"pypi: {request.path} was asked with credentials, which it does not need")
        return await handler(request)

    async def _index(self, request: web.Request) -> web.Response:
        """Answer in JSON to whoever asks for that, else in HTML; one writing of a name is led to the other."""
        written = request.match_info["project"]
        normal = canonicalize_name(written)
        if written != normal:
            return web.Response(status=301, headers={"Location": f"/simple/{normal}/"})
        project = self._projects.get(normal)
        if project is None or not project.visible:
            return web.Response(status=404, text="404 Not Found", content_type="text/plain")
        wanted = {part.partition(";")[0].strip() for part in request.headers.get("Accept", "").split(",")}
        headers = {"X-PyPI-Last-Serial": str(project.serial), "Vary": "Accept, Accept-Encoding", "Cache-Control": "max-age=600, public"}
        if JSON in wanted or "application/vnd.pypi.simple.latest+json" in wanted:
            return web.Response(text=shapes.written(shapes.index(project)), headers={**headers, "Content-Type": JSON})
        if not wanted & _ANYTHING:
            return web.Response(status=406, text="Request not acceptable", content_type="text/plain")
        links = "".join(f'<a href="{shapes.url(file)}">{html.escape(file.name)}</a><br />' for file in project.visible)
        return web.Response(text=f"<!DOCTYPE html><html><body>{links}</body></html>", headers={**headers, "Content-Type": HTML})

    async def _project(self, request: web.Request) -> web.Response:
        return self._json(request, shapes.project)

    async def _release(self, request: web.Request) -> web.Response:
        version = request.match_info["version"]
        return self._json(request, lambda project: shapes.release(project, canonicalize_version(version, strip_trailing_zero=False)))

    def _json(self, request: web.Request, shape: Callable[[Project], shapes.Shape | None]) -> web.Response:
        written = request.match_info["project"]
        normal = canonicalize_name(written)
        project = self._projects.get(normal)
        if project is not None and written != normal:
            return web.Response(status=301, headers={"Location": request.path.replace(f"/{written}/", f"/{normal}/", 1)})
        found = shape(project) if project is not None else None
        if project is None or found is None:
            return web.json_response({"message": "Not Found"}, status=404)
        headers = {"X-PyPI-Last-Serial": str(project.serial), "Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=900, public"}
        return web.json_response(found, headers=headers)

    async def _file(self, request: web.Request) -> web.Response:
        """Hand out a file; in reality another host does, under the same path."""
        for project in self._projects.values():
            for file in project.visible:
                if shapes.url(file).endswith(request.path):
                    return web.Response(body=file.content, content_type="application/octet-stream")
        return web.Response(status=404, text="404 Not Found", content_type="text/plain")
