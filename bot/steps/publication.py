"""Confirm that python.org shows the release with all its files, and that every byte of them is the right one (invariant I1).

1. Nothing is asked for before python.org lists it: until then a person has to upload, register or publish.
2. Everything that is listed is read to its end and held against the list, the policy of the series, and what was built.
3. What is wrong is held by the gate. It is read again when the list changes, after a waiver, or when somebody asks for it; not by the
   clock, because asking for a file that is not there keeps it hidden (``bot.services.python_org.Missing``).
4. What holds nobody has to stay the same for a while and is then read again, every byte: only the second time counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot import publishing
from bot.authority import Role
from bot.profile_types import StepName
from bot.publication import ExpectedFile, FileGroup, Problem, Rule, findings_of, missing, named
from bot.publishing import NOTHING_READ, UNREAD, Listed
from bot.release.facts import Checked, Fact, Finding, PublicationSeen, Severity, Tag
from bot.release.gate import gate
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.plan import learn
from bot.tools import Tools, logins

EXPERTS: Final = {
    FileGroup.MACOS: Role.MACOS_EXPERT,
    FileGroup.WINDOWS_INSTALLER: Role.WINDOWS_EXPERT,
    FileGroup.WINDOWS_EMBEDDABLE: Role.WINDOWS_EXPERT,
    FileGroup.WINDOWS_MANIFEST: Role.WINDOWS_EXPERT,
}
"""Who makes files, beside the release managers."""

MOST_NAMES: Final = 10
"""How many files are named in one sentence."""


async def advance(release: Release, tools: Tools) -> Outcome:
    """Confirm the publication, or say what it lacks, what is wrong with it, or until when it has to stay as it is."""
    tag, seen = release.tag, release.publication
    if tag is None:
        return Failed(why="There is no tag, so nothing of it can be published.", retryable=True, look_again=tools.poll())
    asked = release.retry == StepName.PUBLICATION
    if seen and seen.again and not asked:
        return _confirmed(release, seen, seen.again)
    # 1. nothing is asked for before it is listed
    listed = await publishing.listed(release, tools)
    lacking = _incomplete(release, tag, listed, tools) if listed.release else _unpublished(release, tag, tools)
    if lacking:
        return lacking
    # 2. what was not read yet as it is listed now
    if seen is None or asked or seen.rows != listed.rows:
        return await _read(release, tag, listed, None, tools)
    # 3. what is wrong stays wrong
    if gate(release, StepName.PUBLICATION):
        return _found(release.findings(StepName.PUBLICATION), tools)
    # 4. only the second time counts
    if tools.now() < _due(seen, tools):
        return _staying(seen, tools)
    return await _read(release, tag, listed, seen, tools)


async def _read(release: Release, tag: Tag, listed: Listed, before: PublicationSeen | None, tools: Tools) -> Outcome:
    """Read everything; ``before`` is when it was read last, as it is listed now. What is found otherwise than then begins anew."""
    findings = await publishing.read(listed, release, tools)
    now = tools.now()
    if before is not None and findings == release.findings(StepName.PUBLICATION):
        confirmed = replace(before, again=now)
        return _confirmed(release, confirmed, now, confirmed)
    right = all(finding.severity is not Severity.WAIVER for finding in findings)
    checked = Checked(step=StepName.PUBLICATION, subject=tag.object, findings=findings)
    seen = PublicationSeen(rows=listed.rows, first=now, right=right)
    if gate(learn(release, checked, now), StepName.PUBLICATION):
        return _found(findings, tools, checked, seen)
    return _staying(seen, tools, checked, seen)


def _unpublished(release: Release, tag: Tag, tools: Tools) -> NeedsPerson:
    """Ask for the publication; the one of a release that was withdrawn is no longer known."""
    what = (
        f"python.org does not show {release.version.tag_message} to everybody yet; a draft does not count, whatever can be seen of it. "
        "Upload and sign its files, register them with `add_to_pydotorg.py`, and publish the release in the admin pages of python.org."
    )
    wanted = tuple(Evidence(what="wanted", value=file.name) for file in publishing.expected(release, tools.profile) if not file.optional)
    facts: tuple[Fact, ...] = _forgotten(release, tools)
    if release.findings(StepName.PUBLICATION):
        facts = (*facts, Checked(step=StepName.PUBLICATION, subject=tag.object, findings=()))
    return NeedsPerson(who=logins(tools.managers(release)), what=what, evidence=wanted, facts=facts, look_again=tools.poll())


def _incomplete(release: Release, tag: Tag, listed: Listed, tools: Tools) -> Waiting | NeedsPerson | None:
    """Ask for files that are not listed; None where there are none, or a second person let the release go without them.

    Files are listed one after the other, and all of them anew when one is wrong, so nobody is called as long as the list is changing.
    """
    expected = publishing.expected(release, tools.profile)
    lacking = sorted(missing(expected, listed.files), key=lambda file: file.name)
    findings = findings_of(Problem(rule=Rule.MISSING, what=file.name) for file in lacking)
    checked = Checked(step=StepName.PUBLICATION, subject=tag.object, findings=findings)
    if not lacking or gate(learn(release, checked, tools.now()), StepName.PUBLICATION) is None:
        return None
    seen = PublicationSeen(rows=UNREAD + listed.rows, first=tools.now(), right=False)
    before = release.publication
    if before is None or before.rows != seen.rows:
        return _changing(seen, tools, seen)
    if tools.now() < _due(before, tools):
        return _changing(before, tools)
    strange = {file.url for file in listed.files} - {file.url for file in expected}
    what = _lacks(release, tag, [f"`{file.name}`" for file in lacking], [named(url) for url in strange])
    evidence = tuple(Evidence(what="missing", value=file.name) for file in lacking)
    return NeedsPerson(who=_makers(release, lacking, tools), what=what, evidence=evidence, facts=(checked,), look_again=tools.poll())


def _changing(seen: PublicationSeen, tools: Tools, *facts: Fact) -> Waiting:
    until = _due(seen, tools)
    why = f"It lists the release without all of its files; whether more are to come is seen at {until:%Y-%m-%d %H:%M:%S} UTC."
    return Waiting(on="python.org", why=why, facts=facts, look_again=min(until, tools.poll()))


def _lacks(release: Release, tag: Tag, lacking: Sequence[str], strange: Sequence[str]) -> str:
    instead = f" It lists others that this release does not have: {_some(strange)}." if strange else ""
    return (
        f"python.org shows {release.version.tag_message} without files that it has to have: {_some(lacking)}.{instead} "
        "Upload and sign them, and register them with `add_to_pydotorg.py`. Only somebody who neither started the release nor tagged it "
        f"can let it go without them: `/release waive publication {tag.object} REASON`."
    )


def _some(names: Sequence[str]) -> str:
    """Return names in their order, as many as can be read in one sentence."""
    ordered = sorted(names)
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return f"{', '.join(ordered[:MOST_NAMES])}{more}"


def _makers(release: Release, files: Sequence[ExpectedFile], tools: Tools) -> tuple[str, ...]:
    """Return the logins of the release managers and of the experts whose files these are."""
    roles = sorted({EXPERTS[file.group] for file in files if file.group in EXPERTS})
    experts = (login for role in roles for login in tools.experts(role))
    return tuple(dict.fromkeys((*logins(tools.managers(release)), *experts)))


def _forgotten(release: Release, tools: Tools) -> tuple[Fact, ...]:
    """Return that nothing counts as read any more, where something did: what comes back has to be read twice again."""
    if release.publication is None or release.publication.rows == NOTHING_READ:
        return ()
    return (PublicationSeen(rows=NOTHING_READ, first=tools.now(), right=False),)


def _found(findings: Sequence[Finding], tools: Tools, *facts: Fact) -> Passed:
    """Leave what was found to the gate, and name all of it; the list is looked at again, for it may be mended."""
    evidence = tuple(Evidence(what=finding.rule, value=line) for finding in findings for line in finding.subject)
    return Passed(why="Everything that python.org lists was read to its end.", evidence=evidence, facts=facts, look_again=tools.poll())


def _staying(seen: PublicationSeen, tools: Tools, *facts: Fact) -> Waiting:
    until = _due(seen, tools)
    why = f"Everything that is listed was read; it has to stay as it is until {until:%Y-%m-%d %H:%M:%S} UTC and is then read again."
    return Waiting(on="python.org", why=why, facts=facts, look_again=min(until, tools.poll()))


def _due(seen: PublicationSeen, tools: Tools) -> datetime:
    return seen.first + timedelta(seconds=tools.profile.timing.confirm_gap)


def _confirmed(release: Release, seen: PublicationSeen, again: datetime, *facts: Fact) -> Passed:
    name = release.version.tag_message
    why = (
        f"Everything that python.org lists of {name} was read to its end twice, at {seen.first:%Y-%m-%d %H:%M:%S} and at "
        f"{again:%Y-%m-%d %H:%M:%S} UTC, and did not change in between."
    )
    page = Evidence(what="page of the release", value=name, url=f"https://www.python.org/downloads/release/{release.version.slug}/")
    files = tuple(Evidence(what="read twice", value=file) for file in publishing.names(seen.rows))
    return Passed(why=why, evidence=(page, *files), facts=facts)
