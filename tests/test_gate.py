"""The gate: what was found is explained, acknowledged or waived before a step counts as passed (nothing is skipped silently)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.release import plan
from bot.release.facts import Checked, Finding, PlannedRef, Severity, TagSeen
from bot.release.gate import findings_digest, gate, plan_digest, to_acknowledge, to_waive
from bot.release.ids import CommitId, Ref
from bot.release.model import Actor, Release, StepStatus
from bot.release.orders import acknowledge, waive
from tests.release_builders import (
    APPROVER,
    EXPLAINED,
    FIXED_HEAD,
    HEAD,
    LATER,
    MANAGER,
    NOW,
    STARTER,
    a_tag,
    audited,
    declined,
    freeze_at,
    obeyed,
    opened,
    order,
    ordinary,
    passed,
    plan_for,
    to_be_waived,
    to_note,
    until,
    waited_for,
    with_finding,
)

texts = st.text(max_size=8)
finding_lists = st.lists(
    st.builds(
        Finding,
        check=texts,
        rule=texts,
        severity=st.sampled_from(Severity),
        what=texts,
        count=st.integers(1, 9),
        subject=st.lists(texts, max_size=2).map(tuple),
    ),
    max_size=3,
)


def looked(release: Release, *findings: Finding, subject: str = HEAD) -> Release:
    """Return the release after its preflight looked and found this."""
    return plan.apply(release, "preflight", passed(Checked(step="preflight", subject=subject, findings=findings)), LATER)


def waived_by(person: Actor, release: Release, check: str = "blockers") -> Release:
    """Return the release after a person waived a check of the preflight."""
    return obeyed(waive(release, order(person, said=LATER), check=check, sha=HEAD, reason="It can wait."))


def acknowledged(release: Release) -> Release:
    """Return the release after its manager took note of everything that waits."""
    for _, digest in to_acknowledge(release):
        release = obeyed(acknowledge(release, order(), digest))
    return release


# --- what holds a step


def test_nothing_holds_a_step_that_found_nothing_or_only_what_a_rule_explains() -> None:
    assert gate(opened(), "preflight") is None
    assert gate(with_finding("preflight"), "preflight") is None
    assert with_finding("preflight", EXPLAINED).step("preflight").status is StepStatus.PASSED


def test_what_is_to_be_acknowledged_waits_for_the_release_manager_with_the_line_to_paste() -> None:
    step = with_finding("preflight", to_note("A is red."), to_note("B is red.")).step("preflight")
    assert step.status is StepStatus.NEEDS_PERSON
    assert step.on == (STARTER.login, MANAGER.login)
    assert step.why == "Please take note: A is red; B is red."
    assert step.say.startswith("/release ack ")
    assert len(step.say.split()[-1]) == 12


def test_what_is_to_be_waived_is_told_in_full_with_the_line_to_paste() -> None:
    release = with_finding("preflight", to_be_waived("#1 blocks."), to_be_waived("#2 blocks."))
    step = release.step("preflight")
    assert step.status is StepStatus.NEEDS_PERSON
    assert step.why.startswith("#1 blocks. #2 blocks. This stops the release unless")
    assert step.say == f"/release waive blockers {HEAD} REASON"
    assert waited_for(release) == ["preflight"]


def test_the_manager_is_named_once_when_it_is_the_starter_and_not_at_all_when_unknown() -> None:
    for manager in (STARTER, None):
        assert looked(replace(opened(), manager=manager), to_note()).step("preflight").on == (STARTER.login,)


def test_a_step_that_has_not_passed_is_not_held_by_what_it_found() -> None:
    release = replace(opened(), checked=(Checked(step="preflight", subject=HEAD, findings=(to_note(),)),))
    assert plan.apply(release, "preflight", passed(), NOW).step("preflight").say
    assert gate(release, "freeze") is None


# --- acknowledging


def test_what_was_acknowledged_lets_the_step_pass_at_its_next_look() -> None:
    release = acknowledged(with_finding("preflight", to_note()))
    assert release.step("preflight").status is StepStatus.NEEDS_PERSON
    release = looked(release, to_note())
    assert release.step("preflight").status is StepStatus.PASSED
    assert waited_for(release) == []


@pytest.mark.parametrize("findings", [(to_note(), to_note("C is red.")), (to_note("C is red."),), (replace(to_note(), count=2),)])
def test_other_findings_are_to_be_acknowledged_anew(findings: tuple[Finding, ...]) -> None:
    release = looked(acknowledged(with_finding("preflight", to_note())), *findings)
    assert release.step("preflight").status is StepStatus.NEEDS_PERSON


def test_the_same_findings_about_something_else_are_to_be_acknowledged_anew() -> None:
    release = looked(acknowledged(with_finding("preflight", to_note())), to_note(), subject=FIXED_HEAD)
    assert release.step("preflight").status is StepStatus.NEEDS_PERSON


def test_an_acknowledgement_lets_nothing_pass_that_only_a_waiver_may() -> None:
    release = with_finding("preflight", to_note(), to_be_waived())
    release = looked(acknowledged(release), to_note(), to_be_waived())
    assert release.step("preflight").say == f"/release waive blockers {HEAD} REASON"
    assert looked(waived_by(APPROVER, release), to_note(), to_be_waived()).step("preflight").status is StepStatus.PASSED


# --- waiving


def test_a_waiver_lets_exactly_its_check_pass() -> None:
    both = (to_be_waived(), to_be_waived("The rules refuse the App.", check="passage"))
    release = with_finding("preflight", *both)
    release = looked(waived_by(APPROVER, release), *both)
    assert release.step("preflight").say == f"/release waive passage {HEAD} REASON"
    assert to_waive(release, "blockers") == ()
    release = looked(waived_by(APPROVER, release, "passage"), *both)
    assert release.step("preflight").status is StepStatus.PASSED


def test_a_waiver_does_not_cover_what_came_after_it() -> None:
    release = waived_by(APPROVER, with_finding("preflight", to_be_waived()))
    assert looked(release, to_be_waived(), to_be_waived("#2 blocks.")).step("preflight").status is StepStatus.NEEDS_PERSON
    assert looked(release, to_be_waived(), subject=FIXED_HEAD).step("preflight").status is StepStatus.NEEDS_PERSON


def test_a_waiver_does_not_outlive_its_tag() -> None:
    release = with_finding("audit", to_be_waived(check="audit"))
    release = obeyed(waive(release, order(APPROVER), check="audit", sha=a_tag().object, reason="Known."))
    assert plan.apply(release, "audit", passed(), NOW).step("audit").status is StepStatus.PASSED
    release = plan.apply(release, "tag", ordinary("tag", a_tag("b")), NOW)
    release = plan.apply(release, "audit", audited(a_tag("b"), to_be_waived(check="audit")), NOW)
    assert release.step("audit").status is StepStatus.NEEDS_PERSON


def test_who_waived_may_not_make_the_tag_unless_somebody_else_waives_too() -> None:
    release = looked(waived_by(MANAGER, with_finding("preflight", to_be_waived())), to_be_waived())
    assert release.step("preflight").status is StepStatus.PASSED
    release = plan.apply(replace(release, frozen=freeze_at()), "tag", passed(TagSeen(tag=a_tag(owner=MANAGER))), NOW)
    assert release.step("tag").status is StepStatus.NEEDS_PERSON
    assert release.step("tag").say == f"/release waive blockers {HEAD} REASON"
    release = plan.apply(waived_by(APPROVER, release), "tag", passed(TagSeen(tag=a_tag(owner=MANAGER))), NOW)
    assert release.step("tag").status is StepStatus.PASSED


def test_the_waiver_of_another_person_than_the_tagger_holds() -> None:
    release = looked(waived_by(MANAGER, with_finding("preflight", to_be_waived())), to_be_waived())
    assert plan.apply(release, "tag", ordinary("tag"), NOW).step("tag").status is StepStatus.PASSED


def test_a_tag_is_not_held_by_what_its_own_audit_found() -> None:
    release = with_finding("audit", to_be_waived(check="audit"))
    assert plan.apply(release, "tag", ordinary("tag"), NOW).step("tag").status is StepStatus.PASSED


def test_what_waits_in_two_steps_is_waived_by_its_sha() -> None:
    release = with_finding("audit", to_be_waived(check="blockers"))
    release = plan.learn(release, Checked(step="preflight", subject=HEAD, findings=(to_be_waived(),)), NOW)
    assert {checked.subject for checked, _ in to_waive(release, "blockers")} == {HEAD, a_tag().object}
    assert declined(waive(release, order(APPROVER), check="blockers", sha=FIXED_HEAD, reason="x")).endswith("so nothing was waived.")
    assert [checked.step for checked, _ in to_waive(waived_by(APPROVER, release), "blockers")] == ["audit"]


# --- digests


@given(finding_lists, finding_lists, texts)
def test_a_digest_names_exactly_these_findings_in_any_order(one: list[Finding], other: list[Finding], subject: str) -> None:
    checked = Checked(step="audit", subject=subject, findings=())
    assert findings_digest(checked, one) == findings_digest(checked, one[::-1])
    by_text = (sorted(map(repr, one)), sorted(map(repr, other)))
    assert (findings_digest(checked, one) == findings_digest(checked, other)) == (by_text[0] == by_text[1])


@given(finding_lists, texts, texts)
def test_a_digest_names_its_step_and_its_subject(findings: list[Finding], one: str, other: str) -> None:
    digests = {findings_digest(Checked(step="audit", subject=subject, findings=()), findings) for subject in (one, other)}
    assert len(digests) == len({one, other})
    here, there = (Checked(step=step, subject=one, findings=()) for step in ("preflight", "audit"))
    assert findings_digest(here, findings) != findings_digest(there, findings)


def test_the_digest_of_a_push_plan_changes_with_every_line_of_it() -> None:
    tag = a_tag()
    lines = plan_for(tag)
    other_plans = [
        lines[:1],
        lines[::-1],
        (replace(lines[0], old=FIXED_HEAD), lines[1]),
        (replace(lines[0], old=None), lines[1]),
        (replace(lines[0], new=CommitId("f" * 40)), lines[1]),
        (PlannedRef(ref=Ref("refs/heads/3.15"), old=lines[0].old, new=lines[0].new), lines[1]),
    ]
    digests = {plan_digest(tag.object, one) for one in (lines, *other_plans)} | {plan_digest("e" * 40, lines)}
    assert len(digests) == len(other_plans) + 2
    assert plan_digest(tag.object, lines) == plan_digest(tag.object, plan_for(tag))


def test_nothing_waits_in_a_release_that_found_nothing() -> None:
    assert to_acknowledge(until("push")) == ()
    assert to_waive(until("push"), "blockers") == ()


def test_those_who_can_mend_it_and_those_who_may_waive_are_asked() -> None:
    release = replace(with_finding("preflight", to_be_waived()), approvers=(STARTER, APPROVER))
    hold = gate(release, "preflight")
    assert hold is not None
    assert hold.who == (STARTER.login, MANAGER.login, APPROVER.login)
    alone = gate(replace(release, approvers=(STARTER,)), "preflight")
    assert alone is not None
    assert alone.who == (STARTER.login, MANAGER.login)
