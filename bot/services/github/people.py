"""Who somebody is and what they may do, always read at the moment of acting."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.release.ids import Repository, UserId
from bot.services.answers import MalformedAnswer
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes import Membership, RepositoryPermission, User


@dataclass(frozen=True, kw_only=True)
class _TeamMembership:
    state: Membership


@dataclass(frozen=True, kw_only=True)
class _Collaborator:
    permission: RepositoryPermission


@dataclass(frozen=True, kw_only=True)
class _RepositoryFacts:
    default_branch: str


_USER = TypeAdapter(User)
_MEMBERSHIP = TypeAdapter(_TeamMembership)
_COLLABORATOR = TypeAdapter(_Collaborator)
_REPOSITORY = TypeAdapter(_RepositoryFacts)


class People(TopicBase):
    """Accounts, teams and permissions. Teams need ``members: read`` in the organisation, the rest ``metadata: read``."""

    async def user(self, user: UserId) -> User | None:
        """Return the account of a numeric id with its present login, or None when it is gone. Permission: ACCOUNTS.

        https://docs.github.com/en/rest/users/users#get-a-user-using-their-id
        """
        scope = await self._connection.public_scope()
        found = await scope.find(_USER, "/user/{user}", user=user)
        if found is not None and found.id != user:
            raise MalformedAnswer(f"GitHub was asked for the account {user} and answered with {found.id}")
        return found

    async def team_membership(self, organization: str, team: str, login: str) -> Membership | None:
        """Return ``active`` or ``pending``, or None for somebody who is not in the team. Permission: TEAMS.

        https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
        """
        scope = await self._connection.organization_scope(organization, Topic.TEAMS)
        path = "/orgs/{org}/teams/{team}/memberships/{login}"
        found = await scope.find(_MEMBERSHIP, path, org=organization, team=team, login=login)
        return found.state if found else None

    async def permission(self, repository: Repository, login: str) -> RepositoryPermission:
        """Return what an account may do in a repository; ``none`` also for an account that is not known. Permission: REPOSITORY.

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        scope = await self._scope(repository, Topic.REPOSITORY)
        found = await scope.find(_COLLABORATOR, "/repos/{owner}/{repo}/collaborators/{login}/permission", login=login)
        return found.permission if found else "none"

    async def default_branch(self, repository: Repository) -> str:
        """Return the name of the default branch. Permission: REPOSITORY. Raise Refused (404) for an unknown repository.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        scope = await self._scope(repository, Topic.REPOSITORY)
        facts = await scope.get(_REPOSITORY, "/repos/{owner}/{repo}")
        return facts.default_branch
