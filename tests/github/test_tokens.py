"""The App proves who it is with its own signature, and acts with tokens that can do one thing in one repository."""

import asyncio
import logging
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.release.ids import CommentId, IssueNumber, Ref, Repository, RulesetId, UserId
from bot.services.github import GitHub, GitHubRefused, NotInstalled
from bot.services.github.credentials import Credential
from bot.services.github.permissions import PERMISSIONS, Topic, missing, table, wanted
from bot.services.github.tokens import AppSignature, BadPrivateKey, InstallationToken
from tests.github.answers import REPO, comment, ref
from tests.github.loopback import APP_ID, INSTALLATION, Answer, Asked, GitHubOnLoopback, pem_of

CPYTHON = Repository("python/cpython")
COMMENT = f"GET {REPO}/issues/comments/1"
ONE = CommentId(1)


async def test_a_token_can_do_what_the_topic_needs_in_the_one_repository(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))
    server.on(f"POST {REPO}/issues/42/comments", Answer(status=201, body=comment()))

    await github.comment(CPYTHON, ONE)
    await github.create_comment(CPYTHON, IssueNumber(42), "hello")

    assert [mint.body for mint in server.mints] == [
        {"permissions": {"issues": "read"}, "repositories": ["cpython"]},
        {"permissions": {"issues": "write"}, "repositories": ["cpython"]},
    ]


async def test_pull_requests_are_read_where_the_owner_granted_it(server: GitHubOnLoopback, github: GitHub) -> None:
    server.granted["pull_requests"] = "write"
    server.on(COMMENT, Answer(body=comment()))

    await github.comment(CPYTHON, ONE)

    assert server.mints[0].body == {"permissions": {"issues": "read", "pull_requests": "read"}, "repositories": ["cpython"]}


async def test_a_token_is_used_again_until_shortly_before_its_end(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))

    for _ in range(3):
        await github.comment(CPYTHON, ONE)
    assert len(server.mints) == 1
    assert len(server.requests(f"GET {REPO}/installation")) == 1


async def test_a_token_within_its_margin_is_replaced(server: GitHubOnLoopback, github: GitHub) -> None:
    server.token_life = timedelta(seconds=299)
    server.on(COMMENT, Answer(body=comment()))

    await github.comment(CPYTHON, ONE)
    await github.comment(CPYTHON, ONE)

    assert len(server.mints) == 2


async def test_many_who_wait_share_one_mint(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))
    await github.installation(CPYTHON)

    await asyncio.gather(*(github.comment(CPYTHON, ONE) for _ in range(20)))

    assert len(server.mints) == 1
    assert len(server.requests(COMMENT)) == 20


async def test_one_who_gives_up_does_not_take_the_token_from_the_others(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))
    await github.installation(CPYTHON)

    first = asyncio.create_task(github.comment(CPYTHON, ONE))
    second = asyncio.create_task(github.comment(CPYTHON, ONE))
    await asyncio.wait_for(server.minting.wait(), timeout=5)
    first.cancel()

    assert (await second) is not None
    assert len(server.mints) == 1


async def test_a_dead_token_is_replaced_once(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(body=comment()))
    await github.comment(CPYTHON, ONE)
    server.tokens.clear()

    assert await github.comment(CPYTHON, ONE) is not None
    assert len(server.mints) == 2


async def test_a_write_with_a_dead_token_is_sent_again_because_nothing_was_done(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(f"POST {REPO}/issues/42/comments", Answer(status=201, body=comment()))
    await github.create_comment(CPYTHON, IssueNumber(42), "one")
    server.tokens.clear()

    await github.create_comment(CPYTHON, IssueNumber(42), "two")

    assert [asked.body for asked in server.requests(f"POST {REPO}/issues/42/comments")] == [
        {"body": text} for text in ("one", "two", "two")
    ]


async def test_a_token_refused_for_ever_is_not_replaced_for_ever(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on(COMMENT, Answer(status=401, body={"message": "Bad credentials"}))

    with pytest.raises(GitHubRefused, match="Bad credentials") as refused:
        await github.comment(CPYTHON, ONE)

    assert refused.value.status == 401
    assert len(server.mints) == 2


@pytest.mark.parametrize("ahead", [timedelta(minutes=-30), timedelta(minutes=30)])
async def test_a_clock_that_differs_is_corrected_by_githubs_own(server: GitHubOnLoopback, github: GitHub, ahead: timedelta) -> None:
    server.ahead = ahead

    assert await github.installation(CPYTHON) == 77
    assert await github.installation(CPYTHON) == 77

    assert len(server.requests(f"GET {REPO}/installation")) == 3


async def test_a_signature_that_is_refused_with_the_right_time_is_not_made_again(
    server: GitHubOnLoopback, session: aiohttp.ClientSession
) -> None:
    stranger = GitHub(APP_ID, pem_of(rsa.generate_private_key(65537, 2048)), server.url, session)

    with pytest.raises(GitHubRefused, match="could not be decoded"):
        await stranger.installation(CPYTHON)

    assert len(server.asked) == 1


def test_the_signature_is_dated_back_and_lives_less_than_ten_minutes(key: rsa.RSAPrivateKey) -> None:
    moments = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    signature = AppSignature(APP_ID, pem_of(key), lambda: moments[-1])

    first = signature.value()
    claims = jwt.decode(first, key.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == {"iss": "4242", "iat": moments[0].timestamp() - 60, "exp": moments[0].timestamp() + 480}

    moments.append(moments[0] + timedelta(minutes=6))
    assert signature.value() == first
    moments.append(moments[0] + timedelta(minutes=7))
    assert signature.value() != first
    moments.append(moments[0] - timedelta(hours=1))
    assert signature.value() != first, "a clock that was set back"


def test_a_key_of_another_kind_is_refused_in_one_sentence() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for pem in ("", "-----BEGIN RSA PRIVATE KEY-----\nsecretsecret\n-----END RSA PRIVATE KEY-----", elliptic):
        with pytest.raises(BadPrivateKey, match="not an unencrypted RSA key") as refused:
            AppSignature(APP_ID, pem, lambda: datetime.now(UTC))
        assert "secretsecret" not in "".join(traceback.format_exception(refused.value))


async def test_a_push_token_is_minted_for_one_push_and_given_back(server: GitHubOnLoopback, github: GitHub) -> None:
    server.granted["workflows"] = "write"

    plain = await github.push_token(CPYTHON, workflows=False)
    full = await github.push_token(CPYTHON, workflows=True)
    assert plain != await github.push_token(CPYTHON, workflows=False)
    assert server.tokens[plain] == {"permissions": {"contents": "write"}, "repositories": ["cpython"]}
    assert server.tokens[full] == {"permissions": {"contents": "write", "workflows": "write"}, "repositories": ["cpython"]}

    await github.revoke(full)
    assert full not in server.tokens
    await github.revoke(full)


async def test_a_read_token_for_git_is_shared(server: GitHubOnLoopback, github: GitHub) -> None:
    assert await github.fetch_token(CPYTHON) == await github.fetch_token(CPYTHON)
    assert server.mints[0].body == {"permissions": {"contents": "read"}, "repositories": ["cpython"]}


async def test_what_was_not_granted_is_refused_in_githubs_words(server: GitHubOnLoopback, github: GitHub) -> None:
    del server.granted["administration"]

    with pytest.raises(GitHubRefused, match="not granted to this installation"):
        await github.branch_protection(CPYTHON, "main")


async def test_where_the_app_is_not_installed_nothing_is_taken_for_absent(server: GitHubOnLoopback, github: GitHub) -> None:
    assert await github.installation(Repository("manager/cpython")) is None
    with pytest.raises(NotInstalled, match="not installed on manager/cpython"):
        await github.comment(Repository("manager/cpython"), ONE)
    assert server.mints == []


async def test_a_team_is_asked_with_the_token_of_a_repository_in_use(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on("GET /orgs/python/teams/release-managers/memberships/manager", Answer(body={"state": "active"}))
    await github.installation(CPYTHON)

    assert await github.team_membership("python", "release-managers", "manager") == "active"
    assert server.mints[0].body == {"permissions": {"members": "read"}, "repositories": ["cpython"]}


async def test_who_suspends_the_app_in_a_fork_silences_it_there_alone(server: GitHubOnLoopback, github: GitHub) -> None:
    server.installed = {"manager/cpython": 90, "python/cpython": INSTALLATION}
    server.suspended = {90}
    server.on("GET /user/9", Answer(body={"id": 9, "login": "manager", "type": "User"}))
    server.on("GET /repos/manager/cpython/issues/comments/1", Answer(body=comment()))
    await github.installation(Repository("manager/cpython"))
    await github.installation(CPYTHON)

    assert await github.user(UserId(9))
    with pytest.raises(GitHubRefused, match="suspended"):
        await github.comment(Repository("manager/cpython"), ONE)


async def test_a_team_of_another_organisation_is_asked_with_the_token_of_its_own_installation(
    server: GitHubOnLoopback, github: GitHub
) -> None:
    server.on("GET /orgs/psf/installation", Answer(body={"id": 80, "app_id": APP_ID, "permissions": server.granted}))
    server.on("GET /orgs/psf/teams/experts/memberships/expert", Answer(body={"state": "pending"}))
    await github.installation(CPYTHON)

    assert await github.team_membership("psf", "experts", "expert") == "pending"
    assert [(mint.path, mint.body) for mint in server.mints] == [
        ("/app/installations/80/access_tokens", {"permissions": {"members": "read"}})
    ]


async def test_an_app_that_was_removed_does_not_take_everything_for_absent(server: GitHubOnLoopback, github: GitHub) -> None:
    await github.installation(CPYTHON)
    gone = Answer(status=404, body={"message": "Not Found"})
    server.on("POST /app/installations/77/access_tokens", gone)

    with pytest.raises(NotInstalled):
        await github.comment(CPYTHON, ONE)
    with pytest.raises(NotInstalled):
        await github.delete_ruleset(CPYTHON, RulesetId(5))

    server.installed["python/cpython"] = 79
    server.on(COMMENT, Answer(body=comment()))
    assert await github.comment(CPYTHON, ONE) is not None, "installed again, under another id"


async def test_a_public_fork_is_read_with_the_token_of_upstream(server: GitHubOnLoopback, github: GitHub) -> None:
    server.on("GET /repos/manager/cpython/git/ref/tags/v3.15.0a3", Answer(body=ref("refs/tags/v3.15.0a3", "tag")))

    target = await github.ref(Repository("manager/cpython"), Ref("refs/tags/v3.15.0a3"), via=CPYTHON)

    assert target is not None
    assert target.type == "tag"
    assert server.mints[0].body == {"permissions": {"contents": "read"}, "repositories": ["cpython"]}


async def test_secrets_show_nowhere(
    server: GitHubOnLoopback, github: GitHub, key: rsa.RSAPrivateKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def fail(asked: Asked) -> Answer:
        # A server that repeats the credential in its message is the worst case.
        return Answer(status=403, body={"message": f"no: {asked.token}"})

    server.on(COMMENT, fail)
    server.on(f"POST {REPO}/issues/42/comments", Answer(status=500, body=b"oops"))
    server.on(f"GET {REPO}", Answer(body=b'{"broken', headers={"Content-Type": "application/json"}))
    for call in (
        github.comment(CPYTHON, ONE),
        github.create_comment(CPYTHON, IssueNumber(42), "x"),
        github.default_branch(CPYTHON),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it must not tell
            await call
        shown += [repr(caught.value), *traceback.format_exception(caught.value)]
    token = InstallationToken(value="ghs_verysecretverysecretverysecret", expires=datetime.now(UTC))
    shown += [repr(token), str(token), repr(Credential(token=token.value, signature="s3cret")), caplog.text]
    shown += [repr(AppSignature(APP_ID, pem_of(key), lambda: datetime.now(UTC))), repr(github)]

    text = "\n".join(shown)
    assert "loopback-secret" not in text
    assert "verysecret" not in text
    assert "s3cret" not in text
    assert not any(value in text for value in server.tokens)
    assert "eyJ" not in text
    assert "Authorization" not in text


async def test_a_malformed_token_answer_does_not_show_the_token(server: GitHubOnLoopback, github: GitHub) -> None:
    body = {"token": "ghs_secretsecretsecretsecret", "expires_at": "soon"}
    server.on("POST /app/installations/77/access_tokens", Answer(status=201, body=body))

    with pytest.raises(Exception, match="expires_at") as caught:
        await github.comment(CPYTHON, ONE)

    assert "secretsecret" not in "".join(traceback.format_exception(caught.value))


def test_every_method_has_its_place_in_the_table_of_permissions() -> None:
    methods = {name for name in dir(GitHub) if not name.startswith("_")}
    listed = {method for need in PERMISSIONS.values() for method in need.methods}
    assert methods == listed | {"revoke"}


def test_the_table_tells_what_to_grant_and_what_is_missing() -> None:
    assert wanted() == {
        "actions": "write",
        "administration": "write",
        "checks": "write",
        "contents": "write",
        "issues": "write",
        "members": "read",
        "metadata": "read",
        "pull_requests": "write",
        "workflows": "write",
    }
    assert missing({**wanted(), "administration": "admin", "pull_requests": ""}) == {}
    assert missing({**wanted(), "issues": "read", "members": ""}) == {"issues": "write", "members": "read"}
    assert all(f"| {topic} |" in table() for topic in Topic)


def test_the_page_about_permissions_is_this_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "permissions.md"
    assert table() in page.read_text(encoding="utf-8")
