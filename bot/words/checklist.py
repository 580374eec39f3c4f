"""The comment that lists what is left for people after a release."""

from collections.abc import Sequence

from bot.release.model import Release
from bot.words import templates
from bot.words.status import marker


def about(release: Release) -> str:
    """Return by what the comment is found again."""
    return f"checklist-{release.id}"


def checklist(release: Release, who: Sequence[str], items: Sequence[str]) -> str:
    """Return the comment, for which the release waits; it mentions those who have to see to it."""
    mentions = " ".join(f"@{login}" for login in who)
    return templates.render("checklist.md.j2", marker=marker(release.id), about=about(release), release=release, who=mentions, items=items)
