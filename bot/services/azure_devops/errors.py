"""How Azure DevOps says no."""

from http import HTTPStatus

from bot.errors import Refused


class AzureRefused(Refused):
    """Azure DevOps, or the guard before it, definitely said no, so nothing was done.

    ``kind`` is the service's own name of the error, such as ``PipelineValidationException``, or empty where there is none; ``sentences`` is
    everything that the service found wrong.
    """

    def __init__(self, message: str, *, status: int = 0, kind: str = "", sentences: tuple[str, ...] = ()) -> None:
        """Keep what was said."""
        super().__init__(message, status=status)
        self.kind = kind
        self.sentences = sentences

    @property
    def denied(self) -> bool:
        """Tell whether the bot was not let in at all, so that nothing is known of what it asked about."""
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
