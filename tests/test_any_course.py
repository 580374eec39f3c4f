"""Whatever happens in whatever order – looks, commands, time, deaths – what must always hold for a release holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.release import course, orders, plan
from bot.release.facts import Checked, Fact, Finding, Froze, Planned, PlannedRef, Pushed, Tag, TagProved, TagSeen, Thawed
from bot.release.gate import gate, to_acknowledge, to_waive
from bot.release.ids import CommitId
from bot.release.model import Actor, Goal, HumanAct, Release, ReleaseState, StepState, StepStatus
from bot.release.orders import Answer, valid_approval
from bot.release.outcomes import Failed, Outcome
from bot.state import dump, load
from tests.release_builders import (
    APPROVER,
    BRANCH,
    FIXED_HEAD,
    HEAD,
    MANAGER,
    NAMES,
    NOW,
    SPECS,
    TAG_NAME,
    VALID_FOR,
    a_tag,
    failed,
    freeze_at,
    needs,
    opened,
    order,
    passed,
    plan_for,
    ready,
    to_be_waived,
    to_note,
    waiting,
)

TAGS = (a_tag("a"), a_tag("b"), a_tag("e", MANAGER))
FINDINGS = (to_note(), to_note("Another is red."), to_be_waived(), to_be_waived("#2 blocks."), to_be_waived("Odd.", check="passage"))
IDLE = timedelta(days=30)

findings = st.lists(st.sampled_from(FINDINGS), max_size=2, unique=True).map(tuple)
troubles = st.sampled_from(
    [
        None,
        None,
        None,
        None,
        waiting(),
        needs("Please look."),
        failed(),
        Failed(why="For good.", retryable=False),
        failed("Broken.", halt=True),
    ]
)


class AnyCourse(RuleBasedStateMachine):
    """A release in a world where everything may happen; the steps answer as the real ones do."""

    def __init__(self) -> None:
        super().__init__()
        self.release: Release = opened()
        self.now: datetime = NOW
        self.head: CommitId = HEAD
        self.in_fork: Tag | None = None
        self.found: dict[str, tuple[Finding, ...]] = {"preflight": (), "audit": ()}
        self.second_plan = False

    # --- the world

    @rule(minutes=st.sampled_from([1, 60, 60 * 13]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(tag=st.sampled_from([None, *TAGS]))
    def the_fork_changes(self, tag: Tag | None) -> None:
        self.in_fork = tag

    @rule()
    def the_branch_moves(self) -> None:
        self.head = FIXED_HEAD if self.head == HEAD else HEAD

    @rule(step=st.sampled_from(["preflight", "audit"]), found=findings)
    def there_is_something_to_find(self, step: str, found: tuple[Finding, ...]) -> None:
        self.found[step] = found

    @rule()
    def the_plan_would_be_another(self) -> None:
        self.second_plan = not self.second_plan

    @rule()
    def the_process_dies(self) -> None:
        self.release = load(dump(self.release))

    # --- looking

    @rule(trouble=st.sampled_from(NAMES), outcome=troubles)
    def the_bot_looks(self, trouble: str, outcome: Outcome | None) -> None:
        self.release = course.align(self.release, SPECS)
        looked = set()
        for spec in SPECS:
            if plan.ready(self.release, spec):
                looked.add(spec.name)
                self._step(spec.name, outcome if outcome and spec.name == trouble else self._answer(spec.name))
        assert self.release.state.over or {step.name for step in self.release.steps if step.look_again} <= looked
        self._next_look(looked)

    @rule(tag=st.sampled_from(TAGS))
    def everybody_does_their_part(self, tag: Tag) -> None:
        self.resume()
        self.in_fork = self.release.tag or tag
        self.the_bot_looks("thaw", None)
        self.acknowledge()
        for check in ("blockers", "passage"):
            self.waive(APPROVER, check)
        self.the_bot_looks("thaw", None)
        self.approve_what_is_there()

    def _next_look(self, looked: set[str]) -> None:
        idle = self.now + IDLE
        look = plan.next_look(self.release, self.now, idle=idle)
        if self.release.state.over:
            assert look is None
            return
        assert look is not None
        assert self.now <= look <= idle
        assert looked or look == idle

    def _step(self, name: str, outcome: Outcome) -> None:
        before = self.release
        if name == "push":
            self._may_push(before)
        after = plan.apply(before, name, outcome, self.now)
        assert after == plan.apply(before, name, outcome, self.now)
        assert after == plan.apply(after, name, outcome, self.now)
        self._kept(before, after)
        self.release = after
        if name == "approve" and after.step("approve").status is StepStatus.PASSED:
            assert valid_approval(after, self.now, VALID_FOR)

    def _may_push(self, release: Release) -> None:
        """See that nothing is missing in the moment before the push (invariant I1)."""
        assert release.state is ReleaseState.RUNNING
        assert release.tag is not None
        approval = valid_approval(release, self.now, VALID_FOR)
        assert approval is not None
        assert approval.tag == release.tag.object
        assert release.frozen
        assert release.refreeze_from is None
        assert [gate(release, step) for step in NAMES] == [None] * len(NAMES)
        assert all(release.step(step).status is StepStatus.PASSED for step in NAMES[:5])
        assert not to_acknowledge(release)
        assert {c.subject for c in release.checked if c.step == "audit"} == {release.tag.object}
        assert not any(promise.goal is Goal.ABORTED for promise in release.promises)

    def _answer(self, name: str) -> Outcome:
        answers: dict[str, Callable[[], Outcome]] = {
            "preflight": lambda: passed(Checked(step="preflight", subject=self.head, findings=self.found["preflight"])),
            "freeze": self._freeze,
            "tag": self._tag,
            "audit": self._audit,
            "approve": self._approve,
            "push": lambda: passed(Pushed(plan=self.release.plan, at=self.now)),
            "thaw": lambda: passed(Thawed(at=self.now)),
        }
        return answers[name]()

    def _freeze(self) -> Outcome:
        release = self.release
        if release.refreeze_from is not None:
            if self.head != release.refreeze_from:
                return passed(Froze(refs=freeze_at(self.head)))
            return needs("It is open for the fix.", Thawed(at=self.now), say="/release retry freeze")
        if not release.frozen:
            return passed(Froze(refs=freeze_at(self.head)))
        return passed() if release.frozen[0].head == self.head else failed("The branch moved.", halt=True)

    def _tag(self) -> Outcome:
        if self.in_fork is None or self.in_fork.object in plan.lapsed_tags(self.release):
            return failed("It is gone.") if self.release.tag else needs("Cut it.")
        return passed(TagSeen(tag=self.in_fork))

    def _audit(self) -> Outcome:
        tag = self.release.tag
        if tag is None:
            return failed("There is no tag.")
        done = any((one.step, one.subject) == ("audit", tag.object) for one in self.release.checked)
        if done and self.release.plan and self.release.retry != "audit":
            return passed()
        lines = (*plan_for(tag, self.head), *([PlannedRef(ref=BRANCH, old=None, new=tag.commit)] if self.second_plan else []))
        facts: tuple[Fact, ...] = (Checked(step="audit", subject=tag.object, findings=self.found["audit"]), TagProved(tag=tag))
        return passed(*facts, Planned(plan=lines))

    def _approve(self) -> Outcome:
        approval = valid_approval(self.release, self.now, VALID_FOR)
        return passed() if approval else needs("Approve.", say=f"/release approve {TAG_NAME}")

    # --- what people say

    def _say(self, answer: Answer) -> None:
        before = self.release
        if isinstance(answer, orders.Done):
            assert not before.state.over
            self._kept(before, answer.release)
            self.release = answer.release

    @rule(tag=st.sampled_from(TAGS))
    def approve(self, tag: Tag) -> None:
        self._say(orders.approve(self.release, order(at=self.now), tag.object))

    @rule()
    def approve_what_is_there(self) -> None:
        self._say(orders.approve(self.release, order(at=self.now), self.release.tag.object if self.release.tag else ""))

    @rule()
    def acknowledge(self) -> None:
        for _, digest in to_acknowledge(self.release):
            self._say(orders.acknowledge(self.release, order(at=self.now), digest))

    @rule(by=st.sampled_from([MANAGER, APPROVER]), check=st.sampled_from(["blockers", "passage"]))
    def waive(self, by: Actor, check: str) -> None:
        if self.release.tag and self.release.tag.owner == by.id:
            return
        for checked, _ in to_waive(self.release, check):
            self._say(orders.waive(self.release, order(by, at=self.now), check=check, sha=checked.subject, reason="It can wait."))

    @rule(step=st.sampled_from(NAMES))
    def retry(self, step: str) -> None:
        self._say(orders.retry(self.release, order(at=self.now), step))

    @rule()
    def refreeze(self) -> None:
        self._say(orders.refreeze(self.release, order(at=self.now), "a fix"))

    @rule()
    def halt(self) -> None:
        self._say(orders.halt(self.release, order(at=self.now), "Wait."))

    @rule()
    def resume(self) -> None:
        self._say(orders.resume(self.release, order(APPROVER, at=self.now)))

    @precondition(lambda self: self.release.attempt > 1)
    @rule()
    def abort(self) -> None:
        self._say(orders.abort(self.release, order(at=self.now), "Not today."))

    # --- what must hold

    def _kept(self, before: Release, after: Release) -> None:
        """Compare a release with what it was before a look or a command."""
        assert after.past[: len(before.past)] == before.past
        assert after.attempt >= before.attempt
        assert after.waivers[: len(before.waivers)] == before.waivers
        assert [replace(act, say="", done=None) for act in after.people[: len(before.people)]] == [
            replace(act, say="", done=None) for act in before.people
        ]
        assert all(late.done == early.done for early, late in zip(before.people, after.people, strict=False) if early.done)
        for old, new in zip(before.steps, after.steps, strict=True):
            if before.attempt == after.attempt and (old.status, old.on) == (new.status, new.on):
                assert old.since == new.since
        if any(promise.goal is Goal.ABORTED for promise in before.promises):
            assert after.state in (ReleaseState.ABORTING, ReleaseState.ABORTED, ReleaseState.HALTED)

    @invariant()
    def attempts_are_counted(self) -> None:
        assert [one.number for one in self.release.past] == list(range(1, self.release.attempt))

    @invariant()
    def a_lapsed_tag_never_is_the_tag_again(self) -> None:
        assert self.release.tag is None or self.release.tag.object not in plan.lapsed_tags(self.release)

    @invariant()
    def no_step_has_passed_with_an_open_finding(self) -> None:
        release = self.release
        for step in release.steps:
            if step.status is StepStatus.PASSED:
                # A preflight that was waived by who made the tag later holds that tag instead.
                assert gate(replace(release, tag=None) if step.name == "preflight" else release, step.name) is None

    @invariant()
    def everybody_who_is_waited_for_has_one_row_and_nobody_else(self) -> None:
        waited = [act.step for act in self.release.people if act.done is None]
        if self.release.state is ReleaseState.RUNNING:
            silent = {step.name for step in self.release.steps if step.status is StepStatus.WAITING}
            assert len(waited) == len(set(waited))
            assert set(waited) - silent == {step.name for step in self.release.steps if _needs_somebody(step)}
            assert all(_fits(self.release, act) for act in self.release.people if act.done is None and act.step not in silent)
        elif self.release.state is ReleaseState.HALTED:
            assert waited == ["halt"]
        else:
            assert waited in ([], ["thaw"])

    @invariant()
    def what_is_over_stays_over_and_leaves_no_freeze_behind(self) -> None:
        if self.release.state.over:
            assert ready(self.release) == []
            assert self.release.frozen == ()
            assert plan.next_look(self.release, self.now, idle=self.now + IDLE) is None
            assert all(act.done for act in self.release.people)
        if self.release.state is ReleaseState.HALTED:
            assert ready(self.release) == []

    @invariant()
    def it_is_read_as_it_was_written(self) -> None:
        assert load(dump(self.release)) == self.release


def _needs_somebody(step: StepState) -> bool:
    return step.status is StepStatus.NEEDS_PERSON or (step.status is StepStatus.FAILED and not step.retryable)


def _fits(release: Release, act: HumanAct) -> bool:
    """Tell whether an open row says what its step says."""
    step = release.step(act.step)
    return act.say == step.say and (step.status is StepStatus.FAILED or (act.who, act.what) == (step.on, step.why))


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
