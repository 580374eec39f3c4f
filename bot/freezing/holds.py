"""What holds a ref: a ruleset of ours, or classic protection of ours in the place of what was there before."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.errors import UserError
from bot.release.facts import FrozenRef, KeptProtection
from bot.release.ids import Ref, RulesetId

NO_RULESET = RulesetId(0)
"""Recorded where no ruleset holds a ref."""


@dataclass(frozen=True, kw_only=True)
class ByRuleset:
    """A ref that a ruleset of that id and name holds; ``to_come``: a branch that did not exist when it was frozen."""

    ref: Ref
    ruleset: RulesetId
    name: str
    to_come: bool = field(default=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class ByProtection:
    """A branch that classic protection holds; ``before`` is what is put back."""

    ref: Ref
    before: KeptProtection

    @property
    def branch(self) -> str:
        """Return the branch's name."""
        return self.ref.removeprefix("refs/heads/")


Hold = ByRuleset | ByProtection


class Recorded(Protocol):
    """A hold as it is remembered: a release and a standing freeze have fields of these names."""

    @property
    def ref(self) -> Ref:
        """Return which ref is held."""

    @property
    def ruleset(self) -> RulesetId:
        """Return the ruleset's id."""

    @property
    def ruleset_name(self) -> str:
        """Return the ruleset's name, or what else the hold is called."""

    @property
    def protection(self) -> KeptProtection | None:
        """Return what is put back, None for a ruleset."""


class LeftToPeople(UserError):
    """A branch's classic protection is not as the bot wrote it, so it is not touched. ``before`` is what it was before the freeze."""

    def __init__(self, message: str, before: KeptProtection) -> None:
        """Keep what the person needs in order to put it right."""
        super().__init__(message)
        self.before = before


def hold_of(recorded: Recorded) -> Hold:
    """Return the hold that was recorded: what was frozen in one way is lifted in that way, whatever the profile says by now."""
    if recorded.protection is None:
        to_come = isinstance(recorded, FrozenRef) and recorded.to_come
        return ByRuleset(ref=recorded.ref, ruleset=recorded.ruleset, name=recorded.ruleset_name, to_come=to_come)
    return ByProtection(ref=recorded.ref, before=recorded.protection)
