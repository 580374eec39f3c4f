"""Which steps a release takes, and how they rest on each other. Pure: a profile may change in mid-release, and what is known stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.release.model import Actor, Release, StepState, StepStatus
from bot.release.version import Kind, Version

SETTLED: Final = (StepStatus.PASSED, StepStatus.NOT_APPLICABLE)

AUDITS: Final = ("audit", "package-tag")
"""The steps that prove a tag and work out the push plan; a project has one of them."""
PROVED: Final = ("preflight", "freeze", "tag", *AUDITS, "approve")
"""What everything that is built or published rests on."""
BUILDERS: Final = ("source", "windows", "macos", "package-build")
PUBLISHERS: Final = ("windows-publish", "publication", "package-release", "pypi")
AFTER_PROOFS: Final = ("go", *PUBLISHERS, "push")
"""What cannot be undone, and what it leads to."""
BEFORE_PUSH: Final = (*PROVED, *BUILDERS, "go", *PUBLISHERS)

TOO_LATE: Final = "The push had begun before the profile had this step."

SETTLES: Final[Mapping[str, tuple[str, ...]]] = {
    "freeze": ("preflight",),
    "go": BUILDERS,
    "package-release": ("package-build",),
    "push": BEFORE_PUSH,
}
"""A step on the left, once its goal is reached, ends all looking at those on the right that have passed."""


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One step of a profile: its name, what must have passed before it, and the kinds of release that do not have it.

    ``first`` and ``last`` are the series between which releases have it, as numbers such as ``(3, 13)``; None: no bound.
    """

    name: str
    needs: tuple[str, ...] = ()
    not_for: frozenset[Kind] = frozenset()
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None

    def fits(self, version: Version) -> bool:
        """Tell whether the version's series lies within the bounds."""
        series = (version.major, version.minor)
        return (self.first is None or self.first <= series) and (self.last is None or series <= self.last)


def align(release: Release, specs: Sequence[StepSpec], approvers: Sequence[Actor] = ()) -> Release:
    """Give a release the steps and approvers of the profile, keeping what is known: a profile may change in mid-release.

    When to look again is forgotten, because every look decides it anew: the wish of a step that is no longer looked at would stay in the
    past, and the release would be looked at without a pause. A release that is over stays what it was.
    """
    if release.state.over:
        return release
    known = {step.name: replace(step, look_again=None) for step in release.steps}
    steps = tuple(_left_out(release, spec, known) or _present(known, spec.name) for spec in specs)
    return replace(release, steps=steps, approvers=tuple(approvers))


def _present(known: Mapping[str, StepState], name: str) -> StepState:
    """Return a step as it is known; one that was left out and is wanted now begins anew."""
    step = known.get(name)
    return step if step and step.status is not StepStatus.NOT_APPLICABLE else StepState(name=name)


def _left_out(release: Release, spec: StepSpec, known: Mapping[str, StepState]) -> StepState | None:
    """Return the state of a step that this release does not have, None for one that it has."""
    if release.kind in spec.not_for:
        return StepState(name=spec.name, status=StepStatus.NOT_APPLICABLE, why=f"No {release.kind} release has this step.")
    if not spec.fits(release.version):
        return StepState(name=spec.name, status=StepStatus.NOT_APPLICABLE, why=f"No release of {release.series} has this step.")
    pushing = release.pushed or ("push" in known and known["push"].status is not StepStatus.PENDING)
    is_new = bool(known) and (spec.name not in known or known[spec.name].why == TOO_LATE)
    if pushing and is_new and spec.name in BEFORE_PUSH:
        return StepState(name=spec.name, status=StepStatus.NOT_APPLICABLE, why=TOO_LATE)
    return None
