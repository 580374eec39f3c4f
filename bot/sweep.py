"""Find what never arrived (invariant I5): GitHub does not deliver again by itself, and an event it never tried leaves no trace.

Source: https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.commands import STANDING, addressed, is_candidate
from bot.context import Context
from bot.effects import Door, Nature
from bot.errors import Refused
from bot.journal import Json
from bot.release.ids import Repository, watch_key, work_key
from bot.services.github.shapes import Comment
from bot.store.claim import Claim
from bot.store.model import Delivery
from bot.store.store import Store

log: Final = logging.getLogger(__name__)

LONGEST: Final = timedelta(days=3)
"""GitHub keeps deliveries of an App for redelivery this long."""
PULL_REQUEST: Final = "/pull/"
"""What the page of a pull request's comment has in its address; commands are given on issues."""
KEPT: Final = timedelta(days=30)
"""How long handled deliveries are remembered: ten times as long as GitHub can deliver them again."""
MOST_REDELIVERED: Final = 20
MARGIN: Final = timedelta(minutes=5)
"""Clocks differ, and a comment may show up in a list a little after it was made."""


async def sweep(context: Context, claim: Claim, store: Store, last: datetime | None) -> None:
    """Ask for failed deliveries again, and read the comments since the last sweep."""
    now = context.now()
    # A clock that was set back must not open a gap; comments can be read however long nobody listened, deliveries cannot.
    since = min(last or now, now) - MARGIN
    await store.prune(KEPT)
    try:
        await _redeliver_failed(context, claim, max(now - LONGEST, since))
    except Refused as refusal:
        # Comments are read all the same: they are what people wait for.
        log.warning("Failed deliveries could not be asked for: %s", refusal)
    for home in context.profile.project.homes:
        for comment in await context.github.comments_since(home, since):
            if is_candidate(comment.body) and comment.author.id != context.app.user_id and PULL_REQUEST not in comment.url:
                await store.put(_delivery(context, home, comment, now))


async def _redeliver_failed(context: Context, claim: Claim, since: datetime) -> None:
    """Ask for so many at most that nothing else has to wait; what is left over is found by reading comments and refs again."""
    for failed in (await context.github.failed_deliveries(since))[:MOST_REDELIVERED]:
        try:
            await _redeliver(context, claim, failed.id)
        except Refused as refusal:
            log.warning("The delivery %s could not be asked for again: %s", failed.id, refusal)


async def _redeliver(context: Context, claim: Claim, attempt: int) -> None:
    async def ask() -> Mapping[str, Json]:
        await context.github.redeliver(attempt)
        return {}

    # A delivery that arrives twice is stored once, so asking twice does no harm.
    door = Door(claim, context.profile.name, 0, context.observers)
    await door("sweep", f"redeliver {attempt}", nature=Nature.REPEATABLE, parameters={"delivery": attempt}, do=ask)


def _delivery(context: Context, home: Repository, comment: Comment, now: datetime) -> Delivery:
    """Return the comment as if it had been delivered; its GUID makes sure that it is stored once."""
    name = context.profile.name
    return Delivery(
        guid=f"comment-{comment.id}",
        key=watch_key(name) if addressed(comment.body) in STANDING else work_key(name, context.profile.project.homes, home, comment.issue),
        event="issue_comment",
        action="swept",
        payload={"repository": home, "issue": comment.issue, "comment": comment.id},
        received=now,
    )
