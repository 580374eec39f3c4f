"""The three ways in which a wish is not fulfilled: a person erred, the world said no, or the world did not answer."""

import re
from datetime import datetime
from typing import Final

_REQUEST: Final = re.compile(r" \[request [^\]]*\]")


class UserError(Exception):
    """An error whose text may be shown to a person as it is: one sentence saying what, why, and what to do."""


class Refused(UserError):
    """An outside system definitely said no, so nothing was done there.

    ``status`` is the HTTP status, or 0 where there is none.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        """Keep the sentence and the status."""
        super().__init__(message)
        self.status = status


class Unavailable(Exception):
    """An outside system could not be reached or asked for patience; whether a write took effect is unknown.

    ``retry_at`` is when it may be asked again, where it said so.
    """

    def __init__(self, message: str, *, retry_at: datetime | None = None) -> None:
        """Keep the reason and the time."""
        super().__init__(message)
        self.retry_at = retry_at


def steady(sentence: str) -> str:
    """Return the sentence of an error without the id of the request: what differs at every try would call people at every try."""
    return _REQUEST.sub("", sentence)
