"""Prove the tag and what it would bring upstream; the result is the push plan (invariant I1).

1. Authenticity: the tag object itself, by the policy of its series.
2. Name, target and message: exactly those of this version.
3. Ancestry: one commit on top of the frozen head, or cherry-picks that are on the branch already, and one commit on top of them.
4. The difference, file by file and rule by rule (``bot.verify.release_diff``).
5. The push plan, with the Post commit where the profile wants one.
"""

import asyncio
import base64
from dataclasses import replace

from bot import ancestry, authenticity, objects, proving
from bot.ancestry import Descent
from bot.profile_types import StepName
from bot.release.facts import Checked, Fact, Finding, Planned, PlannedRef, Proved, Severity, Tag, TagProved
from bot.release.gate import plan_digest
from bot.release.ids import branch_ref, tag_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.services.git import EMPTY_TREE
from bot.tools import Tools
from bot.verify.release_diff import LARGEST_FILE, Context, FileChange, audit, too_much
from bot.verify.result import ProofName, Proven, Result

FRAGMENTS = "Misc/NEWS.d/next/"
SUBMODULE = "160000"


async def advance(release: Release, tools: Tools) -> Outcome:
    """Prove the pinned tag object, or say what is wrong with it."""
    tag = release.tag
    if tag is None:
        return Failed(why="There is no tag to audit.", retryable=True, look_again=tools.poll())
    done = next((checked for checked in release.checked if checked.step == "audit" and checked.subject == tag.object), None)
    if done and release.plan and release.retry != "audit":
        # A tag object never changes, so what was proved of it stays proved.
        return _passed(release, tag, done.findings, (), tools)
    return await _prove(release, tag, tools)


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
    if descent.apart:
        return _to_be_merged(release, tag, descent, findings, tools)
    head = objects.frozen_head(release)
    tip = await objects.prepare(release, tag, tools)
    plan = (
        PlannedRef(ref=branch_ref(release.branch), old=head, new=tip),
        PlannedRef(ref=tag_ref(tag.name), old=None, new=tag.object),
    )
    result = _in_the_dossier(proved, verdict.why, verdict.diagnostics)
    remembered = await asyncio.to_thread(proving.proved, StepName.AUDIT, [result], tools)
    return _passed(replace(release, tag=proved, plan=plan), proved, findings, plan, tools, remembered)


def _in_the_dossier(tag: Tag, why: str, diagnostics: tuple[str, ...]) -> Result:
    """Return what was proved of the tag; one that need not be signed and is not was not proved by a signature."""
    if not tag.signer:
        return Result.absent(tag.name, ProofName.TAG, why)
    return Result.of(tag.name, ProofName.TAG, Proven(why=why, signer=tag.signer, diagnostics=diagnostics))


def _to_be_merged(release: Release, tag: Tag, descent: Descent, findings: tuple[Finding, ...], tools: Tools) -> Failed:
    """Say that a release built on cherry-picks has to be merged, which no plan of ours can do yet."""
    why = (
        f"The release does not descend from the frozen head. Its {len(descent.picked)} cherry-picks are all on {release.branch} too, "
        "each with the same patch, and picking it again from there gives exactly the same tree. "
        "So it has to be merged, which this bot cannot do yet: nothing is pushed."
    )
    facts = (Checked(step="audit", subject=tag.object, findings=findings),)
    advice = f"Abort this release, then merge and push {tag.name} by hand; or cut it again from the frozen head."
    return Failed(why=why, diagnostics=(advice,), retryable=False, look_again=tools.poll(), facts=facts)


async def _difference(release: Release, tag: Tag, base: str, tools: Tools) -> tuple[Finding, ...]:
    """Return what the rules say about every file that differs between the base and the tag's commit."""
    changes = await tools.git.diff(base, tag.commit)
    sides = {(one, mode) for change in changes for one, mode in ((change.old_id, change.old_mode), (change.new_id, change.new_mode))}
    # A submodule has no content here, and what is too large is told by its name and not read.
    sizes = await tools.git.sizes([one for one, mode in sides if one and mode != SUBMODULE])
    if limit := too_much(len(changes), sum(sizes.values())):
        return (limit,)
    contents = await tools.git.blobs([one for one, size in sizes.items() if size <= LARGEST_FILE])
    files = [
        FileChange(
            path=change.path,
            old_mode=change.old_mode,
            new_mode=change.new_mode,
            old=contents.get(change.old_id) if change.old_id else None,
            new=contents.get(change.new_id) if change.new_id else None,
        )
        for change in changes
    ]
    everything = await tools.git.diff(EMPTY_TREE, tag.commit)
    context = Context(
        version=release.version,
        series=release.series,
        pep=await _pep(release, tools),
        leftover_fragments=tuple(entry.path for entry in everything if entry.path.startswith(FRAGMENTS)),
        cherry_picked=base != objects.frozen_head(release),
        tagged=tag.dated.date() if tag.dated else None,
    )
    # Hundreds of files may have to be compared, which must not hold up everything else.
    return await asyncio.to_thread(audit, files, context, tools.profile.audit.rules)


async def _pep(release: Release, tools: Tools) -> int | None:
    cycle = (await tools.peps.release_cycle()).get(release.series)
    return cycle.pep if cycle else None


def _passed(
    release: Release, tag: Tag, findings: tuple[Finding, ...], plan: tuple[PlannedRef, ...], tools: Tools, *proved: Proved
) -> Passed:
    open_ones = sum(finding.severity is not Severity.EXPLAINED for finding in findings)
    signed = f"signed ({tag.signature}) by {tag.signer}" if tag.signer else "not signed, which this series allows"
    facts: tuple[Fact, ...] = (
        (Checked(step="audit", subject=tag.object, findings=findings), TagProved(tag=tag), Planned(plan=plan), *proved) if plan else ()
    )
    return Passed(
        why=f"The tag is {signed}; {len(findings) - open_ones} of {len(findings)} findings are explained by rules.",
        evidence=(
            Evidence(
                what="difference", value=tag.commit, url=tools.page(tag.fork, "compare", f"{objects.frozen_head(release)}...{tag.commit}")
            ),
            Evidence(what="signature", value=tag.signature),
            Evidence(what="push plan", value=plan_digest(tag.object, release.plan)),
        ),
        facts=facts,
    )


def _refused(why: str, diagnostics: tuple[str, ...], tools: Tools) -> Failed:
    advice = "Make the tag anew and push it to the fork: another tag object opens the next attempt by itself."
    return Failed(why=why, diagnostics=(*filter(None, diagnostics), advice), retryable=False, look_again=tools.poll())
