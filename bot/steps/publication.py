"""Confirm that python.org shows the release with all its files, and that every byte of them is the right one (invariant I1).

1. Nothing is asked for before python.org lists it: until then a person has to upload, register or publish.
2. Everything that is listed, with what is listed to vouch for it, is read to its end and held against the list, the policy of the
   series, and what was built; then its signatures, archives and their tie to the tag are proved (``bot.proving``). Where something
   cannot be read, what was read is remembered for a while, and what is missing for good: only the rest is asked for again.
3. What is wrong is held by the gate. It is read again when the list changes, after a waiver, or when somebody asks for it; not by the
   clock, because asking for a file that is not there keeps it hidden (``bot.services.python_org.Missing``).
4. What holds nobody has to stay the same for a while and is then read again, every byte: only the second time counts.
5. Nothing is read after that, unless somebody asks for it, or the push finds that the list changed or that it was read long ago. Once the
   release is out, all of it is confirmed again (``bot.confirming``).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot import checklists, elsewhere, proving, publishing
from bot.authority import Role
from bot.errors import Unavailable, UserError
from bot.profile.types import StepName
from bot.publication import ExpectedFile, FileGroup, Problem, Rule, findings_of, missing, named
from bot.publishing import BEGUN, NOTHING_READ, UNREAD, Listed, Reading
from bot.release.facts import Checked, Fact, Finding, Severity, Tag
from bot.release.gate import gate
from bot.release.model import Release
from bot.release.outcomes import Evidence, Failed, NeedsPerson, Outcome, Passed, Waiting
from bot.release.plan import learn
from bot.release.published import Ended, FileRead, PublicationSeen
from bot.shelf import Shelf
from bot.tools import Tools, logins
from bot.verify.result import Result, Verdict

EXPERTS: Final = {
    FileGroup.MACOS: Role.MACOS_EXPERT,
    FileGroup.WINDOWS_INSTALLER: Role.WINDOWS_EXPERT,
    FileGroup.WINDOWS_EMBEDDABLE: Role.WINDOWS_EXPERT,
    FileGroup.WINDOWS_MANIFEST: Role.WINDOWS_EXPERT,
}
"""Who makes files, beside the release managers."""


async def advance(release: Release, tools: Tools) -> Outcome:
    """Confirm the publication, or say what it lacks, what is wrong with it, or until when it has to stay as it is."""
    tag, seen = release.tag, release.publication
    if tag is None:
        return Failed(why="There is no tag, so nothing of it can be published.", retryable=True, look_again=tools.poll())
    asked = release.retry == StepName.PUBLICATION
    if seen and seen.again and not asked and proving.was_made(release):
        return _confirmed(release, seen, seen.again)
    # 1. nothing is asked for before it is listed
    listed = await publishing.listed(release, tools)
    lacking = _incomplete(release, tag, listed, tools) if listed.release else _unpublished(release, tag, tools)
    if lacking:
        return lacking
    # 2. what was not read yet as it is listed now
    if seen is None or asked or seen.rows != listed.rows or not proving.was_made(release):
        return await _read_and_prove(release, tag, listed, tools)
    # 3. what is wrong stays wrong
    if gate(release, StepName.PUBLICATION):
        return _found(release.findings(StepName.PUBLICATION), tools)
    # 4. only the second time counts, and not before it can be had from everywhere
    if tools.now() < _due(seen, tools):
        return _staying(seen, tools)
    packages = await elsewhere.packages(release.version, _packages(release, tools), tools.nuget)
    if late := _late(release, tag, seen, packages, tools):
        return late
    return await _read_again(release, tag, listed, seen, packages, tools)


async def _read_again(
    release: Release, tag: Tag, listed: Listed, before: PublicationSeen, packages: Sequence[Result], tools: Tools
) -> Outcome:
    """Read everything for the second time; what is found otherwise than before begins anew."""
    reading = await publishing.read(listed, _known(release, listed), release, tools)
    if reading.unread:
        return _unread(reading, listed, replace(before, partly=reading.known), tools)
    if (reading.findings, reading.content) != (proving.without(release.findings(StepName.PUBLICATION)), before.content):
        return await _read_and_prove(release, tag, listed, tools)
    now = tools.now()
    confirmed = replace(before, again=now, partly=(), files=reading.files, earlier=before.files)
    return _confirmed(release, confirmed, now, confirmed, *proving.more(release, packages))


async def _read_and_prove(release: Release, tag: Tag, listed: Listed, tools: Tools) -> Outcome:
    """Read everything for the first time, and prove it while it is on the disk."""
    shelf = Shelf.of(tools.home, release.id)
    known, now = _known(release, listed), tools.now()
    begun = PublicationSeen(rows=BEGUN + listed.rows, first=now, right=False, partly=known)
    try:
        reading = await publishing.read(listed, known, release, tools, shelf)
    except UserError as trouble:
        return Failed(why=str(trouble), retryable=False, look_again=tools.poll(), facts=(begun,))
    now = tools.now()
    begun = replace(begun, first=now, partly=reading.known)
    if reading.unread:
        return _unread(reading, listed, begun, tools)
    # Nothing is asked for a second time because something else is missing.
    held = replace(begun, partly=reading.files)
    try:
        report = await proving.prove(release, tag, listed, shelf, tools)
        beside = (await elsewhere.documentation(release.version, tools.docs),)
    except UserError as trouble:
        return Failed(why=str(trouble), retryable=False, look_again=tools.poll(), facts=(held,))
    except Unavailable as silence:
        look_again = max(silence.retry_at or tools.poll(), tools.poll())
        # It was heard: who asked for a look does not have all of it downloaded again at every try.
        return Waiting(on="an outside system", why=str(silence), look_again=look_again, facts=(held,))
    findings = (
        *reading.findings,
        *proving.findings(report, reading.findings),
        *elsewhere.findings(beside, check=StepName.PUBLICATION),
    )
    right = all(finding.severity is not Severity.WAIVER for finding in findings)
    checked = Checked(step=StepName.PUBLICATION, subject=tag.object, findings=findings)
    seen = PublicationSeen(rows=listed.rows, first=now, right=right, content=reading.content, files=reading.files, stated=listed.stated)
    facts = (checked, seen, await asyncio.to_thread(proving.proved, StepName.PUBLICATION, (*report.results, *beside), tools))
    await asyncio.to_thread(shelf.clear)
    if gate(learn(release, checked, now), StepName.PUBLICATION):
        return _found(findings, tools, *facts)
    return _staying(seen, tools, *facts)


def _packages(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return which packages the release has on NuGet: none where nothing is published for Windows."""
    return tools.profile.series_of(release.version).nuget if release.has_step(StepName.WINDOWS_PUBLISH) else ()


def _late(release: Release, tag: Tag, seen: PublicationSeen, packages: Sequence[Result], tools: Tools) -> Outcome | None:
    """Wait for what takes a while to appear, and after a patience let people decide; None where nothing is missing, or they did."""
    known = release.findings(StepName.PUBLICATION)
    missing = elsewhere.findings(packages, check=StepName.PUBLICATION)
    if not missing or any(finding.rule == elsewhere.NUGET for finding in known):
        return None
    until = seen.first + timedelta(seconds=tools.profile.timing.remind)
    if tools.now() < until:
        why = f"Everything on python.org was read; NuGet does not show the packages yet. Nobody is asked before {until:%Y-%m-%d %H:%M} UTC."
        return Waiting(on="NuGet", why=why, look_again=min(until, tools.poll()))
    checked = Checked(step=StepName.PUBLICATION, subject=tag.object, findings=(*known, *missing))
    return _found(checked.findings, tools, checked)


def _known(release: Release, listed: Listed) -> tuple[FileRead, ...]:
    """Return what was read already of this time of reading; nothing if somebody asked for a look, or the list is another one."""
    seen = release.publication
    if seen is None or release.retry == StepName.PUBLICATION or seen.rows not in (listed.rows, BEGUN + listed.rows):
        return ()
    return seen.partly


def _unread(reading: Reading, listed: Listed, seen: PublicationSeen, tools: Tools) -> Waiting:
    """Wait until the rest can be read, and as long as the site wants it."""
    why = (
        f"{len(reading.unread)} of the {publishing.asked_for(listed)} files that python.org lists, with those that vouch for them, cannot "
        "be read at the moment. What was read is remembered; only the rest is asked for again."
    )
    evidence = (
        *(Evidence(what="not read yet", value=f"{named(url)}: {trouble.why}") for url, trouble in reading.unread.items()),
        *(Evidence(what="not handed out", value=named(one.url)) for one in reading.known if one.ended is not Ended.READ),
    )
    wishes = (trouble.retry_at for trouble in reading.unread.values() if trouble.retry_at)
    look_again = max([tools.poll(), *wishes])
    return Waiting(on="python.org", why=why, evidence=evidence, facts=(seen,), look_again=look_again)


def _unpublished(release: Release, tag: Tag, tools: Tools) -> NeedsPerson:
    """Ask for the publication; the one of a release that was withdrawn is no longer known."""
    what = (
        f"python.org does not show {release.version.tag_message} to everybody yet; a draft does not count, whatever can be seen of it. "
        "Upload and sign its files, register them with `add_to_pydotorg.py`, and publish the release in the admin pages of python.org."
        f"{checklists.of_the_publication(release, tools.profile)}"
    )
    wanted = tuple(Evidence(what="wanted", value=file.name) for file in publishing.expected(release, tools.profile) if not file.optional)
    facts: tuple[Fact, ...] = _forgotten(release, tools)
    if release.findings(StepName.PUBLICATION):
        facts = (*facts, Checked(step=StepName.PUBLICATION, subject=tag.object, findings=()))
    return NeedsPerson(who=logins(tools.managers(release)), what=what, evidence=wanted, facts=facts, look_again=tools.poll())


def _incomplete(release: Release, tag: Tag, listed: Listed, tools: Tools) -> Waiting | NeedsPerson | None:
    """Ask for files that are not listed; None where there are none, or a second person let the release go without them.

    Files are listed one after the other, and all of them anew when one is wrong, so nobody is called as long as the list is changing. Who
    was called is not called again for every change, but stays asked until the list is complete.
    """
    expected = publishing.expected(release, tools.profile)
    lacking = sorted(missing(expected, listed.files), key=lambda file: file.name)
    checked = Checked(step=StepName.PUBLICATION, subject=tag.object, findings=_of_list(expected, lacking, listed))
    if not lacking or gate(learn(release, checked, tools.now()), StepName.PUBLICATION) is None:
        return None
    what = _lacks(release, tag)
    called = next((act for act in release.people if act.step == StepName.PUBLICATION and not act.done and act.what == what), None)
    before, seen = release.publication, PublicationSeen(rows=UNREAD + listed.rows, first=tools.now(), right=False)
    changed = before is None or before.rows != seen.rows
    if called is None and (before is None or changed):
        return _changing(seen, tools, seen)
    if called is None and before is not None and tools.now() < _due(before, tools):
        return _changing(before, tools)
    who = _makers(release, lacking, tools)
    return NeedsPerson(
        who=called.who if called and set(who) <= set(called.who) else who,
        what=what,
        evidence=tuple(Evidence(what="missing", value=file.name) for file in lacking),
        facts=(seen, checked) if changed else (checked,),
        look_again=tools.poll(),
    )


def _of_list(expected: Sequence[ExpectedFile], lacking: Sequence[ExpectedFile], listed: Listed) -> tuple[Finding, ...]:
    """Name the files that are not listed; and those that are listed in their place, perhaps, of which nothing has to be decided yet."""
    strange = {file.url for file in listed.files} - {file.url for file in expected}
    instead = findings_of(Problem(rule=Rule.UNKNOWN, what=named(url)) for url in strange)
    found = findings_of(Problem(rule=Rule.MISSING, what=file.name) for file in lacking)
    return (*found, *(replace(finding, severity=Severity.EXPLAINED) for finding in instead))


def _changing(seen: PublicationSeen, tools: Tools, *facts: Fact) -> Waiting:
    until = _due(seen, tools)
    why = f"It lists the release without all of its files; whether more are to come is seen at {until:%Y-%m-%d %H:%M:%S} UTC."
    return Waiting(on="python.org", why=why, facts=facts, look_again=min(until, tools.poll()))


def _lacks(release: Release, tag: Tag) -> str:
    """Say it without names, so that it stays the same from file to file."""
    return (
        f"python.org shows {release.version.tag_message} without all the files it has to have; those missing are named in the status. "
        "Upload and sign them, and register them with `add_to_pydotorg.py`. Only somebody who neither started the release nor tagged it "
        f"can let it go without them: `/release waive publication {tag.object} REASON`."
    )


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
        f"Everything that python.org lists of {name}, with what vouches for it, was read to its end twice, at "
        f"{seen.first:%Y-%m-%d %H:%M:%S} and at {again:%Y-%m-%d %H:%M:%S} UTC, and did not change in between. {_in_proofs(release)}"
    )
    page = Evidence(what="page of the release", value=name, url=f"https://www.python.org/downloads/release/{release.version.slug}/")
    files = tuple(Evidence(what="read twice", value=file) for file in publishing.names(seen.rows))
    return Passed(why=why, evidence=(page, *files), facts=facts)


def _in_proofs(release: Release) -> str:
    """Say how many proofs of signatures and contents were made, and how many of them were passed over by people."""
    results = next((proved.results for proved in release.proofs if proved.step == StepName.PUBLICATION), ())
    good = sum(Verdict(row.verdict).good for row in results)
    rest = len(results) - good
    open_ones = f"; {rest} could not be proved, and people took that upon themselves" if rest else ""
    return f"{good} of {len(results)} proofs of its signatures, archives and origins hold{open_ones}."
