"""Freeze the branch and the name of the tag, so that only the bot can move them (invariant I3).

1. One ruleset of ours for each ref, found by its name or created.
2. Each is read back: exactly our rules, exactly our bypass, effective for the branch.
3. Only then the head of the branch is recorded: whatever raced with the creation landed before it.
4. From then on every look compares rules and head with that record; a difference halts the release, nothing is repaired silently. After
   the go, when files may be public, whoever resumes the release has the rule laid again.
"""

from dataclasses import replace

from bot import freezing
from bot.profile_types import StepName
from bot.release.facts import Froze, FrozenRef, Thawed
from bot.release.ids import CommitId, Ref, branch_ref, tag_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.tools import Tools, logins


async def advance(release: Release, tools: Tools) -> Outcome:
    """Make the freeze true, or see that it still is."""
    if release.refreeze_from is not None:
        return await _reopen(release, tools, release.refreeze_from)
    if release.frozen:
        return await _guard(release, tools)
    return await _freeze(release, tools)


async def _freeze(release: Release, tools: Tools) -> Outcome:
    frozen = []
    for ref in refs_to_freeze(release):
        name = freezing.rule_name(ref, release.issue, release.id)
        ruleset = await freezing.ensure(tools, release.repository, ref, name, step="freeze")
        problem = await freezing.problem(tools, release.repository, ref, ruleset, name)
        if problem:
            return Failed(why=f"The freeze of {ref} is not effective: {problem}", retryable=True, look_again=tools.poll())
        frozen.append(FrozenRef(ref=ref, head=None, since=tools.now(), ruleset=ruleset, ruleset_name=name))
    head = await _head(release, tools)
    if head is None:
        return Failed(why=f"The branch {release.branch} does not exist in {release.repository}.", retryable=False, look_again=tools.poll())
    branch = branch_ref(release.branch)
    refs = tuple(FrozenRef(**{**vars(one), "head": head}) if one.ref == branch else one for one in frozen)
    return Passed(
        why=f"{release.branch} is frozen at {head}; only this bot can move it or make the tag.",
        evidence=tuple(_evidence(one, release, tools) for one in refs),
        facts=(Froze(refs=refs),),
        look_again=tools.poll(),
    )


async def _guard(release: Release, tools: Tools) -> Outcome:
    refs = release.frozen
    for frozen in release.frozen:
        problem = await freezing.problem(tools, release.repository, frozen.ref, frozen.ruleset, frozen.ruleset_name)
        if problem and not _may_be_laid_again(release):
            return _broken(release, f"The freeze of {frozen.ref} was changed from outside: {problem}")
        if problem:
            again = await _laid_again(frozen, release, tools)
            refs = tuple(again if one.ref == again.ref else one for one in refs)
    expected = next((frozen.head for frozen in release.frozen if frozen.head), None)
    head = await _head(release, tools)
    if head != expected and not release.pushed and not await tools.door.intended("push", "push"):
        return _broken(release, f"{release.branch} moved from {expected} to {head or 'nothing'} although it is frozen.")
    return Passed(
        why=f"{release.branch} is frozen at {expected}; only this bot can move it or make the tag.",
        evidence=tuple(_evidence(one, release, tools) for one in refs),
        facts=(Froze(refs=refs),) if refs != release.frozen else (),
        look_again=tools.poll(),
    )


def _may_be_laid_again(release: Release) -> bool:
    """Tell whether somebody let the release go on after its freeze was broken, and there is no way back to a new attempt."""
    return release.go is not None and release.retry == StepName.FREEZE


async def _laid_again(frozen: FrozenRef, release: Release, tools: Tools) -> FrozenRef:
    """Put a new rule in the place of one that was changed or deleted; what is wrong with the new one is seen at the next look."""
    await freezing.lift(tools, release.repository, frozen.ruleset, frozen.ruleset_name, step="freeze")
    name, place = frozen.ruleset_name, frozen.ruleset
    ruleset = await freezing.ensure(tools, release.repository, frozen.ref, name, step="freeze", in_place_of=place)
    return replace(frozen, ruleset=ruleset)


async def _reopen(release: Release, tools: Tools, before: CommitId) -> Outcome:
    for frozen in release.frozen:
        await freezing.lift(tools, release.repository, frozen.ruleset, frozen.ruleset_name, step="freeze")
    head = await _head(release, tools)
    # Not in the look that lifted the freeze: what is frozen next has to pass the preflight first.
    if not release.frozen and head is not None and head != before:
        return await _freeze(release, tools)
    return NeedsPerson(
        who=logins(tools.managers(release)),
        what=f"{release.branch} is open again for the fix; it is frozen anew as soon as it moves from {before}, or when you say so.",
        say="/release retry freeze",
        facts=(Thawed(at=tools.now()),),
        look_again=tools.poll(),
    )


def refs_to_freeze(release: Release) -> tuple[Ref, ...]:
    """Return what this release freezes: its branch, and the exact name of its tag."""
    return (branch_ref(release.branch), tag_ref(release.version.tag))


async def _head(release: Release, tools: Tools) -> CommitId | None:
    target = await tools.github.ref(release.repository, branch_ref(release.branch))
    return CommitId(target.id) if target else None


def _broken(release: Release, why: str) -> Failed:
    advice = (
        "Find out who did it and why; then say `/release refreeze REASON` to start over from the new head, or abort."
        if release.go is None
        else "Find out who did it and why. Where the branch has not moved, `/release resume` has me lay the rule again; else recall it."
    )
    return Failed(why=why, diagnostics=(advice, f"The release of {release.version} is halted until then."), retryable=False, halt=True)


def _evidence(frozen: FrozenRef, release: Release, tools: Tools) -> Evidence:
    page = tools.page(release.repository, "rules", str(frozen.ruleset))
    return Evidence(what=f"rule on {frozen.ref}", value=frozen.ruleset_name, url=page)
