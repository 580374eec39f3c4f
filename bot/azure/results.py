"""Read what a run on Azure Pipelines leaves behind: whose certificate signed it, and the hashes of the files that it published.

The pipeline that writes them: https://github.com/python/release-tools/tree/main/windows-release.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.errors import UserError
from bot.release.facts import BuiltFile
from bot.services.answers import MalformedAnswer, one_line
from bot.services.azure_devops import AzureRefused
from bot.services.azure_devops.shapes import Run
from bot.tools import Tools

SIGNED: Final = "signed"
"""The tag that the pipeline puts on a run whose files it signed; it does so for every certificate, also for one that proves nothing."""

CERTIFICATE: Final = ("cert", "certinfo.json")
"""Artifact and file in which a run shows the certificate that signed it."""

HASHES: Final = "hashes"
"""The artifact with the hashes of installers and embeddable packages; a run without installers has none."""

MANAGER_HASHES: Final = "pymanager_hashes"
"""The artifact with the hashes of what the install manager installs."""

MANAGER_INDEX: Final = "pymanager_index"
"""The artifact with the index of the install manager as the run published it."""

HASH_FILE: Final = "hashes.txt"

_MADE_INSTALLERS: Final = "DoMSI"
"""The parameter that makes installers, and with them the artifact of their hashes; true where it is left out."""

_MADE_PACKAGES: Final = "DoPyManager"
"""The parameter that makes what the install manager installs; true where it is left out."""

_ROW: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._+-]*)\s+([0-9A-Fa-f]+)(?:\s+([0-9]+))?", re.ASCII)
_NO_ROW: Final = re.compile(r"|Name\s+\w+(\s+Length)?|-+(\s+-+)*", re.ASCII)
"""What stands between the rows: empty lines, the heads of the columns, and the strokes below them."""

_SHA256, _MD5 = 64, 32
"""How many hexadecimal digits a hash has."""

_PART: Final = re.compile(r'\s*([A-Za-z0-9.]+)=("(?:[^"]|"")*"|[^",+;]*)(?:[,+;]|$)', re.ASCII)
"""One part of a name as .NET writes it: values with a comma are quoted (https://learn.microsoft.com/en-us/dotnet/api/system.security.cryptography.x509certificates.x500distinguishedname)."""


class Unreadable(UserError):
    """Something that a run left behind cannot be read, so nothing can be concluded from it."""


@dataclass(frozen=True, kw_only=True)
class _Certificate:
    """What `certinfo.json` says."""

    Subject: str


_CERTIFICATE = TypeAdapter(_Certificate)


async def certificate_problem(run: Run, wanted: str, tools: Tools) -> str:
    """Return why a run is not signed with the certificate that names this subject, or an empty string; nothing is asked without one."""
    if not wanted:
        return ""
    if SIGNED not in run.tags:
        return f"it is not signed: the tag “{SIGNED}” is missing."
    artifact, file = CERTIFICATE
    try:
        subject = subject_of(await tools.azure.artifact_text(run.id, artifact, file))
    except (AzureRefused, MalformedAnswer, Unreadable) as error:
        if isinstance(error, AzureRefused) and error.denied:
            raise
        return f"it does not show which certificate signed it: {error}"
    names = common_names(subject)
    return "" if names == (wanted,) else f"it is signed with the certificate of {one_line(subject) or 'nobody'}, not of {wanted}."


def subject_of(text: str) -> str:
    """Return whom a certificate was issued to, of the text that the pipeline writes; raise Unreadable."""
    try:
        return _CERTIFICATE.validate_json(text).Subject
    except ValidationError:
        raise Unreadable(f"{CERTIFICATE[1]} is not the short JSON with a Subject that the pipeline writes.") from None


def common_names(subject: str) -> tuple[str, ...]:
    """Return the common names in a subject as .NET writes it; none for a text of another form."""
    names, at = [], 0
    while at < len(subject):
        part = _PART.match(subject, at)
        if part is None or part.end() == at:
            return ()
        if part[1].upper() == "CN":
            names.append(part[2].strip().removeprefix('"').removesuffix('"').replace('""', '"'))
        at = part.end()
    return tuple(names)


async def published_files(run: Run, tools: Tools) -> tuple[BuiltFile, ...]:
    """Return the files that a run published; raise Unreadable where it should tell them and does not.

    Of what the install manager installs it tells in a table of its own; series without installers have that one alone.
    """
    classic = parse_hashes(await _text(run, HASHES, tools)) if _made(run, _MADE_INSTALLERS) else ()
    if not _made(run, _MADE_PACKAGES):
        return classic
    there = {artifact.name for artifact in await tools.azure.artifacts(run.id)}
    if missing := [name for name in (MANAGER_INDEX, MANAGER_HASHES) if name not in there]:
        raise Unreadable(
            f"{run.name} should have published the index of the install manager, but left no artifact {' and no '.join(missing)}."
        )
    # Beside the packages it lists the index of all versions, which is another one after every release.
    packages = (file for file in parse_hashes(await _text(run, MANAGER_HASHES, tools)) if file.name.endswith(".zip"))
    return (*classic, *packages)


def _made(run: Run, parameter: str) -> bool:
    return run.parameters.get(parameter, "true").lower() == "true"


async def _text(run: Run, artifact: str, tools: Tools) -> str:
    try:
        return await tools.azure.artifact_text(run.id, artifact, HASH_FILE)
    except MalformedAnswer as error:
        raise Unreadable(f"{HASH_FILE} in the artifact {artifact} of {run.name} cannot be read: {error}") from None
    except AzureRefused as refusal:
        if refusal.denied:
            raise
        raise Unreadable(f"{run.name} should tell the hashes of its files, but does not: {refusal}") from None


@dataclass
class _Told:
    """What the tables say of one file."""

    sha256: set[str] = field(default_factory=set)
    md5: set[str] = field(default_factory=set)
    sizes: set[int] = field(default_factory=set)


def parse_hashes(text: str) -> tuple[BuiltFile, ...]:
    """Return the files of ``hashes.txt``: tables of name, hash and length, one below the other, one for each algorithm.

    Columns may have any width. Raise Unreadable for a line that is none of a table, a file without a SHA-256, and tables that contradict
    each other.
    """
    told: dict[str, _Told] = {}
    for name, digest, size in _rows(text):
        of_file = told.setdefault(name, _Told())
        (of_file.sha256 if len(digest) == _SHA256 else of_file.md5).add(digest)
        of_file.sizes |= {size} if size is not None else set()
    if not told:
        raise Unreadable(f"{HASH_FILE} lists no file at all.")
    return tuple(_file(name, of_file) for name, of_file in told.items())


def _rows(text: str) -> Iterator[tuple[str, str, int | None]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if _NO_ROW.fullmatch(stripped):
            continue
        row = _ROW.fullmatch(stripped)
        if row is None or len(row[2]) not in (_SHA256, _MD5):
            raise Unreadable(f"Line {number} of {HASH_FILE} is no row of a table of names, hashes and lengths.")
        yield row[1], row[2].lower(), int(row[3]) if row[3] else None


def _file(name: str, told: _Told) -> BuiltFile:
    if len(told.sha256) > 1 or len(told.md5) > 1 or len(told.sizes) > 1:
        raise Unreadable(f"{HASH_FILE} contradicts itself about {name}.")
    if not told.sha256:
        raise Unreadable(f"{HASH_FILE} has no SHA-256 of {name}.")
    return BuiltFile(name=name, sha256=next(iter(told.sha256)), size=next(iter(told.sizes), None))
