"""The buildbots and the PEP site answer in the shapes of the real ones."""

from bot.rehearsal.world import World
from tests.rehearsal.stranger import Stranger


async def test_the_buildbots_tell_their_newest_finished_builds(world: World, stranger: Stranger) -> None:
    world.buildbot.add_builder("AMD64 Debian 3.x", "3.x", "stable", "tier-1")
    world.buildbot.add_builder("s390x Fedora 3.14", "3.14", "stable", "tier-3")
    world.buildbot.finish("AMD64 Debian 3.x", 0, at=1_790_000_000)
    failed = world.buildbot.finish("AMD64 Debian 3.x", 2, at=1_790_000_900)
    world.buildbot.start("AMD64 Debian 3.x")
    base = f"{world.buildbot.url}/api/v2"
    async with stranger.session.get(f"{base}/builders?tags__contains=3.x") as answer:
        builders = await answer.json()
    assert [(builder["name"], builder["tags"]) for builder in builders["builders"]] == [("AMD64 Debian 3.x", ["3.x", "stable", "tier-1"])]
    builder = builders["builders"][0]["builderid"]
    async with stranger.session.get(f"{base}/builds?builderid={builder}&complete=true&order=-complete_at&limit=1") as answer:
        builds = await answer.json()
    assert builds["meta"] == {"total": 2}
    assert [(build["buildid"], build["results"], build["complete_at"]) for build in builds["builds"]] == [(failed.id, 2, 1_790_000_900)]


async def test_a_burst_is_answered_429(world: World, stranger: Stranger) -> None:
    statuses = []
    for _ in range(101):
        async with stranger.session.get(f"{world.buildbot.url}/api/v2/builders") as answer:
            statuses.append(answer.status)
    assert statuses == [200] * 100 + [429]


async def test_the_peps_tell_every_series_and_change_when_told(world: World, stranger: Stranger) -> None:
    world.peps.set("3.15", status="bugfix")
    async with stranger.session.get(f"{world.peps.url}/api/release-cycle.json") as answer:
        cycle = await answer.json()
    assert next(iter(cycle)) == "3.16"
    assert cycle["3.15"]["status"] == "bugfix"
    assert cycle["3.14"] == {
        "branch": "3.14",
        "pep": 745,
        "status": "bugfix",
        "first_release": "2025-10-07",
        "end_of_life": "2030-10",
        "release_manager": "Hugo van Kemenade",
    }


async def test_other_pages_are_violations(world: World, stranger: Stranger) -> None:
    for url in (f"{world.peps.url}/pep-0790/", f"{world.buildbot.url}/api/v2/masters"):
        async with stranger.session.get(url) as answer:
            assert answer.status == 404
    assert len(world.violations) == 2
