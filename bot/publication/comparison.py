"""Hold what python.org shows and hands out against what a release has to have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from bot.publication.files import Companion, ExpectedFile
from bot.publication.problems import Problem, Rule, findings_of, named, quoted
from bot.release.facts import Finding
from bot.release.version import Version
from bot.services.python_org import Download, Downloaded, Missing, Oversized, Release, ReleaseFile, Unread, Withheld

PYTHON: Final = 3
"""The family of all releases of Python 3 in python.org's data."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What python.org shows and hands out.

    ``release`` is None while it shows none; ``downloads``, of files and of what vouches for them, are by their addresses, and so are the
    ``manifests``, whose bytes were kept.
    """

    release: Release | None
    files: Sequence[ReleaseFile] = ()
    downloads: Mapping[str, Download]
    manifests: Mapping[str, bytes] = field(default_factory=dict)


def compare(version: Version, expected: Sequence[ExpectedFile], published: Published) -> tuple[Finding, ...]:
    """Return what differs, at most one finding for each rule; none means that all is as it has to be.

    A file that was not downloaded is a finding as well: nothing counts as right because nobody looked.
    """
    return findings_of(
        [
            *_of_release(version, published.release),
            *_of_list(expected, published.files),
            *(problem for file in published.files for problem in _of_content(file, published.downloads.get(file.url))),
            *(problem for url in vouching(published.files) for problem in _of_companion(url, published.downloads.get(url))),
        ]
    )


def compare_list(
    version: Version, expected: Sequence[ExpectedFile], release: Release | None, files: Sequence[ReleaseFile]
) -> tuple[Finding, ...]:
    """Return what differs in what is listed alone, whatever is handed out; at most one finding for each rule."""
    return findings_of([*_of_release(version, release), *_of_list(expected, files)])


def missing(expected: Sequence[ExpectedFile], files: Sequence[ReleaseFile]) -> tuple[ExpectedFile, ...]:
    """Return the files that have to be listed and are not: also the rest of an optional group of which one is."""
    listed = {file.url for file in files}
    begun = {file.group for file in expected if file.url in listed}
    return tuple(file for file in expected if file.url not in listed and (not file.optional or file.group in begun))


def vouching(files: Sequence[ReleaseFile]) -> tuple[str, ...]:
    """Return the addresses of everything that is listed to vouch for a file, or to tell its parts, where that is its own."""
    of_files = {file.url for file in files}
    right = (url for file in files for companion, url in _companions(file).items() if url == file.url + companion)
    return tuple(url for url in dict.fromkeys(right) if url not in of_files)


def _of_release(version: Version, release: Release | None) -> Iterator[Problem]:
    """Look at the release's own row."""
    if release is None or not release.is_published:
        yield Problem(rule=Rule.PUBLISHED, what=version.tag_message)
    if release is None:
        return
    if release.pre_release is not version.is_prerelease:
        wrong = "marked" if release.pre_release else "not marked"
        yield Problem(rule=Rule.PRE_RELEASE, what=f"{version.tag_message} is {wrong} as a pre-release")
    if release.is_latest and version.is_prerelease:
        yield Problem(rule=Rule.LATEST, what=f"{version.tag_message} is a pre-release")
    usual = {
        "name": (release.name, version.tag_message),
        "slug": (release.slug, version.slug),
        "version": (str(release.version), str(PYTHON)),
    }
    for part, (is_now, should_be) in usual.items():
        if is_now != should_be:
            yield Problem(rule=Rule.ROW, what=f"{part} is {quoted(is_now)} instead of {should_be}")
    if not release.release_notes_url:
        yield Problem(rule=Rule.ROW, what="there is no address of the release notes")


def _of_list(expected: Sequence[ExpectedFile], files: Sequence[ReleaseFile]) -> Iterator[Problem]:
    """Look at which files are listed, and how."""
    by_url = {file.url: file for file in expected}
    listed = [file.url for file in files]
    yield from (Problem(rule=Rule.MISSING, what=wanted.name) for wanted in missing(expected, files))
    for url in sorted({url for url in listed if listed.count(url) > 1}):
        yield Problem(rule=Rule.LISTED_TWICE, what=named(url))
    for file in files:
        known = by_url.get(file.url)
        if known is None:
            yield Problem(rule=Rule.UNKNOWN, what=named(file.url))
        else:
            yield from _of_row(known, file)


def _of_row(expected: ExpectedFile, file: ReleaseFile) -> Iterator[Problem]:
    """Look at how one file of the release is listed."""
    usual = {
        "system": (file.os, expected.system),
        "source mark": (str(file.is_source), str(expected.is_source)),
        "download button": (str(file.download_button), str(expected.button)),
    }
    for part, (is_now, should_be) in usual.items():
        if is_now != should_be:
            yield Problem(rule=Rule.FILE_DATA, what=f"{expected.name}: {part} is {quoted(is_now)} instead of {should_be}")
    for companion, url in _companions(file).items():
        if url and url != file.url + companion:
            yield Problem(rule=Rule.COMPANION, what=f"{expected.name}: {named(url)} is not its {companion}")
        elif not url and companion in expected.companions:
            yield Problem(rule=Rule.COMPANION, what=f"{expected.name}: no {companion}")


def _companions(file: ReleaseFile) -> dict[Companion, str]:
    return {
        Companion.OPENPGP: file.gpg_signature,
        Companion.SIGSTORE: file.sigstore_bundle,
        Companion.SIGSTORE_SIGNATURE: file.sigstore_signature,
        Companion.SIGSTORE_CERTIFICATE: file.sigstore_certificate,
        Companion.SBOM: file.sbom,
    }


def _of_content(file: ReleaseFile, download: Download | None) -> Iterator[Problem]:
    """Look at what was handed out as one listed file, known or not."""
    name = named(file.url)
    match download:
        case Downloaded():
            if file.size != download.size or not download.size:
                yield Problem(rule=Rule.SIZE, what=f"{name}: {download.size} bytes instead of {file.size}", address=file.url)
            yield from _of_hashes(name, file, download)
        case _:
            yield _not_read(file.url, download, f" instead of {file.size}")


def _of_companion(url: str, download: Download | None) -> Iterator[Problem]:
    """Look at what was handed out to vouch for a file: its size and hashes are stated nowhere."""
    match download:
        case Downloaded():
            if not download.size:
                yield Problem(rule=Rule.SIZE, what=f"{named(url)}: it is empty", address=url)
        case _:
            yield _not_read(url, download, ", too many for what vouches for a file")


def _not_read(url: str, download: Missing | Withheld | Oversized | Unread | None, size: str) -> Problem:
    name = named(url)
    match download:
        case None | Unread():
            return Problem(rule=Rule.NOT_READ, what=name)
        case Missing():
            return Problem(rule=Rule.NOT_SERVED, what=f"{name}: there is no such file", address=url)
        case Withheld(why=why):
            return Problem(rule=Rule.NOT_SERVED, what=f"{name}: {why}", address=url)
        case Oversized(limit=limit):
            return Problem(rule=Rule.SIZE, what=f"{name}: more than {limit} bytes{size}", address=url)
        case _:
            assert_never(download)


def _of_hashes(name: str, file: ReleaseFile, download: Downloaded) -> Iterator[Problem]:
    """Hold every hash that is stated against the file; one that is not stated is a finding of its own."""
    stated = (("SHA-256", file.sha256, download.sha256), ("MD5", file.md5, download.md5))
    for algorithm, should_be, is_now in stated:
        if should_be and should_be != is_now:
            yield Problem(rule=Rule.HASH, what=f"{name}: {algorithm} is {is_now}, stated is {quoted(should_be)}", address=file.url)
    if not file.sha256 and not file.md5:
        yield Problem(rule=Rule.NO_HASH, what=f"{name}: SHA-256 is {download.sha256}")
    elif not file.sha256 and file.md5 == download.md5:
        yield Problem(rule=Rule.NO_SHA256, what=f"{name}: SHA-256 is {download.sha256}")
