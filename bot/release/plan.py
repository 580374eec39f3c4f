"""Decide what a release may do next. Pure: a release and what was seen go in, the next release comes out.

1. Steps run in the profile's order; one is ready when everything it needs has passed. What builds goes on only while all that was proved
   still stands, and what cannot be undone, from the go to the push, only while every step before it does. A step that this kind of
   release does not have is not applicable.
2. A step that passed is looked at again until a later step settles it, so that a moved tag or a deleted rule is noticed.
3. Findings gate a step after it passed: what is to be acknowledged or waived waits for that person (invariant I9).
4. Another tag object, or a refreeze, opens the next attempt; the old one stays visible.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.release.course import AFTER_PROOFS, BUILDERS, PROVED, SETTLED, SETTLES, StepSpec
from bot.release.facts import (
    Built,
    Checked,
    Fact,
    Froze,
    Handed,
    Planned,
    Proved,
    Pushed,
    Run,
    RunSeen,
    Tag,
    TagProved,
    TagSeen,
    Thawed,
)
from bot.release.gate import gate, managers
from bot.release.model import Actor, Attempt, HumanAct, Release, ReleaseState, StepState, StepStatus
from bot.release.outcomes import Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.published import PublicationSeen
from bot.release.rows import CANCEL, HALT, WITHDRAW, all_closed, asked, closed, handed


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
    """Tell whether what a step needs has passed, and whether what it rests on has not come undone since."""
    return all(release.step(need).status in SETTLED for need in (*spec.needs, *_rests_on(release, spec.name)))


def _rests_on(release: Release, name: str) -> Sequence[str]:
    names = [step.name for step in release.steps]
    if name in BUILDERS:
        return [proved for proved in PROVED if proved in names]
    return names[: names.index(name)] if name in AFTER_PROOFS else []


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
    return release if _unheard(outcome) else concluded(_question_withdrawn(asked(release, name, now), now), now)


def _question_withdrawn(release: Release, now: datetime) -> Release:
    """Take the question for the go back while what it is about is made again."""
    undone = any(step.name in BUILDERS and step.status not in SETTLED for step in release.steps)
    if not undone or not any(step.name == "go" and step.status is StepStatus.NEEDS_PERSON for step in release.steps):
        return release
    people = tuple(closed(act, now) if act.step == "go" else act for act in release.people)
    return replace(release.with_step(StepState(name="go")), people=people)


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
            return replace(release, plan=fact.plan, origins=fact.origins)
        case RunSeen():
            return _with_run(release, fact.run)
        case Built():
            return replace(release, builds=(*(build for build in release.builds if build.step != fact.build.step), fact.build))
        case PublicationSeen():
            return replace(release, publication=fact)
        case Proved():
            return replace(release, proofs=(*(proved for proved in release.proofs if proved.step != fact.step), fact))
        case _:
            return _upstream(release, fact, now)


def _with_run(release: Release, run: Run) -> Release:
    """Keep the runs in the order in which they were first seen."""
    if not any(_order_of(one) == _order_of(run) for one in release.runs):
        # What an earlier order of this attempt built does not count any more.
        again = run.attempt == release.attempt
        builds = tuple(build for build in release.builds if not again or build.step != run.step)
        return replace(release, runs=(*release.runs, run), builds=builds)
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


def _upstream(release: Release, fact: Froze | Pushed | Thawed | Handed, now: datetime) -> Release:
    match fact:
        case Froze():
            return replace(release, frozen=fact.refs, refreeze_from=None)
        case Pushed():
            return replace(release, pushed=fact.at)
        case Thawed():
            return replace(release, frozen=())
        case Handed():
            return handed(release, fact, now)
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
        origins=(),
        checked=tuple(checked for checked in release.checked if checked.step in kept),
        approvals=(),
        builds=(),
        hand_work=(),
        deferrals=(),
        stages=(),
        go=None,
        recalls=(),
        publication=None,
        proofs=(),
        retry="",
        steps=tuple(step if step.name in kept else StepState(name=step.name) for step in release.steps),
        people=tuple(act if act.step in (*kept, HALT, CANCEL) else closed(act, now) for act in release.people),
        past=(*release.past, past),
    )


def lapsed_tags(release: Release) -> frozenset[str]:
    """Return the tag objects of earlier attempts: none of them may come back."""
    return frozenset(attempt.tag.object for attempt in release.past if attempt.tag)


def halted(release: Release, why: str, by: Actor | None, now: datetime, *, advice: Sequence[str] = ()) -> Release:
    """Return the release halted, with a row for whoever lets it go on: nothing waits on a person without one (invariant I10)."""
    what = " ".join((f"The release of {release.version} is halted and its freeze stays: {why}", *advice))
    row = HumanAct(step=HALT, who=managers(release), what=what, say="/release resume", since=now)
    people = (*all_closed(release.people, now), row)
    return replace(release, state=ReleaseState.HALTED, state_why=why, state_by=by, halted_from=release.state, people=people)


def resumed(release: Release, by: Actor, now: datetime) -> Release:
    """Return the release as it was before its halt, with the row of the halt closed and the rows it had closed open again."""
    rows = tuple(closed(act, now) if act.step == HALT else act for act in release.people)
    release = replace(release, state=release.halted_from, state_why="", state_by=by, people=rows, recalls=())
    for step in release.steps if release.state is ReleaseState.RUNNING else ():
        release = asked(release, step.name, now)
    return release


def aborting(release: Release, why: str, by: Actor, now: datetime) -> Release:
    """Return the release on its way to its end: nothing is asked of anybody but to withdraw what may be public."""
    people = all_closed(release.people, now)
    if release.go is not None:
        where = (
            "yank it on PyPI" if release.version.package else "take what is public of it off python.org, NuGet and the index for Windows"
        )
        what = f"{release.version} was recalled after its go: {where}."
        people = (*people, HumanAct(step=WITHDRAW, who=managers(release), what=what, say="/release done withdraw", since=now))
    return replace(release, state=ReleaseState.ABORTING, state_why=why, state_by=by, people=people)


def to_cancel(release: Release) -> tuple[Run, ...]:
    """Return the runs of lapsed attempts that may still be under way; of all attempts once the release is given up."""
    given_up = release.state in (ReleaseState.ABORTING, ReleaseState.ABORTED)
    return tuple(run for run in release.runs if not run.over and (given_up or run.attempt != release.attempt))


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
            # What could not be looked at is as it was seen last.
            evidence = before.evidence if outcome.unheard else outcome.evidence
            return replace(blank, status=StepStatus.WAITING, why=outcome.why, on=(outcome.on,), evidence=evidence)
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


def concluded(release: Release, now: datetime) -> Release:
    """End a release whose last step has passed, but never with a freeze left behind (invariant I3) or a run that nobody wants."""
    thawed = any(step.name == "thaw" and step.status is StepStatus.PASSED for step in release.steps)
    if release.frozen:
        return release
    if release.state is ReleaseState.ABORTING and thawed and not to_cancel(release):
        people = tuple(act if act.step == WITHDRAW else closed(act, now) for act in release.people)
        return replace(release, state=ReleaseState.ABORTED, people=people)
    if release.state is ReleaseState.RUNNING and all(step.status in SETTLED for step in release.steps) and not to_cancel(release):
        return replace(release, state=ReleaseState.DONE, people=all_closed(release.people, now))
    return release
