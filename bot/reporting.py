"""Keep people informed: one living status comment, one call for everything a person must do, one check run for each step.

1. The status comment is written once and edited whenever its text changes; edits notify nobody.
2. Whoever is waited for is called by a comment of its own, and reminded after a while.
3. Comments whose wish came true get a thumbs-up.
4. A freeze that lasts too long is called out, and so is what is not as it was confirmed after the release.
5. Check runs go to the fork where the App is installed there, and all of them upstream once the commit is there.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot import check_runs, confirming
from bot.context import Context
from bot.desk import DONE, GONE, Desk
from bot.effects import Door, Nature
from bot.errors import Refused
from bot.journal import Json
from bot.release.model import HumanAct, Release
from bot.release.orders import kept_promises
from bot.store.claim import Claim
from bot.words import alarms
from bot.words import status as words

log: Final = logging.getLogger(__name__)


async def report(context: Context, claim: Claim, release: Release, desk: Desk) -> Release:
    """Bring everything people see up to date, and return the release that remembers it.

    What GitHub refuses, because the issue is gone or locked, is tried again at the next look, but keeps nothing else from being told and
    no release from its end: one that is never over would hold its branch for ever.
    """
    for part in (_status, _calls):
        try:
            release = await part(context, claim, release, desk)
        except Refused as refusal:
            log.warning("Of %s not everything could be told: %s", release.id, refusal)
    await _long_freeze(context, release, desk)
    release = await confirming.tell(release, desk)
    for promise in kept_promises(release):
        await desk.react(promise.comment, DONE)
        release = replace(release, promises=tuple(one for one in release.promises if one != promise))
    return await check_runs.post(context, claim, release)


async def _long_freeze(context: Context, release: Release, desk: Desk) -> None:
    """Call a freeze out that lasts longer than the profile wants, and again every time as long."""
    since = min((frozen.since for frozen in release.frozen), default=context.now())
    alarm = timedelta(hours=context.profile.freeze.alarm)
    times = (context.now() - since) // alarm
    if times > 0:
        about = f"freeze-alarm-{release.id}-{release.attempt}-{times}"
        await desk.tell(about, f"{words.marker(release.id)}\n<!-- about={about} -->\n{alarms.long_freeze(release, alarm * times)}")


def status_url(context: Context, release: Release) -> str:
    """Return where the status can be read, or an empty string."""
    if context.url:
        return f"{context.url}/releases/{release.project}/{release.version}"
    return ""


async def _status(context: Context, claim: Claim, release: Release, desk: Desk) -> Release:
    about = f"status-{release.status_lost}" if release.status_lost else "status"
    text = words.status(release, context.specs, about, context.url)
    if release.status_comment is None:
        comment = await desk.say(about, text)
        return replace(release, status_comment=comment, status_digest=_digest(text))
    if _digest(text) == release.status_digest:
        return release
    comment = release.status_comment

    async def edit() -> Mapping[str, Json]:
        await context.github.edit_comment(release.home, comment, text)
        return {}

    revision = release.status_revision + 1
    door = Door(claim, release.id, 0, context.observers)
    try:
        await door("status", f"edit {revision} {_digest(text)}", nature=Nature.REPEATABLE, parameters={"comment": comment}, do=edit)
    except Refused as refusal:
        if refusal.status not in GONE:
            raise
        # Somebody deleted it: the release goes on under another one.
        return await _status(context, claim, replace(release, status_comment=None, status_lost=release.status_lost + 1), desk)
    return replace(release, status_revision=revision, status_digest=_digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


async def _calls(context: Context, _claim: Claim, release: Release, desk: Desk) -> Release:
    people = list(release.people)
    for rows in words.together(release.people, [index for index, act in enumerate(people) if _is_due(context, act)]):
        acts = [people[index] for index in rows]
        about = f"call-{release.id}-{'+'.join(f'{index}-{people[index].told}' for index in rows)}"
        await desk.say(about, words.call(release, acts, about))
        for index in rows:
            people[index] = replace(people[index], told=people[index].told + 1, told_at=context.now())
    return replace(release, people=tuple(people))


def _is_due(context: Context, act: HumanAct) -> bool:
    """Tell whether somebody is to be called, or reminded."""
    remind = timedelta(seconds=context.profile.timing.remind)
    return not act.done and (act.told_at is None or context.now() - act.told_at >= remind)
