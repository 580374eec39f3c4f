"""Edit the file that tells which release of Python was made when: as little of it as can be, and only what was understood. Pure.

The file is https://github.com/python/peps/blob/main/release_management/python-releases.toml. People edit it by hand, so lines are changed
and everything else stays as it is, with its comments; what the changed lines mean is then read again and has to be what was wanted.
"""

import copy
import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bot.errors import UserError
from bot.release.version import Kind, Level, SeriesStatus, Version

LEVELS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "candidate"}

BECOMES: Final[Mapping[Kind, tuple[SeriesStatus, SeriesStatus]]] = {
    Kind.FIRST_BETA: (SeriesStatus.FEATURE, SeriesStatus.PRERELEASE),
    Kind.FINAL: (SeriesStatus.PRERELEASE, SeriesStatus.BUGFIX),
    Kind.SECURITY: (SeriesStatus.BUGFIX, SeriesStatus.SECURITY),
    Kind.END_OF_LIFE: (SeriesStatus.SECURITY, SeriesStatus.END_OF_LIFE),
}
"""From which status to which a series goes with a release of some kind: https://devguide.python.org/versions/#status-key."""

DATED: Final[Mapping[Kind, str]] = {
    Kind.FIRST_BETA: "feature-freeze",
    Kind.FINAL: "first-release",
    Kind.END_OF_LIFE: "end-of-life",
}
"""Which date of a series the day of such a release is."""

_EXPECTED: Final = "expected"
_ACTUAL: Final = "actual"
_HEADER: Final = re.compile(r"\[\[?[^\[\]]+\]\]?[ \t]*(?:#.*)?")

Data = dict[str, Any]
"""The file as TOML tells it; its shape is what is looked at."""


class NotUnderstood(UserError):
    """The file is not what it is thought to be, so it has to be edited by hand."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A release that was made; ``branch`` is that of its series."""

    version: Version
    kind: Kind
    day: date
    branch: str


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The lines of one table, from its header to the line before the next one."""

    header: str
    start: int
    end: int


def stage_of(version: Version) -> str:
    """Return how the file calls a version: ``3.15.0 beta 1``, ``3.15.0 final``, ``3.15.1``."""
    if version.level in LEVELS:
        return f"{version.base} {LEVELS[version.level]} {version.serial}"
    return f"{version.base} final" if version.patch == 0 else version.base


def edited(text: str, made: Made) -> str:
    """Return the file with a release in it, the same text where it has all of that already; raise NotUnderstood."""
    before = _read(text)
    lines, wanted = text.split("\n"), copy.deepcopy(before)
    if made.kind is not Kind.END_OF_LIFE:
        lines = _with_release(lines, wanted, made)
    lines = _with_status(lines, wanted, made)
    after = "\n".join(lines)
    # Whatever was overlooked shows here: a table in a text, a key written in another way, a second table of the same name.
    if _read(after) != wanted:
        raise NotUnderstood(f"the lines of {made.version} are written in a way that only people can edit.")
    return after


def difference(before: str, after: str, path: str) -> str:
    """Return what has to be changed, as ``git apply`` takes it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(lines)


def _read(text: str) -> Data:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotUnderstood(f"it is no TOML: {error}.") from None


# --- the entry of the release


def _with_release(lines: list[str], wanted: Data, made: Made) -> list[str]:
    """Return the lines with the day of the release in its own entry, and have ``wanted`` say the same."""
    series = made.version.series
    entries, tables = _entries(wanted, series), [one for one in _tables(lines) if one.header == f'[[release."{series}"]]']
    if len(tables) != len(entries):
        raise NotUnderstood(f"the entries of {series} are written in a way that only people can edit.")
    stage = stage_of(made.version)
    same = [number for number, entry in enumerate(entries) if entry.get("stage") == stage]
    if len(same) > 1:
        raise NotUnderstood(f"{stage} stands in it {len(same)} times.")
    if not same:
        return _inserted(lines, tables, entries, made)
    entry, table = entries[same[0]], tables[same[0]]
    if entry.get("state") == _ACTUAL:
        return lines
    if entry.get("state") != _EXPECTED:
        raise NotUnderstood(f"{stage} is neither expected nor actual in it.")
    entry |= {"state": _ACTUAL, "date": made.day}
    return _changed(_changed(lines, table, "state", json.dumps(_ACTUAL)), table, "date", made.day.isoformat())


def _entries(data: Data, series: str) -> list[Data]:
    releases = data.get("release")
    entries = releases.get(series) if isinstance(releases, dict) else None
    if not isinstance(entries, list) or not entries:
        raise NotUnderstood(f"it has no releases of {series}.")
    return entries


def _inserted(lines: list[str], tables: list[_Table], entries: list[Data], made: Made) -> list[str]:
    """Put a release that nobody expected after the last one that was made, or before the first expected one."""
    place = next((number for number, entry in enumerate(entries) if entry.get("state") == _EXPECTED), len(entries))
    stage = stage_of(made.version)
    entries.insert(place, {"stage": stage, "state": _ACTUAL, "date": made.day})
    block = [tables[0].header, f"stage = {json.dumps(stage)}", f"state = {json.dumps(_ACTUAL)}", f"date = {made.day.isoformat()}"]
    if place < len(tables):
        start = tables[place].start
        return [*lines[:start], *block, "", *lines[start:]]
    end = tables[-1].end
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1
    return [*lines[:end], "", *block, *lines[end:]]


# --- the series


def _with_status(lines: list[str], wanted: Data, made: Made) -> list[str]:
    """Return the lines with what the release makes of its series, and have ``wanted`` say the same."""
    if made.kind not in BECOMES:
        return lines
    series = made.version.series
    metadata = wanted.get("metadata")
    about = metadata.get(series) if isinstance(metadata, dict) else None
    table = next((one for one in _tables(lines) if one.header == f'[metadata."{series}"]'), None)
    if not isinstance(about, dict) or table is None:
        raise NotUnderstood(f"it tells nothing about the series {series}.")
    old, new = BECOMES[made.kind]
    if about.get("status") == new:
        return lines
    if about.get("status") != old:
        raise NotUnderstood(f"{series} has the status {about.get('status')} in it, where {old} or {new} is expected.")
    changes: Data = {"status": new.value}
    if made.kind in DATED:
        changes[DATED[made.kind]] = made.day
    if made.kind is Kind.FIRST_BETA:
        changes["branch"] = made.branch
    about |= changes
    for key, value in changes.items():
        lines = _changed(lines, table, key, value.isoformat() if isinstance(value, date) else json.dumps(value))
    return lines


# --- lines


def _tables(lines: list[str]) -> Iterator[_Table]:
    starts = [number for number, line in enumerate(lines) if _HEADER.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _Table(header=lines[start].partition("#")[0].rstrip(), start=start, end=end)


def _changed(lines: list[str], table: _Table, key: str, value: str) -> list[str]:
    """Return the lines with one value of a table replaced, and the spaces and the comment beside it as they are."""
    pattern = re.compile(rf'({re.escape(key)}[ \t]*=[ \t]*)("[^"\\]*"|[0-9-]+)([ \t]*(?:#.*)?)')
    found = [(number, match) for number in range(table.start, table.end) if (match := pattern.fullmatch(lines[number]))]
    if len(found) != 1:
        raise NotUnderstood(f"the {key} in {table.header} is written in a way that only people can edit.")
    number, match = found[0]
    return [*lines[:number], f"{match[1]}{value}{match[3]}", *lines[number + 1 :]]
