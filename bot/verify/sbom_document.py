"""Read an SPDX 2.3 document strictly: every field that counts, every id once, and every relation between things that exist.

Clauses of https://spdx.github.io/spdx-spec/v2.3/ are named where a rule is theirs.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, FailFast, Field, TypeAdapter

from bot.release.quoting import shown
from bot.verify.result import NotProven
from bot.verify.strict_json import formed, read_json, some

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a document that are read; that of the sources of 3.14.4 has 3.1 million."""

DOCUMENT: Final = "SPDXRef-DOCUMENT"
_CREATED: Final = "%Y-%m-%dT%H:%M:%SZ"
_DIGITS: Final = {"SHA1": 40, "SHA256": 64, "MD5": 32, "SHA224": 56, "SHA384": 96, "SHA512": 128}
_CREATOR: Final = re.compile(r"(Person|Organization|Tool): \S.*")
_MOST: Final = 100_000
"""Packages, files or relations of one document; there are some 5,000 files in the sources."""


def _real_time(text: str) -> str:
    """Refuse what is not a time in UTC by clause 6.9, such as ``2023-11-13T00:00:00+00:00Z``."""
    try:
        moment = datetime.strptime(text, _CREATED).replace(tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or moment.strftime(_CREATED) != text:
        message = f"{shown(text)} is not a time like 2026-04-07T13:00:00Z"
        raise ValueError(message)
    return text


def _creator(text: str) -> str:
    if not _CREATOR.fullmatch(text):
        message = f"{shown(text)} does not begin with Person, Organization or Tool"
        raise ValueError(message)
    return text


Text = Annotated[str, Field(min_length=1, max_length=4096)]
Id = Annotated[str, Field(alias="SPDXID", pattern=r"^SPDXRef-[A-Za-z0-9.\-]+$", max_length=4096)]


@dataclass(frozen=True, kw_only=True)
class _Checksum:
    algorithm: Literal["SHA1", "SHA256", "MD5", "SHA224", "SHA384", "SHA512"]
    value: Annotated[str, Field(alias="checksumValue", pattern="^[0-9a-f]+$", max_length=128)]


def _whole(sums: tuple[_Checksum, ...]) -> tuple[_Checksum, ...]:
    """Refuse hashes that are cut off, and two by one algorithm."""
    if len({one.algorithm for one in sums}) != len(sums) or any(len(one.value) != _DIGITS[one.algorithm] for one in sums):
        message = "a hash is cut off, or there are two by one algorithm"
        raise ValueError(message)
    return sums


Checksums = Annotated[tuple[_Checksum, ...], FailFast(), Field(max_length=len(_DIGITS)), AfterValidator(_whole)]


@dataclass(frozen=True, kw_only=True)
class _VerificationCode:
    value: Annotated[str, Field(alias="packageVerificationCodeValue", pattern="^[0-9a-f]{40}$")]


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package of clause 7."""

    id: Id
    name: Text
    url: Annotated[Text, Field(alias="downloadLocation")]
    version: Annotated[str, Field(alias="versionInfo", max_length=4096)] = ""
    file_name: Annotated[str, Field(alias="packageFileName", max_length=4096)] = ""
    checksums: Checksums = ()
    verification_code: Annotated[_VerificationCode | None, Field(alias="packageVerificationCode")] = None

    @property
    def hashes(self) -> Mapping[str, str]:
        """Return its hashes by algorithm."""
        return {one.algorithm: one.value for one in self.checksums}


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of clause 8."""

    id: Id
    name: Annotated[Text, Field(alias="fileName")]
    checksums: Checksums

    @property
    def path(self) -> str:
        """Return its path; clause 8.1 wants it to begin with ``./``, and CPython's documents leave that out."""
        return self.name.removeprefix("./")

    @property
    def hashes(self) -> Mapping[str, str]:
        """Return its hashes by algorithm."""
        return {one.algorithm: one.value for one in self.checksums}


@dataclass(frozen=True, kw_only=True)
class _Relation:
    """One relation of clause 11."""

    of: Annotated[Text, Field(alias="spdxElementId")]
    kind: Annotated[str, Field(alias="relationshipType", pattern="^[A-Z_]{1,64}$")]
    to: Annotated[Text, Field(alias="relatedSpdxElement")]


@dataclass(frozen=True, kw_only=True)
class _Creation:
    created: Annotated[str, AfterValidator(_real_time)]
    creators: Annotated[tuple[Annotated[Text, AfterValidator(_creator)], ...], FailFast(), Field(min_length=1, max_length=100)]


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document of clause 6; what is not here is not looked at."""

    id: Annotated[Literal["SPDXRef-DOCUMENT"], Field(alias="SPDXID")]
    spdx_version: Annotated[Literal["SPDX-2.3"], Field(alias="spdxVersion")]
    data_license: Annotated[Literal["CC0-1.0"], Field(alias="dataLicense")]
    name: Text
    namespace: Annotated[Text, Field(alias="documentNamespace")]
    creation: Annotated[_Creation, Field(alias="creationInfo")]
    packages: Annotated[tuple[Package, ...], FailFast(), Field(min_length=1, max_length=_MOST)]
    files: Annotated[tuple[File, ...], FailFast(), Field(max_length=_MOST)] = ()
    relations: Annotated[tuple[_Relation, ...], FailFast(), Field(alias="relationships", min_length=1, max_length=_MOST)]

    @property
    def created(self) -> str:
        """Return when it was made, in UTC."""
        return self.creation.created

    @cached_property
    def _contained(self) -> Mapping[str, list[str]]:
        """Return by the id of each package the ids of the files it contains."""
        found: dict[str, list[str]] = {}
        for relation in self.relations:
            if relation.kind == "CONTAINS":
                found.setdefault(relation.of, []).append(relation.to)
        return found

    def cpython(self, *, name: str) -> Package:
        """Return the one package that the document describes; raise NotProven unless that is CPython."""
        described = [relation.to for relation in self.relations if relation.kind == "DESCRIBES" and relation.of == DOCUMENT]
        found = [package for package in self.packages if package.name == "CPython"]
        if len(found) != 1 or described != [found[0].id]:
            names = [f"it describes {shown(one)}" for one in described] + [f"{package.id} is named CPython" for package in found]
            raise NotProven(f"{name} does not describe exactly one package, CPython; make it anew.", *some(names))
        return found[0]

    def problems(self) -> Iterator[str]:
        """Tell what contradicts itself."""
        counts = Counter([DOCUMENT, *(package.id for package in self.packages), *(file.id for file in self.files)])
        yield from (f"the SPDXID {one} is given {count} times" for one, count in counts.items() if count > 1)
        paths = Counter(file.path for file in self.files)
        yield from (f"{shown(path, longest=200)} is listed {count} times" for path, count in paths.items() if count > 1)
        for file in self.files:
            if not {"SHA1", "SHA256"} <= file.hashes.keys():
                yield f"{shown(file.path, longest=200)} is listed without its SHA-1 or its SHA-256"
        packages, files = {package.id for package in self.packages}, {file.id for file in self.files}
        for relation in self.relations:
            for end in (relation.of, relation.to):
                if end not in counts:
                    yield f"a {relation.kind} names {shown(end, longest=200)}, which does not exist"
            if relation.kind == "CONTAINS" and not (relation.of in packages and relation.to in files):
                yield f"{shown(relation.of, longest=200)} contains {shown(relation.to, longest=200)}: only packages contain, and only files"

    def refuse_loose_files(self, *, name: str) -> None:
        """Raise NotProven unless each file belongs to one package, and each package's code is that of its files (clause 7.9)."""
        owners = Counter(one for files in self._contained.values() for one in files)
        wrong = [f"{file.path} belongs to {owners[file.id]} packages" for file in self.files if owners[file.id] != 1]
        hashes = {file.id: file.hashes["SHA1"] for file in self.files}
        for package in self.packages:
            own = sorted(hashes[one] for one in self._contained.get(package.id, ()))
            code = hashlib.sha1("".join(own).encode(), usedforsecurity=False).hexdigest()
            if package.verification_code and package.verification_code.value != code:
                wrong.append(f"the verification code of {package.name} is not that of its {len(own)} files")
        if wrong:
            raise NotProven(f"{name} contradicts itself about which package has which files; make it anew.", *some(wrong))


def read_document(content: bytes, *, name: str) -> Document:
    """Return the document called ``name``; raise NotProven where it is none or contradicts itself."""
    data = read_json(content, name=name, largest=LARGEST)
    if isinstance(data, dict) and "packages" in data and "creationInfo" not in data:
        why = f"{name} is only a fragment of an SBOM, like CPython's own Misc/sbom.spdx.json; publish the whole document of the archive."
        raise NotProven(why, "it has no creationInfo")
    document = formed(data, _adapter(), name=name)
    if wrong := list(document.problems()):
        raise NotProven(f"{name} contradicts itself ({wrong[0]}); make it anew.", *some(wrong))
    return document


@cache
def _adapter() -> TypeAdapter[Document]:
    return TypeAdapter(Document)
