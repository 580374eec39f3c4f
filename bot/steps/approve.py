"""Ask the release manager to approve exactly this push plan: the tag object's id, typed in full."""

from datetime import timedelta
from typing import Final

from bot.profile_types import StepName
from bot.release.gate import plan_digest
from bot.release.model import Release
from bot.release.orders import valid_approval
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.release.signature import authenticated
from bot.tools import Tools, logins

FOREVER: Final = timedelta(days=3650)


async def advance(release: Release, tools: Tools) -> Outcome:
    """See whether the present plan is approved, or say who can approve it."""
    tag = release.tag
    if tag is None or not release.plan:
        return Failed(why="There is no push plan to approve.", retryable=True, look_again=tools.poll())
    valid_for = _validity(release, tools)
    approval = valid_approval(release, tools.now(), valid_for)
    plan = Evidence(what="push plan", value=plan_digest(tag.object, release.plan))
    if approval is None:
        by = authenticated(release)
        signed = "" if tag.signer else f" The tag is {by}, and by nothing else."
        what = f"Look at the push plan in the status, compare {tag.object} with `git rev-parse {tag.name}` at home, and approve it.{signed}"
        say = f"/release approve {tag.object}"
        return NeedsPerson(who=logins(tools.managers(release)), what=what, say=say, evidence=(plan,), look_again=tools.poll())
    rests = "" if tag.signer else f" The tag is {authenticated(release)}."
    return Passed(
        why=f"{approval.by.login} approved the tag object {tag.object} and its push plan.{rests}",
        evidence=(plan, Evidence(what="approved by", value=approval.by.login)),
        look_again=approval.at + valid_for,
    )


def _validity(release: Release, tools: Tools) -> timedelta:
    """Return how long an approval holds here: while builds run it only lets them run, and the go that follows renews it."""
    if release.has_step(StepName.GO) and release.go is None:
        return FOREVER
    return timedelta(seconds=tools.profile.timing.approval_valid)
