"""How single fields of GitHub's answers are read: what the API writes in several ways becomes one. And how times are written to it.

Numbers and truth values are read strictly: a text is never taken for a number.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Strict


def moment(value: object) -> object:
    """Refuse numbers, which the date parser would take for seconds."""
    if isinstance(value, str | datetime):
        return value
    raise ValueError("a date in text form is expected")


def or_ghost(value: object) -> object:
    """Put GitHub's placeholder in the place of an account that was deleted, which the API gives as null."""
    return {"id": 0, "login": "ghost", "type": "User"} if value is None else value


def present(value: object) -> bool:
    """Tell whether an optional object is there."""
    return value if isinstance(value, bool) else value is not None


def text(value: object) -> object:
    """Read a missing text as an empty one."""
    return "" if value is None else value


def last_number(value: object) -> object:
    """Read the number at the end of an issue's URL."""
    if isinstance(value, str):
        tail = value.rsplit("/", 1)[-1]
        return int(tail) if tail.isascii() and tail.isdigit() else value
    return value


def label_names(value: object) -> object:
    """Read labels, which are texts or objects with a name."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(label.get("name") if isinstance(label, dict) else label for label in value)


def enabled(value: object) -> object:
    """Read ``{"enabled": true}`` as the truth value it wraps; absent means off."""
    if isinstance(value, dict):
        return value.get("enabled")
    return False if value is None else value


def slugs(value: object) -> object:
    """Read a list of Apps as their slugs."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(app.get("slug") if isinstance(app, dict) else app for app in value)


def pushers(value: object) -> object:
    """Read who may push; restrictions that do not name any Apps list are a surprise, not the absence of restrictions."""
    if not isinstance(value, dict):
        return slugs(value)
    if "apps" not in value:
        raise ValueError("restrictions without a list of apps")
    return slugs(value["apps"])


def contexts(value: object) -> object:
    """Read the required checks as their names: ``checks`` is the present form, ``contexts`` the older one."""
    if isinstance(value, dict):
        checks = value.get("checks") or ()
        names = [check.get("context") if isinstance(check, dict) else check for check in checks]
        return tuple(dict.fromkeys([*names, *(value.get("contexts") or ())]))
    return () if value is None else value


def timestamp(moment: datetime) -> str:
    """Write a time as GitHub reads it: ISO 8601 in UTC, whole seconds, rounded down so that nothing is missed."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[AwareDatetime, BeforeValidator(moment)]
Text = Annotated[str, BeforeValidator(text)]
Number = Annotated[int, Strict()]
Truth = Annotated[bool, Strict()]
Flag = Annotated[bool, Strict(), BeforeValidator(enabled)]
There = Annotated[bool, Strict(), BeforeValidator(present)]
Parameters = Mapping[str, object]
