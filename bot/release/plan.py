"""Decide what a release may do next. Pure: a release and what was seen go in, the next release comes out.

1. Steps run in the profile's order; one is ready when everything it needs has passed, the push only when all steps before it have.
   A step that this kind of release does not have is not applicable.
2. A step that passed is looked at again until a later step settles it, so that a moved tag or a deleted rule is noticed.
3. Findings gate a step after it passed: what is to be acknowledged or waived waits for that person (invariant I9).
4. Another tag object, or a refreeze, opens the next attempt; the old one stays visible.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from bot.release.facts import Built, Checked, Fact, Froze, Planned, PublicationSeen, Pushed, Run, RunSeen, Tag, TagProved, TagSeen, Thawed
from bot.release.gate import gate, managers
from bot.release.model import Actor, Attempt, HumanAct, Release, ReleaseState, StepState, StepStatus
from bot.release.outcomes import Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.version import Kind

SETTLED: Final = (StepStatus.PASSED, StepStatus.NOT_APPLICABLE)

HALT: Final = "halt"
"""The name under which a halt has its row among what people do."""

CANCEL: Final = "cancel"
"""The name under which runs that the bot may not cancel have theirs."""

BUILDERS: Final = ("source", "windows", "macos")
BEFORE_PUSH: Final = ("preflight", "freeze", "tag", "audit", "approve", *BUILDERS, "go", "windows-publish", "publication")

SETTLES: Final[Mapping[str, tuple[str, ...]]] = {"freeze": ("preflight",), "go": BUILDERS, "push": BEFORE_PUSH}
"""A step on the left, once its goal is reached, ends all looking at those on the right that have passed."""


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One step of a profile: its name, what must have passed before it, and the kinds of release that do not have it."""

    name: str
    needs: tuple[str, ...] = ()
    not_for: frozenset[Kind] = frozenset()


def align(release: Release, specs: Sequence[StepSpec], approvers: Sequence[Actor] = ()) -> Release:
    """Give a release the steps and approvers of the profile, keeping what is known: a profile may change in mid-release.

    When to look again is forgotten, because every look decides it anew: the wish of a step that is no longer looked at would stay in the
    past, and the release would be looked at without a pause. A release that is over stays what it was.
    """
    if release.state.over:
        return release
    known = {step.name: replace(step, look_again=None) for step in release.steps if step.status is not StepStatus.NOT_APPLICABLE}
    steps = tuple(_left_out(release, spec) or known.get(spec.name, StepState(name=spec.name)) for spec in specs)
    return replace(release, steps=steps, approvers=tuple(approvers))


def _left_out(release: Release, spec: StepSpec) -> StepState | None:
    """Return the state of a step that this kind of release does not have, None for one that it has."""
    if release.kind not in spec.not_for:
        return None
    return StepState(name=spec.name, status=StepStatus.NOT_APPLICABLE, why=f"No {release.kind} release has this step.")


def settled(release: Release, name: str) -> bool:
    """Tell whether a step has passed and a later one has ended all looking at it."""
    ended = any(name in SETTLES.get(step.name, ()) and _reached(release, step) for step in release.steps)
    return ended and release.step(name).status in SETTLED


def _reached(release: Release, step: StepState) -> bool:
    """Tell whether a step's goal was reached; a freeze stays one while nobody can look at it for a moment."""
    frozen = bool(release.frozen) and release.refreeze_from is None
    return step.status in SETTLED or (step.name == "freeze" and frozen)


def ready(release: Release, spec: StepSpec) -> bool:
    """Tell whether a step should look and act now."""
    match release.state:
        case ReleaseState.RUNNING:
            return not _finished(release, spec.name) and (_lifts(release, spec.name) or _has_all(release, spec))
        case ReleaseState.ABORTING:
            return spec.name == "thaw"
        case ReleaseState.HALTED | ReleaseState.ABORTED | ReleaseState.DONE:
            return False
        case _:
            assert_never(release.state)


def _finished(release: Release, name: str) -> bool:
    if release.step(name).status is StepStatus.NOT_APPLICABLE:
        return True
    last = name == "push" or (name == "thaw" and not release.frozen)
    return (last and release.step(name).status in SETTLED) or settled(release, name)


def _lifts(release: Release, name: str) -> bool:
    """Tell whether a freeze is to be lifted for a fix: that needs nothing, for the fix may be what the preflight waits for."""
    return name == "freeze" and bool(release.frozen) and release.refreeze_from is not None


def _has_all(release: Release, spec: StepSpec) -> bool:
    """Tell whether what a step needs has passed; the push cannot be undone, so nothing before it may have come undone since."""
    names = [step.name for step in release.steps]
    earlier = names[: names.index("push")] if spec.name == "push" else []
    return all(release.step(need).status in SETTLED for need in (*spec.needs, *earlier))


def apply(release: Release, name: str, outcome: Outcome, now: datetime) -> Release:
    """Return the release after a step answered: its facts learnt, its state set, its findings gated."""
    for fact in outcome.facts:
        release = learn(release, fact, now)
    if name == "audit" and isinstance(outcome, Failed):
        # What was found once no longer counts: without it the audit proves everything anew instead of looking it up.
        release = replace(release, checked=tuple(checked for checked in release.checked if checked.step != name))
    before = release.step(name)
    after = _held(release, _described(before, outcome))
    heard = release.retry == name and not _unheard(outcome)
    release = replace(release.with_step(_dated(before, after, now)), retry="" if heard else release.retry)
    if isinstance(outcome, Failed) and outcome.halt and release.state in (ReleaseState.RUNNING, ReleaseState.ABORTING):
        release = halted(release, outcome.why, None, now, advice=outcome.diagnostics)
    # That an outside system is silent for a while changes nothing about what people have to do, and nobody is called anew for it.
    return release if _unheard(outcome) else _concluded(_people(release, name, now), now)


def _unheard(outcome: Outcome) -> bool:
    """Tell whether the step could not even look."""
    return isinstance(outcome, Waiting) and outcome.unheard


def learn(release: Release, fact: Fact, now: datetime) -> Release:
    """Return the release with one fact about the world taken in."""
    match fact:
        case Checked():
            return replace(release, checked=(*(c for c in release.checked if c.step != fact.step), fact))
        case TagSeen():
            return _seen(release, fact.tag, now)
        case TagProved():
            return replace(release, tag=fact.tag)
        case Planned():
            return replace(release, plan=fact.plan)
        case RunSeen():
            return _with_run(release, fact.run)
        case Built():
            return replace(release, builds=(*(build for build in release.builds if build.step != fact.build.step), fact.build))
        case PublicationSeen():
            return replace(release, publication=fact)
        case _:
            return _upstream(release, fact)


def _with_run(release: Release, run: Run) -> Release:
    """Keep the runs in the order in which they were first seen."""
    if not any(_order_of(one) == _order_of(run) for one in release.runs):
        return replace(release, runs=(*release.runs, run))
    return replace(release, runs=tuple(run if _order_of(one) == _order_of(run) else one for one in release.runs))


def _order_of(run: Run) -> tuple[str, str, int, int]:
    """Return what makes two runs the same order."""
    return (run.step, run.purpose, run.number, run.attempt)


def _seen(release: Release, tag: Tag, now: datetime) -> Release:
    if release.tag is None:
        return replace(release, tag=tag)
    if release.tag.object == tag.object:
        return release
    return replace(next_attempt(release, f"the tag now is another object, {tag.object}", now), tag=tag)


def _upstream(release: Release, fact: Froze | Pushed | Thawed) -> Release:
    match fact:
        case Froze():
            return replace(release, frozen=fact.refs, refreeze_from=None)
        case Pushed():
            return replace(release, pushed=fact.at)
        case Thawed():
            return replace(release, frozen=())
        case _:
            assert_never(fact)


def next_attempt(release: Release, why: str, now: datetime, *, thaw: bool = False) -> Release:
    """Open the next attempt: approvals and proofs lapse, the freeze stays unless ``thaw``, old evidence stays visible."""
    head = next((frozen.head for frozen in release.frozen if frozen.head), None)
    past = Attempt(number=release.attempt, why=why, ended=now, tag=release.tag, head=head, steps=release.steps)
    kept = () if thaw else ("preflight", "freeze")
    return replace(
        release,
        attempt=release.attempt + 1,
        attempt_why=why,
        attempt_since=now,
        refreeze_from=head if thaw else release.refreeze_from,
        tag=None,
        plan=(),
        checked=tuple(checked for checked in release.checked if checked.step in kept),
        approvals=(),
        builds=(),
        hand_work=(),
        deferrals=(),
        go=None,
        recalls=(),
        publication=None,
        retry="",
        steps=tuple(step if step.name in kept else StepState(name=step.name) for step in release.steps),
        people=tuple(act if act.step in (*kept, HALT, CANCEL) else _closed(act, now) for act in release.people),
        past=(*release.past, past),
    )


def lapsed_tags(release: Release) -> frozenset[str]:
    """Return the tag objects of earlier attempts: none of them may come back."""
    return frozenset(attempt.tag.object for attempt in release.past if attempt.tag)


def halted(release: Release, why: str, by: Actor | None, now: datetime, *, advice: Sequence[str] = ()) -> Release:
    """Return the release halted, with a row for whoever lets it go on: nothing waits on a person without one (invariant I10)."""
    what = " ".join((f"The release of {release.version} is halted and its freeze stays: {why}", *advice))
    row = HumanAct(step=HALT, who=managers(release), what=what, say="/release resume", since=now)
    people = (*_all_closed(release.people, now), row)
    return replace(release, state=ReleaseState.HALTED, state_why=why, state_by=by, halted_from=release.state, people=people)


def resumed(release: Release, by: Actor, now: datetime) -> Release:
    """Return the release as it was before its halt, with the row of the halt closed and the rows it had closed open again."""
    rows = tuple(_closed(act, now) if act.step == HALT else act for act in release.people)
    release = replace(release, state=release.halted_from, state_why="", state_by=by, people=rows)
    for step in release.steps if release.state is ReleaseState.RUNNING else ():
        release = _people(release, step.name, now)
    return release


def aborting(release: Release, why: str, by: Actor, now: datetime) -> Release:
    """Return the release on its way to its end: nothing is asked of anybody any more."""
    return replace(release, state=ReleaseState.ABORTING, state_why=why, state_by=by, people=_all_closed(release.people, now))


def to_cancel(release: Release) -> tuple[Run, ...]:
    """Return the runs of lapsed attempts that may still be under way; of all attempts once the release is given up."""
    given_up = release.state in (ReleaseState.ABORTING, ReleaseState.ABORTED)
    return tuple(run for run in release.runs if not run.over and (given_up or run.attempt != release.attempt))


def left_running(release: Release, runs: Sequence[str], now: datetime) -> Release:
    """Keep one open row for runs that somebody has to cancel by hand, each told in a sentence; close it once there are none."""
    what = " ".join(runs)
    rows = tuple(_closed(act, now) if act.step == CANCEL and act.what != what else act for act in release.people)
    if what and not any(act.step == CANCEL and not act.done for act in rows):
        rows = (*rows, HumanAct(step=CANCEL, who=managers(release), what=what, since=now))
    return replace(release, people=rows)


def next_look(release: Release, now: datetime, *, idle: datetime) -> datetime | None:
    """Return when to look at this release again: the earliest wish of a step, ``idle`` at the latest, None when it is over."""
    if release.state.over:
        return None
    wishes = [step.look_again for step in release.steps if step.look_again and not settled(release, step.name)]
    return max(now, min([idle, *wishes]))


def _dated(before: StepState, after: StepState, now: datetime) -> StepState:
    began = before.began or now
    if (after.status, after.on) == (before.status, before.on):
        return replace(after, began=began, since=before.since, ended=before.ended)
    return replace(after, began=began, since=now, ended=now if after.status in (StepStatus.PASSED, StepStatus.FAILED) else None)


def _described(before: StepState, outcome: Outcome) -> StepState:
    blank = StepState(name=before.name, evidence=outcome.evidence, look_again=outcome.look_again)
    match outcome:
        case Passed():
            return replace(blank, status=StepStatus.PASSED, why=outcome.why)
        case Waiting():
            return replace(blank, status=StepStatus.WAITING, why=outcome.why, on=(outcome.on,))
        case NeedsPerson():
            return replace(blank, status=StepStatus.NEEDS_PERSON, why=outcome.what, on=outcome.who, say=outcome.say)
        case Failed():
            return replace(blank, status=StepStatus.FAILED, why=outcome.why, diagnostics=outcome.diagnostics, retryable=outcome.retryable)
        case _:
            assert_never(outcome)


def _held(release: Release, after: StepState) -> StepState:
    hold = gate(release, after.name) if after.status is StepStatus.PASSED else None
    if hold is None:
        return after
    return replace(after, status=StepStatus.NEEDS_PERSON, why=hold.why, on=hold.who, say=hold.say)


def _people(release: Release, name: str, now: datetime) -> Release:
    """Keep one open row for what the step needs of a person now, and close those it no longer needs or that no step stands for."""
    step = release.step(name)
    need = _need(release, step)
    others = {other.name for other in release.steps if other is not step} | {HALT, CANCEL}
    rows, missing = [], need is not None
    for act in release.people:
        same = act.step == name and not act.done and need == (act.who, act.what)
        # The line to paste may name a newer digest although the sentence is the same.
        rows.append(replace(act, say=step.say) if same else act if act.step in others else _closed(act, now))
        missing = missing and not same
    if need and missing:
        who, what = need
        rows.append(HumanAct(step=name, who=who, what=what, say=step.say, since=now))
    return replace(release, people=tuple(rows))


def _need(release: Release, step: StepState) -> tuple[tuple[str, ...], str] | None:
    """Return whom a step needs and for what, or None: besides those who are asked, somebody has to mend what will not mend itself."""
    if step.status is StepStatus.NEEDS_PERSON:
        return step.on, step.why
    if step.status is StepStatus.FAILED and not step.retryable and release.state is ReleaseState.RUNNING:
        return managers(release), " ".join((f"The step {step.name} failed: {step.why}", *step.diagnostics))
    return None


def _closed(act: HumanAct, now: datetime) -> HumanAct:
    return act if act.done else replace(act, done=now)


def _concluded(release: Release, now: datetime) -> Release:
    """End a release whose last step has passed, but never with a freeze left behind (invariant I3)."""
    thawed = any(step.name == "thaw" and step.status is StepStatus.PASSED for step in release.steps)
    if release.frozen:
        return release
    if release.state is ReleaseState.ABORTING and thawed and not to_cancel(release):
        return replace(release, state=ReleaseState.ABORTED, people=_all_closed(release.people, now))
    if release.state is ReleaseState.RUNNING and all(step.status in SETTLED for step in release.steps):
        return replace(release, state=ReleaseState.DONE, people=_all_closed(release.people, now))
    return release


def _all_closed(people: Iterable[HumanAct], now: datetime) -> tuple[HumanAct, ...]:
    return tuple(_closed(act, now) for act in people)
