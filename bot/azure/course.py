"""Follow a run on Azure Pipelines: its stages, the people they wait for, and what they failed of.

Approvals are only read: they are what people are for.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.azure import trouble, words
from bot.azure.parameters import approvals
from bot.azure.view import GOOD, View, at_work, failed
from bot.profile.builders import AzurePlan
from bot.release.counting import counted
from bot.release.facts import Checked, Finding, RunSeen, Severity
from bot.release.model import Release
from bot.release.outcomes import Failed, NeedsPerson, Outcome, Waiting
from bot.services.azure_devops.shapes import (
    Approval,
    ApprovalId,
    ApprovalStatus,
    RunResult,
    Stage,
    WorkResult,
    WorkState,
)
from bot.tools import Tools


async def follow(step: str, view: View, release: Release, tools: Tools) -> Outcome | None:
    """Return what the stages that are looked at wait for or failed of; None when all of them have ended well."""
    bad = await trouble.gone_wrong(view, tools)
    if bad:
        again = await trouble.retry(step, bad, view, tools) if release.retry == step else None
        return again or trouble.failed_stages(step, bad, view, tools)
    if waiting := [stage for stage in view.stages if stage.approvals and stage.state is not WorkState.COMPLETED]:
        return await _approvals_wanted(waiting, view, release, tools)
    if view.stages and all(stage.state is WorkState.COMPLETED for stage in view.stages):
        skipped = [stage.name for stage in view.stages if stage.result not in GOOD]
        return _skipped(step, skipped, view, tools) if skipped else None
    return _cancelled_early(step, view, tools) if view.ended else at_work(view, tools)


def _skipped(step: str, skipped: Sequence[str], view: View, tools: Tools) -> Failed:
    why = f"The run {view.run.name} has ended, but skipped {words.listed(words.quoted(name) for name in skipped)}."
    return failed(step, why, view, tools)


def _cancelled_early(step: str, view: View, tools: Tools) -> Failed:
    result = view.run.result.value if view.run.result else "no result"
    return failed(step, f"The run {view.run.name} has ended with {words.quoted(result)} before its stages had.", view, tools)


def issues(step: str, subject: str, view: View) -> Checked:
    """Return the fact that a run ended well but for some issues, of which somebody has to take note."""
    told = [stage for stage in view.stages if stage.result is WorkResult.SUCCEEDED_WITH_ISSUES]
    findings = tuple(
        Finding(
            check=step,
            rule="issues",
            severity=Severity.ACKNOWLEDGE,
            what=f"The stage {words.quoted(stage.name)} of the run {view.run.name} ended well but for issues.",
            count=max(1, len(trouble.problems(stage))),
            subject=trouble.problems(stage),
        )
        for stage in told
    )
    if not findings and view.run.result is RunResult.PARTIALLY_SUCCEEDED:
        what = f"Azure says that the run {view.run.name} succeeded partially, and does not say which stage did not."
        findings = (Finding(check=step, rule="issues", severity=Severity.ACKNOWLEDGE, what=what),)
    return Checked(step=step, subject=subject, findings=findings)


# ---- people ----------------------------------------------------------------------------------------------------------------------------


_OPEN: Final = frozenset({ApprovalStatus.UNDEFINED, ApprovalStatus.UNINITIATED, ApprovalStatus.PENDING, ApprovalStatus.DEFERRED})


async def _approvals_wanted(stages: Sequence[Stage], view: View, release: Release, tools: Tools) -> NeedsPerson | Waiting:
    pending = [approval.id for stage in stages for approval in stage.approvals]
    approvals = {approval.id: approval for approval in await tools.azure.approvals(pending)}
    # What was approved since the stages were read is asked of nobody; an approval that is not told of may still be wanted.
    given = {approval.id for approval in approvals.values() if approval.status not in _OPEN}
    waiting = [stage for stage in stages if any(one.id not in given for one in stage.approvals)]
    if not waiting:
        return at_work(view, tools)
    wishes = [_wish(stage, approvals, view.run.name) for stage in waiting]
    asked = [identity for approval in approvals.values() for identity in approval.open_to]
    return NeedsPerson(
        who=words.experts(release, tools, asked),
        what=f"{'; '.join(wishes)}. {_expected(view, tools)}Approve {'it' if len(wishes) == 1 else 'them'} at {view.known.url}",
        look_again=words.later(tools),
        evidence=words.evidence(view.run, view.stages, tools),
        facts=(RunSeen(run=view.known),),
    )


def _expected(view: View, tools: Tools) -> str:
    """Return how many approvals the whole release takes on Azure; nothing where the profile does not tell."""
    policy = tools.profile.azure
    wanted = approvals(policy, dict(view.known.ordered)) if policy else ()
    if policy is None or not wanted:
        return ""
    # Only the stage that waits now stands out as it does everywhere else.
    names = {stage: stage for stage in wanted}
    if policy.plan is AzurePlan.TWO_RUNS and policy.publish_stage in names:
        names[policy.publish_stage] = f"after the go, {policy.publish_stage} of the run that publishes"
    return f"Windows takes {counted(len(names), 'approval')} in all, each asked for in its turn: {words.listed(names.values())}. "


def _wish(stage: Stage, approvals: Mapping[ApprovalId, Approval], name: str) -> str:
    told = [approvals[one.id] for one in stage.approvals if one.id in approvals]
    since = min([approval.created for approval in told] or [one.since for one in stage.approvals if one.since], default=None)
    people = sorted({words.quoted(identity.name or identity.login) for approval in told for identity in approval.open_to})
    when = f" since {words.moment(since)}" if since else ""
    return f"The stage {words.quoted(stage.name)} of the run {name} waits for an approval{when} by {' or '.join(people) or 'its approvers'}"
