"""Make again what merging a tag into its frozen branch gives, by git and by rules, as a commit that is the same every time."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.push_plan import objects
from bot.release.facts import Tag
from bot.release.ids import CommitId
from bot.release.model import Release
from bot.services.git import EMPTY_TREE
from bot.tools import Tools
from bot.verify.release_diff import VERSION_FILES, Fragments, Sides, is_fragment, settled


@dataclass(frozen=True, kw_only=True)
class AutomaticMerge:
    """The merge ``commit`` of the frozen ``head`` and the tag's commit, which started from ``base``.

    ``conflicts`` are the paths that neither git nor a rule settles: with any of them the commit is good for nothing but comparing.
    ``fragments`` are the news in it that the release took along.
    """

    base: CommitId
    head: CommitId
    commit: CommitId
    conflicts: tuple[str, ...]
    fragments: Fragments


async def make(release: Release, tag: Tag, tools: Tools) -> AutomaticMerge | None:
    """Fetch both sides and merge them; None where they have not exactly one best common ancestor."""
    head = objects.frozen_head(release)
    await objects.fetch(release, tag, tools)
    base = await tools.git.merge_base(head, tag.commit)
    if base is None:
        return None
    # Each side's files are fetched from where that side is: a fork need not know the frozen head, nor upstream the tag.
    await tools.git.fetch_range(release.repository, base, head)
    await tools.git.fetch_range(tag.fork, base, tag.commit)
    merged = await tools.git.merged(head, tag.commit)
    if merged is None:
        return None
    files, unsettled = await _version_files(release, tag, base, tools)
    message = f"Merge tag '{tag.name}' into {release.branch}\n"
    who, when = objects.identity(tools.app), await objects.dated(tag, tools)
    commit = await tools.git.write_merge((head, tag.commit), merged.tree, files, who, when, message)
    conflicts = tuple(sorted({*(path for path in merged.conflicts if path not in files), *unsettled}))
    return AutomaticMerge(base=base, head=head, commit=commit, conflicts=conflicts, fragments=await fragments(tag, commit, tools))


async def sides(release: Release, tag: Tag, base: CommitId, path: str, tools: Tools) -> Sides:
    """Fetch one file of both sides and of their common ancestor."""
    return Sides(
        base=(await tools.git.fetch_files(release.repository, base, path)).get(path),
        ours=(await tools.git.fetch_files(release.repository, objects.frozen_head(release), path)).get(path),
        theirs=(await tools.git.fetch_files(tag.fork, tag.commit, path)).get(path),
    )


async def fragments(tag: Tag, commit: CommitId, tools: Tools) -> Fragments:
    """Return the news that the release commit deletes and that a commit still has; both have to be here with their trees."""
    [parent] = (await tools.git.commit(tag.commit)).parents
    changes = await tools.git.diff(parent, tag.commit)
    deleted = {one.path: (one.old_mode, one.old_id) for one in changes if one.deleted and is_fragment(one.path)}
    there = {one.path: (one.new_mode, one.new_id) for one in await tools.git.diff(EMPTY_TREE, commit) if one.path in deleted}
    return Fragments(
        same=tuple(path for path, file in there.items() if file == deleted[path]),
        changed=tuple(path for path, file in there.items() if file != deleted[path]),
    )


async def _version_files(release: Release, tag: Tag, base: CommitId, tools: Tools) -> tuple[Mapping[str, bytes], tuple[str, ...]]:
    """Return the files that rules settle, and the paths of those that they cannot settle."""
    files, unsettled = {}, []
    for path in VERSION_FILES:
        content = settled(path, release.version, await sides(release, tag, base, path, tools))
        if content is None:
            unsettled.append(path)
        else:
            files[path] = content
    return files, tuple(unsettled)
