"""The orders: what each command changes, and the one sentence when it makes no sense."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.release import orders, plan
from bot.release.gate import plan_digest, to_acknowledge
from bot.release.model import Goal, Promise, Release, ReleaseState, StepStatus
from bot.release.orders import Answer, valid_approval
from bot.release.outcomes import Evidence
from tests.release_builders import (
    APPROVER,
    FIXED_HEAD,
    HEAD,
    LATER,
    NAMES,
    NOW,
    STARTER,
    VALID_FOR,
    a_tag,
    audited,
    declined,
    done,
    failed,
    freeze_at,
    needs,
    obeyed,
    opened,
    order,
    ordinary,
    passed,
    plan_for,
    ready,
    statuses,
    to_be_waived,
    to_note,
    until,
    waited_for,
    with_finding,
)

SHA = a_tag().object


def approved() -> Release:
    """Return a release whose present plan is approved."""
    return obeyed(orders.approve(until("approve"), order(), SHA))


def halted() -> Release:
    """Return a release that a person halted while another was waited for."""
    return obeyed(orders.halt(plan.apply(until("approve"), "approve", needs("Approve."), NOW), order(APPROVER), "Wait for the fix."))


def aborting() -> Release:
    """Return a release that is being given up."""
    return obeyed(orders.abort(until("push"), order(), "Not today."))


def aborted() -> Release:
    """Return a release that was given up."""
    return plan.apply(aborting(), "thaw", ordinary("thaw"), NOW)


# --- approve


def test_an_approval_covers_this_tag_object_and_this_plan() -> None:
    [approval] = approved().approvals
    assert (approval.by, approval.tag, approval.comment, approval.at) == (STARTER, SHA, 900, NOW)
    assert approval.plan == plan_digest(SHA, plan_for(a_tag()))
    assert valid_approval(approved(), NOW, VALID_FOR) == approval


def test_the_newest_approval_counts() -> None:
    release = obeyed(orders.approve(approved(), order(APPROVER, at=LATER), SHA))
    approval = valid_approval(release, LATER, VALID_FOR)
    assert approval is not None
    assert approval.by == APPROVER


def test_an_approval_expires() -> None:
    assert valid_approval(approved(), NOW + VALID_FOR - timedelta(seconds=1), VALID_FOR)
    assert valid_approval(approved(), NOW + VALID_FOR, VALID_FOR) is None


@pytest.mark.parametrize(
    "changed",
    [
        replace(approved(), plan=plan_for(a_tag(), FIXED_HEAD)),
        replace(approved(), tag=a_tag("b")),
        replace(approved(), plan=()),
        replace(approved(), tag=None),
    ],
    ids=["another plan", "another tag", "no plan", "no tag"],
)
def test_an_approval_covers_nothing_else(changed: Release) -> None:
    assert valid_approval(changed, NOW, VALID_FOR) is None


def test_an_approval_does_not_come_back_with_a_tag_of_an_earlier_attempt() -> None:
    second = plan.apply(approved(), "tag", ordinary("tag", a_tag("b")), NOW)
    back = plan.apply(second, "tag", ordinary("tag"), NOW)
    assert valid_approval(plan.apply(back, "audit", audited(a_tag()), NOW), NOW, VALID_FOR) is None


def test_there_is_nothing_to_approve_before_the_audit_has_passed() -> None:
    held = with_finding("audit", to_note())
    failing = plan.apply(until("approve"), "audit", failed(), NOW)
    for release in (until("audit"), held, failing, replace(until("approve"), plan=()), opened()):
        assert declined(orders.approve(release, order(), SHA)).startswith("There is no audited push plan to approve yet")


def test_nobody_approves_a_plan_that_was_shown_only_after_they_wrote() -> None:
    asked = plan.apply(until("approve"), "approve", needs("Look at the merge."), LATER)
    for written, counts in ((NOW, False), (LATER - timedelta(seconds=1), True)):
        answer = orders.approve(asked, order(said=written, at=LATER), SHA)
        assert isinstance(answer, orders.Done) is counts
    assert "was shown only after you wrote" in declined(orders.approve(asked, order(said=NOW, at=LATER), SHA))


def test_nobody_approves_a_plan_that_was_worked_out_and_not_shown_yet() -> None:
    showing = replace(needs("Look."), evidence=(Evidence(what="push plan", value=plan_digest(SHA, plan_for(a_tag()))),))
    asked = plan.apply(until("approve"), "approve", showing, NOW)
    assert obeyed(orders.approve(asked, order(at=LATER), SHA)).approvals
    # The same tag object brings something else, and the life ended before that was shown.
    other = plan.apply(asked, "audit", audited(a_tag(), head=FIXED_HEAD), NOW)
    assert "was shown only after you wrote" in declined(orders.approve(other, order(at=LATER), SHA))


def test_an_approval_of_something_else_says_what_it_was() -> None:
    assert f"`/release approve {SHA}`" in declined(orders.approve(until("approve"), order(), a_tag().commit))
    assert "is not the tag object of this release" in declined(orders.approve(until("approve"), order(), "f" * 40))
    second = plan.apply(until("approve"), "tag", ordinary("tag", a_tag("b")), NOW)
    second = plan.apply(second, "audit", audited(a_tag("b")), NOW)
    assert "belongs to an earlier attempt" in declined(orders.approve(second, order(), SHA))
    assert plan.lapsed_tags(second) == {SHA}


# --- acknowledge and waive


def test_taking_note_is_recorded_once() -> None:
    release = with_finding("preflight", to_note())
    [(_, digest)] = to_acknowledge(release)
    answer = orders.acknowledge(release, order(), digest)
    assert obeyed(answer).acknowledgements[0].digest == digest
    assert isinstance(answer, orders.Done)
    assert answer.what == f"acknowledged the findings {digest} of preflight"
    assert "Nothing waits to be acknowledged" in declined(orders.acknowledge(obeyed(answer), order(), digest))
    assert "Nothing waits to be acknowledged" in declined(orders.acknowledge(release, order(), "0" * 12))


def test_a_waiver_is_recorded_with_its_reason() -> None:
    release = with_finding("preflight", to_be_waived())
    answer = orders.waive(release, order(APPROVER), check="blockers", sha=HEAD, reason="It can wait.")
    [waiver] = obeyed(answer).waivers
    assert (waiver.by, waiver.check, waiver.sha, waiver.reason) == (APPROVER, "blockers", HEAD, "It can wait.")
    again = orders.waive(obeyed(answer), order(APPROVER), check="blockers", sha=HEAD, reason="Again.")
    assert declined(again).startswith("The check `blockers` has nothing to waive")


def test_what_was_found_after_somebody_wrote_is_not_waived_by_them() -> None:
    release = with_finding("preflight", to_be_waived())
    late = order(APPROVER, said=NOW - timedelta(seconds=2), at=LATER)
    assert "after you wrote" in declined(orders.waive(release, late, check="blockers", sha=HEAD, reason="x"))
    assert obeyed(orders.waive(release, order(APPROVER, said=NOW - timedelta(seconds=1)), check="blockers", sha=HEAD, reason="x")).waivers


def test_a_waiver_names_the_sha_that_failed() -> None:
    release = with_finding("preflight", to_be_waived())
    why = declined(orders.waive(release, order(APPROVER), check="blockers", sha=FIXED_HEAD, reason="x"))
    assert why == f"The check blockers failed for {HEAD}, not for the SHA you gave, so nothing was waived."


def test_the_name_of_an_unknown_check_cannot_act_in_the_answer() -> None:
    why = declined(orders.waive(until("push"), order(APPROVER), check="@python/core `", sha=HEAD, reason="x"))
    assert why.startswith("The check `@python/core '` has nothing to waive")


# --- retry


def test_a_step_is_asked_to_look_again() -> None:
    release = replace(plan.apply(until("tag"), "tag", needs("Cut it."), NOW), refreeze_from=HEAD)
    asked = obeyed(orders.retry(release, order(), "tag"))
    assert (asked.retry, asked.refreeze_from) == ("tag", HEAD)
    assert "has not begun yet" in declined(orders.retry(release, order(), "push"))


def test_asking_the_freeze_to_look_again_freezes_without_a_fix() -> None:
    thawed = replace(until("tag"), refreeze_from=HEAD, frozen=())
    assert obeyed(orders.retry(thawed, order(), "freeze")).refreeze_from is None
    # As long as it is not thawed, that is what is tried again.
    stuck = replace(thawed, frozen=freeze_at())
    assert obeyed(orders.retry(stuck, order(), "freeze")).refreeze_from == HEAD


def test_an_unknown_step_is_answered_with_the_steps_there_are() -> None:
    why = declined(orders.retry(until("tag"), order(), "bake"))
    assert why == f"This release has no step “bake”; it has {', '.join(NAMES)}."


# --- refreeze


def test_a_refreeze_opens_the_next_attempt_and_remembers_the_head_to_move_from() -> None:
    release = obeyed(orders.refreeze(approved(), order(comment=901), "the fix of #1"))
    assert (release.attempt, release.attempt_why, release.refreeze_from) == (2, "the fix of #1", HEAD)
    assert (release.tag, release.plan, release.approvals, release.checked) == (None, (), (), ())
    assert set(statuses(release).values()) == {StepStatus.PENDING}
    assert release.frozen == freeze_at()
    assert release.past[0].tag == a_tag()
    assert [(promise.comment, promise.goal) for promise in release.promises] == [(901, Goal.FROZEN)]
    assert orders.kept_promises(release) == ()


def test_a_refreeze_is_the_way_out_of_a_freeze_that_was_broken_from_outside() -> None:
    broken = plan.apply(until("approve"), "freeze", failed("main moved.", halt=True), NOW)
    release = obeyed(orders.refreeze(broken, order(), "start over"))
    assert (release.state, release.attempt, waited_for(release)) == (ReleaseState.RUNNING, 2, [])
    assert ready(release) == ["preflight", "freeze"]


def test_a_refreeze_needs_a_freeze_and_comes_too_late_after_the_push() -> None:
    assert "Nothing is frozen yet" in declined(orders.refreeze(until("freeze"), order(), "x"))
    assert "upstream already" in declined(orders.refreeze(until("thaw"), order(), "x"))


def test_a_refreeze_does_not_revive_an_abort_that_was_halted() -> None:
    release = plan.apply(aborting(), "thaw", failed("The tag is upstream.", halt=True), NOW)
    assert "is halted" in declined(orders.refreeze(release, order(), "x"))


# --- halt and resume


def test_a_halt_keeps_the_freeze_and_stops_everything_until_somebody_lets_it_go_on() -> None:
    release = halted()
    assert (release.state, release.state_by, release.state_why) == (ReleaseState.HALTED, APPROVER, "Wait for the fix.")
    assert release.frozen == freeze_at()
    assert ready(release) == []
    assert waited_for(release) == ["halt"]


def test_a_resumed_release_waits_again_for_whom_it_waited() -> None:
    release = obeyed(orders.resume(halted(), order(APPROVER, at=LATER)))
    assert (release.state, release.state_why, release.state_by) == (ReleaseState.RUNNING, "", APPROVER)
    assert waited_for(release) == ["approve"]


def test_only_a_halted_release_is_resumed() -> None:
    assert "not halted" in declined(orders.resume(until("tag"), order()))


# --- abort


def test_an_abort_thaws_and_asks_nobody_for_anything_more() -> None:
    release = obeyed(orders.abort(halted(), order(comment=902), "Not today."))
    assert (release.state, release.state_why, release.state_by) == (ReleaseState.ABORTING, "Not today.", STARTER)
    assert waited_for(release) == []
    assert ready(release) == ["thaw"]
    assert [(promise.comment, promise.goal) for promise in release.promises] == [(902, Goal.ABORTED)]
    assert orders.kept_promises(release) == ()


def test_after_the_push_there_is_nothing_left_to_abort() -> None:
    assert "nothing left to abort" in declined(orders.abort(until("thaw"), order(), "x"))


# --- commands at the wrong time

COMMANDS: dict[str, Callable[[Release], Answer]] = {
    "approve": lambda release: orders.approve(release, order(), SHA),
    "acknowledge findings": lambda release: orders.acknowledge(release, order(), "0" * 12),
    "waive a check": lambda release: orders.waive(release, order(), check="blockers", sha=HEAD, reason="x"),
    "retry a step": lambda release: orders.retry(release, order(), "tag"),
    "refreeze": lambda release: orders.refreeze(release, order(), "x"),
    "halt": lambda release: orders.halt(release, order(), "x"),
    "abort": lambda release: orders.abort(release, order(), "x"),
}


@pytest.mark.parametrize("wish", [wish for wish in COMMANDS if wish not in ("refreeze", "abort")])
def test_a_halted_release_takes_no_orders_but_to_resume_refreeze_or_abort(wish: str) -> None:
    why = declined(COMMANDS[wish](halted()))
    assert why == f"You cannot {wish} now: the release of 3.15.0a3 is halted; an approver can say `/release resume`."


@pytest.mark.parametrize("wish", COMMANDS)
@pytest.mark.parametrize(
    ("release", "stands"),
    [(aborting(), "is being aborted"), (aborted(), "was aborted; open a new issue for another try"), (done(), "is finished")],
    ids=["aborting", "aborted", "done"],
)
def test_a_release_that_ends_takes_no_orders(wish: str, release: Release, stands: str) -> None:
    assert declined(COMMANDS[wish](release)) == f"You cannot {wish} now: the release of 3.15.0a3 {stands}."


# --- promises


def test_a_comment_gets_its_thumb_when_its_wish_came_true() -> None:
    refrozen = obeyed(orders.refreeze(until("tag"), order(comment=901), "fix"))
    refrozen = plan.apply(refrozen, "preflight", ordinary("preflight"), NOW)
    refrozen = plan.apply(refrozen, "freeze", ordinary("freeze"), NOW)
    assert [promise.comment for promise in orders.kept_promises(refrozen)] == [901]
    assert [promise.goal for promise in orders.kept_promises(aborted())] == [Goal.ABORTED]
    released = replace(done(), promises=(Promise(comment=order().comment, goal=Goal.RELEASED),))
    assert [promise.goal for promise in orders.kept_promises(released)] == [Goal.RELEASED]
    assert orders.kept_promises(replace(released, state=ReleaseState.RUNNING)) == ()


def test_a_step_that_passes_again_changes_nothing_that_was_ordered() -> None:
    release = plan.apply(approved(), "approve", passed(), NOW)
    assert release.approvals == approved().approvals
