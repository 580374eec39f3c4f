"""Every request the bot makes of GitHub, and every answer these tests give it, is what GitHub's own description says it is.

The description is not part of the project: it is looked for in the folder that BOT_REFERENCE names, else beside the checkout.
"""

import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.freezing.protection import body, frozen
from bot.rehearsal.official import OfficialGitHub
from bot.rehearsal.reference import VARIABLE, find_reference, github_specs
from bot.release.ids import ArtifactId, CommentId, CommitId, IssueNumber, JobId, ObjectId, Ref, Repository, RulesetId, RunId, TagId, UserId
from bot.services.answers import MalformedAnswer
from bot.services.github import GitHub, Limits
from bot.services.github.labels import Label
from bot.services.github.permissions import PERMISSIONS, Topic
from bot.services.github.proposals import PullRequestDraft
from bot.services.github.shapes import BypassActor, CheckAction, CheckRunDraft, CheckStatus, Conclusion, Rule, RulesetDraft
from bot.services.github.shapes_actions import Artifact
from bot.services.github.shapes_checks import AnnotationLevel, CheckAnnotation
from tests.github.loopback import APP_ID, Answer, GitHubOnLoopback, pem_of, private_key, serving

if TYPE_CHECKING:
    from types import FunctionType

INCOMPLETE_EXAMPLES = frozenset(
    {f"GET {path}" for path in ("", "/collaborators/manager/permission", "/branches/main/protection", "/actions/runs/29679449/jobs")}
) | {"GET /pulls", "POST /pulls", "GET /pulls/7"}
"""Paths below the repository whose official examples lack keys that their official schemas require."""

CPYTHON = Repository("python/cpython")
REPO = "/repos/python/cpython"
ACTIONS = f"{REPO}/actions"
SHA = "ce587453ced02b1526dfb4cb910479d431683101"
FREEZE = RulesetDraft(
    name="release-freeze refs/heads/main #42 cpython-3.15.0a3-42",
    target="branch",
    include=("refs/heads/main",),
    rules=(Rule(type="update"), Rule(type="deletion"), Rule(type="non_fast_forward")),
    bypass_actors=(BypassActor(actor_type="Integration", actor_id=APP_ID, bypass_mode="always"),),
)
TAG_FREEZE = RulesetDraft(
    name="release-freeze refs/tags/v3.15.0a3 #42 cpython-3.15.0a3-42",
    target="tag",
    include=("refs/tags/v3.15.0a3",),
    rules=(Rule(type="creation"), Rule(type="update", parameters={"update_allows_fetch_and_merge": False}), Rule(type="deletion")),
    bypass_actors=(),
)
RUNNING = CheckRunDraft(
    name="release / audit",
    head=CommitId(SHA),
    external_id="cpython-3.15.0a3-42 audit",
    status=CheckStatus.IN_PROGRESS,
    title="Auditing",
    summary="…" * 40_000,
    details_url="https://example.org/releases/cpython/3.15.0a3",
    actions=(CheckAction(label="Retry", description="Look once more", identifier="retry"),),
)
DONE = CheckRunDraft(
    name="release / audit",
    head=CommitId(SHA),
    external_id="cpython-3.15.0a3-42 audit",
    status=CheckStatus.COMPLETED,
    conclusion=Conclusion.SUCCESS,
    title="Audited",
    summary="Everything is explained.",
    text="x" * 70_000,
    annotations=tuple(
        CheckAnnotation(path="README.rst", first=line, last=line + 1, level=AnnotationLevel.FAILURE, message="It differs.", title="audit")
        for line in range(1, 51)
    ),
)

Call = Callable[[GitHub], Awaitable[object]]
Story = tuple[str, str, Topic, Call]


def _stories() -> list[Story]:
    """Give each method's action, the official example that answers it, its topic, and the call."""
    issue, one, ruleset = IssueNumber(42), CommentId(1), RulesetId(42)
    since = datetime(2026, 11, 20, 10, 30, 15, 5, tzinfo=UTC)
    return [
        ("GET /app", "integration", Topic.ACCOUNTS, lambda g: g.app(via=CPYTHON)),
        (f"GET {REPO}/installation", "", Topic.APP, lambda g: g.installation(CPYTHON)),
        (f"GET {REPO}/installation", "", Topic.APP, lambda g: g.installation_details(CPYTHON)),
        ("GET /user/1", "public-user-default-response", Topic.ACCOUNTS, _look_up_somebody),
        (f"GET {REPO}", "full-repository-default-response", Topic.REPOSITORY, lambda g: g.default_branch(CPYTHON)),
        (
            f"GET {REPO}/collaborators/manager/permission",
            "repository-collaborator-permission-response-if-user-has-admin-permissions",
            Topic.REPOSITORY,
            lambda g: g.permission(CPYTHON, "manager"),
        ),
        (
            "GET /orgs/python/teams/release-managers/memberships/manager",
            "team-membership-response-if-user-is-a-team-maintainer",
            Topic.TEAMS,
            _look_up_a_member,
        ),
        (f"GET {REPO}/issues/comments/1", "issue-comment", Topic.LISTENING, lambda g: g.comment(CPYTHON, one)),
        (f"GET {REPO}/issues/42/comments", "issue-comment-items", Topic.LISTENING, lambda g: g.comments(CPYTHON, issue)),
        (f"GET {REPO}/issues/comments", "issue-comment-items", Topic.LISTENING, lambda g: g.comments_since(CPYTHON, since)),
        (f"GET {REPO}/issues/42", "issue", Topic.LISTENING, lambda g: g.issue(CPYTHON, issue)),
        (f"GET {REPO}/issues", "issue-items", Topic.LISTENING, lambda g: g.open_issues(CPYTHON, "release-blocker")),
        (f"GET {REPO}/issues", "issue-items", Topic.LISTENING, lambda g: g.issues_by(CPYTHON, "brother-maynard[bot]")),
        (f"POST {REPO}/issues/42/comments", "issue-comment", Topic.TALKING, lambda g: g.create_comment(CPYTHON, issue, "x")),
        (f"PATCH {REPO}/issues/comments/1", "issue-comment", Topic.TALKING, lambda g: g.edit_comment(CPYTHON, one, "y")),
        (f"POST {REPO}/issues/comments/1/reactions", "reaction", Topic.TALKING, lambda g: g.react(CPYTHON, one, "+1")),
        (f"POST {REPO}/issues", "issue", Topic.TALKING, lambda g: g.create_issue(CPYTHON, "title", "body", ["release"])),
        (f"GET {REPO}/git/ref/heads/featureA", "git-ref", Topic.REFS, lambda g: g.ref(CPYTHON, Ref("refs/heads/featureA"))),
        (f"GET {REPO}/git/matching-refs/tags/v", "git-ref-items", Topic.REFS, lambda g: g.matching_refs(CPYTHON, "tags/v")),
        (f"GET {REPO}/git/tags/{SHA}", "git-tag", Topic.REFS, lambda g: g.tag_object(CPYTHON, TagId(SHA))),
        (f"GET {REPO}/contents/Include/x.h", "", Topic.REFS, lambda g: g.file(CPYTHON, "Include/x.h", "main")),
        (f"DELETE {REPO}/git/refs/heads/featureA", "", Topic.TIDYING, lambda g: g.delete_ref(CPYTHON, Ref("refs/heads/featureA"))),
        ("", "", Topic.REFS, lambda g: g.fetch_token(CPYTHON)),
        ("", "", Topic.PUSHING, lambda g: g.push_token(CPYTHON, workflows=False)),
        ("", "", Topic.PUSHING_WORKFLOWS, lambda g: g.push_token(CPYTHON, workflows=True)),
        ("DELETE /installation/token", "", Topic.PUSHING, _push_and_revoke),
        (f"GET {REPO}/rulesets", "", Topic.RULES, lambda g: g.rulesets(CPYTHON)),
        (f"GET {REPO}/rulesets/42", "repository-ruleset", Topic.FREEZING, lambda g: g.ruleset(CPYTHON, ruleset)),
        (f"POST {REPO}/rulesets", "repository-ruleset", Topic.FREEZING, lambda g: g.create_ruleset(CPYTHON, FREEZE)),
        (f"POST {REPO}/rulesets", "repository-ruleset", Topic.FREEZING, lambda g: g.create_ruleset(CPYTHON, TAG_FREEZE)),
        (f"DELETE {REPO}/rulesets/42", "", Topic.FREEZING, lambda g: g.delete_ruleset(CPYTHON, ruleset)),
        (f"GET {REPO}/rules/branches/main", "repository-rule-items", Topic.RULES, lambda g: g.branch_rules(CPYTHON, "main")),
        (f"GET {REPO}/branches/main/protection", "branch-protection", Topic.PROTECTION, lambda g: g.branch_protection(CPYTHON, "main")),
        *_stories_of_protection(),
        (f"POST {REPO}/check-runs", "check-run", Topic.CHECKS, lambda g: g.create_check_run(CPYTHON, RUNNING)),
        (f"POST {REPO}/check-runs", "check-run", Topic.CHECKS, lambda g: g.create_check_run(CPYTHON, DONE)),
        (f"PATCH {REPO}/check-runs/4", "check-run", Topic.CHECKS, lambda g: g.update_check_run(CPYTHON, 4, DONE)),
        (
            f"GET {REPO}/commits/{SHA}/check-runs",
            "check-run-paginated",
            Topic.READING_CHECKS,
            lambda g: g.check_runs(CPYTHON, CommitId(SHA), name="release / audit"),
        ),
        *_stories_of_workflows(),
        *_stories_of_labels(),
        *_stories_of_proposals(),
        ("GET /app/hook/deliveries", "hook-delivery-items", Topic.APP, lambda g: g.failed_deliveries(datetime(2019, 6, 1, tzinfo=UTC))),
        ("POST /app/hook/deliveries/12345678/attempts", "", Topic.APP, lambda g: g.redeliver(12345678)),
    ]


def _stories_of_protection() -> list[Story]:
    path, settings = f"{REPO}/branches/main/protection", body(frozen("octoapp"))
    admins = "protected-branch-admin-enforced"
    return [
        (f"GET {path}", "branch-protection", Topic.PROTECTION, lambda g: g.protection(CPYTHON, "main")),
        (f"PUT {path}", "branch-protection-update", Topic.FREEZING, lambda g: g.protect(CPYTHON, "main", settings)),
        (f"DELETE {path}", "", Topic.FREEZING, lambda g: g.unprotect(CPYTHON, "main")),
        (f"POST {path}/required_signatures", admins, Topic.FREEZING, lambda g: g.require_signatures(CPYTHON, "main")),
        (f"DELETE {path}/required_signatures", "", Topic.FREEZING, lambda g: g.unrequire_signatures(CPYTHON, "main")),
    ]


def _stories_of_labels() -> list[Story]:
    issue, name = IssueNumber(42), "needs backport to 3.15"
    label = Label(name=name, color="c2e0c6", description="fixes")
    on_issue = f"{REPO}/issues/42/labels"
    return [
        (f"GET {REPO}/labels/3.15", "label", Topic.LISTENING, lambda g: g.label(CPYTHON, "3.15")),
        (f"POST {REPO}/labels", "label", Topic.LABELLING, lambda g: g.create_label(CPYTHON, label)),
        (f"POST {on_issue}", "label-items", Topic.LABELLING, lambda g: g.add_label(CPYTHON, issue, name)),
        (f"DELETE {on_issue}/3.15", "label-items-2", Topic.LABELLING, lambda g: g.remove_label(CPYTHON, issue, "3.15")),
    ]


def _stories_of_proposals() -> list[Story]:
    topic, branch, path = Topic.PROPOSING, "release-bot/3.15.0a3", "release_management/python-releases.toml"
    draft = PullRequestDraft(head=branch, base="main", title="Release schedule", body="It was released.")
    written, begun = "file-commit-example-for-updating-a-file", CommitId(SHA)
    merged = "pull-request-merge-result-response-if-merge-was-successful"
    return [
        (f"GET {REPO}/contents/{path}", "", Topic.REFS, lambda g: g.stored_file(CPYTHON, path, "main")),
        (f"GET {REPO}/pulls", "pull-request-simple-items", topic, lambda g: g.pulls_from(CPYTHON, branch)),
        (f"POST {REPO}/git/refs", "git-ref", topic, lambda g: g.create_branch(CPYTHON, branch, begun)),
        (
            f"PUT {REPO}/contents/{path}",
            written,
            topic,
            lambda g: g.write_file(CPYTHON, branch, path, b"x", old=ObjectId(SHA), message="y"),
        ),
        (f"POST {REPO}/pulls", "pull-request", topic, lambda g: g.open_pull(CPYTHON, draft)),
        (f"GET {REPO}/pulls/7", "pull-request", topic, lambda g: g.pull(CPYTHON, 7)),
        (f"GET {REPO}/git/commits/{SHA}", "git-commit", topic, lambda g: g.parents(CPYTHON, begun)),
        (f"PUT {REPO}/pulls/7/merge", merged, topic, lambda g: g.merge_pull(CPYTHON, 7, begun)),
    ]


def _stories_of_workflows() -> list[Story]:
    reading, file, inputs = Topic.READING_WORKFLOWS, "build-release.yml", {"git_remote": "hugovk", "git_commit": SHA}
    run, since = RunId(30433642), datetime(2020, 1, 22, tzinfo=UTC)
    return [
        (
            f"POST {ACTIONS}/workflows/{file}/dispatches",
            "workflow-dispatch-response",
            Topic.WORKFLOWS,
            lambda g: g.dispatch_workflow(CPYTHON, file, "main", inputs),
        ),
        (
            f"GET {ACTIONS}/workflows/{file}/runs",
            "workflow-run-paginated",
            reading,
            lambda g: g.workflow_runs(CPYTHON, file, event="workflow_dispatch", actor="brother-maynard[bot]", since=since),
        ),
        (f"GET {ACTIONS}/runs/{run}", "workflow-run", reading, lambda g: g.workflow_run(CPYTHON, run)),
        (f"GET {ACTIONS}/runs/29679449/jobs", "job-paginated", reading, lambda g: g.jobs(CPYTHON, RunId(29679449))),
        (f"GET {ACTIONS}/jobs/399444496/logs", "", reading, _look_for_a_log),
        (f"GET {ACTIONS}/runs/2332938/artifacts", "artifact", reading, lambda g: g.artifacts(CPYTHON, RunId(2332938))),
        (f"GET {ACTIONS}/artifacts/11/zip", "", reading, _look_into_an_artifact),
        (f"POST {ACTIONS}/runs/{run}/rerun-failed-jobs", "", Topic.WORKFLOWS, lambda g: g.rerun_failed_jobs(CPYTHON, run)),
        (f"POST {ACTIONS}/runs/{run}/cancel", "", Topic.WORKFLOWS, lambda g: g.cancel_run(CPYTHON, run)),
    ]


async def _look_for_a_log(github: GitHub) -> None:
    with pytest.raises(MalformedAnswer, match=r"another place \(storage\.example\.org\)"):
        await github.job_log(CPYTHON, JobId(399444496))


async def _look_into_an_artifact(github: GitHub) -> None:
    artifact = Artifact(id=ArtifactId(11), name="source", size=453, digest=f"sha256:{'0' * 64}", expired=False, url="")
    with pytest.raises(MalformedAnswer, match=r"another place \(storage\.example\.org\)"):
        await github.artifact_files(CPYTHON, artifact)


async def _look_up_somebody(github: GitHub) -> None:
    await github.installation(CPYTHON)
    await github.user(UserId(1))


async def _look_up_a_member(github: GitHub) -> None:
    await github.installation(CPYTHON)
    await github.team_membership("python", "release-managers", "manager")


async def _push_and_revoke(github: GitHub) -> None:
    await github.revoke(await github.push_token(CPYTHON, workflows=False))


STORIES = _stories()


@pytest.fixture(scope="module")
def official() -> OfficialGitHub:
    openapi = github_specs(find_reference()).openapi
    if openapi is None:
        if os.environ.get(VARIABLE):
            pytest.fail(f"{VARIABLE} names a folder without specs/github/openapi.json.gz")
        pytest.skip(f"GitHub's description is not here: set {VARIABLE} to the folder that holds specs/github/openapi.json.gz")
    return OfficialGitHub(openapi)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return private_key()


@pytest.fixture
async def server(official: OfficialGitHub, key: rsa.RSAPrivateKey) -> AsyncIterator[GitHubOnLoopback]:
    server = GitHubOnLoopback(key.public_key())
    server.private_pem = pem_of(key)
    server.granted = {**server.granted, "pull_requests": "write", "workflows": "write", "metadata": "read", "actions": "write"}
    server.installation_example = official.example("installation")
    server.token_example = official.example("installation-token")
    async with serving(server.application) as server.url:
        yield server
    assert server.unexpected == []


@pytest.mark.parametrize(
    ("action", "example", "topic", "call"), STORIES, ids=[f"{index} {story[0]}" for index, story in enumerate(STORIES)]
)
async def test_requests_and_answers_are_as_described(
    action: str, example: str, topic: Topic, call: Call, official: OfficialGitHub, server: GitHubOnLoopback
) -> None:
    server.on("GET /users/octoapp%5Bbot%5D", Answer(body=official.example("public-user-default-response")))
    if action:
        server.on(action, _answer(official, action, example))

    async with aiohttp.ClientSession() as session:
        await call(GitHub(APP_ID, server.private_pem, server.url, session, limits=Limits(write_gap=0)))

    assert not action or server.requests(action)
    problems = []
    for asked in server.asked:
        problems += official.check_request(asked.method, asked.path, asked.query, asked.body)
    for asked, answer in server.answered:
        if asked.action.replace(REPO, "") not in INCOMPLETE_EXAMPLES:
            problems += official.check_response(asked.method, asked.path, answer.status, answer.body)
    assert problems == []
    asked_for = [mint.body["permissions"] for mint in server.mints if isinstance(mint.body, dict)]
    assert asked_for == ([PERMISSIONS[topic].of(server.granted)] if topic is not Topic.APP else [])
    assert all(mint.body["repositories"] == ["cpython"] for mint in server.mints if isinstance(mint.body, dict))


def _answer(official: OfficialGitHub, action: str, example: str) -> Answer:
    method, _, path = action.partition(" ")
    created = method == "POST" and not path.endswith(("/dispatches", "/required_signatures", "/42/labels"))
    if path.endswith("/artifacts"):
        # The official example of the list holds artifacts of two runs, where one was asked for.
        return Answer(body={"total_count": 1, "artifacts": [official.example("artifact")]})
    if example:
        return Answer(status=201 if created else 200, body=official.example(example))
    if path.endswith(("/logs", "/zip")):
        return Answer(status=HTTPStatus.FOUND, headers={"Location": "https://storage.example.org/signed?sig=secret"})
    if path.endswith("/rerun-failed-jobs"):
        return Answer(status=HTTPStatus.CREATED, body={})
    if path.endswith("/cancel"):
        return Answer(status=HTTPStatus.ACCEPTED, body={})
    if path.endswith("/attempts"):
        return Answer(status=202, body={})
    if path.endswith("/rulesets"):
        # The official example of the list has an enforcement that the official schema does not know.
        return Answer(body=[{**ruleset, "enforcement": "active"} for ruleset in official.example("repository-ruleset-items")])
    if "/contents/" in path and not example:
        file = official.example("content-file-response-if-content-is-a-file")
        return Answer(body={**file, "content": base64.encodebytes(b"x" * 100).decode()})
    return Answer(status=204)


def test_every_method_is_in_this_table() -> None:
    driven = {name for *_, call in STORIES for name in cast("FunctionType", call).__code__.co_names}
    # GraphQL is not part of the description of the REST API.
    assert {method for need in PERMISSIONS.values() for method in need.methods} - {"protection_rule"} | {"revoke"} <= driven


def test_the_judge_finds_mistakes(official: OfficialGitHub) -> None:
    def request(method: str, path: str, body: object = None, **query: str) -> str:
        return "; ".join(official.check_request(method, path, query, body))

    assert "not part of GitHub's API" in request("GET", "/repos/a/b/freeze")
    assert "not part of GitHub's API" in request("PUT", "/app")
    assert "comment_id: 'x' is not of type 'integer'" in request("GET", "/repos/a/b/issues/comments/x")
    assert "the query parameter until is not described" in request("GET", "/repos/a/b/issues/comments", until="now")
    assert "'newest' is not one of" in request("GET", "/repos/a/b/issues", sort="newest")
    assert "includes_parents: 'yes' is not of type 'boolean'" in request("GET", "/repos/a/b/rulesets", includes_parents="yes")
    assert "'body' is a required property" in request("POST", "/repos/a/b/issues/1/comments", {"text": "x"})
    assert "body.text is not described" in request("POST", "/repos/a/b/issues/1/comments", {"body": "x", "text": "x"})
    assert "a body was sent" in request("DELETE", "/repos/a/b/rulesets/1", {"force": True})
    assert "body.rules[0].type" in request(
        "POST", "/repos/a/b/rulesets", {"name": "x", "enforcement": "active", "rules": [{"type": "update!"}]}
    )
    assert "return_run_details is not described" in request(
        "POST", "/repos/a/b/actions/workflows/x.yml/dispatches", {"ref": "main", "return_run_details": True}
    )
    assert request("GET", "/repos/a/b/git/ref/tags/v3.15.0a3") == ""
    assert request("GET", "/repos/a/b/commits/release%2F3/check-runs", app_id="1", filter="all") == ""


def test_the_judge_finds_mistakes_in_answers(official: OfficialGitHub) -> None:
    def answer(method: str, path: str, status: int, body: object) -> str:
        return "; ".join(official.check_response(method, path, status, body))

    assert "'node_id' is a required property" in answer("GET", "/repos/a/b/issues/comments/1", 200, {"id": 1})
    assert "no such answer is described" in answer("GET", "/repos/a/b/issues/comments/1", 202, None)
    assert "no body is described" in answer("DELETE", "/repos/a/b/rulesets/1", 204, {})
    assert "is not of type 'object'" in answer("GET", "/repos/a/b/issues/comments/1", 403, "no")
    assert "no such answer is described" in answer("POST", "/repos/a/b/actions/workflows/x.yml/dispatches", 204, None)
    assert answer("GET", "/repos/a/b/issues/comments/1", 429, {"message": "slow down"}) == ""
