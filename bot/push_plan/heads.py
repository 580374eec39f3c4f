"""Work out what every branch of the push plan becomes (invariant I1): nothing but what the tag brings, by the rules of its kind.

1. The tag descends from the frozen head: the branch is forwarded to it.
2. It does not, because it was cut from an older commit: it is merged.
3. The first beta begins a branch, and main becomes the next version.
4. The end of a series moves no branch at all.
"""

from bot.errors import UserError
from bot.push_plan import first_beta, merging, objects, prepared
from bot.push_plan.ancestry import MAY_CHERRY_PICK, Descent
from bot.push_plan.planned_heads import Heads
from bot.release.facts import PlannedRef, Tag
from bot.release.ids import branch_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson
from bot.release.version import Kind
from bot.tools import Tools


class NotTheSame(UserError):
    """What is made for the push differs from what was approved."""


async def heads(release: Release, tag: Tag, descent: Descent, tools: Tools) -> Heads | NeedsPerson | Failed:
    """Return what every branch becomes; or whom it waits for, or why it cannot be."""
    if release.kind is Kind.END_OF_LIFE:
        return Heads(lines=())
    if release.kind is Kind.FIRST_BETA:
        return await _begun(release, tag, tools)
    return await (merging.merged if descent.apart else merging.forwarded)(release, tag, tools)


async def awaited(release: Release, tag: Tag, tools: Tools) -> tuple[Evidence, ...]:
    """Return where the branches of the fork are in which a person's commit is looked for; nothing for a release that waits for none.

    As long as these stay where they are, nobody has made what somebody was asked for.
    """
    match release.kind:
        case Kind.FIRST_BETA:
            names: tuple[str, ...] = (first_beta.bump_branch(release, tools),)
        case kind if kind in MAY_CHERRY_PICK:
            names = prepared.branches(release, tools)
        case _:
            return ()
    seen = await tools.git.refs(tag.fork, *map(branch_ref, names))
    return tuple(Evidence(what=f"branch {name} of {tag.fork}", value=seen.get(branch_ref(name), "not there")) for name in names)


async def moved(release: Release, tag: Tag, tools: Tools) -> str:
    """Return in one sentence that a commit of the push plan which a person made is no longer where it was found, or an empty string."""
    return await merging.moved(release, tag, tools)


async def bring(release: Release, tag: Tag, tools: Tools) -> None:
    """Bring everything that pushing the plan takes, from upstream, from the fork and by making it again: the disk may be empty.

    It holds for every kind of release. Raises NotTheSame where what is made now is not what the plan names.
    """
    await objects.fetch(release, tag, tools)
    match release.kind:
        case Kind.END_OF_LIFE:
            return
        case Kind.FIRST_BETA:
            await first_beta.bring(release, tag, tools)
            made = await objects.prepare(release, tag, tools)
        case _:
            made = await merging.brought(release, tag, tools)
    if made not in {line.new for line in release.plan}:
        why = f"What is made for the push now is {made}, which is not in the approved plan, so nothing is pushed."
        raise NotTheSame(f"{why} Find out what the bot does otherwise than before (its name, its profile), and mend that, or abort.")


async def _begun(release: Release, tag: Tag, tools: Tools) -> Heads | NeedsPerson:
    """Let the branch begin where the tag is, and main go on with the commit that makes it the next version."""
    bump = await first_beta.bump(release, tag, tools)
    if isinstance(bump, NeedsPerson):
        return bump
    begun = first_beta.branch_to_come(release, tools) or branch_ref(release.series)
    lines = (
        PlannedRef(ref=begun, old=None, new=await objects.prepare(release, tag, tools)),
        PlannedRef(ref=branch_ref(release.branch), old=objects.frozen_head(release), new=bump.origin.commit),
    )
    return Heads(lines=lines, findings=bump.findings, origins=(bump.origin,))
