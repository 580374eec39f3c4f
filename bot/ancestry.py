"""Trace how the tag's commit descends from the frozen head.

The release tools make exactly one commit on top of the branch; or, for later candidates and finals, cherry-picks on top of the last
candidate and one commit on top of them: https://peps.python.org/pep-0101/
"""

from dataclasses import dataclass
from typing import Final

from bot.objects import frozen_head
from bot.release.facts import Tag
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.release.version import Kind
from bot.services.git import Range
from bot.tools import Tools

MAY_CHERRY_PICK: Final = frozenset({Kind.CANDIDATE, Kind.FINAL})


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Where the release commit starts from: ``base`` is its parent.

    ``apart``: it does not descend from the frozen head, and stands on ``picked`` cherry-picks. With a ``problem`` nothing else counts.
    """

    base: CommitId
    apart: bool = False
    picked: tuple[CommitId, ...] = ()
    problem: str = ""
    advice: str = ""


async def trace(release: Release, tag: Tag, span: Range, tools: Tools) -> Descent:
    """Return how the tag's commit descends, or why it does not."""
    head = frozen_head(release)
    commit = await tools.git.commit(tag.commit)
    if len(commit.parents) != 1:
        return _problem(head, f"The release commit {tag.commit} has {len(commit.parents)} parents; the release tools make it with one.")
    [parent] = commit.parents
    subject = commit.message.partition("\n")[0]
    if subject != release.version.tag_message:
        return _problem(head, f"The release commit says “{subject[:80]}” where “{release.version.tag_message}” is expected.")
    if parent == head:
        return Descent(base=head)
    if await tools.git.is_ancestor(head, tag.commit):
        extra = len(span.commits) - 1
        return _problem(head, f"{extra} more commits lie between the frozen head {head} and the release commit.")
    return await _cherry_picked(release, tag, parent, tools)


async def _cherry_picked(release: Release, tag: Tag, parent: CommitId, tools: Tools) -> Descent:
    head = frozen_head(release)
    base = await tools.git.merge_base(head, tag.commit)
    if release.kind not in MAY_CHERRY_PICK or base is None:
        return _problem(head, f"The tag's commit {tag.commit} does not descend from the frozen head {head}.")
    await tools.git.fetch_range(release.repository, base, head)
    await tools.git.fetch_range(tag.fork, base, tag.commit)
    on_branch = {await tools.git.patch_id(one) for one in await tools.git.commits_between(base, head)}
    picked = [one for one in await tools.git.commits_between(base, tag.commit) if one != tag.commit]
    foreign = [one for one in picked if await tools.git.patch_id(one) not in on_branch]
    if foreign:
        commits = ", ".join(foreign)
        return _problem(parent, f"These commits are not on {release.branch}, not even as others with the same change: {commits}.")
    return Descent(base=parent, apart=True, picked=tuple(picked))


def _problem(base: CommitId, problem: str) -> Descent:
    return Descent(base=base, problem=problem, advice="Cut the release again from the frozen head.")
