"""Find what the release manager prepared for the branch in the fork, and judge it by what the bot would have made itself.

Whatever of it is taken stands in the push plan by its id, and the branch of the fork has to stay at it until the push.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.push_plan import automatic_merge, objects
from bot.push_plan.automatic_merge import AutomaticMerge
from bot.push_plan.differences import SUBMODULE, changed_files
from bot.release.facts import Finding, Severity, Tag
from bot.release.ids import CommitId, ObjectId, Ref, branch_ref
from bot.release.model import Release
from bot.tools import Tools
from bot.verify.release_diff import (
    CHECK,
    POST_SUBJECT,
    FileChange,
    UnexpectedContent,
    of_a_prepared_merge,
    of_other_commits,
    of_the_fragments,
)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A commit that a branch of the fork is at."""

    source: Ref
    commit: CommitId


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A prepared merge with what is found in it; ``tip`` is what the branch becomes: the merge, or the Post commit on top."""

    merge: CommitId
    tip: CommitId
    findings: tuple[Finding, ...]


def branches(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return the branches of the fork in which a prepared head is looked for, by the profile."""
    names = tools.placeholders(release)
    return tuple(dict.fromkeys(pattern.format_map(names) for pattern in tools.profile.merge.prepared))


async def candidates(release: Release, tag: Tag, tools: Tools) -> tuple[Prepared, ...]:
    """Return where these branches are, in the profile's order, with their commits fetched; none that is at the tag's own commit."""
    refs = [branch_ref(name) for name in branches(release, tools)]
    seen = await tools.git.refs(tag.fork, *refs)
    found = tuple(Prepared(source=ref, commit=CommitId(seen[ref])) for ref in refs if ref in seen and str(seen[ref]) != tag.commit)
    await tools.git.fetch(tag.fork, [ObjectId(one.commit) for one in found])
    return found


async def holding(found: Sequence[Prepared], commits: Sequence[CommitId], tools: Tools) -> Prepared | None:
    """Return the first that holds all of the commits."""
    for one in found:
        if all([await tools.git.is_ancestor(commit, one.commit) for commit in commits]):
            return one
    return None


async def post_commit(found: Sequence[Prepared], own: CommitId, release: Release, tag: Tag, tools: Tools) -> Prepared | None:
    """Return the manager's own Post commit on top of the tag's, if it has the same files as the bot's ``own``."""
    subject, tree = POST_SUBJECT.format(version=release.version), (await tools.git.commit(own)).tree
    for one in found:
        commit = await tools.git.commit(one.commit)
        if (commit.parents, commit.tree, commit.message.strip()) == ((tag.commit,), tree, subject):
            return one
    return None


async def judged(release: Release, tag: Tag, found: Prepared, automatic: AutomaticMerge | None, tools: Tools) -> Judged:
    """Compare a merge made by hand with what git and the rules merge; every difference has to be waived but for what they settle."""
    head = objects.frozen_head(release)
    await tools.git.fetch_range(tag.fork, head, found.commit)
    merge, others = await _shape(release, tag, found.commit, tools)
    tip = await completed(release, tag, found.commit, tools)
    findings = (of_other_commits(others, found.commit),) if others else ()
    if automatic is None:
        return Judged(merge=merge, tip=tip, findings=(*findings, _not_comparable(found.commit)))
    # What has the mark of development is compared with what the bot's merge is after its Post commit.
    as_merged = tip != found.commit or not objects.wants_post_commit(release, tools)
    wanted = automatic.commit if as_merged else await completed(release, tag, automatic.commit, tools)
    files = await _different(tag, wanted, found.commit, tools)
    if isinstance(files, Finding):
        return Judged(merge=merge, tip=tip, findings=(*findings, files))
    left = await automatic_merge.fragments(tag, tip, tools)
    # News that was picked may lie there or not, and is told of below; but it may not say something else.
    free = {change.path for change in files if change.deletes or change.path in left.same}.intersection(automatic.fragments.same)
    changes = [change for change in files if change.path not in free]
    sides = {path: await automatic_merge.sides(release, tag, automatic.base, path, tools) for path in automatic.conflicts}
    different = await asyncio.to_thread(of_a_prepared_merge, changes, sides, automatic.conflicts, found.commit)
    news = of_the_fragments(automatic.fragments, left, release.version, tip)
    return Judged(merge=merge, tip=tip, findings=(*findings, *different, *news))


async def completed(release: Release, tag: Tag, merge: CommitId, tools: Tools) -> CommitId:
    """Make the Post commit on top of a merge, which also deletes the picked news; a merge that has its changes already stays as it is."""
    removed = (await automatic_merge.fragments(tag, merge, tools)).same
    try:
        return await objects.post_commit(release, tag, merge, tools, removed)
    except UnexpectedContent:
        return merge


async def _shape(release: Release, tag: Tag, tip: CommitId, tools: Tools) -> tuple[CommitId, tuple[CommitId, ...]]:
    """Return the merge itself, and every commit that is neither on one of the two sides nor their merge nor the Post commit at the end."""
    head = objects.frozen_head(release)
    released = set(await tools.git.commits_between(head, tag.commit))
    added = [await tools.git.commit(one) for one in await tools.git.commits_between(head, tip) if one not in released]
    last = await tools.git.commit(tip)
    subject = last.message.partition("\n")[0]
    is_post = (
        len(last.parents) == 1 and subject == POST_SUBJECT.format(version=release.version) and objects.wants_post_commit(release, tools)
    )
    merge = last.parents[0] if is_post else tip
    # What another merge has in it is seen in no comparison of the end with anything, and yet it would be upstream for ever.
    plain = {one.id for one in added if one.id == merge and sorted(one.parents) == sorted((head, tag.commit))}
    others = tuple(one.id for one in added if one.id not in plain and not (is_post and one.id == tip))
    return merge, others


async def _different(tag: Tag, wanted: CommitId, found: CommitId, tools: Tools) -> list[FileChange] | Finding:
    """Read every file in which the prepared merge differs."""
    changes = await tools.git.diff(wanted, found)
    await tools.git.fetch(tag.fork, [one.new_id for one in changes if one.new_id and one.new_mode != SUBMODULE])
    return await changed_files(wanted, found, tools)


def _not_comparable(found: CommitId) -> Finding:
    what = (
        f"The merge {found} cannot be compared with git's own, because the two sides have not exactly one best common ancestor: "
        "compare all of it by hand."
    )
    return Finding(check=CHECK, rule="prepared-merge", severity=Severity.WAIVER, what=what, subject=(found,))
