"""Take secrets and terminal tricks out of what git and servers say, before anyone reads it."""

import re
from collections.abc import Sequence
from typing import Final

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]*@")
_HEADER: Final = re.compile(r"(?i)(authorization:\s*)\S.*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_LONGEST_LINE: Final = 300


def scrub(text: str, secrets: Sequence[str] = ()) -> str:
    """Return the text without the given secrets, without credentials in URLs and without authorization headers."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return _HEADER.sub(r"\1***", _CREDENTIALS.sub("", text))


def one_line(text: str) -> str:
    """Return the text as one line of at most 300 characters without control and direction characters."""
    return " ".join(_CONTROL.sub("", text).split())[:_LONGEST_LINE]
