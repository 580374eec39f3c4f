"""What the bot answers to a comment: always short, always saying what to do next."""

from datetime import datetime
from typing import Final

from bot.commands import help_text
from bot.release.model import Release
from bot.words.markdown import clock, code, plain

EDITED: Final = (
    "This comment was edited, so nobody can tell what was meant when it was written; I act on unedited comments only. "
    "Please write the command in a new comment."
)
NO_RELEASE: Final = (
    "No release was opened on this issue. Open one with `/release VERSION`, or give the command on the issue of your release."
)


def marker(about: str) -> str:
    """Return the two lines that mark an answer to one comment, so that it is given once."""
    return f"<!-- brother-maynard -->\n<!-- about={about} -->"


def refused(login: str, why: str) -> str:
    """Return the answer to a command that is refused."""
    return f"`{login}`: not done. {plain(why, 1500)}"


def not_understood(why: str, did_you_mean: str) -> str:
    """Return the answer to a command that makes no sense."""
    # The hint repeats what somebody wrote, and anybody may write to the bot.
    hint = f" Did you mean {code(did_you_mean)}?" if did_you_mean else ""
    return f"{plain(why, 1500)}{hint} `/release help` lists the commands."


def second_release(release: Release) -> str:
    """Return the answer to a second ``/release VERSION`` on one issue."""
    if release.state.over:
        return f"The release of {release.version} on this issue is {release.state}. Please open a new issue for another one."
    return f"This issue already carries the release of {release.version}, which is {release.state}; each release has an issue of its own."


def helped() -> str:
    """Return the list of commands."""
    return help_text()


def stands(release: Release, headline: str, url: str) -> str:
    """Return the answer to ``/release status``."""
    where = f" [Everything about it]({url})." if url else ""
    return f"{release.version} is {release.state}. {plain(headline, 1200)}{where}"


def with_warning(warning: str) -> str:
    """Return the note about somebody who acts as a stand-in."""
    return f"Noted: {plain(warning)}"


def frozen(branch: str, reason: str) -> str:
    """Return the answer to a freeze that stands now."""
    return f"`{branch}` is frozen: only this bot can move it. Reason: {plain(reason)}. `/unfreeze {branch}` lifts it again."


def freeze_gone(login: str, branch: str, why: str) -> str:
    """Return the news that somebody else ended a standing freeze; ``why`` is what is no longer so."""
    return f"@{login} `{branch}` is no longer frozen, because {why} `/freeze {branch} REASON` freezes it again."


def not_unfrozen(branch: str, why: str, page: str) -> str:
    """Return the answer to an unfreeze of a branch whose protection somebody changed."""
    return (
        f"Make the protection of {branch} what it was before, or what it has to be from now on, at {page}; once others can push again, "
        f"I take it for open. {why}"
    )


def frozen_already(branch: str, login: str, since: datetime, reason: str) -> str:
    """Return the answer to a second freeze of one branch."""
    return f"`{branch}` is frozen already, by `{login}` since {clock(since)}: {reason}. `/unfreeze {branch}` lifts that freeze first."


def unfrozen(branch: str, login: str, holder: str) -> str:
    """Return the answer to an unfreeze; a release may still hold the branch."""
    return f"The standing freeze of `{branch}` was lifted by `{login}`. {holder or f'`{branch}` is open again.'}"


def held_by(release: Release) -> str:
    """Return who holds a branch frozen, and how that ends."""
    since = next((clock(one.since) for one in release.frozen), "now")
    return (
        f"`{release.branch}` is frozen since {since} by the release of {release.version} on {release.home}#{release.issue}, "
        f"started by `{release.starter.login}`; there, `/release halt REASON` stops it and `/release abort REASON` ends it and its freeze."
    )
