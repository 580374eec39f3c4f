"""How the bot asks: patiently, twice only where that is safe, and never anywhere else."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count, pairwise

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import Refused, Unavailable
from bot.release.ids import CommentId, CommitId, IssueNumber, Ref, Repository, RulesetId, UserId
from bot.services.answers import MalformedAnswer
from bot.services.github import GitHub, GitHubRefused, Limits
from tests.github.answers import OBJECT_ID, REPO, comment, ref
from tests.github.conftest import Connect
from tests.github.loopback import APP_ID, INSTALLATION, Answer, Asked, GitHubOnLoopback, pem_of, serving

CPYTHON = Repository("python/cpython")
ONE = CommentId(1)
COMMENT = f"GET {REPO}/issues/comments/1"
COMMENTS = f"GET {REPO}/issues/42/comments"
WRITE = f"POST {REPO}/issues/42/comments"
ISSUE = IssueNumber(42)


async def test_every_request_says_who_asks_and_in_which_version(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))
    await github.comment(CPYTHON, ONE)

    assert {asked.headers["X-GitHub-Api-Version"] for asked in server.asked} == {"2026-03-10"}
    assert {asked.headers["Accept"] for asked in server.asked} == {"application/vnd.github+json"}
    assert all("brother-maynard" in asked.headers["User-Agent"] for asked in server.asked)


async def test_a_read_is_tried_again_after_trouble(server: GitHubOnLoopback, github: GitHub) -> None:
    answers = iter([Answer(status=502, body=b"<html>"), Answer(status=500), Answer(body=comment())])
    server.on(COMMENT, lambda _asked: next(answers))

    assert await github.comment(CPYTHON, ONE) is not None


async def test_a_read_is_not_tried_for_ever(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(status=520, body=b"a status without a name"))

    with pytest.raises(Unavailable, match=r"GET /repos/python/cpython/issues/comments/1 with 520 \[request ABCD:1234\]"):
        await github.comment(CPYTHON, ONE)

    assert len(server.requests(COMMENT)) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_a_write_is_never_tried_again(server: GitHubOnLoopback, github: GitHub, status: int) -> None:
    server.on(WRITE, Answer(status=status, body={"message": "boom"}))

    with pytest.raises(Unavailable):
        await github.create_comment(CPYTHON, ISSUE, "x")

    assert len(server.requests(WRITE)) == 1


async def test_a_write_whose_answer_is_lost_may_have_been_done(server: GitHubOnLoopback, connect: Connect) -> None:
    async def hang(_asked: Asked) -> Answer:
        await asyncio.Event().wait()
        return Answer()

    server.on(WRITE, hang)

    with pytest.raises(Unavailable, match=r"within 0\.2 seconds; whether it was done is unknown"):
        await connect(Limits(write_gap=0, timeout=0.2)).create_comment(CPYTHON, ISSUE, "x")

    assert len(server.requests(WRITE)) == 1


async def test_a_server_that_is_down_is_unavailable(session: aiohttp.ClientSession, key: rsa.RSAPrivateKey) -> None:
    async with serving(web.Application()) as url:
        pass
    limits = Limits(backoff=0.001)

    with pytest.raises(Unavailable, match="could not be reached for GET /repos/python/cpython/installation"):
        await GitHub(APP_ID, pem_of(key), url, session, limits=limits).installation(CPYTHON)


@pytest.mark.parametrize("status", [403, 429])
async def test_a_used_up_limit_is_waited_for_in_silence(server: GitHubOnLoopback, github: GitHub, status: int) -> None:
    reset = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(reset.timestamp()))}
    server.on(COMMENT, Answer(status=status, body={"message": "API rate limit exceeded"}, headers=headers))
    with pytest.raises(Unavailable, match="limited GET") as limited:
        await github.comment(CPYTHON, ONE)
    assert limited.value.retry_at == reset
    asked = len(server.asked)

    for call in (github.comment(CPYTHON, ONE), github.create_comment(CPYTHON, ISSUE, "x")):
        with pytest.raises(Unavailable, match="nothing was asked") as silent:
            await call
        assert silent.value.retry_at == reset
    assert len(server.asked) == asked + 1, "only the token for the write, which is the App's own business"


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {}, "You have exceeded a secondary rate limit. Please wait.", 60),
        (429, {}, "Too many requests", 60),
        (429, {"Retry-After": "7"}, "Too many requests", 7),
        (403, {"Retry-After": "90"}, "You have triggered an abuse detection mechanism", 90),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "never"}, "", 60),
        (429, {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)}, "", 300),
    ],
)
async def test_a_secondary_limit_is_waited_for_as_long_as_github_says_or_a_minute(
    server: GitHubOnLoopback, github: GitHub, status: int, headers: dict[str, str], message: str, seconds: int
) -> None:
    server.on(COMMENT, Answer(status=status, body={"message": message}, headers=headers))

    with pytest.raises(Unavailable) as limited:
        await github.comment(CPYTHON, ONE)

    assert limited.value.retry_at is not None
    assert abs((limited.value.retry_at - datetime.now(UTC)).total_seconds() - seconds) < 5
    assert len(server.requests(COMMENT)) == 1


async def test_the_patience_after_a_secondary_limit_is_an_argument(server: GitHubOnLoopback, connect: Connect) -> None:
    answers = iter([Answer(status=429), Answer(body=comment())])
    server.on(COMMENT, lambda _asked: next(answers))
    github = connect(Limits(secondary_wait=0.0))

    with pytest.raises(Unavailable):
        await github.comment(CPYTHON, ONE)
    assert await github.comment(CPYTHON, ONE) is not None


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


@pytest.fixture
def pages(server: GitHubOnLoopback) -> Iterator[GitHubOnLoopback]:
    def answer(asked: Asked) -> Answer:
        page = int(asked.query.get("page", "1"))
        following = f'<{server.url}{REPO}/issues/42/comments?per_page=100&page={page + 1}>; rel="next"'
        return Answer(body=[comment(page)], headers={"Link": following} if page < 4 else {})

    server.on(COMMENTS, answer)
    return iter([server])


async def test_long_lists_are_read_to_the_end(pages: Iterator[GitHubOnLoopback], github: GitHub) -> None:
    server = next(pages)

    assert [found.id for found in await github.comments(CPYTHON, ISSUE)] == [1, 2, 3, 4]
    assert server.requests(COMMENTS)[0].query == {"per_page": "100"}


async def test_a_list_longer_than_the_bound_is_not_taken_for_the_whole(pages: Iterator[GitHubOnLoopback], connect: Connect) -> None:
    server = next(pages)

    with pytest.raises(Unavailable, match="more than 3 pages"):
        await connect(Limits(max_pages=3)).comments(CPYTHON, ISSUE)
    assert len(server.requests(COMMENTS)) == 3


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


async def test_writes_keep_apart_and_reads_do_not(server: GitHubOnLoopback, connect: Connect) -> None:
    github = connect(Limits(write_gap=0.1))
    server.on(WRITE, Answer(status=201, body=comment()))
    server.on(COMMENT, Answer(body=comment()))
    await github.create_comment(CPYTHON, ISSUE, "first")
    await github.comment(CPYTHON, ONE)
    begun = asyncio.get_running_loop().time()

    await asyncio.gather(*(github.create_comment(CPYTHON, ISSUE, str(number)) for number in range(3)))
    await asyncio.gather(*(github.comment(CPYTHON, ONE) for _ in range(10)))

    times = [asked.at for asked in server.requests(WRITE)]
    assert all(later - earlier > 0.08 for earlier, later in pairwise(times))
    assert asyncio.get_running_loop().time() - begun < 2


async def test_only_so_many_requests_are_under_way_at_once(server: GitHubOnLoopback, connect: Connect) -> None:
    under_way = most = 0

    async def answer(_asked: Asked) -> Answer:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return Answer(body=comment())

    server.on(COMMENT, answer)
    github = connect(Limits(concurrency=3))

    await asyncio.gather(*(github.comment(CPYTHON, ONE) for _ in range(12)))

    assert most == 3


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
