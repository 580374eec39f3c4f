"""Classic branch protection: reading it whole, writing it, and what only GraphQL tells of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter

from bot.errors import Unavailable
from bot.release.ids import Repository
from bot.services.answers import one_line
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes_protection import BranchProtection, ProtectionRule
from bot.services.github.verdict import GitHubRefused

_PROTECTION = TypeAdapter(BranchProtection)
_WHOLE: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])
_ANSWER: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])

_PATH: Final = "/repos/{owner}/{repo}/branches/{branch}/protection"
_DEFINITE: Final = frozenset({"FORBIDDEN", "NOT_FOUND", "INSUFFICIENT_SCOPES"})

RULE: Final = """
query($owner: String!, $name: String!, $branch: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    isInOrganization
    mergeQueue(branch: $branch) { id }
    ref(qualifiedName: $ref) {
      branchProtectionRule {
        pattern
        requiresDeployments
        bypassForcePushAllowances(first: 1) { totalCount }
        matchingRefs(first: 1) { totalCount }
      }
    }
  }
}
"""
"""https://docs.github.com/en/graphql/reference/branches"""


class Protections(TopicBase):
    """The classic protection of branches. Reading needs ``administration: read``, writing ``administration: write``."""

    async def branch_protection(self, repository: Repository, branch: str) -> BranchProtection | None:
        """Return what a branch's classic protection means for an App, or None when it has none. Permission: PROTECTION.

        https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection
        """
        scope = await self._scope(repository, Topic.PROTECTION)
        return await scope.find(_PROTECTION, _PATH, branch=branch)

    async def protection(self, repository: Repository, branch: str) -> Mapping[str, object] | None:
        """Return the whole classic protection of a branch as GitHub shows it, or None when it has none. Permission: PROTECTION.

        https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection
        """
        scope = await self._scope(repository, Topic.PROTECTION)
        return await scope.find(_WHOLE, _PATH, branch=branch)

    async def protection_rule(self, repository: Repository, branch: str) -> ProtectionRule:
        """Return what REST does not show of a branch's classic protection. Permission: PROTECTION.

        https://docs.github.com/en/graphql/reference/branches
        """
        scope = await self._scope(repository, Topic.PROTECTION)
        owner, _, name = repository.partition("/")
        variables = {"owner": owner, "name": name, "branch": branch, "ref": f"refs/heads/{branch}"}
        # It only reads, so it need not keep its distance from writes.
        answer = await replace(scope, spaced=False).send(_ANSWER, "POST", "/graphql", {"query": RULE, "variables": variables})
        return _rule(answer)

    async def protect(self, repository: Repository, branch: str, settings: Mapping[str, object]) -> None:
        """Write the whole classic protection of a branch in place of the one it has. Permission: FREEZING.

        https://docs.github.com/en/rest/branches/branch-protection#update-branch-protection
        """
        scope = await self._scope(repository, Topic.FREEZING)
        await scope.act("PUT", _PATH, dict(settings), branch=branch)

    async def require_signatures(self, repository: Repository, branch: str) -> None:
        """Require signed commits on a protected branch. Permission: FREEZING.

        https://docs.github.com/en/rest/branches/branch-protection#create-commit-signature-protection
        """
        scope = await self._scope(repository, Topic.FREEZING)
        await scope.act("POST", f"{_PATH}/required_signatures", None, branch=branch)

    async def unrequire_signatures(self, repository: Repository, branch: str) -> None:
        """Require no signed commits on a branch any more; that it did not is fine. Permission: FREEZING.

        https://docs.github.com/en/rest/branches/branch-protection#delete-commit-signature-protection
        """
        scope = await self._scope(repository, Topic.FREEZING)
        await scope.remove(f"{_PATH}/required_signatures", branch=branch)

    async def unprotect(self, repository: Repository, branch: str) -> None:
        """Take the classic protection off a branch; that it has none is fine. Permission: FREEZING.

        https://docs.github.com/en/rest/branches/branch-protection#delete-branch-protection
        """
        scope = await self._scope(repository, Topic.FREEZING)
        await scope.remove(_PATH, branch=branch)


def _rule(answer: Mapping[str, Any]) -> ProtectionRule:
    """Read the answer to ``RULE``; GraphQL answers 200 to what it refuses too."""
    errors = answer.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        text = f"GitHub did not say what only GraphQL tells of a branch's protection: {one_line(str(first.get('message', 'no reason')))}"
        raise GitHubRefused(text, status=0) if first.get("type") in _DEFINITE else Unavailable(text)
    try:
        repository = answer["data"]["repository"]
        rule = (repository["ref"] or {}).get("branchProtectionRule")
        about = {"in_organization": repository["isInOrganization"] is True, "queued": repository["mergeQueue"] is not None}
        if rule is None:
            return ProtectionRule(in_organization=about["in_organization"], queued=about["queued"])
        return ProtectionRule(
            **about,
            pattern=str(rule["pattern"]),
            branches=int(rule["matchingRefs"]["totalCount"]),
            requires_deployments=rule["requiresDeployments"] is True,
            force_pushers=int(rule["bypassForcePushAllowances"]["totalCount"]),
        )
    except (KeyError, TypeError, ValueError):
        raise Unavailable("GitHub's GraphQL answer about a branch's protection is not what its description promises") from None
