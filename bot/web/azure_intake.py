"""Take the service hooks of Azure DevOps in. They only wake: what is true is read from Azure itself, with our own credentials.

Nothing is read before the sender has proved to know the secret, nothing but ids is taken from the body, and nothing is answered with 202
that is not on disk. Events come at least once, in any order, or not at all:
https://learn.microsoft.com/en-us/azure/devops/service-hooks/overview.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import UserError
from bot.release.ids import watch_key
from bot.store.model import Delivery
from bot.web import sign_in
from bot.web.receiving import Inbox, Reader, Refusal, answered, parsed, receipt, stored

LARGEST_BODY: Final = 1024 * 1024
"""Bytes. A whole run in all detail takes some ten thousand, and ids are all that we ask for."""

EVENT: Final = "azure"
"""The event of every delivery from here: what Azure calls its own must not be taken for a name of GitHub's."""

PUBLISHERS: Final = frozenset({"tfs", "pipelines", "azure-devops"})
"""Who tells of builds and runs; the last stands in some examples: https://learn.microsoft.com/en-us/azure/devops/service-hooks/events."""

Name = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,128}$")]


class WrongHook(UserError):
    """A body is not a service hook."""


class Hook(BaseModel):
    """The envelope of every event: https://learn.microsoft.com/en-us/rest/api/azure/devops/hooks/notifications."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    id: Name
    event: Name = Field(alias="eventType")
    publisher: Name = Field(alias="publisherId")
    resource: object = None

    @property
    def run(self) -> int | None:
        """Return the number of the run that the event is about, where it names one: approvals do not, nor do hooks without details."""
        resource = self.resource if isinstance(self.resource, dict) else {}
        where = resource if self.event == "build.complete" else resource.get("run")
        number = where.get("id") if isinstance(where, dict) else None
        return number if type(number) is int and 0 < number < 2**63 else None


def read(body: object) -> Hook:
    """Return a body as the hook that it is; raise WrongHook where it is none."""
    try:
        return Hook.model_validate(body)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"]) or "form"
        raise WrongHook(f"The body is not an event of Azure DevOps, as its {place} shows: send what a service hook sends.") from None


@dataclass(frozen=True, kw_only=True)
class AzureIntake:
    """The handler of ``POST /webhook/azure``; ``projects`` are those that build there."""

    secrets: Sequence[str] = field(repr=False)
    inbox: Inbox
    projects: Sequence[str]
    reader: Reader
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one event."""
        return await answered(request, self._receive)

    async def _receive(self, request: web.Request) -> tuple[int, str]:
        if not any(self.secrets):
            raise Refusal(404, "Service hooks are not taken here: set AZURE_HOOK_SECRET to take them.")
        claims = sign_in.claimed(request.headers.getall("Authorization", []), request.headers.getall(sign_in.HEADER, []))
        if not sign_in.is_ours(claims, self.secrets):
            why = f"Sign in with AZURE_HOOK_SECRET as the password of Basic authentication, or in the header {sign_in.HEADER}."
            raise Refusal(401, why, {"WWW-Authenticate": sign_in.CHALLENGE})
        self.reader.check(request)
        try:
            hook = read(parsed(await self.reader.read(request)))
        except WrongHook as error:
            raise Refusal(400, str(error)) from None
        return await self._deliver(hook, request)

    async def _deliver(self, hook: Hook, request: web.Request) -> tuple[int, str]:
        if hook.publisher not in PUBLISHERS:
            return 200, "Only events of builds and pipelines concern us."
        if not self.projects:
            return 200, "No project of ours builds on Azure."
        payload = {"event": hook.event, "run": hook.run}
        is_new = False
        for project in self.projects:
            guid = f"azure-{hook.id}-{project}"
            delivery = Delivery(guid=guid, key=watch_key(project), event=EVENT, action="", payload=payload, received=self.clock())
            is_new |= await stored(self.inbox, delivery, project, request)
        return receipt(is_new=is_new)
