"""Tags that the bot itself makes, of commits that are upstream already: no fork has them, and nobody signs them but by an approval.

A tag is made of nothing but its commit and its version (tagger: the App, date: the commit's), so its id is the same every time.
"""

import base64

from bot.errors import UserError
from bot.push_plan import objects
from bot.release.facts import Tag
from bot.release.ids import CommitId, UserId, branch_ref
from bot.release.model import Release
from bot.tools import Tools
from bot.verify.tag import TagObject


class Unlike(UserError):
    """A tag object cannot be brought back as it was approved."""


async def make(release: Release, commit: CommitId, tools: Tools) -> Tag:
    """Return the tag of a commit that is upstream; it is nowhere but in the scratch repository yet."""
    await tools.git.fetch(release.repository, [commit])
    date = (await tools.git.commit(commit)).committer.at
    message = f"{release.version.tag_message}\n"
    made = await tools.git.write_tag(commit, release.version.tag, objects.identity(tools.app), date, message)
    content = await tools.git.raw("tag", made)
    parsed = TagObject.parse(content)
    return Tag(
        object=made,
        commit=commit,
        name=parsed.name,
        fork=release.repository,
        owner=UserId(tools.app.user_id or 0),
        content=base64.b64encode(content).decode("ascii"),
        tagger=parsed.tagger,
        dated=parsed.dated,
    )


async def provide(release: Release, tag: Tag, tools: Tools) -> CommitId:
    """Fetch what a push of the tag takes, make the tag again, and return its commit; raise Unlike, Refused and Unavailable.

    Git sends what is below no ref that it knows of both here and there, so the branch is fetched as it is now.
    """
    head = await head_of(release, tools)
    await tools.git.fetch(release.repository, [tag.commit, *([head] if head else [])])
    again = await tools.git.restore_tag(base64.b64decode(tag.content))
    if again != tag.object:
        raise Unlike(f"What is remembered of {tag.name} is the tag object {again}, not the approved {tag.object}, so nothing is pushed.")
    return tag.commit


async def problem(release: Release, tag: Tag, tools: Tools) -> str:
    """Return why the tag would no longer be one of a commit of its branch, or an empty string: it may have moved on, but not back."""
    head = await head_of(release, tools)
    if head is None:
        return f"The branch {release.branch} is gone."
    await tools.git.fetch(release.repository, [head, tag.commit])
    if await tools.git.is_ancestor(tag.commit, head):
        return ""
    return f"{tag.commit} is no longer on {release.branch}, which is at {head} now: its history was written anew."


async def head_of(release: Release, tools: Tools) -> CommitId | None:
    """Return where the branch of the release is upstream now, or None where there is none."""
    target = await tools.github.ref(release.repository, branch_ref(release.branch))
    return CommitId(target.id) if target else None
