"""Carry one release as far as it can go now.

1. Hear what people said, in order; each accepted command changes the state (``bot.release.orders``).
2. Ask the plan which steps are ready; let each look, act and report; take in what it says (``bot.release.plan``). Of a release that is
   over, what was published is confirmed again from time to time (``bot.confirming``).
3. Bring status comment, calls and check runs up to date (``bot.reporting``).
4. Save, and say when to look again.

Before what cannot be undone is done, whatever was said meanwhile is heard first.

All of it may stop at any instruction: whatever was done is found again, and the same place is reached.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from bot import confirming, obeying, opening, reporting
from bot.command_types import Help, Open, Status
from bot.context import Context
from bot.desk import ACCEPTED, DONE, Desk
from bot.effects import Door
from bot.errors import Unavailable, UserError, steady
from bot.hearing import Heard, hear
from bot.journal import Json, Note, What
from bot.lapsing import cancel_lapsed
from bot.profile.types import StepName
from bot.release import course, dossier, orders, plan
from bot.release.course import StepSpec
from bot.release.ids import CommentId, IssueNumber, Repository
from bot.release.model import Release
from bot.release.outcomes import Failed, Outcome, Waiting
from bot.sealing import sealed
from bot.state import dump, load
from bot.steps import STEPS
from bot.store.claim import Claim
from bot.store.model import Delivery
from bot.words import answers
from bot.words.status import headline

IRREVOCABLE: Final = frozenset({StepName.WINDOWS_PUBLISH.value, StepName.PACKAGE_RELEASE.value, StepName.PUSH.value})
"""The steps that do what cannot be undone."""

log: Final = logging.getLogger(__name__)


@dataclass
class Advance:
    """One look at one release: what is known of it, and the claim under which it may be changed."""

    context: Context
    claim: Claim
    release: Release | None

    @classmethod
    def of(cls, context: Context, claim: Claim) -> "Advance":
        """Take up a claim."""
        return cls(context, claim, load(claim.state) if claim.state else None)

    async def run(self) -> datetime | None:
        """Do everything that can be done now; return when to look again, None when nothing is left to do."""
        read = []
        for delivery in self.claim.unread:
            await self._listen(delivery)
            read.append(delivery.guid)
        if self.release is None:
            await self.claim.save(None, read=read)
            return None
        await self._checkpoint(read)
        self.release = course.align(self.release, self.context.specs, self.context.approvers)
        await self._stop_what_lapsed(self.release)
        interrupted = await self._steps(self.release)
        self.release = await confirming.look(self.context, self.claim, self.release)
        self.release = await reporting.report(self.context, self.claim, self.release, self._desk(self.release.home, self.release.issue))
        # Only now is it over for everybody: as long as anything is left to tell, the row stays alive.
        await self.claim.save(dump(self.release), live=not self.release.state.over)
        if self.release.state.over:
            return confirming.next_look(self.context, self.release)
        now, timing = self.context.now(), self.context.profile.timing
        # What could not be cancelled or told yet must not wait for something else to happen.
        untold = any(not act.done and not act.told for act in self.release.people)
        idle = timing.poll if untold or plan.to_cancel(self.release) else timing.remind
        return now if interrupted else plan.next_look(self.release, now, idle=self.context.after(idle))

    async def _checkpoint(self, read: Sequence[str]) -> None:
        if self.release is None:
            return
        notes: tuple[Note, ...] = ()
        if dossier.to_seal(self.release):
            self.release, note = sealed(self.release, await self.claim.head(), self.context.now())
            notes = (note,)
        await self.claim.save(dump(self.release), read=read, notes=notes)

    async def _stop_what_lapsed(self, release: Release) -> None:
        self.release = await cancel_lapsed(self.context, self.claim, release)
        if self.release != release:
            await self._checkpoint(())

    # --- steps

    async def _steps(self, release: Release) -> bool:
        """Let each step look and act that is ready; tell whether somebody has to be heard before what cannot be undone."""
        for spec in self.context.specs:
            release = self.release or release
            # The look may have taken long, and a halt that was said meanwhile comes first.
            if spec.name in IRREVOCABLE and plan.ready(release, spec) and await self.claim.has_news():
                return True
            await self._step(spec)
        return False

    async def _step(self, spec: StepSpec) -> None:
        release = self.release
        if release is None or not plan.ready(release, spec):
            return
        outcome = await self._outcome(spec.name, release)
        after = plan.apply(release, spec.name, outcome, self.context.now())
        if after != release:
            await self._remember(spec.name, release, after)
            self.release = after
            await self._checkpoint(())

    async def _outcome(self, name: str, release: Release) -> Outcome:
        door = Door(self.claim, release.id, release.attempt, self.context.observers)
        tools = self.context.tools(door)
        try:
            outcome = await STEPS[name](release, tools)
        except Unavailable as silence:
            # A time that is past, because clocks differ or it was named as zero seconds, must not turn patience into a storm.
            look_again = max(silence.retry_at or tools.poll(), tools.poll())
            log.info("%s of %s waits: %s", name, release.id, silence)
            outcome = Waiting(on="an outside system", why=str(silence), look_again=look_again, unheard=True)
        except UserError as error:
            log.info("%s of %s fails: %s", name, release.id, error)
            # It is looked at again all the same; but a definite no wants a person who knows of it (invariant I10).
            outcome = Failed(why=str(error), retryable=False, look_again=tools.poll())
        return replace(outcome, why=steady(outcome.why)) if isinstance(outcome, Waiting | Failed) else outcome

    async def _remember(self, name: str, before: Release, after: Release) -> None:
        old, new = before.step(name), after.step(name)
        if (old.status, old.why, before.attempt) != (new.status, new.why, after.attempt):
            details: Mapping[str, Json] = {"step": name, "attempt": after.attempt, "status": new.status, "why": new.why}
            await self.claim.note([Note(actor="bot", what=What.DECISION, details=details)])

    # --- what people say

    def _desk(self, home: Repository, issue: IssueNumber) -> Desk:
        return self.context.desk(self.claim, home, issue)

    async def _listen(self, delivery: Delivery) -> None:
        home = Repository(delivery.payload["repository"])
        comment = CommentId(delivery.payload["comment"])
        desk = self._desk(home, IssueNumber(delivery.payload["issue"]))
        if self.release is not None and comment in self.release.heard:
            # An opening is remembered before it is answered, and the life in between may have ended.
            if any(promise.comment == comment for promise in self.release.promises):
                await desk.react(comment, ACCEPTED)
            return
        if await desk.has_heard(comment):
            return
        told = delivery.payload.get("body") if delivery.action == "created" else None
        heard = await hear(desk, comment, told, delivery.received, self.release)
        if heard is not None:
            await self._carry_out(heard, desk)
        if self.release is None:
            await desk.settle(comment)
            return
        self.release = replace(self.release, heard=(*self.release.heard, comment))
        await self._checkpoint(())

    async def _carry_out(self, heard: Heard, desk: Desk) -> None:
        if isinstance(heard.command, Open):
            self.release = await opening.open_release(self.context, self.claim, desk, heard.command, heard, self.release)
            return
        if isinstance(heard.command, Help):
            await desk.answer(heard.comment.id, answers.helped())
            return
        if self.release is None:
            await desk.refuse(heard.comment, answers.NO_RELEASE)
            return
        if isinstance(heard.command, Status):
            url = reporting.status_url(self.context, self.release)
            await desk.answer(heard.comment.id, answers.stands(self.release, headline(self.release), url))
            return
        await self._obey(self.release, heard, desk)

    async def _obey(self, release: Release, heard: Heard, desk: Desk) -> None:
        answer = await obeying.obey(self.context, self.claim, release, heard)
        match answer:
            case orders.Declined():
                await desk.refuse(heard.comment, answer.why)
            case orders.Done():
                after, said = answer.release, heard.obeyed(answer.what)
                self.release = replace(after, heard=(*after.heard, heard.comment.id), commands=(*after.commands, said))
                await self.claim.note([Note(actor=heard.order.by.login, what=What.HUMAN_ACT, details={"what": answer.what})])
                await desk.react(heard.comment.id, ACCEPTED)
                if heard.warning:
                    await desk.answer(heard.comment.id, answers.with_warning(heard.warning), about="warning")
                if not any(promise.comment == heard.comment.id for promise in answer.release.promises):
                    await desk.react(heard.comment.id, DONE)
            case _:
                assert_never(answer)
