"""The texts of check runs. Titles are plain text, summaries and texts Markdown of at most 65,535 characters, annotations plain text."""

from typing import Final

from bot.release.facts import Finding, Severity
from bot.release.gate import plan_digest
from bot.release.model import Release, StepState
from bot.release.outcomes import Evidence
from bot.release.signature import authenticated
from bot.services.github.shapes_checks import AnnotationLevel, CheckAnnotation
from bot.verify.release_diff import RULES
from bot.words import markdown

MOST_ANNOTATIONS: Final = 150
"""Lines beside which a check run says something; whoever has to look at more of them looks at the whole difference."""

_LONGEST_TITLE: Final = 255
_LONGEST_MESSAGE: Final = 4_000


def title(step: StepState) -> str:
    """Return the line beside the check's name."""
    return markdown.visible(step.why)[:200] or str(step.status)


def summary(release: Release, step: StepState) -> str:
    """Return what the step found, for a release manager to act on."""
    lines = [markdown.plain(step.why, 1500), "", *(f"- {markdown.plain(line)}" for line in step.diagnostics)]
    lines += [_shown(one) for one in step.evidence]
    if step.name in ("tag", "audit", "approve") and release.tag is not None:
        proof = authenticated(release)
        lines.append(f"- tag: {proof.how} {' or '.join(markdown.code(who) for who in proof.who)}".rstrip())
    findings = release.findings(step.name)
    lines += _open(release, step, [one for one in findings if one.severity is not Severity.EXPLAINED])
    lines += _explained([one for one in findings if one.severity is Severity.EXPLAINED])
    if step.name == "approve" and release.tag is not None:
        lines += ["", f"Push plan {markdown.code(plan_digest(release.tag.object, release.plan))}:"]
        lines += [
            f"- {markdown.code(line.ref)}: {markdown.code(line.old or 'absent')} → {markdown.code(line.new)}" for line in release.plan
        ]
    if step.say:
        lines += ["", f"Next, on issue {release.home}#{release.issue}:", markdown.fenced(step.say)]
    return markdown.clipped("\n".join(lines))


def text(release: Release, step: StepState) -> str:
    """Return everything that each finding stands for, by name; nothing where there is no finding."""
    lines = []
    for finding in release.findings(step.name):
        lines += ["", f"**{finding.severity}**, by the rule {markdown.code(finding.rule)}:", ""]
        lines += [f"- {markdown.code(subject)}" for subject in finding.subject]
    return markdown.clipped("\n".join(lines).strip())


def annotations(release: Release, step: StepState) -> tuple[CheckAnnotation, ...]:
    """Return what is said beside single lines, the gravest first: always the same of the same tag, because GitHub never forgets one."""
    findings = [finding for finding in release.findings(step.name) if finding.severity is not Severity.EXPLAINED]
    return tuple(one for finding in findings for one in _annotated(finding))[:MOST_ANNOTATIONS]


def _annotated(finding: Finding) -> list[CheckAnnotation]:
    level = AnnotationLevel.FAILURE if finding.severity is Severity.WAIVER else AnnotationLevel.WARNING
    name = f"{finding.check}, {finding.rule}: {finding.severity}"
    return [
        CheckAnnotation(
            path=_path(place.path),
            first=place.line,
            last=place.last,
            level=level,
            message=markdown.visible(place.message)[:_LONGEST_MESSAGE],
            title=name[:_LONGEST_TITLE],
        )
        for place in finding.places
    ]


def _path(path: str) -> str:
    """Return a path that can be sent, whatever somebody put into it; what differs from the real one is told by the message."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in path).lstrip("/ ") or "?"


def _open(release: Release, step: StepState, findings: list[Finding]) -> list[str]:
    """Tell what no rule explains, and who let it pass."""
    if not findings:
        return []
    lines = ["", "**What a person has to look at**", "", "| Word | Rule | Number | What |", "|-|-|-|-|"]
    lines += [f"| {one.severity} | {markdown.code(one.rule)} | {one.count} | {markdown.plain(one.what)} |" for one in findings]
    places, shown = sum(len(one.places) for one in findings), len(annotations(release, step))
    if shown:
        more = f" {places - shown} more are left out." if places > shown else ""
        lines += ["", f"{shown} places are annotated in the files.{more}"]
    checks = {one.check for one in findings}
    subjects = {checked.subject for checked in release.checked if checked.step == step.name}
    for waiver in release.waivers:
        if waiver.check in checks and waiver.sha in subjects:
            lines += ["", f"Waived by {markdown.code(waiver.by.login)}: {markdown.plain(waiver.reason)}"]
    return lines


def _explained(findings: list[Finding]) -> list[str]:
    """Tell what rules explain, and what that proves."""
    if not findings:
        return []
    lines = ["", "**What is explained**", "", "| Rule | Number | What it proves |", "|-|-|-|"]
    return lines + [f"| {markdown.code(one.rule)} | {one.count} | {markdown.plain(_proof(one))} |" for one in findings]


def _proof(finding: Finding) -> str:
    rule = RULES.get(finding.rule) if finding.check == "audit" else None
    return rule.proves if rule else finding.what


def _shown(evidence: Evidence) -> str:
    what = markdown.plain(evidence.what)
    return f"- {f'[{what}]({evidence.url})' if evidence.url else what}: {markdown.code(evidence.value)}"
