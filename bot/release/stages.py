"""Single artifacts of a package release: which of them become public, and which are kept back. Pure.

To let one become public is the go of such a release: from then on its version number is spent, its push plan is approved anew, and it
takes two persons to recall it.
Source: https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md.
"""

import re
from dataclasses import replace
from typing import Final

from bot.release.gate import plan_digest, results_digest, valid_go
from bot.release.model import Approval, Go, Release, ReleaseState, StepStatus
from bot.release.orders import WHOLE_SECOND, Answer, Declined, Done, Order
from bot.release.quoting import shown
from bot.release.record import StageDecision

STEP: Final = "package-release"
"""The step in which the artifacts wait."""


def plain(name: str) -> str:
    """Return the name of an artifact in the one way in which it is shown: https://peps.python.org/pep-0503/#normalized-names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def decided(release: Release, artifact: str) -> StageDecision | None:
    """Return what was decided last about an artifact of the pinned tag, or None."""
    tag = release.tag.object if release.tag else ""
    return next((one for one in reversed(release.stages) if (one.artifact, one.tag) == (plain(artifact), tag)), None)


def decide(release: Release, order: Order, artifact: str, *, approved: bool) -> Answer:
    """Let an artifact of the pinned tag become public, or keep it back."""
    verb, artifact = "approve" if approved else "reject", plain(artifact)
    if release.state is not ReleaseState.RUNNING or release.tag is None or not release.has_step(STEP):
        return Declined(why=f"There is no stage to {verb}: this release has none, or does not run now.")
    if release.step(STEP).status not in (StepStatus.NEEDS_PERSON, StepStatus.WAITING):
        return Declined(why="Nothing waits to be released yet; please wait until I show what does.")
    if artifact not in waiting(release):
        return Declined(why=f"{shown(artifact)} does not wait to be released; those are {', '.join(waiting(release)) or 'none'}.")
    if approved and artifact != plain(release.version.package):
        return Declined(why=f"This is the release of {release.version.package}: start another one for {artifact}.")
    before = decided(release, artifact)
    if before is not None and before.approved == approved and (not approved or valid_go(release) is not None):
        return Declined(why=f"{before.login} has {'approved' if before.approved else 'rejected'} {artifact} already.")
    if _asked_after(release, order):
        return Declined(why="What waits changed after you wrote, so you cannot have seen it: look at the status again.")
    tag = release.tag.object
    decision = StageDecision(
        artifact=artifact, approved=approved, by=order.by.id, login=order.by.login, tag=tag, at=order.at, comment=order.comment
    )
    after = replace(release, stages=(*release.stages, decision))
    if not approved:
        return Done(release=after, what=f"kept {artifact} back")
    go = Go(by=order.by, tag=tag, results=results_digest(release), at=order.at, comment=order.comment)
    approval = Approval(by=order.by, tag=tag, plan=plan_digest(tag, release.plan), at=order.at, comment=order.comment)
    said = f"let {artifact} become public, with the results {go.results}"
    return Done(release=replace(after, go=go, approvals=(*release.approvals, approval)), what=said)


def _asked_after(release: Release, order: Order) -> bool:
    """Tell whether somebody was asked for something else only after the comment was written."""
    return any(act.step == STEP and not act.done and act.since > order.said + WHOLE_SECOND for act in release.people)


def waiting(release: Release) -> tuple[str, ...]:
    """Return the artifacts that were shown as waiting: the evidence of the step names each as ``stage ARTIFACT``."""
    evidence = (one.what for one in release.step(STEP).evidence)
    return tuple(what.removeprefix("stage ") for what in evidence if what.startswith("stage "))
