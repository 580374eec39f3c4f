"""Bring the git objects of a release into the scratch repository, from anywhere and at any time: the cache may be empty."""

from bot.errors import UserError
from bot.release.facts import Tag
from bot.release.ids import CommitId
from bot.release.model import Release
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
    """Fetch all objects of the push, make the Post commit where the profile wants one, and return the branch's new head.

    The Post commit is made of nothing but the tag and rules (author: the App, date: the tagger's), so its id is the same every time.
    """
    await fetch(release, tag, tools)
    if not tools.profile.series_of(release.version).post_commit:
        return tag.commit
    await tools.git.fetch_files(tag.fork, tag.commit, README, PATCHLEVEL)
    files = {path: await tools.git.file(tag.commit, path) for path in (README, PATCHLEVEL)}
    changes = post_release(release.version, files[README] or b"", files[PATCHLEVEL] or b"")
    date = tag.dated or (await tools.git.commit(tag.commit)).committer.at
    subject = POST_SUBJECT.format(version=release.version)
    return await tools.git.write_commit(tag.commit, changes, identity(tools.app), date, f"{subject}\n")


def identity(app: App) -> Identity:
    """Return the name and address under which GitHub shows commits as the App's own."""
    number = f"{app.user_id}+" if app.user_id else ""
    return Identity(name=f"{app.slug}[bot]", email=f"{number}{app.slug}[bot]@users.noreply.github.com")


async def touches_workflows(release: Release, tag: Tag, tools: Tools) -> bool:
    """Tell whether the push carries workflow files that the branch does not have, which needs a permission of its own."""
    changes = await tools.git.diff(frozen_head(release), tag.commit)
    return any(change.path.startswith(WORKFLOWS) for change in changes)
