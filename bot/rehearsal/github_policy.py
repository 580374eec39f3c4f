"""Work out which rules bind somebody who wants to change a ref: rulesets with their bypass lists, and classic protection."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.rehearsal.github_model import App, JsonObject, Model, Repository, Ruleset, User
from bot.rehearsal.update_hook import SENTENCES, Policy, RefRule, covers, target_of

ADMINISTRATOR_ROLE = 5
"""The id of the repository role "admin" in bypass lists: https://docs.github.com/en/rest/repos/rules."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who changes refs: a person, or the App (then ``user`` is its bot account); ``workflows`` is the permission of that name."""

    user: User
    is_app: bool = False
    workflows: bool = True
    by_pull_request: bool = False
    """Whether the change is a merge in the web interface."""


class Rules:
    """The rules of one GitHub."""

    def __init__(self, model: Model, app: App) -> None:
        """Read the rules from this model."""
        self._model = model
        self._app = app

    def bypass(self, repository: Repository, ruleset: Ruleset, actor: Actor) -> str:
        """Return how somebody may pass a ruleset, in the words of ``current_user_can_bypass``."""
        modes = {str(entry["bypass_mode"]) for entry in ruleset.bypass_actors if self._is_meant(entry, repository, actor)}
        if "exempt" in modes:
            return "exempt"
        if "always" in modes:
            return "always"
        return "pull_requests_only" if "pull_request" in modes else "never"

    def policy(self, repository: Repository, actor: Actor) -> Policy:
        """Return the rules in force for somebody in a repository, as the update hook reads them."""
        passing = {"exempt", "always"} | ({"pull_requests_only"} if actor.by_pull_request else set())
        rules = [
            rule
            for ruleset in self._model.rulesets_of(repository)
            if ruleset.enforcement == "active" and self.bypass(repository, ruleset, actor) not in passing
            for rule in ref_rules(ruleset)
        ]
        for branch, protection in repository.protection.items():
            rules += self._classic(repository, branch, protection, actor)
        if actor.by_pull_request:
            rules = [rule for rule in rules if rule["type"] != "pull_request"]
        return {"default_branch": repository.default_branch, "workflows": actor.workflows, "rules": rules}

    def on_branch(self, repository: Repository, branch: str) -> list[tuple[Ruleset, JsonObject]]:
        """Return all active rules of every level for a branch name, whether the branch exists or not."""
        ref = f"refs/heads/{branch}"
        return [
            (ruleset, rule)
            for ruleset in self._model.rulesets_of(repository)
            if ruleset.enforcement == "active" and ruleset.target == target_of(ref)
            if covers(ruleset.patterns("include"), ruleset.patterns("exclude"), ref, repository.default_branch)
            for rule in ruleset.rules
        ]

    def merging(self, repository: Repository, branch: str, actor: Actor, green: Collection[str]) -> list[str]:
        """Say what keeps somebody from merging a pull request that nobody reviewed; ``green`` are the checks that passed on its head."""
        found = [
            sentence
            for ruleset, rule in self.on_branch(repository, branch)
            if self.bypass(repository, ruleset, actor) == "never"
            for sentence in _unfulfilled(str(rule["type"]), rule.get("parameters"), green)
        ]
        classic = repository.protection.get(branch)
        if classic is None:
            return found
        reviews = classic.get("required_pull_request_reviews")
        allowances = reviews.get("bypass_pull_request_allowances") if isinstance(reviews, dict) else None
        if not self._in_list(allowances, actor, absent=False):
            found += _unfulfilled("pull_request", reviews, green)
        found += _unfulfilled("required_status_checks", classic.get("required_status_checks"), green)
        closed = _enabled(classic, "lock_branch") or not self._in_list(classic.get("restrictions"), actor, absent=True)
        return [*found, SENTENCES["update"]] if closed else found

    def _is_meant(self, entry: JsonObject, repository: Repository, actor: Actor) -> bool:
        kind, wanted = entry["actor_type"], entry.get("actor_id")
        if actor.is_app:
            return kind == "Integration" and wanted == self._app.id
        if kind == "User":
            return wanted == actor.user.id
        if kind == "Team":
            return any(team.id == wanted and team.members.get(actor.user.id) == "active" for team in self._model.teams.values())
        administrator = actor.user.id in repository.administrators
        return administrator and (kind == "OrganizationAdmin" or (kind == "RepositoryRole" and wanted == ADMINISTRATOR_ROLE))

    def _classic(self, repository: Repository, branch: str, protection: JsonObject, actor: Actor) -> list[RefRule]:
        administrators_bound = _enabled(protection, "enforce_admins")
        if actor.user.id in repository.administrators and not actor.is_app and not administrators_bound:
            return []
        types = ["non_fast_forward"] if not _enabled(protection, "allow_force_pushes") else []
        types += ["deletion"] if not _enabled(protection, "allow_deletions") else []
        types += (
            ["update"]
            if _enabled(protection, "lock_branch") or not self._in_list(protection.get("restrictions"), actor, absent=True)
            else []
        )
        reviews = protection.get("required_pull_request_reviews")
        allowances = reviews.get("bypass_pull_request_allowances") if isinstance(reviews, dict) else None
        if reviews is not None and not self._in_list(allowances, actor, absent=False):
            types.append("pull_request")
        # A pull request shows its checks green and is merged with a signature; of what is pushed neither is known.
        if not actor.by_pull_request:
            types += ["required_status_checks"] if protection.get("required_status_checks") else []
            types += ["required_signatures"] if _enabled(protection, "required_signatures") else []
        include = [f"refs/heads/{branch}"]
        return [RefRule(type=name, code="GH006", target="branch", include=include, exclude=[]) for name in types]

    def _in_list(self, listed: object, actor: Actor, *, absent: bool) -> bool:
        if not isinstance(listed, dict):
            return absent
        if actor.is_app:
            return any(entry.get("slug") == self._app.slug for entry in listed.get("apps", []))
        teams = {entry.get("slug") for entry in listed.get("teams", [])}
        named = any(entry.get("login") == actor.user.login for entry in listed.get("users", []))
        return named or any(team.slug in teams and team.members.get(actor.user.id) == "active" for team in self._model.teams.values())


def ref_rules(ruleset: Ruleset) -> list[RefRule]:
    """Return the rules of a ruleset that can refuse a push."""
    return [
        RefRule(
            type=str(rule["type"]),
            code="GH013",
            target=ruleset.target,
            include=ruleset.patterns("include"),
            exclude=ruleset.patterns("exclude"),
        )
        for rule in ruleset.rules
        if rule["type"] in SENTENCES
    ]


def _unfulfilled(kind: str, parameters: object, green: Collection[str]) -> list[str]:
    """Say what one rule still wants before somebody may merge; classic protection lists its checks under another name."""
    wanted = parameters if isinstance(parameters, dict) else {}
    if kind == "pull_request" and (count := wanted.get("required_approving_review_count")):
        return [f"At least {count} approving review is required by reviewers with write access."]
    if kind == "required_status_checks":
        checks = wanted.get("required_status_checks", wanted.get("checks")) or []
        return [f'Required status check "{name}" is expected.' for check in checks if (name := check["context"]) not in green]
    return [SENTENCES["update"]] if kind == "update" else []


def _enabled(protection: JsonObject, key: str) -> bool:
    value = protection.get(key)
    return isinstance(value, dict) and value.get("enabled") is True
