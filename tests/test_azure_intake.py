"""Service hooks of Azure DevOps over real HTTP, with a real database: who may knock, what wakes, what is passed over, what is refused."""

import asyncio
import base64
import gzip
import io
import json
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.profile.types import Step, StepName
from bot.release.ids import WorkKey
from bot.store.model import Delivery
from bot.store.store import Store
from bot.web.app import WebSettings, create_app
from bot.web.azure_intake import LARGEST_BODY
from bot.web.sign_in import claimed, is_ours
from tests.webhook_builders import SECRET, WATCH, Client, Json, Recorder, web_settings

PASSWORD = "a password of some length for hooks"
OLD_PASSWORD = "the password that is being replaced"
EVENT_ID = "4a5d99d6-1c75-4e53-91b9-ee80057d4ce3"


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    """Settings of one project that builds on Azure."""
    settings = web_settings(tmp_path)
    (profile,) = settings.profiles
    building = profile.model_copy(update={"steps": (*profile.steps, Step(name=StepName.WINDOWS))})
    return replace(settings, profiles=[building], azure_secrets=[PASSWORD, OLD_PASSWORD])


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    yield store
    await store.close()


@pytest.fixture
async def client(settings: WebSettings, store: Store) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(settings, store))) as client:
        yield client


def hook(event: str = "ms.vss-pipelines.stage-state-changed-event", **changes: object) -> Json:
    """Return a body as https://learn.microsoft.com/en-us/azure/devops/service-hooks/events shows them."""
    return {
        "subscriptionId": "4f6e6328-0251-4814-a009-c01dfa368e3f",
        "notificationId": 1,
        "id": str(uuid.uuid4()),
        "eventType": event,
        "publisherId": "pipelines",
        "message": {"text": "Run 20191213.1 stage Build succeeded."},
        "detailedMessage": {"text": "Run 20191213.1 stage Build succeeded."},
        "resource": {"stage": {"name": "Build"}, "run": {"id": 77, "name": "secret plans"}, "pipeline": {"id": 21}},
        "resourceVersion": "5.1-preview.1",
        "resourceContainers": {"project": {"id": "be9b3917-87e6-42a4-a549-2bc06a7a878f"}},
        "createdDate": "2019-12-13T06:10:10.186Z",
        **changes,
    }


def basic(password: str, user: str = "azure") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def post(client: Client, body: object, /, **headers: str | None) -> tuple[int, str]:
    """Send a body as Azure does; headers named with underscores replace Azure's, None leaves one out."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: dict[str, str | None] = {"Content-Type": "application/json; charset=utf-8", "Authorization": basic(PASSWORD)}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    present = {name: value for name, value in sent.items() if value is not None}
    async with client.post("/webhook/azure", data=raw, headers=present) as response:
        assert response.content_type == "application/json"
        answer: Json = await response.json()
        assert list(answer) == ["message"]
        assert answer["message"].endswith(".")
        assert ("WWW-Authenticate" in response.headers) is (response.status == 401)
        return response.status, answer["message"]


async def test_an_event_is_stored_by_its_ids_alone(client: Client, store: Store) -> None:
    assert await post(client, hook(id=EVENT_ID)) == (202, "Stored.")
    expected = Delivery(
        guid=f"azure-{EVENT_ID}-cpython",
        key=WATCH,
        event="azure",
        action="",
        payload={"event": "ms.vss-pipelines.stage-state-changed-event", "run": 77},
        received=datetime(2026, 11, 20, tzinfo=UTC),
    )
    assert await store.deliveries(WATCH) == [expected]


@pytest.mark.parametrize(
    ("body", "run"),
    [
        (hook("build.complete", publisherId="tfs", resource={"id": 78, "run": {"id": 1}}), 78),
        (hook("ms.vss-pipelines.run-state-changed-event"), 77),
        (hook("ms.vss-pipelines.job-state-changed-event"), 77),
        (hook("ms.vss-pipelinechecks-events.approval-pending", resource={"approval": {"id": "x"}, "run": None, "id": 0}), None),
        (hook("ms.vss-pipelinechecks-events.approval-completed", resource={"approval": {"id": "x"}, "run": None, "id": 0}), None),
        (hook(resource=None), None),
        (hook(resource={"run": {"id": "77; drop table"}}), None),
        (hook(resource={"run": {"id": True}}), None),
        (hook(resource={"run": {"id": 2**70}}), None),
        (hook(resource=[{"run": {"id": 77}}]), None),
        ({name: value for name, value in hook().items() if name in {"id", "eventType", "publisherId"}}, None),
        (hook("build.complete", publisherId="azure-devops", resource={"id": 78}), 78),
    ],
)  # fmt: skip
async def test_every_event_of_builds_and_pipelines_is_taken(client: Client, store: Store, body: Json, run: int | None) -> None:
    assert (await post(client, body))[0] == 202
    (delivery,) = await store.deliveries(WATCH)
    assert delivery.payload == {"event": body["eventType"], "run": run}


async def test_all_live_releases_of_every_project_that_builds_there_look_again(settings: WebSettings) -> None:
    (first,) = settings.profiles
    second = first.model_copy(update={"project": first.project.model_copy(update={"name": "other"})})
    third = first.model_copy(update={"project": first.project.model_copy(update={"name": "handmade"}), "steps": ()})
    recorder = Recorder()
    async with TestClient(TestServer(create_app(replace(settings, profiles=[first, second, third]), recorder))) as client:
        assert (await post(client, hook()))[0] == 202
    assert recorder.woken == [(WATCH, "cpython"), (WorkKey("other"), "other")]


async def test_an_event_that_comes_again_is_known(client: Client, store: Store) -> None:
    body = hook(id=EVENT_ID)
    again = body | {"notificationId": 2, "createdDate": "2020-01-01T00:00:00Z"}
    answers = [await post(client, each) for each in (body, again, body)]
    assert [status for status, _ in answers] == [202, 200, 200]
    assert len(await store.deliveries(WATCH)) == 1


async def test_many_at_once_are_each_stored_once(client: Client, store: Store) -> None:
    bodies = [hook(id=f"{EVENT_ID[:-1]}{number % 5}") for number in range(20)]
    statuses = [status for status, _ in await asyncio.gather(*(post(client, body) for body in bodies))]
    assert sorted(statuses) == [200] * 15 + [202] * 5
    assert len(await store.deliveries(WATCH)) == 5


async def test_what_others_publish_concerns_nobody(client: Client, store: Store) -> None:
    assert (await post(client, hook("ms.vss-release.deployment-started-event", publisherId="rm")))[0] == 200
    assert not await store.deliveries(WATCH)


async def test_where_no_project_builds_on_azure_nothing_is_stored(settings: WebSettings) -> None:
    (profile,) = settings.profiles
    recorder = Recorder()
    handmade = replace(settings, profiles=[profile.model_copy(update={"steps": ()})])
    async with TestClient(TestServer(create_app(handmade, recorder))) as client:
        assert await post(client, hook()) == (200, "No project of ours builds on Azure.")
    assert recorder.woken == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": basic(PASSWORD, "")},
        {"Authorization": basic(OLD_PASSWORD, "anybody")},
        {"Authorization": basic(PASSWORD).replace("Basic", "basic")},
        {"Authorization": None, "X_Hook_Secret": PASSWORD},
        {"Authorization": None, "X_Hook_Secret": OLD_PASSWORD},
        {"Authorization": "Bearer of.a.proxy", "X_Hook_Secret": PASSWORD},
        {"Authorization": basic("that of a proxy"), "X_Hook_Secret": PASSWORD},
    ],
)
async def test_both_ways_to_sign_in(client: Client, headers: dict[str, str | None]) -> None:
    assert (await post(client, hook(), **headers))[0] == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic é"},
        {"Authorization": "Basic " + base64.b64encode(PASSWORD.encode()).decode()},
        {"Authorization": "Basic " + base64.b64encode(b"azure:\xff\xfe").decode()},
        {"Authorization": "Basic " + PASSWORD},
        {"Authorization": "Bearer " + PASSWORD},
        {"Authorization": basic("")},
        {"Authorization": basic(PASSWORD[:-1])},
        {"Authorization": basic(PASSWORD + "x")},
        {"Authorization": basic(PASSWORD.upper())},
        {"Authorization": basic("x", PASSWORD)},
        {"X_Hook_Secret": ""},
        {"X_Hook_Secret": "wrong"},
        {"X_Hook_Secret": "\udce9"},
        {"X_Hook_Secret": SECRET},
        {"X_Hub_Signature_256": "sha256=" + "0" * 64},
    ],
)
async def test_strangers_are_refused_before_anything_is_read(client: Client, store: Store, headers: dict[str, str]) -> None:
    status, message = await post(client, b"{ no JSON", **({"Authorization": None} | headers))
    assert status == 401
    assert "AZURE_HOOK_SECRET" in message
    assert not await store.deliveries(WATCH)


async def test_a_secret_that_is_said_twice_is_none(client: Client) -> None:
    headers = [("X-Hook-Secret", PASSWORD), ("X-Hook-Secret", "wrong"), ("Content-Type", "application/json")]
    assert (await client.post("/webhook/azure", data=json.dumps(hook()), headers=headers)).status == 401


@pytest.mark.parametrize("secrets", [[], [""]])
async def test_without_a_secret_nothing_is_taken(settings: WebSettings, secrets: list[str]) -> None:
    recorder = Recorder()
    async with TestClient(TestServer(create_app(replace(settings, azure_secrets=secrets), recorder))) as client:
        for headers in ({}, {"Authorization": basic("")}, {"Authorization": None}, {"X_Hook_Secret": ""}):
            assert await post(client, hook(), **headers) == (404, "Service hooks are not taken here: set AZURE_HOOK_SECRET to take them.")
    assert recorder.woken == []


@pytest.mark.parametrize(
    "body",
    [
        [], None, "text", 7, {}, hook(id=None), hook(id=7), hook(id=""), hook(id="x" * 129), hook(id="a b"), hook(id="../x"),
        hook(eventType=None), hook(eventType=""), hook(eventType="a\nb"), hook(eventType={}), hook(publisherId=None), hook(publisherId=1),
        hook(eventType="\u0000"), {name: value for name, value in hook().items() if name != "id"},
    ],
)  # fmt: skip
async def test_json_of_another_shape_is_refused(client: Client, store: Store, body: object) -> None:
    assert (await post(client, body))[0] == 400
    assert not await store.deliveries(WATCH)


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe{}", b'{"a": NaN}', b"[" * 100_000, b"1" * 10_000])
async def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    assert (await post(client, body))[0] == 415


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json; charset=latin-1", "x", None])
async def test_only_json_is_taken(client: Client, content_type: str | None) -> None:
    assert (await post(client, hook(), Content_Type=content_type))[0] == 415
    assert (await post(client, gzip.compress(json.dumps(hook()).encode()), Content_Encoding="gzip"))[0] == 415


async def test_what_is_too_large_is_refused(settings: WebSettings, store: Store) -> None:
    async with TestClient(TestServer(create_app(replace(settings, largest_body=25 * LARGEST_BODY), store))) as client:
        headers = {"Content-Type": "application/json", "X-Hook-Secret": PASSWORD}
        body = json.dumps(hook()).encode()
        for excess, expected in ((1, 413), (0, 202)):
            padded = io.BytesIO(body + b" " * (LARGEST_BODY - len(body) + excess))
            async with client.post("/webhook/azure", data=padded, headers=headers) as response:
                assert response.status == expected

        async def stream() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" " * 65_536
                await asyncio.sleep(0)

        async with client.post("/webhook/azure", data=stream(), headers=headers) as response:
            assert response.status == 413


async def test_a_body_that_never_ends_is_given_up(settings: WebSettings, store: Store) -> None:
    async with TestClient(TestServer(create_app(replace(settings, patience=0.05), store))) as client:
        never = asyncio.Event()

        async def stream() -> AsyncIterator[bytes]:
            yield b"{"
            await never.wait()

        headers = {"Content-Type": "application/json", "X-Hook-Secret": PASSWORD}
        async with client.post("/webhook/azure", data=stream(), headers=headers) as response:
            assert response.status == 408
        never.set()


async def test_a_store_that_is_down_is_said_so(settings: WebSettings, caplog: pytest.LogCaptureFixture) -> None:
    async with TestClient(TestServer(create_app(settings, Recorder(Unavailable("no database"))))) as client:
        assert await post(client, hook()) == (503, "The delivery could not be stored now: send it again later.")
        assert (await post(client, hook(), Authorization=None))[0] == 401
    assert "no database" in caplog.text


async def test_what_was_stored_for_one_project_only_is_completed_when_it_comes_again(settings: WebSettings) -> None:
    (first,) = settings.profiles
    second = first.model_copy(update={"project": first.project.model_copy(update={"name": "other"})})

    class Faltering(Recorder):
        async def put(self, delivery: Delivery, *, wake_project: str | None = None) -> bool:
            if delivery.key == "other" and len(self.woken) == 1:
                self.woken.append((WorkKey("nobody"), None))
                raise Unavailable("no database")
            is_new = (delivery.key, wake_project) not in self.woken
            return await super().put(delivery, wake_project=wake_project) and is_new

    recorder = Faltering()
    async with TestClient(TestServer(create_app(replace(settings, profiles=[first, second]), recorder))) as client:
        body = hook()
        assert [(await post(client, body))[0] for _ in range(3)] == [503, 202, 200]
    assert (WorkKey("other"), "other") in recorder.woken


async def test_only_posts_are_taken(client: Client) -> None:
    response = await client.get("/webhook/azure")
    assert response.status == 405
    assert response.headers["Allow"] == "POST"


async def test_no_secret_and_nothing_of_a_body_reaches_a_log_or_the_store(
    client: Client, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await post(client, hook())
    await post(client, hook(), Authorization=None, X_Hook_Secret="wrongsecret")
    await post(client, hook(), Authorization=basic("wrongsecret"))
    await post(client, hook(id="secret plans"))
    await post(client, b'{"secret plans": ', X_Hook_Secret=PASSWORD)
    await post(client, hook(), X_Hook_Secret=PASSWORD, Content_Type="text/plain")
    assert "A webhook was answered 401" in caplog.text
    kept = repr(await store.deliveries(WATCH))
    for hidden in (PASSWORD, OLD_PASSWORD, basic(PASSWORD)[6:], "wrongsecret", basic("wrongsecret")[6:], "secret plans"):
        assert hidden not in caplog.text
        assert hidden not in kept


def test_the_secrets_are_not_in_any_text(settings: WebSettings) -> None:
    assert PASSWORD not in repr(settings)


@given(st.text(), st.text())
def test_nothing_that_is_claimed_makes_the_sign_in_fail(authorization: str, header: str) -> None:
    assert not is_ours(claimed([authorization, authorization], [header, header]), [PASSWORD])
    assert not is_ours(claimed([authorization], []), [PASSWORD])


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_claim_proves_exactly_its_secret(secret: str, other: str) -> None:
    claims = claimed([basic(secret)], [])
    assert claims == claimed([], [secret])
    assert is_ours(claims, [other, secret])
    assert is_ours(claims, [other]) is (other == secret)
    assert not is_ours(claims, ["", other + secret])
