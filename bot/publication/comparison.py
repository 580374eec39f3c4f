"""Hold what python.org shows and hands out against what a release has to have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final, assert_never

from bot.publication.files import FTP, Companion, ExpectedFile
from bot.release.facts import Finding, Severity
from bot.release.quoting import unseen
from bot.release.version import Version
from bot.services.python_org import Download, Downloaded, Missing, Oversized, Release, ReleaseFile, Withheld

CHECK: Final = "publication"
PYTHON: Final = 3
"""The family of all releases of Python 3 in python.org's data."""


class Rule(StrEnum):
    """What can be wrong, in the order in which it is told; the value is the rule's name in findings."""

    PUBLISHED = "published"
    PRE_RELEASE = "pre-release mark"
    LATEST = "latest mark"
    ROW = "release data"
    MISSING = "missing files"
    UNKNOWN = "unknown files"
    LISTED_TWICE = "files listed twice"
    FILE_DATA = "file data"
    COMPANION = "companions"
    NOT_READ = "files not read"
    NOT_SERVED = "files not handed out"
    SIZE = "sizes"
    HASH = "hashes"
    NO_HASH = "no hash"
    NO_SHA256 = "no SHA-256"


_RULES: Final[Mapping[Rule, tuple[Severity, str]]] = {
    Rule.PUBLISHED: (Severity.WAIVER, "python.org does not show the release"),
    Rule.PRE_RELEASE: (Severity.WAIVER, "The pre-release mark is wrong"),
    Rule.LATEST: (Severity.WAIVER, "The release is marked as the latest"),
    Rule.ROW: (Severity.ACKNOWLEDGE, "The data of the release is not what it usually is"),
    Rule.MISSING: (Severity.WAIVER, "Files are not listed on python.org"),
    Rule.UNKNOWN: (Severity.WAIVER, "Files are listed on python.org that this release does not have"),
    Rule.LISTED_TWICE: (Severity.WAIVER, "Files are listed more than once"),
    Rule.FILE_DATA: (Severity.ACKNOWLEDGE, "Files are not listed as they usually are"),
    Rule.COMPANION: (Severity.WAIVER, "Files are listed without what vouches for them, or with that of another file"),
    Rule.NOT_READ: (Severity.WAIVER, "Files were not read back"),
    Rule.NOT_SERVED: (Severity.WAIVER, "Files are listed but not handed out"),
    Rule.SIZE: (Severity.WAIVER, "Files do not have the size that python.org states"),
    Rule.HASH: (Severity.WAIVER, "Files do not have the hash that python.org states"),
    Rule.NO_HASH: (Severity.WAIVER, "python.org states no hash at all of files"),
    Rule.NO_SHA256: (Severity.ACKNOWLEDGE, "python.org states only the MD5 hash of files, which they have"),
}
"""How much each rule weighs, and how it begins its sentence."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What python.org shows and hands out; ``release`` is None while it shows none, ``downloads`` are by the addresses of the files."""

    release: Release | None
    files: Sequence[ReleaseFile] = ()
    downloads: Mapping[str, Download]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    rule: Rule
    what: str


def compare(version: Version, expected: Sequence[ExpectedFile], published: Published) -> tuple[Finding, ...]:
    """Return what differs, at most one finding for each rule; none means that all is as it has to be.

    A file that was not downloaded is a finding as well: nothing counts as right because nobody looked.
    """
    problems = [
        *_of_release(version, published.release),
        *_of_list(expected, published.files),
        *(problem for file in published.files for problem in _of_content(file, published.downloads.get(file.url))),
    ]
    order = list(Rule)
    problems.sort(key=lambda problem: (order.index(problem.rule), problem.what))
    return tuple(_finding(rule, [problem.what for problem in same]) for rule, same in groupby(problems, key=lambda problem: problem.rule))


def _finding(rule: Rule, lines: Sequence[str]) -> Finding:
    severity, sentence = _RULES[rule]
    what = f"{sentence}: {'; '.join(lines)}."
    return Finding(check=CHECK, rule=rule, severity=severity, what=what, count=len(lines), subject=tuple(lines))


def _of_release(version: Version, release: Release | None) -> Iterator[_Problem]:
    """Look at the release's own row."""
    if release is None or not release.is_published:
        yield _Problem(rule=Rule.PUBLISHED, what=version.tag_message)
    if release is None:
        return
    if release.pre_release is not version.is_prerelease:
        wrong = "marked" if release.pre_release else "not marked"
        yield _Problem(rule=Rule.PRE_RELEASE, what=f"{version.tag_message} is {wrong} as a pre-release")
    if release.is_latest and version.is_prerelease:
        yield _Problem(rule=Rule.LATEST, what=f"{version.tag_message} is a pre-release")
    usual = {
        "name": (release.name, version.tag_message),
        "slug": (release.slug, version.slug),
        "version": (str(release.version), str(PYTHON)),
    }
    for field, (is_now, should_be) in usual.items():
        if is_now != should_be:
            yield _Problem(rule=Rule.ROW, what=f"{field} is {_quoted(is_now)} instead of {should_be}")
    if not release.release_notes_url:
        yield _Problem(rule=Rule.ROW, what="there is no address of the release notes")


def _of_list(expected: Sequence[ExpectedFile], files: Sequence[ReleaseFile]) -> Iterator[_Problem]:
    """Look at which files are listed, and how."""
    by_url = {file.url: file for file in expected}
    listed = [file.url for file in files]
    begun = {by_url[url].group for url in listed if url in by_url}
    for wanted in expected:
        if wanted.url not in listed and (not wanted.optional or wanted.group in begun):
            yield _Problem(rule=Rule.MISSING, what=wanted.name)
    for url in sorted({url for url in listed if listed.count(url) > 1}):
        yield _Problem(rule=Rule.LISTED_TWICE, what=_named(url))
    for file in files:
        known = by_url.get(file.url)
        if known is None:
            yield _Problem(rule=Rule.UNKNOWN, what=_named(file.url))
        else:
            yield from _of_row(known, file)


def _of_row(expected: ExpectedFile, file: ReleaseFile) -> Iterator[_Problem]:
    """Look at how one file of the release is listed."""
    usual = {
        "system": (file.os, expected.system),
        "source mark": (str(file.is_source), str(expected.is_source)),
        "download button": (str(file.download_button), str(expected.button)),
    }
    for field, (is_now, should_be) in usual.items():
        if is_now != should_be:
            yield _Problem(rule=Rule.FILE_DATA, what=f"{expected.name}: {field} is {_quoted(is_now)} instead of {should_be}")
    for companion, url in _companions(file).items():
        if url and url != file.url + companion:
            yield _Problem(rule=Rule.COMPANION, what=f"{expected.name}: {_named(url)} is not its {companion}")
        elif not url and companion in expected.companions:
            yield _Problem(rule=Rule.COMPANION, what=f"{expected.name}: no {companion}")


def _companions(file: ReleaseFile) -> dict[Companion, str]:
    return {
        Companion.OPENPGP: file.gpg_signature,
        Companion.SIGSTORE: file.sigstore_bundle,
        Companion.SIGSTORE_SIGNATURE: file.sigstore_signature,
        Companion.SIGSTORE_CERTIFICATE: file.sigstore_certificate,
        Companion.SBOM: file.sbom,
    }


def _of_content(file: ReleaseFile, download: Download | None) -> Iterator[_Problem]:
    """Look at what was handed out as one listed file, known or not."""
    name = _named(file.url)
    match download:
        case None:
            yield _Problem(rule=Rule.NOT_READ, what=name)
        case Missing():
            yield _Problem(rule=Rule.NOT_SERVED, what=f"{name}: there is no such file")
        case Withheld(why=why):
            yield _Problem(rule=Rule.NOT_SERVED, what=f"{name}: {why}")
        case Oversized(limit=limit):
            yield _Problem(rule=Rule.SIZE, what=f"{name}: more than {limit} bytes instead of {file.size}")
        case Downloaded():
            if file.size != download.size or not download.size:
                yield _Problem(rule=Rule.SIZE, what=f"{name}: {download.size} bytes instead of {file.size}")
            yield from _of_hashes(name, file, download)
        case _:
            assert_never(download)


def _of_hashes(name: str, file: ReleaseFile, download: Downloaded) -> Iterator[_Problem]:
    """Hold every hash that is stated against the file; one that is not stated is a finding of its own."""
    stated = (("SHA-256", file.sha256, download.sha256), ("MD5", file.md5, download.md5))
    for algorithm, should_be, is_now in stated:
        if should_be and should_be != is_now:
            yield _Problem(rule=Rule.HASH, what=f"{name}: {algorithm} is {is_now}, stated is {_quoted(should_be)}")
    if not file.sha256 and not file.md5:
        yield _Problem(rule=Rule.NO_HASH, what=f"{name}: SHA-256 is {download.sha256}")
    elif not file.sha256 and file.md5 == download.md5:
        yield _Problem(rule=Rule.NO_SHA256, what=f"{name}: SHA-256 is {download.sha256}")


def _named(url: str) -> str:
    """Return the name of a file on python.org, or the address of anything else."""
    return _quoted(url.removeprefix(FTP))


def _quoted(text: str) -> str:
    """Return what somebody typed as a code span, whole, so that an acknowledgement is for exactly this; the site takes 200 characters."""
    harmless = "".join("\N{REPLACEMENT CHARACTER}" if unseen(character) else character for character in text).replace("`", "'")
    return f"`{harmless}`" if harmless else "nothing"
