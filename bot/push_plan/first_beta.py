"""The first beta begins a branch: it gets the tag's commit, and main becomes the next version by a commit that its manager made.

1. That commit, the bump, is found in the fork that has the tag, in the branch that the profile names.
2. It is the one commit on top of the tag's, and says which version main becomes.
3. Its difference is judged by rules of its own (``[first_beta]`` of the profile, ``bot.verify.release_diff.bump``).

Its id stands in the push plan, so whoever approves the plan approves it, and another one needs another approval. Sources:
https://peps.python.org/pep-0101/ and https://github.com/python/release-tools/blob/main/run_release.py.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from bot.push_plan.differences import changed_files
from bot.release.counting import counted
from bot.release.facts import Finding, Origin, Severity, Tag
from bot.release.ids import CommitId, Ref, branch_ref
from bot.release.model import Release
from bot.release.outcomes import NeedsPerson
from bot.release.version import Kind
from bot.tools import Tools, logins
from bot.verify.release_diff import Context, Development, audit

CHECK: Final = "bump"
"""The check under which what is found in the bump is acknowledged and waived."""


@dataclass(frozen=True, kw_only=True)
class Bump:
    """The commit that main becomes, where it comes from, and what the rules say about it."""

    origin: Origin
    findings: tuple[Finding, ...]


def branch_to_come(release: Release, tools: Tools) -> Ref | None:
    """Return the branch that this release begins, None for one that begins none."""
    return branch_ref(tools.profile.series_of(release.version).branch) if release.kind is Kind.FIRST_BETA else None


async def already_there(release: Release, tools: Tools) -> str:
    """Return in one sentence that the branch to come exists already, or an empty string."""
    ref = branch_to_come(release, tools)
    there = await tools.github.ref(release.repository, ref) if ref else None
    if ref is None or there is None:
        return ""
    branch = ref.removeprefix("refs/heads/")
    return f"{release.version} begins the branch {branch}, which exists in {release.repository} already, at {there.id}."


def next_series(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return what speaks against beginning the series after this one on main; what it has already is only told."""
    if release.kind is not Kind.FIRST_BETA:
        return ()
    new = release.version.next_series
    policy = tools.profile.series.get(new)
    if policy is None:
        what = f'The profile says nothing about {new}, which main becomes: add [series."{new}"] to it before {new} is released.'
        return (Finding(check="next-series", rule="profile", severity=Severity.ACKNOWLEDGE, what=what, subject=(new,)),)
    signed = "has to be signed" if policy.signature == "required" else "may be unsigned"
    what = f"Main becomes {new}, which the profile knows: its branch will be {policy.branch}, and a tag of it {signed}."
    return (Finding(check="next-series", rule="profile", severity=Severity.EXPLAINED, what=what, subject=(new,)),)


async def bump(release: Release, tag: Tag, tools: Tools) -> Bump | NeedsPerson:
    """Return the commit that main becomes, judged; or whom it waits for and what to do."""
    branch = bump_branch(release, tools)
    found = await _found(release, tag, tools)
    if found is None:
        return _needed(release, tag, f"Main becomes {release.version.next_development} by a commit that has to be made now.", tools)
    await tools.git.fetch(tag.fork, [found])
    commit = await tools.git.commit(found)
    subject, wanted = commit.message.partition("\n")[0], f"Python {release.version.next_development}"
    if commit.parents != (tag.commit,):
        why = f"{branch} in {tag.fork} is at {found}, which is not the one commit on top of the tag's, {tag.commit}."
        return _needed(release, tag, why, tools)
    if subject != wanted:
        why = f"{branch} in {tag.fork} is at {found}, which says “{subject[:80]}” where “{wanted}” is expected."
        return _needed(release, tag, why, tools)
    begins = f"The branch {release.series} begins at the tag"
    what = f"{begins}; {release.branch} becomes {release.version.next_development} by the commit {found} of {branch} in {tag.fork}."
    source = branch_ref(branch)
    origin = Origin(ref=branch_ref(release.branch), commit=found, what=what, source=source, parents=(tag.commit,))
    return Bump(origin=origin, findings=await _judged(release, tag, found, tools))


async def bring(release: Release, tag: Tag, tools: Tools) -> None:
    """Fetch the bump of the push plan with all that pushing it takes."""
    for origin in release.origins:
        await tools.git.fetch_range(tag.fork, tag.commit, origin.commit)


def bump_branch(release: Release, tools: Tools) -> str:
    """Return the branch of the fork in which the bump is looked for."""
    return tools.profile.first_beta.bump_branch.format_map(tools.placeholders(release))


async def _found(release: Release, tag: Tag, tools: Tools) -> CommitId | None:
    ref = branch_ref(bump_branch(release, tools))
    found = (await tools.git.refs(tag.fork, ref)).get(ref)
    return CommitId(found) if found else None


def _needed(release: Release, tag: Tag, why: str, tools: Tools) -> NeedsPerson:
    branch, new = bump_branch(release, tools), release.version.next_development
    what = (
        f"{why} Make it on top of the tag: `git switch -c {branch} refs/tags/{tag.name}`, `python release.py --bump {new}`, edit what the "
        f"release tools open for {release.version.next_series}, `git commit -a -m 'Python {new}'`, and `git push origin "
        f"refs/heads/{branch}` into {tag.fork}. Do not push it upstream: it goes there together with the tag and the new branch."
    )
    return NeedsPerson(who=logins(tools.managers(release)), what=what, look_again=tools.poll())


async def _judged(release: Release, tag: Tag, commit: CommitId, tools: Tools) -> tuple[Finding, ...]:
    """Return what the rules say about every file of the bump, each bound to its id: other content is another commit."""
    await tools.git.fetch_range(tag.fork, tag.commit, commit)
    files = await changed_files(tag.commit, commit, tools)
    if isinstance(files, Finding):
        return (_of_the_bump(files, commit),)
    new = Development.begin(release.version)
    cycle = (await tools.peps.release_cycle()).get(new.series)
    pep = cycle.pep if cycle else None
    context = Context(version=new, series=new.series, pep=pep, leftover_fragments=())
    found = await asyncio.to_thread(audit, files, context, tools.profile.first_beta.rules)
    return tuple(_of_the_bump(finding, commit) for finding in found)


def _of_the_bump(finding: Finding, commit: CommitId) -> Finding:
    """Return a finding as one of the bump's; its lines are not lines of the tag's commit, so they are told by their number only."""
    lines = sum(place.last - place.line + 1 for place in finding.places)
    more = f" {counted(lines, 'line')} to look at." if lines else ""
    what = f"In the commit {commit}, which main becomes: {finding.what}{more}"
    return replace(finding, check=CHECK, what=what, places=())
