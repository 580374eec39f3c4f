"""The file with the days of all releases is edited line by line, and only where it was understood."""

import tomllib
from datetime import date

import pytest

from bot.release.version import Kind, Version
from bot.wrapping_up.release_dates import Made, NotUnderstood, difference, edited, stage_of

DAY = date(2026, 11, 20)

FILE = """\
# People keep this file by hand.

# -- Python 3.14 ---

[metadata."3.14"]
pep = 745
status = "bugfix"
branch = "3.14"
end-of-life = 2030-10-01

[[release."3.14"]]
stage = "3.14.0 final"
state = "actual"
date = 2025-10-07

[[release."3.14"]]
stage = "3.14.1"
state = "expected"  # planned
date = 2025-12-02

# -- Python 3.15 ---

[metadata."3.15"]
pep = 790
status = "feature"
branch =  "main"
feature-freeze = 2026-05-05
first-release = 2026-10-01
end-of-life = 2031-10-01

[[release."3.15"]]
stage = "3.15.0 alpha 2"
state = "actual"
date = 2026-10-14

[[release."3.15"]]
stage = "3.15.0 alpha 3"
state = "expected"
date = 2026-11-18

[[release."3.15"]]
stage = "3.15.0 beta 1"
state = "expected"
date = 2026-12-16
"""


def made(version: str, kind: Kind) -> Made:
    parsed = Version.end_of(version) if kind is Kind.END_OF_LIFE else Version.parse(version)
    return Made(version=parsed, kind=kind, day=DAY, branch=parsed.series)


def changes(before: str, after: str) -> list[str]:
    """Return the lines that went and came."""
    return [line for line in difference(before, after, "x").splitlines()[2:] if line[0] in "+-"]


@pytest.mark.parametrize(
    ("version", "stage"),
    [
        ("3.15.0a3", "3.15.0 alpha 3"),
        ("3.15.0b1", "3.15.0 beta 1"),
        ("3.15.0rc2", "3.15.0 candidate 2"),
        ("3.15.0", "3.15.0 final"),
        ("3.15.1", "3.15.1"),
        ("3.14.5rc1", "3.14.5 candidate 1"),
    ],
)
def test_each_version_has_its_stage(version: str, stage: str) -> None:
    assert stage_of(Version.parse(version)) == stage


def test_what_was_expected_is_actual_on_its_real_day_and_nothing_else_changes() -> None:
    after = edited(FILE, made("3.15.0a3", Kind.ALPHA))
    assert changes(FILE, after) == ['-state = "expected"', "-date = 2026-11-18", '+state = "actual"', "+date = 2026-11-20"]
    assert edited(after, made("3.15.0a3", Kind.ALPHA)) == after


def test_a_comment_beside_a_value_stays() -> None:
    assert 'state = "actual"  # planned' in edited(FILE, made("3.14.1", Kind.BUGFIX))


def test_a_first_beta_takes_its_series_off_main() -> None:
    after = edited(FILE, made("3.15.0b1", Kind.FIRST_BETA))
    about = tomllib.loads(after)["metadata"]["3.15"]
    assert (about["status"], about["branch"], about["feature-freeze"]) == ("prerelease", "3.15", DAY)
    assert 'branch =  "3.15"' in after
    assert edited(after, made("3.15.0b1", Kind.FIRST_BETA)) == after


def test_a_final_release_begins_bugfixes_and_the_end_of_a_series_has_no_entry() -> None:
    ready = FILE.replace('status = "feature"', 'status = "prerelease"').replace("3.15.0 beta 1", "3.15.0 final")
    about = tomllib.loads(edited(ready, made("3.15.0", Kind.FINAL)))["metadata"]["3.15"]
    assert (about["status"], about["first-release"]) == ("bugfix", DAY)
    old = FILE.replace('status = "bugfix"', 'status = "security"')
    after = tomllib.loads(edited(old, made("3.14", Kind.END_OF_LIFE)))
    assert (after["metadata"]["3.14"]["status"], after["metadata"]["3.14"]["end-of-life"]) == ("end-of-life", DAY)
    assert after["release"] == tomllib.loads(FILE)["release"]


def test_a_release_that_nobody_expected_stands_after_those_that_were_made() -> None:
    after = edited(FILE, made("3.15.0a4", Kind.ALPHA))
    assert [one["stage"][-7:] for one in tomllib.loads(after)["release"]["3.15"]] == ["alpha 2", "alpha 4", "alpha 3", " beta 1"]
    assert all(line.startswith("+") for line in changes(FILE, after))
    past = FILE.replace('state = "expected"  # planned', 'state = "actual"')
    last = edited(past, made("3.14.2", Kind.SECURITY))
    assert tomllib.loads(last)["release"]["3.14"][-1] == {"stage": "3.14.2", "state": "actual", "date": DAY}
    assert '\n\n[[release."3.14"]]\nstage = "3.14.2"\nstate = "actual"\ndate = 2026-11-20\n\n# -- Python 3.15 ---\n' in last


def test_a_day_that_people_wrote_down_stays() -> None:
    assert edited(FILE, made("3.15.0a2", Kind.ALPHA)) == FILE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "it is no TOML"),
        ("", "it has no releases of 3.15"),
        (FILE.replace('[[release."3.15"]]', "[[release.'3.15']]"), "only people can edit"),
        (FILE.replace('"3.15.0 alpha 2"', '"3.15.0 beta 1"'), "stands in it 2 times"),
        (FILE.replace('status = "feature"', 'status = "bugfix"'), "where feature or prerelease is expected"),
        (FILE.replace('status = "feature"', 'status = """feature"""'), "the status in"),
        (FILE.replace("date = 2026-12-16", "date = '2026-12-16'"), "the date in"),
        (FILE.replace('state = "expected"\ndate = 2026-12-16', 'state = "cancelled"\ndate = 2026-12-16'), "neither expected nor actual"),
        (FILE.replace("[metadata.", "[about."), "tells nothing about the series 3.15"),
        (FILE.replace("pep = 790", 'note = """\n[[release."3.15"]]\n"""'), "only people can edit"),
        (FILE.replace("pep = 790", 'note = """\nstatus = "feature"\n"""'), "the status in"),
    ],
)
def test_a_file_that_is_written_otherwise_is_left_to_people(text: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=says):
        edited(text, made("3.15.0b1", Kind.FIRST_BETA))
