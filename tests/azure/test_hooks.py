"""The stand-in tells a subscriber what happens to runs, in the official envelope, and loses, doubles and shuffles it when asked."""

import base64
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft4Validator

from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_hooks import APPROVAL_COMPLETED, APPROVAL_PENDING, BUILD_COMPLETE, MOST_ATTEMPTS, RUN_CHANGED, STAGE_CHANGED
from bot.rehearsal.serving import reserve, serving, url_of
from bot.services.azure_devops import AzureDevOps
from bot.web import sign_in
from bot.web.azure_intake import read
from tests.azure.test_course import go_on, queued
from tests.reference import reference

Json = dict[str, Any]


class Subscriber:
    """Somebody who listens to service hooks, and answers as they are told."""

    def __init__(self) -> None:
        self.status = 202
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Json] = []

    async def listen(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.json())
        return web.Response(status=self.status)

    def events(self) -> list[str]:
        return [body["eventType"] for body in self.bodies]

    def ids(self) -> list[str]:
        return [body["id"] for body in self.bodies]


@pytest.fixture
async def subscriber(azure: Azure) -> AsyncIterator[Subscriber]:
    subscriber, reserved = Subscriber(), reserve()
    application = web.Application()
    application.router.add_post("/webhook/azure", subscriber.listen)
    azure.hooks.start()
    async with serving(application, reserved):
        azure.hook_to(f"{url_of(reserved)}/webhook/azure")
        yield subscriber
        await azure.hooks.close()


async def test_everything_that_happens_to_a_run_is_told_once(client: AzureDevOps, azure: Azure, subscriber: Subscriber) -> None:
    run = await queued(client)
    go_on(azure, run)
    await azure.hooks.drain()
    assert subscriber.events() == [RUN_CHANGED, STAGE_CHANGED, STAGE_CHANGED, STAGE_CHANGED, APPROVAL_PENDING]
    azure.approve("zooba", run, "Sign")
    await azure.hooks.drain()
    assert subscriber.events()[5:] == [STAGE_CHANGED, APPROVAL_COMPLETED]
    go_on(azure, run)
    azure.approve("zooba", run, "Pack")
    go_on(azure, run)
    await azure.hooks.drain()
    assert subscriber.events()[-2:] == [RUN_CHANGED, BUILD_COMPLETE]
    told = Counter(subscriber.events())
    assert (told[APPROVAL_PENDING], told[APPROVAL_COMPLETED], told[RUN_CHANGED], told[BUILD_COMPLETE]) == (2, 2, 2, 1)
    assert len(set(subscriber.ids())) == len(subscriber.ids())
    numbers = [body["notificationId"] for body in subscriber.bodies if body["eventType"] == STAGE_CHANGED]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {body["resource"]["id"] for body in subscriber.bodies if body["eventType"] == BUILD_COMPLETE} == {run}


async def test_what_the_bot_does_is_told_too(client: AzureDevOps, azure: Azure, subscriber: Subscriber) -> None:
    run = await queued(client)
    azure.fail(run, "Build")
    go_on(azure, run)
    await azure.hooks.drain()
    assert subscriber.events()[-1] == BUILD_COMPLETE
    before = len(subscriber.bodies)
    await client.retry_stage(run, "Build")
    await client.cancel(run)
    await azure.hooks.drain()
    assert Counter(subscriber.events()[before:])[RUN_CHANGED] == 2


async def test_bodies_are_what_the_description_says_and_the_bot_understands(
    client: AzureDevOps, azure: Azure, subscriber: Subscriber
) -> None:
    run = await queued(client)
    go_on(azure, run)
    azure.reject("zooba", run, "Sign")
    go_on(azure, run)
    await azure.hooks.drain()
    for body in subscriber.bodies:
        hook = read(body)
        assert hook.publisher == ("tfs" if hook.event == BUILD_COMPLETE else "pipelines")
        assert hook.run == (None if hook.event in (APPROVAL_PENDING, APPROVAL_COMPLETED) else run)
        assert str(uuid.UUID(hook.id)) == hook.id
        assert "succeeded" not in json.dumps(body["resource"])
    definitions = json.loads(reference("specs/azure/serviceHooks.json").read_bytes())["definitions"]
    validator = Draft4Validator({**definitions["Event"], "definitions": definitions})
    for body in subscriber.bodies:
        assert not list(validator.iter_errors(body))
        assert body.keys() - definitions["Event"]["properties"].keys() == {"subscriptionId", "notificationId"}


@pytest.mark.parametrize("in_header", [False, True])
async def test_the_secret_comes_along_as_the_subscription_says(
    client: AzureDevOps, azure: Azure, subscriber: Subscriber, *, in_header: bool
) -> None:
    azure.hook_to(azure.hooks.url or "", "the secret", in_header=in_header)
    go_on(azure, await queued(client))
    await azure.hooks.drain()
    (headers, *_) = subscriber.headers
    claims = sign_in.claimed([headers.get("Authorization", "")], [headers.get("X-Hook-Secret", "")])
    assert claims == ["the secret"]
    assert ("Authorization" in headers) is not in_header
    if not in_header:
        assert headers["Authorization"] == "Basic " + base64.b64encode(b"azure:the secret").decode()


async def test_events_get_lost_doubled_and_shuffled_when_asked(client: AzureDevOps, azure: Azure, subscriber: Subscriber) -> None:
    hooks = azure.hooks
    hooks.drop_every = 2
    go_on(azure, await queued(client))
    await hooks.drain()
    assert (len(subscriber.bodies), len(hooks.lost)) == (3, 2)
    hooks.drop_every, hooks.duplicate, subscriber.bodies = 0, True, []
    go_on(azure, await queued(client))
    await hooks.drain()
    assert set(Counter(subscriber.ids()).values()) == {2}
    hooks.duplicate, hooks.shuffle, subscriber.bodies = False, 5, []
    run = await queued(client)
    go_on(azure, run)
    await hooks.drain()
    assert sorted(subscriber.events()) == sorted([RUN_CHANGED, STAGE_CHANGED, STAGE_CHANGED, STAGE_CHANGED, APPROVAL_PENDING])


@pytest.mark.parametrize(("status", "attempts"), [(503, MOST_ATTEMPTS), (401, 1), (200, 1)])
async def test_what_could_not_be_taken_comes_again(
    client: AzureDevOps, azure: Azure, subscriber: Subscriber, status: int, attempts: int
) -> None:
    subscriber.status = status
    run = await queued(client)
    azure.advance(run)
    await azure.hooks.drain()
    assert len(subscriber.bodies) == attempts
    assert len(set(subscriber.ids())) == 1
    assert {told.answer.code for told in azure.hooks.log} == {status}


async def test_without_a_subscriber_nobody_is_told(client: AzureDevOps, azure: Azure) -> None:
    azure.hooks.start()
    go_on(azure, await queued(client))
    await azure.hooks.drain()
    await azure.hooks.close()
    assert (azure.hooks.log, azure.hooks.lost) == ([], [])
