"""The plan: which step is ready, what an outcome changes, what a new attempt keeps, and how a release ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.release import course, plan
from bot.release.course import StepSpec
from bot.release.facts import Checked, Froze, TagProved, TagSeen
from bot.release.ids import watch_key, work_key
from bot.release.model import Goal, HumanAct, Promise, ReleaseState, StepState, StepStatus
from bot.release.orders import retry
from bot.release.outcomes import Failed
from tests.release_builders import (
    FIXED_HEAD,
    LATER,
    NAMES,
    NOW,
    SOON,
    SPECS,
    STARTER,
    a_tag,
    audited,
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
    until,
    waited_for,
    waiting,
    with_finding,
)

IDLE = NOW + timedelta(days=1)


# --- which step is ready


def test_a_release_begins_with_its_first_step() -> None:
    assert ready(opened()) == ["preflight"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("freeze", ["preflight", "freeze"]),
        ("tag", ["freeze", "tag"]),
        ("audit", ["freeze", "tag", "audit"]),
        ("approve", ["freeze", "tag", "audit", "approve"]),
        ("push", ["freeze", "tag", "audit", "approve", "push"]),
        ("thaw", ["thaw"]),
    ],
)
def test_what_has_passed_is_looked_at_until_a_later_step_settles_it(step: str, expected: list[str]) -> None:
    assert ready(until(step)) == expected


def test_a_step_waits_while_what_it_needs_waits() -> None:
    release = plan.apply(until("tag"), "freeze", waiting(), NOW)
    assert "tag" not in ready(release)


def test_a_freeze_that_cannot_be_looked_at_for_a_moment_does_not_open_the_preflight_again() -> None:
    release = plan.apply(until("tag"), "freeze", waiting(), NOW)
    assert ready(release) == ["freeze"]


def test_nothing_is_pushed_while_any_step_before_the_push_has_come_undone() -> None:
    assert "push" in ready(until("push"))
    for step in NAMES[1:5]:
        for outcome in (waiting(), failed(), needs()):
            assert "push" not in ready(plan.apply(until("push"), step, outcome, NOW)), step


def test_a_step_that_needs_an_unknown_one_is_a_fault_and_no_open_door() -> None:
    with pytest.raises(KeyError):
        plan.ready(opened(), StepSpec(name="freeze", needs=("prefligth",)))


@pytest.mark.parametrize("state", [ReleaseState.HALTED, ReleaseState.ABORTED, ReleaseState.DONE])
def test_a_release_that_is_halted_or_over_does_nothing(state: ReleaseState) -> None:
    assert ready(replace(until("push"), state=state)) == []


def test_an_abort_only_thaws() -> None:
    assert ready(replace(until("push"), state=ReleaseState.ABORTING)) == ["thaw"]


# --- what an outcome changes


def test_when_a_step_began_and_since_when_it_stands_so() -> None:
    release = plan.apply(opened(), "preflight", waiting(), NOW)
    release = plan.apply(release, "preflight", waiting(), SOON)
    release = plan.apply(release, "preflight", passed(), LATER)
    step = release.step("preflight")
    assert (step.began, step.since, step.ended) == (NOW, LATER, LATER)
    assert plan.apply(release, "preflight", passed(), IDLE).step("preflight").since == LATER


def test_waiting_for_somebody_else_is_a_new_wait() -> None:
    release = plan.apply(opened(), "preflight", waiting("GitHub"), NOW)
    step = plan.apply(release, "preflight", waiting("a buildbot"), SOON).step("preflight")
    assert (step.since, step.on, step.ended) == (SOON, ("a buildbot",), None)


def test_a_failure_says_why_and_whether_looking_again_may_help() -> None:
    step = plan.apply(opened(), "preflight", failed("There is no branch."), NOW).step("preflight")
    assert (step.status, step.why, step.retryable, step.ended) == (StepStatus.FAILED, "There is no branch.", True, NOW)


def test_a_step_that_this_release_does_not_have_is_a_fault() -> None:
    with pytest.raises(KeyError):
        plan.apply(opened(), "bake", passed(), NOW)


def test_the_first_tag_is_pinned_and_its_proof_stays_when_it_is_seen_again() -> None:
    proved = replace(a_tag(), signer="ABCD")
    release = plan.learn(plan.learn(opened(), TagSeen(tag=a_tag()), NOW), TagProved(tag=proved), NOW)
    assert plan.learn(release, TagSeen(tag=a_tag()), LATER) == release
    assert release.tag == proved


def test_a_check_replaces_only_its_own_earlier_result() -> None:
    release = until("approve")
    newer = Checked(step="preflight", subject=FIXED_HEAD, findings=())
    checked = plan.learn(release, newer, NOW).checked
    assert newer in checked
    assert [one.step for one in checked] == ["audit", "preflight"]


def test_an_audit_that_fails_forgets_what_it_found_so_that_it_proves_everything_anew() -> None:
    release = plan.apply(until("push"), "audit", failed("The key was revoked."), NOW)
    assert [checked.step for checked in release.checked] == ["preflight"]
    assert release.plan == plan_for(a_tag())
    assert "push" not in ready(release)


def test_an_audit_that_could_not_look_keeps_what_it_found_but_nothing_is_pushed_meanwhile() -> None:
    release = plan.apply(until("push"), "audit", waiting(), NOW)
    assert release.checked == until("push").checked
    assert "push" not in ready(release)


def test_a_person_who_asked_to_look_again_is_heard_once() -> None:
    release = obeyed(retry(until("approve"), order(), "audit"))
    assert plan.apply(release, "tag", ordinary("tag"), NOW).retry == "audit"
    assert plan.apply(release, "audit", passed(), NOW).retry == ""


# --- what people are asked


def test_who_is_waited_for_has_one_row_however_often_the_step_looks() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    again = plan.apply(release, "tag", needs("Cut it."), LATER)
    assert again.people == release.people
    assert waited_for(again) == ["tag"]
    assert again.people[-1].since == NOW


def test_the_row_shows_the_newest_line_to_paste_and_calls_nobody_anew() -> None:
    release = plan.apply(until("tag"), "tag", needs("Take note.", say="/release ack 1"), NOW)
    release = replace(release, people=tuple(replace(act, told=1, told_at=NOW) for act in release.people))
    [row] = plan.apply(release, "tag", needs("Take note.", say="/release ack 2"), LATER).people
    assert (row.say, row.since, row.told) == ("/release ack 2", NOW, 1)


def test_an_outside_system_that_is_silent_for_a_while_changes_nothing_about_what_people_have_to_do() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    silent = plan.apply(release, "tag", replace(waiting(), unheard=True), SOON)
    assert silent.people == release.people
    assert plan.apply(silent, "tag", needs("Cut it."), LATER).people == release.people


def test_another_wish_is_another_row() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    release = plan.apply(release, "tag", needs("Delete one."), LATER)
    assert [(act.what, act.done) for act in release.people] == [("Cut it.", LATER), ("Delete one.", None)]


def test_what_was_done_stays_on_the_list() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    release = plan.apply(release, "tag", ordinary("tag"), LATER)
    assert [(act.what, act.done) for act in release.people] == [("Cut it.", LATER)]
    assert plan.apply(release, "tag", ordinary("tag"), IDLE).people == release.people


def test_nobody_is_waited_for_on_behalf_of_a_step_that_the_profile_no_longer_has() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    release = course.align(release, [StepSpec(name="freeze")])
    assert waited_for(plan.apply(release, "freeze", passed(), LATER)) == []


def test_what_will_not_mend_itself_waits_for_the_release_manager() -> None:
    release = plan.apply(until("tag"), "tag", Failed(why="It exists.", diagnostics=("Take the next.",), retryable=False), NOW)
    assert waited_for(release) == ["tag"]
    assert release.people[-1].what == "The step tag failed: It exists. Take the next."
    assert waited_for(plan.apply(release, "tag", failed(), LATER)) == []


# --- halting and going on


def test_a_step_may_halt_the_release_and_then_only_the_halt_is_waited_for() -> None:
    release = plan.apply(until("tag"), "tag", needs("Cut it."), NOW)
    release = plan.apply(release, "freeze", failed("The rule is gone.", halt=True), LATER)
    assert (release.state, release.state_why, release.state_by) == (ReleaseState.HALTED, "The rule is gone.", None)
    assert waited_for(release) == ["halt"]
    assert release.people[-1].say == "/release resume"
    assert release.people[-1].who == ("hugovk", "pablogsal")
    assert release.frozen == freeze_at()


def test_a_release_that_is_halted_already_keeps_the_first_reason() -> None:
    release = plan.halted(until("tag"), "Stop.", STARTER, NOW)
    assert plan.apply(release, "freeze", failed("Broken.", halt=True), LATER).state_why == "Stop."


def test_going_on_waits_again_for_the_people_that_were_waited_for() -> None:
    release = plan.halted(plan.apply(until("tag"), "tag", needs("Cut it."), NOW), "Stop.", STARTER, SOON)
    release = plan.resumed(release, STARTER, LATER)
    assert release.state is ReleaseState.RUNNING
    assert waited_for(release) == ["tag"]
    assert release.people[-1].since == LATER


def test_an_abort_that_was_halted_goes_on_as_an_abort() -> None:
    release = plan.aborting(plan.apply(until("approve"), "approve", needs(), NOW), "Not today.", STARTER, NOW)
    release = plan.apply(release, "thaw", failed("The tag is upstream.", halt=True), NOW)
    assert release.state is ReleaseState.HALTED
    release = plan.resumed(release, STARTER, LATER)
    assert release.state is ReleaseState.ABORTING
    assert ready(release) == ["thaw"]
    assert waited_for(release) == []


# --- the end


def test_a_release_is_done_when_every_step_has_passed() -> None:
    release = done()
    assert release.state is ReleaseState.DONE
    assert (release.pushed, release.frozen) == (NOW, ())
    assert release.state.over


def test_a_step_that_a_release_does_not_have_to_take_does_not_keep_it_from_its_end() -> None:
    release = until("thaw").with_step(StepState(name="preflight", status=StepStatus.NOT_APPLICABLE))
    assert plan.apply(release, "thaw", ordinary("thaw"), NOW).state is ReleaseState.DONE


def test_no_release_ends_with_a_freeze_left_behind() -> None:
    release = plan.apply(until("thaw"), "thaw", passed(), NOW)
    assert release.state is ReleaseState.RUNNING
    assert ready(release) == ["thaw"]
    aborting = plan.apply(replace(until("tag"), state=ReleaseState.ABORTING), "thaw", passed(), NOW)
    assert aborting.state is ReleaseState.ABORTING
    assert plan.apply(aborting, "thaw", ordinary("thaw"), NOW).state is ReleaseState.ABORTED


def test_after_the_end_nobody_is_waited_for() -> None:
    row = HumanAct(step="preflight", who=("hugovk",), what="Look.", since=NOW)
    assert waited_for(plan.apply(replace(until("thaw"), people=(row,)), "thaw", ordinary("thaw"), NOW)) == []
    aborting = plan.aborting(plan.apply(until("tag"), "tag", needs(), NOW), "No.", STARTER, NOW)
    assert waited_for(aborting) == []
    assert plan.apply(aborting, "thaw", failed(), NOW).state is ReleaseState.ABORTING


# --- when to look again


def test_the_earliest_wish_decides_when_to_look_again() -> None:
    release = plan.apply(opened(), "preflight", waiting(), NOW)
    assert plan.next_look(release, NOW, idle=IDLE) == SOON
    assert plan.next_look(release, LATER, idle=IDLE) == LATER
    assert plan.next_look(opened(), NOW, idle=IDLE) == IDLE


def test_a_settled_step_has_no_wish() -> None:
    release = plan.apply(until("freeze"), "freeze", replace(passed(Froze(refs=freeze_at())), look_again=LATER), NOW)
    assert release.step("preflight").look_again == SOON
    assert plan.next_look(release, NOW, idle=IDLE) == LATER


def test_a_release_that_is_over_is_never_looked_at_again() -> None:
    assert plan.next_look(done(), NOW, idle=IDLE) is None


def test_the_wish_of_a_step_that_is_no_longer_looked_at_does_not_make_the_release_spin() -> None:
    halted = course.align(plan.halted(until("push"), "Stop.", STARTER, NOW), SPECS)
    assert plan.next_look(halted, LATER, idle=IDLE) == IDLE
    stuck = course.align(plan.apply(until("push"), "freeze", waiting(), NOW), SPECS)
    assert plan.next_look(stuck, LATER, idle=IDLE) == IDLE


# --- the profile may change


def test_a_changed_profile_keeps_what_is_known_and_adds_what_is_new() -> None:
    release = course.align(until("tag"), [StepSpec(name="freeze"), StepSpec(name="sbom", needs=("freeze",)), StepSpec(name="tag")])
    assert statuses(release) == {"freeze": StepStatus.PASSED, "sbom": StepStatus.PENDING, "tag": StepStatus.PENDING}
    assert release.step("freeze") == replace(until("tag").step("freeze"), look_again=None)


def test_the_parts_of_a_release_can_be_asked_for() -> None:
    release = with_finding("preflight", to_be_waived())
    assert release.findings("preflight") == (to_be_waived(),)
    assert release.findings("audit") == ()
    promised = replace(release, promises=(Promise(comment=order().comment, goal=Goal.RELEASED),))
    assert promised.with_step(StepState(name="tag", why="x")).step("tag").why == "x"


def test_an_issue_has_a_row_of_work_of_its_own_whichever_repository_it_is_in() -> None:
    homes = ("python/cpython", "python/release-tools")
    assert watch_key("cpython") == "cpython"
    assert work_key("cpython", homes, "Python/CPython", 42) == "cpython#42"
    assert work_key("cpython", homes, "Python/Release-Tools", 42) == "cpython#42@python/release-tools"


def test_the_plan_of_an_audit_is_learnt() -> None:
    assert plan.apply(until("audit"), "audit", audited(a_tag()), NOW).plan == plan_for(a_tag())


def test_a_branch_that_is_frozen_before_it_exists_is_one_to_come() -> None:
    branch, tag = until("tag").frozen
    assert (branch.to_come, tag.to_come) == (False, False)
    assert replace(branch, head=None).to_come
