"""Read what differs between two commits, file by file, for the rules that judge it."""

from bot.release.facts import Finding
from bot.services.git import EMPTY_TREE
from bot.tools import Tools
from bot.verify.release_diff import LARGEST_FILE, FileChange, too_much

SUBMODULE = "160000"


async def changed_files(base: str, tip: str, tools: Tools) -> list[FileChange] | Finding:
    """Return every file that differs, with its content on both sides, without which it was too large; or that it is all too much."""
    changes = await tools.git.diff(base, tip)
    sides = {(one, mode) for change in changes for one, mode in ((change.old_id, change.old_mode), (change.new_id, change.new_mode))}
    # A submodule has no content here, and what is too large is told by its name and not read.
    sizes = await tools.git.sizes([one for one, mode in sides if one and mode != SUBMODULE])
    if limit := too_much(len(changes), sum(sizes.values())):
        return limit
    contents = await tools.git.blobs([one for one, size in sizes.items() if size <= LARGEST_FILE])
    return [
        FileChange(
            path=change.path,
            old_mode=change.old_mode,
            new_mode=change.new_mode,
            old=contents.get(change.old_id) if change.old_id else None,
            new=contents.get(change.new_id) if change.new_id else None,
        )
        for change in changes
    ]


async def paths_below(folder: str, commit: str, tools: Tools) -> tuple[str, ...]:
    """Return the paths of all files of a commit whose path begins so."""
    return tuple(entry.path for entry in await tools.git.diff(EMPTY_TREE, commit) if entry.path.startswith(folder))
