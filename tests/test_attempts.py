"""Attempts: what another tag object or a refreeze resets, and what it keeps."""

from bot.release import plan
from bot.release.facts import Checked, Froze, Thawed
from bot.release.model import StepStatus
from bot.release.orders import approve, refreeze, retry
from tests.release_builders import (
    FIXED_HEAD,
    HEAD,
    LATER,
    NAMES,
    NOW,
    a_tag,
    freeze_at,
    needs,
    obeyed,
    opened,
    order,
    ordinary,
    passed,
    ready,
    statuses,
    to_be_waived,
    until,
    waited_for,
)


def test_another_tag_object_opens_the_next_attempt() -> None:
    first = obeyed(approve(until("approve"), order(), a_tag().object))
    first = obeyed(retry(plan.apply(first, "approve", passed(), NOW), order(), "audit"))
    second = plan.apply(first, "tag", ordinary("tag", a_tag("b")), LATER)
    assert (second.attempt, second.attempt_since) == (2, LATER)
    assert second.attempt_why == f"the tag now is another object, {'b' * 40}"
    assert (second.tag, second.plan, second.approvals, second.retry) == (a_tag("b"), (), (), "")
    assert second.frozen == first.frozen
    assert statuses(second) == {
        **dict.fromkeys(NAMES, StepStatus.PENDING),
        **dict.fromkeys(NAMES[:3], StepStatus.PASSED),
    }
    assert [one.step for one in second.checked] == ["preflight"]
    [past] = second.past
    assert (past.number, past.tag, past.head, past.ended) == (1, a_tag(), HEAD, LATER)
    assert past.steps == first.steps
    assert plan.lapsed_tags(second) == {a_tag().object}


def test_a_new_attempt_asks_only_for_what_it_still_needs() -> None:
    release = plan.apply(until("approve"), "approve", needs("Approve."), NOW)
    release = plan.apply(release, "preflight", needs("Look."), NOW)
    assert waited_for(plan.apply(release, "tag", ordinary("tag", a_tag("b")), LATER)) == ["preflight"]


def test_an_attempt_without_a_tag_has_none_to_lapse() -> None:
    assert plan.lapsed_tags(plan.next_attempt(until("tag"), "a fix", NOW)) == frozenset()
    assert plan.next_attempt(opened(), "a fix", NOW, thaw=True).refreeze_from is None


def test_the_freeze_is_lifted_for_a_fix_even_though_the_preflight_waits_for_that_fix() -> None:
    release = obeyed(refreeze(until("approve"), order(), "a fix"))
    release = plan.apply(release, "preflight", passed(Checked(step="preflight", subject=HEAD, findings=(to_be_waived(),))), NOW)
    assert ready(release) == ["preflight", "freeze"]
    release = plan.apply(release, "freeze", needs("It is open.", Thawed(at=NOW)), NOW)
    assert release.frozen == ()
    assert ready(release) == ["preflight"]


def test_a_preflight_that_has_not_passed_is_looked_at_although_there_is_a_freeze() -> None:
    release = obeyed(refreeze(until("approve"), order(), "the branch moved"))
    release = plan.apply(release, "preflight", needs(), NOW)
    release = plan.apply(release, "freeze", passed(Thawed(at=NOW), Froze(refs=freeze_at(FIXED_HEAD))), NOW)
    assert release.refreeze_from is None
    assert ready(release) == ["preflight", "tag"]
