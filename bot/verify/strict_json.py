"""Read a JSON document that may have been made to do harm: within bounds, and only where all readers would read the same in it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.release.quoting import shown
from bot.verify.result import NotProven

Shape = TypeVar("Shape")


class _Ambiguous(ValueError):
    """A document says two things at once, or something that is not JSON."""


def read_json(content: bytes, *, name: str, largest: int) -> object:
    """Return what the document called ``name`` holds; raise NotProven where it is none, or has more than ``largest`` bytes.

    A name that appears twice in one object is refused, because readers differ in which of the two counts; numbers that are none
    (``NaN``) as well: https://www.rfc-editor.org/rfc/rfc8259#section-4. The interpreter bounds how deep values may lie in each other.
    """
    if len(content) > largest:
        raise NotProven(
            f"{name} has {len(content)} bytes, far more than any such document needs, so it was not read; publish the right one."
        )
    try:
        return json.loads(content.decode(), object_pairs_hook=_once_each, parse_constant=_no_number)
    except _Ambiguous as error:
        raise NotProven(f"{name} can be read in more than one way, so it proves nothing; publish it anew.", str(error)) from None
    except (ValueError, RecursionError) as error:
        why = "values lie too deep in each other" if isinstance(error, RecursionError) else str(error)
        raise NotProven(f"{name} is not a JSON document; publish the right one.", why) from None


def formed(data: object, shape: TypeAdapter[Shape], *, name: str) -> Shape:
    """Return what a document holds in its shape; raise NotProven naming every place where it has another.

    Each place takes some thousand bytes, so the lists of a shape have a ``max_length``, and ``FailFast``: the first place is enough.
    """
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
    places = [
        f"{'.'.join(str(part) for part in one['loc']) or 'the whole of it'}: {one['msg'].removeprefix('Value error, ')}" for one in wrong
    ]
    raise NotProven(f"{name} is not in the form it must have ({places[0]}); publish the right one.", *some(places))


def some(lines: Sequence[str], *, most: int = 20) -> tuple[str, ...]:
    """Return the first of many lines, with how many there are beside them."""
    return (*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else []))


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object all of whose names differ."""
    found = dict(pairs)
    if len(found) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _Ambiguous(f"{shown(twice)} appears twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise _Ambiguous(f"{text} is no number")
