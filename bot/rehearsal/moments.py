"""Tell the time as GitHub writes it: UTC, whole seconds."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Return the present in UTC, cut to whole seconds as in every time GitHub stores."""
    return datetime.now(UTC).replace(microsecond=0)


def later_than(moment: datetime) -> datetime:
    """Return the present, or one second after ``moment`` where the present is not yet later: an edit is always seen as one."""
    return max(now(), moment + timedelta(seconds=1))


def stamp(moment: datetime) -> str:
    """Write a moment as ``2026-11-20T06:44:21Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(moment: datetime | None) -> str | None:
    """Write a moment, or nothing."""
    return None if moment is None else stamp(moment)
