"""The published schedule: its names, what it expects about now, and what is due."""

from datetime import date

import pytest

from bot.release.schedule import Planned, disagreement, due, version_of
from bot.release.version import Version

TODAY = date(2026, 11, 20)
TOMORROW, YESTERDAY, LATER = date(2026, 11, 21), date(2026, 11, 19), date(2026, 12, 15)


def planned(version: str, day: date, *, made: bool = False) -> Planned:
    return Planned(version=Version.parse(version), day=day, made=made)


SCHEDULE = (planned("3.15.0a2", YESTERDAY, made=True), planned("3.15.0a3", TOMORROW), planned("3.15.0a4", LATER))


@pytest.mark.parametrize(
    ("stage", "version"),
    [
        ("3.15.0 alpha 3", "3.15.0a3"),
        ("3.14.0 beta 1", "3.14.0b1"),
        ("3.14.0 candidate 2", "3.14.0rc2"),
        ("3.14.5 candidate 1", "3.14.5rc1"),
        ("3.14.0 final", "3.14.0"),
        ("3.13.1 final", "3.13.1"),
        ("3.14.7", "3.14.7"),
    ],
)
def test_a_stage_names_a_version(stage: str, version: str) -> None:
    assert str(version_of(stage)) == version


@pytest.mark.parametrize("stage", ["", "3.15", "3.15.0 alpha", "3.15.0 gamma 1", "3.15.0 alpha 0", "three", "3.15.0a3 and more"])
def test_what_is_no_stage_has_no_version(stage: str) -> None:
    assert version_of(stage) is None


@pytest.mark.parametrize(
    ("version", "begun", "words"),
    [
        ("3.15.0a3", TODAY, ""),
        ("3.15.0a3", date(2026, 11, 24), "expects 3.15.0a3 on 2026-11-21, and it was begun on 2026-11-24"),
        ("3.15.0a4", TODAY, "expects 3.15.0a3 on 2026-11-21, before 3.15.0a4"),
        ("3.15.0a2", TODAY, "was made on 2026-11-19 already"),
        ("3.15.0a5", TODAY, "has no 3.15.0a5; it expects 3.15.0a3 on 2026-11-21"),
    ],
)
def test_what_the_schedule_says_otherwise_is_told(version: str, begun: date, words: str) -> None:
    told = disagreement(Version.parse(version), SCHEDULE, begun)
    assert words in told
    assert bool(words) is bool(told)


def test_an_empty_schedule_expects_nothing() -> None:
    assert disagreement(Version.parse("3.15.0a5"), (), TODAY) == "The published schedule has no 3.15.0a5."


def test_only_what_is_expected_from_today_on_is_due() -> None:
    past = planned("3.14.1", YESTERDAY)
    assert [str(one.version) for one in due((*SCHEDULE, past), TODAY, TOMORROW)] == ["3.15.0a3"]
    assert due(SCHEDULE, LATER, LATER) == (SCHEDULE[2],)
    assert due(SCHEDULE, TODAY, TODAY) == ()
