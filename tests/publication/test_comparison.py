"""What is wrong with a publication, told once for each rule."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.publication import CHECK, Companion, ExpectedFile, Published, Rule, compare, expected_files, vouching
from bot.publication.problems import _RULES
from bot.release.facts import Finding, Severity
from bot.release.version import Kind, Version
from bot.services.python_org import Download, Downloaded, Limits, Missing, Oversized, PythonOrg, Release, ReleaseFile, Unread, Withheld
from tests.publication.conftest import Box, files_of_series

VERSION = Version.parse("3.15.0a3")
EXPECTED = expected_files(VERSION, Kind.ALPHA, files_of_series("3.15"))
REQUIRED = [file for file in EXPECTED if not file.optional]
RELEASE = Release(
    id=30,
    name="Python 3.15.0a3",
    slug="python-3150a3",
    version=3,
    is_published=True,
    is_latest=False,
    pre_release=True,
    show_on_download_page=True,
    released=datetime(2026, 11, 20, 12, tzinfo=UTC),
    release_notes_url="https://docs.python.org/3.15/whatsnew/3.15.html",
)


def listed(expected: ExpectedFile, number: int = 1) -> ReleaseFile:
    companion = {kind: expected.url + kind if kind in expected.companions else "" for kind in Companion}
    return ReleaseFile(
        id=number,
        name=expected.name,
        slug=f"slug-{number}",
        os=expected.system,
        url=expected.url,
        size=1000 + number,
        sha256=f"{number:064x}",
        is_source=expected.is_source,
        download_button=expected.button,
        gpg_signature=companion[Companion.OPENPGP],
        sigstore_bundle=companion[Companion.SIGSTORE],
        sbom=companion[Companion.SBOM],
    )


FILES = tuple(listed(file, number) for number, file in enumerate(REQUIRED, 1))
TARBALL = FILES[0]
REST = FILES[1:]


def downloaded(file: ReleaseFile) -> Downloaded:
    return Downloaded(size=file.size, md5=f"{file.id:032x}", sha256=f"{file.id:064x}")


BUNDLE = Downloaded(size=7, md5="7" * 32, sha256="7" * 64)
VOUCHING: Mapping[str, Download] = dict.fromkeys(vouching(FILES), BUNDLE)
DOWNLOADS: Mapping[str, Download] = {**{file.url: downloaded(file) for file in FILES}, **VOUCHING}
ALL_RIGHT = Published(release=RELEASE, files=FILES, downloads=DOWNLOADS)


def problems(published: Published) -> dict[str, tuple[str, ...]]:
    findings = compare(VERSION, EXPECTED, published)
    assert all(finding.check == CHECK for finding in findings)
    return {finding.rule: finding.subject for finding in findings}


def test_a_publication_in_which_all_is_right_has_no_finding() -> None:
    assert compare(VERSION, EXPECTED, ALL_RIGHT) == ()


def test_every_rule_has_its_weight_and_its_words() -> None:
    assert set(_RULES) == set(Rule)
    assert {rule for rule, (severity, _) in _RULES.items() if severity is Severity.ACKNOWLEDGE} == {
        Rule.ROW,
        Rule.FILE_DATA,
        Rule.NO_SHA256,
        Rule.NO_BUILDER_HASH,
    }
    assert {rule for rule, (severity, _) in _RULES.items() if severity is Severity.EXPLAINED} == {Rule.SILENT_BUILDER}


@pytest.mark.parametrize(
    ("release", "rule", "subject"),
    [
        (None, Rule.PUBLISHED, "Python 3.15.0a3"),
        (replace(RELEASE, is_published=False), Rule.PUBLISHED, "Python 3.15.0a3"),
        (replace(RELEASE, pre_release=False), Rule.PRE_RELEASE, "Python 3.15.0a3 is not marked as a pre-release"),
        (replace(RELEASE, is_latest=True), Rule.LATEST, "Python 3.15.0a3 is a pre-release"),
        (replace(RELEASE, slug="python-3150a2"), Rule.ROW, "slug is `python-3150a2` instead of python-3150a3"),
        (replace(RELEASE, version=2), Rule.ROW, "version is `2` instead of 3"),
        (replace(RELEASE, name="Python 3.15.0a2"), Rule.ROW, "name is `Python 3.15.0a2` instead of Python 3.15.0a3"),
        (replace(RELEASE, release_notes_url=""), Rule.ROW, "there is no address of the release notes"),
    ],
)
def test_the_release_itself(release: Release | None, rule: Rule, subject: str) -> None:
    assert problems(replace(ALL_RIGHT, release=release)) == {rule: (subject,)}


def test_a_final_release_may_be_the_latest_and_is_no_pre_release() -> None:
    final = Version.parse("3.15.0")
    release = replace(RELEASE, name="Python 3.15.0", slug="python-3150", is_latest=True)
    (finding,) = compare(final, (), Published(release=release, downloads={}))
    assert (finding.rule, finding.subject) == (Rule.PRE_RELEASE, ("Python 3.15.0 is marked as a pre-release",))
    assert compare(final, (), Published(release=replace(release, pre_release=False), downloads={})) == ()


def changed(**fields: object) -> Published:
    """Return a publication in which the tarball is listed differently."""
    file = replace(TARBALL, **fields)  # type: ignore[arg-type]  # the fields of one case
    return replace(ALL_RIGHT, files=(file, *REST), downloads={**DOWNLOADS, file.url: downloaded(TARBALL)})


URL = TARBALL.url
NAME = "`3.15.0/Python-3.15.0a3.tgz`"


@pytest.mark.parametrize(
    ("fields", "rule", "subject"),
    [
        ({"size": 7}, Rule.SIZE, f"{NAME}: 1001 bytes instead of 7"),
        ({"sha256": "f" * 64}, Rule.HASH, f"{NAME}: SHA-256 is {1:064x}, stated is `{'f' * 64}`"),
        ({"sha256": "to come"}, Rule.HASH, f"{NAME}: SHA-256 is {1:064x}, stated is `to come`"),
        ({"md5": "f" * 32}, Rule.HASH, f"{NAME}: MD5 is {1:032x}, stated is `{'f' * 32}`"),
        ({"sha256": "", "md5": "f" * 32}, Rule.HASH, f"{NAME}: MD5 is {1:032x}, stated is `{'f' * 32}`"),
        ({"sha256": "", "md5": f"{1:032x}"}, Rule.NO_SHA256, f"{NAME}: SHA-256 is {1:064x}"),
        ({"sha256": ""}, Rule.NO_HASH, f"{NAME}: SHA-256 is {1:064x}"),
        ({"os": "windows"}, Rule.FILE_DATA, "Python-3.15.0a3.tgz: system is `windows` instead of source"),
        ({"is_source": False}, Rule.FILE_DATA, "Python-3.15.0a3.tgz: source mark is `False` instead of True"),
        ({"download_button": True}, Rule.FILE_DATA, "Python-3.15.0a3.tgz: download button is `True` instead of False"),
        ({"sigstore_bundle": ""}, Rule.COMPANION, "Python-3.15.0a3.tgz: no .sigstore"),
        ({"sbom": ""}, Rule.COMPANION, "Python-3.15.0a3.tgz: no .spdx.json"),
        ({"gpg_signature": f"{URL}x.asc"}, Rule.COMPANION, "Python-3.15.0a3.tgz: `3.15.0/Python-3.15.0a3.tgzx.asc` is not its .asc"),
        ({"sigstore_signature": "x"}, Rule.COMPANION, "Python-3.15.0a3.tgz: `x` is not its .sig"),
        ({"sigstore_certificate": "`@all`\n"}, Rule.COMPANION, "Python-3.15.0a3.tgz: `'@all'\N{REPLACEMENT CHARACTER}` is not its .crt"),
    ],
)
def test_one_listed_file(fields: dict[str, object], rule: Rule, subject: str) -> None:
    assert problems(changed(**fields)) == {rule: (subject,)}


def test_a_companion_that_is_not_asked_for_may_be_there() -> None:
    published = changed(gpg_signature=f"{URL}.asc", sigstore_signature=f"{URL}.sig", sigstore_certificate=f"{URL}.crt")
    unread = (f"{NAME[:-1]}.asc`", f"{NAME[:-1]}.crt`", f"{NAME[:-1]}.sig`")
    assert problems(published) == {Rule.NOT_READ: unread}
    more = {f"{URL}{suffix}": BUNDLE for suffix in (".asc", ".sig", ".crt")}
    assert problems(replace(published, downloads={**DOWNLOADS, **more})) == {}


BUNDLE_NAME = "`3.15.0/Python-3.15.0a3.tgz.sigstore`"


@pytest.mark.parametrize(
    ("download", "rule", "subject"),
    [
        (None, Rule.NOT_READ, BUNDLE_NAME),
        (Unread(why="the site answers 502"), Rule.NOT_READ, BUNDLE_NAME),
        (Missing(), Rule.NOT_SERVED, f"{BUNDLE_NAME}: there is no such file"),
        (Withheld(status=403, why="the site answers 403"), Rule.NOT_SERVED, f"{BUNDLE_NAME}: the site answers 403"),
        (Oversized(limit=9), Rule.SIZE, f"{BUNDLE_NAME}: more than 9 bytes, too many for what vouches for a file"),
        (replace(BUNDLE, size=0), Rule.SIZE, f"{BUNDLE_NAME}: it is empty"),
    ],
)
def test_what_was_handed_out_to_vouch_for_a_file(download: Download | None, rule: Rule, subject: str) -> None:
    url = f"{URL}.sigstore"
    downloads = {other: found for other, found in DOWNLOADS.items() if other != url} | ({url: download} if download else {})
    assert problems(replace(ALL_RIGHT, downloads=downloads)) == {rule: (subject,)}


def test_only_what_is_the_own_of_a_listed_file_vouches_for_it() -> None:
    assert vouching([TARBALL]) == (f"{URL}.sigstore", f"{URL}.spdx.json")
    assert vouching([replace(TARBALL, sigstore_bundle=f"{URL}x.sigstore")]) == (f"{URL}.spdx.json",)
    assert vouching([TARBALL, replace(TARBALL, id=99, url=f"{URL}.sigstore", sigstore_bundle="", sbom="")]) == (f"{URL}.spdx.json",)


@pytest.mark.parametrize(
    ("download", "rule", "subject"),
    [
        (None, Rule.NOT_READ, NAME),
        (Unread(why="the site answers 502"), Rule.NOT_READ, NAME),
        (Missing(), Rule.NOT_SERVED, f"{NAME}: there is no such file"),
        (Withheld(status=403, why="the site answers 403"), Rule.NOT_SERVED, f"{NAME}: the site answers 403"),
        (Oversized(limit=1001), Rule.SIZE, f"{NAME}: more than 1001 bytes instead of 1001"),
        (replace(downloaded(TARBALL), size=1000), Rule.SIZE, f"{NAME}: 1000 bytes instead of 1001"),
        (replace(downloaded(TARBALL), sha256="0" * 64), Rule.HASH, f"{NAME}: SHA-256 is {'0' * 64}, stated is `{1:064x}`"),
    ],
)
def test_what_was_handed_out(download: Download | None, rule: Rule, subject: str) -> None:
    downloads = {url: found for url, found in DOWNLOADS.items() if url != URL} | ({URL: download} if download else {})
    assert problems(replace(ALL_RIGHT, downloads=downloads)) == {rule: (subject,)}


def test_an_empty_file_is_wrong_also_where_the_site_says_so() -> None:
    empty = replace(changed(size=0), downloads={**DOWNLOADS, URL: replace(downloaded(TARBALL), size=0)})
    assert problems(empty) == {Rule.SIZE: (f"{NAME}: 0 bytes instead of 0",)}


def test_missing_files_are_one_finding_with_every_name() -> None:
    (finding,) = compare(VERSION, EXPECTED, replace(ALL_RIGHT, files=FILES[2:]))
    names = ("Python-3.15.0a3.tar.xz", "Python-3.15.0a3.tgz")
    sentence = f"Files are not listed on python.org: {'; '.join(names)}."
    assert finding == Finding(check=CHECK, rule="missing files", severity=Severity.WAIVER, what=sentence, count=2, subject=names)


def test_a_sentence_names_what_can_be_read_and_the_subject_everything() -> None:
    (finding,) = compare(
        VERSION,
        EXPECTED,
        replace(ALL_RIGHT, downloads={**{file.url: replace(downloaded(file), sha256="e" * 64) for file in FILES}, **VOUCHING}),
    )
    assert finding.count == len(finding.subject) == len(FILES)
    assert finding.subject[0] in finding.what
    assert finding.subject[-1] not in finding.what
    assert re.search(r"; and \d more\. Put the right files there", finding.what)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.python.org/ftp/python/3.15.0/Python-3.15.0a2.tgz",
        "https://www.python.org/ftp/python/3.14.0/Python-3.15.0a3.tgz",
        "https://www.python.org/ftp/python/3.15.0/python-3.15.0a3-amd64.exe.exe",
        "https://elsewhere.example/ftp/python/3.15.0/Python-3.15.0a3.tgz",
    ],
)
def test_a_file_of_another_place_is_unknown_and_looked_at_all_the_same(url: str) -> None:
    stranger = replace(TARBALL, id=99, url=url)
    shown = f"`{url.removeprefix('https://www.python.org/ftp/python/')}`"
    found = problems(replace(ALL_RIGHT, files=(*FILES, stranger)))
    assert found == {Rule.UNKNOWN: (shown,), Rule.NOT_READ: (shown,)}
    in_place = problems(replace(ALL_RIGHT, files=(stranger, *REST), downloads={**DOWNLOADS, url: downloaded(TARBALL)}))
    assert in_place == {Rule.UNKNOWN: (shown,), Rule.MISSING: ("Python-3.15.0a3.tgz",)}


def test_a_file_listed_twice_is_found() -> None:
    assert problems(replace(ALL_RIGHT, files=(*FILES, TARBALL))) == {Rule.LISTED_TWICE: (NAME,)}


def test_optional_files_come_all_or_not_at_all() -> None:
    expected = expected_files(Version.parse("3.16.0"), Kind.FINAL, files_of_series("3.16"))
    final = replace(RELEASE, name="Python 3.16.0", slug="python-3160", pre_release=False)

    def found(count: int) -> list[tuple[str, ...]]:
        optional = [file for file in expected if file.optional][:count]
        files = [listed(file, number) for number, file in enumerate([file for file in expected if not file.optional] + optional, 1)]
        downloads = {file.url: downloaded(file) for file in files} | dict.fromkeys(vouching(files), BUNDLE)
        published = Published(release=final, files=files, downloads=downloads)
        return [finding.subject for finding in compare(Version.parse("3.16.0"), expected, published)]

    assert (found(0), found(3)) == ([], [])
    assert found(2) == [("python-3.16.0-embed-arm64.zip",)]


def test_findings_are_told_in_the_order_of_the_rules_and_without_chance() -> None:
    published = Published(release=None, files=FILES[:3][::-1], downloads={})
    rules = [finding.rule for finding in compare(VERSION, EXPECTED, published)]
    assert rules == [Rule.PUBLISHED, Rule.MISSING, Rule.NOT_READ]
    assert compare(VERSION, EXPECTED, published) == compare(VERSION, EXPECTED, replace(published, files=FILES[:3]))


Spoil = Callable[[ReleaseFile], tuple[ReleaseFile | None, Download | None]]
SPOILS: dict[str, Spoil] = {
    "gone": lambda _file: (None, None),
    "unread": lambda file: (file, None),
    "missing": lambda file: (file, Missing()),
    "short": lambda file: (file, replace(downloaded(file), size=file.size - 1)),
    "other": lambda file: (file, replace(downloaded(file), sha256="e" * 64)),
    "unhashed": lambda file: (replace(file, sha256=""), downloaded(file)),
    "elsewhere": lambda file: (replace(file, url=file.url + ".old"), downloaded(file)),
    "mislabelled": lambda file: (replace(file, os="amiga"), downloaded(file)),
}


@given(st.lists(st.one_of(st.none(), st.sampled_from(sorted(SPOILS))), min_size=len(FILES), max_size=len(FILES)), st.permutations(FILES))
def test_nothing_wrong_ever_passes_and_nothing_right_is_ever_named(spoilt: list[str | None], order: list[ReleaseFile]) -> None:
    files: list[ReleaseFile] = []
    downloads: dict[str, Download] = dict(VOUCHING)
    wrong: set[str] = set()
    for how, file in zip(spoilt, order, strict=True):
        row, download = SPOILS[how](file) if how else (file, downloaded(file))
        wrong |= {file.file_name} if how else set()
        if row is not None:
            files.append(row)
        if row is not None and download is not None:
            downloads[row.url] = download
    findings = compare(VERSION, EXPECTED, Published(release=RELEASE, files=files, downloads=downloads))
    told = [
        line.partition(":")[0].strip("`").removeprefix("3.15.0/").removesuffix(".old") for finding in findings for line in finding.subject
    ]
    assert set(told) == wrong
    assert all(finding.count == len(finding.subject) > 0 for finding in findings)


async def test_from_the_server_to_the_findings(box: Box, python_org: PythonOrg) -> None:
    box.site.create_release("Python 3.15.0a3")
    for file in REQUIRED:
        box.site.upload(f"3.15.0/{file.name}", file.name.encode())
        for companion in file.companions:
            box.site.upload(f"3.15.0/{file.name}{companion}", b"{}")
        box.site.register("Python 3.15.0a3", file.url)
    box.site.publish("Python 3.15.0a3")

    async def found() -> dict[str, tuple[str, ...]]:
        release = await python_org.release("Python 3.15.0a3")
        files = await python_org.files(release) if release else ()
        downloads = await python_org.download_all({file.url: file.size for file in files} | dict.fromkeys(vouching(files), 10))
        return problems(Published(release=release, files=files, downloads=downloads))

    assert Limits().concurrency < len(REQUIRED)
    assert await found() == {}
    box.site.corrupt("3.15.0/python-3.15.0a3-amd64.exe")
    box.site.unregister("3.15.0/windows-3.15.0a3.json")
    box.site.change("Python 3.15.0a3", pre_release=False)
    told = await found()
    assert set(told) == {Rule.PRE_RELEASE, Rule.MISSING, Rule.HASH}
    assert told[Rule.MISSING] == ("windows-3.15.0a3.json",)
    assert told[Rule.HASH][0].startswith("`3.15.0/python-3.15.0a3-amd64.exe`: SHA-256 is ")
