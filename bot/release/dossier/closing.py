"""When a dossier closes, and what of a release belongs to it: nothing that came afterwards. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.release.facts import NOT_SEEN
from bot.release.model import (
    Acknowledgement,
    Approval,
    Deferral,
    Go,
    HandWork,
    HumanAct,
    Recall,
    Release,
    ReleaseState,
    StepState,
    StepStatus,
    Waiver,
)
from bot.release.record import Said
from bot.release.rows import OPEN

Decided = Approval | Acknowledgement | Waiver | Go | HandWork | Deferral | Recall
"""What somebody decided in a comment."""

AFTERWARDS: Final = "wrap-up"
"""The step that publishes the digest, so that what it does cannot be part of the document."""

ENDED: Final = (StepStatus.PASSED, StepStatus.NOT_APPLICABLE)


def closed(release: Release) -> datetime | None:
    """Return when the last step before the wrap-up ended; None while that is to come, or a run has to be found to be named."""
    steps = before(release)
    if any(run.id == NOT_SEEN and not run.over for run in release.runs):
        return None
    if release.state is not ReleaseState.ABORTED and not all(step.status in ENDED for step in steps):
        return None
    return max((step.ended for step in steps if step.ended), default=None)


def to_seal(release: Release) -> bool:
    """Tell whether the dossier has closed and is not sealed yet; one whose digest was published without a seal stays as it is."""
    published = any(step.name == AFTERWARDS and step.status is StepStatus.PASSED for step in release.steps)
    return release.seal is None and not published and closed(release) is not None


def before(release: Release) -> tuple[StepState, ...]:
    """Return the steps before the wrap-up."""
    return tuple(step for step in release.steps if step.name != AFTERWARDS)


def people(release: Release) -> tuple[HumanAct, ...]:
    """Return what people were asked for until the dossier closed; what was not done by then is not done for ever."""
    end = closed(release)
    if end is None:
        return tuple(act for act in release.people if act.step != AFTERWARDS)
    rows = (act for act in release.people if act.step != AFTERWARDS and act.since <= end)
    return tuple(replace(act, done=None) if act.done and act.done > end else act for act in rows)


def waited(release: Release, step: str = "", begin: datetime | None = None, until: datetime | None = None) -> int:
    """Return for how many seconds people were waited for, by one step or by any, each moment once.

    Only what lies between the two moments counts: from when the release was opened until the dossier closed, where none are given.
    """
    begin, end = begin or release.opened, until or closed(release)
    acts = (act for act in people(release) if act.step != OPEN and step in ("", act.step))
    spans = sorted((act.since, done if end is None else min(done, end)) for act in acts if (done := act.done or end))
    return round(sum(_seconds(spans, begin)))


def _seconds(spans: Iterable[tuple[datetime, datetime]], until: datetime) -> Iterable[float]:
    """Yield how long each span lasted beyond all before it; they come in the order in which they began."""
    for since, done in spans:
        yield max(0.0, (done - max(since, until)).total_seconds())
        until = max(done, until)


def decided(release: Release) -> dict[str, tuple[Decided, ...]]:
    """Return what people decided until the dossier closed, by the name that it has there."""
    end = closed(release)
    every: dict[str, tuple[Decided, ...]] = {
        "approvals": release.approvals,
        "acknowledgements": release.acknowledgements,
        "waivers": release.waivers,
        "hand_work": release.hand_work,
        "deferrals": release.deferrals,
        "go": (release.go,) if release.go else (),
        "recalls": release.recalls,
    }
    return {name: tuple(one for one in some if end is None or one.at <= end) for name, some in every.items()}


def decisions(release: Release) -> tuple[Decided, ...]:
    """Return what people decided until the dossier closed."""
    return tuple(one for some in decided(release).values() for one in some)


def commands(release: Release) -> tuple[Said, ...]:
    """Return the commands that took effect until the dossier closed."""
    end = closed(release)
    return tuple(said for said in release.commands if end is None or said.at <= end)
