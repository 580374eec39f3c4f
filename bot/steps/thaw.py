"""Unfreeze: delete exactly our own rules, and see that none is left (invariant I3)."""

import asyncio

from bot import freezing
from bot.release.facts import Thawed
from bot.release.ids import branch_ref, tag_ref
from bot.release.model import Release, ReleaseState
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.shelf import Shelf
from bot.tools import Tools


async def advance(release: Release, tools: Tools) -> Outcome:
    """Lift every rule of this release, found by the record and by name, and read back that none is left."""
    if release.state is ReleaseState.ABORTING and await _upstream_already(release, tools):
        why = "The tag is upstream although the release was being aborted, so an abort would be a lie; please look at it together."
        return Failed(why=why, retryable=False, halt=True)
    for frozen in release.frozen:
        await freezing.lift(tools, release.repository, frozen.ruleset, frozen.ruleset_name, step="thaw")
    for stray in await tools.github.rulesets(release.repository, include_parents=False):
        # A freeze whose answer was lost, or that a crash left behind before it was recorded.
        if freezing.is_ours(stray.name, release.id):
            await freezing.lift(tools, release.repository, stray.id, stray.name, step="thaw")
    left = [
        one.name for one in await tools.github.rulesets(release.repository, include_parents=False) if freezing.is_ours(one.name, release.id)
    ]
    if left:
        return Failed(why=f"These rules are still there: {', '.join(left)}.", retryable=True, look_again=tools.poll())
    # Of a release that was given up, something may lie there still.
    await asyncio.to_thread(Shelf.of(tools.home, release.id).clear)
    return Passed(
        why=f"{release.branch} is open again.",
        evidence=(Evidence(what="rules of this release", value="none left"),),
        facts=(Thawed(at=tools.now()),),
    )


async def _upstream_already(release: Release, tools: Tools) -> bool:
    if release.tag is None:
        return False
    seen = await tools.github.ref(release.repository, tag_ref(release.version.tag))
    branch = await tools.github.ref(release.repository, branch_ref(release.branch))
    return seen is not None and branch is not None and str(seen.id) == str(release.tag.object)
