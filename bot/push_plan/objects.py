"""Bring the git objects of a release into the scratch repository, from anywhere and at any time: the cache may be empty."""

from collections.abc import Iterable
from datetime import datetime

from bot.errors import UserError
from bot.release.facts import Tag
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.git import Identity, Range
from bot.services.github.shapes import App
from bot.tools import Tools
from bot.verify.release_diff import POST_SUBJECT, post_release

README = "README.rst"
PATCHLEVEL = "Include/patchlevel.h"
WORKFLOWS = ".github/workflows/"


class NoFrozenHead(UserError):
    """The release has no frozen branch head to start from."""


def frozen_head(release: Release) -> CommitId:
    """Return the head the branch is frozen at; raise NoFrozenHead."""
    for frozen in release.frozen:
        if frozen.head is not None:
            return frozen.head
    raise NoFrozenHead(f"The branch {release.branch} is not frozen, so there is nothing to compare the tag with.")


async def fetch(release: Release, tag: Tag, tools: Tools) -> Range:
    """Fetch the frozen head from upstream and the tag from the fork; return what lies between, nothing where it does not descend."""
    head = frozen_head(release)
    await tools.git.fetch(release.repository, [head])
    await tools.git.fetch(tag.fork, [tag.object])
    if not await tools.git.is_ancestor(head, tag.commit):
        # A fork need not know a head that its tag was not cut from, so it cannot be asked for the difference.
        return Range(base=head, tip=tag.commit, commits=(), changes=())
    return await tools.git.fetch_range(tag.fork, head, tag.commit)


async def prepare(release: Release, tag: Tag, tools: Tools) -> CommitId:
    """Fetch all objects of a push of the tag's own commit, and return the branch's new head: that, or the Post commit on top of it."""
    await fetch(release, tag, tools)
    return await post_commit(release, tag, tag.commit, tools)


async def post_commit(release: Release, tag: Tag, on: CommitId, tools: Tools, removed: Iterable[str] = ()) -> CommitId:
    """Make the Post commit on a commit, without some of its files, where the profile wants one; else return the commit itself.

    It is made of nothing but the tag and rules (author: the App, date: the tagger's), so its id is the same every time. Raises
    UnexpectedContent where the commit's files are not those of the version.
    """
    if not wants_post_commit(release, tools):
        return on
    files = await tools.git.fetch_files(tag.fork, on, README, PATCHLEVEL)
    changes = post_release(release.version, files.get(README, b""), files.get(PATCHLEVEL, b""))
    text = f"{POST_SUBJECT.format(version=release.version)}\n"
    return await tools.git.write_commit(on, {**changes, **dict.fromkeys(removed)}, identity(tools.app), await dated(tag, tools), text)


def wants_post_commit(release: Release, tools: Tools) -> bool:
    """Tell whether the branch says after the release that it is in development again; at the end of a series it is left as it is."""
    return release.kind is not Kind.END_OF_LIFE and tools.profile.series_of(release.version).post_commit


async def dated(tag: Tag, tools: Tools) -> datetime:
    """Return the date of everything that the bot makes for a tag: the tagger's; its commit has to be here."""
    return tag.dated or (await tools.git.commit(tag.commit)).committer.at


def identity(app: App) -> Identity:
    """Return the name and address under which GitHub shows commits as the App's own."""
    number = f"{app.user_id}+" if app.user_id else ""
    return Identity(name=f"{app.slug}[bot]", email=f"{number}{app.slug}[bot]@users.noreply.github.com")


def upstream(release: Release) -> tuple[CommitId, ...]:
    """Return commits that upstream has for certain, so that nothing below them is needed for a push: the heads that it is frozen at.

    A tag that the bot made is one of a commit that was upstream before.
    """
    made = (release.tag.commit,) if release.tag and release.made_its_tag else ()
    return (*made, *(frozen.head for frozen in release.frozen if frozen.head))


async def touches_workflows(release: Release, tag: Tag, tools: Tools) -> bool:
    """Tell whether the push carries workflow files that the branch does not have, which needs a permission of its own."""
    if release.made_its_tag:
        return False
    tips = {tag.commit, *(CommitId(line.new) for line in release.plan if line.ref.startswith("refs/heads/"))}
    changes = [change for tip in tips for change in await tools.git.diff(frozen_head(release), tip)]
    return any(change.path.startswith(WORKFLOWS) for change in changes)
