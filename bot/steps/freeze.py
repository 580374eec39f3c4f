"""Freeze the branch and the name of the tag, so that only the bot can move them (invariant I3).

1. One ruleset of ours for each ref, found by its name or created; or, as the profile says, classic protection of ours for the branch.
2. Each is read back: exactly our rules, exactly our bypass, effective for the branch.
3. Only then the head of the branch is recorded: whatever raced with the creation landed before it.
4. From then on every look compares rules and head with that record; a difference halts the release, nothing is repaired silently. After
   the go, when files may be public, whoever resumes the release has the rule laid again.
"""

from dataclasses import replace

from bot import freezing
from bot.freezing import LeftToPeople
from bot.freezing.stuck import before_freeze, stuck
from bot.profile.types import StepName
from bot.push_plan import first_beta
from bot.release.facts import Fact, Froze, FrozenRef, Thawed
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
    begins = first_beta.branch_to_come(release, tools)
    for ref in refs_to_freeze(release, tools):
        if not await freezing.holdable(tools, release.repository, ref):
            continue
        name = freezing.rule_name(ref, release.issue, release.id)
        hold = await freezing.freeze(tools, release.repository, ref, name, step="freeze", to_come=ref == begins)
        problem = await freezing.problem(tools, release.repository, hold)
        if problem:
            return Failed(why=f"The freeze of {ref} is not effective: {problem}", retryable=True, look_again=tools.poll())
        frozen.append(FrozenRef(ref=ref, head=None, since=tools.now(), **vars(freezing.record(hold))))
    if there := await first_beta.already_there(release, tools):
        return Failed(why=there, retryable=False, look_again=tools.poll())
    head = await _head(release, tools)
    if head is None:
        return Failed(why=f"The branch {release.branch} does not exist in {release.repository}.", retryable=False, look_again=tools.poll())
    branch = branch_ref(release.branch)
    refs = tuple(replace(one, head=head) if one.ref == branch else one for one in frozen)
    return _holds(release, refs, head, tools, facts=(Froze(refs=refs),))


async def _guard(release: Release, tools: Tools) -> Outcome:
    refs = release.frozen
    for frozen in release.frozen:
        problem = await freezing.problem(tools, release.repository, freezing.hold_of(frozen))
        if problem and not _may_be_laid_again(release):
            return _broken(release, f"The freeze of {frozen.ref} was changed from outside: {problem}", *_before(release, tools))
        if problem:
            try:
                again = await _laid_again(frozen, release, tools)
            except LeftToPeople as reason:
                return _broken(release, str(reason), *_before(release, tools))
            refs = tuple(again if one.ref == again.ref else one for one in refs)
    expected = next((frozen.head for frozen in release.frozen if frozen.head), None)
    head = await _head(release, tools)
    held = any(frozen.ref == branch_ref(release.branch) for frozen in release.frozen)
    if held and head != expected and not release.pushed and not await tools.door.intended("push", "push"):
        return _broken(release, f"{release.branch} moved from {expected} to {head or 'nothing'} although it is frozen.")
    there = await first_beta.already_there(release, tools) or await _made_past_us(release, refs, tools)
    if there and not release.pushed and not await tools.door.intended("push", "push"):
        return _broken(release, f"{there} It did not when it was frozen.")
    return _holds(release, refs, expected, tools, facts=(Froze(refs=refs),) if refs != release.frozen else ())


def _holds(release: Release, refs: tuple[FrozenRef, ...], head: CommitId | None, tools: Tools, *, facts: tuple[Fact, ...]) -> Passed:
    free = _free(release, refs, tools)
    begins = next((one.ref.removeprefix("refs/heads/") for one in refs if one.to_come), "")
    promise = "move it." if free else f"move it, make the tag or begin {begins}." if begins else "move it or make the tag."
    why = f"{release.branch} is frozen at {head}; only this bot can {promise}"
    return Passed(
        why=why if tools.profile.freeze.branch else f"Only this bot can make the tag {release.version.tag}; {release.branch} stays open.",
        evidence=(*(freezing.evidence(one, release.repository, tools) for one in refs), *(_not_held(ref) for ref in free)),
        facts=facts,
        look_again=tools.poll(),
    )


def _free(release: Release, refs: tuple[FrozenRef, ...], tools: Tools) -> list[Ref]:
    """Return what this release would hold, but nothing can."""
    return [ref for ref in refs_to_freeze(release, tools) if ref not in {one.ref for one in refs}]


async def _made_past_us(release: Release, refs: tuple[FrozenRef, ...], tools: Tools) -> str:
    """Return in one sentence that a tag exists upstream whose name nothing could hold, or an empty string."""
    tags = [ref for ref in _free(release, refs, tools) if ref == tag_ref(release.version.tag)]
    made = [ref for ref in tags if await tools.github.ref(release.repository, ref) is not None]
    return f"{release.version.tag} exists in {release.repository} already, pushed outside the bot." if made else ""


def _not_held(ref: Ref) -> Evidence:
    value = "classic protection cannot hold it: the push goes through only where it is as approved, and everything is read back"
    return Evidence(what=f"no rule on {ref}", value=value)


def _may_be_laid_again(release: Release) -> bool:
    """Tell whether somebody let the release go on after its freeze was broken, and there is no way back to a new attempt."""
    return release.go is not None and release.retry == StepName.FREEZE


async def _laid_again(frozen: FrozenRef, release: Release, tools: Tools) -> FrozenRef:
    """Put a new hold in the place of one that was changed or taken away; what is wrong with the new one is seen at the next look."""
    hold = await freezing.lay_again(tools, release.repository, freezing.hold_of(frozen), step="freeze")
    return replace(frozen, **vars(freezing.record(hold)))


async def _reopen(release: Release, tools: Tools, before: CommitId) -> Outcome:
    for frozen in release.frozen:
        try:
            leave = release.retry == StepName.FREEZE
            await freezing.lift(tools, release.repository, freezing.hold_of(frozen), step="freeze", leave=leave)
        except LeftToPeople as reason:
            return stuck(reason, release, tools, step=StepName.FREEZE)
    head = await _head(release, tools)
    # Not in the look that lifted the freeze: what is frozen next has to pass the preflight first.
    if not release.frozen and head is not None and head != before:
        return await _freeze(release, tools)
    what = f"{release.branch} is open again for the fix; it is frozen anew as soon as it moves from {before}, or when you say so."
    if not tools.profile.freeze.branch:
        what = f"I go on with the fix as soon as {release.branch} moves from {before}, or when you say so; the tag is held again then."
    return NeedsPerson(
        who=logins(tools.managers(release)),
        what=what,
        say="/release retry freeze",
        facts=(Thawed(at=tools.now()),),
        look_again=tools.poll(),
    )


def refs_to_freeze(release: Release, tools: Tools) -> tuple[Ref, ...]:
    """Return what this release freezes: its branch where the profile wants it, the exact name of its tag, and a branch that it begins."""
    begins = first_beta.branch_to_come(release, tools)
    branches = (branch_ref(release.branch),) if tools.profile.freeze.branch else ()
    return (*branches, tag_ref(release.version.tag), *((begins,) if begins else ()))


async def _head(release: Release, tools: Tools) -> CommitId | None:
    target = await tools.github.ref(release.repository, branch_ref(release.branch))
    return CommitId(target.id) if target else None


def _before(release: Release, tools: Tools) -> list[Evidence]:
    return [before_freeze(one.protection, release, tools) for one in release.frozen if one.protection]


def _broken(release: Release, why: str, *evidence: Evidence) -> Failed:
    advice = (
        "Find out who did it and why; then say `/release refreeze REASON` to start over from the new head, or abort."
        if release.go is None
        else "Find out who did it and why. Where the branch has not moved, `/release resume` has me lay the rule again; else recall it."
    )
    diagnostics = (advice, f"The release of {release.version} is halted until then.")
    return Failed(why=why, diagnostics=diagnostics, retryable=False, halt=True, evidence=evidence)
