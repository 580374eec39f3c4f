"""Look, before anything is frozen, whether this version may be released and whether the bot could push it at the end.

1. The version: known series, branch there, natural successor, tag unused upstream.
2. Blocking labels, on issues and on pull requests (PEP 101, https://peps.python.org/pep-0101/).
3. Buildbots, by the tiers of PEP 11 (https://peps.python.org/pep-0011/).
4. The magic number, which must be settled when candidates begin.
5. Every rule of others on the branch and the tag: could the App pass it? And could what the freeze replaces be put back?
6. What is published about the series and its schedule: does the profile agree with it?
"""

from collections.abc import Sequence

from bot import freezing, live_data, passage
from bot.push_plan import first_beta
from bot.release.counting import counted
from bot.release.facts import Checked, Finding, Severity
from bot.release.ids import branch_ref, tag_ref
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, Outcome, Passed
from bot.release.version import Kind, Version, VersionError, numbers, sequence_problem, series_among
from bot.services.buildbot import Builder
from bot.services.github.shapes import Issue
from bot.tools import Tools
from bot.verify.release_diff import magic_number_problem

MAGIC_HEADER = "Include/internal/pycore_magic_number.h"
MAGIC_TEST = "Lib/test/test_importlib/test_util.py"


async def advance(release: Release, tools: Tools) -> Outcome:
    """Gather every reason against this release, before the branch is frozen."""
    head = await tools.github.ref(release.repository, branch_ref(release.branch))
    if head is None:
        why = f"There is no branch {release.branch} in {release.repository}, so {release.version} cannot be cut."
        return Failed(why=why, retryable=True, look_again=tools.poll())
    tags = await tools.github.matching_refs(release.repository, f"tags/{_before_number(release.version)}")
    name = tag_ref(release.version.tag)
    if any(target.ref == name for target in tags) or (_ends(release) and await tools.github.ref(release.repository, name)):
        why = f"The tag {release.version.tag} exists upstream already; take the next version, or recall that one first."
        return Failed(why=why, retryable=False, look_again=tools.poll())
    if not release.frozen and (there := await first_beta.already_there(release, tools)):
        return Failed(why=there, retryable=False, look_again=tools.poll())
    refusal = "" if release.frozen else await freezing.refusal(tools, release.repository, branch_ref(release.branch))
    if refusal:
        return Failed(why=refusal, retryable=False, look_again=tools.poll())
    findings = (
        *_sequence(release, [target.ref for target in tags]),
        *first_beta.next_series(release, tools),
        *await _blockers(release, tools),
        *await _buildbots(release, tools),
        *await _magic(release, tools),
        *await passage.findings(release, tools),
        *await live_data.findings(release, tools),
    )
    subject = _subject(release, head.id, findings)
    return Passed(
        why=_summary(release, findings),
        evidence=(
            Evidence(what=f"head of {release.branch}", value=head.id, url=tools.page(release.repository, "commit", head.id)),
            *(_evidence(finding) for finding in findings),
        ),
        facts=(Checked(step="preflight", subject=subject, findings=findings),),
        look_again=tools.poll(),
    )


def _ends(release: Release) -> bool:
    """Tell whether nothing is made of the branch any more but its last tag."""
    return release.kind is Kind.END_OF_LIFE


def _subject(release: Release, head: str, findings: tuple[Finding, ...]) -> str:
    """Return the head these findings were first seen at: the branch moves all day, and an acknowledgement must outlive that."""
    before = next((checked for checked in release.checked if checked.step == "preflight"), None)
    return before.subject if before and _holding(before.findings) == _holding(findings) else head


def _holding(findings: Sequence[Finding]) -> list[Finding]:
    """Return what somebody has to decide about; the rest comes and goes, with what cannot be read for a moment for instance."""
    return [finding for finding in findings if finding.severity is not Severity.EXPLAINED]


def _summary(release: Release, findings: Sequence[Finding]) -> str:
    of_python = "Version, blockers, buildbots, magic number, the rules of others and live data"
    looked_at = "Version and the rules of others" if release.version.package else of_python
    return f"{looked_at}: {counted(len(findings), 'finding') if findings else 'nothing speaks against this release'}."


def _evidence(finding: Finding) -> Evidence:
    return Evidence(what=f"{finding.check} ({finding.severity})", value=finding.what)


def _sequence(release: Release, refs: Sequence[str]) -> tuple[Finding, ...]:
    problem = sequence_problem(release.version, _versions(refs, release.version))
    if problem is None:
        return ()
    return (Finding(check="sequence", rule="successor", severity=Severity.ACKNOWLEDGE, what=problem),)


def _before_number(version: Version) -> str:
    """Return how the tags of a version's project begin, or of its package."""
    return f"{version.package}_" if version.package else "v"


def _versions(refs: Sequence[str], like: Version) -> list[Version]:
    versions = []
    start = f"refs/tags/{_before_number(like)}"
    for ref in refs:
        try:
            versions.append(Version.parse(ref.removeprefix(start), package=like.package))
        except VersionError:
            # Old tags such as v0.9.8 or v3.0a1 follow other grammars and say nothing about this series.
            continue
    return versions


async def _blockers(release: Release, tools: Tools) -> tuple[Finding, ...]:
    findings = []
    for blocker in tools.profile.preflight.blockers:
        if not blocker.stops(release.kind):
            continue
        for issue in await tools.github.open_issues(release.repository, blocker.label):
            finding = _blocker(release, blocker.label, issue)
            if finding:
                findings.append(finding)
    return tuple(findings)


def _blocker(release: Release, label: str, issue: Issue) -> Finding | None:
    series = series_among(issue.labels)
    what = f"{'pull request' if issue.is_pull_request else 'issue'} #{issue.number} “{issue.title}” is labelled {label}"
    subject = (f"{issue.number} {label}",)
    if release.series in series:
        return Finding(check="blockers", rule=label, severity=Severity.WAIVER, what=f"The {what} for {release.series}.", subject=subject)
    if not series:
        text = f"The {what} without naming a series: does it stop {release.version}?"
        return Finding(check="blockers", rule=label, severity=Severity.ACKNOWLEDGE, what=text, subject=subject)
    return None


async def _buildbots(release: Release, tools: Tools) -> tuple[Finding, ...]:
    if not tools.profile.preflight.buildbots or _ends(release):
        return ()
    builders = await tools.buildbot.release_status(release.branch)
    if not builders:
        what = f"No stable buildbot builds {release.branch}, so nothing is known about it."
        return (Finding(check="buildbots", rule="tiers", severity=Severity.ACKNOWLEDGE, what=what),)
    red = [builder for builder in builders if builder.failing]
    blocking = [builder for builder in red if builder.tier in tools.profile.preflight.blocking_tiers]
    concern = [builder for builder in red if builder not in blocking and tools.profile.preflight.other_builders == "concern"]
    return (
        *_red(blocking, "blocking tiers", Severity.ACKNOWLEDGE),
        *_red(concern, "other tiers", Severity.EXPLAINED),
    )


def _red(builders: Sequence[Builder], tier: str, severity: Severity) -> tuple[Finding, ...]:
    if not builders:
        return ()
    names = tuple(sorted(builder.name for builder in builders))
    what = f"{counted(len(names), f'stable buildbot of the {tier} is', f'stable buildbots of the {tier} are')} red: {', '.join(names)}."
    return (Finding(check="buildbots", rule=tier, severity=severity, what=what, count=len(names), subject=names),)


async def _magic(release: Release, tools: Tools) -> tuple[Finding, ...]:
    first = tools.profile.preflight.magic_number_from
    if first is None or _ends(release) or numbers(release.series) < numbers(first):
        return ()
    header = await tools.github.file(release.repository, MAGIC_HEADER, release.branch)
    test = await tools.github.file(release.repository, MAGIC_TEST, release.branch)
    finding = magic_number_problem(header or b"", test or b"", release.version)
    return (finding,) if finding else ()
