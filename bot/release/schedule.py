"""The published schedule of releases: which version is expected when, and which was made already. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.release.version import Version, VersionError

NEAR: Final = timedelta(days=1)
"""How far from the planned day a release still counts as made on it: a day has no zone, and the world has many."""

_STAGE: Final = re.compile(r"(?P<base>[0-9]+\.[0-9]+\.[0-9]+)(?: (?P<level>alpha|beta|candidate) (?P<serial>[0-9]+)| final)?")
_TOKENS: Final = {"alpha": "a", "beta": "b", "candidate": "rc"}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One release of the schedule; ``made``: it was released on that day, and is not only expected."""

    version: Version
    day: date
    made: bool


def version_of(stage: str) -> Version | None:
    """Return the version that the schedule calls by a stage such as ``3.15.0 candidate 1``; None for one that is none, or very old.

    The names: https://github.com/python/peps/blob/main/release_management/python-releases.toml.
    """
    match = _STAGE.fullmatch(stage.strip())
    if match is None:
        return None
    end = f"{_TOKENS[match['level']]}{match['serial']}" if match["level"] else ""
    try:
        return Version.parse(f"{match['base']}{end}")
    except VersionError:
        return None


def disagreement(version: Version, schedule: Sequence[Planned], begun: date) -> str:
    """Return one sentence where the schedule of the series expects something else than this version on the day on which it was begun.

    It stays the same from day to day. An empty one: exactly this is expected, and about now.
    """
    mine = next((one for one in schedule if one.version == version), None)
    expected = sorted((one for one in schedule if not one.made), key=lambda one: (one.day, one.version))
    if mine is None:
        instead = f"; it expects {expected[0].version} on {expected[0].day}" if expected else ""
        return f"The published schedule has no {version}{instead}."
    if mine.made:
        return f"The published schedule says that {version} was made on {mine.day} already."
    if expected[0].version != version:
        return f"The published schedule expects {expected[0].version} on {expected[0].day}, before {version} on {mine.day}."
    if abs(mine.day - begun) > NEAR:
        return f"The published schedule expects {version} on {mine.day}, and it was begun on {begun}."
    return ""


def due(schedule: Sequence[Planned], today: date, last: date) -> tuple[Planned, ...]:
    """Return what is expected from today on up to the last day, the earliest first."""
    fitting = (one for one in schedule if not one.made and today <= one.day <= last)
    return tuple(sorted(fitting, key=lambda one: (one.day, one.version)))
