"""Azure Pipelines as the bot sees it: one object for one project of one organisation, with all topics."""

from datetime import datetime
from pathlib import Path

from bot.services.azure_devops.connection import Connection, Limits
from bot.services.azure_devops.course import Course
from bot.services.azure_devops.keeping import Keeping
from bot.services.azure_devops.runs import Runs
from bot.services.patience import Clock, utc_now


class AzureDevOps(Runs, Course, Keeping):
    """A project's pipelines, reached with a personal access token through Microsoft's own client.

    Every method raises ``AzureRefused`` (a ``Refused``) for a definite no, and ``Unavailable`` when the service could not be reached, was
    in trouble or asked for patience (``retry_at``). After an Unavailable write it is unknown whether it was done; nothing is tried again
    here. No host but the organisation's own is ever asked.
    """

    def __init__(
        self, organization: str, token: str, *, project: str, cache: Path, limits: Limits | None = None, clock: Clock = utc_now
    ) -> None:
        """Ask nothing yet. ``organization`` is an address such as https://dev.azure.com/Python, ``cache`` a folder for the client alone."""
        super().__init__(Connection(organization, token, cache=cache, limits=limits or Limits(), clock=clock), project)

    @property
    def not_before(self) -> datetime | None:
        """The moment before which the service does not want to be asked, even if it answered; None when it may be asked now."""
        return self._connection.pace.not_before
