"""Open the issue of a release some time before the day for which the published schedule expects it.

1. The schedule is read from time to time, not at every look.
2. A version that is upstream already, or whose release was opened by somebody, gets none.
3. Each version gets one issue, for ever: it is found again by the marker in its first line, also when its day is moved.

Source of the custom: https://peps.python.org/pep-0101/ wants the experts to be told a day ahead.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bot import live_data
from bot.authority import Role
from bot.context import Context
from bot.effects import Door, EffectMismatch, Nature
from bot.errors import Unavailable, UserError
from bot.journal import Json
from bot.profile import Person
from bot.profile.types import KindSource, StepName
from bot.release import schedule
from bot.release.ids import tag_ref
from bot.release.schedule import Planned
from bot.release.version import Kind, KindUnclear, SeriesStatus, Version, kind_of
from bot.services.peps import ScheduledRelease, SeriesCycle
from bot.store.claim import Claim
from bot.store.model import Finished
from bot.store.store import Store
from bot.words import calendar

log: Final = logging.getLogger(__name__)

READS_AHEAD: Final = 24
"""How often the schedule is read in the time that an issue is opened ahead: once in an hour for a day."""

MOST: Final = 8
"""How many releases may be due at once; never were there more than four. What expects more is no schedule, and calls nobody."""


@dataclass(frozen=True, kw_only=True)
class Almanac:
    """When the schedule was read last, or could not be; None: never."""

    read: datetime | None = None


async def look(context: Context, claim: Claim, store: Store, before: Almanac) -> Almanac:
    """Open the issues that are due, when it is time to look; a schedule that cannot be read is read at the next time."""
    ahead, now = timedelta(seconds=context.profile.schedule.ahead), context.now()
    gap = max(timedelta(seconds=context.profile.timing.sweep), ahead / READS_AHEAD)
    if not ahead or context.profile.project.kind_source is not KindSource.PEPS or (before.read and timedelta() <= now - before.read < gap):
        return before
    try:
        cycle, releases = await context.peps.release_cycle(), await context.peps.schedule()
    except Unavailable as silence:
        log.warning("Which releases are due cannot be read now: %s", silence)
        return Almanac(read=now)
    due = _due(context, releases, now.date(), (now + ahead).date())
    if len(due) > MOST:
        log.error(
            "The published schedule expects %s releases by %s, so no issue is opened for any of them.", len(due), (now + ahead).date()
        )
        return Almanac(read=now)
    for planned in due:
        await _announce(context, claim, store, planned, cycle.get(planned.version.series))
    return Almanac(read=now)


def _due(context: Context, releases: Mapping[str, list[ScheduledRelease]], today: date, last: date) -> tuple[Planned, ...]:
    """Return the releases of the series of the profile that are due, each once."""
    of_series = {series: live_data.planned(releases.get(series, [])) for series in context.profile.series}
    due = (one for series, known in of_series.items() for one in schedule.due(known, today, last) if one.version.series == series)
    return tuple({one.version: one for one in due}.values())


async def _announce(context: Context, claim: Claim, store: Store, planned: Planned, cycle: SeriesCycle | None) -> None:
    """Open the issue of one release, unless there is one, or the release has begun or is over."""
    version, door = planned.version, Door(claim, context.profile.name, 0, context.observers)
    name = f"issue of {version}"
    if isinstance(await door.known("calendar", name), Finished):
        return
    # Asked for once an intent is there, the issue may be there too: whatever has happened since, it must be found.
    begun = await door.intended("calendar", name)
    if not begun and (await _is_upstream(context, version) or await _is_opened(context, store, version)):
        return
    try:
        await _open(context, door, name, planned, cycle)
    except (Unavailable, UserError, EffectMismatch) as error:
        # One that cannot be opened now must not keep others from being opened.
        log.warning("The issue of %s could not be opened now: %s", version, error)


async def _is_upstream(context: Context, version: Version) -> bool:
    return await context.github.ref(context.profile.project.repository, tag_ref(version.tag)) is not None


async def _is_opened(context: Context, store: Store, version: Version) -> bool:
    return any(work.version == str(version) for work in await store.works(context.profile.name))


async def _open(context: Context, door: Door, name: str, planned: Planned, cycle: SeriesCycle | None) -> None:
    home = context.profile.project.homes[0]
    marker = calendar.marker(planned.version)
    title, body = calendar.title(planned.version), calendar.body(planned, *_people(context, planned.version, cycle))

    async def find() -> Mapping[str, Json] | None:
        for issue in await context.github.issues_by(home, f"{context.app.slug}[bot]"):
            if issue.body.startswith(marker):
                return {"issue": issue.number}
        return None

    async def do() -> Mapping[str, Json]:
        return {"issue": (await context.github.create_issue(home, title, f"{marker}\n{body}")).number}

    # Not the day: a release whose day is moved is still the same one.
    parameters: Mapping[str, Json] = {"home": home, "version": str(planned.version)}
    await door("calendar", name, nature=Nature.FINDABLE, parameters=parameters, find=find, do=do)


def _people(context: Context, version: Version, cycle: SeriesCycle | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the logins of the manager of the series, or of all of them where nobody knows it, and of the experts with a part in it."""
    profile = context.profile
    manager = profile.by_name(cycle.release_manager) if cycle else None
    managers = (manager,) if manager else profile.people_with(Role.RELEASE_MANAGER)
    kind = _kind(version, SeriesStatus(cycle.status) if cycle else None)
    steps = {spec.name for spec in context.specs if kind not in spec.not_for and spec.fits(version)}
    roles = {work.role for name, work in profile.hand.items() if name.value in steps}
    roles |= {Role.WINDOWS_EXPERT} if StepName.WINDOWS.value in steps else set()
    experts = (person for role in sorted(roles) for person in profile.people_with(role))
    return _logins(managers), _logins(tuple(experts))


def _kind(version: Version, status: SeriesStatus | None) -> Kind | None:
    try:
        return kind_of(version, status)
    except KindUnclear:
        # Then everybody is told who may have a part in it.
        return None


def _logins(people: tuple[Person, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person.login for person in people))
