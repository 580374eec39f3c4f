"""Prove the tag and what it would bring upstream; the result is the push plan (invariant I1).

1. Authenticity: the tag object itself, by the policy of its series.
2. Name, target and message: exactly those of this version.
3. Ancestry: one commit on top of the frozen head, or cherry-picks that are on the branch already, and one commit on top of them.
4. The difference, file by file and rule by rule (``bot.verify.release_diff``).
5. The push plan: what every branch becomes (``bot.push_plan.heads``), with the Post commit where the profile wants one.
"""

import asyncio
import base64
from dataclasses import replace

from bot import authenticity, proving
from bot.profile.types import StepName
from bot.push_plan import ancestry, differences, heads, merging, objects
from bot.push_plan.planned_heads import Heads
from bot.release.facts import Checked, Fact, Finding, Planned, PlannedRef, Severity, Tag, TagProved
from bot.release.gate import plan_digest
from bot.release.ids import tag_ref
from bot.release.model import Release, StepStatus
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed
from bot.release.version import Kind
from bot.tools import Tools
from bot.verify.release_diff import Context, audit
from bot.verify.result import ProofName, Proven, Result

FRAGMENTS = "Misc/NEWS.d/next/"


async def advance(release: Release, tools: Tools) -> Outcome:
    """Prove the pinned tag object, or say what is wrong with it."""
    tag = release.tag
    if tag is None:
        return Failed(why="There is no tag to audit.", retryable=True, look_again=tools.poll())
    done = next((checked for checked in release.checked if checked.step == "audit" and checked.subject == tag.object), None)
    if done and release.plan and not await _anew(release, tag, tools):
        # A tag object never changes, so what was proved of it stays proved.
        return _passed(release, tag, done.findings, tools)
    # Read before anything is proved: what comes into the fork meanwhile is another picture of it.
    seen = await heads.awaited(release, tag, tools)
    if seen and _waits_for(release, seen):
        # To prove all of it again at every look would be much work, and gives what it gave.
        step = release.step(StepName.AUDIT)
        return NeedsPerson(who=step.on, what=step.why, say=step.say, evidence=seen, look_again=tools.poll())
    outcome = await _prove(release, tag, tools)
    return replace(outcome, evidence=seen) if isinstance(outcome, NeedsPerson) else outcome


def _waits_for(release: Release, seen: tuple[Evidence, ...]) -> bool:
    """Tell whether somebody was asked for what the fork lacks, and it is as it was then."""
    step = release.step(StepName.AUDIT)
    return step.status is StepStatus.NEEDS_PERSON and step.evidence == seen and release.retry != StepName.AUDIT


async def _anew(release: Release, tag: Tag, tools: Tools) -> bool:
    """Tell whether to prove everything again: somebody asked for it, or what a person made for the plan is no longer in the fork.

    Once the push was begun it may have landed already, so from then on there is no other plan.
    """
    if await tools.door.intended("push", "push"):
        return False
    return release.retry == "audit" or bool(await heads.moved(release, tag, tools))


async def _prove(release: Release, tag: Tag, tools: Tools) -> Outcome:
    # 1. and 2. authenticity, name, target
    verdict = await authenticity.verify(base64.b64decode(tag.content), release, tools)
    if not verdict.good:
        return _refused(f"The tag object {tag.object} is not authentic: {verdict.why}", verdict.diagnostics, tools)
    proved = replace(tag, signature=verdict.signed, signer=verdict.signer)
    # 3. ancestry
    span = await objects.fetch(release, tag, tools)
    descent = await ancestry.trace(release, tag, span, tools)
    if descent.problem:
        return _refused(descent.problem, (descent.advice,), tools)
    # 4. the difference
    findings = await _difference(release, tag, descent.base, tools)
    # 5. the push plan
    becoming = await heads.heads(release, tag, descent, tools)
    if not isinstance(becoming, Heads):
        return becoming
    findings = (*findings, *becoming.findings)
    plan = Planned(plan=(*becoming.lines, PlannedRef(ref=tag_ref(tag.name), old=None, new=tag.object)), origins=becoming.origins)
    if release.plan and release.plan != plan.plan and await tools.door.intended("push", "push"):
        why = "The push of another plan was begun already, so this one cannot take its place."
        advice = "Put back in the fork what was moved since, or abort this release."
        return Failed(why=why, diagnostics=(advice,), retryable=False, look_again=tools.poll())
    result = _in_the_dossier(proved, verdict.why, verdict.diagnostics)
    remembered = await asyncio.to_thread(proving.proved, StepName.AUDIT, [result], tools)
    checked = Checked(step="audit", subject=tag.object, findings=findings)
    after = replace(release, tag=proved, plan=plan.plan, origins=plan.origins)
    return _passed(after, proved, findings, tools, checked, TagProved(tag=proved), plan, remembered)


def _in_the_dossier(tag: Tag, why: str, diagnostics: tuple[str, ...]) -> Result:
    """Return what was proved of the tag; one that need not be signed and is not was not proved by a signature."""
    if not tag.signer:
        return Result.absent(tag.name, ProofName.TAG, why)
    return Result.of(tag.name, ProofName.TAG, Proven(why=why, signer=tag.signer, diagnostics=diagnostics))


async def _difference(release: Release, tag: Tag, base: str, tools: Tools) -> tuple[Finding, ...]:
    """Return what the rules say about every file that differs between the base and the tag's commit."""
    if release.kind is Kind.END_OF_LIFE:
        # It names the frozen head itself, so there is nothing to compare.
        return ()
    files = await differences.changed_files(base, tag.commit, tools)
    if isinstance(files, Finding):
        return (files,)
    context = Context(
        version=release.version,
        series=release.series,
        pep=await _pep(release, tools),
        leftover_fragments=await differences.paths_below(FRAGMENTS, tag.commit, tools),
        tagged=tag.dated.date() if tag.dated else None,
    )
    # Hundreds of files may have to be compared, which must not hold up everything else.
    return await asyncio.to_thread(audit, files, context, tools.profile.audit.rules)


async def _pep(release: Release, tools: Tools) -> int | None:
    cycle = (await tools.peps.release_cycle()).get(release.series)
    return cycle.pep if cycle else None


def _passed(release: Release, tag: Tag, findings: tuple[Finding, ...], tools: Tools, *facts: Fact) -> Passed:
    open_ones = sum(finding.severity is not Severity.EXPLAINED for finding in findings)
    signed = f"signed ({tag.signature}) by {tag.signer}" if tag.signer else "not signed, which this series allows"
    return Passed(
        why=f"The tag is {signed}; {len(findings) - open_ones} of {len(findings)} findings are explained by rules.",
        evidence=(
            Evidence(
                what="difference", value=tag.commit, url=tools.page(tag.fork, "compare", f"{objects.frozen_head(release)}...{tag.commit}")
            ),
            Evidence(what="signature", value=tag.signature),
            Evidence(what="push plan", value=plan_digest(tag.object, release.plan)),
            *merging.evidence(release, tag, tools),
        ),
        facts=facts,
    )


def _refused(why: str, diagnostics: tuple[str, ...], tools: Tools) -> Failed:
    advice = "Make the tag anew and push it to the fork: another tag object opens the next attempt by itself."
    return Failed(why=why, diagnostics=(*filter(None, diagnostics), advice), retryable=False, look_again=tools.poll())
