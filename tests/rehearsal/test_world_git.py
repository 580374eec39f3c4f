"""Real git pushes through the rules, or does not."""

import pytest

from bot.rehearsal.github import RuleViolation
from bot.rehearsal.world import World
from tests.rehearsal.stranger import FORK, UPSTREAM, Ear, Stranger

FREEZE = {
    "name": "release-freeze main #1 cpython-3.15.0a3-1",
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["refs/heads/main"], "exclude": []}},
    "rules": [{"type": "update"}, {"type": "deletion"}, {"type": "non_fast_forward"}],
}
TAG_FREEZE = {
    **FREEZE,
    "name": "release-freeze v3.15.0a3 #1 cpython-3.15.0a3-1",
    "target": "tag",
    "conditions": {"ref_name": {"include": ["refs/tags/v3.15.0a3"], "exclude": []}},
    "rules": [{"type": "creation"}, {"type": "update"}, {"type": "deletion"}],
}


async def freeze(stranger: Stranger) -> list[int]:
    token = await stranger.token(administration="write")
    bypass = [{"actor_type": "Integration", "actor_id": stranger.world.github.app.id, "bypass_mode": "always"}]
    made = [
        await stranger.ask("POST", f"/repos/{UPSTREAM}/rulesets", token, {**fields, "bypass_actors": bypass})
        for fields in (FREEZE, TAG_FREEZE)
    ]
    assert [answer.status for answer in made] == [201, 201], [answer.body for answer in made]
    assert {answer["current_user_can_bypass"] for answer in made} == {"always"}
    return [int(str(answer["id"])) for answer in made]


async def test_a_freeze_stops_committers_administrators_and_web_merges_but_not_the_app(world: World, stranger: Stranger, ear: Ear) -> None:
    await stranger.clone("encukou")
    before = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    await freeze(stranger)

    head = await stranger.commit("README.rst", "This is Python version 3.15.0 alpha 3\n")
    await stranger.git("tag", "--annotate", "--message", "Python 3.15.0a3", "v3.15.0a3")
    refused = await stranger.git("push", "origin", "main", "v3.15.0a3")
    assert refused.code != 0
    assert "GH013: Repository rule violations found for refs/heads/main." in refused.said
    assert "- Cannot update this protected ref." in refused.said
    assert "- Cannot create ref due to creations being restricted." in refused.said
    with pytest.raises(RuleViolation, match="Cannot update this protected ref"):
        await world.github.commit("hugovk", UPSTREAM, "main", {"Lib/os.py": "import sys\n"}, "gh-1: Change os")
    assert (await world.github.refs(UPSTREAM))["refs/heads/main"] == before

    token = await stranger.token(contents="write", workflows="write")
    leases = [f"--force-with-lease=refs/heads/main:{before}", "--force-with-lease=refs/tags/v3.15.0a3:"]
    refspecs = [f"{head}:refs/heads/main", "v3.15.0a3:refs/tags/v3.15.0a3"]
    pushed = await stranger.git("push", "--atomic", "--porcelain", *leases, stranger.push_url(token), *refspecs)
    assert pushed.code == 0, pushed.said
    refs = await world.github.refs(UPSTREAM)
    assert refs["refs/heads/main"] == head
    assert "refs/tags/v3.15.0a3" in refs
    await world.drain()
    assert ear.events() == ["repository_ruleset", "repository_ruleset", "push", "create", "push"]
    assert not world.violations


async def test_an_atomic_push_is_refused_whole(world: World, stranger: Stranger) -> None:
    await stranger.clone()
    before = await world.github.refs(UPSTREAM)
    world.github.add_ruleset("encukou", UPSTREAM, TAG_FREEZE)
    head = await stranger.commit("NEWS", "alpha 3\n")
    refused = await stranger.git("push", "--atomic", "origin", f"{head}:refs/heads/main", f"{head}:refs/tags/v3.15.0a3")
    assert refused.code != 0
    assert await world.github.refs(UPSTREAM) == before
    halved = await stranger.git("push", "origin", f"{head}:refs/heads/main", f"{head}:refs/tags/v3.15.0a3")
    assert halved.code != 0
    assert {ref for ref, value in (await world.github.refs(UPSTREAM)).items() if before.get(ref) != value} == {"refs/heads/main"}


async def test_the_app_needs_its_own_place_in_every_other_rule(world: World, stranger: Stranger) -> None:
    everywhere = {
        **FREEZE,
        "name": "signed off",
        "conditions": {"ref_name": {"include": ["refs/heads/3.*", "~DEFAULT_BRANCH"]}},
        "rules": [{"type": "pull_request"}],
    }
    world.github.add_ruleset("encukou", "python", everywhere)
    await freeze(stranger)
    await stranger.clone()
    head = await stranger.commit("NEWS", "alpha 3\n")
    token = await stranger.token(contents="write", workflows="write", administration="write")
    refused = await stranger.git("push", stranger.push_url(token), f"{head}:refs/heads/main")
    assert "- Changes must be made through a pull request." in refused.said

    listed = await stranger.ask("GET", f"/repos/{UPSTREAM}/rulesets?includes_parents=true", token)
    assert isinstance(listed.body, list)
    found = [await stranger.ask("GET", f"/repos/{UPSTREAM}/rulesets/{one['id']}", token) for one in listed.body]
    assert {one["name"]: one["current_user_can_bypass"] for one in found} == {
        "signed off": "never",
        FREEZE["name"]: "always",
        TAG_FREEZE["name"]: "always",
    }
    rules = await stranger.ask("GET", f"/repos/{UPSTREAM}/rules/branches/3.16", token)
    assert isinstance(rules.body, list)
    assert [(rule["type"], rule["ruleset_source_type"]) for rule in rules.body] == [("pull_request", "Organization")]


async def test_who_may_not_administer_does_not_see_the_bypass_list(stranger: Stranger) -> None:
    ruleset = (await freeze(stranger))[0]
    path = f"/repos/{UPSTREAM}/rulesets/{ruleset}"
    assert "bypass_actors" in (await stranger.ask("GET", path, await stranger.token(administration="write"))).body  # type: ignore[operator]  # a JSON object
    assert "bypass_actors" not in (await stranger.ask("GET", path, await stranger.token(metadata="read"))).body  # type: ignore[operator]  # a JSON object


async def test_names_of_rulesets_are_unique_and_deleting_twice_is_404(world: World, stranger: Stranger) -> None:
    ruleset = (await freeze(stranger))[0]
    token = await stranger.token(administration="write")
    again = await stranger.ask("POST", f"/repos/{UPSTREAM}/rulesets", token, FREEZE)
    assert (again.status, "Name must be unique" in str(again.body)) == (422, True)
    path = f"/repos/{UPSTREAM}/rulesets/{ruleset}"
    assert [(await stranger.ask("DELETE", path, token)).status for _ in range(2)] == [204, 404]
    assert [one.name for one in world.github.rulesets(UPSTREAM)] == [TAG_FREEZE["name"]]


async def test_classic_protection_stops_whom_it_does_not_name(world: World, stranger: Stranger) -> None:
    path = f"/repos/{UPSTREAM}/branches/3.14/protection"
    token = await stranger.token(administration="read")
    unprotected = await stranger.ask("GET", path, token)
    assert (unprotected.status, unprotected["message"]) == (404, "Branch not protected")
    world.github.protect(UPSTREAM, "3.14", {"restrictions": {"users": [], "teams": [], "apps": []}, "enforce_admins": {"enabled": True}})
    assert (await stranger.ask("GET", path, token)).status == 200
    await stranger.clone()
    head = await stranger.commit("NEWS", "3.14.7\n")
    refused = await stranger.git("push", "origin", f"{head}:refs/heads/3.14")
    assert "GH006: Protected branch update failed for refs/heads/3.14." in refused.said


async def test_people_push_to_their_own_fork_and_committers_upstream(world: World, stranger: Stranger) -> None:
    await stranger.clone(repository=FORK)
    head = await stranger.commit("NEWS", "alpha 3\n")
    for login, repository, expected in (
        ("hugovk", FORK, 0),
        ("hugovk", UPSTREAM, 0),
        ("stranger", FORK, 128),
        ("stranger", UPSTREAM, 128),
    ):
        pushed = await stranger.git("push", world.github.clone_url(repository, login), f"{head}:refs/heads/by-{login}")
        assert pushed.code == expected, pushed.said
    anonymous = await stranger.git("push", world.github.clone_url(FORK), f"{head}:refs/heads/nobody")
    assert anonymous.code != 0
    assert (await stranger.git("ls-remote", world.github.clone_url(FORK))).code == 0
    assert not world.violations


async def test_a_workflow_file_that_no_branch_has_needs_its_own_permission(world: World, stranger: Stranger) -> None:
    await stranger.clone()
    plain = await stranger.commit("NEWS", "alpha 3\n")
    without = stranger.push_url(await stranger.token(contents="write"))
    assert (await stranger.git("push", without, f"{plain}:refs/heads/main")).code == 0
    changed = await stranger.commit(".github/workflows/build.yml", "name: other\n")
    for ref in ("refs/heads/main", "refs/tags/v1"):
        refused = await stranger.git("push", without, f"{changed}:{ref}")
        assert "without `workflows` permission" in refused.said
    allowed = stranger.push_url(await stranger.token(contents="write", workflows="write"))
    assert (await stranger.git("push", allowed, f"{changed}:refs/heads/main")).code == 0
    assert not world.violations


async def test_a_token_that_may_not_write_contents_does_not_push(world: World, stranger: Stranger) -> None:
    await stranger.clone()
    head = await stranger.commit("NEWS", "alpha 3\n")
    for url in (stranger.push_url(await stranger.token(contents="read")), stranger.push_url(await stranger.token(contents="write"), FORK)):
        assert (await stranger.git("push", url, f"{head}:refs/heads/main")).code != 0
    assert len(world.violations) == 2


async def test_the_objects_of_a_fork_are_not_upstream(world: World, stranger: Stranger) -> None:
    await stranger.clone(repository=FORK)
    head = await stranger.commit("NEWS", "alpha 3\n")
    await stranger.git("push", "--quiet", "origin", f"{head}:refs/heads/branch-3.15.0a3")
    assert (await stranger.git("init", "--bare", "--quiet", "scratch", inside=".")).code == 0
    assert (await stranger.git("fetch", world.github.clone_url(UPSTREAM), head, inside="scratch")).code != 0
    fetched = await stranger.git("fetch", "--filter=blob:none", world.github.clone_url(FORK), head, inside="scratch")
    assert fetched.code == 0, fetched.said


async def test_more_than_three_tags_at_once_send_no_events(world: World, stranger: Stranger, ear: Ear) -> None:
    await stranger.clone()
    for name in "abcd":
        await stranger.git("tag", name)
    assert (await stranger.git("push", "origin", "a", "b", "c", "d")).code == 0
    await world.drain()
    assert not ear.heard
    assert (await stranger.git("push", "origin", ":a", ":b", ":c")).code == 0
    await world.drain()
    assert sorted(ear.events()) == ["delete"] * 3 + ["push"] * 3


async def test_a_fork_without_the_app_is_silent(world: World, stranger: Stranger, ear: Ear) -> None:
    await stranger.clone(repository=FORK)
    head = await stranger.commit("NEWS", "alpha 3\n")
    assert (await stranger.git("push", "origin", f"{head}:refs/heads/main")).code == 0
    await world.drain()
    assert not ear.heard
    assert len(world.log) == 1


async def test_a_large_push_arrives_in_chunks_and_compressed(world: World, stranger: Stranger) -> None:
    await stranger.clone()
    head = await stranger.commit("Lib/large.bin", "".join(f"{number * number:x}" for number in range(400_000)))
    pushed = await stranger.git("-c", "http.postBuffer=65536", "push", "origin", "main")
    assert pushed.code == 0, pushed.said
    assert (await world.github.refs(UPSTREAM))["refs/heads/main"] == head
    assert world.writes == 1


async def test_the_app_deletes_a_ref_where_it_is_installed_and_no_rule_keeps_it(world: World, stranger: Stranger, ear: Ear) -> None:
    path = f"/repos/{FORK}/git/refs/heads/3.14"
    upstream = await stranger.token(contents="write")
    assert (await stranger.ask("DELETE", path, upstream)).status == 403
    assert len(world.violations) == 1
    world.violations.clear()

    world.github.install(FORK)
    token = await stranger.token(FORK, contents="write")
    keep = {"conditions": {"ref_name": {"include": ["refs/heads/3.14"], "exclude": []}}, "rules": [{"type": "deletion"}]}
    rule = world.github.add_ruleset("hugovk", FORK, {"name": "keep", **keep})
    refused = await stranger.ask("DELETE", path, token)
    assert (refused.status, str(refused["message"]).splitlines()[0]) == (422, "Repository rule violations found")
    assert "refs/heads/3.14" in await world.github.refs(FORK)

    world.github.delete_ruleset("hugovk", rule)
    assert (await stranger.ask("DELETE", path, token)).status == 204
    assert "refs/heads/3.14" not in await world.github.refs(FORK)
    again = await stranger.ask("DELETE", path, token)
    assert (again.status, again["message"]) == (422, "Reference does not exist")
    await world.drain()
    assert ear.events()[-2:] == ["delete", "push"]
    assert not world.violations
