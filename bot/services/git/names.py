"""Judge every name before it comes near git: refs, ids, repositories, servers.

The rules for refs are those of https://git-scm.com/docs/git-check-ref-format, narrowed to branches and tags in printable ASCII: a
release has no use for a look-alike letter.
"""

import re
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from bot.release.ids import ObjectId, Ref, Repository
from bot.services.git.errors import GitError

_ID: Final = re.compile(r"[0-9a-f]{40}")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?/[A-Za-z0-9._-]{1,100}")
_COMPONENT: Final = re.compile(r"[!\"#$%&'()+,\-.0-9;<=>@A-Z\]_`a-z{|}]+")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST: Final = 250


def object_id(text: str) -> ObjectId:
    """Return the text as an id; raise GitError when it is not 40 lower-case hexadecimal digits other than all zero."""
    if not _ID.fullmatch(text) or not text.strip("0"):
        raise GitError(f"{text[:60]!r} is not the full id of a git object; give all 40 lower-case hexadecimal digits.")
    return ObjectId(text)


def is_ref(text: str) -> bool:
    """Tell whether the text is a full, well-formed ref of a branch or a tag."""
    space, _, rest = text.removeprefix("refs/").partition("/")
    return (
        text.startswith("refs/")
        and space in ("heads", "tags")
        and len(text) <= _LONGEST
        and all(_is_component(component) for component in rest.split("/"))
        and ".." not in text
        and "@{" not in text
        and not text.endswith(".")
        and not rest.startswith("-")
    )


def ref(text: str) -> Ref:
    """Return the text as a ref; raise GitError when it is not the full, well-formed name of a branch or a tag."""
    if not is_ref(text):
        raise GitError(f"{text[:80]!r} is not the full name of a branch or a tag; give one such as refs/heads/main.")
    return Ref(text)


def ref_pattern(text: str) -> str:
    """Return the text as a pattern over full refs, in which ``*`` stands for anything; raise GitError otherwise."""
    if not is_ref(text.replace("*", "x")):
        raise GitError(f"{text[:80]!r} is not a pattern over branches or tags; give one such as refs/tags/v3.*.")
    return text


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a full ref is meant by one of the patterns; brackets and question marks cannot occur in either."""
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def repository(text: str) -> Repository:
    """Return the text as ``OWNER/NAME``; raise GitError when it could mean anything else in a URL."""
    name = text.partition("/")[2]
    if not _REPOSITORY.fullmatch(text) or name in (".", "..") or name.endswith(".git"):
        raise GitError(f"{text[:80]!r} is not a repository; give OWNER/NAME.")
    return Repository(text)


def server(url: str) -> str:
    """Return the server's URL without a trailing slash.

    Raise GitError unless it is https, or plain http to this very machine, without credentials, query and fragment.
    """
    parts = urlsplit(url)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise GitError("The git server must be an https URL (plain http only for 127.0.0.1); set GITHUB_SERVER_URL.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise GitError("The git server's URL must not hold credentials, a query or a fragment; set GITHUB_SERVER_URL to the bare URL.")
    return url.rstrip("/")


def _is_component(text: str) -> bool:
    """Tell whether one part of a ref between slashes is well-formed."""
    return bool(_COMPONENT.fullmatch(text)) and not text.startswith(".") and not text.endswith(".lock")
