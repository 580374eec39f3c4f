"""Every file that the builders of the rehearsal make for a version: small, plausible, and the same bytes each time.

Which there are: https://www.python.org/downloads/; who makes them: https://github.com/python/release-tools and, by hand, the macOS expert.
"""

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bot.rehearsal.versions import Level, PythonVersion

SITE: Final = "https://www.python.org/ftp/python/"

_FIRST_INSTALL_MANAGER = 13
_FIRST_ANDROID = 14
_FIRST_IOS = 15
_FIRST_SBOM = 12
_LAST_OPENPGP = 13
_LAST_INSTALLER = 15
_FIRST_BUILT_HERE = 11
"""Older series have had nothing but their sources for long."""

_ARCHITECTURES: Final = ("win32", "amd64", "arm64")


@dataclass(frozen=True)
class ReleaseFiles(Mapping[str, bytes]):
    """The files that the release page of a version lists, by name; ``security`` releases have their sources alone."""

    version: PythonVersion
    security: bool = False

    def __getitem__(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return self._listed[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._listed)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._listed)

    @cached_property
    def sources(self) -> dict[str, bytes]:
        """The archives of the artifact ``source``."""
        return {f"Python-{self.version}.tgz": _tarball(self.version, "gz"), f"Python-{self.version}.tar.xz": _tarball(self.version, "xz")}

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
        return {name: b"MZ" + _filler(name) for name in (f"python-{self.version}{end}.exe" for end in ("", "-amd64", "-arm64"))}

    @cached_property
    def embeddable(self) -> dict[str, bytes]:
        """The classic embeddable packages for Windows, which are published by the same job as the installers."""
        names = [f"python-{self.version}-embed-{arch}.zip" for arch in _ARCHITECTURES] if self.installers else []
        return {name: _zip(name) for name in names}

    @cached_property
    def packages(self) -> dict[str, bytes]:
        """The packages of the install manager, which no release page lists."""
        if self.security or self.version.minor < _FIRST_INSTALL_MANAGER:
            return {}
        return {name: _zip(name) for name in (f"python-{self.version}-{arch}.zip" for arch in _ARCHITECTURES)}

    @cached_property
    def manifest(self) -> dict[str, bytes]:
        """What the install manager reads of this version."""
        if not self.packages:
            return {}
        entries = [self._entry(name, content) for name, content in self.packages.items()]
        return {f"windows-{self.version}.json": json.dumps({"versions": entries}, indent=4).encode()}

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
        minor, classic = self.version.minor, name in self.sources or name in self.installers or name in self.embeddable
        made = {".sigstore": _bundle(self[name])}
        if minor <= _LAST_OPENPGP and (classic or name in self.macos):
            made[".asc"] = f"-----BEGIN PGP SIGNATURE-----\n\n{_letters(name)}\n-----END PGP SIGNATURE-----\n".encode()
        if minor >= _FIRST_SBOM and classic:
            made[".spdx.json"] = _parts(name, self[name])
        return {name + suffix: content for suffix, content in sorted(made.items())}

    def path(self, name: str) -> str:
        """Return where a file lies on python.org, as its API wants it told: all pre-releases of one version share its folder."""
        return f"{self.version.base}/{name}"

    @cached_property
    def _listed(self) -> dict[str, bytes]:
        mobile: dict[str, bytes] = {}
        if not self.security:
            mobile = {name: content for files in self.android.values() for name, content in files.items()} | self.ios
        return self.sources | self.windows | self.macos | mobile

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


def _parts(name: str, content: bytes) -> bytes:
    """Return the outline of a list of parts (https://spdx.github.io/spdx-spec/v2.3/)."""
    sums = [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}]
    return json.dumps({"spdxVersion": "SPDX-2.3", "name": name, "packages": [{"packageFileName": name, "checksums": sums}]}).encode()


def _zip(name: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo("python.exe"), b"MZ" + _filler(name))
    return archive.getvalue()


def _tarball(version: PythonVersion, compression: str) -> bytes:
    """Return a small archive of sources; neither format writes the time here, so the bytes are the same each time."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as opened:
        content = f"This is Python version {version.in_words}\n".encode()
        member = tarfile.TarInfo(f"Python-{version}/README.rst")
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0) if compression == "gz" else lzma.compress(plain.getvalue())
