"""What an answer other than success means: a definite no, a call for patience, or trouble.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from bot.errors import Refused, Unavailable
from bot.services.answers import MalformedAnswer, one_line

_PERMISSIONS_HEADER = "x-accepted-github-permissions"
_LIMITED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_LONGEST_SILENCE = timedelta(hours=1)
"""Primary limits begin anew every hour; after as long it does no harm to ask once more."""


class GitHubRefused(Refused):
    """GitHub definitely said no. ``reason`` is GitHub's own message, ``accepts`` the permissions that would have done."""

    def __init__(self, message: str, *, status: int, reason: str = "", accepts: str = "", request_id: str = "") -> None:
        """Keep what GitHub said."""
        super().__init__(message, status=status)
        self.reason = reason
        self.accepts = accepts
        self.request_id = request_id


class Unauthorized(GitHubRefused):
    """GitHub did not accept the signature or the token (401). ``date`` is GitHub's own clock."""

    date: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as it came, and the request it is for (method and path, which hold no secret)."""

    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """The id by which GitHub's support finds the request."""
        return one_line(self.headers.get("x-github-request-id", ""), 60)

    @property
    def message(self) -> str:
        """GitHub's own words, with the details of a validation error; empty when the body is not what GitHub sends."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(content, dict):
            return ""
        parts = [str(content.get("message") or "")]
        errors = content.get("errors")
        parts += [_detail(error) for error in errors[:5]] if isinstance(errors, list) else [str(errors or "")]
        return one_line(": ".join(part for part in parts if part))


def failure(answer: Answer, *, now: datetime, patience: float) -> Exception:
    """Return the error an answer stands for. ``patience``: seconds to wait after a secondary limit that names no time."""
    retry_at = _limited_until(answer, now, patience)
    if retry_at is not None:
        return Unavailable(
            f"GitHub limited {answer.request} ({_named(answer.status)}) until {retry_at:%Y-%m-%d %H:%M:%S} UTC{_diagnostics(answer)}",
            retry_at=retry_at,
        )
    sentence = f"GitHub answered {answer.request} with {_named(answer.status)}{_diagnostics(answer)}"
    if answer.status == HTTPStatus.REQUEST_TIMEOUT:
        return Unavailable(sentence)
    match answer.status // 100:
        case 4:
            return _refusal(answer)
        case 5:
            named = _retry_after(answer, now)
            return Unavailable(sentence, retry_at=min(named, now + _LONGEST_SILENCE) if named else None)
        case _:
            return MalformedAnswer(f"{sentence}, which was not expected")


def _refusal(answer: Answer) -> GitHubRefused:
    """Word a definite no: what was refused, in GitHub's words, and which permission would do."""
    accepts = one_line(answer.headers.get(_PERMISSIONS_HEADER, ""), 200)
    reason = answer.message
    sentence = f"GitHub refused {answer.request} ({_named(answer.status)}): {reason or 'without a reason'}"
    if accepts and answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        sentence += f"; the App needs the permission {accepts}"
    kind = Unauthorized if answer.status == HTTPStatus.UNAUTHORIZED else GitHubRefused
    error = kind(sentence + _diagnostics(answer), status=answer.status, reason=reason, accepts=accepts, request_id=answer.request_id)
    if isinstance(error, Unauthorized):
        error.date = _date(answer.headers.get("date", ""))
    return error


def _limited_until(answer: Answer, now: datetime, patience: float) -> datetime | None:
    """Return the end of a primary or secondary rate limit, or None when the answer is not about limits."""
    if answer.status not in _LIMITED:
        return None
    named = [moment for moment in (_retry_after(answer, now), _reset(answer)) if moment is not None]
    if named:
        # A time that is past, because clocks differ, names no time; a far one would silence the bot for ever.
        return min(max(named), now + _LONGEST_SILENCE) if max(named) > now else now + timedelta(seconds=patience)
    words = answer.message.lower()
    used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    if used_up or answer.status == HTTPStatus.TOO_MANY_REQUESTS or "secondary rate limit" in words or "abuse detection" in words:
        return now + timedelta(seconds=patience)
    return None


def _reset(answer: Answer) -> datetime | None:
    """Return when a used-up primary limit begins anew."""
    if answer.headers.get("x-ratelimit-remaining") != "0":
        return None
    try:
        return datetime.fromtimestamp(float(answer.headers.get("x-ratelimit-reset", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _retry_after(answer: Answer, now: datetime) -> datetime | None:
    """Return the time that a Retry-After header names, in seconds or as a date."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,7}", text):
        return now + timedelta(seconds=int(text))
    return _date(text)


def _date(text: str) -> datetime | None:
    """Read the date of an HTTP header."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _detail(error: object) -> str:
    """Word one detail of a validation error."""
    if not isinstance(error, dict):
        return str(error)
    known = [str(error[key]) for key in ("field", "code", "message") if error.get(key)]
    return " ".join(known)


def _named(status: int) -> str:
    """Write a status with its name, also where it has none."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _diagnostics(answer: Answer) -> str:
    """Name the request for GitHub's support."""
    return f" [request {answer.request_id}]" if answer.request_id else ""
