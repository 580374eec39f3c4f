"""Turn an accepted command into what it changes in a release, after looking at the world where that matters."""

from collections.abc import Collection
from typing import assert_never

from bot.command_types import (
    Abort,
    Acknowledge,
    Approve,
    ApproveStage,
    Command,
    Defer,
    Done,
    Freeze,
    Go,
    Halt,
    Help,
    Open,
    Refreeze,
    RejectStage,
    Resume,
    Retry,
    Status,
    Unfreeze,
    Waive,
)
from bot.context import Context
from bot.effects import Door
from bot.hearing import Heard
from bot.profile.builders import HandStep
from bot.release import later, orders, stages
from bot.release.course import BEFORE_PUSH
from bot.release.model import Release, StepStatus
from bot.release.rows import WITHDRAW
from bot.store.claim import Claim

Deciding = Approve | Go | Acknowledge | Waive
"""What people decide about."""
Steering = Retry | Halt | Resume | Refreeze | Abort
"""How people turn the course of a release."""


async def obey(context: Context, claim: Claim, release: Release, heard: Heard) -> orders.Answer:
    """Return what the command changes, or why it changes nothing."""
    command, order = heard.command, heard.order
    if later.is_out(release) and (answer := afterwards(release, command, order, context.profile.without_file)):
        return answer
    match command:
        case Approve() | Go() | Acknowledge() | Waive():
            return _decided(release, command, order)
        case ApproveStage() | RejectStage():
            return stages.decide(release, order, command.artifact, approved=isinstance(command, ApproveStage))
        case Done() | Defer():
            return _by_hand(context, release, command, order)
        case Retry() | Halt() | Resume() | Refreeze() | Abort():
            return await _steered(context, claim, release, command, order)
        case Open() | Status() | Help() | Freeze() | Unfreeze():
            return orders.Declined(why="That command is not given on a release.")
        case _:
            assert_never(command)


def afterwards(release: Release, command: Command, order: orders.Order, without_file: Collection[str] = ()) -> orders.Answer | None:
    """Return what a command changes in a release that is out and was confirmed; None for one that is not for that.

    ``without_file`` are the steps done by hand that make no file.
    """
    match command:
        case Retry(step=later.PUBLICATION):
            return later.read_again(release)
        case Abort():
            return later.recall(release, order, command.reason)
        case Done() if command.name != WITHDRAW:
            wants_hash = command.name not in without_file
            return later.followed(release, order, name=command.name, sha256=command.sha256, wants_hash=wants_hash)
        case _:
            return None


def _decided(release: Release, command: Deciding, order: orders.Order) -> orders.Answer:
    match command:
        case Approve():
            return orders.approve(release, order, command.sha)
        case Go():
            return orders.go(release, order, command.sha)
        case Acknowledge():
            return orders.acknowledge(release, order, command.digest)
        case Waive():
            return orders.waive(release, order, check=command.check, sha=command.sha, reason=command.reason)
        case _:
            assert_never(command)


def _by_hand(context: Context, release: Release, command: Done | Defer, order: orders.Order) -> orders.Answer:
    if command.name == WITHDRAW and isinstance(command, Done):
        return orders.withdrawn(release, order)
    work = _hand_step(context, command.name)
    if work is None:
        return orders.Declined(
            why=f"{command.name} is no step that is done by hand; those are {', '.join(context.profile.hand) or 'none'}."
        )
    match command:
        case Done():
            return orders.done(release, order, name=command.name, sha256=command.sha256, wants_hash=bool(work.file))
        case Defer():
            return orders.defer(release, order, name=command.name, reason=command.reason)
        case _:
            assert_never(command)


def _hand_step(context: Context, name: str) -> HandStep | None:
    return next((work for step, work in context.profile.hand.items() if step.value == name), None)


async def _steered(context: Context, claim: Claim, release: Release, command: Steering, order: orders.Order) -> orders.Answer:
    match command:
        case Retry():
            # What was pushed, or may have been, is not worked out anew.
            begun = command.step in BEFORE_PUSH and await _may_still_land(context, claim, release)
            return orders.Declined(why=begun) if begun else orders.retry(release, order, command.step)
        case Halt():
            return orders.halt(release, order, command.reason)
        case Resume():
            return orders.resume(release, order)
        case Refreeze() | Abort():
            return await _give_up(context, claim, release, command, order)
        case _:
            assert_never(command)


async def _give_up(context: Context, claim: Claim, release: Release, command: Refreeze | Abort, order: orders.Order) -> orders.Answer:
    problem = "" if release.pushed else await _may_still_land(context, claim, release)
    if problem:
        return orders.Declined(why=problem)
    if isinstance(command, Abort):
        return orders.abort(release, order, command.reason)
    return orders.refreeze(release, order, command.reason)


async def _may_still_land(context: Context, claim: Claim, release: Release) -> str:
    """Return why the release cannot be given up: its push was begun, and did not fail for certain."""
    if not await Door(claim, release.id, release.attempt).intended("push", "push"):
        return ""
    if release.step("push").status is not StepStatus.FAILED:
        return "The push has begun and its result is being read back; wait for it before you turn back."
    upstream = await context.git.refs(release.repository, *(line.ref for line in release.plan))
    there = [line.ref for line in release.plan if str(upstream.get(line.ref)) == str(line.new)]
    return f"{' and '.join(there)} stands upstream as it was approved, so there is no way back; finish it." if there else ""
