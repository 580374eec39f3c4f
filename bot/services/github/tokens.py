"""The App's signature and its installation tokens: minted narrow, shared while they live, never shown.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, ClassVar

import cachetools
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, ConfigDict, Field

from bot.errors import UserError
from bot.services.github.limits import Clock, Limits

_BACKDATED = timedelta(seconds=60)
_LIFETIME = timedelta(minutes=9)
_USED_FOR = timedelta(minutes=7)
_WORTH_CORRECTING = timedelta(seconds=20)


class BadPrivateKey(UserError):
    """The App's private key cannot be used."""


class AppSignature:
    """The App's own proof of identity: a JSON web token (RS256), made with a key that is read once.

    It is dated back by 60 seconds and lives nine minutes from then, within GitHub's ten:
    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
    """

    def __init__(self, app_id: int, private_key_pem: str, clock: Clock) -> None:
        """Read the key, which is costly, once and for all; raise BadPrivateKey."""
        self._app_id = app_id
        self._key = _private_key(private_key_pem)
        self._clock = clock
        self._ahead = timedelta(0)
        self._value = ""
        self._until: datetime | None = None

    def __repr__(self) -> str:
        """Show whose signature it is, never what it is."""
        return f"AppSignature(app_id={self._app_id})"

    def now(self) -> datetime:
        """Return the time as GitHub's clock shows it, as far as known."""
        return self._clock() + self._ahead

    def value(self) -> str:
        """Return a signature that is still good for a while."""
        now = self.now()
        if self._until is None or not self._until - _USED_FOR <= now < self._until:
            issued = int((now - _BACKDATED).timestamp())
            claims = {"iat": issued, "exp": issued + int(_LIFETIME.total_seconds()), "iss": str(self._app_id)}
            self._value = jwt.encode(claims, self._key, algorithm="RS256")
            self._until = now + _USED_FOR
        return self._value

    def corrected(self, github_date: datetime | None) -> bool:
        """Follow GitHub's clock after a refused signature; tell whether that changed anything worth another try."""
        if github_date is None:
            return False
        ahead = github_date - self._clock()
        if abs(ahead - self._ahead) < _WORTH_CORRECTING:
            return False
        self._ahead = ahead
        self._until = None
        return True


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token is for: one installation, one repository (none: the whole installation), and the permissions, sorted by name."""

    installation: int
    repository: str | None
    permissions: tuple[tuple[str, str], ...]

    def body(self) -> dict[str, object]:
        """Write the request for such a token."""
        body: dict[str, object] = {"permissions": dict(self.permissions)}
        if self.repository is not None:
            body["repositories"] = [self.repository]
        return body


@dataclass(frozen=True, kw_only=True)
class InstallationToken:
    """A token and its end. The value shows in no representation."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    value: Annotated[str, Field(validation_alias="token", min_length=1)] = field(repr=False)
    expires: Annotated[AwareDatetime, Field(validation_alias="expires_at")]


Mint = Callable[[Grant], Awaitable[InstallationToken]]


class Tokens:
    """The tokens in use, one for each grant, until a margin before their end; a mint under way is shared by all who wait for it."""

    def __init__(self, mint: Mint, now: Clock, limits: Limits) -> None:
        """Keep how tokens are made; ``now`` is GitHub's clock."""
        self._mint = mint
        self._good: cachetools.TLRUCache[Grant, InstallationToken] = cachetools.TLRUCache(
            maxsize=limits.scopes,
            ttu=lambda _grant, token, _now: token.expires.timestamp() - limits.token_margin,
            timer=lambda: now().timestamp(),
        )
        self._minting: dict[Grant, asyncio.Task[InstallationToken]] = {}

    async def get(self, grant: Grant) -> str:
        """Return a token for a grant."""
        token = self._good.get(grant)
        if token is not None:
            return token.value
        task = self._minting.get(grant)
        if task is None:
            task = asyncio.create_task(self._mint_and_keep(grant))
            self._minting[grant] = task
            task.add_done_callback(partial(self._minted, grant))
        # Shielded: one waiter that gives up must not take the token away from the others.
        return (await asyncio.shield(task)).value

    async def fresh(self, grant: Grant) -> str:
        """Mint a token that nobody else uses, so that it can be revoked after use."""
        return (await self._mint(grant)).value

    def drop(self, grant: Grant, value: str) -> None:
        """Forget a token that GitHub no longer accepts, unless it was replaced already."""
        token = self._good.get(grant)
        if token is not None and token.value == value:
            del self._good[grant]

    def _minted(self, grant: Grant, task: asyncio.Task[InstallationToken]) -> None:
        """Let the next caller mint again; look at the error, which nobody may be waiting for any more."""
        self._minting.pop(grant, None)
        if not task.cancelled():
            task.exception()

    async def _mint_and_keep(self, grant: Grant) -> InstallationToken:
        """Mint a token and share it from now on."""
        token = await self._mint(grant)
        self._good[grant] = token
        return token


def _private_key(pem: str) -> RSAPrivateKey:
    """Read the App's key; the error never quotes it."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise BadPrivateKey(
            "The App's private key is not an unencrypted RSA key in PEM form: download a new one from the App's settings page"
        )
    return key
