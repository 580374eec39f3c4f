"""Play the release of one package in a world of its own."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bot.rehearsal.calls import FOR_PACKAGES, calls
from bot.rehearsal.inspection import counted
from bot.rehearsal.performance import Look, Performance
from bot.rehearsal.sdk_cast import SdkApprover, SdkLead, SdkScene
from bot.rehearsal.sdk_inspection import sdk_problems
from bot.rehearsal.sdk_machinery import SdkMachines
from bot.rehearsal.sdk_stage import UPSTREAM, SdkStage, populated_sdk
from bot.rehearsal.timeline import Timeline, Verdict
from bot.rehearsal.world import World

Running = Callable[[World, Path, Sequence[str]], AbstractAsyncContextManager[list[Look]]]
"""Runs the bot in a world with a profile, and gives how to look at the releases whose pages have these names."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When to give up, the longest time between two looks, and how long without news it takes until it is said what is waited for."""

    time_out: float
    pause: float
    patience: float


async def play_package(
    setting: SdkStage, world: World, timeline: Timeline, running: Running, waits: Patience, faults: Sequence[str]
) -> Verdict:
    """Carry one package to PyPI and its tag upstream, and tell how it went; ``faults`` is what the bot complained of until the end."""
    machines = await populated(world, setting)
    before, begun = await world.github.refs(UPSTREAM), len(world.log)
    scene = SdkScene(world=world, stage=setting, timeline=timeline, upstream=UPSTREAM)
    late = []
    async with running(world, setting.profile, [f"{setting.project}/{setting.tag}"]) as (look,):
        played = Performance(scene, SdkLead(scene), [SdkApprover(scene)], scene.people, look)
        try:
            async with asyncio.timeout(waits.time_out), machines.working():
                await played.play(pause=waits.pause, patience=waits.patience)
                await world.drain()
        except TimeoutError:
            late = [f"after {waits.time_out:g} s it still waited for {scene.awaited()}"]
        played.tell_news()
    found = [*late, *await sdk_problems(scene, before, begun), *faults]
    timeline.people(f"{setting.package} {setting.version}", scene.acts, scene.release, of_python=False)
    verdict = Verdict(problems=counted(found), seconds=timeline.seconds(), calls=calls(world, scene.people, FOR_PACKAGES))
    timeline.verdict(verdict)
    return verdict


async def populated(world: World, setting: SdkStage) -> SdkMachines:
    """Put everybody and everything into the world; give the machines that build there."""
    people = [player.login for player in setting.people]
    for player in setting.people:
        world.github.add_user(player.login, id=player.id)
    if setting.team is not None:
        organization, slug = setting.team
        world.github.add_team(organization, slug, members=people)
    # Everybody who releases can put themselves into the group: https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md
    return await populated_sdk(world, setting.tree, people=people, approvers=people, bot_approves=setting.bot_approves)
