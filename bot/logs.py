"""Log lines for people or machines, with every known secret taken out (invariant I8)."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

from typing_extensions import override

from bot.settings import LogFormat

# Forms of secrets that outside systems hand to us; tokens of an App are up to about 520 characters with dots:
# https://github.blog/changelog/2026-05-15-github-app-installation-tokens-are-now-stateless
_SECRETS: Final = re.compile(
    r"gh[a-z]_[A-Za-z0-9._-]{20,}|github_pat_[A-Za-z0-9_]{20,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
HIDDEN: Final = "[secret]"


def scrubbed(text: str) -> str:
    """Return the text without anything that looks like a secret."""
    return _SECRETS.sub(HIDDEN, text)


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
