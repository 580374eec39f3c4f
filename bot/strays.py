"""Lift freezes that nobody stands for any more (invariant I3: what ends leaves no freeze behind).

A rule may appear after all looking for it has ended: GitHub may carry out a request long after the answer to it was lost.
"""

import logging
import re
from collections.abc import Collection, Sequence
from typing import Final

from bot import freezing
from bot.context import Context
from bot.effects import Door
from bot.release.ids import Ref, branch_ref
from bot.release.model import Release
from bot.standing import StandingFreeze, is_standing
from bot.state import load
from bot.store.claim import Claim
from bot.store.store import Store
from bot.tools import Tools

log: Final = logging.getLogger(__name__)

_NAME: Final = re.compile(rf"{freezing.PREFIX} (?P<ref>refs/\S+) #[0-9]+ (?P<identity>\S+)")


async def lift(context: Context, claim: Claim, store: Store, freezes: Sequence[StandingFreeze]) -> None:
    """Lift our rules whose release is over, and those of no standing freeze; everything that is not surely ours stays."""
    repository = context.profile.project.repository
    # The rules are read before the releases, so that the release of every rule seen here is known.
    rules = await freezing.rulesets_of(_tools(context, claim, context.profile.name), repository, include_parents=False)
    named = [(rule, match) for rule in rules if (match := _NAME.fullmatch(rule.name))]
    if not named and context.profile.freeze.mode == "ruleset":
        return
    releases = [load(work.state) for work in await store.works(context.profile.name) if work.state]
    over = {str(release.id) for release in releases if release.state.over}
    known = {freeze.ruleset for freeze in freezes}
    for rule, match in named:
        identity = match["identity"]
        if identity in over or (is_standing(context, identity) and rule.id not in known):
            log.warning("The rule “%s” was left behind, so it is lifted.", rule.name)
            hold = freezing.ByRuleset(ref=Ref(match["ref"]), ruleset=rule.id, name=rule.name)
            await freezing.lift(_tools(context, claim, identity), repository, hold, step="thaw")
    if context.profile.freeze.mode == "classic":
        await _protections(context, claim, releases, {freeze.branch for freeze in freezes})


async def _protections(context: Context, claim: Claim, releases: Sequence[Release], standing: Collection[str]) -> None:
    """Put back what the last release of each branch wrote over, where nobody holds the branch any more."""
    held = {release.branch for release in releases if not release.state.over} | set(standing)
    last = {release.branch: release for release in sorted(releases, key=lambda one: one.opened) if release.branch not in held}
    for release in last.values():
        for attempt in range(release.attempt, 0, -1):
            tools = _tools(context, claim, release.id, attempt)
            hold = await freezing.begun(tools, branch_ref(release.branch), step="freeze")
            if hold is None:
                continue
            if await freezing.stands(tools, release.repository, hold):
                log.warning("The protection that froze %s was left behind, so it is lifted.", release.branch)
                await freezing.lift(tools, release.repository, hold, step="thaw")
            break


def _tools(context: Context, claim: Claim, identity: str, attempt: int = 0) -> Tools:
    return context.tools(Door(claim, identity, attempt, context.observers))
