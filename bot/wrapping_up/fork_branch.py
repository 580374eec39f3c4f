"""Delete the branch a release was cut on in its manager's fork, where the App is installed there and the branch holds nothing else."""

from collections.abc import Mapping

from bot.effects import Nature
from bot.errors import Refused
from bot.journal import Json
from bot.release.facts import Tag
from bot.release.ids import CommitId, Ref, branch_ref
from bot.release.model import Release
from bot.tools import Tools
from bot.wrapping_up.piece import STEP, Piece, tried


async def delete(release: Release, tools: Tools) -> tuple[Piece, ...]:
    """Delete the branch that the profile names; nothing where it names none."""
    pattern, tag = tools.profile.wrap_up.fork_branch, release.tag
    if not pattern or tag is None or release.made_its_tag:
        return ()
    branch = pattern.format(**tools.placeholders(release))
    advice = f"{tag.fork.partition('/')[0]} can delete it."
    work = _delete(release, tag, branch_ref(branch), tools)
    return (await tried(f"branch {branch} in {tag.fork}", work, advice, tools.page(tag.fork, "branches")),)


async def _delete(release: Release, tag: Tag, ref: Ref, tools: Tools) -> str:
    name = f"delete {ref}"
    tip = await _tip(tag, ref, tools)
    if tip is None and not await tools.door.intended(STEP, name):
        return "not there"
    if tip is not None:
        await _belongs(release, tag, tip, tools)
        if await tools.installations.on(tag.fork) is None:
            raise Refused("this App is not installed there.")

    async def gone() -> Mapping[str, Json] | None:
        return {"deleted": True} if await _tip(tag, ref, tools) is None else None

    async def delete() -> Mapping[str, Json]:
        # GitHub cannot be told what it must point to, so it is looked at in the last moment.
        target = await tools.github.ref(tag.fork, ref)
        if target is not None and str(target.id) != tip:
            raise Refused("it moves.")
        await tools.github.delete_ref(tag.fork, ref)
        return {"deleted": True}

    parameters: Mapping[str, Json] = {"repository": tag.fork, "ref": ref}
    await tools.door(STEP, name, nature=Nature.FINDABLE, parameters=parameters, find=gone, do=delete)
    return "deleted"


async def _tip(tag: Tag, ref: Ref, tools: Tools) -> CommitId | None:
    """Look as everybody can, because the App may not be installed there."""
    seen = (await tools.git.refs(tag.fork, ref)).get(ref)
    return CommitId(seen) if seen else None


async def _belongs(release: Release, tag: Tag, tip: CommitId, tools: Tools) -> None:
    """Raise Refused for a branch that holds anything else than the release commit, or what was pushed of it.

    The tools amend that commit once more after they tagged it, which gives the branch another id with the same tree and parents:
    https://github.com/python/release-tools/blob/main/run_release.py.
    """
    if tip == tag.commit or tip in {*(line.new for line in release.plan), *(origin.commit for origin in release.origins)}:
        return
    await tools.git.fetch(tag.fork, [tag.object, tip])
    ours, theirs = await tools.git.commit(tag.commit), await tools.git.commit(tip)
    if (ours.tree, ours.parents) != (theirs.tree, theirs.parents):
        raise Refused(f"it is at {tip}, which is neither the commit of the tag nor the same once more.")
