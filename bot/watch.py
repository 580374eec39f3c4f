"""Watch over one project's repository, whether or not a release is under way.

1. Freezes that stand on their own: ``/freeze BRANCH REASON`` and ``/unfreeze BRANCH``.
2. What never arrived: failed deliveries are asked for again, and comments are read again.
3. Version tags that appear without a release: in a fork they get their checks, upstream they raise an alarm.
4. Releases that are due soon: each gets an issue.

Everything here is kept in one row of work whose key is the project's name, so it is done by one process at a time.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Final, assert_never

from pydantic import TypeAdapter

from bot import standing, strays, sweep, unannounced, upcoming
from bot.command_types import Freeze, Unfreeze
from bot.context import Context
from bot.desk import ACCEPTED, DONE
from bot.errors import Refused, Unavailable, UserError
from bot.hearing import Heard, hear
from bot.release.ids import CommentId, IssueNumber, Repository
from bot.standing import StandingFreeze
from bot.store.claim import Claim
from bot.store.model import Delivery
from bot.store.store import Store
from bot.unannounced import SeenTags
from bot.upcoming import Almanac

log: Final = logging.getLogger(__name__)

REMEMBERED: Final = 500


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What is remembered of a project between two looks."""

    standing: tuple[StandingFreeze, ...] = ()
    swept: datetime | None = None
    tags: SeenTags = field(default_factory=SeenTags)
    almanac: Almanac = field(default_factory=Almanac)
    heard: tuple[CommentId, ...] = ()
    """The latest comments that were acted on or answered."""


def dump(watch: Watch) -> str:
    """Return the watch as JSON text."""
    return _adapter().dump_json(watch).decode()


def load(text: str | None) -> Watch:
    """Read the watch from JSON text; a project that was never watched has an empty one."""
    return _adapter().validate_json(text) if text else Watch()


@cache
def _adapter() -> TypeAdapter[Watch]:
    return TypeAdapter(Watch)


async def look(context: Context, claim: Claim, store: Store) -> datetime:
    """Do what is due for the project; return when to look again."""
    watch = load(claim.state)
    for delivery in claim.unread:
        if delivery.event == "issue_comment":
            watch = await _listen(context, claim, watch, delivery, store)
        await claim.save(dump(watch), read=[delivery.guid])
    for chore in (_tags, _sweep, _standing_freezes, _upcoming):
        try:
            watch = await chore(context, claim, store, watch)
        except (Unavailable, UserError) as error:
            # One chore that cannot be done must not keep the others from being done.
            log.warning("%s of %s could not be done now: %s", chore.__name__, claim.key, error)
        # Most looks find nothing new, and each save is a commit to the disk.
        if (text := dump(watch)) != claim.state:
            await claim.save(text)
    return context.after(min(context.profile.timing.sweep, context.profile.timing.poll))


async def _tags(context: Context, claim: Claim, store: Store, watch: Watch) -> Watch:
    return replace(watch, tags=await unannounced.look(context, claim, store, watch.tags))


async def _standing_freezes(context: Context, claim: Claim, store: Store, watch: Watch) -> Watch:
    del store
    watch = replace(watch, standing=await standing.still_true(context, claim, watch.standing))
    await standing.call_out(context, claim, watch.standing)
    return watch


async def _upcoming(context: Context, claim: Claim, store: Store, watch: Watch) -> Watch:
    return replace(watch, almanac=await upcoming.look(context, claim, store, watch.almanac))


async def _sweep(context: Context, claim: Claim, store: Store, watch: Watch) -> Watch:
    now = context.now()
    if watch.swept is not None and 0 <= (now - watch.swept).total_seconds() < context.profile.timing.sweep:
        return watch
    await sweep.sweep(context, claim, store, watch.swept)
    try:
        await strays.lift(context, claim, store, watch.standing)
    except (Unavailable, UserError) as error:
        log.warning("Whether freezes were left behind could not be seen now: %s", error)
    return replace(watch, swept=now)


async def _listen(context: Context, claim: Claim, watch: Watch, delivery: Delivery, store: Store) -> Watch:
    home, comment = Repository(delivery.payload["repository"]), CommentId(delivery.payload["comment"])
    if comment in watch.heard:
        return watch
    watch_after = replace(watch, heard=(*watch.heard, comment)[-REMEMBERED:])
    desk = context.desk(claim, home, IssueNumber(delivery.payload["issue"]))
    told = delivery.payload.get("body") if delivery.action == "created" else None
    heard = await hear(desk, comment, told, delivery.received, None)
    if heard is None or not isinstance(heard.command, Freeze | Unfreeze):
        return watch_after
    try:
        answer = await _answer(context, claim, watch, heard, heard.command, store, home=home)
    except Refused as refusal:
        answer = str(refusal)
    if isinstance(answer, str):
        await desk.refuse(heard.comment, answer)
        return watch_after
    watch_after = replace(watch_after, standing=answer.freezes)
    await desk.react(heard.comment.id, ACCEPTED)
    await desk.answer(heard.comment.id, answer.text)
    await desk.react(heard.comment.id, DONE)
    return watch_after


async def _answer(
    context: Context, claim: Claim, watch: Watch, heard: Heard, command: Freeze | Unfreeze, store: Store, *, home: Repository
) -> standing.Answer:
    match command:
        case Freeze():
            return await standing.freeze(context, claim, heard, command, watch.standing, home=home)
        case Unfreeze():
            return await standing.unfreeze(context, claim, heard, command, watch.standing, store)
        case _:
            assert_never(command)
