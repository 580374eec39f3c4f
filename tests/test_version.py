"""Versions: what is one, what is made from one, and what follows what."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.release import version as version_module
from bot.release.ids import release_id, watch_key, work_key
from bot.release.quoting import shown, unseen
from bot.release.version import (
    Kind,
    KindUnclear,
    Level,
    SeriesStatus,
    Version,
    VersionError,
    branch_of,
    kind_of,
    kinds_of,
    sequence_problem,
    successors,
)

numbers = st.integers(min_value=0, max_value=9999)
serials = st.integers(min_value=1, max_value=9999)
finals = st.builds(Version, numbers, numbers, numbers)
prereleases = st.builds(Version, numbers, numbers, numbers, st.sampled_from([Level.ALPHA, Level.BETA, Level.CANDIDATE]), serials)
versions = finals | prereleases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.15.0a3", Version(3, 15, 0, Level.ALPHA, 3)),
        ("3.15.0b1", Version(3, 15, 0, Level.BETA, 1)),
        ("3.14.5rc1", Version(3, 14, 5, Level.CANDIDATE, 1)),
        ("3.15.0", Version(3, 15, 0)),
        ("3.14.10", Version(3, 14, 10)),
    ],
)
def test_a_version_is_read(text: str, expected: Version) -> None:
    assert Version.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "3", "3.15", "3.15b1", "3.15.0a", "3.15.0a0", "3.15.0a01", "03.15.0", "3.015.0", "3.15.00", "3.15.0-a3", "3.15.0.a3",
        "3.15.0A3", "3.15.0c1", "3.15.0rc", "3.15.0f0", "3.15.0+", "3.15.0a3+dev", "v3.15.0a3", " 3.15.0a3", "3.15.0a3 ", "3.15.0a3\n",
        "3.15.0a3\x00", "\u0663.15.0", "3.15.0a\uff13", "3.15.0 a3", "3.15.0a3;ls", "../3.15.0", "3.15.0.post1", "3.15.0.1", ".",
        "-3.15.0", "3.15.0a10000", "9" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(VersionError, match=r"write three numbers .* such as 3\.15\.0a3 or 3\.14\.7\.$") as caught:
        Version.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("major", "level", "serial"), [(-1, Level.FINAL, 0), (3, Level.FINAL, 1), (3, Level.ALPHA, 0), (3, Level.CANDIDATE, -1)]
)
def test_numbers_that_make_no_version_are_refused(major: int, level: Level, serial: int) -> None:
    with pytest.raises(VersionError):
        Version(major, 15, 0, level, serial)


@given(versions)
def test_writing_and_reading_gives_the_same_version(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(versions)
def test_a_version_survives_the_store(version: Version) -> None:
    adapter = TypeAdapter(Version)
    assert adapter.validate_json(adapter.dump_json(version)) == version


@given(st.text())
def test_only_canonical_text_is_a_version(text: str) -> None:
    try:
        version = Version.parse(text)
    except VersionError:
        return
    assert str(version) == text


def test_every_name_of_a_prerelease() -> None:
    version = Version.parse("3.15.0rc2")
    assert version.tag == "v3.15.0rc2"
    assert version.tag_message == "Python 3.15.0rc2"
    assert version.series == "3.15"
    assert version.base == "3.15.0"
    assert version.working_branch == "branch-3.15.0rc2"
    assert version.news_file == "Misc/NEWS.d/3.15.0rc2.rst"
    assert version.next_directive == "3.15"
    assert version.is_prerelease
    assert version.development_suffix == "+dev"
    assert version.slug == "python-3150rc2"


def test_every_name_of_a_bugfix_release() -> None:
    version = Version.parse("3.14.7")
    assert version.tag == "v3.14.7"
    assert version.base == "3.14.7"
    assert version.next_directive == "3.14.7"
    assert not version.is_prerelease
    assert version.development_suffix == "+"
    assert version.slug == "python-3147"


def test_final_sorts_after_its_candidates() -> None:
    texts = ["3.14.10", "3.15.0", "3.15.0a10", "3.15.0rc1", "3.14.5", "3.15.0b1", "3.15.0a9", "3.14.5rc1"]
    in_order = ["3.14.5rc1", "3.14.5", "3.14.10", "3.15.0a9", "3.15.0a10", "3.15.0b1", "3.15.0rc1", "3.15.0"]
    assert [str(version) for version in sorted(map(Version.parse, texts))] == in_order


@pytest.mark.parametrize(
    ("text", "status", "kind", "branch"),
    [
        ("3.16.0a1", "feature", Kind.ALPHA, "main"),
        ("3.15.0b1", "feature", Kind.FIRST_BETA, "main"),
        ("3.15.0b1", "prerelease", Kind.FIRST_BETA, "main"),
        ("3.15.0b2", "prerelease", Kind.BETA, "3.15"),
        ("3.15.0rc3", "prerelease", Kind.CANDIDATE, "3.15"),
        ("3.15.0", "prerelease", Kind.FINAL, "3.15"),
        ("3.15.0", "bugfix", Kind.FINAL, "3.15"),
        ("3.14.5rc1", "bugfix", Kind.CANDIDATE, "3.14"),
        ("3.12.1rc1", "security", Kind.CANDIDATE, "3.12"),
        ("3.14.7", "bugfix", Kind.BUGFIX, "3.14"),
        ("3.12.16", "security", Kind.SECURITY, "3.12"),
    ],
)
def test_kind_and_branch(text: str, status: str, kind: Kind, branch: str) -> None:
    version = Version.parse(text)
    assert kind_of(version, SeriesStatus(status)) is kind
    assert kind in kinds_of(version)
    assert branch_of(version) == branch


@pytest.mark.parametrize(
    ("text", "status", "advice"),
    [
        ("3.14.7", None, "could not be read: write `/release 3.14.7 --as bugfix` or `/release 3.14.7 --as security`"),
        ("3.14.7", "prerelease", "has the status prerelease"),
        ("3.10.20", "end-of-life", "--as security"),
        ("3.15.0a9", "prerelease", "--as alpha"),
        ("3.16.0b2", "feature", "--as beta"),
        ("3.14.5rc1", "prerelease", "--as rc"),
        ("3.15.0", "security", "--as final"),
        ("3.15.1b1", "bugfix", "alphas and betas are made for 3.15.0 only"),
        ("3.15.1a1", None, "please check the version"),
    ],
)
def test_an_unclear_kind_says_how_to_choose(text: str, status: str | None, advice: str) -> None:
    with pytest.raises(KindUnclear, match=re.escape(advice)):
        kind_of(Version.parse(text), SeriesStatus(status) if status else None)


def test_without_a_status_the_version_decides_where_it_can() -> None:
    assert kind_of(Version.parse("3.15.0a3"), None) is Kind.ALPHA
    assert kind_of(Version.parse("3.15.0b1"), None) is Kind.FIRST_BETA
    assert kind_of(Version.parse("3.15.0"), None) is Kind.FINAL


def test_the_end_of_a_series_is_named_like_its_branch() -> None:
    end = Version.end_of("3.10")
    assert (str(end), end.tag, end.tag_message, end.series) == ("3.10", "3.10", "Python 3.10", "3.10")
    assert kinds_of(end) == (Kind.END_OF_LIFE,)
    assert kind_of(end, SeriesStatus.SECURITY) is Kind.END_OF_LIFE
    assert not end.is_prerelease
    assert sequence_problem(end, [Version.parse("3.10.20")]) is None
    for text in ("3", "3.10.0", "3.010", "x.y"):
        with pytest.raises(VersionError, match="is not a series"):
            Version.end_of(text)


def test_a_package_has_names_of_its_own() -> None:
    version = Version.parse("1.30.0b1", package="azure-core")
    assert (str(version), version.tag, version.number) == ("azure-core_1.30.0b1", "azure-core_1.30.0b1", "1.30.0b1")
    assert (version.tag_message, version.series) == ("azure-core 1.30.0b1", "azure-core")
    assert kind_of(version, None) is Kind.PACKAGE
    released = [Version.parse(text, package="azure-core") for text in ("1.29.4", "1.31.0")]
    assert sequence_problem(version, released[:1]) is None
    assert sequence_problem(version, []) is None
    assert "comes before azure-core_1.31.0" in str(sequence_problem(version, released))
    assert "already exists" in str(sequence_problem(released[0], released))


def test_the_series_after_this_one() -> None:
    assert Version.parse("3.15.0b1").next_development == "3.16.0a0"
    assert version_module.numbers("3.9") < version_module.numbers("3.10")


def test_series_are_known_among_labels_and_by_their_status() -> None:
    assert version_module.series_among(["3.15", "type-bug", "3.15.0", "needs backport to 3.14"]) == {"3.15"}
    assert version_module.fits(Kind.ALPHA, Version.parse("3.15.0a3"), SeriesStatus.FEATURE)
    assert not version_module.fits(Kind.CANDIDATE, Version.parse("3.14.5rc1"), SeriesStatus.PRERELEASE)


def test_the_words_of_as() -> None:
    assert [kind.slug for kind in Kind] == ["alpha", "beta1", "beta", "rc", "final", "bugfix", "security", "eol", "package"]
    assert [Kind.from_slug(kind.slug) for kind in Kind] == list(Kind)
    assert Kind.from_slug("first beta") is None


REAL = [
    # What CPython really released, with its irregularities: more or fewer alphas, a third candidate, a candidate of a bugfix release.
    ["3.15.0a1", "3.15.0a2", "3.15.0a3", "3.15.0a4", "3.15.0a5", "3.15.0b1", "3.15.0b2", "3.15.0rc1", "3.15.0rc2", "3.15.0rc3", "3.15.0"],
    ["3.14.3", "3.14.4", "3.14.5rc1", "3.14.5", "3.14.6"],
    ["3.13.8", "3.13.9", "3.13.10", "3.13.11"],
]


@pytest.mark.parametrize("history", REAL)
def test_real_histories_are_natural(history: list[str]) -> None:
    released = [Version.parse(text) for text in history]
    others = [Version.parse("3.2.1"), Version.parse("3.99.0")]
    for number in range(1, len(released)):
        assert sequence_problem(released[number], [*others, *released[:number]]) is None


def test_the_first_release_of_a_series_is_an_alpha() -> None:
    assert sequence_problem(Version.parse("3.17.0a1"), [Version.parse("3.16.0a2")]) is None
    problem = sequence_problem(Version.parse("3.17.0a2"), [])
    assert problem == "3.17.0a2 would be the first release of 3.17, where 3.17.0a1 is expected: please check the version."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3.15.0a3", "3.15.0a3 already exists, so it cannot be released again: take the next version."),
        ("3.15.0a2", "3.15.0a2 comes before 3.15.0a3, the newest release of 3.15, after which 3.15.0a4 or 3.15.0b1 is expected"),
        ("3.15.0a5", "3.15.0a5 does not follow 3.15.0a3, the newest release of 3.15, after which 3.15.0a4 or 3.15.0b1 is expected"),
        ("3.15.0", "3.15.0 does not follow 3.15.0a3"),
    ],
)
def test_a_break_in_the_sequence_is_one_sentence(text: str, problem: str) -> None:
    assert (sequence_problem(Version.parse(text), [Version.parse("3.15.0a3"), Version.parse("3.15.0a1")]) or "").startswith(problem)


@given(versions)
def test_every_successor_comes_later_in_the_same_series(version: Version) -> None:
    for successor in successors(version):
        assert successor > version
        assert successor.series == version.series
        assert sequence_problem(successor, [version]) is None


def test_quoted_text_can_do_nothing() -> None:
    assert shown("`@python/core` <!-- \u202e\n") == "`'@python/core' <!-- \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}`"
    assert shown("x" * 100) == f"`{'x' * 59}…`"
    assert shown(" ") == "nothing"
    assert unseen("plain ünïcode 🎉") == ""


@given(st.text())
def test_quoted_text_is_one_short_visible_span(text: str) -> None:
    span = shown(text)
    assert span == "nothing" or (span.count("`") == 2 and len(span) <= 62 and "\n" not in span and not unseen(span))


def test_releases_of_several_repositories_of_commands_are_told_apart() -> None:
    homes = ["python/cpython", "python/release-talk"]
    assert release_id("cpython", "3.15.0a3", homes, "Python/CPython", 42) == "cpython-3.15.0a3-42"
    assert release_id("cpython", "3.15.0a3", homes, "python/Release-Talk", 42) == "cpython-3.15.0a3-42@python/release-talk"
    assert work_key("cpython", homes, "python/release-talk", 42) == "cpython#42@python/release-talk"
    assert watch_key("cpython") == "cpython"
