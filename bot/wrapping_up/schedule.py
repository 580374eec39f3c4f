"""Propose the day of a release to the file of dates and to the PEP of its series: a branch, their commits and one merged pull request.

Where the App is not installed there, or a file is not what it is thought to be, people get the difference, or are told why there is none.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from typing import Final

from bot.effects import Nature
from bot.errors import Refused
from bot.journal import Json
from bot.profile.wrap_up import Schedule
from bot.release.ids import branch_ref
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.github.proposals import PullRequest, PullRequestDraft
from bot.services.github.refs import StoredFile
from bot.tools import Tools
from bot.words import schedule as words
from bot.wrapping_up import schedule_merge, schedule_texts
from bot.wrapping_up.piece import STEP, Left, Piece, tried
from bot.wrapping_up.release_dates import Made, NotUnderstood
from bot.wrapping_up.schedule_merge import Edit
from bot.wrapping_up.schedule_texts import Texts, changed, differences

ADVICE: Final = "Please see to it there."


async def propose(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Open one pull request with the day of the release, and merge it where the bot may; nothing where the profile names no file."""
    place = tools.profile.wrap_up.schedule
    if place is None or release.pushed is None:
        return ()
    url = tools.page(place.repository, "blob", place.base, *place.path.split("/"))
    made = Made(
        version=release.version,
        kind=release.kind,
        day=release.pushed.astimezone(UTC).date(),
        branch=tools.profile.series_of(release.version).branch,
    )
    proposal = _Proposal(release, tools, place, made)
    piece = await tried(f"schedule in {place.repository}", proposal.make(), ADVICE, url)
    if piece.left:
        return (replace(piece, ask=words.to_edit(release, made.day, url, lists=bool(place.pep))),)
    if proposal.pull is None:
        return (_with_lists(piece, proposal.by_hand, words.to_list(release, place.repository)),)
    edit = Edit(read=proposal.texts, change=proposal.change, by_hand=proposal.by_hand)
    return piece, await schedule_merge.merge(release, tools, place, proposal.pull, edit)


def _with_lists(piece: Piece, by_hand: str, ask: str) -> Piece:
    """Leave the PEP to people where the dates are right already and its lists are not."""
    return replace(piece, value=f"{piece.value}; the PEP is not edited by the bot: {by_hand}", left=True, ask=ask) if by_hand else piece


class _Proposal:
    """One proposal, which is found again by the name of its branch."""

    def __init__(self, release: Release, tools: Tools, place: Schedule, made: Made) -> None:
        self._release = release
        self._tools = tools
        self._place = place
        self._made = made
        self._branch = words.branch(release)
        self.pull: PullRequest | None = None
        """The pull request, once it was made or found; None where nothing had to be proposed."""
        self.by_hand = ""
        """Why people have to see to the PEP; empty where they need not."""

    async def make(self) -> str:
        """Return the address of the pull request, or that there is nothing to propose; raise Left with the difference."""
        is_there = await self._tools.installations.on(self._place.repository) is not None
        texts, wanted = await self._wanted(self._place.base, as_guest=not is_there)
        begun = await self._tools.door.intended(STEP, self._name_of_pull)
        if wanted == texts and not begun:
            return "says so already"
        if not is_there:
            raise Left("the App is not installed there, so it cannot propose the change.", differences(texts, wanted))
        return await self._propose()

    def change(self, texts: Texts) -> Texts:
        """Return what the release makes of the files; raise NotUnderstood for dates that only people can edit."""
        return schedule_texts.wanted(self._place, texts, self._made).texts

    async def texts(self, ref: str, *, as_guest: bool = False) -> Texts:
        """Return the files as a branch or commit has them; raise UserError where the dates are none, or no text."""
        place = self._place
        stored = await self._stored(place.path, ref, as_guest=as_guest)
        if stored is None:
            raise Refused(f"there is no {place.path} on {ref} of {place.repository}.")
        texts = {place.path: _text(stored)}
        with suppress(NotUnderstood):
            pep = schedule_texts.pep_path(place, texts[place.path], self._made.version.series)
            listing = await self._stored(pep, ref, as_guest=as_guest) if pep else None
            return texts if listing is None else {**texts, pep: _text(listing)}
        return texts

    async def _wanted(self, ref: str, *, as_guest: bool = False) -> tuple[Texts, Texts]:
        """Return the files as a branch or commit has them, and as they have to be; remember what is left to people."""
        try:
            texts = await self.texts(ref, as_guest=as_guest)
            wanted = schedule_texts.wanted(self._place, texts, self._made)
        except NotUnderstood as why:
            raise Left(f"it is not edited by the bot: {why}") from None
        self.by_hand = wanted.by_hand
        return texts, wanted.texts

    @property
    def _name_of_pull(self) -> str:
        return f"propose {self._branch}"

    async def _propose(self) -> str:
        """Do it in a few steps; what was proposed once, and merged or turned down since, is not proposed again."""
        self.pull = await self._pull()
        if self.pull is not None and not await self._tools.door.intended(STEP, self._name_of_pull):
            return f"was proposed already: {self.pull.url}"
        texts, wanted = await self._wanted(await self._begin_branch())
        for path in changed(texts, wanted):
            await self._edit(path, texts[path], wanted[path])
        said = await self._open()
        self.pull = self.pull or await self._pull()
        return said

    async def _stored(self, path: str, ref: str, *, as_guest: bool = False) -> StoredFile | None:
        via = self._release.repository if as_guest else None
        return await self._tools.github.stored_file(self._place.repository, path, ref, via=via)

    async def _begin_branch(self) -> str:
        """Return the commit on which the branch was begun: what the files have to be is worked out from there, whatever it holds since."""
        repository, ref = self._place.repository, branch_ref(self._branch)

        async def there() -> Mapping[str, Json] | None:
            known = await self._tools.github.ref(repository, ref)
            return {"branch": self._branch, "commit": known.id} if known else None

        async def do() -> Mapping[str, Json]:
            if (already := await there()) is not None:
                return already
            base = await self._tools.github.ref(repository, branch_ref(self._place.base))
            if base is None:
                raise Refused(f"there is no branch {self._place.base} in {repository}.")
            await self._tools.github.create_branch(repository, self._branch, base.id)
            return {"branch": self._branch, "commit": base.id}

        parameters: Mapping[str, Json] = {"repository": repository, "branch": self._branch}
        result = await self._tools.door(STEP, f"branch {self._branch}", nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)
        return str(result.get("commit", self._branch))

    async def _edit(self, path: str, old: str, new: str) -> None:
        """Write one file by a commit of its own, as long as it holds what the branch was begun with."""
        repository = self._place.repository

        async def there() -> Mapping[str, Json] | None:
            stored = await self._stored(path, self._branch)
            return {"edited": True} if stored and stored.content == new.encode() else None

        async def do() -> Mapping[str, Json]:
            stored = await self._stored(path, self._branch)
            if stored and stored.content == new.encode():
                return {"edited": True}
            if stored is None or stored.content != old.encode():
                raise Left(f"somebody changed {path} on {self._branch}.")
            message = words.title(self._release)
            try:
                await self._tools.github.write_file(repository, self._branch, path, new.encode(), old=stored.id, message=message)
            except Refused:
                # It may be our own doing: what broke off was sent a second time underway.
                if await there() is None:
                    raise
            return {"edited": True}

        day = self._made.day.isoformat()
        parameters: Mapping[str, Json] = {"repository": repository, "branch": self._branch, "path": path, "day": day}
        await self._tools.door(STEP, f"edit {path}", nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)

    async def _pull(self) -> PullRequest | None:
        """Return the pull request from the branch: the open one, else the newest of those that were closed."""
        pulls = await self._tools.github.pulls_from(self._place.repository, self._branch)
        return max(pulls, key=lambda pull: (pull.state == "open", pull.number), default=None)

    async def _open(self) -> str:
        release, repository = self._release, self._place.repository

        async def there() -> Mapping[str, Json] | None:
            known = await self._pull()
            return {"url": known.url} if known else None

        async def do() -> Mapping[str, Json]:
            issue = self._tools.page(release.home, "issues", str(release.issue))
            contents = words.Contents(
                begins=release.kind is Kind.FIRST_BETA,
                merges=self._place.merge and not self.by_hand,
                lists=bool(self._place.pep),
                by_hand=self.by_hand,
            )
            body = words.body(release, issue, contents)
            draft = PullRequestDraft(head=self._branch, base=self._place.base, title=words.title(release), body=body)
            return {"url": (await self._tools.github.open_pull(repository, draft)).url}

        parameters: Mapping[str, Json] = {"repository": repository, "branch": self._branch, "base": self._place.base}
        result = await self._tools.door(STEP, self._name_of_pull, nature=Nature.FINDABLE, parameters=parameters, find=there, do=do)
        return f"proposed: {result['url']}"


def _text(stored: StoredFile) -> str:
    try:
        return stored.content.decode()
    except UnicodeDecodeError:
        raise NotUnderstood("it is no text in UTF-8.") from None
