"""What only GraphQL tells of a branch's protection: answered with 200 also where it is refused."""

import pytest

from bot.errors import Unavailable
from bot.release.ids import Repository
from bot.services.github import GitHub, GitHubRefused
from bot.services.github.permissions import PERMISSIONS, Topic
from bot.services.github.shapes_protection import ProtectionRule
from tests.github.answers import REPO
from tests.github.loopback import Answer, GitHubOnLoopback

CPYTHON = Repository("python/cpython")
QUERY = "POST /graphql"
RULE = {
    "pattern": "3.*",
    "requiresDeployments": True,
    "bypassForcePushAllowances": {"totalCount": 2},
    "matchingRefs": {"totalCount": 5},
}


def about(rule: object, *, queue: object = None) -> Answer:
    return Answer(body={"data": {"repository": {"isInOrganization": True, "mergeQueue": queue, "ref": {"branchProtectionRule": rule}}}})


async def test_the_rule_of_a_branch_is_asked_for_by_name(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(QUERY, about(RULE, queue={"id": "MQ"}))
    assert await github.protection_rule(CPYTHON, "3.14") == ProtectionRule(
        in_organization=True, queued=True, pattern="3.*", branches=5, requires_deployments=True, force_pushers=2
    )
    [asked] = server.requests(QUERY)
    assert isinstance(asked.body, dict)
    assert asked.body["variables"] == {"owner": "python", "name": "cpython", "branch": "3.14", "ref": "refs/heads/3.14"}
    [mint] = server.mints
    assert isinstance(mint.body, dict)
    assert mint.body["permissions"] == PERMISSIONS[Topic.PROTECTION].permissions


async def test_a_branch_without_a_rule_has_none(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(QUERY, about(None))
    assert await github.protection_rule(CPYTHON, "main") == ProtectionRule(in_organization=True, queued=False)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]}, GitHubRefused),
        ({"errors": [{"type": "RATE_LIMITED", "message": "later"}]}, Unavailable),
        ({"errors": "?"}, Unavailable),
        ({"data": {"repository": None}}, Unavailable),
        ({"data": {"repository": {"isInOrganization": True, "mergeQueue": None, "ref": {"branchProtectionRule": {}}}}}, Unavailable),
    ],
)
async def test_a_refusal_is_told_from_trouble(server: GitHubOnLoopback, github: GitHub, body: object, error: type[Exception]) -> None:
    server.on(QUERY, Answer(body=body))
    with pytest.raises(error):
        await github.protection_rule(CPYTHON, "main")


async def test_what_is_off_already_is_fine(server: GitHubOnLoopback, github: GitHub) -> None:
    for path in ("protection", "protection/required_signatures"):
        server.on(f"DELETE {REPO}/branches/3.14/{path}", Answer(status=404, body={"message": "Branch not protected"}))
    server.on(f"GET {REPO}/branches/3.14/protection", Answer(status=404, body={"message": "Branch not protected"}))
    await github.unprotect(CPYTHON, "3.14")
    await github.unrequire_signatures(CPYTHON, "3.14")
    assert await github.protection(CPYTHON, "3.14") is None
