"""Answer for the classic protection of branches, with all its asymmetries: https://docs.github.com/en/rest/branches/branch-protection."""

from http import HTTPStatus

from aiohttp import web

from bot.rehearsal.github_desk import CALLER, Desk, answer, fields
from bot.rehearsal.github_graphql import BadQuery, answer_for, refused, selected
from bot.rehearsal.github_model import JsonObject, Repository
from bot.rehearsal.github_problems import Problem
from bot.rehearsal.github_shapes_protection import check_body

BRANCH = "/repos/{owner}/{repo}/branches/{branch:.+}"
PROTECTION = f"{BRANCH}/protection"
SIGNATURES = f"{PROTECTION}/required_signatures"


class ProtectionRest:
    """The endpoints about the protection of branches."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths; the longer ones first, since a branch's name may hold slashes."""
        return [
            web.post(SIGNATURES, self.require_signatures),
            web.delete(SIGNATURES, self.unrequire_signatures),
            web.get(PROTECTION, self.protection),
            web.put(PROTECTION, self.protect),
            web.delete(PROTECTION, self.unprotect),
            web.post("/graphql", self.graphql),
        ]

    async def protection(self, request: web.Request) -> web.Response:
        """Return the protection of a branch."""
        return answer(self._protected(request))

    async def protect(self, request: web.Request) -> web.Response:
        """Put a protection in the place of the one there is: whatever is not in the body is lost, signatures excepted."""
        repository, branch = self._desk.repository(request), request.match_info["branch"]
        if f"refs/heads/{branch}" not in await repository.git.refs(f"refs/heads/{branch}"):
            raise Problem(404, "Branch not found")
        body = fields(request)
        check_body(body)
        self._desk.protections.write(self._desk.app.bot, repository, branch, body)
        return answer(repository.protection[branch])

    async def unprotect(self, request: web.Request) -> web.Response:
        """Take the protection off a branch, with all that REST does not show of it."""
        self._protected(request)
        self._desk.protections.take_off(self._desk.app.bot, self._desk.repository(request), request.match_info["branch"])
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def require_signatures(self, request: web.Request) -> web.Response:
        """Require signed commits."""
        return answer(self._sign(request, enabled=True))

    async def unrequire_signatures(self, request: web.Request) -> web.Response:
        """Require no signed commits any more."""
        self._sign(request, enabled=False)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def graphql(self, request: web.Request) -> web.Response:
        """Answer a query about a branch's protection; it is answered with 200 also where it is refused."""
        body = fields(request)
        variables = body.get("variables")
        try:
            selection = selected(str(body.get("query")))
        except BadQuery as problem:
            self._desk.protections.misused(f"a GraphQL query: {problem}")
            return answer(refused(str(problem)))
        named: JsonObject = variables if isinstance(variables, dict) else {}
        repository = self._desk.model.repository(f"{named.get('owner')}/{named.get('name')}")
        if repository is None:
            return answer({"data": {"repository": None}, **refused("Could not resolve to a Repository", "NOT_FOUND")})
        caller = request[CALLER]
        seen = caller.token is not None and repository.name in caller.token.repositories
        data = await self._about(repository, str(named.get("branch")), seen=seen)
        return answer({"data": answer_for(selection, {"repository": data})})

    async def _about(self, repository: Repository, branch: str, *, seen: bool) -> JsonObject:
        beyond = repository.beyond_rest.get(branch, {})
        there = f"refs/heads/{branch}" in await repository.git.refs(f"refs/heads/{branch}")
        rule: JsonObject = {
            "pattern": beyond.get("pattern", branch),
            "requiresDeployments": beyond.get("requires_deployments") is True,
            "bypassForcePushAllowances": {"totalCount": beyond.get("force_pushers", 0)},
            "matchingRefs": {"totalCount": beyond.get("branches", 1)},
        }
        shown = rule if seen and branch in repository.protection else None
        return {
            "isInOrganization": repository.owner.type == "Organization",
            "mergeQueue": {"id": "MQ_1"} if beyond.get("merge_queue") else None,
            "ref": {"name": branch, "branchProtectionRule": shown} if there else None,
        }

    def _protected(self, request: web.Request) -> JsonObject:
        protection = self._desk.repository(request).protection.get(request.match_info["branch"])
        if protection is None:
            raise Problem(404, "Branch not protected")
        return protection

    def _sign(self, request: web.Request, *, enabled: bool) -> JsonObject:
        self._protected(request)
        bot, branch = self._desk.app.bot, request.match_info["branch"]
        return self._desk.protections.sign(bot, self._desk.repository(request), branch, enabled=enabled)
