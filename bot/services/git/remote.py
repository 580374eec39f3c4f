"""The other side: how to reach a repository over https, and what its answers mean."""

import base64
import re
from dataclasses import dataclass
from typing import Final

from bot.errors import Refused, Unavailable
from bot.release.ids import Repository
from bot.services.git.names import repository as checked
from bot.services.git.process import Answer
from bot.services.git.scrub import one_line

REMOTE: Final = "source"
"""The name that stands for the repository in git's arguments; its URL is in the environment of each call."""

_STATUS: Final = re.compile(r"returned error: (\d{3})")
_UNKNOWN_OBJECT: Final = re.compile(r"(?:not our ref|unadvertised object) ([0-9a-f]{40})")
_NOT_SOUND: Final = re.compile(r"error: object ([0-9a-f]{40}): (.+)")
_MEANT_STATUS: Final = (
    (re.compile(r"fatal: repository '.*' not found"), 404),
    (re.compile(r"Authentication failed for|could not read (?:Username|Password)"), 401),
    (re.compile(r"unable to update url base from redirection"), 302),
)
_NO_CONNECTION: Final = re.compile(
    r"(?i)could ?n[o']t (?:resolve|connect)|failed to connect|connection (?:refused|reset|timed out|was closed)|timed out|early eof"
    r"|rpc failed|hung up|empty reply|unexpected disconnect|transfer closed|recv failure|send failure|gnutls|ssl"
    r"|expected .* packet|bad line length"
)
_BEFORE_ANYTHING: Final = re.compile(
    r"fatal: unable to access '|fatal: repository '.*' not found|Authentication failed for|could not read (?:Username|Password)"
)
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One repository on the server and the settings to reach it; ``secrets`` must never be seen by anyone."""

    repository: Repository
    url: str
    configuration: dict[str, str]
    secrets: tuple[str, ...]


def remote(server_url: str, repository: str, token: str | None, **more: str) -> Remote:
    """Describe how to reach a repository; ``more`` are settings of the remote, such as ``promisor="true"``.

    The token is sent as GitHub wants it for git over https
    (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation),
    in a header that belongs to this repository's URL alone.
    """
    name = checked(repository)
    url = f"{server_url}/{name}.git"
    configuration = {f"remote.{REMOTE}.url": url, **{f"remote.{REMOTE}.{key}": value for key, value in more.items()}}
    if not token:
        return Remote(repository=name, url=url, configuration=configuration, secrets=())
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    configuration[f"http.{url}.extraHeader"] = f"Authorization: Basic {basic}"
    return Remote(repository=name, url=url, configuration=configuration, secrets=(token, basic))


def explain(answer: Answer, name: Repository) -> Refused | Unavailable | None:
    """Say what the other side meant by a failed call; None when the failure does not look like the other side's doing."""
    said = answer.complaint
    if found := _UNKNOWN_OBJECT.search(said):
        return Refused(f"{name} has no object {found[1]}; push it there first.", status=404)
    if found := _STATUS.search(said):
        return _by_status(int(found[1]), name)
    if found := _NOT_SOUND.search(said):
        return Refused(
            f"{name} holds the object {found[1]}, which git finds malformed ({one_line(found[2])}); it is not taken over.", status=422
        )
    for pattern, status in _MEANT_STATUS:
        if pattern.search(said):
            return _by_status(status, name)
    if _NO_CONNECTION.search(said):
        return Unavailable(f"The git server broke off while talking about {name}: {answer.last_word}")
    return None


def nothing_was_sent(answer: Answer) -> bool:
    """Tell whether a failed push ended before the server was asked for any change."""
    # What the server itself says proves that it was reached, whatever its words are.
    own = "\n".join(line for line in answer.complaint.splitlines() if not line.startswith("remote:"))
    return bool(_BEFORE_ANYTHING.search(own)) and "RPC failed" not in own


def _by_status(status: int, name: Repository) -> Refused | Unavailable:
    """Say what an HTTP status from the git server means."""
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return Unavailable(f"The git server answered {status} for {name}.")
    if status // 100 == 3:  # noqa: PLR2004 - the class of redirections in HTTP
        return Refused(
            f"The git server redirects {name} elsewhere, which is not followed; give the repository's present name.", status=status
        )
    advice = "check that it exists and that the App is installed there and may write contents"
    return Refused(f"The git server refused access to {name} ({status}); {advice}.", status=status)
