"""Every file that the builders of the rehearsal make for a version: small, and built, signed and told of as the real ones are.

Which there are: https://www.python.org/downloads/; who makes them: https://github.com/python/release-tools and, by hand, the macOS expert.
"""

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from bot.rehearsal.nuget import PACKAGES
from bot.rehearsal.source_export import Sources, export
from bot.rehearsal.trust_sbom import spdx_of
from bot.rehearsal.versions import Level, PythonVersion
from bot.rehearsal.workshop import MACOS, SOURCE, WINDOWS, Workshop

SITE: Final = "https://www.python.org/ftp/python/"
INDEX: Final = "index-windows.json"

_FIRST_INSTALL_MANAGER = 13
_FIRST_ANDROID = 14
_FIRST_IOS = 15
_FIRST_SBOM = 12
LAST_OPENPGP = 13
"""The last minor series whose files have OpenPGP signatures (https://peps.python.org/pep-0761/)."""

_LAST_INSTALLER = 15
_FIRST_BUILT_HERE = 11
"""Older series have had nothing but their sources for long."""

_ARCHITECTURES: Final = ("win32", "amd64", "arm64")


Origin = Callable[[], tuple[Path, str] | None]
"""Where the tag of the release is now: the repository and the commit that the tag stands on; None while there is no tag."""


class ReleaseFiles(Mapping[str, bytes]):
    """The files that the release page of a version lists, by name; ``security`` releases have their sources alone.

    They are signed in a ``workshop``; without one they are mere outlines that nobody could verify. The sources are those of the tag at
    their ``origin``, which may move, and an outline too where there is none.
    """

    def __init__(
        self, version: PythonVersion, *, security: bool = False, workshop: Workshop | None = None, origin: Origin | None = None
    ) -> None:
        """Make nothing yet."""
        self.version = version
        self.security = security
        self._workshop = workshop
        self._origin = origin
        self._exported: dict[str, Sources] = {}
        self._vouched: dict[tuple[str, bytes], dict[str, bytes]] = {}

    def __getitem__(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return self.sources[name] if name in self._source_names else self._built[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        yield from self._source_names
        yield from self._built

    def __len__(self) -> int:
        """Count the files."""
        return len(self._source_names) + len(self._built)

    @property
    def sources(self) -> dict[str, bytes]:
        """The archives of the artifact ``source``."""
        sources = self._sources()
        return dict(zip(self._source_names, (sources.tgz, sources.tar_xz), strict=True))

    @cached_property
    def _source_names(self) -> tuple[str, str]:
        return f"Python-{self.version}.tgz", f"Python-{self.version}.tar.xz"

    @cached_property
    def docs(self) -> dict[str, bytes]:
        """The archives of the artifact ``docs``, which only candidates and finals have, and which no release page lists."""
        if self.version.level not in (Level.CANDIDATE, Level.FINAL):
            return {}
        kinds = ("", *(f"-{form}.{packing}" for form in ("html", "texinfo", "text") for packing in ("tar.bz2", "zip")))
        names = (f"python-{self.version}-docs{kind or '.epub'}" for kind in kinds)
        return {name: _filler(name) for name in names}

    @cached_property
    def android(self) -> dict[str, dict[str, bytes]]:
        """The artifacts for Android by the architecture that their job is named for."""
        names = {arch: f"python-{self.version}-{arch}-linux-android.tar.gz" for arch in ("aarch64", "x86_64")}
        return {arch: {name: _filler(name)} for arch, name in names.items()} if self.version.minor >= _FIRST_ANDROID else {}

    @cached_property
    def ios(self) -> dict[str, bytes]:
        """The artifact for iOS."""
        name = f"python-{self.version}-iOS-XCframework.tar.gz"
        return {name: _filler(name)} if self.version.minor >= _FIRST_IOS else {}

    @cached_property
    def installers(self) -> dict[str, bytes]:
        """The classic installers for Windows."""
        if self.security or not _FIRST_BUILT_HERE <= self.version.minor <= _LAST_INSTALLER:
            return {}
        names = (f"python-{self.version}{end}.exe" for end in ("", "-amd64", "-arm64"))
        return {name: self._program(name, f"Python {self.version}") for name in names}

    @cached_property
    def embeddable(self) -> dict[str, bytes]:
        """The classic embeddable packages for Windows, which are published by the same job as the installers."""
        names = [f"python-{self.version}-embed-{arch}.zip" for arch in _ARCHITECTURES] if self.installers else []
        return {name: self._zip(name) for name in names}

    @property
    def nuget(self) -> tuple[str, ...]:
        """The ids of the packages that the pipeline pushes to NuGet; those without the lock came with 3.13."""
        kinds = 3 if self.version.minor < _FIRST_INSTALL_MANAGER else len(PACKAGES)
        return () if self.security else PACKAGES[:kinds]

    @cached_property
    def packages(self) -> dict[str, bytes]:
        """The packages of the install manager, which no release page lists."""
        if self.security or self.version.minor < _FIRST_INSTALL_MANAGER:
            return {}
        return {name: self._zip(name) for name in (f"python-{self.version}-{arch}.zip" for arch in _ARCHITECTURES)}

    @cached_property
    def manifest(self) -> dict[str, bytes]:
        """What the install manager reads of this version."""
        if not self.packages:
            return {}
        entries = [self._entry(name, content) for name, content in self.packages.items()]
        return {f"windows-{self.version}.json": json.dumps({"versions": entries}, indent=4).encode()}

    def index(self, before: bytes | None) -> dict[str, bytes]:
        """Return what the install manager reads of all versions, with this one in its place, and the catalogue over it.

        ``before`` is what it read before. Nothing is returned without packages, or without a workshop to sign it.
        """
        if self._workshop is None or not self.packages:
            return {}
        (manifest,) = (json.loads(content)["versions"] for content in self.manifest.values())
        ids = {entry["id"] for entry in manifest}
        others = [entry for entry in json.loads(before)["versions"] if entry["id"] not in ids] if before else []
        content = json.dumps({"versions": [*manifest, *others]}, indent=4).encode()
        return {INDEX: content, f"{INDEX}.cat": self._workshop.windows.sign_catalogue(content)}

    @cached_property
    def macos(self) -> dict[str, bytes]:
        """The installer that the macOS expert makes; it is a xar archive."""
        name = f"python-{self.version}-macos11.pkg"
        return {} if self.security or self.version.minor < _FIRST_BUILT_HERE else {name: b"xar!" + _filler(name)}

    @cached_property
    def windows(self) -> dict[str, bytes]:
        """What the Windows pipeline puts on python.org and the release page lists."""
        return self.embeddable | self.installers | self.manifest

    def companions(self, name: str) -> dict[str, bytes]:
        """Return what vouches for a file: its signature by OpenPGP up to 3.13, its Sigstore bundle, and its parts where they are told."""
        return self.vouching(name, self[name])

    def vouching(self, name: str, content: bytes) -> dict[str, bytes]:
        """Return what vouches for these bytes, published under a name; nothing is signed a second time."""
        if (name, content) not in self._vouched:
            self._vouched[name, content] = self._signed(name, content)
        return self._vouched[name, content]

    def _signed(self, name: str, content: bytes) -> dict[str, bytes]:
        minor, classic = self.version.minor, name in self._source_names or name in self.installers or name in self.embeddable
        made = {".sigstore": self._bundle(content)}
        if minor <= LAST_OPENPGP and (classic or name in self.macos):
            made[".asc"] = self._openpgp(name, content)
        if minor >= _FIRST_SBOM and classic:
            made[".spdx.json"] = spdx_of(name, content, version=self.version.text, url=SITE + self.path(name))
        return {name + suffix: content for suffix, content in sorted(made.items())}

    def path(self, name: str) -> str:
        """Return where a file lies on python.org, as its API wants it told: all pre-releases of one version share its folder."""
        return f"{self.version.base}/{name}"

    @cached_property
    def _built(self) -> dict[str, bytes]:
        mobile: dict[str, bytes] = {}
        if not self.security:
            mobile = {name: content for files in self.android.values() for name, content in files.items()} | self.ios
        return self.windows | self.macos | mobile

    def _sources(self) -> Sources:
        tag = self._origin() if self._origin else None
        if tag is None:
            return _outline(self.version)
        repository, commit = tag
        if commit not in self._exported:
            self._exported[commit] = export(repository, commit, self.version)
        return self._exported[commit]

    def _program(self, name: str, description: str) -> bytes:
        return self._workshop.program(name.encode(), description) if self._workshop else b"MZ" + _filler(name)

    def _zip(self, name: str) -> bytes:
        """Pack one program, built for all packages, beside a file that no other package has."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr(zipfile.ZipInfo("python.exe"), self._program("python.exe", f"Built: Release_{self.version.tag}_20260101.01"))
            opened.writestr(zipfile.ZipInfo("LICENSE.txt"), _filler(name))
        return archive.getvalue()

    def _bundle(self, content: bytes) -> bytes:
        return self._workshop.bundle(content) if self._workshop else _bundle(content)

    def _openpgp(self, name: str, content: bytes) -> bytes:
        if self._workshop is None:
            return f"-----BEGIN PGP SIGNATURE-----\n\n{_letters(name)}\n-----END PGP SIGNATURE-----\n".encode()
        kind = SOURCE if name in self._source_names else MACOS if name in self.macos else WINDOWS
        return self._workshop.openpgp[kind].sign(content)

    def _entry(self, name: str, content: bytes) -> dict[str, object]:
        architecture = name.removesuffix(".zip").rpartition("-")[2]
        mark = {"win32": "32", "amd64": "64", "arm64": "arm64"}[architecture]
        return {
            "schema": 1,
            "id": f"pythoncore-{self.version.series}-{mark}",
            "sort-version": self.version.text,
            "company": "PythonCore",
            "tag": f"{self.version.series}-{mark}",
            "display-name": f"Python {self.version}",
            "url": f"{SITE}{self.path(name)}",
            "hash": {"sha256": hashlib.sha256(content).hexdigest()},
        }


def hash_table(files: Mapping[str, bytes], *algorithms: str) -> bytes:
    """Write the table of hashes as PowerShell does: once for each algorithm, in columns of fixed width, with the line ends of Windows.

    The column of the hashes bears the name of the algorithm:
    https://github.com/python/release-tools/blob/main/windows-release/stage-publish-pythonorg.yml
    """
    return "".join(_table(files, algorithm) for algorithm in algorithms).encode("ascii")


def _table(files: Mapping[str, bytes], algorithm: str) -> str:
    rows = [(name, _digest(algorithm, files[name]), str(len(files[name]))) for name in sorted(files, key=str.lower)]
    titles = ("Name", algorithm, "Length")
    widths = [max(len(row[place]) for row in [titles, *rows]) for place in range(len(titles))]
    name, digest, length = widths
    lines = [f"{titles[0]:<{name}} {titles[1]:<{digest}} {titles[2]:>{length}}"]
    lines.append(f"{'-' * 4:<{name}} {'-' * len(algorithm):<{digest}} {'-' * 6:>{length}}")
    lines += [f"{row[0]:<{name}} {row[1]:<{digest}} {row[2]:>{length}}" for row in rows]
    return "\r\n".join(["", *lines, "", "", "", ""])


def _digest(algorithm: str, content: bytes) -> str:
    return hashlib.new(algorithm.lower(), content, usedforsecurity=False).hexdigest().upper()


def certificate_info(*, real: bool) -> dict[str, bytes]:
    """Return the artifact ``cert``: the certificate, and what PowerShell wrote about it, with a mark of its encoding in front.

    https://github.com/python/release-tools/blob/main/windows-release/sign-files.yml
    """
    organisation = "CN=Python Software Foundation, O=Python Software Foundation, L=Beaverton, S=Oregon, C=US"
    subject = organisation if real else "CN=Python Test Certificate"
    certificate = _filler(subject)
    info = json.dumps({"SHA256": hashlib.sha256(certificate).hexdigest(), "Subject": subject}, separators=(",", ":"))
    return {"cert.cer": certificate, "certinfo.json": f"{info}\r\n".encode("utf-8-sig")}


def _filler(name: str) -> bytes:
    """Return some hundreds of bytes that no other name has."""
    seed = hashlib.sha256(name.encode()).digest()
    return name.encode() + b"\n" + b"".join(hashlib.sha256(seed + bytes([part])).digest() for part in range(8 + seed[0] % 64))


def _letters(name: str) -> str:
    return hashlib.sha512(name.encode()).hexdigest()


def _bundle(content: bytes) -> bytes:
    """Return the outline of a Sigstore bundle (https://docs.sigstore.dev/about/bundle/); nothing in it is signed."""
    digest = hashlib.sha256(content).hexdigest()
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return json.dumps({"mediaType": kind, "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}}}).encode()


def _outline(version: PythonVersion) -> Sources:
    """Return small archives of sources; neither format writes the time here, so the bytes are the same each time."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as opened:
        content = f"This is Python version {version.in_words}\n".encode()
        member = tarfile.TarInfo(f"Python-{version}/README.rst")
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return Sources(tgz=gzip.compress(plain.getvalue(), mtime=0), tar_xz=lzma.compress(plain.getvalue()))
