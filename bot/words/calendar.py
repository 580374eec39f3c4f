"""The issue that is opened some time before a release is due."""

from collections.abc import Sequence

from bot.release.schedule import Planned
from bot.release.version import Version
from bot.words.markdown import code, fenced


def marker(version: Version) -> str:
    """Return the first line of the issue, by which it is found again."""
    return f"<!-- brother-maynard upcoming={version} -->"


def title(version: Version) -> str:
    """Return the title of the issue."""
    return f"Release {version.tag_message}"


def body(planned: Planned, managers: Sequence[str], experts: Sequence[str]) -> str:
    """Return what stands below the marker: when it is due, what starts it, and who has a part in it."""
    version = planned.version
    begin = (
        f"{_mentions(managers)} The [published schedule](https://peps.python.org/api/python-releases.json) expects {code(str(version))} "
        f"on {planned.day:%A, %Y-%m-%d}. When it is time, one of you starts it here, in a comment of its own:"
    )
    part = (
        f"{_mentions(experts)} You have a part in it: you will be called here, with tag, commit and links, as soon as there is something "
        "to do. If that day does not suit you, please say so now."
    )
    end = "Nothing happens until then. If it is not released after all, just close this issue."
    return "\n\n".join([begin, fenced(f"/release {version}"), *([part] if experts else []), end])


def _mentions(logins: Sequence[str]) -> str:
    return " ".join(f"@{login}" for login in logins)
