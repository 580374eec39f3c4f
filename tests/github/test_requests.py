"""How the bot asks: patiently, and twice only where that is safe."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import Unavailable
from bot.release.ids import CommentId, IssueNumber, Repository
from bot.services.github import GitHub, Limits
from tests.github.answers import REPO, comment
from tests.github.conftest import Connect
from tests.github.loopback import APP_ID, Answer, Asked, GitHubOnLoopback, pem_of, serving

CPYTHON = Repository("python/cpython")
ONE = CommentId(1)
COMMENT = f"GET {REPO}/issues/comments/1"
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


async def test_a_limit_may_name_its_end_as_a_date(server: GitHubOnLoopback, github: GitHub) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    server.on(COMMENT, Answer(status=429, headers={"Retry-After": format_datetime(end, usegmt=True)}))

    with pytest.raises(Unavailable) as limited:
        await github.comment(CPYTHON, ONE)

    assert limited.value.retry_at == end


async def test_the_patience_after_a_secondary_limit_is_an_argument(server: GitHubOnLoopback, connect: Connect) -> None:
    answers = iter([Answer(status=429), Answer(body=comment())])
    server.on(COMMENT, lambda _asked: next(answers))
    github = connect(Limits(secondary_wait=0.0))

    with pytest.raises(Unavailable):
        await github.comment(CPYTHON, ONE)
    assert await github.comment(CPYTHON, ONE) is not None


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
