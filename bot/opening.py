"""Open a release: find out what kind it is and whose, and claim its version, which is released only once, and its branch for this issue."""

from collections.abc import Mapping

from bot.command_types import Open
from bot.context import Context
from bot.desk import ACCEPTED, Desk
from bot.errors import Unavailable, UserError
from bot.hearing import Heard
from bot.journal import Json, Note, What
from bot.profile_types import KindSource
from bot.release import plan
from bot.release.ids import UserId, release_id
from bot.release.model import Actor, Goal, HumanAct, Promise, Release
from bot.release.rows import OPEN
from bot.release.version import Kind, SeriesStatus, branch_of, kind_of
from bot.state import dump, is_done
from bot.store.claim import Claim
from bot.words import answers


async def open_release(context: Context, claim: Claim, desk: Desk, command: Open, heard: Heard, present: Release | None) -> Release | None:
    """Return the release that the issue carries afterwards: the new one, the one it had, or None when the command is refused."""
    if present is not None:
        await desk.refuse(heard.comment, answers.second_release(present))
        return present
    try:
        release = await _new(context, desk, command, heard)
        await claim.open_release(
            version=str(release.version),
            branch=release.branch,
            state=dump(release),
            released=is_done,
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
    series = context.profile.series_of(version)
    status, manager = await _series(context, version.series)
    kind = command.kind or kind_of(version, status)
    if kind is Kind.FIRST_BETA:
        raise UserError(
            f"{version} begins a new branch, which this bot cannot make yet, so nothing was started; please release it by hand."
        )
    branch = branch_of(version) if branch_of(version) == "main" else series.branch
    release = Release(
        id=release_id(context.profile.name, version, context.profile.project.homes, desk.home, desk.issue),
        project=context.profile.name,
        repository=context.profile.project.repository,
        home=desk.home,
        issue=desk.issue,
        version=version,
        kind=kind,
        series=version.series,
        branch=branch,
        starter=heard.order.by,
        manager=manager,
        opened=heard.order.at,
        attempt_since=heard.order.at,
        promises=(Promise(comment=heard.comment.id, goal=Goal.RELEASED),),
        people=(_started(heard),),
        commands=(heard.obeyed(f"opened the release of {version}"),),
        heard=(heard.comment.id,),
    )
    return plan.align(release, context.specs, context.approvers)


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
