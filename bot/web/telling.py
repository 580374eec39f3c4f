"""Say lengths and moments as people read them on a page."""

from datetime import UTC, datetime


def length(seconds: int | None) -> str:
    """Return a length of time with its two largest units; nothing for one that is not known."""
    if seconds is None:
        return ""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def clock(moment: datetime | str | None, *, exactly: bool = False) -> str:
    """Return a moment, or one as a dossier has it, to the minute in UTC or to the second; nothing for None."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    form = "%Y-%m-%d %H:%M:%S UTC" if exactly else "%Y-%m-%d %H:%M UTC"
    return moment.astimezone(UTC).strftime(form) if moment else ""
