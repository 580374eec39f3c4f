"""The texts of alarms: what happened, what it may mean, what to do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.publication.purging import is_plain, purge
from bot.release.gate import managers
from bot.release.ids import branch_ref
from bot.release.later import Difference
from bot.release.model import Release
from bot.words.markdown import clock, code, duration, fenced, plain

WHAT_TO_DO: Final = (
    "Nothing was changed. If it is wanted, close this issue; if not, whoever administers the repository should remove it at once, "
    "because others react to tags within minutes."
)


def marker(about: str) -> str:
    """Return the first line of an alarm's issue, by which it is found again."""
    return f"<!-- brother-maynard alarm={about} -->"


def long_freeze(release: Release, length: timedelta) -> str:
    """Return the alarm about a branch that stays frozen, or the name of a tag that stays held."""
    holds_branch = any(one.ref == branch_ref(release.branch) for one in release.frozen)
    held = f"{code(release.branch)} has" if holds_branch else f"The name of the tag {code(release.version.tag)} has"
    meanwhile = ", and nobody else can merge meanwhile" if holds_branch else ""
    return (
        f"{_managers(release)} {held} been frozen for {duration(length)} by the release of {release.version}{meanwhile}. "
        "The status above says what it waits for; `/release abort REASON` gives it up and lifts the freeze."
    )


def published_otherwise(release: Release, differences: Sequence[Difference]) -> str:
    """Return the alarm about a release that is out and no longer shown as it was confirmed."""
    addresses = [one.address for one in differences if is_plain(one.address)]
    mend = (
        "A file that is stale or damaged has to be put right where it lies and then purged, so that everybody is handed what is there; "
        "say `/release retry publication` afterwards. What is not handed out is not asked for again before that."
    )
    lines = [
        f"{_managers(release)} 🚨 What python.org shows of {release.version} is no longer what was confirmed before it was released:",
        "",
        *(f"- {plain(one.what)}" for one in differences),
        "",
        "This bot changed nothing. Find out who did, and why; until that is known, take it for an attack on everybody who downloads it.",
        *(["", mend, "", fenced("\n".join(purge(address) for address in addresses))] if addresses else []),
        "",
        "If the release was withdrawn on purpose, two of you say `/release abort REASON`, and nobody looks at it any more.",
    ]
    return "\n".join(lines)


def publication_unread(release: Release, since: datetime, why: str) -> str:
    """Return the news, told once, that nobody knows whether a release is still shown as it was confirmed."""
    return (
        f"{_managers(release)} What python.org shows of {release.version} should be read again, and since {clock(since)} it cannot be: "
        f"{plain(why)}. It is tried again, ever more rarely, and I say no more of it unless something is wrong."
    )


def _managers(release: Release) -> str:
    return " ".join(f"@{login}" for login in managers(release))


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
