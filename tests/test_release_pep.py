"""The lists of a PEP are made anew from the dates, and only where they agreed with those before."""

from datetime import date

import pytest

from bot.profile.wrap_up import Schedule
from bot.rehearsal.schedule_pep import pep
from bot.release.ids import Repository
from bot.release.version import Kind, Version
from bot.wrapping_up import release_pep
from bot.wrapping_up.release_dates import Made, NotUnderstood, difference, edited
from bot.wrapping_up.release_pep import agreeing, pep_of, rewritten
from bot.wrapping_up.schedule_texts import Wanted, changed, differences, pep_path, wanted

DATES = """\
[metadata."3.15"]
pep = 790
status = "bugfix"
branch = "3.15"
start-of-development = 2025-05-07
first-release = 2026-10-01
feature-freeze = 2026-05-05
end-of-bugfix = 2028-10-10
end-of-life = 2031-10-01

[[release."3.15"]]
stage = "3.15.0 beta 1"
state = "actual"
date = 2026-05-05

[[release."3.15"]]
stage = "3.15.0 final"
state = "actual"
date = 2026-10-01

[[release."3.15"]]
stage = "3.15.1"
state = "actual"
date = 2026-10-02
note = "hotfix"

[[release."3.15"]]
stage = "3.15.2"
state = "expected"
date = 2026-12-01

[[release."3.15"]]
stage = "3.15.3"
state = "expected"
date = 2028-10-03
"""

PEP = """\
PEP: 790
Title: Python 3.15 Release Schedule

.. release schedule: feature

Actual:

- 3.15 development begins: Wednesday, 2025-05-07
- 3.15.0 beta 1: Tuesday, 2026-05-05
  (No new features beyond this point.)
- 3.15.0 final: Thursday, 2026-10-01

.. release schedule: ends

Between them people write what they like, such as the schedule.

.. release schedule: bugfix

Actual:

- 3.15.1: Friday, 2026-10-02
  (hotfix)

Expected:

- 3.15.2: Tuesday, 2026-12-01
- 3.15.3: Tuesday, 2028-10-03
  (Final regular bugfix release with binary installers)

.. release schedule: ends
"""

SECURITY = "\n.. release schedule: security\n\n.. release schedule: ends\n"
PLACE = Schedule(repository=Repository("python/peps"), path="dates.toml", pep="peps/pep-{pep}.rst")


def made(version: str, day: date, kind: Kind = Kind.BUGFIX) -> Made:
    return Made(version=Version.parse(version), kind=kind, day=day, branch="3.15")


def lines(before: str, after: str) -> list[str]:
    """Return the lines that went and came."""
    return [line for line in difference(before, after, "x").splitlines()[2:] if line[0] in "+-"]


def test_what_is_made_of_the_present_dates_is_the_present_text() -> None:
    assert rewritten(PEP, DATES, "3.15") == PEP
    assert rewritten(PEP + SECURITY, DATES, "3.15") == PEP + SECURITY
    assert (pep_of(DATES, "3.15"), pep_path(PLACE, DATES, "3.15")) == (790, "peps/pep-0790.rst")


def test_a_release_goes_from_what_is_expected_to_what_is_made_and_nothing_else_changes() -> None:
    after = edited(DATES, made("3.15.2", date(2026, 12, 6)))
    assert lines(PEP, agreeing(PEP, DATES, after, "3.15")) == ["+- 3.15.2: Sunday, 2026-12-06", "-- 3.15.2: Tuesday, 2026-12-01"]


def test_the_last_expected_release_takes_the_heading_with_it() -> None:
    one = DATES.replace('"expected"\ndate = 2026-12-01', '"actual"\ndate = 2026-12-01')
    before = rewritten(PEP, one, "3.15")
    after = rewritten(before, edited(one, made("3.15.3", date(2028, 10, 3))), "3.15")
    assert lines(before, after) == ["-", "-Expected:", "-"]


def test_what_only_mends_holes_has_a_list_without_headings() -> None:
    after = edited(DATES, made("3.15.4", date(2029, 1, 9)))
    assert lines(PEP + SECURITY, agreeing(PEP + SECURITY, DATES, after, "3.15")) == ["+- 3.15.4: Tuesday, 2029-01-09", "+"]
    with pytest.raises(NotUnderstood, match="it has no list for security releases"):
        agreeing(PEP, DATES, after, "3.15")


@pytest.mark.parametrize("stage", ["3.15.4", "3.15.0 candidate 9"])
@pytest.mark.parametrize("note", ["", "recalled"])
@pytest.mark.parametrize("day", [date(2026, 5, 5), date(2028, 10, 10), date(2029, 2, 3)])
def test_the_lists_are_those_that_the_command_makes(stage: str, note: str, day: date) -> None:
    # The rehearsal has a command of its own, which shares nothing with the bot.
    more = f'\n[[release."3.15"]]\nstage = "{stage}"\nstate = "actual"\ndate = {day}\nnote = "{note}"\n'
    assert rewritten(pep("3.15", DATES), DATES + more, "3.15") == pep("3.15", DATES + more)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PEP.replace("(hotfix)", "(a hotfix)"), "not those that are made of the dates"),
        (PEP.replace("Thursday", "Friday"), "not those that are made of the dates"),
        (PEP.replace(": feature", ": features"), "not marked"),
        (PEP.replace("schedule: ends", "schedule: end"), "not marked"),
        (PEP.replace(": bugfix", ": feature"), "not marked"),
        (PEP + ".. release schedule: ends\n", "not marked"),
        (PEP + ".. the schedule goes on\n", "not marked"),
        ("PEP: 790\n", "not marked"),
        (PEP.partition("Between")[0], "it has no list for bugfix releases"),
        (PEP[:-1], "lines do not end"),
        (PEP.replace("\n", "\r\n"), "not marked"),
        (PEP + "\x0c\n", "lines do not end"),
    ],
)
def test_a_pep_that_is_written_otherwise_is_left_to_people(text: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=says):
        agreeing(text, DATES, edited(DATES, made("3.15.2", date(2026, 12, 1))), "3.15")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pep = 790", "pep = '790'", "not as they are known"),
        ("pep = 790", "", "not as they are known"),
        ("feature-freeze = 2026-05-05", "", "not as they are known"),
        ('note = "hotfix"', 'remark = "hotfix"', "not as they are known"),
        ('state = "expected"', 'state = "cancelled"', "not as they are known"),
        ('[[release."3.15"]]', '[[release."3.14"]]', "not as they are known"),
        ("date = 2028-10-03", "date = 2029-10-03", "3.15.3 is expected after the last bugfix release"),
    ],
)
def test_dates_that_are_written_otherwise_leave_the_pep_to_people(old: str, new: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=says):
        rewritten(PEP, DATES.replace(old, new), "3.15")


def test_the_names_of_the_days_are_english_whatever_the_system_speaks() -> None:
    assert [release_pep.DAYS[date(2026, 11, day).weekday()] for day in (16, 22)] == ["Monday", "Sunday"]


def test_dates_and_pep_are_changed_together() -> None:
    texts = {"dates.toml": DATES, "peps/pep-0790.rst": PEP}
    found = wanted(PLACE, texts, made("3.15.2", date(2026, 12, 1)))
    assert (changed(texts, found.texts), found.by_hand) == (tuple(texts), "")
    assert "+++ b/dates.toml\n" in differences(texts, found.texts)
    assert "+++ b/peps/pep-0790.rst\n" in differences(texts, found.texts)
    # What is there is not changed again.
    assert wanted(PLACE, found.texts, made("3.15.2", date(2026, 12, 1))) == found


def test_the_dates_are_changed_alone_where_there_is_no_pep_or_only_people_can_edit_it() -> None:
    release = made("3.15.2", date(2026, 12, 1))
    after = edited(DATES, release)
    alone = PLACE.model_copy(update={"pep": None})
    assert wanted(alone, {"dates.toml": DATES}, release) == Wanted(texts={"dates.toml": after})
    missing = wanted(PLACE, {"dates.toml": DATES}, release)
    assert missing == Wanted(texts={"dates.toml": after}, by_hand="there is no text at peps/pep-0790.rst.")
    other = {"dates.toml": DATES, "peps/pep-0790.rst": PEP.replace("hotfix", "hot fix")}
    found = wanted(PLACE, other, release)
    assert changed(other, found.texts) == ("dates.toml",)
    assert found.by_hand == "its lists are not those that are made of the dates as they were."
