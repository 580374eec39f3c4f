"""What the branches become: the answer of those who work out one kind of it (``bot.push_plan.heads``)."""

from dataclasses import dataclass

from bot.release.facts import Finding, Origin, PlannedRef


@dataclass(frozen=True, kw_only=True)
class Heads:
    """What the branches become, what has to be looked at besides the difference of the release commit, and where commits come from."""

    lines: tuple[PlannedRef, ...]
    findings: tuple[Finding, ...] = ()
    origins: tuple[Origin, ...] = ()
