"""Bring the tag's commit to its branch: forwarded where it descends from the frozen head, merged where it does not.

1. Forwarded: the branch becomes the tag's commit, with the Post commit on top: the bot's, or the manager's own with the same files.
2. A merge that the manager prepared in the fork, which holds both the tag's commit and the frozen head: it is compared with what git and
   the rules make of the two, and every other difference has to be waived.
3. Else the bot merges, without a work tree, what git merges without a conflict. The two files that say which version it is are always
   changed by both sides, so rules settle those (``bot.verify.release_diff.merge``); nothing else is settled by guessing.
4. Else a person merges, with the commands for it, and the release goes on as soon as that merge is in the fork.

News that the cherry-picks took along stands in the release's file but still lies on the branch: the Post commit deletes it.

Sources: https://peps.python.org/pep-0101/ ("merge the tag into the branch") and https://git-scm.com/docs/git-merge.
"""

from collections.abc import Sequence
from typing import Final

from bot.push_plan import automatic_merge, objects, prepared
from bot.push_plan.automatic_merge import AutomaticMerge
from bot.push_plan.planned_heads import Heads
from bot.push_plan.prepared import Prepared
from bot.release.counting import counted
from bot.release.facts import Finding, Origin, PlannedRef, Severity, Tag
from bot.release.ids import CommitId, branch_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, NeedsPerson
from bot.release.quoting import shown
from bot.release.version import Kind
from bot.tools import Tools, logins
from bot.verify.release_diff import CHECK, of_the_fragments, of_the_merge
from bot.verify.release_diff.text import listed

POST: Final = "post-commit"


async def forwarded(release: Release, tag: Tag, tools: Tools) -> Heads:
    """Return what the branch becomes when the tag descends from its frozen head."""
    tip = await objects.prepare(release, tag, tools)
    if tip == tag.commit:
        return Heads(lines=(_line(release, tip),))
    found = await prepared.candidates(release, tag, tools)
    theirs = await prepared.post_commit(found, tip, release, tag, tools)
    if theirs is None:
        others = [one for one in found if await tools.git.is_ancestor(tag.commit, one.commit)]
        return Heads(lines=(_line(release, tip),), findings=tuple(_not_taken(one, tag, tip) for one in others))
    what = f"{release.branch} becomes the Post commit {theirs.commit} from {theirs.source} in {tag.fork}, with the files of the bot's."
    origin = Origin(ref=branch_ref(release.branch), commit=theirs.commit, what=what, source=theirs.source, parents=(tag.commit,))
    return Heads(lines=(_line(release, theirs.commit),), origins=(origin,))


async def merged(release: Release, tag: Tag, tools: Tools) -> Heads | NeedsPerson:
    """Return what the branch becomes when the tag was cut from an older commit; or ask a person to merge."""
    automatic = await automatic_merge.make(release, tag, tools)
    found = await prepared.candidates(release, tag, tools)
    taken = await prepared.holding(found, (objects.frozen_head(release), tag.commit), tools)
    if taken:
        return await _as_prepared(release, tag, taken, automatic, tools)
    if automatic is None or automatic.conflicts or not tools.profile.merge.by_bot:
        return _by_hand(release, tag, automatic, found, tools)
    return await _by_bot(release, tag, automatic, tools)


async def moved(release: Release, tag: Tag, tools: Tools) -> str:
    """Return in one sentence that the fork no longer has what the plan takes from it, or an empty string."""
    for origin in release.origins:
        if origin.source is None:
            continue
        seen: str | None = (await tools.git.refs(tag.fork, origin.source)).get(origin.source)
        if seen != origin.commit:
            return f"{origin.source} in {tag.fork} is {seen or 'gone'}, no longer {origin.commit}, which the push plan takes from there."
    return ""


def evidence(release: Release, tag: Tag, tools: Tools) -> tuple[Evidence, ...]:
    """Return what the branch's new head consists of, where it is more than the tag's commit with the bot's Post commit on top."""
    lines: list[Evidence] = []
    for origin in release.origins:
        page = tools.page(tag.fork, "commit", origin.commit) if origin.source else ""
        maker = f"{origin.source} in {tag.fork}" if origin.source else "the bot"
        alone = "next version" if release.kind is Kind.FIRST_BETA else "Post commit"
        lines += [Evidence(what="merge" if len(origin.parents) > 1 else alone, value=origin.commit, url=page)]
        lines += [Evidence(what="made by" if origin.source is None else "taken from", value=maker)]
        lines += [Evidence(what="parent", value=parent) for parent in origin.parents]
    return tuple(lines)


async def brought(release: Release, tag: Tag, tools: Tools) -> CommitId:
    """Bring everything that pushing the branch of the plan takes, and return the branch's new head as it is made now."""
    origin = next((one for one in release.origins if one.ref == branch_ref(release.branch)), None)
    if origin is None:
        return await objects.prepare(release, tag, tools)
    if origin.source is None:
        automatic = await automatic_merge.make(release, tag, tools)
        return await prepared.completed(release, tag, automatic.commit, tools) if automatic else origin.commit
    await objects.fetch(release, tag, tools)
    await tools.git.fetch_range(tag.fork, objects.frozen_head(release), origin.commit)
    if origin.parents == (tag.commit,):
        return origin.commit
    return await prepared.completed(release, tag, origin.commit, tools)


async def _as_prepared(release: Release, tag: Tag, taken: Prepared, automatic: AutomaticMerge | None, tools: Tools) -> Heads:
    judged = await prepared.judged(release, tag, taken, automatic, tools)
    commit = await tools.git.commit(judged.merge)
    post = f", with the bot's Post commit on top, {judged.tip}" if judged.tip != taken.commit else ""
    own = f" and ends in {taken.commit}" if taken.commit != judged.merge else ""
    what = (
        f"{release.branch} becomes the merge {commit.id} of {' and '.join(commit.parents)}, which {shown(commit.committer.name)} made"
        f"{own}; it is from {taken.source} in {tag.fork}{post}."
    )
    origin = Origin(ref=branch_ref(release.branch), commit=taken.commit, what=what, source=taken.source, parents=commit.parents)
    told = of_the_merge(what, (commit.id, *commit.parents))
    return Heads(lines=(_line(release, judged.tip),), findings=(*judged.findings, told), origins=(origin,))


async def _by_bot(release: Release, tag: Tag, automatic: AutomaticMerge, tools: Tools) -> Heads:
    tip = await prepared.completed(release, tag, automatic.commit, tools)
    post = f", with the Post commit {tip} on top" if tip != automatic.commit else ""
    parents = (automatic.head, tag.commit)
    what = (
        f"{release.branch} becomes the merge {automatic.commit} of {' and '.join(parents)}, which the bot made{post}. Git merges all of it "
        "without a conflict but for what says which version it is, which rules settle."
    )
    left = await automatic_merge.fragments(tag, tip, tools)
    news = of_the_fragments(automatic.fragments, left, release.version, tip)
    told = of_the_merge(what, (automatic.commit, *parents))
    origin = Origin(ref=branch_ref(release.branch), commit=automatic.commit, what=what, parents=parents)
    return Heads(lines=(_line(release, tip),), findings=(told, *news), origins=(origin,))


def _by_hand(release: Release, tag: Tag, automatic: AutomaticMerge | None, found: Sequence[Prepared], tools: Tools) -> NeedsPerson:
    """Ask for a merge, with the commands for it."""
    head, name = objects.frozen_head(release), prepared.branches(release, tools)[-1]
    upstream, fork = tools.page(release.repository), tools.page(tag.fork)
    seen = "".join(f" {one.source} in {tag.fork} is at {one.commit}, which does not hold both." for one in found)
    what = (
        f"{release.version} was cut from an older commit than {release.branch} is frozen at, so it has to be merged, {_reason(automatic)}. "
        f"Please merge it: `git fetch {upstream} {release.branch}`, `git switch -C {name} {head}`, `git merge {tag.name}`, "
        f"settle what conflicts (README.rst and Include/patchlevel.h say {release.version}, or that with {_suffix(release)} after it), "
        f"`git commit -a`, and `git push {fork} HEAD:refs/heads/{name}`. As soon as that branch holds both {head} and {tag.commit}, "
        f"it goes on by itself; every file that is not what git merges has to be waived.{seen}"
    )
    return NeedsPerson(who=logins(tools.managers(release)), what=what, look_again=tools.poll())


def _reason(automatic: AutomaticMerge | None) -> str:
    if automatic is None:
        return "and git finds no single common ancestor to merge by"
    if not automatic.conflicts:
        return "which the profile leaves to people"
    count = counted(len(automatic.conflicts), "file")
    return f"and git cannot merge {count} by itself: {listed([shown(path, longest=120) for path in automatic.conflicts], limit=20)}"


def _suffix(release: Release) -> str:
    return f"`{release.version.development_suffix}`"


def _not_taken(one: Prepared, tag: Tag, own: CommitId) -> Finding:
    """Tell that the fork has something on top of the tag that is not the Post commit, which therefore stays there."""
    what = f"{one.source} in {tag.fork} is at {one.commit}, which is not the Post commit as it has to be: the bot's {own} is taken."
    return Finding(check=CHECK, rule=POST, severity=Severity.EXPLAINED, what=what, subject=(one.commit,))


def _line(release: Release, new: CommitId) -> PlannedRef:
    return PlannedRef(ref=branch_ref(release.branch), old=objects.frozen_head(release), new=new)
