"""Answer for rulesets: https://docs.github.com/en/rest/repos/rules."""

from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.github_desk import CALLER, Desk, answer, fields, paged, text_field
from bot.rehearsal.github_model import JsonObject, Repository, Ruleset
from bot.rehearsal.github_policy import Actor
from bot.rehearsal.github_problems import Forbidden, Invalid
from bot.rehearsal.github_shapes_work import ruleset_shape, ruleset_summary

REPOSITORY = "/repos/{owner}/{repo}"
ENFORCEMENTS = ("active", "disabled", "evaluate")
TARGETS = ("branch", "tag", "push")
MODES = ("always", "pull_request", "exempt")
MOST_RULESETS = 75
"""https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets"""


class RulesRest:
    """The endpoints about what protects refs."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get(f"{REPOSITORY}/rulesets", self.rulesets),
            web.post(f"{REPOSITORY}/rulesets", self.create),
            web.get(f"{REPOSITORY}/rulesets/{{ruleset_id}}", self.ruleset),
            web.delete(f"{REPOSITORY}/rulesets/{{ruleset_id}}", self.delete),
            web.get(f"{REPOSITORY}/rules/branches/{{branch:.+}}", self.on_branch),
        ]

    async def rulesets(self, request: web.Request) -> web.Response:
        """List rulesets, with ``includes_parents`` (the usual) also the organisation's."""
        parents = request.query.get("includes_parents", "true") != "false"
        targets = request.query.get("targets")
        chosen = [
            ruleset
            for ruleset in self._desk.model.rulesets_of(self._desk.repository(request), parents=parents)
            if targets is None or ruleset.target in targets.split(",")
        ]
        return paged(request, [ruleset_summary(self._desk.links, ruleset) for ruleset in chosen])

    async def create(self, request: web.Request) -> web.Response:
        """Create a ruleset; its name must be new in the repository."""
        repository = self._desk.repository(request)
        wanted = fields(request)
        name = text_field(request, "Ruleset", "name")
        self._check(wanted, repository)
        own = self._desk.model.rulesets_of(repository, parents=False)
        if any(ruleset.name == name for ruleset in own):
            raise Invalid("Ruleset", "name", code="custom", message="Name must be unique")
        if len(own) >= MOST_RULESETS:
            raise Invalid("Ruleset", "base", code="custom", message=f"There may be at most {MOST_RULESETS} rulesets")
        ruleset = self._desk.acts.create_ruleset(self._desk.app.bot, repository, wanted)
        return answer(self._shape(request, repository, ruleset), 201)

    async def ruleset(self, request: web.Request) -> web.Response:
        """Return one ruleset; its bypass list only to those who may change it."""
        return answer(self._shape(request, self._desk.repository(request), self._desk.ruleset(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a ruleset of this very repository."""
        ruleset = self._desk.ruleset(request)
        if ruleset.source_type != "Repository":
            raise Forbidden("organization_administration=write")
        self._desk.acts.delete_ruleset(self._desk.app.bot, ruleset)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def on_branch(self, request: web.Request) -> web.Response:
        """List the active rules of every level for a branch name."""
        rules = self._desk.rules.on_branch(self._desk.repository(request), request.match_info["branch"])
        shapes: list[JsonObject] = [
            {**rule, "ruleset_id": ruleset.id, "ruleset_source": ruleset.source, "ruleset_source_type": ruleset.source_type}
            for ruleset, rule in rules
        ]
        return paged(request, shapes)

    def _shape(self, request: web.Request, repository: Repository, ruleset: Ruleset) -> JsonObject:
        shape = ruleset_shape(self._desk.links, ruleset)
        app = Actor(user=self._desk.app.bot, is_app=True)
        shape["current_user_can_bypass"] = self._desk.rules.bypass(repository, ruleset, app)
        caller = request[CALLER]
        covers = caller.token is not None and repository.name in caller.token.repositories
        if covers and caller.may("administration", "write") and ruleset.source_type == "Repository":
            shape["bypass_actors"] = ruleset.bypass_actors
        return shape

    def _check(self, wanted: JsonObject, repository: Repository) -> None:
        if wanted.get("enforcement") not in ENFORCEMENTS:
            raise Invalid("Ruleset", "enforcement", code="missing_field" if "enforcement" not in wanted else "invalid")
        if wanted.get("enforcement") == "evaluate":
            raise Invalid("Ruleset", "enforcement", code="custom", message="Enforcement evaluate is not available on this plan")
        if wanted.get("target", "branch") not in TARGETS:
            raise Invalid("Ruleset", "target")
        bypass = wanted.get("bypass_actors", [])
        for entry in bypass if isinstance(bypass, list) else []:
            self._check_bypass(entry, repository)

    def _check_bypass(self, entry: object, repository: Repository) -> None:
        if not isinstance(entry, dict) or entry.get("bypass_mode", "always") not in MODES:
            raise Invalid("Ruleset", "bypass_actors")
        entry.setdefault("bypass_mode", "always")
        installed = self._desk.model.installation_of(repository.name) is not None
        if entry.get("actor_type") == "Integration" and not (installed and entry.get("actor_id") == self._desk.app.id):
            said = "Actor integration must be part of the ruleset source or owner organization"
            raise Invalid("Ruleset", "bypass_actors", code="custom", message=said)
