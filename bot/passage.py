"""Tell before the freeze whether the App could push at the end: bypass is granted for each ruleset and each mechanism on its own.

Sources: https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets and
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches
"""

from fnmatch import fnmatchcase
from typing import Final

from bot import freezing
from bot.push_plan import first_beta
from bot.push_plan.ancestry import MAY_CHERRY_PICK
from bot.release.facts import Finding, Severity
from bot.release.ids import Ref, branch_ref, tag_ref
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.github.shapes import Ruleset
from bot.services.github.shapes_protection import BranchProtection
from bot.tools import Tools

HARMLESS: Final = frozenset({"deletion", "non_fast_forward", "creation"})
"""What a fast-forward of an existing branch never does."""
HARMLESS_WHEN_BEGUN: Final = frozenset({"update", "deletion", "non_fast_forward"})
"""What the beginning of a branch never does."""
STOPS_TAG: Final = frozenset({"creation", "required_signatures", "required_status_checks", "tag_name_pattern", "required_deployments"})


async def findings(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return one finding for every rule of others that would refuse the App's push."""
    found = []
    default = await tools.github.default_branch(release.repository)
    for summary in await freezing.rulesets_of(tools, release.repository, include_parents=True):
        if summary.enforcement != "active" or summary.name.startswith(f"{freezing.PREFIX} "):
            continue
        ruleset = await tools.github.ruleset(release.repository, summary.id)
        if ruleset is not None and ruleset.current_user_can_bypass not in ("always", "exempt"):
            found += _stopping(ruleset, release, default, tools)
    # The classic protection that a freeze replaces stops nobody's push during the freeze, and some releases push nothing but a tag.
    passed_over = tools.profile.freeze.mode == "classic" or not _moves_branch(release)
    protection = None if passed_over else await tools.github.branch_protection(release.repository, release.branch)
    if protection is not None:
        found += [_finding(f"the classic protection of {release.branch}", reason) for reason in _classic(protection, tools.app.slug)]
        found += _linear(protection, release)
    return tuple(found)


def _moves_branch(release: Release) -> bool:
    """Tell whether the release pushes more than a tag: the end of a series moves no branch, and a package is tagged where its branch is."""
    return release.kind not in (Kind.END_OF_LIFE, Kind.PACKAGE)


def _stopping(ruleset: Ruleset, release: Release, default: str, tools: Tools) -> list[Finding]:
    types = {rule.type for rule in ruleset.rules}
    refused: dict[Ref, set[str]] = {}
    if ruleset.target == "tag":
        refused[tag_ref(release.version.tag)] = types & STOPS_TAG
    elif ruleset.target == "branch":
        if _moves_branch(release):
            refused[branch_ref(release.branch)] = types - HARMLESS
        if begins := first_beta.branch_to_come(release, tools):
            refused[begins] = types - HARMLESS_WHEN_BEGUN
    stopping = {rule for ref, rules in refused.items() if covers(ruleset, ref, default) for rule in rules}
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


def _linear(protection: BranchProtection, release: Release) -> list[Finding]:
    """Return what stops a release only if it is cut from an older commit, which nobody knows yet."""
    if not protection.required_linear_history or release.kind not in MAY_CHERRY_PICK:
        return []
    what = (
        f"The classic protection of {release.branch} requires a linear history, so {release.version} can be pushed only if it is cut from "
        "the frozen head: the merge of an older one would be refused at the very end."
    )
    return [Finding(check="passage", rule="linear", severity=Severity.ACKNOWLEDGE, what=what, subject=(release.branch,))]


def _finding(what: str, reason: str) -> Finding:
    text = f"The App could not push past {what} ({reason}): an administrator has to add the App to its bypass list first."
    return Finding(check="passage", rule="bypass", severity=Severity.WAIVER, what=text, subject=(what, reason))
