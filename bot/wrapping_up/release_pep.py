"""Rewrite the lists of releases in the PEP of a series, so that they agree with the file of dates. Pure.

``python -m release_management update-peps`` of https://github.com/python/peps does that for people. What stands between the markers of a
list is made anew from https://github.com/python/peps/blob/main/release_management/python-releases.toml, and all else stays as it is:
https://github.com/python/peps/blob/main/release_management/update_release_schedules.py.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, Strict, TypeAdapter, ValidationError

from bot.wrapping_up.release_dates import NotUnderstood

State = Literal["actual", "expected"]

STATES: Final[tuple[State, ...]] = ("actual", "expected")
"""In this order they stand in a list."""

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""The names of the days in English, whatever the language of this system is."""

FREEZE: Final = "No new features beyond this point."
LAST: Final = "Final regular bugfix release with binary installers"

_MARK: Final = ".. release schedule: "
_LIST: Final = re.compile(rf"^{re.escape(_MARK)}(feature|bugfix|security)\n(.*?)^{re.escape(_MARK)}ends$", re.MULTILINE | re.DOTALL)

_Date = Annotated[date, Strict()]


class Part(StrEnum):
    """The lists a PEP may have: what leads to the first release, what mends bugs, and what only mends holes."""

    FEATURE = "feature"
    BUGFIX = "bugfix"
    SECURITY = "security"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a list: ``stage`` is what happens or happened on that day, ``note`` what has to be known about it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    stage: str
    state: State
    date: _Date
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SeriesDates:
    """What the file of dates tells about a series."""

    __pydantic_config__ = ConfigDict(extra="ignore")

    pep: Annotated[int, Strict(), Field(ge=1, le=9999)]
    begins: Annotated[_Date, Field(validation_alias="start-of-development")]
    freeze: Annotated[_Date, Field(validation_alias="feature-freeze")]
    last_bugfix: Annotated[_Date, Field(validation_alias="end-of-bugfix")]


@dataclass(frozen=True, kw_only=True)
class _Dates:
    metadata: Mapping[str, SeriesDates]
    release: Mapping[str, Sequence[Entry]]


_DATES: Final = TypeAdapter(_Dates)


def pep_of(dates: str, series: str) -> int:
    """Return the number of the PEP of a series; raise NotUnderstood where the dates do not tell it."""
    about, _ = _read(dates, series)
    return about.pep


def agreeing(text: str, before: str, after: str, series: str) -> str:
    """Return the PEP for the dates ``after``, if it is what is made of those ``before``; raise NotUnderstood where it is not.

    Whoever wrote something else into the lists, or changed how they are made, has a reason that nobody here knows of.
    """
    if rewritten(text, before, series) != text:
        raise NotUnderstood("its lists are not those that are made of the dates as they were.")
    return rewritten(text, after, series)


def rewritten(text: str, dates: str, series: str) -> str:
    """Return the PEP of a series with its lists as the dates tell them; raise NotUnderstood where it is not as it is known."""
    about, releases = _read(dates, series)
    entries = _by_part(about, releases, series)
    marks = [line for line in text.splitlines() if line.startswith(".. ") and "schedule" in line]
    lists = [Part(found[1]) for found in _LIST.finditer(text)]
    if not lists or len(lists) != len(set(lists)) or len(marks) != 2 * len(lists):
        raise NotUnderstood("its lists are not marked as they are known to be.")
    if unlisted := sorted(part for part in Part if entries[part] and part not in lists):
        raise NotUnderstood(f"it has no list for {' and '.join(unlisted)} releases.")
    if text.splitlines() != text.split("\n")[:-1]:
        raise NotUnderstood("its lines do not end as they are known to.")
    return _LIST.sub(lambda found: f"{_MARK}{found[1]}\n{schedule_of(entries[Part(found[1])], about, Part(found[1]))}{_MARK}ends", text)


def schedule_of(entries: Sequence[Entry], about: SeriesDates, part: Part) -> str:
    """Return what stands between the markers of a list, each of its lines with its end."""
    return "".join(f"{line}\n" for line in _lines(entries, about, part))


def _lines(entries: Sequence[Entry], about: SeriesDates, part: Part) -> Iterator[str]:
    for state in STATES:
        chosen = [entry for entry in entries if entry.state == state]
        if not chosen:
            continue
        yield ""
        if part is not Part.SECURITY:
            yield from (f"{state.title()}:", "")
        for entry in chosen:
            yield f"- {entry.stage}: {DAYS[entry.date.weekday()]}, {entry.date.isoformat()}"
            yield from (f"  ({said})" for said in (entry.note, FREEZE if entry.date == about.freeze else "") if said)
    if part is Part.BUGFIX:
        yield f"  ({LAST})"
    yield ""


def _by_part(about: SeriesDates, releases: Sequence[Entry], series: str) -> Mapping[Part, list[Entry]]:
    """Return the lines of each list. Development has begun: nobody rewrites a PEP for a release before it has."""
    parts: dict[Part, list[Entry]] = {part: [] for part in Part}
    parts[Part.FEATURE].append(Entry(stage=f"{series} development begins", state="actual", date=about.begins))
    for entry in releases:
        if entry.stage.startswith(f"{series}.0"):
            parts[Part.FEATURE].append(entry)
        elif entry.date <= about.last_bugfix:
            parts[Part.BUGFIX].append(entry)
        elif entry.state == "actual":
            parts[Part.SECURITY].append(entry)
        else:
            # The command of people stops there as well.
            raise NotUnderstood(f"{entry.stage} is expected after the last bugfix release.")
    return parts


def _read(dates: str, series: str) -> tuple[SeriesDates, Sequence[Entry]]:
    """Read one series: what the file tells of the others does not matter."""
    try:
        data = tomllib.loads(dates)
        chosen = {name: {series: data[name][series]} for name in ("metadata", "release")}
        found = _DATES.validate_python(chosen)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError):
        raise NotUnderstood(f"the dates of {series} are not as they are known to be.") from None
    return found.metadata[series], found.release[series]
