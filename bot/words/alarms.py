"""The texts of alarms: what happened, what it may mean, what to do."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.release.gate import managers
from bot.release.model import Release
from bot.words.markdown import code, duration, plain

WHAT_TO_DO: Final = (
    "Nothing was changed. If it is wanted, close this issue; if not, whoever administers the repository should remove it at once, "
    "because others react to tags within minutes."
)


def marker(about: str) -> str:
    """Return the first line of an alarm's issue, by which it is found again."""
    return f"<!-- brother-maynard alarm={about} -->"


def long_freeze(release: Release, length: timedelta) -> str:
    """Return the alarm about a branch that stays frozen."""
    who = " ".join(f"@{login}" for login in managers(release))
    return (
        f"{who} {code(release.branch)} has been frozen for {duration(length)} by the release of {release.version}, and nobody else can "
        "merge meanwhile. The status above says what it waits for; `/release abort REASON` gives it up and lifts the freeze."
    )


def long_standing_freeze(login: str, branch: str, reason: str, length: timedelta) -> str:
    """Return the alarm about a standing freeze that nobody lifts."""
    return f"@{login} {code(branch)} has been frozen for {duration(length)}: {plain(reason)}. `/unfreeze {branch}` lifts the freeze."


def lone_tag_title(repository: str, tag: str) -> str:
    """Return the title of the issue about a tag without a release."""
    return f"The tag {tag} appeared in {repository} without a release"


def lone_tag(repository: str, tag: str, target: str, moved_from: str | None, proof: Sequence[str]) -> str:
    """Return the alarm about a version tag upstream that this bot did not push."""
    change = f"moved there from {code(moved_from)} to" if moved_from else "appeared there as"
    lines = [
        f"🚨 The tag {code(tag)} of {code(repository)} {change} the object {code(target)}, and no release of this bot announced it.",
        "",
        "Either somebody released by hand, or a tag was pushed that should not be there. What could be found out about it:",
        "",
        *(f"- {plain(line)}" for line in proof),
        "",
        WHAT_TO_DO,
    ]
    return "\n".join(lines)
