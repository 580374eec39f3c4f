"""Releases, findings and outcomes as the tests of the heart need them: small, whole, and named as people speak of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.release import course, plan
from bot.release.course import StepSpec
from bot.release.facts import (
    Checked,
    Fact,
    Finding,
    Froze,
    FrozenRef,
    Planned,
    PlannedRef,
    Pushed,
    Severity,
    Tag,
    TagProved,
    TagSeen,
    Thawed,
)
from bot.release.ids import CommentId, CommitId, IssueNumber, ReleaseId, Repository, RulesetId, TagId, UserId, branch_ref, tag_ref
from bot.release.model import Actor, Release, StepStatus
from bot.release.orders import Answer, Declined, Done, Order
from bot.release.outcomes import Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.version import Kind, Version

NOW: Final = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
SOON: Final = NOW + timedelta(minutes=1)
LATER: Final = NOW + timedelta(hours=1)
VALID_FOR: Final = timedelta(hours=24)

STARTER: Final = Actor(id=UserId(1), login="hugovk")
MANAGER: Final = Actor(id=UserId(2), login="pablogsal")
APPROVER: Final = Actor(id=UserId(3), login="ned-deily")

NAMES: Final = ("preflight", "freeze", "tag", "audit", "approve", "push", "thaw")
SPECS: Final = tuple(StepSpec(name=name, needs=NAMES[:number][-1:]) for number, name in enumerate(NAMES))
"""The steps of CPython's profile: each needs the one before it."""

HEAD: Final = CommitId("c" * 40)
FIXED_HEAD: Final = CommitId("d" * 40)

BRANCH: Final = branch_ref("main")
TAG_NAME: Final = tag_ref("v3.15.0a3")


def opened() -> Release:
    """Return a release that was just opened."""
    release = Release(
        id=ReleaseId("cpython-3.15.0a3-42"),
        project="cpython",
        repository=Repository("python/cpython"),
        home=Repository("python/release-tools"),
        issue=IssueNumber(42),
        version=Version.parse("3.15.0a3"),
        kind=Kind.ALPHA,
        series="3.15",
        branch="main",
        starter=STARTER,
        manager=MANAGER,
        opened=NOW,
    )
    return course.align(release, SPECS)


def a_tag(letter: str = "a", owner: Actor = STARTER) -> Tag:
    """Return a tag object whose ids are made of one letter."""
    return Tag(
        object=TagId(letter * 40),
        commit=CommitId(letter * 39 + "0"),
        name="v3.15.0a3",
        fork=Repository(f"{owner.login}/cpython"),
        owner=owner.id,
        content="",
    )


def freeze_at(head: CommitId = HEAD) -> tuple[FrozenRef, ...]:
    """Return the freeze of branch and tag name."""
    return (
        FrozenRef(ref=BRANCH, head=head, since=NOW, ruleset=RulesetId(7), ruleset_name="branch"),
        FrozenRef(ref=TAG_NAME, head=None, since=NOW, ruleset=RulesetId(8), ruleset_name="tag"),
    )


def plan_for(tag: Tag, head: CommitId = HEAD) -> tuple[PlannedRef, ...]:
    """Return the push plan of a tag."""
    return (PlannedRef(ref=BRANCH, old=head, new=tag.commit), PlannedRef(ref=TAG_NAME, old=None, new=tag.object))


def to_note(what: str = "A builder is red.", **details: str) -> Finding:
    """Return a finding that the release manager has to acknowledge."""
    return Finding(check=details.get("check", "buildbots"), rule="tiers", severity=Severity.ACKNOWLEDGE, what=what)


def to_be_waived(what: str = "Issue #1 blocks 3.15.", **details: str) -> Finding:
    """Return a finding that only a waiver lets pass."""
    return Finding(check=details.get("check", "blockers"), rule="label", severity=Severity.WAIVER, what=what)


EXPLAINED: Final = Finding(check="audit", rule="version", severity=Severity.EXPLAINED, what="The version is raised.")


def passed(*facts: Fact) -> Passed:
    """Return the outcome of a step whose goal is true."""
    return Passed(why="It is so.", facts=facts, look_again=SOON)


def waiting(on: str = "an outside system") -> Waiting:
    """Return the outcome of a step for which a machine is at work."""
    return Waiting(on=on, why="It is not there yet.", look_again=SOON)


def needs(what: str = "Please look.", *facts: Fact, say: str = "") -> NeedsPerson:
    """Return the outcome of a step that only a person can bring on."""
    return NeedsPerson(who=(STARTER.login,), what=what, say=say, facts=facts, look_again=SOON)


def failed(why: str = "It is broken.", *, halt: bool = False) -> Failed:
    """Return the outcome of a step that cannot reach its goal."""
    return Failed(why=why, retryable=not halt, halt=halt, look_again=None if halt else SOON)


def audited(tag: Tag, *findings: Finding, head: CommitId = HEAD) -> Passed:
    """Return the outcome of an audit."""
    return passed(Checked(step="audit", subject=tag.object, findings=findings), TagProved(tag=tag), Planned(plan=plan_for(tag, head)))


def ordinary(step: str, tag: Tag | None = None) -> Outcome:
    """Return what a step answers when all is well; the approval is thought of as given."""
    tag = tag or a_tag()
    facts: dict[str, tuple[Fact, ...]] = {
        "preflight": (Checked(step="preflight", subject=HEAD, findings=()),),
        "freeze": (Froze(refs=freeze_at()),),
        "tag": (TagSeen(tag=tag),),
        "audit": audited(tag).facts,
        "approve": (),
        "push": (Pushed(plan=plan_for(tag), at=NOW),),
        "thaw": (Thawed(at=NOW),),
    }
    return passed(*facts[step])


def until(step: str) -> Release:
    """Return a release in which every step before this one has passed."""
    release = opened()
    for name in NAMES[: NAMES.index(step)]:
        release = plan.apply(release, name, ordinary(name), NOW)
    return release


def done() -> Release:
    """Return a release that went well to its end."""
    return plan.apply(until("thaw"), "thaw", ordinary("thaw"), NOW)


def order(by: Actor = STARTER, comment: int = 900, at: datetime = NOW, said: datetime | None = None) -> Order:
    """Return who gives a command, where and when."""
    return Order(by=by, comment=CommentId(comment), said=said or at, at=at)


def obeyed(answer: Answer) -> Release:
    """Return the release after a command that must take effect."""
    assert isinstance(answer, Done), answer
    return answer.release


def declined(answer: Answer) -> str:
    """Return why a command was declined, as it must have been."""
    assert isinstance(answer, Declined), answer
    return answer.why


def ready(release: Release, specs: Sequence[StepSpec] = SPECS) -> list[str]:
    """Return the steps that would look and act now."""
    return [spec.name for spec in specs if plan.ready(release, spec)]


def statuses(release: Release) -> dict[str, StepStatus]:
    """Return where every step stands."""
    return {step.name: step.status for step in release.steps}


def waited_for(release: Release) -> list[str]:
    """Return the steps (or ``halt``) that have an open row among what people do."""
    return sorted(act.step for act in release.people if act.done is None)


def with_finding(step: str, *findings: Finding) -> Release:
    """Return a release whose preflight or audit has just found something."""
    release = until(step)
    subject = a_tag().object if step == "audit" else HEAD
    outcome = ordinary(step)
    others = tuple(fact for fact in outcome.facts if not isinstance(fact, Checked))
    facts = (*others, Checked(step=step, subject=subject, findings=findings))
    return plan.apply(release, step, replace(outcome, facts=facts), NOW)
