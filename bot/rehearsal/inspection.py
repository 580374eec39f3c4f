"""Look at the world after a rehearsal: everything that should be there is, and nothing else changed."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bot.rehearsal.performance import MARKER, Performance
from bot.rehearsal.repository import GitFailed, LocalRepository
from bot.rehearsal.stage import UPSTREAM
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World

_FROZEN_REFS = 2
"""The branch and the name of the tag are frozen, each by a rule of its own."""


async def problems(world: World, played: Performance, version: PythonVersion, refs_before: Mapping[str, str]) -> list[str]:
    """Give a sentence for everything that is wrong; nothing when the rehearsal went well."""
    refs = await world.github.refs(UPSTREAM)
    found = [
        *played.refused,
        *_of_the_release(played, refs),
        *_of_other_refs(version, refs_before, refs),
        *_of_what_was_asked(world, played),
        *_of_the_issue(world, played),
    ]
    found += await asyncio.to_thread(lambda: list(_of_the_branch(world, played, version, refs)))
    found += [f"the rule “{ruleset.name}” is left in {UPSTREAM}" for ruleset in world.github.rulesets(UPSTREAM)]
    return found + [f"something was done that the real systems do not allow: {violation}" for violation in world.violations]


def counted(sentences: Iterable[str]) -> tuple[str, ...]:
    """Say every sentence once, with the number of times where it is more than one."""
    return tuple(f"{sentence} ({times} times)" if times > 1 else sentence for sentence, times in Counter(sentences).items())


def _rows(release: Mapping[str, object] | None, name: str) -> list[Mapping[str, object]]:
    rows = release.get(name) if release else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _of_the_release(played: Performance, refs: Mapping[str, str]) -> Iterator[str]:
    release = played.release
    if release is None:
        yield "the bot never took up the release"
        return
    if release.get("state") != "done":
        yield f"the release is {release.get('state')}, not done; it waits for {played.awaited()}"
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


def _of_the_branch(world: World, played: Performance, version: PythonVersion, refs: Mapping[str, str]) -> Iterator[str]:
    if played.cut is None:
        yield "the release manager was never told from which head to cut"
        return
    if refs.get(f"refs/tags/{version.tag}") != played.cut.tag:
        yield f"{version.tag} is not upstream as the tag object {played.cut.tag} that was made"
    tip = refs.get(f"refs/heads/{version.series}") or refs.get(f"refs/heads/{version.branch}", "")
    upstream = LocalRepository(world.github.repository(UPSTREAM).git.directory)
    try:
        subject, parents = upstream.text("log", "-1", "--format=%s%n%P", tip).split("\n")
    except (GitFailed, ValueError):
        yield f"the tip of {version.branch} is no commit with one parent"
        return
    if (subject, parents) != (f"Post {version}", played.cut.commit):
        yield f"the tip of {version.branch} is “{subject}” on {parents[:12]}, not “Post {version}” on {played.cut.commit[:12]}"


def _of_what_was_asked(world: World, played: Performance) -> Iterator[str]:
    if played.cut is not None and f"/release approve {played.cut.tag}" not in played.said:
        yield f"nobody was asked to approve {played.cut.tag}"
    if world.counts["POST /repos/{owner}/{repo}/rulesets"] < _FROZEN_REFS:
        yield "branch and tag were not both frozen"


def _of_other_refs(version: PythonVersion, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    # Not what the bot planned: a plan with a ref too many would then go unnoticed.
    wanted = {f"refs/heads/{version.branch}", f"refs/tags/{version.tag}"}
    for ref in sorted((before.keys() | after.keys()) - wanted):
        if before.get(ref) != after.get(ref):
            yield f"{ref} moved, which nobody approved"


def _of_the_issue(world: World, played: Performance) -> Iterator[str]:
    comments = [comment for comment in world.github.comments(UPSTREAM, played.issue) if comment.author.login == world.github.app.bot.login]
    for comment in comments:
        if not comment.body.startswith(MARKER):
            yield f"the bot made an unexpected comment: {_first_words(comment.body)}"
    status = next((comment.body for comment in comments if comment.body.startswith(MARKER)), None)
    if status is None:
        yield "the bot wrote no status comment"
    elif not re.search(r"^## .*: done$", status, re.MULTILINE):
        yield "the status comment does not say that the release is done"


def _first_words(body: str) -> str:
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith("<!--")]
    return lines[0][:200] if lines else "an empty one"
