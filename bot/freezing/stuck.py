"""Ask a person about a branch whose classic protection somebody changed: it is not written over."""

from bot.freezing.holds import LeftToPeople
from bot.profile.types import StepName
from bot.release.facts import KeptProtection
from bot.release.model import Release
from bot.release.outcomes import Evidence, NeedsPerson
from bot.tools import Tools, logins


def stuck(reason: LeftToPeople, release: Release, tools: Tools, *, step: StepName) -> NeedsPerson:
    """Return who is asked to put the protection right, and how the branch is opened then."""
    page = tools.page(release.repository, "settings", "branches")
    what = (
        f"Find out who changed the protection of {release.branch} and why; then make it what it was before the freeze, or what it has to "
        f"be from now on, at {page}, and have me look again: once others than me can push, I leave it as it is. {reason}"
    )
    return NeedsPerson(
        who=logins(tools.managers(release)),
        what=what,
        say=f"/release retry {step}",
        evidence=(before_freeze(reason.before, release, tools),),
        look_again=tools.poll(),
    )


def before_freeze(before: KeptProtection, release: Release, tools: Tools) -> Evidence:
    """Return how a branch was protected before the freeze, as it can be written back."""
    page = tools.page(release.repository, "settings", "branches")
    value = f"{before.settings or 'none'}{', and signed commits required' if before.signatures else ''}"
    return Evidence(what=f"protection of {release.branch} before the freeze", value=value, url=page)
