"""Stand in for python.org: its first API as guests see it, its files, its pages of releases, and the network in front of them."""

import hashlib
import re
from datetime import datetime
from html import escape
from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.moments import now
from bot.rehearsal.python_org_api import Api
from bot.rehearsal.python_org_cache import Cache, Held
from bot.rehearsal.python_org_rows import COMPANIONS, SITE, SYSTEMS, Release, ReleaseFile, System, Tables, slug_of
from bot.rehearsal.watch import Handler, watching

Stored = tuple[bytes, datetime]
"""The bytes of a file, and when it was uploaded."""

PAGE = "/downloads/release/"

TITLES = (
    (r"\.tgz$", "Gzipped source tarball", "source", False),
    (r"\.tar\.xz$", "XZ compressed source tarball", "source", True),
    (r"windows-.+\.json$", "Windows release manifest", "windows", False),
    (r"-embed-amd64\.zip$", "Windows embeddable package (64-bit)", "windows", False),
    (r"-embed-arm64\.zip$", "Windows embeddable package (ARM64)", "windows", False),
    (r"-arm64\.exe$", "Windows installer (ARM64)", "windows", False),
    (r"-amd64\.exe$", "Windows installer (64-bit)", "windows", True),
    (r"-embed-win32\.zip$", "Windows embeddable package (32-bit)", "windows", False),
    (r"\.exe$", "Windows installer (32-bit)", "windows", False),
    (r"-macos11\.pkg$", "macOS installer", "macos", True),
    (r"-aarch64-linux-android\.tar\.gz$", "Android embeddable package (aarch64)", "android", False),
    (r"-x86_64-linux-android\.tar\.gz$", "Android embeddable package (x86_64)", "android", False),
    (r"-iOS-XCframework\.tar\.gz$", "iOS XCframework", "ios", False),
)
"""How ``add_to_pydotorg.py`` of https://github.com/python/release-tools lists a file, by its name; the first row that fits."""


class PythonOrg:
    """The site; ``url`` is its base. ``api.hourly``, ``cache.ranges`` and ``cache.break_off`` make it less patient."""

    def __init__(self, chronicle: Chronicle) -> None:
        """Begin without releases and files."""
        self.url = ""
        self.tables = Tables()
        self.cache = Cache()
        self.api = Api(self.tables, chronicle)
        self._chronicle = chronicle
        self._stored: dict[str, Stored] = {}
        self.application = web.Application(middlewares=[watching(chronicle, "python.org"), self._strict])
        self.application.add_routes(
            [
                *self.api.routes,
                web.get("/ftp/python/{path:.*[^/]}", self._file),
                web.get("/ftp/python/doc/{version}/", self._folder),
                web.get(PAGE + "{slug}/", self._page),
                web.get("/downloads/latest/prerelease/", self._latest),
                web.route("PURGE", "/{path:.*}", self._purge),
            ]
        )

    # ---- what people do ----------------------------------------------------------------------------------------------------------------

    def upload(self, path: str, content: bytes) -> None:
        """Put a file on the server, ``upload("3.15.0/Python-3.15.0a3.tgz", b"…")``; whoever saw the path before sees what they saw."""
        self._stored[_path(path)] = (content, now())
        self._chronicle.happened(f"python.org: {_path(path)} uploaded")

    def has(self, path: str) -> bool:
        """Tell whether there is such a file on the server."""
        return _path(path) in self._stored

    def content(self, path: str) -> bytes | None:
        """Return what lies on the server under a path, whatever was seen of it; None where nothing does."""
        stored = self._stored.get(_path(path))
        return stored[0] if stored else None

    def corrupt(self, path: str) -> None:
        """Change one bit of a file, for everybody and at once."""
        content, changed = self._stored[_path(path)]
        self._stored[_path(path)] = (bytes([content[0] ^ 1]) + content[1:], changed)
        self.cache.purge(_path(path))
        self._chronicle.happened(f"python.org: {_path(path)} is not what it was")

    def create_release(self, name: str, /, *, id: int | None = None, **fields: object) -> Release:  # noqa: A002 - the name of the field
        """Create a release as a draft, or as its fields say; marked as a pre-release where its name looks like one."""
        pre_release = re.search(r"\d(a|b|rc)\d+$", name) is not None
        defaults: dict[str, object] = {"slug": slug_of(name), "pre_release": pre_release, "release_notes_url": _notes(name)}
        number = next(self.tables.release_ids) if id is None else id
        release = Release(id=number, name=name, **{**defaults, **fields})  # type: ignore[arg-type]  # the fields of the row, by name
        self.tables.save_release(release)
        self._chronicle.happened(f"python.org: the release {name} was created")
        return release

    def change(self, name: str, /, **fields: object) -> None:
        """Change fields of a release, as its form does; saving a published one purges every page below /downloads/."""
        release = self.tables.named(name)
        for field, value in fields.items():
            setattr(release, field, value)
        self.tables.save_release(release)
        if release.is_published:
            self.cache.purge("/downloads/*")
        self._chronicle.happened(f"python.org: the release {name} was changed: {', '.join(fields)}")

    def publish(self, name: str) -> None:
        """Show a release to everybody."""
        self.change(name, is_published=True)

    def withdraw(self, name: str) -> None:
        """Show a release to nobody but the staff."""
        self.change(name, is_published=False)

    def register(self, name: str, path: str, /, *, id: int | None = None, **fields: object) -> ReleaseFile:  # noqa: A002 - the name of the field
        """List a file under a release: with what its name, its bytes and the companions beside it tell, or as the fields say."""
        release = self.tables.named(name)
        known = {**self._told(name, _path(path)), **fields}
        system = known.pop("os")
        number = next(self.tables.file_ids) if id is None else id
        file = ReleaseFile(id=number, release=release, os=_system(str(system)), **known)  # type: ignore[arg-type]  # the fields of the row
        self.tables.save_file(file)
        self._chronicle.happened(f"python.org: {file.url} listed under {name}")
        return file

    def change_file(self, path: str, /, **fields: object) -> None:
        """Change fields of a listed file."""
        file = self.tables.at(SITE + _path(path)[1:])
        for field, value in fields.items():
            setattr(file, field, value)
        self.tables.save_file(file)
        self._chronicle.happened(f"python.org: the entry of {_path(path)} was changed: {', '.join(fields)}")

    def unregister(self, path: str) -> None:
        """Take a file off the list of its release."""
        del self.tables.files[self.tables.at(SITE + _path(path)[1:]).id]
        self._chronicle.happened(f"python.org: {_path(path)} is no longer listed")

    def purge(self, path: str) -> None:
        """Let everybody see a file as it is now."""
        self.cache.purge(_path(path))

    def _told(self, name: str, path: str) -> dict[str, object]:
        """Return what the registration script writes about a file."""
        file_name = path.rsplit("/", 1)[-1]
        fitting = (row for row in TITLES if re.search(row[0], file_name))
        _, title, system, button = next(fitting, ("", file_name, "source", False))
        content = self._stored.get(path, (b"", None))[0]
        numbers, level = re.fullmatch(r"(?:Python )?([\d.]*)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]  # fits any name
        prefix = "-".join(part for part in (numbers.replace(".", ""), level) if part)
        return {
            "name": title,
            "slug": f"{prefix}-{re.sub('[^a-zA-Z0-9_-]', '', title.replace(' ', '-'))[:40]}",
            "os": system,
            "url": SITE + path[1:],
            "is_source": system == "source",
            "download_button": button,
            "filesize": len(content),
            "sha256_sum": hashlib.sha256(content).hexdigest(),
            **{field: SITE + path[1:] + suffix for field, suffix in COMPANIONS.items() if path + suffix in self._stored},
        }

    # ---- what visitors get -------------------------------------------------------------------------------------------------------------

    @web.middleware
    async def _strict(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        unknown = request.match_info.http_exception
        if unknown is None:
            return await handler(request)
        self._chronicle.violation(f"python.org: {request.method} {request.path} is not there, not for guests, or not needed by any release")
        if isinstance(unknown, web.HTTPMethodNotAllowed) and unknown.allowed_methods == {"PURGE"}:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return await handler(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return await self.cache.answer(request, lambda: self._held(request.path))

    def _held(self, path: str) -> Held:
        if path not in self._stored:
            return Held(status=HTTPStatus.NOT_FOUND, body=b"404 Not Found", content_type="text/html")
        content, changed = self._stored[path]
        return Held(
            body=content, content_type="application/json" if path.endswith(".json") else "application/octet-stream", changed=changed
        )

    async def _folder(self, request: web.Request) -> web.StreamResponse:
        """List a folder as nginx does; the list is held like everything else."""
        return await self.cache.answer(request, lambda: self._listed(request.path))

    def _listed(self, path: str) -> Held:
        names = sorted(held.removeprefix(path) for held in self._stored if held.startswith(path) and "/" not in held.removeprefix(path))
        if not names:
            return Held(status=HTTPStatus.NOT_FOUND, body=b"404 Not Found", content_type="text/html")
        rows = "".join(f'<a href="{escape(name)}">{escape(name)}</a>  20-Nov-2026 12:00  1\n' for name in names)
        body = f'<html><head><title>Index of {path}</title></head><body><pre><a href="../">../</a>\n{rows}</pre></body></html>'
        return Held(body=body.encode(), surrogate_key="dirlisting")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return await self.cache.answer(request, lambda: self._written(request.match_info["slug"]))

    def _written(self, slug: str) -> Held:
        """Write the page of a release: also that of a draft, for everybody."""
        release = next((release for release in self.tables.releases.values() if release.slug == slug), None)
        if release is None:
            return Held(status=HTTPStatus.NOT_FOUND, body=b"Not Found", surrogate_key="pydotorg-app downloads")
        files = [file for file in self.tables.files.values() if file.release is release]
        rows = "".join(f'<tr><td><a href="{escape(file.url)}">{escape(file.name)}</a></td></tr>' for file in files)
        body = f"<!doctype html><title>{escape(release.name)}</title><h1>{escape(release.name)}</h1><table>{rows}</table>"
        return Held(body=body.encode(), surrogate_key="pydotorg-app downloads", vary="Cookie")

    async def _latest(self, request: web.Request) -> web.StreamResponse:
        return await self.cache.answer(request, self._newest)

    def _newest(self) -> Held:
        shown = [release for release in self.tables.releases.values() if release.is_published and release.pre_release]
        newest = max(shown, key=lambda release: release.release_date, default=None)
        location = f"{PAGE}{newest.slug}/" if newest else "/downloads/"
        return Held(status=HTTPStatus.FOUND, location=location, surrogate_key="pydotorg-app downloads")

    async def _purge(self, request: web.Request) -> web.Response:
        self.cache.purge(request.path)
        self._chronicle.happened(f"python.org: {request.path} was purged")
        return web.json_response({"status": "ok", "id": f"1-{len(self._chronicle.log)}"})


def _path(path: str) -> str:
    """Return where a file lies on the server, given from ``/ftp/python/`` on or as an address."""
    return "/ftp/python/" + path.removeprefix(SITE).removeprefix("/").removeprefix("ftp/python/")


def _system(slug: str) -> System:
    return next(system for system in SYSTEMS if system.slug == slug)


def _notes(name: str) -> str:
    """Return the address that the form fills in by itself."""
    found = re.match(r"Python (\d+\.\d+)(\.\d+)(.*)", name)
    if found is None:
        return ""
    series, patch, level = found.groups()
    if level:
        return f"https://docs.python.org/{series}/whatsnew/{series}.html"
    return f"https://docs.python.org/release/{series}{patch}/whatsnew/changelog.html"
