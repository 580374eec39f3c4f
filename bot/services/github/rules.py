"""Rulesets: how refs are frozen, and what else guards them."""

from pydantic import TypeAdapter

from bot.release.ids import Repository, RulesetId
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes import BranchRule, Rule, Ruleset, RulesetDraft, RulesetSummary

_SUMMARY = TypeAdapter(RulesetSummary)
_RULESET = TypeAdapter(Ruleset)
_RULE = TypeAdapter(BranchRule)


class Rules(TopicBase):
    """The rules over a repository's refs. Lists need ``metadata: read``, whole rulesets ``administration: write``."""

    async def rulesets(self, repository: Repository, *, include_parents: bool = True) -> list[RulesetSummary]:
        """Return all rulesets; with ``include_parents`` also those of the organisation. Permission: RULES.

        https://docs.github.com/en/rest/repos/rules#get-all-repository-rulesets
        """
        scope = await self._scope(repository, Topic.RULES)
        path = "/repos/{owner}/{repo}/rulesets{?includes_parents,per_page}"
        return await scope.every(_SUMMARY, path, includes_parents=_boolean(value=include_parents))

    async def ruleset(self, repository: Repository, ruleset: RulesetId) -> Ruleset | None:
        """Return a whole ruleset, or None when it is gone. Permission: FREEZING.

        GitHub shows ``bypass_actors`` only to callers with write access to the ruleset.
        https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset
        """
        scope = await self._scope(repository, Topic.FREEZING)
        return await scope.find(_RULESET, "/repos/{owner}/{repo}/rulesets/{ruleset}", ruleset=ruleset)

    async def create_ruleset(self, repository: Repository, draft: RulesetDraft) -> Ruleset:
        """Make a ruleset. Permission: FREEZING. Raise Refused (422) when a ruleset of that name exists.

        https://docs.github.com/en/rest/repos/rules#create-a-repository-ruleset
        """
        scope = await self._scope(repository, Topic.FREEZING)
        return await scope.send(_RULESET, "POST", "/repos/{owner}/{repo}/rulesets", _body(draft))

    async def delete_ruleset(self, repository: Repository, ruleset: RulesetId) -> None:
        """Remove a ruleset; one that is gone already is fine. Permission: FREEZING.

        https://docs.github.com/en/rest/repos/rules#delete-a-repository-ruleset
        """
        scope = await self._scope(repository, Topic.FREEZING)
        await scope.remove("/repos/{owner}/{repo}/rulesets/{ruleset}", ruleset=ruleset)

    async def branch_rules(self, repository: Repository, branch: str) -> list[BranchRule]:
        """Return all active rules of every level for a branch name, whether the branch exists or not. Permission: RULES.

        https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch
        """
        scope = await self._scope(repository, Topic.RULES)
        return await scope.every(_RULE, "/repos/{owner}/{repo}/rules/branches/{branch}{?per_page}", branch=branch)


def _boolean(*, value: bool) -> str:
    """Write a truth value as a query wants it."""
    return "true" if value else "false"


def _body(draft: RulesetDraft) -> dict[str, object]:
    """Write a draft as GitHub's description of the request wants it."""
    return {
        "name": draft.name,
        "target": draft.target,
        "enforcement": draft.enforcement,
        "bypass_actors": [
            {"actor_id": actor.actor_id, "actor_type": actor.actor_type, "bypass_mode": actor.bypass_mode} for actor in draft.bypass_actors
        ],
        "conditions": {"ref_name": {"include": list(draft.include), "exclude": list(draft.exclude)}},
        "rules": [_rule(rule) for rule in draft.rules],
    }


def _rule(rule: Rule) -> dict[str, object]:
    """Write one rule; parameters only where there are any."""
    return {"type": rule.type, "parameters": dict(rule.parameters)} if rule.parameters else {"type": rule.type}
