"""Which steps a profile may list, in which order, and what each needs: nothing may lead round a gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.authority import Role
from bot.profile.builders import Azure, HandStep, Workflow
from bot.profile.forms import misfit
from bot.profile.package import Package
from bot.profile.types import HAND_STEPS, FreezePolicy, Person, Series, Step, StepName
from bot.release.version import Kind

STANDARD_STEPS: Final = (
    Step(name=StepName.PREFLIGHT),
    Step(name=StepName.FREEZE, needs=(StepName.PREFLIGHT,)),
    Step(name=StepName.TAG, needs=(StepName.FREEZE,)),
    Step(name=StepName.AUDIT, needs=(StepName.TAG,)),
    Step(name=StepName.APPROVE, needs=(StepName.AUDIT,)),
    Step(name=StepName.PUSH, needs=(StepName.APPROVE,)),
    Step(name=StepName.THAW, needs=(StepName.PUSH,)),
)

ALWAYS: Final[Mapping[StepName, tuple[StepName, ...]]] = {
    StepName.AUDIT: (StepName.TAG,),
    StepName.APPROVE: (StepName.TAG, StepName.AUDIT),
    StepName.SOURCE: (StepName.APPROVE,),
    StepName.WINDOWS: (StepName.APPROVE,),
    StepName.MACOS: (StepName.APPROVE,),
    StepName.STORE: (StepName.WINDOWS_PUBLISH,),
    StepName.GO: (StepName.APPROVE,),
    StepName.WINDOWS_PUBLISH: (StepName.WINDOWS, StepName.GO),
    StepName.PUBLICATION: (StepName.GO,),
    StepName.PUSH: (StepName.FREEZE, StepName.TAG, StepName.AUDIT, StepName.APPROVE),
    StepName.WRAP_UP: (StepName.THAW,),
    StepName.CHECKLIST: (StepName.THAW,),
    StepName.PACKAGE_TAG: (StepName.FREEZE,),
    StepName.PACKAGE_BUILD: (StepName.APPROVE,),
    StepName.PACKAGE_RELEASE: (StepName.PACKAGE_BUILD,),
    StepName.PYPI: (StepName.PACKAGE_RELEASE,),
}
"""What no profile can leave out before a step."""

OF_PACKAGES: Final[Mapping[StepName, tuple[StepName, ...]]] = {
    **ALWAYS,
    StepName.APPROVE: (StepName.PACKAGE_TAG,),
    StepName.PUSH: (StepName.FREEZE, StepName.PACKAGE_TAG, StepName.APPROVE, StepName.PACKAGE_RELEASE, StepName.PYPI),
}
"""The same for a project of packages, whose tags the bot itself makes."""

ONLY_PACKAGES: Final = frozenset({StepName.PACKAGE_TAG, StepName.PACKAGE_BUILD, StepName.PACKAGE_RELEASE, StepName.PYPI})
"""The steps that only packages have."""

MAY_BE_LEFT_OUT: Final = frozenset({StepName.SOURCE, StepName.WINDOWS, *HAND_STEPS, StepName.WINDOWS_PUBLISH, StepName.WRAP_UP})
"""The steps that a kind of release may not have; the others are gates, or end what one began."""

NOT_AT_THE_END: Final = frozenset({StepName.GO, StepName.PUBLICATION})
"""The gates that the end of a series may not have: nothing is built for it, and nothing published."""

BEFORE_GO: Final = (StepName.SOURCE, StepName.WINDOWS, StepName.MACOS)
"""The builders, whose work has to be there before anybody says go."""

WHERE_LISTED: Final[Mapping[StepName, tuple[StepName, ...]]] = {
    StepName.GO: BEFORE_GO,
    StepName.PUBLICATION: (StepName.WINDOWS_PUBLISH,),
    StepName.PUSH: (*BEFORE_GO, StepName.GO, StepName.WINDOWS_PUBLISH, StepName.PUBLICATION),
    StepName.THAW: (StepName.PUSH,),
}
"""What has to come before a step in a profile that lists it at all."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables of a profile that steps draw on."""

    workflow: Workflow | None
    azure: Azure | None
    hand: Mapping[StepName, HandStep]
    series: Mapping[str, Series]
    package: Package | None
    freeze: FreezePolicy


def check_order(steps: Sequence[Step]) -> None:
    """Refuse steps that go round in a circle, or round a gate."""
    listed = {step.name for step in steps}
    always = OF_PACKAGES if listed & ONLY_PACKAGES else ALWAYS
    before: dict[StepName, set[StepName]] = {}
    for index, step in enumerate(steps):
        if step.name in before:
            sentence = f"the step {step.name} stands here a second time: keep one"
            raise misfit(sentence, "step", index)
        if late := [need for need in step.needs if need not in before]:
            sentence = f"the step {step.name} needs {late[0]}, which does not stand above it: steps are listed in their order"
            raise misfit(sentence, "step", index, "needs")
        if not _may_be_left_out(step):
            sentence = f"every release has the step {step.name}: take not_for, first_series and last_series away"
            raise misfit(sentence, "step", index, "not_for")
        before[step.name] = set(step.needs).union(*(before[need] for need in step.needs))
        required = (*always.get(step.name, ()), *(need for need in WHERE_LISTED.get(step.name, ()) if need in listed))
        if missing := [need for need in required if need not in before[step.name]]:
            sentence = f"the step {step.name} must not be reached without {missing[0]}: add it to its needs, or to those of a step it needs"
            raise misfit(sentence, "step", index)
    if StepName.FREEZE in before and StepName.THAW not in before:
        sentence = "there is a freeze but no thaw, so the branch would stay frozen for ever: add the step thaw"
        raise misfit(sentence, "step")


def _may_be_left_out(step: Step) -> bool:
    """Tell whether the releases that the step is not for may be without it."""
    if step.name in MAY_BE_LEFT_OUT:
        return True
    bounded = step.first_series is not None or step.last_series is not None
    return not bounded and (not step.not_for or (step.name in NOT_AT_THE_END and set(step.not_for) == {Kind.END_OF_LIFE}))


def check_people(steps: Sequence[Step], hand: Mapping[StepName, HandStep], people: Sequence[Person]) -> None:
    """Refuse a step for which nobody could be asked."""
    listed = {step.name for step in steps}
    wanted = {name: work.role for name, work in hand.items() if name in listed}
    wanted |= dict.fromkeys(listed & {StepName.WINDOWS, StepName.WINDOWS_PUBLISH}, Role.WINDOWS_EXPERT)
    for name, role in sorted(wanted.items()):
        if not any(role in person.roles for person in people):
            sentence = f'nobody could be asked for the step {name}: give somebody the role "{role}"'
            raise misfit(sentence, "person")


def check_tables(steps: Sequence[Step], tables: Tables) -> None:
    """Refuse a step whose table is missing, and a table for a step that is not done by hand."""
    listed = {step.name for step in steps}
    if StepName.SOURCE in listed and tables.workflow is None:
        sentence = "there is the step source, but no workflow that builds the sources: add the table [workflow]"
        raise misfit(sentence, "step")
    if listed & {StepName.WINDOWS, StepName.WINDOWS_PUBLISH} and tables.azure is None:
        sentence = "there is a step for Windows, but no pipeline that builds for it: add the table [azure]"
        raise misfit(sentence, "step")
    _check_packages(listed, tables)
    for name in sorted(HAND_STEPS & listed):
        if name not in tables.hand:
            sentence = f"the step {name} is done by hand, but nobody is asked for it: add the table [hand.{name}]"
            raise misfit(sentence, "step")
    for name in sorted(tables.hand.keys() - HAND_STEPS):
        sentence = f"{name} is not done by hand: write one of {', '.join(sorted(HAND_STEPS))}"
        raise misfit(sentence, "hand", name)
    for series, policy in tables.series.items():
        if StepName.PUBLICATION in listed and policy.files is None:
            sentence = "the step publication has to know which files there must be: add files = { groups = [...] }"
            raise misfit(sentence, "series", series)


def _check_packages(listed: set[StepName], tables: Tables) -> None:
    """Refuse steps for packages without their tables, and an open branch for releases that move it."""
    if listed & ONLY_PACKAGES and tables.package is None:
        sentence = "there is a step for packages, but nothing says how they are released: add the table [package]"
        raise misfit(sentence, "step")
    if StepName.PACKAGE_BUILD in listed and (tables.package is None or tables.package.pipeline is None):
        sentence = "there is the step package-build, but no pipeline that builds packages: add the table [package.pipeline]"
        raise misfit(sentence, "step")
    if StepName.PACKAGE_TAG not in listed and not tables.freeze.branch:
        sentence = "a release that moves its branch needs it frozen: write true, or have the step package-tag make the tag"
        raise misfit(sentence, "freeze", "branch")
