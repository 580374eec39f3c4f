"""Talk on one issue: react to a comment, answer it, say something once. Everything goes through the door and is found again."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from bot.effects import Door, Ledger, Nature
from bot.errors import Refused
from bot.journal import Json, Note, What
from bot.profile import Profile
from bot.release.ids import CommentId, IssueNumber, Repository
from bot.services.github import GitHub
from bot.services.github.shapes import App, Comment, Reaction
from bot.words import answers, markdown

log: Final = logging.getLogger(__name__)

ACCEPTED: Reaction = "rocket"
DONE: Reaction = "+1"
REFUSED: Reaction = "-1"

GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One issue, and who speaks there."""

    app: App
    github: GitHub
    home: Repository
    issue: IssueNumber
    door: Door

    async def say(self, about: str, body: str) -> CommentId:
        """Write one comment, unless the one with this ``<!-- about=… -->`` on its second line is there already."""
        line = f"<!-- about={about} -->"
        text = markdown.clipped(body)

        async def find() -> Mapping[str, Json] | None:
            for comment in await self.github.comments(self.home, self.issue):
                if comment.author.id == self.app.user_id and line in comment.body.splitlines()[:2]:
                    return {"comment": comment.id}
            return None

        async def do() -> Mapping[str, Json]:
            return {"comment": (await self.github.create_comment(self.home, self.issue, text)).id}

        parameters: Mapping[str, Json] = {"repository": self.home, "issue": self.issue, "about": about}
        result = await self.door("talk", f"say {about}", nature=Nature.FINDABLE, parameters=parameters, find=find, do=do)
        return CommentId(result["comment"])


@dataclass(frozen=True, kw_only=True)
class Desk(Voice):
    """One issue, and all that is said and heard there. ``door`` counts as attempt 0: talk belongs to comments, not to attempts."""

    profile: Profile
    ledger: Ledger
    now: Callable[[], datetime]

    async def react(self, comment: CommentId, content: Reaction) -> None:
        """Put a reaction on a comment; GitHub answers a second one with the first. One that was deleted meanwhile needs none.

        What GitHub refuses, in an issue that is locked for instance, is let go: a courtesy must not keep anything from being done.
        """

        async def do() -> Mapping[str, Json]:
            try:
                await self.github.react(self.home, comment, content)
            except Refused as refusal:
                if refusal.status not in GONE:
                    raise
                return {"gone": True}
            return {}

        parameters: Mapping[str, Json] = {"repository": self.home, "comment": comment, "content": content}
        try:
            await self.door("talk", f"react {comment} {content}", nature=Nature.REPEATABLE, parameters=parameters, do=do)
        except Refused as refusal:
            log.warning("No reaction to comment %s: %s", comment, refusal)

    async def answer(self, comment: CommentId, text: str, *, about: str = "answer") -> None:
        """Answer one comment, once."""
        name = f"{about}-{comment}"
        await self.tell(name, f"{answers.marker(name)}\n{text}")

    async def tell(self, about: str, body: str) -> None:
        """Write one comment as ``say`` does, if GitHub takes it: one issue that is gone or locked must not hold up what others need."""
        try:
            await self.say(about, body)
        except Refused as refusal:
            log.warning("Nobody could be told “%s” on %s#%s: %s", about, self.home, self.issue, refusal)

    async def refuse(self, comment: Comment, why: str, *, quiet: bool = False) -> None:
        """Say no to a command, and why; quietly where an answer would only make noise."""
        await self.react(comment.id, REFUSED)
        if not quiet:
            await self.answer(comment.id, answers.refused(comment.author.login, why))

    async def has_heard(self, comment: CommentId) -> bool:
        """Tell whether a comment was settled here before; one that comes again by another way must not be judged anew."""
        return await self.door.intended("hear", f"comment {comment}")

    async def settle(self, comment: CommentId) -> None:
        """Remember a comment as settled, where no release remembers it."""

        async def do() -> Mapping[str, Json]:
            return {}

        await self.door("hear", f"comment {comment}", nature=Nature.REPEATABLE, parameters={"repository": self.home}, do=do)

    async def note(self, actor: str, what: What, details: Mapping[str, Json]) -> None:
        """Write one row into the journal."""
        await self.ledger.note([Note(actor=actor, what=what, details=details)])
