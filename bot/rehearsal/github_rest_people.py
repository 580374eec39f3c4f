"""Answer for accounts, teams, rights and the repository itself: https://docs.github.com/en/rest/users."""

from aiohttp import web

from bot.rehearsal.github_desk import Desk, answer, number
from bot.rehearsal.github_model import JsonObject, Repository, User
from bot.rehearsal.github_problems import NotFound
from bot.rehearsal.github_shapes import full_repository_shape, public_user_shape, user_shape

REPOSITORY = "/repos/{owner}/{repo}"


class PeopleRest:
    """The endpoints about who somebody is and what they may do."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get("/users/{username}", self.user),
            web.get("/user/{account_id}", self.user_by_id),
            web.get("/orgs/{org}/teams/{team_slug}/memberships/{username}", self.membership),
            web.get(f"{REPOSITORY}/collaborators/{{username}}/permission", self.permission),
            web.get(REPOSITORY, self.repository),
        ]

    async def user(self, request: web.Request) -> web.Response:
        """Return an account by its present login."""
        return answer(public_user_shape(self._desk.links, self._desk.user(request.match_info["username"])))

    async def user_by_id(self, request: web.Request) -> web.Response:
        """Return an account by its id, which never changes."""
        user = self._desk.model.users.get(number(request, "account_id"))
        if user is None:
            raise NotFound
        return answer(public_user_shape(self._desk.links, user))

    async def membership(self, request: web.Request) -> web.Response:
        """Return whether somebody is an active or pending member of a team."""
        team = self._desk.model.teams.get((request.match_info["org"].lower(), request.match_info["team_slug"]))
        user = self._desk.user(request.match_info["username"])
        if team is None or user.id not in team.members:
            raise NotFound
        url = f"{self._desk.links.api}/teams/{team.id}/memberships/{user.login}"
        return answer({"url": url, "role": "member", "state": team.members[user.id]})

    async def permission(self, request: web.Request) -> web.Response:
        """Return what somebody may do in a repository: everybody may read a public one."""
        user = self._desk.user(request.match_info["username"])
        permission = _permission(self._desk.repository(request), user)
        ladder = ("read", "write", "admin")
        height = ladder.index(permission)
        rights = {"pull": True, "triage": height > 0, "push": height > 0, "maintain": height > 1, "admin": height > 1}
        person: JsonObject = {**user_shape(self._desk.links, user), "permissions": rights, "role_name": permission}
        return answer({"permission": permission, "role_name": permission, "user": person})

    async def repository(self, request: web.Request) -> web.Response:
        """Return a repository."""
        repository = self._desk.repository(request)
        parent = self._desk.model.repositories.get(repository.fork_of or "")
        return answer(full_repository_shape(self._desk.links, repository, parent))


def _permission(repository: Repository, user: User) -> str:
    if user.id == repository.owner.id or user.id in repository.administrators:
        return "admin"
    return "write" if user.id in repository.committers else "read"
