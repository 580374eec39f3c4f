"""Log lines for people or machines, and reports of errors, with all that looks like a secret taken out (invariant I8)."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from typing_extensions import override

from bot.release.scrubbing import scrubbed
from bot.settings import LogFormat

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


class _Text(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))


class _Json(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps(line)


def set_up_logging(form: LogFormat) -> None:
    """Write log lines to standard error in the given form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form is LogFormat.JSON else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def set_up_reports(dsn: str) -> None:
    """Report errors to Sentry (https://docs.sentry.io/platforms/python/configuration/options/)."""
    import sentry_sdk  # noqa: PLC0415 - it takes a third of a second, which only those pay who report there

    sentry_sdk.init(dsn, send_default_pii=False, include_local_variables=False, max_request_body_size="never", before_send=reportable)


def reportable(event: "Event", _hint: "Hint") -> "Event | None":
    """Return what may be reported of an error.

    Nothing of the request under way is: Sentry would send all headers but a few, and GitHub itself once put webhook secrets into one.
    """
    event.pop("request", None)
    for key, value in list(event.items()):
        event[key] = _without_secrets(value)  # type: ignore[literal-required]  # every key stays what it was
    return event


def _without_secrets(value: object) -> object:
    match value:
        case str():
            return scrubbed(value)
        case dict():
            return {key: _without_secrets(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_secrets(item) for item in value]
        case _:
            return value
