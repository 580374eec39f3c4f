"""Read what the jobs of a workflow print: their inputs, the hashes of what they made, and why they failed. Pure text.

Every line of a log on GitHub begins with its time; colours and groups are marked as
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands says.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from bot.release.quoting import shown

EXCERPT: Final = 15
"""Lines of a log that are shown to people: enough for the end of a traceback."""

LONGEST_LINE: Final = 160

_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ?")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HASH: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_ERROR: Final = "##[error]"
_FRAMES: Final = ("##[group]", "##[endgroup]", "##[debug]")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a log says of a file; ``size`` is in bytes, None where it says none."""

    sha256: str
    size: int | None


def lines(log: str) -> list[str]:
    """Return the lines of a log without their times and colours."""
    return [_COLOUR.sub("", _TIME.sub("", line)).rstrip() for line in log.removeprefix("\ufeff").splitlines()]


def values(log: str, names: Collection[str]) -> dict[str, str]:
    """Return what the log says of these names, in lines such as ``git_commit: 5d2a1c…``; the first time counts.

    The workflow shows its inputs before it fetches anything, so nothing that was fetched can speak before them.
    """
    found: dict[str, str] = {}
    for line in lines(log):
        name, colon, value = line.partition(":")
        if colon and name in names and name not in found:
            found[name] = value.strip()
    return found


def hashes(log: str) -> Mapping[str, tuple[Told, ...]]:
    """Return what the log says of files by their names: lines that hold a SHA-256 and end with a name, whatever stands between."""
    found: dict[str, tuple[Told, ...]] = {}
    for line in lines(log):
        words, match = line.split(), _HASH.search(line)
        if match is None or words[-1] == match[0]:
            continue
        size = next((int(word) for word in words if word.isascii() and word.isdecimal()), None)
        name = words[-1].rpartition("/")[2]
        found[name] = (*found.get(name, ()), Told(sha256=match[0], size=size))
    return found


def excerpt(log: str) -> tuple[str, ...]:
    """Return the last lines of a failed job as code spans: up to its last error, since what follows only tidies up."""
    said = [line for line in lines(log) if line.strip() and not line.startswith(_FRAMES)]
    errors = [index for index, line in enumerate(said) if line.startswith(_ERROR)]
    end = errors[-1] + 1 if errors else len(said)
    return tuple(shown(line.removeprefix(_ERROR), longest=LONGEST_LINE) for line in said[max(0, end - EXCERPT) : end])
