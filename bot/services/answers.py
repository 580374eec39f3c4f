"""Read what outside systems answer: strictly, and with errors that name the place of the surprise, never its content."""

import re
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.errors import Unavailable

Shape = TypeVar("Shape")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_TOKEN = re.compile(r"\bgh[a-z]_[A-Za-z0-9._-]{20,}|\bgithub_pat_\w{20,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")


class MalformedAnswer(Unavailable):
    """An outside system answered with something other than its own description promises.

    It counts as *unavailable*: what was asked for is unknown, and for a write it is unknown whether it was done.
    """


def parse(adapter: TypeAdapter[Shape], data: object, *, what: str) -> Shape:
    """Return the answer as its shape; raise MalformedAnswer naming ``what`` was asked and where the answer is wrong."""
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole answer"
        # Not chained: the library's text quotes the answer, which may hold what must not be logged.
        raise MalformedAnswer(f"The answer to {what} is not what its description promises, at {place}: {one_line(first['msg'])}") from None
    except TypeError:
        raise MalformedAnswer(f"The answer to {what} is not what its description promises: a value is of another kind") from None


def one_line(text: str, limit: int = 300) -> str:
    """Return foreign text fit for one sentence or log line: no control or direction characters, no token, at most ``limit`` long."""
    clean = _TOKEN.sub("[secret]", _CONTROL.sub(" ", text)).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
