"""One App's way to GitHub: where it is installed, and a scope for each topic.

Each request is made with a token that can do what its topic needs, in the one repository it is about, and nothing else.
"""

import re
from collections.abc import Collection
from functools import partial
from http import HTTPStatus

import aiohttp
import cachetools
from pydantic import TypeAdapter

from bot.release.ids import Repository
from bot.services.github.client import Client, Names
from bot.services.github.credentials import AppCredentials, GivenToken, InstallationCredentials
from bot.services.github.downloads import Downloads
from bot.services.github.limits import Clock, Limits, Pace
from bot.services.github.permissions import PERMISSIONS, Topic
from bot.services.github.scope import NotInstalled, Scope
from bot.services.github.shapes import Installation
from bot.services.github.tokens import AppSignature, Grant, InstallationToken, Tokens
from bot.services.github.verdict import GitHubRefused, Unauthorized

_REPOSITORY = re.compile(r"(?P<owner>[A-Za-z0-9_.-]+)/(?P<name>[A-Za-z0-9_.-]+)")
_INSTALLATION = TypeAdapter(Installation)
_TOKEN = TypeAdapter(InstallationToken)
_THE_APP = 0


class Connection:
    """The App's signature, tokens, installations and remembered answers, all for one API address."""

    def __init__(
        self,
        app_id: int,
        private_key_pem: str,
        *,
        api_url: str,
        session: aiohttp.ClientSession,
        user_agent: str,
        limits: Limits,
        clock: Clock,
        download_hosts: Collection[str],
    ) -> None:
        """Read the key; ask nothing yet. Raises BadPrivateKey and BadHost."""
        self.app_id = app_id
        self.limits = limits
        self.downloads = Downloads(session, user_agent, api_url=api_url, hosts=download_hosts, timeout=limits.download_timeout)
        self._signature = AppSignature(app_id, private_key_pem, clock)
        self._client = partial(Client, session, user_agent, api_url=api_url, limits=limits, pace=Pace(limits, clock), clock=clock)
        self._app_client = self._client(key=_THE_APP)
        self._clients: cachetools.LRUCache[Grant, Client] = cachetools.LRUCache(maxsize=limits.scopes)
        self._installed: cachetools.TTLCache[str, Installation] = cachetools.TTLCache(maxsize=limits.scopes, ttl=limits.installation_memory)
        self.tokens = Tokens(self._mint, self._signature.now, limits)

    def app_scope(self, *, spaced: bool = True) -> Scope:
        """Return the scope of the App for itself."""
        return Scope(client=self._app_client, credentials=AppCredentials(self._signature), names={}, spaced=spaced)

    async def scope(self, repository: Repository, topic: Topic, *, via: Repository | None = None) -> Scope:
        """Return the scope of a topic in a repository; ``via`` is where the token comes from, to read another, public one.

        Raises NotInstalled.
        """
        owner, name = split(repository)
        return self._granted(await self.grant(via or repository, topic), {"owner": owner, "repo": name})

    async def organization_scope(self, organization: str, topic: Topic) -> Scope:
        """Return the scope of a topic in an organisation, of a repository in use where it has one; raise NotInstalled."""
        known = self._in_use(organization)
        if known is not None:
            return await self.scope(known, topic)
        installation = self._installed.get(organization)
        if installation is None:
            found = await self.app_scope().find(_INSTALLATION, "/orgs/{org}/installation", org=organization)
            installation = self._remember(organization, found)
        return self._granted(_grant(installation, None, topic), {"org": organization})

    async def public_scope(self) -> Scope:
        """Return a scope that can read what everybody may: of a repository in use, else of any installation. Raises NotInstalled."""
        known = self._in_use()
        if known is not None:
            return await self.scope(known, Topic.ACCOUNTS)
        for found in await self.app_scope().every(_INSTALLATION, "/app/installations{?per_page}"):
            if not found.suspended:
                return self._granted(_grant(found, None, Topic.ACCOUNTS), {})
        raise NotInstalled(
            "The App is not installed anywhere, so it cannot look up accounts: install it from its settings page", status=404
        )

    async def grant(self, repository: Repository, topic: Topic) -> Grant:
        """Return what a token for a topic in a repository must be able to do; raise NotInstalled."""
        installation = self._installed.get(repository)
        if installation is None:
            installation = self._remember(repository, await self.installation(repository))
        return _grant(installation, split(repository)[1], topic)

    async def installation(self, repository: Repository) -> Installation | None:
        """Look up the installation that covers a repository, or None.

        https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
        """
        owner, name = split(repository)
        found = await self.app_scope().find(_INSTALLATION, "/repos/{owner}/{repo}/installation", owner=owner, repo=name)
        if found is None:
            self._installed.pop(repository, None)
        else:
            self._installed[repository] = found
        return found

    async def revoke(self, token: str) -> None:
        """Make a token useless; one that GitHub no longer knows is useless already."""
        scope = Scope(client=self._app_client, credentials=GivenToken(token), names={}, spaced=False)
        try:
            await scope.act("DELETE", "/installation/token", None)
        except Unauthorized:
            return

    def _in_use(self, owner: str | None = None) -> Repository | None:
        """Return a repository that the bot knows it is installed on; an account has one installation for all its repositories.

        One that its owner suspended gives no tokens, so nobody but that owner may feel it.
        """
        for place, installation in list(self._installed.items()):
            holder, slash, _ = place.partition("/")
            if slash and owner in (None, holder) and not installation.suspended:
                return Repository(place)
        return None

    def _granted(self, grant: Grant, names: Names) -> Scope:
        """Return the scope of a grant; its answers are remembered for it alone."""
        client = self._clients.get(grant)
        if client is None:
            client = self._client(key=grant.installation)
            self._clients[grant] = client
        return Scope(client=client, credentials=InstallationCredentials(self.tokens, grant), names=names)

    def _remember(self, place: str, found: Installation | None) -> Installation:
        """Keep where the App is installed for a while."""
        if found is None:
            raise NotInstalled(f"The App is not installed on {place}, or may not see it: its owner must install it there", status=404)
        self._installed[place] = found
        return found

    async def _mint(self, grant: Grant) -> InstallationToken:
        """Mint a token that can do no more than the grant says.

        https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
        """
        path = "/app/installations/{installation}/access_tokens"
        try:
            return await self.app_scope(spaced=False).send(_TOKEN, "POST", path, grant.body(), installation=grant.installation)
        except GitHubRefused as refused:
            # The caller must take this neither for a dead token (401) nor for the absence of what the token was to read (404).
            kind = GitHubRefused
            if refused.status == HTTPStatus.NOT_FOUND:
                self._forget(grant.installation)
                kind = NotInstalled
            raise kind(
                str(refused), status=refused.status, reason=refused.reason, accepts=refused.accepts, request_id=refused.request_id
            ) from None

    def _forget(self, installation: int) -> None:
        """Look up anew where the App is installed."""
        for place, known in list(self._installed.items()):
            if known.id == installation:
                self._installed.pop(place, None)


class TopicBase:
    """What all topics share: the connection."""

    def __init__(self, connection: Connection) -> None:
        """Keep the connection."""
        self._connection = connection

    async def _scope(self, repository: Repository, topic: Topic, *, via: Repository | None = None) -> Scope:
        """Return the scope of a topic in a repository."""
        return await self._connection.scope(repository, topic, via=via)


def split(repository: str) -> tuple[str, str]:
    """Return owner and name; raise GitHubRefused for what cannot be a repository."""
    match = _REPOSITORY.fullmatch(repository)
    if match is None or {match["owner"], match["name"]} & {".", ".."}:
        raise GitHubRefused(f"{repository!r} is not a repository: write OWNER/NAME", status=0)
    return match["owner"], match["name"]


def _grant(installation: Installation, repository: str | None, topic: Topic) -> Grant:
    """Return the grant of a topic, as far as the installation goes."""
    permissions = PERMISSIONS[topic].of(installation.permissions)
    return Grant(installation=installation.id, repository=repository, permissions=tuple(sorted(permissions.items())))
