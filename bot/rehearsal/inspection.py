"""Look at the world after a rehearsal: everything that should be there is, and nothing else changed."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.repository import GitFailed, LocalRepository
from bot.rehearsal.scene import MARKER, Scene, gist
from bot.rehearsal.stage import UPSTREAM

_FROZEN_REFS = 2
"""The branch and the name of the tag are frozen, each by a rule of its own."""


async def problems(scene: Scene, refs_before: Mapping[str, str]) -> list[str]:
    """Give a sentence for everything that is wrong; nothing when the rehearsal went well."""
    world = scene.world
    refs = await world.github.refs(UPSTREAM)
    found = [*scene.refused, *_of_the_release(scene, refs), *_of_other_refs(scene, refs_before, refs), *_of_the_issue(scene)]
    if scene.release is not None:
        found += [*_of_what_was_asked(scene), *of_the_builders(scene)]
        found += await asyncio.to_thread(lambda: list(_of_the_branch(scene, refs)))
    found += [f"the rule “{ruleset.name}” is left in {UPSTREAM}" for ruleset in world.github.rulesets(UPSTREAM)]
    return found + [f"something was done that the real systems do not allow: {violation}" for violation in world.violations]


def counted(sentences: Iterable[str]) -> tuple[str, ...]:
    """Say every sentence once, with the number of times where it is more than one."""
    return tuple(f"{sentence} ({times} times)" if times > 1 else sentence for sentence, times in Counter(sentences).items())


def _rows(release: Mapping[str, object] | None, name: str) -> list[Mapping[str, object]]:
    rows = release.get(name) if release else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _of_the_release(scene: Scene, refs: Mapping[str, str]) -> Iterator[str]:
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
    for row in _rows(release, "people"):
        if not row.get("done"):
            yield f"somebody is still waited for: {row.get('what')}"


def _of_the_branch(scene: Scene, refs: Mapping[str, str]) -> Iterator[str]:
    cut, version = scene.cut, scene.stage.version
    if cut is None:
        yield "the release manager was never told from which head to cut"
        return
    if refs.get(f"refs/tags/{version.tag}") != cut.tag:
        yield f"{version.tag} is not upstream as the tag object {cut.tag} that was made"
    tip = refs.get(f"refs/heads/{version.series}") or refs.get(f"refs/heads/{version.branch}", "")
    upstream = LocalRepository(scene.world.github.repository(UPSTREAM).git.directory)
    try:
        subject, parents = upstream.text("log", "-1", "--format=%s%n%P", tip).split("\n")
    except (GitFailed, ValueError):
        yield f"the tip of {version.branch} is no commit with one parent"
        return
    if (subject, parents) != (f"Post {version}", cut.commit):
        yield f"the tip of {version.branch} is “{subject}” on {parents[:12]}, not “Post {version}” on {cut.commit[:12]}"


def _of_what_was_asked(scene: Scene) -> Iterator[str]:
    if scene.cut is not None:
        wanted = (f"/release {verb} {scene.cut.tag}" for verb in ("approve", "go"))
        yield from (f"nobody was asked for “{line}”" for line in wanted if line not in scene.said)
    if scene.world.counts["POST /repos/{owner}/{repo}/rulesets"] < _FROZEN_REFS:
        yield "branch and tag were not both frozen"


def _of_other_refs(scene: Scene, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    # Not what the bot planned: a plan with a ref too many would then go unnoticed.
    version = scene.stage.version
    wanted = {f"refs/heads/{version.branch}", f"refs/tags/{version.tag}"}
    for ref in sorted((before.keys() | after.keys()) - wanted):
        if before.get(ref) != after.get(ref):
            yield f"{ref} moved, which nobody approved"


def _of_the_issue(scene: Scene) -> Iterator[str]:
    comments = scene.all_comments()
    yield from (f"the bot made an unexpected comment: {gist(body) or 'an empty one'}" for body in comments if not body.startswith(MARKER))
    status = next((body for body in comments if body.startswith(MARKER)), None)
    if scene.release is None:
        return
    if status is None:
        yield "the bot wrote no status comment"
    elif not re.search(r"^## .*: done$", status, re.MULTILINE):
        yield "the status comment does not say that the release is done"
