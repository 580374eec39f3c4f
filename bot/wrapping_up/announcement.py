"""Draft the announcements of a release; a person finishes and posts them."""

from datetime import UTC

from bot.errors import UserError
from bot.release import dossier
from bot.release.ids import Repository
from bot.release.model import Release
from bot.tools import Tools
from bot.verify.release_diff.news_format import NewsError, parse
from bot.words import announcement as words
from bot.words.announcement import Facts, News
from bot.words.thanks import Places, Text


async def drafts(release: Release, places: Places, tools: Tools) -> tuple[Text, ...]:
    """Return a draft for every place that the profile names; none where it names none. Raises Unavailable."""
    wanted = tools.profile.wrap_up.announce
    if wanted is None:
        return ()
    managers = tools.managers(release)
    facts = Facts(
        news=await _news(release, tools),
        places=places,
        digest=dossier.digest(dossier.dossier(release)),
        author=managers[0].name if managers else release.starter.login,
        day=(release.pushed or tools.now()).astimezone(UTC).date(),
    )
    posts = (words.for_blog(release, facts, wanted.blog),) if wanted.blog else ()
    return (words.for_forum(release, facts, wanted.forum), *posts)


def asked(release: Release, tools: Tools, comment: str) -> str:
    """Return what the manager is asked to do; ``comment`` is where the drafts are, empty where they could not be said."""
    wanted = tools.profile.wrap_up.announce
    if wanted is None:
        return ""
    blog = f" and by a pull request to {wanted.blog}" if wanted.blog else ""
    where = f"; drafts are in {comment}" if comment else ""
    return f"Announce {release.version.tag_message} at {wanted.forum}{blog}{where}. Nothing waits for it."


async def _news(release: Release, tools: Tools) -> News:
    """Return the news of the release; nothing where it has none, as at the end of a series, or where they cannot be read."""
    tag = release.tag
    if tag is None:
        return News()
    path = release.version.news_file
    try:
        found = await tools.git.fetch_files(Repository(release.repository), tag.commit, path)
        return words.news_of(parse(found[path].decode())) if path in found else News()
    except (NewsError, UnicodeDecodeError, UserError):
        # A draft may lack them; no release stays open for want of a draft.
        return News()
