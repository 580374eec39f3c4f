"""Pin what is released of a package, check that it is ready, and make its tag: the result is the push plan (invariant I1).

1. The head of the branch at the first look, which may move on afterwards.
2. The package's folder and its pipeline's source: exactly one of each, else nothing is pinned and it is looked at again.
3. The list of artifacts, version, changelog and readme; and on PyPI, whether this is a first release, and who owns the project.
4. The tag of that commit, made of nothing but commit and version; nothing but it is pushed at the end.

What is found is decided by people. When it was mended on the branch, ``/release retry package-tag`` pins the head as it is by then.
"""

from collections.abc import Sequence
from typing import Final

from bot.packages import on_pypi, own_tag
from bot.packages import source as package_source
from bot.packages.rules import Unfit
from bot.release.facts import Checked, Fact, Finding, Planned, PlannedRef, ProofRow, Proved, Severity, Tag, TagProved, TagSeen
from bot.release.gate import plan_digest
from bot.release.ids import CommitId, tag_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.tools import Tools
from bot.verify.result import ProofName, Verdict

STEP: Final = "package-tag"


async def advance(release: Release, tools: Tools) -> Outcome:
    """Pin the tag of the package, or see that it is pinned."""
    tag = release.tag
    # From here on files may be public, or the tag upstream: no other commit can take its place.
    anew = release.retry == STEP and release.go is None and not await tools.door.intended("push", "push")
    if tag is not None and not anew:
        found = next((checked.findings for checked in release.checked if (checked.step, checked.subject) == (STEP, tag.object)), None)
        if found is not None and release.plan:
            return _passed(tag, found, release.plan, tools)
    head = tag.commit if tag is not None and not anew else await own_tag.head_of(release, tools)
    if head is None:
        why = f"There is no branch {release.branch} in {release.repository}, so nothing can be released from it."
        return Failed(why=why, retryable=False, look_again=tools.poll())
    return await _pin(release, head, tools)


async def _pin(release: Release, head: CommitId, tools: Tools) -> Outcome:
    name = release.version.tag
    if await tools.github.ref(release.repository, tag_ref(name)) is not None:
        why = f"{name} exists in {release.repository} already, and what is released is never tagged anew: take the next version."
        return Failed(why=why, retryable=False, look_again=tools.poll())
    try:
        where = await package_source.layout(release, head, tools)
        findings = await package_source.findings(release, head, where, tools)
    except Unfit as unfit:
        return Failed(why=str(unfit), retryable=False, look_again=tools.poll())
    findings = (*findings, *await on_pypi.findings_before(release, tools))
    tag = await own_tag.make(release, head, tools)
    plan = (PlannedRef(ref=tag_ref(tag.name), old=None, new=tag.object),)
    checked = Checked(step=STEP, subject=tag.object, findings=findings)
    facts = (TagSeen(tag=tag), TagProved(tag=tag), checked, Planned(plan=plan), _proved(release, tag, tools))
    return _passed(tag, findings, plan, tools, *facts)


def _proved(release: Release, tag: Tag, tools: Tools) -> Proved:
    why = f"I made it of nothing but its name and {tag.commit}, which is on {release.branch}: it has this id whenever it is made."
    row = ProofRow(subject=tag.name, proof=ProofName.TAG, verdict=Verdict.VERIFIED, why=why)
    return Proved(step=STEP, at=tools.now(), results=(row,))


def _passed(tag: Tag, findings: Sequence[Finding], plan: Sequence[PlannedRef], tools: Tools, *facts: Fact) -> Passed:
    open_ones = [finding for finding in findings if finding.severity is not Severity.EXPLAINED]
    mend = f" What is mended on the branch counts after `/release retry {STEP}`." if open_ones else ""
    return Passed(
        why=f"The commit {tag.commit} is pinned, and {tag.name} was made of it: the tag object {tag.object}.{mend}",
        evidence=(
            Evidence(what="commit", value=tag.commit, url=tools.page(tag.fork, "commit", tag.commit)),
            Evidence(what="tag object", value=tag.object),
            Evidence(what="push plan", value=plan_digest(tag.object, plan)),
            *(Evidence(what=f"{finding.rule} ({finding.severity})", value=finding.what) for finding in findings),
        ),
        facts=tuple(facts),
    )
