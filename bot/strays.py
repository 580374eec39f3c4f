"""Lift freezes that nobody stands for any more (invariant I3: what ends leaves no freeze behind).

A rule may appear after all looking for it has ended: GitHub may carry out a request long after the answer to it was lost.
"""

import logging
import re
from collections.abc import Sequence
from typing import Final

from bot import freezing
from bot.context import Context
from bot.effects import Door
from bot.standing import StandingFreeze, is_standing
from bot.state import load
from bot.store.claim import Claim
from bot.store.store import Store

log: Final = logging.getLogger(__name__)

_IDENTITY: Final = re.compile(rf"{freezing.PREFIX} refs/\S+ #[0-9]+ (\S+)")


async def lift(context: Context, claim: Claim, store: Store, freezes: Sequence[StandingFreeze]) -> None:
    """Lift our rules whose release is over, and those of no standing freeze; everything that is not surely ours stays."""
    repository = context.profile.project.repository
    # The rules are read before the releases, so that the release of every rule seen here is known.
    rules = await context.github.rulesets(repository, include_parents=False)
    named = [(rule, match[1]) for rule in rules if (match := _IDENTITY.fullmatch(rule.name))]
    if not named:
        return
    releases = [load(work.state) for work in await store.works(context.profile.name) if work.state]
    over = {str(release.id) for release in releases if release.state.over}
    known = {freeze.ruleset for freeze in freezes}
    for rule, identity in named:
        if identity in over or (is_standing(context, identity) and rule.id not in known):
            log.warning("The rule “%s” was left behind, so it is lifted.", rule.name)
            tools = context.tools(Door(claim, identity, 0, context.observers))
            await freezing.lift(tools, repository, rule.id, rule.name, step="thaw")
