"""What a profile may say about how a release comes to its branch: merged, or as the beginning of a new branch."""

from typing import Annotated

from pydantic import Field

from bot.profile.forms import Pattern
from bot.profile.table import Table
from bot.profile.types import AuditRule


class Merge(Table):
    """How a release is merged that does not descend from the frozen head, because it was cut from an older commit."""

    prepared: Annotated[tuple[Annotated[Pattern, Field(min_length=1)], ...], Field(min_length=1)] = ("branch-{version}", "merge-{version}")
    """The branches of the manager's fork in which a merge made by hand is looked for, the first that holds the tag and the frozen head.

    The last of them is the one that is asked for where somebody has to merge.
    """
    by_bot: bool = True
    """Whether the bot merges what can be merged without a conflict that no rule settles."""


class FirstBeta(Table):
    """How the first beta begins a branch, and what main becomes."""

    bump_branch: Annotated[Pattern, Field(min_length=1)] = "branch-{next}"
    """The branch of the manager's fork with the commit that makes main the next version; `{next}` is that, such as `3.16.0a0`."""
    rules: tuple[AuditRule, ...] = ()
    """What that commit may change, each as in `[audit]`, with `{series}` for the series that begins on main and `{version}` for `{next}`;
    whatever no rule explains fails the audit."""
