"""Verify what the install manager of Windows is told of a release: the release's own manifest, and the index of all releases.

Both are written by https://github.com/python/release-tools/blob/main/windows-release/merge-and-upload.py, in the form of
https://github.com/python/pymanager/blob/main/src/manage/indexutils.py.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Final

from pydantic import FailFast, Field, Strict, TypeAdapter

from bot.release.counting import counted
from bot.release.quoting import shown
from bot.release.version import Version, VersionError
from bot.verify.result import NotProven, Proven, Unusable
from bot.verify.strict_json import formed, read_json, some

LARGEST: Final = 1024 * 1024
"""Bytes of a manifest or an index that are read; the index of all releases has some 50,000."""

FTP: Final = "https://www.python.org/ftp/python/"
INDEX: Final = "index-windows.json"
"""What the install manager reads of all releases, in the folder above theirs."""

CATALOGUE: Final = f"{INDEX}.cat"
"""The signed catalogue over the index, beside it."""

_SCHEMA: Final = 1
_MOST: Final = 1000
_SHA256: Final = re.compile("[0-9A-Fa-f]{64}")
_ARCHITECTURES: Final = "32|64|arm64"
_MANIFEST: Final = re.compile(r"windows-[0-9][0-9a-z.]*\.json")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One way to install a package; several may share one. ``hash`` is by algorithm. What is not told is empty, ``schema`` 0."""

    url: str
    hash: Mapping[str, str] = field(default_factory=dict)
    schema: Annotated[int, Strict()] = 0
    id: str = ""
    version: Annotated[str, Field(alias="sort-version")] = ""
    company: str = ""
    tag: str = ""

    @property
    def file_name(self) -> str:
        """Return the last part of the address."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the package in small letters, empty without one."""
        return self.hash.get("sha256", "").lower()


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    versions: Annotated[tuple[Entry, ...], FailFast(), Field(max_length=_MOST)]


def is_manifest(name: str) -> bool:
    """Tell whether a file of this name is the manifest of some release."""
    return _MANIFEST.fullmatch(name) is not None


def read_entries(content: bytes, *, name: str) -> tuple[Entry, ...]:
    """Return what a manifest or an index called ``name`` tells; raise NotProven where it is neither. Only its form is looked at."""
    return formed(read_json(content, name=name, largest=LARGEST), _adapter(), name=name).versions


@dataclass(frozen=True, kw_only=True)
class InstallManagerManifest:
    """Proves that a manifest tells of this release only, and the truth where that is known."""

    version: Version

    @property
    def file_name(self) -> str:
        """Return the name under which the manifest is published."""
        return f"windows-{self.version}.json"

    def verify(self, manifest: bytes, index: bytes | None = None, *, known: Mapping[str, str] | None = None) -> Proven:
        """Verify the manifest; raise NotProven, or Unusable where the index has moved on to a newer release.

        ``index`` is ``index-windows.json``, which keeps only the newest release of each series, so give it on the day of the release.
        ``known`` are the SHA-256 of packages by their file names: those that were downloaded, or that their builder told.
        """
        entries = read_entries(manifest, name=self.file_name)
        if wrong := [*self._of_list(entries), *(line for entry in entries for line in self._of_entry(entry))]:
            why = f"{self.file_name} is not the manifest of Python {self.version} ({wrong[0]}); make it anew and publish it again."
            raise NotProven(why, *some(wrong))
        told = {entry.file_name: entry.sha256 for entry in entries}
        compared = {name: sha256.lower() for name, sha256 in (known or {}).items() if name in told}
        if wrong := [
            f"{name} has the SHA-256 {compared[name]}, told is {told[name]}" for name in sorted(compared) if told[name] != compared[name]
        ]:
            why = f"{self.file_name} tells of other packages than there are ({wrong[0]}); publish the packages that were built."
            raise NotProven(why, *wrong)
        if index is not None:
            self._compare(entries, index)
        listed = "" if index is None else f", and {INDEX} lists the same"
        packages = f"{counted(len(told), 'package')} of Python {self.version}, the hashes of {len(compared)} of which were compared"
        return Proven(why=f"{self.file_name} names {packages}{listed}.", diagnostics=tuple(f"{told[name]} {name}" for name in sorted(told)))

    def newer_in(self, index: bytes) -> Version | None:
        """Return the later release to which the index has moved on, so that it tells nothing of this one any more; None where it has not.

        Raises NotProven where the index is none.
        """
        entries = read_entries(index, name=INDEX)
        newest = self._newest(entries)
        return newest if newest > self.version and not self._listed(entries) else None

    def _of_list(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Tell what is wrong with the entries together."""
        if not entries:
            yield "it names no package"
        ids = Counter(entry.id for entry in entries)
        yield from (f"the id {shown(one)} is given {count} times" for one, count in ids.items() if count > 1)
        tags = Counter((entry.company, entry.tag) for entry in entries)
        yield from (
            f"the tag {shown(tag)} of {shown(company)} is given {count} times" for (company, tag), count in tags.items() if count > 1
        )
        hashes: dict[str, set[str]] = {}
        for entry in entries:
            hashes.setdefault(entry.url, set()).add(entry.sha256)
        yield from (f"{shown(url, longest=200)} has {len(found)} different hashes" for url, found in hashes.items() if len(found) > 1)

    def _of_entry(self, entry: Entry) -> Iterator[str]:
        """Tell what is wrong with one entry."""
        who = shown(entry.id)
        if entry.schema != _SCHEMA:
            yield f"{who} has the schema {entry.schema} instead of {_SCHEMA}"
        if entry.version != str(self.version):
            yield f"{who} is of version {shown(entry.version)} instead of {self.version}"
        if not self._named(entry):
            yield f"{who} of {shown(entry.company)} with the tag {shown(entry.tag)} is none of the series {self.version.series}"
        folder = f"{FTP}{self.version.base}/"
        if not re.fullmatch(rf"{re.escape(folder)}python-{re.escape(str(self.version))}t?-[a-z0-9-]+\.zip", entry.url):
            yield f"{who} has the address {shown(entry.url, longest=200)}, which is no package of this release below {folder}"
        if not _SHA256.fullmatch(entry.sha256):
            yield f"{who} has {shown(entry.sha256, longest=80)} for its SHA-256"

    def _named(self, entry: Entry) -> bool:
        """Tell whether id, company and tag say the same, and that it is of this series: ``t`` is for builds without the global lock."""
        end = re.fullmatch(rf"({re.escape(self.version.series)}t?)(?:-dev)?-({_ARCHITECTURES})", entry.tag)
        known = entry.company in ("PythonCore", "PythonEmbed", "PythonTest")
        return known and end is not None and entry.id == f"{entry.company.lower()}-{end[1]}-{end[2]}"

    def _compare(self, entries: Sequence[Entry], index: bytes) -> None:
        """Hold the manifest against the index."""
        if newer := self.newer_in(index):
            raise Unusable(f"{INDEX} has moved on to Python {newer}, so it tells nothing of {self.version} any more.", INDEX)
        listed = self._listed(read_entries(index, name=INDEX))
        told, found = ({entry.id: (entry.url, entry.sha256) for entry in some_} for some_ in (entries, listed))
        wrong = [
            *(f"{shown(one)} is not in the index" for one in sorted(told.keys() - found.keys())),
            *(f"{shown(one)} is only in the index" for one in sorted(found.keys() - told.keys())),
            *(
                f"{shown(one)} has another address or hash in the index"
                for one in sorted(told.keys() & found.keys())
                if told[one] != found[one]
            ),
            *(f"{shown(one)} is in the index {count} times" for one, count in Counter(entry.id for entry in listed).items() if count > 1),
        ]
        if wrong:
            why = f"{INDEX} does not list what {self.file_name} names ({wrong[0]}); ask the Windows expert to publish the index anew."
            raise NotProven(why, *some(wrong))

    def _listed(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return [entry for entry in entries if entry.version == str(self.version)]

    def _newest(self, entries: Sequence[Entry]) -> Version:
        """Return the newest release of the series, or the one before which there is none."""
        return max((version for entry in entries if (version := _version(entry)).series == self.version.series), default=Version(0, 0, 0))


def _version(entry: Entry) -> Version:
    try:
        return Version.parse(entry.version)
    except VersionError:
        return Version(0, 0, 0)


@cache
def _adapter() -> TypeAdapter[_Manifest]:
    return TypeAdapter(_Manifest)
