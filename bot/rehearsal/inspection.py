"""Look at the world after a rehearsal: everything that should be there is, and nothing else changed."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.next_series import development
from bot.rehearsal.repository import GitFailed, LocalRepository
from bot.rehearsal.scene import MARKER, Scene, Talk, gist
from bot.rehearsal.schedule_repository import unscheduled
from bot.rehearsal.stage import UPSTREAM
from bot.rehearsal.timeline import retold

_FROZEN_REFS = 2
"""The branch and the name of the tag are frozen, each by a rule of its own."""


async def problems(scene: Scene, refs_before: Mapping[str, str]) -> list[str]:
    """Give a sentence for everything that is wrong; nothing when the rehearsal went well."""
    world = scene.world
    refs = await world.github.refs(UPSTREAM)
    found = [*scene.refused, *of_the_release(scene, refs), *_of_other_refs(scene, refs_before, refs), *of_the_issue(scene)]
    if scene.release is not None:
        found += [*_of_what_was_asked(scene), *_of_what_was_handed(scene), *of_the_builders(scene)]
        found += await asyncio.to_thread(lambda: list(_of_the_branch(scene, refs_before, refs)))
        found += await unscheduled(world, scene.stage.version)
    found += [f"the rule “{ruleset.name}” is left in {UPSTREAM}" for ruleset in world.github.rulesets(UPSTREAM)]
    return found + [f"something was done that the real systems do not allow: {violation}" for violation in world.violations]


def unshown(scenes: Sequence[Talk], begun: int) -> list[str]:
    """Give a sentence for everything that somebody did in the world without showing it first; ``begun`` is where its log began."""
    acts = sorted((mark, act.who) for scene in scenes for mark, act in zip(scene.marks, scene.acts, strict=True))
    people = {login for scene in scenes for login in scene.people}
    found = []
    for number, sentence in enumerate(scenes[0].world.log[begun:], start=begun):
        told = retold(sentence)
        shown = [who for mark, who in acts if mark <= number]
        if told and told[0] in people and told[0] not in shown[-len(scenes) :]:
            found.append(f"somebody did what is no row: {sentence}")
    return found


def counted(sentences: Iterable[str]) -> tuple[str, ...]:
    """Say every sentence once, with the number of times where it is more than one."""
    return tuple(f"{sentence} ({times} times)" if times > 1 else sentence for sentence, times in Counter(sentences).items())


def _rows(release: Mapping[str, object] | None, name: str) -> list[Mapping[str, object]]:
    rows = release.get(name) if release else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def of_the_release(scene: Talk, refs: Mapping[str, str]) -> Iterator[str]:
    """Give a sentence for everything that is not as the release itself says."""
    release = scene.release
    if release is None:
        yield "the bot never took up the release"
        return
    if release.get("state") != "done":
        yield f"the release is {release.get('state')}, not done; it waits for {scene.awaited()}"
    plan = _rows(release, "plan")
    if not plan:
        yield "there is no push plan"
    for line in plan:
        ref, wanted = str(line["ref"]), str(line["new"])
        if refs.get(ref) != wanted:
            yield f"{ref} is at {refs.get(ref, 'nothing')} upstream, but {wanted} was approved"
    rows = _rows(release, "people")
    yield from (f"somebody is still waited for: {row.get('what')}" for row in rows if not row.get("done"))
    for act in scene.acts:
        if not any(act.who in str(row.get("who")) and act.row in str(row.get("what")) for row in rows):
            yield f"{act.who} had to do something and has no row of the bot: {act.what}"


def _of_what_was_handed(scene: Scene) -> Iterator[str]:
    """See that whatever the bot handed to people was done, so that it stands among what they had to do."""
    shown = [act.row for act in scene.acts if act.row]
    for what in scene.handed():
        if what not in scene.needless and not any(row in what for row in shown):
            yield f"nobody did what the bot handed over: {what}"


def _of_the_branch(scene: Scene, before: Mapping[str, str], refs: Mapping[str, str]) -> Iterator[str]:
    cut, version = scene.cut, scene.stage.version
    if cut is None:
        yield "the release manager was never told from which head to cut"
        return
    if refs.get(f"refs/tags/{version.tag}") != cut.tag:
        yield f"{version.tag} is not upstream as the tag object {cut.tag} that was made"
    if version.ends:
        return
    tip = refs.get(f"refs/heads/{version.series}") or refs.get(f"refs/heads/{version.branch}", "")
    upstream = LocalRepository(scene.world.github.repository(UPSTREAM).git.directory)
    try:
        subject, parents = upstream.text("log", "-1", "--format=%s%n%P", tip).split("\n")
    except (GitFailed, ValueError):
        yield f"the tip of {version.branch} is no commit with one parent"
        return
    if version.cut_from_last_candidate:
        yield from _of_the_merge(scene, upstream, before[f"refs/heads/{version.branch}"], parents)
        parents = cut.commit
    if (subject, parents) != (f"Post {version}", cut.commit):
        yield f"the tip of {version.moved[-1]} is “{subject}” on {parents[:12]}, not “Post {version}” on {cut.commit[:12]}"
    if version.begins_branch:
        yield from _of_main(scene, upstream, refs["refs/heads/main"])


def _of_main(scene: Scene, upstream: LocalRepository, tip: str) -> Iterator[str]:
    """See that main goes on as the next version, on top of the tag, when a branch begins."""
    wanted = f"Python {development(scene.stage.version)} {scene.cut.commit if scene.cut else ''}"
    found = upstream.text("log", "-1", "--format=%s %P", tip)
    if found != wanted:
        yield f"the tip of main is “{found}”, not “{wanted}”"


def _of_the_merge(scene: Scene, upstream: LocalRepository, head: str, merge: str) -> Iterator[str]:
    """See what the Post commit stands on: the branch as it was and the tag, merged, and no news of the release left on the branch."""
    cut, version = scene.cut, scene.stage.version
    parents = upstream.text("log", "-1", "--format=%P", merge)
    if cut is None or parents != f"{head} {cut.commit}":
        yield f"{version.tag} was not merged into {version.branch}: {merge[:12]} has the parents {parents}"
        return
    told = upstream.text("diff-tree", "-r", "--name-only", "--diff-filter=D", f"{cut.commit}^", cut.commit).splitlines()
    left = set(told).intersection(upstream.entries(f"refs/heads/{version.branch}"))
    yield from (f"{path} is news of {version} and still lies on {version.branch}" for path in sorted(left))


def _of_what_was_asked(scene: Scene) -> Iterator[str]:
    if scene.cut is not None:
        verbs = ("approve",) if scene.stage.version.ends else ("approve", "go")
        wanted = (f"/release {verb} {scene.cut.tag}" for verb in verbs)
        yield from (f"nobody was asked for “{line}”" for line in wanted if line not in scene.said)
    if scene.world.counts["POST /repos/{owner}/{repo}/rulesets"] < _FROZEN_REFS:
        yield "branch and tag were not both frozen"


def _of_other_refs(scene: Scene, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    # Not what the bot planned: a plan with a ref too many would then go unnoticed.
    versions = (scene.stage.version, *scene.beside)
    wanted = {ref for one in versions for ref in (*(f"refs/heads/{branch}" for branch in one.moved), f"refs/tags/{one.tag}")}
    ended = {f"refs/heads/{one.branch}" for one in versions if one.ends}
    yield from (f"{ref} is still there, although the tag of that name took its place" for ref in sorted(ended & after.keys()))
    wanted |= ended
    for ref in sorted((before.keys() | after.keys()) - wanted):
        if before.get(ref) != after.get(ref):
            yield f"{ref} moved, which nobody approved"


def of_the_issue(scene: Talk) -> Iterator[str]:
    """Give a sentence for everything that should not have been written, or was not."""
    comments = scene.all_comments()
    yield from (f"the bot made an unexpected comment: {gist(body) or 'an empty one'}" for body in comments if not body.startswith(MARKER))
    status = next((body for body in comments if body.startswith(MARKER)), None)
    if scene.release is None:
        return
    if status is None:
        yield "the bot wrote no status comment"
    elif not re.search(r"^## .*: done$", status, re.MULTILINE):
        yield "the status comment does not say that the release is done"
