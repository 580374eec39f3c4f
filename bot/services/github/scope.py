"""The verbs of the API within one scope: read one, read many, locate, write, remove."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from pydantic import TypeAdapter

from bot.errors import Unavailable
from bot.services.answers import MalformedAnswer, parse
from bot.services.github.client import Client, Name, Names
from bot.services.github.credentials import Credential, Credentials
from bot.services.github.verdict import GitHubRefused, Unauthorized

Shape = TypeVar("Shape")
Answered = TypeVar("Answered")

_PER_PAGE = 100
"""The most that GitHub gives at once: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api"""


class NotInstalled(GitHubRefused):
    """The App is not installed where it was to act."""


class TooManyPages(Unavailable):
    """A list is longer than the bot reads."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Requests made with one credential. ``names`` fills the owner and the repository in paths; ``spaced`` keeps writes apart."""

    client: Client
    credentials: Credentials
    names: Names
    spaced: bool = True

    async def get(self, shape: TypeAdapter[Shape], path: str, **names: Name) -> Shape:
        """Read one thing that must be there."""
        content, _ = await self._call("GET", path, {**self.names, **names})
        return parse(shape, content, what=f"GET {path}")

    async def find(self, shape: TypeAdapter[Shape], path: str, **names: Name) -> Shape | None:
        """Read one thing, or None where GitHub knows of none (404)."""
        try:
            return await self.get(shape, path, **names)
        except GitHubRefused as refused:
            if _absent(refused):
                return None
            raise

    async def every(self, shape: TypeAdapter[Shape], path: str, key: str | None = None, **names: Name) -> list[Shape]:
        """Read a whole list; ``key`` is where the answer is an object that holds it."""
        return [item async for page in self.pages(shape, path, key, **names) for item in page]

    async def pages(self, shape: TypeAdapter[Shape], path: str, key: str | None = None, **names: Name) -> AsyncIterator[list[Shape]]:
        """Yield a list page by page; raise TooManyPages beyond the bound, since a part would be taken for the whole."""
        content, following = await self._call("GET", path, {**self.names, "per_page": _PER_PAGE, **names})
        yield _items(shape, content, key, path)
        for _ in range(self.client.max_pages - 1):
            if following is None:
                return
            content, following = await self._call("GET", following, {})
            yield _items(shape, content, key, path)
        if following is not None:
            raise TooManyPages(f"GitHub has more than {self.client.max_pages} pages for GET {path}, more than the bot reads")

    async def locate(self, path: str, **names: Name) -> str | None:
        """Return the signed address where GitHub keeps a thing, or None where it knows of none (404)."""
        try:
            return await self._authorized(lambda credential: self.client.locate(path, {**self.names, **names}, credential))
        except GitHubRefused as refused:
            if _absent(refused):
                return None
            raise

    async def send(self, shape: TypeAdapter[Shape], method: str, path: str, data: object, **names: Name) -> Shape:
        """Write, and return what GitHub made of it."""
        content, _ = await self._call(method, path, {**self.names, **names}, data)
        return parse(shape, content, what=f"{method} {path}")

    async def act(self, method: str, path: str, data: object | None, **names: Name) -> None:
        """Write where the answer says nothing of interest."""
        await self._call(method, path, {**self.names, **names}, b"" if data is None else data)

    async def remove(self, path: str, **names: Name) -> None:
        """Delete a thing; one that is gone already is fine."""
        try:
            await self._call("DELETE", path, {**self.names, **names})
        except GitHubRefused as refused:
            if not _absent(refused):
                raise

    async def _call(self, method: str, path: str, names: Names, data: object = b"") -> tuple[object, str | None]:
        """Make a request."""
        return await self._authorized(lambda credential: self.client.call(method, path, names, credential, data, spaced=self.spaced))

    async def _authorized(self, ask: Callable[[Credential], Awaitable[Answered]]) -> Answered:
        """Ask; once more with a new credential where the old one was refused, since a 401 has done nothing."""
        credential = await self.credentials.get()
        try:
            return await ask(credential)
        except Unauthorized as refused:
            if not self.credentials.renew(credential, refused):
                raise
        return await ask(await self.credentials.get())


def _absent(refused: GitHubRefused) -> bool:
    """Tell whether the refusal means that the thing asked for does not exist."""
    return refused.status == HTTPStatus.NOT_FOUND and not isinstance(refused, NotInstalled)


def _items(shape: TypeAdapter[Shape], content: object, key: str | None, path: str) -> list[Shape]:
    """Read one page."""
    if key is not None:
        if not isinstance(content, dict) or key not in content:
            raise MalformedAnswer(f"The answer to GET {path} has no {key}")
        content = content[key]
    if not isinstance(content, list):
        raise MalformedAnswer(f"The answer to GET {path} is not a list")
    return [parse(shape, item, what=f"GET {path} (entry {number})") for number, item in enumerate(content)]
