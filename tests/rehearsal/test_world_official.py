"""A full tour of the stand-in, every request and every answer held against GitHub's official descriptions."""

import pytest

from bot.rehearsal.world import World
from tests.reference import reference
from tests.rehearsal.stranger import FORK, UPSTREAM, Ear, Stranger
from tests.rehearsal.test_world_git import FREEZE, freeze


@pytest.fixture(autouse=True)
def described() -> None:
    reference("specs/github/openapi.json.gz")
    reference("specs/github/webhook-schemas.json.gz")


async def test_the_whole_tour_is_as_described(world: World, stranger: Stranger, ear: Ear) -> None:
    github, repository = world.github, f"/repos/{UPSTREAM}"
    number = github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3", labels=["release"])
    pull = github.open_issue("hugovk", UPSTREAM, "Fix", pull_request=True)
    github.label("hugovk", UPSTREAM, number, "3.15")
    github.unlabel("hugovk", UPSTREAM, number, "3.15")
    comment = github.say("hugovk", UPSTREAM, number, "/release 3.15.0a3")
    github.say("hugovk", UPSTREAM, pull, "Ready.", through_app=True)
    github.edit("hugovk", comment, "/release 3.15.0a4")
    await freeze(stranger)
    github.protect(UPSTREAM, "3.14", {"enforce_admins": {"url": "https://example.org/", "enabled": True}})
    await stranger.clone()
    head = await stranger.commit("NEWS", "alpha 3\n")
    await stranger.git("tag", "--annotate", "--message", "Python 3.15.0a3", "v3.15.0a3")
    tag = (await stranger.git("rev-parse", "v3.15.0a3")).said
    signature, token = stranger.signature(), await stranger.token()
    pushed = await stranger.git("push", stranger.push_url(token), "main", "v3.15.0a3")
    assert pushed.code == 0, pushed.said
    run = {"name": "release / tag", "head_sha": head, "status": "in_progress", "external_id": "x", "details_url": "https://example.org/"}
    check = await stranger.ask("POST", f"{repository}/check-runs", token, run)
    talk = f"{repository}/issues"
    for method, path, body, expected in (
        ("POST", talk, {"title": "Release", "body": "", "labels": ["release"]}, 201),
        ("POST", f"{talk}/{number}/comments", {"body": "Frozen."}, 201),
        ("PATCH", f"{talk}/comments/{comment}", {"body": "Other"}, 200),
        ("POST", f"{talk}/comments/{comment}/reactions", {"content": "+1"}, 201),
        ("POST", f"{talk}/comments/{comment}/reactions", {"content": "+1"}, 200),
        ("POST", f"{repository}/rulesets", FREEZE, 422),
        ("PATCH", f"{repository}/check-runs/{check['id']}", {"conclusion": "success", "output": {"title": "a", "summary": "b"}}, 200),
    ):
        answer = await stranger.ask(method, path, token, body)
        assert answer.status == expected, answer.body
    ruleset = github.rulesets(UPSTREAM)[0].id
    for path in (
        repository,
        f"/repos/{FORK}",
        talk,
        f"{talk}?labels=release&state=all",
        f"{talk}/{number}",
        f"{talk}/{pull}",
        f"{talk}/{number}/comments",
        f"{talk}/comments?since=2026-01-01T00:00:00Z&sort=updated&direction=desc",
        f"{talk}/comments/{comment}",
        f"{talk}/comments/{comment}/reactions",
        f"{repository}/git/ref/tags/v3.15.0a3",
        f"{repository}/git/ref/heads/main",
        f"{repository}/git/matching-refs/tags/v",
        f"{repository}/git/tags/{tag}",
        f"{repository}/git/commits/{head}",
        f"{repository}/contents/README.rst?ref=main",
        f"{repository}/contents/.github",
        f"{repository}/branches/3.14/protection",
        f"{repository}/rulesets?includes_parents=true",
        f"{repository}/rulesets/{ruleset}",
        f"{repository}/rules/branches/main",
        f"{repository}/collaborators/encukou/permission",
        f"{repository}/check-runs/{check['id']}",
        f"{repository}/commits/{head}/check-runs?check_name=release%20%2F%20tag&filter=all",
        "/orgs/python/teams/release-managers/memberships/hugovk",
        "/users/brother-maynard%5Bbot%5D",
        f"/user/{github.user('hugovk').id}",
        "/installation/repositories",
    ):
        answer = await stranger.ask("GET", path, token)
        assert answer.status == 200, (path, answer.body)
    assert (await stranger.ask("GET", f"{repository}/branches/main/protection", token)).status == 404
    assert (await stranger.ask("GET", f"{repository}/git/ref/tags/v0", token)).status == 404
    assert (await stranger.ask("DELETE", f"{repository}/rulesets/{ruleset}", token)).status == 204
    await world.drain()
    delivery = github.webhooks.log[0].id
    installed = (await stranger.ask("GET", f"{repository}/installation", signature))["id"]
    deliveries = "/app/hook/deliveries"
    for path in ("/app", "/app/installations", f"/app/installations/{installed}", f"{deliveries}?per_page=5", f"{deliveries}/{delivery}"):
        assert (await stranger.ask("GET", path, signature)).status == 200
    assert (await stranger.ask("POST", f"/app/hook/deliveries/{delivery}/attempts", signature)).status == 202
    github.delete("hugovk", comment)
    github.close("hugovk", UPSTREAM, number)
    github.reopen("hugovk", UPSTREAM, number)
    github.edit_ruleset("encukou", github.rulesets(UPSTREAM)[0].id, {"enforcement": "disabled"})
    await world.drain()
    assert {"issues", "issue_comment", "push", "create", "check_run", "repository_ruleset"} <= set(ear.events())
    assert not world.violations


async def test_what_is_not_described_is_noticed(world: World, stranger: Stranger) -> None:
    token = await stranger.token(issues="write")
    await stranger.ask("GET", f"/repos/{UPSTREAM}/issues?sorted=yes", token)
    await stranger.ask("POST", f"/repos/{UPSTREAM}/issues", token, {"title": "Release", "labels": "release"})
    assert len(world.violations) >= 2
