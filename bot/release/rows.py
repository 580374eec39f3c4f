"""What people have to do: every wish of a release is one open row, and nobody waits without one (invariant I10). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.release.facts import Handed
from bot.release.gate import managers
from bot.release.model import HumanAct, Release, ReleaseState, StepState, StepStatus

OPEN: Final = "open"
"""The name under which the start of a release has its row among what people do."""

HALT: Final = "halt"
"""The name under which a halt has its row among what people do."""

WITHDRAW: Final = "withdraw"
"""The name under which what may be public of a recalled release has its row; the bot cannot see that it is done."""

CANCEL: Final = "cancel"
"""The name under which runs that the bot may not cancel have theirs."""

RECALL: Final = "recall"
"""The name under which the wish to recall a release that is out has its row."""

NO_STEP: Final = frozenset({HALT, CANCEL, WITHDRAW, RECALL})
"""The rows that stand for no step."""


def asked(release: Release, name: str, now: datetime) -> Release:
    """Keep one open row for what the step needs of a person now, and close those it no longer needs or that no step stands for."""
    step = release.step(name)
    need = _need(release, step)
    others = {other.name for other in release.steps if other is not step} | NO_STEP
    rows, missing = [], need is not None
    for act in release.people:
        same = act.step == name and not act.done and need == (act.who, act.what)
        # The line to paste may name a newer digest although the sentence is the same.
        rows.append(replace(act, say=step.say) if same else act if act.step in others else closed(act, now))
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


def handed(release: Release, fact: Handed, now: datetime) -> Release:
    """Keep one row for what was handed over to people. Nothing waits for it, so it is closed at once, and nobody is called or reminded."""
    if any((act.step, act.what) == (fact.step, fact.what) for act in release.people):
        return release
    row = HumanAct(step=fact.step, who=fact.who, what=fact.what, since=now, done=now)
    return replace(release, people=(*release.people, row))


def closed(act: HumanAct, now: datetime) -> HumanAct:
    """Return a row as done, since then if it was done before."""
    return act if act.done else replace(act, done=now)


def left_running(release: Release, runs: Sequence[str], now: datetime) -> Release:
    """Keep one open row for runs that somebody has to cancel by hand, each told in a sentence; close it once there are none."""
    what = " ".join(runs)
    rows = tuple(closed(act, now) if act.step == CANCEL and act.what != what else act for act in release.people)
    if what and not any(act.step == CANCEL and not act.done for act in rows):
        rows = (*rows, HumanAct(step=CANCEL, who=managers(release), what=what, since=now))
    return replace(release, people=rows)


def all_closed(people: Iterable[HumanAct], now: datetime) -> tuple[HumanAct, ...]:
    """Return rows of which none is open any more."""
    return tuple(closed(act, now) for act in people)
