"""Hold what the profile says of a series against what is published about it now, and show every disagreement.

1. The status, the branch and the release manager: https://peps.python.org/api/release-cycle.json.
2. Whether this version is expected about now: https://peps.python.org/api/python-releases.json.
3. Who may sign: by the series, not by who happens to make the release (https://www.python.org/downloads/metadata/sigstore/).
4. Whose forks the workflow that builds takes its sources from, as its file says at this moment.

Whatever cannot be read is shown as such, and never passed over.
"""

import re
from typing import Final

from bot.errors import Unavailable, UserError
from bot.profile import Person
from bot.profile.builders import Workflow
from bot.profile.types import KindSource, StepName
from bot.release import schedule
from bot.release.facts import Checked, Finding, Severity
from bot.release.ids import Repository
from bot.release.model import Release
from bot.release.version import Kind, Level, SeriesStatus, fits
from bot.services.peps import ScheduledRelease, SeriesCycle
from bot.tools import Tools

CHECK: Final = "live data"

WORKFLOWS: Final = ".github/workflows"
"""Where GitHub has workflows: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax."""

_END: Final = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")
_OPTIONS: Final = r"(?m)^(?P<margin> +){}:[ ]*\n(?P<body>(?:(?P=margin) +.*\n|[ ]*\n)*)"
_OPTION: Final = re.compile(r"(?m)^ +- +['\"]?(?P<option>[A-Za-z0-9-]+)['\"]?[ ]*$")


async def findings(release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return every disagreement; one that asks for a person is to be acknowledged, everything else is only shown.

    That the end of a series is not due has to be waived. Raises Unavailable where nobody knows when it is.
    """
    if release.version.package:
        return ()
    live = tools.profile.project.kind_source is KindSource.PEPS
    return (
        *(await _of_the_cycle(release, tools) if live else _of_who_signs(release, tools.profile.manager_of(release.series), tools)),
        *(await _of_the_schedule(release, tools) if live and release.version.level is not Level.END else ()),
        *await _of_the_forks(release, tools),
    )


async def flipped(step: StepName, release: Release, tools: Tools) -> tuple[Checked, ...]:
    """Return what a step that waits for a person shows of a status that changed since the release was started; its kind stays."""
    if release.version.package or release.status is None or tools.profile.project.kind_source is not KindSource.PEPS:
        return ()
    try:
        cycle = (await tools.peps.release_cycle()).get(release.series)
    except Unavailable:
        # What was seen before still stands; nobody decides by this.
        return ()
    now = SeriesStatus(cycle.status) if cycle else release.status
    what = f"{release.series} was {release.status} when this release was started and is {now} now; its kind, {release.kind}, stays."
    found = () if now is release.status else (_shown("status", what),)
    if not found and not release.findings(step):
        return ()
    return (Checked(step=step, subject=release.tag.object if release.tag else "", findings=found),)


# --- status, branch and manager


async def _of_the_cycle(release: Release, tools: Tools) -> tuple[Finding, ...]:
    series = release.series
    try:
        cycle = (await tools.peps.release_cycle()).get(series)
    except Unavailable:
        if release.kind is Kind.END_OF_LIFE:
            # Nobody can take note of something that nobody knows: a series that lives on would be ended.
            raise
        return (_to_look_at("source", f"The published life cycle cannot be read now: nobody knows status, branch, manager of {series}."),)
    if cycle is None:
        return (_to_look_at("source", f"The published life cycle does not know the series {series}."),)
    manager = tools.profile.by_name(cycle.release_manager)
    return (
        *_of_the_status(release, SeriesStatus(cycle.status)),
        *_of_the_end(release, cycle.end_of_life),
        *_of_the_branch(release, cycle),
        *_of_the_manager(release, cycle.release_manager, manager),
        *_of_who_signs(release, manager, tools),
    )


def _of_the_status(release: Release, status: SeriesStatus) -> tuple[Finding, ...]:
    if release.status not in (None, status):
        what = f"{release.series} was {release.status} when this release was started and is {status} now; its kind, {release.kind}, stays."
        return (_to_look_at("status", what),)
    if fits(release.kind, release.version, status):
        return ()
    what = f"{release.series} is {status}, in which no {release.kind} is expected; it is one because {release.starter.login} said so."
    return (_shown("status", what),)


def _of_the_end(release: Release, end: str) -> tuple[Finding, ...]:
    """Tell of a series that is ended before its time: its branch would be deleted while it still gets security fixes."""
    today = release.opened.date().isoformat()
    if release.kind is not Kind.END_OF_LIFE or (_END.fullmatch(end) and today[: len(end)] >= end):
        return ()
    what = f"{release.series} gets security fixes until {end}, by the published life cycle, so its end is not due on {today}."
    return (Finding(check="end-of-life", rule="day", severity=Severity.WAIVER, what=what, subject=(end,)),)


def _of_the_branch(release: Release, cycle: SeriesCycle) -> tuple[Finding, ...]:
    # On the day of the first beta the data is changed by hand, before or after it.
    wanted = {release.branch, release.series} if release.kind is Kind.FIRST_BETA else {release.branch}
    if cycle.branch in wanted:
        return ()
    what = f"The published life cycle says that {release.series} lives on {cycle.branch or 'no branch'}; this is cut from {release.branch}."
    return (_to_look_at("branch", what),)


def _of_the_manager(release: Release, name: str, manager: Person | None) -> tuple[Finding, ...]:
    if manager is None:
        what = f"{name} manages {release.series}, whom the profile does not know: nobody tells them, and their tags are not looked for."
        return (_to_look_at("manager", what),)
    if manager.id == release.starter.id:
        return ()
    unknown = "" if manager.id else " The profile does not know the number of their account, so they are not obeyed."
    what = f"{release.starter.login} stands in for {manager.login}, who manages {release.series}: the tag may be either's.{unknown}"
    return (_shown("manager", what),)


def _of_who_signs(release: Release, manager: Person | None, tools: Tools) -> tuple[Finding, ...]:
    """Say who cannot sign what has to be signed in the name of the series."""
    series = tools.profile.series_of(release.version)
    wanted = series.sigstore if release.has_step(StepName.PUBLICATION) else None
    starter = tools.profile.person(release.starter.id)
    found = []
    if wanted and manager and wanted not in manager.oidc:
        what = f"The files of {release.series} are to be signed by {wanted.identity}, which is no login of {manager.login}, who manages it."
        found.append(_to_look_at("sigstore", what))
    if wanted and starter and starter != manager and wanted not in starter.oidc:
        who = manager.login if manager and wanted in manager.oidc else f"the owner of {wanted.identity}"
        what = f"{starter.login} cannot sign files of {release.series}: only {wanted.identity} counts, so {who} has to sign them."
        found.append(_to_look_at("sigstore", what))
    if series.signature == "required" and starter and not (starter.pgp_fingerprints or starter.ssh_keys or starter.oidc):
        what = f"The tag of {release.version} has to be signed, and the profile knows no key of {starter.login}."
        found.append(_to_look_at("key", what))
    return tuple(found)


# --- the schedule


async def _of_the_schedule(release: Release, tools: Tools) -> tuple[Finding, ...]:
    try:
        known = (await tools.peps.schedule()).get(release.series, [])
    except Unavailable:
        return (_shown("schedule", f"The published schedule cannot be read now: nobody knows whether {release.version} is expected."),)
    what = schedule.disagreement(release.version, planned(known), release.opened.date())
    return (_shown("schedule", what),) if what else ()


def planned(releases: list[ScheduledRelease]) -> tuple[schedule.Planned, ...]:
    """Return the releases of the schedule that have a version."""
    named = ((schedule.version_of(one.stage), one) for one in releases)
    return tuple(schedule.Planned(version=version, day=one.date, made=one.state == "actual") for version, one in named if version)


# --- the forks that are built from


async def _of_the_forks(release: Release, tools: Tools) -> tuple[Finding, ...]:
    workflow = tools.profile.workflow
    name = next((name for name, value in workflow.inputs.items() if value == "{owner}"), None) if workflow else None
    starter = tools.profile.person(release.starter.id)
    builds = release.has_step(StepName.SOURCE)
    if not builds or workflow is None or name is None or starter is None or not starter.forks:
        return ()
    try:
        accepted = await _accepted(workflow, name, tools)
    except (Unavailable, UserError):
        accepted = ()
    if not accepted:
        return (_shown("fork", f"Whose forks {workflow.file} builds from could not be read from {workflow.repository}."),)
    owners = [fork.partition("/")[0] for fork in starter.forks]
    if {owner.casefold() for owner in owners} & {owner.casefold() for owner in accepted}:
        return ()
    what = f"{workflow.file} builds from the forks of {', '.join(accepted)} only, not from that of {', '.join(owners)}."
    return (_to_look_at("fork", what),)


async def _accepted(workflow: Workflow, name: str, tools: Tools) -> tuple[str, ...]:
    """Return the choices of an input of the workflow; none where they cannot be made out."""
    file = await tools.github.file(Repository(workflow.repository), f"{WORKFLOWS}/{workflow.file}", workflow.ref)
    return choices(file.decode(errors="replace") if file else "", name)


def choices(file: str, name: str) -> tuple[str, ...]:
    """Return the options of an input of type ``choice`` in the text of a workflow file."""
    block = re.search(_OPTIONS.format(re.escape(name)), f"{file}\n")
    options = re.search(_OPTIONS.format("options"), block["body"]) if block else None
    return tuple(match["option"] for match in _OPTION.finditer(options["body"])) if options else ()


def _shown(rule: str, what: str) -> Finding:
    return Finding(check=CHECK, rule=rule, severity=Severity.EXPLAINED, what=what)


def _to_look_at(rule: str, what: str) -> Finding:
    return Finding(check=CHECK, rule=rule, severity=Severity.ACKNOWLEDGE, what=what)
