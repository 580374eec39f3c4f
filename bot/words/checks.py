"""The texts of check runs. Titles are plain text, summaries Markdown of at most 65,535 characters."""

from bot.release.gate import plan_digest
from bot.release.model import Release, StepState
from bot.release.outcomes import Evidence
from bot.words import markdown


def title(step: StepState) -> str:
    """Return the line beside the check's name."""
    return markdown.visible(step.why)[:200] or str(step.status)


def summary(release: Release, step: StepState) -> str:
    """Return what the step found, for a release manager to act on."""
    lines = [markdown.plain(step.why, 1500), "", *(f"- {markdown.plain(line)}" for line in step.diagnostics)]
    lines += [_shown(one) for one in step.evidence]
    findings = release.findings(step.name)
    if findings:
        lines += ["", "| Word | Rule | What |", "|-|-|-|"]
        lines += [f"| {one.severity} | {markdown.code(one.rule)} | {markdown.plain(one.what)} |" for one in findings]
    if step.name == "approve" and release.tag is not None:
        lines += ["", f"Push plan {markdown.code(plan_digest(release.tag.object, release.plan))}:"]
        lines += [
            f"- {markdown.code(line.ref)}: {markdown.code(line.old or 'absent')} → {markdown.code(line.new)}" for line in release.plan
        ]
    if step.say:
        lines += ["", f"Next, on issue {release.home}#{release.issue}:", markdown.fenced(step.say)]
    return markdown.clipped("\n".join(lines))


def _shown(evidence: Evidence) -> str:
    what = markdown.plain(evidence.what)
    return f"- {f'[{what}]({evidence.url})' if evidence.url else what}: {markdown.code(evidence.value)}"
