"""What a pull request says that proposes the day of a release."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from bot.release.model import Release
from bot.words import templates

COMMAND: Final = "`python -m release_management update-peps`"
"""What makes the lists of all PEPs anew from the file of dates."""


def branch(release: Release) -> str:
    """Return the branch it is made from, by which it is found again."""
    return f"release-bot/{release.version}"


def title(release: Release) -> str:
    """Return its title, which is that of its commit as well."""
    return f"Release schedule: {release.version.tag_message}"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What there is to say of a pull request: whether a branch ``begins`` with the release, and whether the bot ``merges`` it where it may.

    ``lists`` tells whether there is a PEP that has to agree with the dates, ``by_hand`` why people have to see to that; empty otherwise.
    """

    begins: bool
    merges: bool
    lists: bool
    by_hand: str


def body(release: Release, issue: str, contents: Contents) -> str:
    """Return its text; ``issue`` is where the release was made."""
    return templates.render("schedule.md.j2", release=release, issue=issue, command=COMMAND, **asdict(contents))


def to_merge(release: Release, repository: str, base: str, url: str) -> str:
    """Return what people are handed where the bot did not merge it."""
    return f"Merge {url} into {base} of {repository}, which says that {release.version.tag_message} was made. Nothing waits for it."


def to_complete(release: Release, repository: str, url: str) -> str:
    """Return what people are handed where the lists of the PEP are missing in the pull request at ``url``."""
    name = release.version.tag_message
    return (
        f"Run {COMMAND} in {repository} on the branch of {url}, add what it changes, which is the PEP that lists {name}, and merge it. "
        "Nothing waits for it."
    )


def to_list(release: Release, repository: str) -> str:
    """Return what people are handed where the dates are right already, and the lists of the PEP are not."""
    name = release.version.tag_message
    return f"Run {COMMAND} in {repository}, so that the PEP lists {name} as the dates do, and have that merged. Nothing waits for it."


def to_edit(release: Release, day: date, url: str, *, lists: bool) -> str:
    """Return what people are handed where the bot could not even propose it; ``url`` is where the file is.

    ``lists`` tells whether there is a PEP that has to agree with it.
    """
    made = f"that {release.version.tag_message} was made on {day.isoformat()}"
    agree = f"run {COMMAND}, so that the PEP agrees with it, " if lists else ""
    return f"Say in {url} {made}, {agree}and have that merged; what is known of it is at the end of the issue. Nothing waits for it."
