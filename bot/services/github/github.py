"""GitHub as the bot sees it: one object with all topics, and the App's knowledge of itself."""

from collections.abc import Collection
from dataclasses import replace

import aiohttp
from pydantic import TypeAdapter

from bot.release.ids import Repository
from bot.services.github.actions import Actions
from bot.services.github.checks import Checks
from bot.services.github.comments import Comments
from bot.services.github.connection import Connection
from bot.services.github.deliveries import Deliveries
from bot.services.github.labels import Labels
from bot.services.github.limits import Clock, Limits, utc_now
from bot.services.github.people import People
from bot.services.github.permissions import Topic
from bot.services.github.proposals import Proposals
from bot.services.github.protection import Protections
from bot.services.github.refs import Refs
from bot.services.github.rules import Rules
from bot.services.github.shapes import App, Installation, User
from bot.services.github.verdict import GitHubRefused

USER_AGENT = "brother-maynard (release bot; https://github.com/python)"

_APP = TypeAdapter(App)
_USER = TypeAdapter(User)


class GitHub(Comments, Labels, Refs, Rules, Protections, People, Checks, Actions, Proposals, Deliveries):
    """A GitHub App at work.

    Every method raises ``GitHubRefused`` (a ``Refused``) for a definite no, and ``Unavailable`` when GitHub could not be reached, was in
    trouble or asked for patience (``retry_at``); after an Unavailable write it is unknown whether it was done. Reads are tried again by
    themselves, writes never. Where something may be absent the answer is None.
    """

    def __init__(
        self,
        app_id: int,
        private_key_pem: str,
        api_url: str,
        session: aiohttp.ClientSession,
        *,
        clock: Clock = utc_now,
        limits: Limits | None = None,
        user_agent: str = USER_AGENT,
        download_hosts: Collection[str] = (),
    ) -> None:
        """Read the key and ask nothing yet; raise BadPrivateKey and BadHost. The session stays the caller's to close.

        ``download_hosts`` (``HOST`` or ``HOST:PORT``) are where logs and artifacts may be fetched from, besides the API's own host.
        """
        super().__init__(
            Connection(
                app_id,
                private_key_pem,
                api_url=api_url,
                session=session,
                user_agent=user_agent,
                limits=limits or Limits(),
                clock=clock,
                download_hosts=download_hosts,
            )
        )

    async def app(self, *, via: Repository | None = None) -> App:
        """Return the App and the account it writes as; that account is None while the App is installed nowhere.

        ``via`` names a repository whose installation may look up the account; without it, any installation does.
        https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app and https://docs.github.com/en/rest/users/users#get-a-user
        """
        app = await self._connection.app_scope().get(_APP, "/app")
        try:
            scope = await (self._connection.scope(via, Topic.ACCOUNTS) if via else self._connection.public_scope())
            account = await scope.find(_USER, "/users/{login}", login=f"{app.slug}[bot]")
        except GitHubRefused:
            return app
        return replace(app, user_id=account.id) if account else app

    async def installation(self, repository: Repository) -> int | None:
        """Return the id of the App's installation on a repository, or None where it is not installed; always asked anew."""
        found = await self._connection.installation(repository)
        return found.id if found else None

    async def installation_details(self, repository: Repository) -> Installation | None:
        """Return what the App was granted on a repository, or None where it is not installed; always asked anew."""
        return await self._connection.installation(repository)
