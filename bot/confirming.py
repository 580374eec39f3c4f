"""Confirm a release again after it is out: what python.org lists, and every byte behind it, has to stay what was confirmed before the push.

1. Some times after the push, by the profile, everything that is listed is read again, byte by byte, as everybody gets it.
2. Whatever differs is told once, in a comment on the release's issue that calls its managers. All right is told by the status alone.
3. That python.org is silent is nobody's fault: it is asked again, ever more rarely, and told once after a while.

The release is over for everybody meanwhile: another one may be opened for its branch.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from bot import fetching, publishing
from bot.context import Context
from bot.desk import Desk
from bot.effects import Door
from bot.errors import Refused, Unavailable, UserError, steady
from bot.profile import Profile
from bot.publication import named
from bot.publication.constancy import GONE, Changes, Followed, Shown, changes
from bot.publishing import ITSELF, Listed
from bot.release import later
from bot.release.ids import WorkKey
from bot.release.later import Difference, Found
from bot.release.model import Alarm, Release
from bot.release.published import FileRead
from bot.services.python_org import Unread
from bot.state import dump, load
from bot.store.claim import Claim
from bot.store.model import Work
from bot.store.store import Store
from bot.tools import Tools
from bot.words import alarms
from bot.words.status import marker

log: Final = logging.getLogger(__name__)


async def look(context: Context, claim: Claim, release: Release) -> Release:
    """Read what was published again if that is due, and remember what was found before anything is told of it."""
    due = later.due(release, context.profile.timing.confirm_again)
    if due is None or due > context.now():
        return release
    release = await _looked(context, claim, release)
    await claim.save(dump(release))
    return release


async def tell(release: Release, desk: Desk) -> Release:
    """Tell what was found; what GitHub refuses, because the issue is locked for instance, is tried again later."""
    for alarm in later.untold(release):
        try:
            await desk.say(alarm.about, f"{marker(release.id)}\n<!-- about={alarm.about} -->\n{alarm.text}")
        except Refused as refusal:
            log.warning("Nobody could be told “%s” of %s: %s", alarm.about, release.id, refusal)
            continue
        release = later.told(release, alarm.about)
    return release


def next_look(context: Context, release: Release) -> datetime | None:
    """Return when to look at a release again that is over; None when nothing of it is looked at any more."""
    due = later.due(release, context.profile.timing.confirm_again)
    wishes = [due] if due else []
    if later.untold(release):
        wishes.append(context.after(context.profile.timing.remind))
    return max(min(wishes), context.now()) if wishes else None


async def forgotten(context: Context, store: Store) -> list[WorkKey]:
    """Return the keys of releases that are over and owe a look, but that nobody would look at: their project was not served for a while."""
    works = [work for work in await store.works(context.profile.name) if work.state and not work.live and work.due is None]
    return [work.key for work in works if (release := _readable(work)) and next_look(context, release)]


def _readable(work: Work) -> Release | None:
    """Return the release of a row; None where it was written in a way nobody can read any more."""
    try:
        return load(work.state or "")
    except ValidationError:
        return None


async def _looked(context: Context, claim: Claim, release: Release) -> Release:
    began = context.now()
    tools = context.tools(Door(claim, release.id, release.attempt, context.observers))
    try:
        listed = await publishing.listed(release, tools)
        known = fetching.still(release.later.known, began - fetching.lasting(context.profile.timing))
        fetched = await fetching.fetch(listed.files, (), known, tools.python_org, began)
    except Unavailable as silence:
        return _silent(context, release, steady(str(silence)), silence.retry_at, release.later.known)
    except UserError as error:
        why = steady(str(error))
        return _found(release, Found(began=began, differences=(Difference(key=why, what=why),), read=release.later.known))
    if fetched.unread:
        return _silent(context, release, _unread(fetched.unread), _patience(fetched.unread), fetched.known)
    if listed.release is None:
        return _found(release, Found(began=began, differences=(GONE,), read=release.later.known))
    changed = _changes(release, listed, fetched.files, tools)
    found = Found(
        began=began,
        differences=changed.differences,
        news=changed.news,
        rows=changed.rows,
        files=changed.files,
        read=fetched.files,
    )
    return _found(release, found)


def _found(release: Release, found: Found) -> Release:
    """Remember what one look found, with an alarm for what is told for the first time."""
    new = later.fresh(release, found.differences)
    if not new:
        return later.seen(release, found)
    digest = hashlib.sha256("\n".join(one.key for one in new).encode()).hexdigest()[:12]
    alarm = Alarm(about=f"changed-{release.id}-{digest}", text=alarms.published_otherwise(release, new))
    return later.alarmed(later.seen(release, found), alarm)


# --- what is compared


def _changes(release: Release, listed: Listed, files: Sequence[FileRead], tools: Tools) -> Changes:
    seen, since = release.publication, release.later
    confirmed = publishing.by_name("\n".join([seen.rows if seen else "", since.rows]))
    before = Shown(rows=confirmed, files={one.url: one for one in (*(seen.files if seen else ()), *since.files)})
    rows = {**publishing.by_name(listed.rows), **_itself(listed, confirmed.get(ITSELF, ""))}
    now = Shown(rows=rows, files={one.url: one for one in files})
    return changes(before, now, listed.files, _late(release, tools.profile))


def _itself(listed: Listed, confirmed: str) -> dict[str, str]:
    """Return the row of the release as it was confirmed, where nothing but the mark of the latest one was given to another meanwhile.

    The site takes it away by itself: https://github.com/python/pythondotorg/blob/main/apps/downloads/models.py.
    """
    if listed.release is None:
        return {}
    other = Listed(release=replace(listed.release, is_latest=not listed.release.is_latest))
    return {ITSELF: confirmed} if publishing.by_name(other.rows)[ITSELF] == confirmed else {}


def _late(release: Release, profile: Profile) -> tuple[Followed, ...]:
    """Return the files that were put off, with what those who make them told of them since."""
    told = {work.name: work.sha256 for work in release.later.hand_work}
    deferred = {one.name for one in release.deferrals}
    steps = {work.file.format(version=release.version): name.value for name, work in profile.hand.items() if name in deferred}
    files = (file for file in publishing.expected(release, profile) if file.name in steps)
    return tuple(Followed(url=file.url, step=steps[file.name], sha256=told.get(steps[file.name], "")) for file in files)


# --- what could not be read


def _unread(unread: Mapping[str, Unread]) -> str:
    """Return which file could not be read, and why; all of them rarely fail for different reasons."""
    url, first = next(iter(unread.items()))
    others = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
    return f"{named(url)}{others}: {steady(first.why)}"


def _patience(unread: Mapping[str, Unread]) -> datetime | None:
    """Return when the site wants to be asked again."""
    return max((one.retry_at for one in unread.values() if one.retry_at), default=None)


def _silent(context: Context, release: Release, why: str, retry_at: datetime | None, known: tuple[FileRead, ...]) -> Release:
    """Look again, the later the longer it lasts; say so once when it has lasted longer than the first of all waits."""
    now, timing = context.now(), context.profile.timing
    since = release.later.silent or now
    lasted = now - since
    pause = min(max(lasted, timedelta(seconds=timing.poll)), timedelta(seconds=max(timing.remind, timing.poll)))
    release = later.silent(release, now, try_again=max(now + pause, retry_at or now), known=known)
    if lasted < timedelta(seconds=min(timing.confirm_again, default=timing.remind)):
        return release
    alarm = Alarm(about=f"silent-{release.id}-{since:%Y%m%d%H%M%S}", text=alarms.publication_unread(release, since, why))
    return later.alarmed(release, alarm)
