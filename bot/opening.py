"""Open a release: find out what kind it is and whose, and claim its version, which is released only once, and its branch for this issue."""

from collections.abc import Mapping
from typing import Final

from bot.command_types import Open
from bot.context import Context
from bot.desk import ACCEPTED, Desk
from bot.errors import Unavailable, UserError
from bot.hearing import Heard
from bot.journal import Json, Note, What
from bot.profile.types import KindSource
from bot.release import course
from bot.release.ids import UserId, release_id
from bot.release.model import Actor, Goal, HumanAct, Promise, Release
from bot.release.rows import OPEN
from bot.release.version import Kind, SeriesStatus, branch_of, kind_of
from bot.state import dump, is_spent
from bot.store.claim import Claim
from bot.words import answers

PEPS: Final = "https://peps.python.org/api/release-cycle.json"


async def open_release(context: Context, claim: Claim, desk: Desk, command: Open, heard: Heard, present: Release | None) -> Release | None:
    """Return the release that the issue carries afterwards: the new one, the one it had, or None when the command is refused."""
    if present is not None:
        await desk.refuse(heard.comment, answers.second_release(present))
        return present
    try:
        release = await _new(context, desk, command, heard)
        await claim.open_release(
            version=str(release.version),
            # Releases that do not hold their branch still may be under way beside each other: hundreds of packages share one.
            branch=release.branch if context.profile.freeze.branch else release.version.tag,
            state=dump(release),
            released=is_spent,
            notes=[Note(actor=release.starter.login, what=What.HUMAN_ACT, details=_details(release))],
        )
    except UserError as error:
        await desk.refuse(heard.comment, str(error))
        return None
    await desk.react(heard.comment.id, ACCEPTED)
    return release


def _details(release: Release) -> Mapping[str, Json]:
    return {"what": f"opened the release of {release.version}", "kind": release.kind, "branch": release.branch, "issue": release.issue}


async def _new(context: Context, desk: Desk, command: Open, heard: Heard) -> Release:
    version = command.version
    if context.profile.package is not None and not version.package:
        raise UserError(f"{context.profile.name} releases packages, so {version} says not enough: write `/release PACKAGE {version}`.")
    series = context.profile.series_of(version)
    status, manager = (None, None) if version.package else await _series(context, version.series)
    kind = command.kind or kind_of(version, status)
    if kind is Kind.END_OF_LIFE and status not in (SeriesStatus.SECURITY, SeriesStatus.END_OF_LIFE):
        known = f"{version.series} has the status {status}" if status else f"The status of {version.series} could not be read"
        raise UserError(f"{known}, and only a series that got security fixes alone comes to its end: see {PEPS}.")
    from_main = not version.package and branch_of(version) == "main"
    release = Release(
        id=release_id(context.profile.name, version, context.profile.project.homes, desk.home, desk.issue),
        project=context.profile.name,
        repository=context.profile.project.repository,
        home=desk.home,
        issue=desk.issue,
        version=version,
        kind=kind,
        series=version.series,
        branch="main" if from_main else series.branch,
        starter=heard.order.by,
        manager=manager,
        status=status,
        opened=heard.order.at,
        attempt_since=heard.order.at,
        promises=(Promise(comment=heard.comment.id, goal=Goal.RELEASED),),
        people=(_started(heard),),
        commands=(heard.obeyed(f"opened the release of {version}"),),
        heard=(heard.comment.id,),
    )
    return course.align(release, context.specs, context.approvers)


def _started(heard: Heard) -> HumanAct:
    at = heard.order.at
    return HumanAct(step=OPEN, who=(heard.order.by.login,), what="Start the release.", since=at, done=at, told=1, told_at=at)


async def _series(context: Context, series: str) -> tuple[SeriesStatus | None, Actor | None]:
    """Return the status and the release manager of a series, read now; None for what cannot be known."""
    profile = context.profile
    if profile.project.kind_source is KindSource.PROFILE:
        person = profile.manager_of(series)
        return profile.series[series].status, Actor(id=UserId(person.id), login=person.login) if person else None
    try:
        cycle = (await context.peps.release_cycle()).get(series)
    except Unavailable:
        # kind_of asks the person to say --as where the version alone does not tell.
        return None, None
    if cycle is None:
        return None, None
    person = profile.by_name(cycle.release_manager)
    return SeriesStatus(cycle.status), Actor(id=UserId(person.id), login=person.login) if person else None
