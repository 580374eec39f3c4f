"""Webhooks over real HTTP, with real signatures and a real database: what is stored, what is passed over, what is refused."""

import asyncio
import gzip
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.store.model import Delivery
from bot.store.store import Store
from bot.web.app import WebSettings, create_app
from bot.web.receiving import loggable
from bot.web.shapes import EVENTS
from bot.web.signature import claimed, is_genuine, sign
from tests.webhook_builders import (
    ISSUE,
    OLD_SECRET,
    SECRET,
    WATCH,
    Client,
    Recorder,
    comment,
    post,
    push,
    ruleset,
    web_settings,
)


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    return web_settings(tmp_path)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    yield store
    await store.close()


@pytest.fixture
async def client(settings: WebSettings, store: Store) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(settings, store))) as client:
        yield client


async def test_a_command_is_stored_with_the_little_that_is_needed(client: Client, store: Store) -> None:
    status, _ = await post(client, "issue_comment", comment("/release 3.15.0a3"), X_GitHub_Delivery="0b989ba4-242f-11e5-81e1-c7b6966d2516")
    assert status == 202
    payload = {
        "repository": "python/cpython",
        "issue": 42,
        "comment": 7,
        "body": "/release 3.15.0a3",
        "author": 1324225,
        "sender": 1324225,
    }
    expected = Delivery(
        guid="0b989ba4-242f-11e5-81e1-c7b6966d2516",
        key=ISSUE,
        event="issue_comment",
        action="created",
        payload=payload,
        received=datetime(2026, 11, 20, tzinfo=UTC),
    )
    assert await store.deliveries(ISSUE) == [expected]


async def test_the_same_delivery_twice_is_stored_once(client: Client, store: Store) -> None:
    answers = [await post(client, "issue_comment", comment("/release status"), X_GitHub_Delivery="twice") for _ in range(3)]
    assert [status for status, _ in answers] == [202, 200, 200]
    assert len(await store.deliveries(ISSUE)) == 1


async def test_many_at_once_are_each_stored_once(client: Client, store: Store) -> None:
    posts = [post(client, "issue_comment", comment("/release status"), X_GitHub_Delivery=f"guid-{number % 10}") for number in range(40)]
    statuses = [status for status, _ in await asyncio.gather(*posts)]
    assert sorted(statuses) == [200] * 30 + [202] * 10
    assert len(await store.deliveries(ISSUE)) == 10


async def test_a_store_that_is_down_is_said_so_everywhere(settings: WebSettings, caplog: pytest.LogCaptureFixture) -> None:
    async with TestClient(TestServer(create_app(settings, Recorder(Unavailable("no database"))))) as client:
        status, answer = await post(client, "issue_comment", comment("/release status"))
        assert (status, answer["message"]) == (503, "The delivery could not be stored now: send it again later.")
        assert (await client.get("/readyz")).status == 503
        assert (await client.get("/")).status == 503
        assert (await client.get("/releases/cpython/3.15.0a3.json")).status == 503
        assert (await client.get("/healthz")).status == 200
        assert (await post(client, "issue_comment", comment("hello")))[0] == 200
    assert "no database" in caplog.text


async def test_a_store_that_hangs_is_not_ready(settings: WebSettings) -> None:
    async with TestClient(TestServer(create_app(settings, Recorder(TimeoutError())))) as client:
        assert (await client.get("/readyz")).status == 503


async def test_a_fault_of_ours_tells_nothing(settings: WebSettings, caplog: pytest.LogCaptureFixture) -> None:
    async with TestClient(TestServer(create_app(settings, Recorder(RuntimeError("the inside"))))) as client:
        status, answer = await post(client, "issue_comment", comment("/release status"))
        assert (status, answer["message"]) == (500, "Something went wrong here; it was logged.")
    assert "the inside" in caplog.text


async def test_both_secrets_are_taken_while_one_replaces_the_other(client: Client) -> None:
    for secret in (SECRET, OLD_SECRET):
        assert (await post(client, "issue_comment", comment("/release status"), secret))[0] == 202
    assert (await post(client, "issue_comment", comment("/release status"), "another"))[0] == 401


@pytest.mark.parametrize(
    "signature",
    [
        None, "", "sha256=", "sha256=" + "0" * 64, "sha256=" + "0" * 63, "sha256=" + "G" * 64, "sha1=" + "0" * 40, "0" * 64,
        "sha256=" + "é" * 64, "SHA256=" + "0" * 64, "sha256=" + "\u0660" * 64,
    ],
)  # fmt: skip
async def test_a_bad_signature_is_refused(client: Client, store: Store, signature: str | None) -> None:
    body = comment("/release status")
    assert (await post(client, "issue_comment", body, X_Hub_Signature_256=signature))[0] == 401
    assert not await store.deliveries(ISSUE)


async def test_sha1_is_never_enough(client: Client) -> None:
    raw = json.dumps(comment("/release status")).encode()
    legacy = "sha1=" + hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()
    assert (await post(client, "issue_comment", raw, X_Hub_Signature_256=None, X_Hub_Signature=legacy))[0] == 401


async def test_a_changed_body_is_refused(client: Client) -> None:
    raw = json.dumps(comment("/release status")).encode()
    assert (await post(client, "issue_comment", raw + b" ", X_Hub_Signature_256=sign(raw, SECRET)))[0] == 401


async def test_two_signatures_are_none(client: Client) -> None:
    raw = json.dumps(comment("/release status")).encode()
    headers = [
        ("X-Hub-Signature-256", sign(raw, SECRET)),
        ("X-Hub-Signature-256", "sha256=" + "0" * 64),
        ("X-GitHub-Event", "issue_comment"),
        ("X-GitHub-Delivery", "x"),
        ("Content-Type", "application/json"),
    ]
    assert (await client.post("/webhook/github", data=raw, headers=headers)).status == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b"\xff\xfe{}", "{}".encode("utf-16"), b'{"a": NaN}', b"[" * 100_000, b"1" * 10_000, b'{"a": 1} x']
)
async def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    assert (await post(client, "issue_comment", body))[0] == 415


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"{}", b'{"action": "created"}'])
@pytest.mark.parametrize("event", sorted(EVENTS))
async def test_json_of_another_shape_is_refused(client: Client, event: str, body: bytes) -> None:
    assert (await post(client, event, body))[0] == 400


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"'])
async def test_even_an_unknown_event_has_an_object_for_a_body(client: Client, body: bytes) -> None:
    assert (await post(client, "gollum", body))[0] == 400


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin-1", "x", None]
)
async def test_only_json_is_taken(client: Client, content_type: str | None) -> None:
    assert (await post(client, "issue_comment", comment("/release status"), Content_Type=content_type))[0] == 415


async def test_json_in_utf8_may_say_so(client: Client) -> None:
    headers = "application/json; charset=UTF-8"
    assert (await post(client, "issue_comment", comment("/release halt caf\u00e9"), Content_Type=headers))[0] == 202


async def test_a_compressed_body_is_refused(client: Client) -> None:
    raw = gzip.compress(json.dumps(comment("/release status")).encode())
    assert (await post(client, "issue_comment", raw, Content_Encoding="gzip"))[0] == 415


@pytest.mark.parametrize("header", ["X_GitHub_Event", "X_GitHub_Delivery"])
@pytest.mark.parametrize("value", [None, "", "x" * 65, "a b", "../x", "é"])
async def test_a_missing_or_malformed_name_is_refused(client: Client, header: str, value: str | None) -> None:
    body = comment("/release status")
    status, answer = await post(client, "issue_comment", body, **{header: value})
    assert status == 400
    assert header.replace("_", "-") in answer["message"]


async def test_a_strange_action_is_not_kept(client: Client, store: Store) -> None:
    body = ruleset("deleted", repository={"full_name": "python/cpython"}) | {"action": "DELETED"}
    assert (await post(client, "repository_ruleset", body))[0] == 200
    assert (await post(client, "push", push() | {"action": "x'; drop table"}))[0] == 202
    assert [delivery.action for delivery in await store.deliveries(WATCH)] == [""]


async def test_what_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    status, answer = await post(client, "issue_comment", b" " * 200_001)
    assert status == 413
    assert "200000 bytes" in answer["message"]
    body = json.dumps(comment("/release status")).encode()
    assert (await post(client, "issue_comment", body + b" " * (200_000 - len(body))))[0] == 202


async def test_what_is_too_large_is_refused_also_without_a_length(client: Client) -> None:
    sent = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 65_536
            yield b" " * 65_536
            await asyncio.sleep(0)

    headers = {
        "X-Hub-Signature-256": "sha256=" + "0" * 64,
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "x",
    }
    async with client.post("/webhook/github", data=stream(), headers=headers) as response:
        assert response.status == 413


async def test_a_body_that_never_ends_is_given_up(settings: WebSettings, store: Store) -> None:
    app = create_app(replace(settings, patience=0.05), store)
    async with TestClient(TestServer(app)) as client:
        never = asyncio.Event()

        async def stream() -> AsyncIterator[bytes]:
            yield b"{"
            await never.wait()

        headers = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "Content-Type": "application/json"}
        async with client.post("/webhook/github", data=stream(), headers=headers) as response:
            assert response.status == 408
        never.set()


async def test_strangers_cannot_fill_the_memory(settings: WebSettings, store: Store) -> None:
    app = create_app(replace(settings, largest_body=10_000), store)
    async with TestClient(TestServer(app)) as client:
        end = asyncio.Event()

        async def stream() -> AsyncIterator[bytes]:
            yield b" " * 9_000
            await end.wait()

        async def send() -> int:
            headers = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "Content-Type": "application/json"}
            async with client.post("/webhook/github", data=stream(), headers=headers) as response:
                return response.status

        waiting = {asyncio.create_task(send()) for _ in range(6)}
        while len(waiting) > 4:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=5)
            assert {task.result() for task in done} == {503}
        assert (await post(client, "issue_comment", comment("/release status")))[0] == 202
        end.set()
        assert {await task for task in waiting} == {401}
        assert (await post(client, "issue_comment", comment("/release halt " + "x" * 9_000)))[0] == 202


async def test_a_broken_transfer_harms_nobody(client: Client) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    signed = "sha256=" + "0" * 64
    head = f"POST /webhook/github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {signed}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n".encode())
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b" 400 " in answer
    assert (await post(client, "issue_comment", comment("/release status")))[0] == 202


async def test_other_methods_and_paths(client: Client) -> None:
    response = await client.get("/webhook/github")
    assert response.status == 405
    assert response.headers["Allow"] == "POST"
    assert (await client.post("/webhook/other")).status == 404
    assert (await client.get("/readyz")).status == 200
    assert (await client.get("/healthz")).status == 200


async def test_no_secret_and_no_other_header_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await post(
        client,
        "issue_comment",
        comment("/release status"),
        "wrong",
        X_Github_Encoded_Secret="czNjcmV0",
        Authorization="Basic czNjcmV0",
    )
    assert "X-GitHub-Delivery" in caplog.text
    for secret in (SECRET, OLD_SECRET, "czNjcmV0", "sha256="):
        assert secret not in caplog.text
    assert loggable({"User-Agent": "a\nb", "Cookie": "x"}) == {"User-Agent": "'a\\nb'"}


async def test_a_foreign_installation_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    await post(client, "issue_comment", comment("/release status") | {"installation": {"id": 666}})
    assert "Another installation" in caplog.text


def test_the_secrets_are_not_in_any_text(settings: WebSettings) -> None:
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_there_is_no_application(settings: WebSettings, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="anybody could send commands"):
        create_app(replace(settings, secrets=secrets), Recorder())


@given(st.binary(), st.text(min_size=1), st.text(min_size=1))
def test_a_signature_proves_exactly_its_body_and_secret(body: bytes, secret: str, other: str) -> None:
    digest = claimed([sign(body, secret)])
    assert digest is not None
    assert is_genuine(body, digest, [other, secret])
    # HMAC fills short keys up with zeros (https://www.rfc-editor.org/rfc/rfc2104), so those at the end of a key make no difference.
    assert is_genuine(body, digest, [other]) is (other.rstrip("\0") == secret.rstrip("\0"))
    assert not is_genuine(body + b"x", digest, [secret])


@given(st.text())
def test_no_header_makes_the_reading_of_signatures_fail(header: str) -> None:
    assert claimed([header]) is None or len(header) == 71
