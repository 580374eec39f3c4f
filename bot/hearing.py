"""Hear one comment: read it again, see who wrote it and whether they may, and answer what is not to be done.

1. The comment is read again from GitHub: a delivery may be old, replayed or shuffled.
2. A deleted one is forgotten, an edited one is refused (invariant I6).
3. What is no command is ignored; what is misspelt gets a hint.
4. The speaker's rights are fetched now. While GitHub cannot say, the comment waits, up to the profile's patience.
5. The answer to a refusal is one reaction and one comment, both found again after a crash.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot import people
from bot.authority import Refused as NotAllowed
from bot.authority import Speaker, judge
from bot.command_types import Command
from bot.commands import NotUnderstood, parse
from bot.desk import Desk
from bot.errors import Refused, Unavailable
from bot.journal import Json, What
from bot.release.ids import CommentId
from bot.release.model import Actor, Release
from bot.release.orders import Order
from bot.release.record import Said
from bot.services.github.shapes import Comment
from bot.words import answers, markdown

NO: Final = "-1"
PUZZLED: Final = "confused"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A command by somebody who may give it; ``warning`` is to be shown."""

    comment: Comment
    command: Command
    order: Order
    warning: str

    def obeyed(self, what: str) -> Said:
        """Return the command as a release remembers it that obeyed; ``what`` is what it did."""
        order, by = self.order, self.order.by
        return Said(verb=self.command.verb, by=by.id, login=by.login, comment=order.comment, said=order.said, at=order.at, what=what)


async def hear(desk: Desk, comment_id: CommentId, told: str | None, since: datetime, release: Release | None) -> Heard | None:
    """Return the command to carry out, or None when there is none or it was refused and answered.

    ``told`` is the body as it was delivered (None: not known), ``since`` when the comment was first heard of.
    """
    # 1. read it again
    comment = await desk.github.comment(desk.home, comment_id)
    # 2. deleted or edited
    if comment is None:
        await desk.note("bot", What.FACT, {"comment": comment_id, "what": "was deleted before it was acted on"})
        return None
    if comment.issue != desk.issue:
        await desk.note("bot", What.FACT, {"comment": comment_id, "what": "belongs to another issue"})
        return None
    if comment.author.id == desk.app.user_id:
        return None
    edited = comment.edited or (told is not None and told != comment.body)
    # 3. no command, or a misspelt one
    command = parse(comment.body)
    if command is None:
        return None
    await desk.react(comment.id, "eyes")
    if edited:
        await desk.refuse(comment, answers.EDITED)
        return None
    if isinstance(command, NotUnderstood):
        await desk.react(comment.id, PUZZLED)
        await desk.answer(comment.id, answers.not_understood(command.why, command.did_you_mean or ""))
        return None
    # 4. the speaker's rights, now
    return await _judged(desk, comment, command, since, release)


async def _judged(desk: Desk, comment: Comment, command: Command, since: datetime, release: Release | None) -> Heard | None:
    speaker = await _speaker(desk, comment, since)
    if speaker is None:
        return None
    judgement = judge(command, speaker, release, desk.profile.experts)
    actor = f"{speaker.login} ({speaker.id})"
    details: dict[str, Json] = {"comment": comment.id, "body": comment.body[:500], "command": command.verb}
    if isinstance(judgement, NotAllowed):
        await desk.note(actor, What.COMMAND, {**details, "refused": judgement.why})
        # 5. the answer
        await desk.refuse(comment, judgement.why, quiet=judgement.quiet)
        return None
    await desk.note(actor, What.COMMAND, {**details, "warning": judgement.warning})
    order = Order(by=Actor(id=speaker.id, login=speaker.login), comment=comment.id, said=comment.created, at=desk.now())
    return Heard(comment=comment, command=command, order=order, warning=judgement.warning)


async def _speaker(desk: Desk, comment: Comment, since: datetime) -> Speaker | None:
    try:
        return await people.speaker(comment.author, desk.profile, desk.github, through_app=comment.through_app)
    except (Unavailable, Refused) as silence:
        patience = timedelta(seconds=desk.profile.timing.authority_patience)
        if desk.now() - since < patience:
            raise silence if isinstance(silence, Unavailable) else Unavailable(str(silence)) from silence
        why = (
            f"GitHub could not tell within {markdown.duration(patience)} whether you may do this ({silence}), so nothing was done; "
            "please try again."
        )
        await desk.refuse(comment, why)
        return None
