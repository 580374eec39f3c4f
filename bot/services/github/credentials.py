"""Who asks: the App for itself, or an installation of it; and what to do when GitHub does not believe it."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.services.github.tokens import AppSignature, Grant, Tokens
from bot.services.github.verdict import Unauthorized


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What proves who asks: an installation token, or the App's own signature. Its value never shows."""

    token: str | None = field(default=None, repr=False)
    signature: str | None = field(default=None, repr=False)


class Credentials(Protocol):
    """Where a credential comes from."""

    async def get(self) -> Credential:
        """Return a credential that should be good."""

    def renew(self, used: Credential, refused: Unauthorized) -> bool:
        """Give up a refused credential; tell whether another try makes sense."""


class AppCredentials:
    """The App's own signature; made anew when GitHub's clock differs from ours."""

    def __init__(self, signature: AppSignature) -> None:
        """Keep the maker of signatures."""
        self._signature = signature

    async def get(self) -> Credential:
        """Return the App's signature."""
        return Credential(signature=self._signature.value())

    def renew(self, used: Credential, refused: Unauthorized) -> bool:  # noqa: ARG002 - the signature is one for all
        """Follow GitHub's clock; another try makes sense only where it differs from ours."""
        return self._signature.corrected(refused.date)


class InstallationCredentials:
    """The token of one grant."""

    def __init__(self, tokens: Tokens, grant: Grant) -> None:
        """Keep what the token is for."""
        self._tokens = tokens
        self._grant = grant

    async def get(self) -> Credential:
        """Return the shared token of the grant."""
        return Credential(token=await self._tokens.get(self._grant))

    def renew(self, used: Credential, refused: Unauthorized) -> bool:  # noqa: ARG002 - a dead token is dead for any reason
        """Forget the token; a new one is always worth one try."""
        self._tokens.drop(self._grant, used.token or "")
        return True


class GivenToken:
    """A token that somebody already holds."""

    def __init__(self, value: str) -> None:
        """Keep the token."""
        self._credential = Credential(token=value)

    async def get(self) -> Credential:
        """Return the token."""
        return self._credential

    def renew(self, used: Credential, refused: Unauthorized) -> bool:  # noqa: ARG002 - there is no other token
        """Never try again."""
        return False
