"""The world fails exactly where a story wants it to."""

import aiohttp
import pytest

from bot.rehearsal.faults import Fault, call, drop_after, drop_before, refuse
from bot.rehearsal.world import World
from tests.rehearsal.stranger import UPSTREAM, Stranger

ISSUES = f"/repos/{UPSTREAM}/issues"


async def test_a_refusal_happens_once_and_changes_nothing(world: World, stranger: Stranger) -> None:
    token = await stranger.token(issues="write")
    world.faults.add(Fault(action=refuse(503), method="POST", path=r"/issues$"))
    assert (await stranger.ask("POST", ISSUES, token, {"title": "One"})).status == 503
    assert not world.log
    assert (await stranger.ask("POST", ISSUES, token, {"title": "One"})).status == 201


async def test_an_answer_is_lost_before_or_after_the_deed(world: World, stranger: Stranger) -> None:
    token = await stranger.token(issues="write")
    world.faults.add(Fault(action=drop_before(), write=1))
    world.faults.add(Fault(action=drop_after(), write=2))
    for title in ("Never", "Done"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await stranger.ask("POST", ISSUES, token, {"title": title})
    assert world.log == ["github: python/cpython#1 opened by brother-maynard[bot]: Done"]


async def test_writes_are_numbered_and_the_hooks_see_the_world_before_and_after(world: World, stranger: Stranger) -> None:
    seen: list[tuple[str, int, str, int]] = []

    async def before(number: int, description: str) -> None:
        seen.append(("before", number, description, len(world.log)))

    async def after(number: int, description: str) -> None:
        seen.append(("after", number, description, len(world.log)))

    world.before_write, world.after_write = before, after
    token = await stranger.token(issues="write", contents="write")
    await stranger.ask("POST", ISSUES, token, {"title": "Release"})
    await stranger.clone()
    head = await stranger.commit("NEWS", "alpha 3\n")
    assert (await stranger.git("push", stranger.push_url(token), f"{head}:refs/heads/main")).code == 0
    assert seen == [
        ("before", 1, f"POST {ISSUES}", 0),
        ("after", 1, f"POST {ISSUES}", 1),
        ("before", 2, f"POST /{UPSTREAM}.git/git-receive-pack", 1),
        ("after", 2, f"POST /{UPSTREAM}.git/git-receive-pack", 2),
    ]


async def test_a_push_whose_answer_is_lost_has_happened(world: World, stranger: Stranger) -> None:
    await stranger.clone()
    head = await stranger.commit("NEWS", "alpha 3\n")
    world.faults.add(Fault(action=drop_after(), path="git-receive-pack", method="POST"))
    assert (await stranger.git("push", "origin", "main")).code != 0
    assert (await world.github.refs(UPSTREAM))["refs/heads/main"] == head


async def test_somebody_can_be_called_in_the_middle_and_faults_can_wait_their_turn(world: World, stranger: Stranger) -> None:
    called: list[int] = []

    async def note() -> None:
        called.append(len(world.log))

    token = await stranger.token(issues="write")
    world.faults.add(Fault(action=call(before=note, after=note), path="/issues$", skip=1, times=2))
    for title in ("One", "Two", "Three", "Four"):
        await stranger.ask("POST", ISSUES, token, {"title": title})
    assert called == [1, 2, 2, 3]
    assert world.counts["POST /repos/{owner}/{repo}/issues"] == 4
    assert [request.status for request in world.requests if request.path == ISSUES] == [201] * 4
