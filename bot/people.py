"""Fetch the facts about a person on which authority rests, at the moment of acting and by numeric id (invariant I6)."""

from bot.authority import Refused as NotAllowed
from bot.authority import Speaker, judge
from bot.command_types import Command
from bot.profile import Profile
from bot.release.model import Actor, Release
from bot.services.github import GitHub
from bot.services.github.shapes import User
from bot.tools import Tools


async def speaker(user: User, profile: Profile, github: GitHub, *, through_app: bool = False) -> Speaker:
    """Return what is known about an account now; raise Unavailable when GitHub cannot say."""
    return Speaker(
        id=user.id,
        login=user.login,
        is_bot=user.is_bot,
        through_app=through_app,
        roles=profile.roles_of(user.id),
        team_member=await _in_team(user.login, profile, github),
    )


async def _in_team(login: str, profile: Profile, github: GitHub) -> bool | None:
    """Tell whether the account is an active member of the profile's team; None for a profile without one, which trusts its own list."""
    if profile.project.team is None:
        return None
    organisation, _, slug = profile.project.team.partition("/")
    return await github.team_membership(organisation, slug, login) == "active"


async def no_longer_entitled(command: Command, by: Actor, release: Release, tools: Tools) -> str:
    """Return why the person who gave a command may no longer do so, or an empty string."""
    user = await tools.github.user(by.id)
    if user is None:
        return f"the account {by.login} ({by.id}) is gone."
    judgement = judge(command, await speaker(user, tools.profile, tools.github), release)
    return judgement.why if isinstance(judgement, NotAllowed) else ""
