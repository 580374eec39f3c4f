"""When a system may be asked again."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.services.patience import LONGEST, retry_at

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("90", timedelta(seconds=90)),
        (" 0 ", timedelta(0)),
        ("3594", timedelta(seconds=3594)),
        ("9999999", LONGEST),
        ("Fri, 20 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 20 Nov 2026 12:01:00 -0000", timedelta(minutes=1)),
        ("Sat, 21 Nov 2026 12:01:00 GMT", LONGEST),
        ("Fri, 20 Nov 2026 11:00:00 GMT", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_named_time_is_kept_and_never_for_longer_than_an_hour(text: str, wait: timedelta | None) -> None:
    assert retry_at({"Retry-After": text}, NOW) == (None if wait is None else NOW + wait)


def test_where_no_time_is_named_there_is_none() -> None:
    assert retry_at({}, NOW) is None
