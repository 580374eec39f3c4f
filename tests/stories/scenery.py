"""Put into the world what is there before a story begins."""

import asyncio

from bot.rehearsal.person import Account
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.release_tools import add_release_tools
from bot.rehearsal.schedule_repository import add_schedule
from bot.rehearsal.stage import UPSTREAM, Stage
from bot.rehearsal.world import World


async def populate(world: World, setting: Stage, *, whole: bool = False) -> ReleaseManager:
    """Put people, repositories, builders and the lifecycle into the world; for a ``whole`` release also what it is built with."""
    github, manager = world.github, setting.manager
    people = [manager, *setting.others]
    for player in people:
        github.add_user(player.login, id=player.id)
    for login in ("stranger", "coredev"):
        github.add_user(login)
    logins = [player.login for player in people]
    organization, slug = setting.team
    github.add_team(organization, slug, members=logins)
    labels = ("release-blocker", "deferred-blocker", "3.13", "3.14", "3.15")
    committers = [*logins, "coredev"]
    await github.add_repository(UPSTREAM, source=setting.tree.path, committers=committers, administrators=["coredev"], labels=labels)
    github.install(UPSTREAM)
    for player in people:
        if player.fork:
            await github.add_repository(player.fork, fork_of=UPSTREAM)
    for series, status in setting.tree.setting.statuses.items():
        world.peps.set(series, status=status, release_manager=setting.managers_by_series[series])
    world.peps.plan(str(setting.version), day=world.now().date())
    branch = setting.version.branch
    for number, tier in enumerate(("tier-1", "tier-2", "tier-3")):
        world.buildbot.add_builder(f"builder {number}", "3.x" if branch == "main" else branch, "stable", tier)
        world.buildbot.finish(f"builder {number}")
    if whole:
        await add_release_tools(world, setting.manager.login)
    if 'name = "wrap-up"' in setting.profile.read_text(encoding="utf-8"):
        await add_schedule(world, setting.manager.login)
    return await hands_of(world, setting.manager.login, setting)


async def hands_of(world: World, login: str, setting: Stage) -> ReleaseManager:
    """Return the hands of somebody with a fork."""
    player = next(one for one in (setting.manager, *setting.others) if one.login == login)
    account = Account(login=login, token=world.github.person_token(login), identity=player.identity)
    home = world.directory / "people" / login
    github = world.github
    return await asyncio.to_thread(
        lambda: ReleaseManager(account, home=home, upstream=github.clone_url(UPSTREAM), fork=github.clone_url(player.fork))
    )
