"""Unfreeze: delete exactly our own rules, or put back the protection they replaced, and see that none is left (invariant I3)."""

import asyncio
from collections.abc import Sequence

from bot import freezing
from bot.freezing import Hold, LeftToPeople
from bot.freezing.stuck import stuck
from bot.profile.types import StepName
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
    leave = release.retry == StepName.THAW
    try:
        left = [await freezing.lift(tools, release.repository, hold, step="thaw", leave=leave) for hold in await _holds(release, tools)]
    except LeftToPeople as reason:
        return stuck(reason, release, tools, step=StepName.THAW)
    still = await freezing.leftovers(tools, release.repository, release.id)
    if still:
        names = ", ".join(freezing.record(hold).ruleset_name for hold in still)
        return Failed(why=f"These rules are still there: {names}.", retryable=True, look_again=tools.poll())
    # Of a release that was given up, something may lie there still.
    await asyncio.to_thread(Shelf.of(tools.home, release.id).clear)
    return Passed(
        why=f"{release.branch} is open again." if tools.profile.freeze.branch else "Nothing is held any more.",
        evidence=(Evidence(what="rules of this release", value="none left"), *_restored(release, left, tools)),
        facts=(Thawed(at=tools.now()),),
    )


async def _holds(release: Release, tools: Tools) -> list[Hold]:
    """Return all that holds a ref for this release: what is remembered, and what a crash or a lost answer left behind."""
    remembered = [freezing.hold_of(frozen) for frozen in release.frozen]
    known = {hold.ref for hold in remembered}
    begun = [await freezing.begun(tools, ref, step="freeze") for ref in (branch_ref(release.branch),) if ref not in known]
    strays = await freezing.leftovers(tools, release.repository, release.id)
    return [*remembered, *(hold for hold in begun if hold), *(hold for hold in strays if hold not in remembered)]


def _restored(release: Release, left: Sequence[str], tools: Tools) -> list[Evidence]:
    page = tools.page(release.repository, "settings", "branches")
    about = f"classic protection of {release.branch}"
    if any(left):
        return [Evidence(what=about, value=sentence, url=page) for sentence in left if sentence]
    classic = any(frozen.protection is not None for frozen in release.frozen)
    return [Evidence(what=about, value="as it was before the freeze, read back and equal", url=page)] if classic else []


async def _upstream_already(release: Release, tools: Tools) -> bool:
    if release.tag is None:
        return False
    seen = await tools.github.ref(release.repository, tag_ref(release.version.tag))
    branch = await tools.github.ref(release.repository, branch_ref(release.branch))
    return seen is not None and branch is not None and str(seen.id) == str(release.tag.object)
