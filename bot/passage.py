"""Tell before the freeze whether the App could push at the end: bypass is granted for each ruleset and each mechanism on its own.

Sources: https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets and
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches
"""

from fnmatch import fnmatchcase
from typing import Final

from bot.freezing import PREFIX
from bot.release.facts import Finding, Severity
from bot.release.ids import Ref, branch_ref, tag_ref
from bot.release.model import Release
from bot.services.github.shapes import BranchProtection, Ruleset
from bot.tools import Tools

HARMLESS: Final = frozenset({"deletion", "non_fast_forward", "creation"})
"""What a fast-forward of an existing branch never does."""
STOPS_TAG: Final = frozenset({"creation", "required_signatures", "required_status_checks", "tag_name_pattern", "required_deployments"})


async def findings(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return one finding for every rule of others that would refuse the App's push."""
    found = []
    default = await tools.github.default_branch(release.repository)
    for summary in await tools.github.rulesets(release.repository, include_parents=True):
        if summary.enforcement != "active" or summary.name.startswith(f"{PREFIX} "):
            continue
        ruleset = await tools.github.ruleset(release.repository, summary.id)
        if ruleset is not None and ruleset.current_user_can_bypass not in ("always", "exempt"):
            found += _stopping(ruleset, release, default)
    protection = await tools.github.branch_protection(release.repository, release.branch)
    if protection is not None:
        found += [_finding(f"the classic protection of {release.branch}", reason) for reason in _classic(protection, tools.app.slug)]
    return tuple(found)


def _stopping(ruleset: Ruleset, release: Release, default: str) -> list[Finding]:
    ref = branch_ref(release.branch) if ruleset.target == "branch" else tag_ref(release.version.tag)
    if ruleset.target not in ("branch", "tag") or not covers(ruleset, ref, default):
        return []
    types = {rule.type for rule in ruleset.rules}
    stopping = types - HARMLESS if ruleset.target == "branch" else types & STOPS_TAG
    return [_finding(f"the ruleset “{ruleset.name}”", ", ".join(sorted(stopping)))] if stopping else []


def covers(ruleset: Ruleset, ref: Ref, default: str) -> bool:
    """Tell whether a ruleset's conditions include a ref."""

    def matches(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return ref == branch_ref(default)
        return fnmatchcase(ref, pattern)

    conditions = ruleset.conditions
    return any(map(matches, conditions.include)) and not any(map(matches, conditions.exclude))


def _classic(protection: BranchProtection, slug: str) -> list[str]:
    """Return what stops the App; whether Apps with administration rights count as administrators is not documented, so they do not."""
    reasons = {
        "it is locked": protection.lock_branch,
        "it lists who may push, without this App": protection.push_apps is not None and slug not in protection.push_apps,
        "it requires pull requests, and this App may not bypass them": protection.required_reviews
        and slug not in protection.review_bypass_apps,
        f"it requires the checks {', '.join(protection.required_checks)}": bool(protection.required_checks),
        "it requires signed commits": protection.required_signatures,
    }
    return [reason for reason, holds in reasons.items() if holds]


def _finding(what: str, reason: str) -> Finding:
    text = f"The App could not push past {what} ({reason}): an administrator has to add the App to its bypass list first."
    return Finding(check="passage", rule="bypass", severity=Severity.WAIVER, what=text, subject=(what, reason))
