"""The way from the event loop to Microsoft's client, which blocks, and what all topics share of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from bot.services.answers import MalformedAnswer, parse
from bot.services.azure_devops import library
from bot.services.azure_devops.pace import Pace
from bot.services.patience import Clock

if TYPE_CHECKING:
    from bot.services.azure_devops.clients import Clients

Result = TypeVar("Result")
Shape = TypeVar("Shape")

_BEGUN: ContextVar[bool] = ContextVar("azure_begun", default=False)
"""Whether what is asked now is part of something that was begun."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Waits in seconds and bounds.

    ``timeout`` is for every wait for the network, not for a request as a whole; ``concurrency`` counts requests under way at once;
    ``most_runs`` is how many runs a search may find, ``longest_list`` how many are listed without reading each; ``largest_file`` counts
    bytes of a file that is read from an artifact.
    """

    timeout: float = 30.0
    concurrency: int = 4
    most_runs: int = 50
    longest_list: int = 500
    largest_file: int = 1024 * 1024


class Connection:
    """The clients of one organisation, made at the first question and then shared by all."""

    def __init__(self, organization: str, token: str, *, cache: Path, limits: Limits, clock: Clock) -> None:
        """Ask nothing yet."""
        self.organization = organization.rstrip("/")
        self.limits = limits
        self.pace = Pace(clock)
        self._token = token
        self._cache = cache
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._making = asyncio.Lock()
        self._clients: Clients | None = None

    async def ask(self, what: str, work: Callable[["Clients"], Result]) -> Result:
        """Do some work with the clients in a thread; raise AzureRefused or Unavailable. ``what`` is wanted, as ``read run 7``."""
        async with self._slots:
            clients = await self._made()
            return await asyncio.to_thread(clients.do, what, work)

    async def _made(self) -> "Clients":
        async with self._making:
            if self._clients is None:
                self._clients = await asyncio.to_thread(
                    library.clients, self.organization, self._token, cache=self._cache, timeout=self.limits.timeout, pace=self.pace
                )
            return self._clients


class TopicBase:
    """What all topics share: the connection and the project."""

    def __init__(self, connection: Connection, project: str) -> None:
        """Keep both."""
        self._connection = connection
        self._project = project

    async def _ask(self, what: str, work: Callable[["Clients"], Result]) -> Result:
        """Begin something, unless the service wants silence; what has begun is carried to its end by ``_go_on``."""
        self._check_pace()
        return await self._connection.ask(what, work)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let everything that is asked within count as one thing: begun only when the service does not want silence, then carried through.

        A service that delays its callers asks for a pause with every answer. Without this nothing that needs two answers would ever come
        to its end; the pause is kept afterwards (``not_before``). Raise Unavailable while it wants silence.
        """
        self._check_pace()
        token = _BEGUN.set(True)
        try:
            yield
        finally:
            _BEGUN.reset(token)

    def _check_pace(self) -> None:
        if not _BEGUN.get():
            self._connection.pace.check()

    async def _go_on(self, what: str, work: Callable[["Clients"], Result]) -> Result:
        """Ask for the next part of what was begun."""
        return await self._connection.ask(what, work)


def read(adapter: TypeAdapter[Shape], model: Any, what: str) -> Shape:  # noqa: ANN401 - a model of the package, which has no types
    """Read one of the package's models; raise MalformedAnswer for an empty answer and for one of another shape."""
    if model is None:
        raise MalformedAnswer(f"Azure DevOps was asked to {what}, and answered with nothing")
    return parse(adapter, model.as_dict(), what=what)


def every(adapter: TypeAdapter[Shape], models: list[Any] | None, what: str) -> list[Shape]:
    """Read a list of the package's models; raise MalformedAnswer where there is no list."""
    if models is None:
        raise MalformedAnswer(f"Azure DevOps was asked to {what}, and answered without a list")
    return [read(adapter, model, what) for model in models]
