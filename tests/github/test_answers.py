"""What the bot makes of GitHub's answers: absent, refused, unchanged, many pages, malformed; and that it asks nobody else."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from aiohttp import web

from bot.errors import Refused, Unavailable
from bot.release.ids import CommentId, CommitId, IssueNumber, Ref, Repository, RulesetId, UserId
from bot.services.answers import MalformedAnswer
from bot.services.github import GitHub, GitHubRefused, Limits
from tests.github.answers import OBJECT_ID, REPO, comment, ref
from tests.github.conftest import Connect
from tests.github.loopback import APP_ID, INSTALLATION, Answer, Asked, GitHubOnLoopback, serving

CPYTHON = Repository("python/cpython")
ONE = CommentId(1)
COMMENT = f"GET {REPO}/issues/comments/1"
COMMENTS = f"GET {REPO}/issues/42/comments"
WRITE = f"POST {REPO}/issues/42/comments"
ISSUE = IssueNumber(42)


async def test_a_definite_no_says_what_why_and_what_to_do(server: GitHubOnLoopback, github: GitHub) -> None:
    body = {"message": "Resource not accessible by integration", "errors": [{"field": "name", "code": "invalid"}, "another"]}
    server.on(WRITE, Answer(status=403, body=body, headers={"X-Accepted-GitHub-Permissions": "issues=write"}))

    with pytest.raises(Refused) as refused:
        await github.create_comment(CPYTHON, ISSUE, "x")

    assert str(refused.value) == (
        "GitHub refused POST /repos/python/cpython/issues/42/comments (403 Forbidden): Resource not accessible by integration: "
        "name invalid: another; the App needs the permission issues=write [request ABCD:1234]"
    )
    assert isinstance(refused.value, GitHubRefused)
    assert (refused.value.status, refused.value.accepts, refused.value.request_id) == (403, "issues=write", "ABCD:1234")


@pytest.mark.parametrize("status", [400, 409, 410, 413, 418, 422, 451])
async def test_other_refusals_are_definite_too(server: GitHubOnLoopback, github: GitHub, status: int) -> None:
    server.on(COMMENT, Answer(status=status, body=b"<html>not JSON</html>"))

    with pytest.raises(GitHubRefused, match="without a reason") as refused:
        await github.comment(CPYTHON, ONE)

    assert refused.value.status == status
    assert len(server.requests(COMMENT)) == 1


DELETE_REF = f"DELETE {REPO}/git/refs/heads/done"


async def test_a_ref_that_is_gone_already_is_fine(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(DELETE_REF, Answer(status=422, body={"message": "Reference does not exist"}))
    server.on(f"GET {REPO}/git/ref/heads/done", Answer(status=404, body={"message": "Not Found"}))
    await github.delete_ref(CPYTHON, Ref("refs/heads/done"))
    assert [mint.body for mint in server.mints] == [
        {"permissions": {"contents": level}, "repositories": ["cpython"]} for level in ("write", "read")
    ]


@pytest.mark.parametrize("status", [403, 409, 422])
async def test_a_ref_that_stays_is_a_refusal(server: GitHubOnLoopback, github: GitHub, status: int) -> None:
    server.on(DELETE_REF, Answer(status=status, body={"message": "Repository rule violations found"}))
    server.on(f"GET {REPO}/git/ref/heads/done", Answer(body=ref("refs/heads/done")))
    with pytest.raises(GitHubRefused, match="rule violations") as refused:
        await github.delete_ref(CPYTHON, Ref("refs/heads/done"))
    assert refused.value.status == status


async def test_what_is_absent_is_none(server: GitHubOnLoopback, github: GitHub) -> None:
    absent = Answer(status=404, body={"message": "Not Found"})
    for path in ("issues/comments/1", "issues/42", "git/ref/heads/3.99", f"git/tags/{OBJECT_ID}", "rulesets/5", "branches/3.99/protection"):
        server.on(f"GET {REPO}/{path}", absent)
    server.on(f"GET {REPO}/contents/no/such.py", absent)
    server.on(f"GET {REPO}/collaborators/nobody/permission", absent)
    server.on("GET /orgs/python/teams/release-managers/memberships/nobody", absent)
    server.on("GET /user/31", absent)
    server.on(f"DELETE {REPO}/rulesets/5", absent)

    assert await github.comment(CPYTHON, ONE) is None
    assert await github.issue(CPYTHON, ISSUE) is None
    assert await github.ref(CPYTHON, Ref("refs/heads/3.99")) is None
    assert await github.tag_object(CPYTHON, CommitId(OBJECT_ID)) is None  # type: ignore[arg-type]  # an id that is no tag's
    assert await github.ruleset(CPYTHON, RulesetId(5)) is None
    assert await github.branch_protection(CPYTHON, "3.99") is None
    assert await github.file(CPYTHON, "no/such.py", "main") is None
    assert await github.permission(CPYTHON, "nobody") == "none"
    assert await github.team_membership("python", "release-managers", "nobody") is None
    assert await github.user(UserId(31)) is None
    await github.delete_ruleset(CPYTHON, RulesetId(5))


async def test_writing_to_what_is_absent_is_refused(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(WRITE, Answer(status=404, body={"message": "Not Found"}))

    with pytest.raises(GitHubRefused) as refused:
        await github.create_comment(CPYTHON, ISSUE, "x")

    assert refused.value.status == 404


async def test_an_unchanged_answer_costs_nothing_and_is_remembered_for_its_scope_alone(server: GitHubOnLoopback, github: GitHub) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("If-None-Match") == '"one"':
            return Answer(status=304)
        return Answer(body=[comment()], headers={"ETag": '"one"'})

    server.on(COMMENTS, answer)
    server.installed["python/other"] = 78
    server.on("GET /repos/python/other/issues/42/comments", answer)

    assert await github.comments(CPYTHON, ISSUE) == await github.comments(CPYTHON, ISSUE)
    assert [asked.headers.get("If-None-Match") for asked in server.requests(COMMENTS)] == [None, '"one"']

    await github.comments(Repository("python/other"), ISSUE)
    assert server.requests("GET /repos/python/other/issues/42/comments")[0].headers.get("If-None-Match") is None


async def test_answers_are_not_remembered_from_one_token_to_another(server: GitHubOnLoopback, github: GitHub) -> None:
    seen: list[tuple[object, str | None]] = []

    def answer(asked: Asked) -> Answer:
        seen.append((server.tokens[asked.token]["permissions"], asked.headers.get("If-None-Match")))
        # One answer that happens to satisfy whoever asks.
        return Answer(body=ref("refs/heads/main"), headers={"ETag": '"x"'})

    server.on(f"GET {REPO}/git/ref/heads/main", answer)
    server.installed["python/peps"] = INSTALLATION
    for via in (CPYTHON, CPYTHON, Repository("python/peps")):
        await github.ref(CPYTHON, Ref("refs/heads/main"), via=via)

    assert seen == [({"contents": "read"}, None), ({"contents": "read"}, '"x"'), ({"contents": "read"}, None)]


async def test_a_not_modified_that_was_not_asked_for_is_no_answer(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(status=304))

    with pytest.raises(MalformedAnswer, match="304"):
        await github.comment(CPYTHON, ONE)


async def test_a_date_alone_never_stands_for_the_present(server: GitHubOnLoopback, github: GitHub) -> None:
    bodies = iter(["/release halt", "/release halt now"])

    def answer(asked: Asked) -> Answer:
        if "If-Modified-Since" in asked.headers:
            return Answer(status=304)
        return Answer(body=comment(body=next(bodies)), headers={"Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT"})

    server.on(COMMENT, answer)
    seen = [await github.comment(CPYTHON, ONE) for _ in range(2)]
    assert [one.body for one in seen if one] == ["/release halt", "/release halt now"]


@pytest.fixture
def pages(server: GitHubOnLoopback) -> GitHubOnLoopback:
    def answer(asked: Asked) -> Answer:
        page = int(asked.query.get("page", "1"))
        following = f'<{server.url}{REPO}/issues/42/comments?per_page=100&page={page + 1}>; rel="next"'
        return Answer(body=[comment(page)], headers={"Link": following} if page < 4 else {})

    server.on(COMMENTS, answer)
    return server


async def test_long_lists_are_read_to_the_end(pages: GitHubOnLoopback, github: GitHub) -> None:
    assert [found.id for found in await github.comments(CPYTHON, ISSUE)] == [1, 2, 3, 4]
    assert pages.requests(COMMENTS)[0].query == {"per_page": "100"}


async def test_a_list_longer_than_the_bound_is_not_taken_for_the_whole(pages: GitHubOnLoopback, connect: Connect) -> None:
    with pytest.raises(Unavailable, match="more than 3 pages"):
        await connect(Limits(max_pages=3)).comments(CPYTHON, ISSUE)
    assert len(pages.requests(COMMENTS)) == 3


async def test_no_other_place_is_ever_asked(server: GitHubOnLoopback, github: GitHub) -> None:
    visited: list[str] = []

    async def visit(request: web.Request) -> web.Response:
        visited.append(request.headers.get("Authorization", ""))
        return web.json_response([])

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{any:.*}", visit)
    async with serving(elsewhere) as other:
        server.on(COMMENTS, Answer(body=[comment()], headers={"Link": f'<{other}/comments?page=2>; rel="next"'}))
        with pytest.raises(MalformedAnswer, match="another place"):
            await github.comments(CPYTHON, ISSUE)

        for status in (301, 302, 307, 308):
            server.on(COMMENT, Answer(status=status, headers={"Location": f"{other}/here"}))
            with pytest.raises(MalformedAnswer, match="another place"):
                await github.comment(CPYTHON, ONE)
            server.on(WRITE, Answer(status=status, headers={"Location": f"{other}/here"}))
            with pytest.raises(MalformedAnswer, match=str(status)):
                await github.create_comment(CPYTHON, ISSUE, "x")

    assert visited == []


async def test_a_renamed_repository_is_followed_within_the_api_for_reads(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(status=301, headers={"Location": "/repositories/7/issues/comments/1"}))
    server.on("GET /repositories/7/issues/comments/1", Answer(body=comment()))

    assert await github.comment(CPYTHON, ONE) is not None


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"id": 1}, "issue_url"),
        ({**comment(), "id": "1"}, "id"),
        ({**comment(), "created_at": 1234567890}, "created_at"),
        ({**comment(), "user": {"id": True, "login": "x", "type": "User"}}, "user.id"),
        ([], "the whole answer"),
        (b"<html>a proxy</html>", "the whole answer"),
        (b"", "the whole answer"),
    ],
)
async def test_an_answer_of_another_shape_is_malformed_and_says_where(
    server: GitHubOnLoopback, github: GitHub, body: object, place: str
) -> None:
    server.on(COMMENT, Answer(body=body))

    with pytest.raises(MalformedAnswer, match=f"at {place}:") as malformed:
        await github.comment(CPYTHON, ONE)

    assert isinstance(malformed.value, Unavailable)
    assert "/issues/comments/{comment}" in str(malformed.value)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"id": 1', {"Content-Type": "application/json"}),
        (b"\xff\xfe", {"Content-Type": "application/json; charset=utf-8"}),
        (b"{}", {"Content-Type": "application/json; charset=klingon"}),
        (b"[" * 100_000, {"Content-Type": "application/json"}),
    ],
)
async def test_an_answer_that_is_no_json_is_malformed(
    server: GitHubOnLoopback, github: GitHub, body: bytes, headers: dict[str, str]
) -> None:
    server.on(COMMENT, Answer(body=body, headers=headers))

    with pytest.raises(MalformedAnswer, match="cannot be read"):
        await github.comment(CPYTHON, ONE)


async def test_a_ref_is_only_the_ref_that_was_asked_for(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(f"GET {REPO}/git/ref/heads/main", Answer(body=ref("refs/heads/mainline")))
    with pytest.raises(MalformedAnswer, match="refs/heads/mainline"):
        await github.ref(CPYTHON, Ref("refs/heads/main"))

    server.on("GET /user/9", Answer(body={"id": 10, "login": "other", "type": "User"}))
    with pytest.raises(MalformedAnswer, match="answered with 10"):
        await github.user(UserId(9))


async def test_names_cannot_leave_their_place_in_the_path(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(f"GET {REPO}/collaborators/x%2F..%2Fy%3Fz%23%20%C3%A9/permission", Answer(body={"permission": "read"}))
    server.on(f"GET {REPO}/rules/branches/feature%2Fx", Answer(body=[]))
    server.on(f"GET {REPO}/git/ref/tags/a%3Fb%23c", Answer(body=ref("refs/tags/a?b#c")))

    assert await github.permission(CPYTHON, "x/../y?z# é") == "read"
    assert await github.branch_rules(CPYTHON, "feature/x") == []
    assert await github.ref(CPYTHON, Ref("refs/tags/a?b#c")) is not None
    asked = len(server.asked)

    for call in (
        github.permission(CPYTHON, ".."),
        github.ref(CPYTHON, Ref("refs/heads/../main")),
        github.ref(CPYTHON, Ref("refs/heads//main")),
        github.installation(Repository("python/..")),
        github.installation(Repository("python")),
        github.installation(Repository("python/cpython/rulesets")),
    ):
        with pytest.raises(GitHubRefused):
            await call
    assert len(server.asked) == asked


async def test_failed_deliveries_are_those_without_any_success(server: GitHubOnLoopback, github: GitHub) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    ids = count(1)

    def attempt(guid: str, minutes: int, status: str = "OK", code: int = 202) -> dict[str, object]:
        return {
            "id": next(ids),
            "guid": guid,
            "event": "issue_comment",
            "action": "created",
            "status": status,
            "status_code": code,
            "delivered_at": (now - timedelta(minutes=minutes)).isoformat(),
            "redelivery": False,
            "installation_id": 77,
            "repository_id": None,
        }

    failures = [
        attempt("lost", 1, "timed out", 0),
        attempt("healed", 5, "Invalid HTTP Response: 503", 503),
        attempt("lost", 7, "failed to connect", 0),
        attempt("lost too", 8, "Invalid HTTP Response: 500", 500),
        attempt("old", 90, "timed out", 0),
    ]
    successes = [attempt("fine", 2), attempt("healed", 3), attempt("ancient", 100)]

    def answer(asked: Asked) -> Answer:
        page = {"failure": failures, "success": successes}[asked.query["status"]]
        beyond = f'<{server.url}/app/hook/deliveries?cursor=further&status=failure>; rel="next"'
        assert "cursor" not in asked.query, "attempts before the wanted time are not read"
        return Answer(body=page, headers={"Link": beyond})

    server.on("GET /app/hook/deliveries", answer)

    found = await github.failed_deliveries(now - timedelta(hours=1))
    assert [(delivery.guid, delivery.id) for delivery in found] == [("lost too", 4), ("lost", 1)]

    failures.clear()
    server.asked.clear()
    successes.clear()
    server.on("GET /app/hook/deliveries", Answer(body=[]))
    assert await github.failed_deliveries(now) == []
    assert len(server.asked) == 1, "without failures the successes need not be read"


async def test_a_long_silence_does_not_end_the_asking(server: GitHubOnLoopback, connect: Connect) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    def answer(asked: Asked) -> Answer:
        lost = asked.query["status"] == "failure"
        attempt = {
            "id": 1 if lost else 2,
            "guid": "lost" if lost else "fine",
            "event": "issue_comment",
            "action": "created",
            "status": "timed out" if lost else "OK",
            "status_code": 0 if lost else 202,
            "delivered_at": now.isoformat(),
            "redelivery": False,
            "installation_id": 77,
            "repository_id": None,
        }
        following = f'<{server.url}/app/hook/deliveries?status={asked.query["status"]}&cursor=x>; rel="next"'
        return Answer(body=[attempt], headers={"Link": following})

    server.on("GET /app/hook/deliveries", answer)

    found = await connect(Limits(max_pages=2)).failed_deliveries(now - timedelta(days=3))
    assert [delivery.guid for delivery in found] == ["lost"]


@pytest.mark.parametrize(
    ("headers", "shortest", "longest"),
    [
        ({"Retry-After": "9999999"}, 3500, 3601),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -1200"}, 3500, 3601),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "253402300799"}, 3500, 3601),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 50, 61),
        ({"Retry-After": "0"}, 50, 61),
        ({"Retry-After": "20"}, 15, 21),
        ({"Retry-After": f"Fri, 31 Dec 2027 23:59:59 +{'9' * 20}", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nan"}, 50, 61),
    ],
)
async def test_no_header_silences_the_bot_for_ever_or_not_at_all(
    server: GitHubOnLoopback, github: GitHub, headers: dict[str, str], shortest: float, longest: float
) -> None:
    server.on(COMMENT, Answer(status=403, headers=headers))

    with pytest.raises(Unavailable) as limited:
        await github.comment(CPYTHON, ONE)

    assert limited.value.retry_at is not None
    assert shortest <= (limited.value.retry_at - datetime.now(UTC)).total_seconds() <= longest


async def test_the_app_knows_the_account_it_writes_as(server: GitHubOnLoopback, github: GitHub) -> None:
    account = Answer(body={"id": 999, "login": "brother-maynard[bot]", "type": "Bot"})
    server.on("GET /app", Answer(body={"id": APP_ID, "slug": "brother-maynard", "name": "Brother Maynard"}))
    server.on("GET /users/brother-maynard%5Bbot%5D", account)
    installation = {"app_id": APP_ID, "permissions": {}, "suspended_at": None}
    suspended = {**installation, "id": 1, "suspended_at": "2026-01-01T00:00:00Z"}
    server.on("GET /app/installations", Answer(body=[suspended, {**installation, "id": 77}]))

    assert (await github.app()).user_id == 999
    assert (await github.app(via=CPYTHON)).user_id == 999


async def test_an_app_that_is_installed_nowhere_has_no_account_yet(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on("GET /app", Answer(body={"id": APP_ID, "slug": "brother-maynard", "name": "Brother Maynard"}))
    server.on("GET /app/installations", Answer(body=[]))

    assert (await github.app()).user_id is None
