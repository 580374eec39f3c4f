"""When an outside system may be asked again, by its own word."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

Clock = Callable[[], datetime]
"""Tells the present time, with its time zone."""

LONGEST: Final = timedelta(hours=1)
"""The longest silence that is kept for one answer; after as long it does no harm to ask once more."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the time that a Retry-After header names, in seconds or as a date; None where it names none that is to come.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,7}", text):
        return now + min(timedelta(seconds=int(text)), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, now + LONGEST) if moment > now else None
