"""Freezes that stand on their own, without a release: set and lifted by a command, each one hold of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import freezing
from bot.command_types import Freeze, Unfreeze
from bot.context import Context
from bot.effects import Door
from bot.errors import Refused
from bot.freezing import Hold, LeftToPeople
from bot.hearing import Heard
from bot.release.facts import KeptProtection
from bot.release.ids import CommentId, IssueNumber, Ref, Repository, RulesetId, branch_ref
from bot.release.model import Actor
from bot.state import load
from bot.store.claim import Claim
from bot.store.store import Store
from bot.tools import Tools
from bot.words import alarms, answers


@dataclass(frozen=True, kw_only=True)
class StandingFreeze:
    """One branch frozen by a command. ``comment`` names the command, and with it the freeze."""

    branch: str
    reason: str
    by: Actor
    since: datetime
    comment: CommentId
    home: Repository
    issue: IssueNumber
    ruleset: RulesetId
    ruleset_name: str
    protection: KeptProtection | None = None

    @property
    def ref(self) -> Ref:
        """Return what is frozen."""
        return branch_ref(self.branch)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What stands now, and what to tell the person."""

    freezes: tuple[StandingFreeze, ...]
    text: str


Answer = Changed | str
"""A change, or one sentence why there is none."""


async def freeze(
    context: Context, claim: Claim, heard: Heard, command: Freeze, freezes: Sequence[StandingFreeze], *, home: Repository
) -> Answer:
    """Freeze a branch until somebody says ``/unfreeze``."""
    repository = context.profile.project.repository
    present = next((one for one in freezes if one.branch == command.branch), None)
    if present is not None and present.comment != heard.comment.id:
        return answers.frozen_already(present.branch, present.by.login, present.since, present.reason)
    if await context.github.ref(repository, branch_ref(command.branch)) is None:
        return f"There is no branch {command.branch} in {repository}, so nothing was frozen; please check its name."
    identity = _identity(context, heard.comment.id)
    tools = context.tools(Door(claim, identity, 0, context.observers))
    ref = branch_ref(command.branch)
    refusal = await freezing.refusal(tools, repository, ref)
    if refusal:
        return refusal
    hold = await _held(tools, repository, ref, freezing.rule_name(ref, heard.comment.issue, identity))
    problem = await freezing.problem(tools, repository, hold)
    if problem:
        # Nobody would ever lift it: what is not effective is no freeze, so it must not be left behind as half a one (invariant I3).
        await freezing.lift(tools, repository, hold, step="thaw")
        return f"The freeze of {command.branch} was not effective, so it was lifted and nothing is frozen: {problem} Please try again."
    made = StandingFreeze(
        branch=command.branch,
        reason=command.reason,
        by=heard.order.by,
        since=heard.order.at,
        comment=heard.comment.id,
        home=home,
        issue=heard.comment.issue,
        **vars(freezing.record(hold)),
    )
    others = tuple(one for one in freezes if one.branch != command.branch)
    return Changed(freezes=(*others, made), text=answers.frozen(command.branch, command.reason))


async def unfreeze(
    context: Context, claim: Claim, heard: Heard, command: Unfreeze, freezes: Sequence[StandingFreeze], store: Store
) -> Answer:
    """Lift the standing freeze of a branch; a release's own freeze is not lifted by this command."""
    repository = context.profile.project.repository
    present = next((one for one in freezes if one.branch == command.branch), None)
    holder = await _holder(context, store, command.branch)
    if present is None:
        return holder or f"No standing freeze holds {command.branch}, so there is nothing to lift."
    tools = context.tools(Door(claim, _identity(context, present.comment), 0, context.observers))
    try:
        await freezing.lift(tools, repository, freezing.hold_of(present), step="thaw")
    except LeftToPeople as reason:
        return answers.not_unfrozen(present.branch, str(reason), tools.page(repository, "settings", "branches"))
    others = tuple(one for one in freezes if one is not present)
    return Changed(freezes=others, text=answers.unfrozen(command.branch, heard.order.by.login, holder))


async def still_true(context: Context, claim: Claim, freezes: Sequence[StandingFreeze]) -> tuple[StandingFreeze, ...]:
    """Return the freezes that still hold their branch, after telling of those that somebody else ended."""
    kept = []
    for one in freezes:
        tools = context.tools(Door(claim, _identity(context, one.comment), 0, context.observers))
        ended = await freezing.ended(tools, context.profile.project.repository, freezing.hold_of(one))
        if not ended:
            kept.append(one)
            continue
        about = f"freeze-gone-{one.comment}"
        text = answers.freeze_gone(one.by.login, one.branch, ended)
        await context.desk(claim, one.home, one.issue).tell(about, f"{answers.marker(about)}\n{text}")
    return tuple(kept)


async def call_out(context: Context, claim: Claim, freezes: Sequence[StandingFreeze]) -> None:
    """Call every freeze out that lasts longer than the profile wants, and again every time as long."""
    alarm = timedelta(hours=context.profile.freeze.alarm)
    for one in freezes:
        times = (context.now() - one.since) // alarm
        if times > 0:
            about = f"freeze-alarm-{one.comment}-{times}"
            text = alarms.long_standing_freeze(one.by.login, one.branch, one.reason, alarm * times)
            await context.desk(claim, one.home, one.issue).tell(about, f"{answers.marker(about)}\n{text}")


async def _held(tools: Tools, repository: Repository, ref: Ref, name: str) -> Hold:
    """Freeze a branch; of what GitHub refuses half-way, nothing may be left behind, since nobody would ever lift it."""
    try:
        return await freezing.freeze(tools, repository, ref, name, step="freeze")
    except Refused:
        begun = await freezing.begun(tools, ref, step="freeze")
        if begun is not None:
            await freezing.lift(tools, repository, begun, step="thaw")
        raise


def is_standing(context: Context, identity: str) -> bool:
    """Tell whether this names a standing freeze of the project."""
    comment = identity.removeprefix(f"{context.profile.name}-standing-")
    return comment.isascii() and comment.isdigit() and identity == _identity(context, CommentId(int(comment)))


def _identity(context: Context, comment: CommentId) -> str:
    return f"{context.profile.name}-standing-{comment}"


async def _holder(context: Context, store: Store, branch: str) -> str:
    """Return the sentence about the release that holds a branch frozen, or an empty string."""
    for work in await store.works(context.profile.name):
        if not work.live or work.branch != branch or work.state is None:
            continue
        release = load(work.state)
        if any(frozen.ref == branch_ref(branch) for frozen in release.frozen):
            return answers.held_by(release)
    return ""
