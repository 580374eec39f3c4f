"""The stand-in refuses what GitHub refuses, and remembers what GitHub does not document."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.rehearsal.moments import now
from bot.rehearsal.world import World
from tests.rehearsal.stranger import FORK, UPSTREAM, Stranger

ISSUES = f"/repos/{UPSTREAM}/issues"


async def test_a_token_without_the_permission_is_refused_and_told_which_one(world: World, stranger: Stranger) -> None:
    token = await stranger.token(issues="read")
    answer = await stranger.ask("POST", ISSUES, token, {"title": "Release"})
    assert answer.status == 403
    assert answer["message"] == "Resource not accessible by integration"
    assert answer.headers["x-accepted-github-permissions"] == "issues=write"
    assert world.violations == ["POST /repos/{owner}/{repo}/issues needs issues=write, which the token does not carry"]
    assert not world.log


async def test_a_token_for_one_repository_writes_nowhere_else_and_still_reads_what_is_public(world: World, stranger: Stranger) -> None:
    token = await stranger.token(contents="read", checks="write")
    assert (await stranger.ask("GET", f"/repos/{FORK}/git/ref/heads/main", token)).status == 200
    assert not world.violations
    refused = await stranger.ask("POST", f"/repos/{FORK}/check-runs", token, {"name": "release / tag", "head_sha": "0" * 40})
    assert refused.status == 403


async def test_an_expired_token_is_bad_credentials(world: World, stranger: Stranger) -> None:
    text = await stranger.token(issues="read")
    tokens = world.github._model.tokens
    tokens[text] = replace(tokens[text], expires=now() - timedelta(seconds=1))
    answer = await stranger.ask("GET", ISSUES, text)
    assert (answer.status, answer["message"]) == (401, "Bad credentials")


async def test_a_revoked_token_is_bad_credentials(stranger: Stranger) -> None:
    token = await stranger.token(issues="read")
    assert (await stranger.ask("DELETE", "/installation/token", token)).status == 204
    assert (await stranger.ask("GET", ISSUES, token)).status == 401


async def test_a_token_cannot_be_minted_wider_than_the_installation(stranger: Stranger) -> None:
    installation = (await stranger.ask("GET", f"/repos/{UPSTREAM}/installation", stranger.signature()))["id"]
    path = f"/app/installations/{installation}/access_tokens"
    assert (await stranger.ask("POST", path, stranger.signature(), {"permissions": {"members": "write"}})).status == 422
    assert (await stranger.ask("POST", path, stranger.signature(), {"repositories": ["peps"]})).status == 422


@pytest.mark.parametrize(
    ("lives", "issued", "said"),
    [(700, -60, "Expiration time"), (-10, -60, "Expiration time"), (540, 120, "Issued at")],
)
async def test_the_apps_signature_lives_ten_minutes_and_begins_in_the_past(stranger: Stranger, lives: int, issued: int, said: str) -> None:
    answer = await stranger.ask("GET", "/app", stranger.signature(lives=lives, issued=issued))
    assert answer.status == 401
    assert said in str(answer["message"])


async def test_the_apps_signature_opens_no_repository_and_a_token_is_no_signature(stranger: Stranger) -> None:
    assert (await stranger.ask("GET", ISSUES, stranger.signature())).status == 401
    assert (await stranger.ask("GET", "/app", await stranger.token())).status == 401


async def test_another_version_of_the_api_is_a_violation(world: World, stranger: Stranger) -> None:
    token = await stranger.token(issues="read")
    stranger.version = "2022-11-28"
    await stranger.ask("GET", ISSUES, token)
    assert world.violations == ["GET /repos/{owner}/{repo}/issues was asked in API version 2022-11-28, not 2026-03-10"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/repos/python/cpython/nonsense"), ("PUT", "/app"), ("GET", "/search/issues")])
async def test_an_unknown_path_or_method_is_a_violation(world: World, stranger: Stranger, method: str, path: str) -> None:
    assert (await stranger.ask(method, path, await stranger.token())).status == 404
    assert world.violations == [f"{method} {path} is not documented, or not needed by any release"]


async def test_a_question_without_credentials_is_a_violation(world: World, stranger: Stranger) -> None:
    assert (await stranger.ask("GET", ISSUES, "")).status == 401
    assert len(world.violations) == 1


async def test_blank_missing_and_overlong_bodies_are_422(world: World, stranger: Stranger) -> None:
    number = world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    token = await stranger.token(issues="write")
    for body in ("", "   ", "x" * 65_537):
        answer = await stranger.ask("POST", f"{ISSUES}/{number}/comments", token, {"body": body})
        assert (answer.status, answer["message"]) == (422, "Validation Failed")
    assert not world.github.comments(UPSTREAM, number)


async def test_an_answer_already_seen_is_304(world: World, stranger: Stranger) -> None:
    world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    token = await stranger.token(issues="read")
    first = await stranger.ask("GET", ISSUES, token)
    again = await stranger.ask("GET", ISSUES, token, **{"If-None-Match": first.headers["etag"]})
    assert (first.status, again.status, again.body) == (200, 304, "")
    world.github.open_issue("hugovk", UPSTREAM, "Another")
    assert (await stranger.ask("GET", ISSUES, token, **{"If-None-Match": first.headers["etag"]})).status == 200


async def test_long_lists_come_in_pages_that_lead_on(world: World, stranger: Stranger) -> None:
    number = world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    for count in range(5):
        world.github.say("hugovk", UPSTREAM, number, f"comment {count}")
    token = await stranger.token(issues="read")
    url, seen = f"{ISSUES}/{number}/comments?per_page=2", []
    while url:
        answer = await stranger.ask("GET", url, token)
        assert isinstance(answer.body, list)
        seen += [comment["body"] for comment in answer.body]
        turns = [part for part in answer.headers.get("link", "").split(", ") if part.endswith('rel="next"')]
        url = turns[0].partition(";")[0].strip("<>") if turns else ""
    assert seen == [f"comment {count}" for count in range(5)]


async def test_a_blocker_is_found_among_issues_and_pull_requests(world: World, stranger: Stranger) -> None:
    github = world.github
    github.open_issue("hugovk", UPSTREAM, "Crash", labels=["release-blocker", "3.15"])
    github.open_issue("hugovk", UPSTREAM, "Fix", labels=["release-blocker"], pull_request=True)
    closed = github.open_issue("hugovk", UPSTREAM, "Old", labels=["release-blocker"])
    github.close("hugovk", UPSTREAM, closed)
    found = await stranger.ask("GET", f"{ISSUES}?labels=release-blocker&state=open", await stranger.token(issues="read"))
    assert isinstance(found.body, list)
    assert {(issue["title"], "pull_request" in issue) for issue in found.body} == {("Crash", False), ("Fix", True)}


async def test_an_edit_is_always_later_than_the_comment(world: World, stranger: Stranger) -> None:
    number = world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    comment = world.github.say("hugovk", UPSTREAM, number, "/release 3.15.0a3")
    path, token = f"{ISSUES}/comments/{comment}", await stranger.token(issues="read")
    before = await stranger.ask("GET", path, token)
    assert before["created_at"] == before["updated_at"]
    world.github.edit("hugovk", comment, "/release 3.15.0a4")
    after = await stranger.ask("GET", path, token)
    assert str(after["updated_at"]) > str(after["created_at"])
    since = await stranger.ask("GET", f"{ISSUES}/comments?since={after['updated_at']}&sort=updated&direction=asc", token)
    assert isinstance(since.body, list)
    assert [found["id"] for found in since.body] == [comment]


async def test_pending_members_are_shown_as_pending(stranger: Stranger) -> None:
    token = await stranger.token(members="read")
    team = "/orgs/python/teams/release-managers/memberships"
    assert (await stranger.ask("GET", f"{team}/hugovk", token))["state"] == "active"
    assert (await stranger.ask("GET", f"{team}/encukou", token))["state"] == "pending"
    assert (await stranger.ask("GET", f"{team}/stranger", token)).status == 404


def annotated(**changes: object) -> dict[str, object]:
    one = {"path": "README.rst", "start_line": 3, "end_line": 4, "annotation_level": "warning", "message": "Look here.", **changes}
    return {"output": {"title": "Audit", "summary": "It differs.", "annotations": [one]}}


async def test_annotations_add_up_and_are_never_taken_away(world: World, stranger: Stranger) -> None:
    token = await stranger.token(checks="write", contents="read")
    head = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    made = await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", token, {"name": "audit", "head_sha": head, **annotated()})
    path = f"/repos/{UPSTREAM}/check-runs/{made['id']}"
    await stranger.ask("PATCH", path, token, annotated(title="again"))
    await stranger.ask("PATCH", path, token, {"status": "completed", "conclusion": "success"})
    output = (await stranger.ask("GET", path, token))["output"]
    assert isinstance(output, dict)
    assert output["annotations_count"] == 2
    listed = await stranger.ask("GET", f"{path}/annotations", token)
    assert isinstance(listed.body, list)
    assert [(one["start_line"], one["title"], one["start_column"]) for one in listed.body] == [(3, None, None), (3, "again", None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"start_line": 0},
        {"start_line": 5},
        {"start_line": "3"},
        {"end_line": None},
        {"annotation_level": "error"},
        {"message": ""},
        {"message": "x" * 65_537},
        {"title": "x" * 256},
        {"path": "/README.rst"},
        {"path": "a\nb"},
        {"start_column": 1, "end_column": 2},
    ],
    ids=str,
)
async def test_an_annotation_that_nobody_could_show_is_refused(world: World, stranger: Stranger, changes: dict[str, object]) -> None:
    token = await stranger.token(checks="write", contents="read")
    head = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    wanted = {"name": "audit", "head_sha": head, **annotated(**changes)}
    assert (await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", token, wanted)).status == 422
    assert world.github.check_runs(UPSTREAM, head) == []


async def test_fifty_annotations_are_the_most_of_one_request(world: World, stranger: Stranger) -> None:
    token = await stranger.token(checks="write", contents="read")
    head = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    wanted: dict[str, Any] = {"name": "audit", "head_sha": head, **annotated()}
    wanted["output"]["annotations"] *= 51
    assert (await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", token, wanted)).status == 422


async def test_a_check_on_a_commit_that_only_the_fork_has_is_refused(world: World, stranger: Stranger) -> None:
    await stranger.clone(repository=FORK)
    head = await stranger.commit("NEWS", "alpha 3\n")
    assert (await stranger.git("push", "--quiet", "origin", "HEAD:refs/heads/branch-3.15.0a3")).code == 0
    token = await stranger.token(checks="write", contents="read")
    run = {"name": "release / tag", "head_sha": head, "status": "queued", "external_id": "r"}
    refused = await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", token, run)
    assert (refused.status, refused["message"]) == (422, f"No commit found for SHA: {head}")
    assert (await stranger.ask("GET", f"/repos/{UPSTREAM}/git/commits/{head}", token)).status == 404
    assert (await stranger.ask("GET", f"/repos/{FORK}/git/commits/{head}", token)).status == 200
    known = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    made = await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", token, {**run, "head_sha": known})
    assert made.status == 201
    assert [(check.name, check.status) for check in world.github.check_runs(UPSTREAM, known)] == [("release / tag", "queued")]
