"""Ask the release manager to approve exactly this push plan: the tag object's id, typed in full."""

from datetime import timedelta
from typing import Final

from bot import live_data
from bot.profile.types import StepName
from bot.push_plan import merging
from bot.release.gate import plan_digest
from bot.release.ids import tag_ref
from bot.release.model import Release
from bot.release.orders import PUSH_PLAN, valid_approval
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.release.signature import authenticated
from bot.release.version import Kind
from bot.tools import Tools, logins

FOREVER: Final = timedelta(days=3650)


async def advance(release: Release, tools: Tools) -> Outcome:
    """See whether the present plan is approved, or say who can approve it."""
    tag = release.tag
    if tag is None or not release.plan:
        return Failed(why="There is no push plan to approve.", retryable=True, look_again=tools.poll())
    valid_for = _validity(release, tools)
    approval = valid_approval(release, tools.now(), valid_for)
    plan = Evidence(what=PUSH_PLAN, value=plan_digest(tag.object, release.plan))
    if approval is None:
        by = authenticated(release)
        signed = "" if tag.signer else f" The tag is {by}, and by nothing else."
        # At the end of a series a branch has the same name.
        name = tag_ref(tag.name) if release.kind is Kind.END_OF_LIFE else tag.name
        made = "".join(f" {origin.what}" for origin in release.origins)
        look = f"Look at the push plan in the status, compare {tag.object} with `git rev-parse {name}` at home, and approve it."
        if release.made_its_tag:
            look = f"Look at the push plan in the status, see that {tag.commit} is the commit to release, and approve the tag I made of it."
        what = f"{look}{made}{signed}"
        say = f"/release approve {tag.object}"
        shown, facts = (plan, *merging.evidence(release, tag, tools)), await live_data.flipped(StepName.APPROVE, release, tools)
        who = logins(tools.managers(release))
        return NeedsPerson(who=who, what=what, say=say, evidence=shown, facts=facts, look_again=tools.poll())
    rests = "" if tag.signer else f" The tag is {authenticated(release)}."
    return Passed(
        why=f"{approval.by.login} approved the tag object {tag.object} and its push plan.{rests}",
        evidence=(plan, Evidence(what="approved by", value=approval.by.login), *merging.evidence(release, tag, tools)),
        look_again=approval.at + valid_for,
    )


def _validity(release: Release, tools: Tools) -> timedelta:
    """Return how long an approval holds here: while builds run it only lets them run, and the go that follows renews it."""
    if release.go is None and (release.has_step(StepName.GO) or release.has_step(StepName.PACKAGE_RELEASE)):
        return FOREVER
    return timedelta(seconds=tools.profile.timing.approval_valid)
