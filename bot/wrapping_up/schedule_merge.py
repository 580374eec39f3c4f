"""Merge the pull request that proposes the day of a release, where the profile lets the bot and it holds nothing but what the bot wrote.

Whatever keeps it from being merged, a review or a check for instance, is for people to see to: they are handed the merge as a row. So they
are where it lacks the lists of the PEP, which they have to add first.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.effects import Nature
from bot.errors import Refused, Unavailable
from bot.journal import Json
from bot.profile.wrap_up import Schedule
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.services.github.proposals import PullRequest, WholePullRequest
from bot.tools import Tools
from bot.words import schedule as words
from bot.wrapping_up.piece import STEP, Left, Piece, tried
from bot.wrapping_up.schedule_texts import Texts, changed

ADVICE: Final = "Please merge it there."

TOO_MUCH: Final = "it holds more than the one change that the bot made."

FILES: Final = 2
"""How many files it changes at most, each by a commit of its own: the dates, and the PEP that lists them."""

PATIENCE: Final = timedelta(minutes=10)
"""How long GitHub may work out whether a new pull request can be merged; it is tried all the same then."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The files as a commit or branch has them, and what the bot makes of their texts; both raise UserError.

    ``by_hand`` says why people have to add the lists of the PEP; empty where they need not.
    """

    read: Callable[[str], Awaitable[Texts]]
    change: Callable[[Texts], Texts]
    by_hand: str = ""


async def merge(release: Release, tools: Tools, place: Schedule, pull: PullRequest, edit: Edit) -> Piece:
    """Merge it, once; what is not merged is left to people, unless they turned it down. Raises Unavailable."""
    what = f"pull request {place.repository}#{pull.number}"
    name = f"merge {words.branch(release)}"
    if pull.state != "open" and not (pull.merged and await tools.door.intended(STEP, name)):
        return Piece(what=what, value="merged" if pull.merged else "turned down", url=pull.url)
    if edit.by_hand:
        value = f"the PEP is not edited by the bot: {edit.by_hand} Please add its lists, and merge it."
        return Piece(what=what, value=value, url=pull.url, left=True, ask=words.to_complete(release, place.repository, pull.url))
    ask = words.to_merge(release, place.repository, place.base, pull.url)
    if not place.merge:
        return Piece(what=what, value=f"the profile leaves it to people. {ADVICE}", url=pull.url, left=True, ask=ask)
    piece = await tried(what, _Merge(tools, place, pull, edit).make(name), ADVICE, pull.url)
    return replace(piece, ask=ask) if piece.left else piece


class _Merge:
    """The merge of one pull request, which is found again by its being merged."""

    def __init__(self, tools: Tools, place: Schedule, pull: PullRequest, edit: Edit) -> None:
        self._github = tools.github
        self._tools = tools
        self._place = place
        self._number = pull.number
        self._edit = edit

    async def make(self, name: str) -> str:
        parameters: Mapping[str, Json] = {"repository": self._place.repository, "pull": self._number}
        await self._tools.door(STEP, name, nature=Nature.FINDABLE, parameters=parameters, find=self._merged, do=self._do)
        return "merged"

    async def _merged(self) -> Mapping[str, Json] | None:
        whole = await self._whole()
        return {"head": whole.head} if whole.merged else None

    async def _do(self) -> Mapping[str, Json]:
        whole = await self._whole()
        if whole.merged:
            return {"head": whole.head}
        await self._prove(whole)
        if whole.mergeable is None and self._tools.now() - whole.created < PATIENCE:
            message = f"GitHub has not worked out yet whether {self._place.repository}#{self._number} can be merged"
            raise Unavailable(message, retry_at=self._tools.poll())
        try:
            await self._github.merge_pull(self._place.repository, self._number, whole.head)
        except Refused:
            # It may be our own doing: what broke off was sent a second time underway.
            if (already := await self._merged()) is None:
                raise
            return already
        return {"head": whole.head}

    async def _whole(self) -> WholePullRequest:
        return await self._github.pull(self._place.repository, self._number)

    async def _prove(self, whole: WholePullRequest) -> None:
        """Raise Left for anything but the bot's own open pull request with exactly the change that it works out anew here."""
        if whole.author.id != self._tools.app.user_id or whole.draft or (whole.state, whole.base) != ("open", self._place.base):
            raise Left("it is not as the bot opened it.")
        begun = await self._begun(whole)
        before, after = await self._edit.read(begun), await self._edit.read(whole.head)
        wanted = self._edit.change(before)
        if {whole.commits, whole.changed_files} != {len(changed(before, wanted))}:
            raise Left(TOO_MUCH)
        if after != wanted:
            raise Left("it does not hold what the bot wrote.")

    async def _begun(self, whole: WholePullRequest) -> CommitId:
        """Return the commit on which the branch was begun.

        With no merge among its commits, that is where it left the branch it is for: what lies between them is all that is merged.
        """
        if not 1 <= whole.commits <= FILES:
            raise Left(TOO_MUCH)
        commit = whole.head
        for _ in range(whole.commits):
            parents = await self._github.parents(self._place.repository, commit)
            if len(parents) != 1:
                raise Left(TOO_MUCH)
            commit = parents[0]
        return commit
