"""Whose business an event is: tried over real HTTP, by hand and with every official example payload under every header."""

import gzip
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.release.ids import WorkKey
from bot.store.store import Store
from bot.web.app import WebSettings, create_app
from bot.web.routing import Irrelevant, Routed, Routing, Territory
from bot.web.shapes import EVENTS, WrongShape, read
from tests.webhook_builders import (
    ACCOUNT,
    APP,
    ISSUE,
    WATCH,
    Client,
    Json,
    Recorder,
    comment,
    post,
    push,
    rerequested,
    ruleset,
    web_settings,
    workflow_job,
    workflow_run,
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


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (comment("/release 3.15.0a3", repository="Python/CPython"), ISSUE),
        (comment("/release status", repository="python/release-talk"), WorkKey("cpython#42@python/release-talk")),
        (comment("/relase 3.15.0a3"), ISSUE),
        (comment("/release halt x", action="edited", was="hello"), ISSUE),
        (comment("hello", action="edited", was="/release halt x"), ISSUE),
        (comment("/release halt x", action="deleted"), ISSUE),
        (comment("/freeze main history"), WATCH),
        (comment("/unfreeze main"), WATCH),
        (comment("never mind", action="edited", was="/freeze main history"), WATCH),
    ],
)
async def test_comments_that_concern_us_go_to_their_work(client: Client, store: Store, body: Json, key: WorkKey) -> None:
    assert (await post(client, "issue_comment", body))[0] == 202
    assert len(await store.deliveries(key)) == 1


OURS = {"id": ACCOUNT, "login": "brother-maynard[bot]", "type": "Bot"}


def on_pull_request() -> Json:
    body = comment("/release status")
    body["issue"]["pull_request"] = {"url": "https://api.github.com/repos/python/cpython/pulls/42"}
    return body


def ours() -> Json:
    return comment("/release status") | {"sender": OURS}


@pytest.mark.parametrize(
    ("event", "body", "why"),
    [
        ("issue_comment", comment("hello"), "no command"),
        ("issue_comment", comment("> /release status"), "no command"),
        ("issue_comment", comment("hello", action="edited"), "no command"),
        ("issue_comment", comment("/retest"), "no command"),
        ("issue_comment", comment("/release status", repository="evil/cpython"), "not heard in this repository"),
        ("issue_comment", comment("/release status", repository="hugovk/cpython"), "not heard in this repository"),
        ("issue_comment", comment("/release status", action="pinned"), "Nothing was said"),
        ("issue_comment", on_pull_request(), "on issues only"),
        ("issue_comment", ours(), "our own doing"),
        ("issue_comment", comment("/release status") | {"installation": {"id": 666}}, "Another installation"),
        ("push", push(repository="somebody/cpython"), "Nobody waits"),
        ("push", push("refs/notes/commits"), "neither a branch nor a tag"),
        ("push", push(sender=OURS), "our own doing"),
        ("check_run", rerequested("cpython-3.15.0a3-42:1:preflight", app=4321), "No button of ours"),
        ("check_run", rerequested("cpython-3.15.0a3-42:1:preflight", action="created"), "No button of ours"),
        ("check_run", rerequested("cpython-3.15.0a3-42:1:preflight", repository="evil/cpython"), "no release of ours"),
        ("check_run", rerequested("other-3.15.0a3-42:1:preflight"), "no release of ours"),
        ("check_run", rerequested("cpython-3.15.0a3-42"), "no release of ours"),
        ("check_run", rerequested(None), "no release of ours"),
        ("repository_ruleset", ruleset("created", repository={"full_name": "python/cpython"}), "nothing of ours"),
        ("repository_ruleset", ruleset("deleted", organization={"id": 8, "login": "elsewhere"}), "No project of ours"),
        ("repository_ruleset", ruleset("deleted"), "No project of ours"),
        ("workflow_run", workflow_run(repository="python/cpython"), "Nobody waits for a workflow"),
        ("workflow_job", workflow_job(repository="somebody/release-tools"), "Nobody waits for a workflow"),
        ("workflow_job", workflow_job("queued"), "changes nothing"),
        ("workflow_run", workflow_run() | {"repository": {"full_name": "python/cpython"}, "installation": {"id": 666}}, "installation"),
        ("ping", {"zen": "Keep it logically awesome."}, "do not concern us"),
        ("membership", {"action": "removed"}, "do not concern us"),
        ("installation", {"action": "suspend"}, "do not concern us"),
    ],
)  # fmt: skip
async def test_what_is_nobodys_business_is_acknowledged_and_forgotten(
    client: Client, store: Store, event: str, body: Json, why: str
) -> None:
    status, answer = await post(client, event, body)
    assert status == 200
    assert why in answer["message"]
    assert not await store.deliveries(ISSUE)
    assert not await store.deliveries(WATCH)


@pytest.mark.parametrize(
    ("event", "body", "payload"),
    [
        ("push", push(), {"ref": "refs/heads/main", "before": "0" * 40, "after": "a" * 40}),
        ("push", push("refs/tags/v3.15.0a3", "hugovk/cpython"), {"ref": "refs/tags/v3.15.0a3", "repository": "hugovk/cpython"}),
        ("create", {"ref": "v3.15.0a3", "ref_type": "tag", "master_branch": "main", "pusher_type": "user",
                    "repository": {"full_name": "HugovK/cpython"}}, {"ref": "refs/tags/v3.15.0a3", "sender": None}),
        ("delete", {"ref": "3.15", "ref_type": "branch", "pusher_type": "user", "repository": {"full_name": "python/cpython"}},
         {"ref": "refs/heads/3.15"}),
        ("repository_ruleset", ruleset("deleted", repository={"full_name": "python/cpython"}), {"ruleset": 3}),
        ("repository_ruleset", ruleset("edited", organization={"id": 8, "login": "Python"}), {"repository": "python/cpython"}),
    ],
)  # fmt: skip
async def test_refs_and_rules_go_to_the_watch(client: Client, store: Store, event: str, body: Json, payload: Json) -> None:
    assert (await post(client, event, body))[0] == 202
    (delivery,) = await store.deliveries(WATCH)
    assert payload.items() <= delivery.payload.items()
    assert "commits" not in delivery.payload


async def test_a_pressed_button_wakes_the_releases(client: Client, store: Store) -> None:
    assert (await post(client, "check_run", rerequested("cpython-3.15.0a3-42:2:preflight")))[0] == 202
    (delivery,) = await store.deliveries(WATCH)
    assert delivery.payload["step"] == "preflight"
    assert delivery.payload["sender"] == 1324225


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("workflow_run", workflow_run("requested")),
        ("workflow_run", workflow_run("in_progress")),
        ("workflow_run", workflow_run("completed", repository="Python/Release-Tools")),
        ("workflow_run", workflow_run("completed", sender=OURS)),
        ("workflow_job", workflow_job("in_progress", sender=OURS)),
        ("workflow_job", workflow_job("waiting")),
        ("workflow_job", workflow_job("completed", sender=OURS)),
    ],
)
async def test_what_becomes_of_a_workflow_goes_to_the_watch_also_where_we_started_it(
    client: Client, store: Store, event: str, body: Json
) -> None:
    assert (await post(client, event, body))[0] == 202
    (delivery,) = await store.deliveries(WATCH)
    assert delivery.payload == {"repository": body["repository"]["full_name"], "run": 77}


async def test_where_no_workflow_builds_nobody_waits_for_one(settings: WebSettings, store: Store) -> None:
    (profile,) = settings.profiles
    handmade = replace(settings, profiles=[profile.model_copy(update={"workflow": None})])
    async with TestClient(TestServer(create_app(handmade, store))) as client:
        assert (await post(client, "workflow_run", workflow_run()))[0] == 200


@pytest.mark.parametrize("project", ["azure-sdk", "Azure.SDK", "azure"])
def test_a_button_is_told_from_others_whatever_the_project_is_called(settings: WebSettings, project: str) -> None:
    territory = Territory.of(settings.profiles[0])
    others = [replace(territory, project=name) for name in ("azure", "azure-sdk", "Azure.SDK")]
    event = read("check_run", rerequested(f"{project}-1.2.0-42:1:preflight"))
    assert event
    route = Routing(territories=others, app_id=APP).route(event)
    assert isinstance(route, Routed)
    assert (route.wake_project, route.payload["step"]) == (project, "preflight")


@pytest.mark.parametrize(
    ("event", "body", "woken"),
    [
        ("push", push(), (WATCH, "cpython")),
        ("repository_ruleset", ruleset("deleted", repository={"full_name": "python/cpython"}), (WATCH, "cpython")),
        ("issue_comment", comment("/release status"), (ISSUE, None)),
        ("issue_comment", comment("/freeze main x"), (WATCH, None)),
        ("check_run", rerequested("cpython-3.15.0a3-42:2:preflight"), (WATCH, "cpython")),
        ("workflow_run", workflow_run(), (WATCH, "cpython")),
        ("workflow_job", workflow_job(), (WATCH, "cpython")),
    ],
)
async def test_what_moves_refs_wakes_all_live_releases(
    settings: WebSettings, event: str, body: Json, woken: tuple[str, str | None]
) -> None:
    recorder = Recorder()
    async with TestClient(TestServer(create_app(settings, recorder))) as client:
        assert (await post(client, event, body))[0] == 202
    assert recorder.woken == [woken]


def reference(name: str) -> Path:
    """Return a file of the folder of real data, or skip; where BOT_REFERENCE names that folder, a missing file is a failure."""
    folder = os.environ.get("BOT_REFERENCE")
    path = (Path(folder) if folder else Path(__file__).parents[2] / "shared") / name
    if not path.exists() and not folder:
        pytest.skip(f"the real data are not here: no {path.name}")
    return path


@pytest.fixture(scope="module")
def official() -> list[tuple[str, Json]]:
    examples: dict[str, list[Json]] = json.loads(gzip.decompress(reference("specs/github/webhook-examples.json.gz").read_bytes()))
    return [(event, body) for event, bodies in examples.items() for body in bodies]


def commanding(body: Json) -> Json:
    """Put a command into every comment."""
    changed = json.loads(json.dumps(body))
    if "comment" in changed:
        changed["comment"]["body"] = "/release abort now"
    changed.get("issue", {}).pop("pull_request", None)
    return dict(changed)


@pytest.fixture
def everywhere(settings: WebSettings, official: list[tuple[str, Json]]) -> WebSettings:
    """Settings under which commands are heard in every repository of the examples."""
    names = {body["repository"]["full_name"] for _, body in official if "repository" in body}
    (profile,) = settings.profiles
    project = profile.project.model_copy(update={"command_repositories": tuple(sorted(names)), "repository": "Codertocat/Hello-World"})
    workflow = profile.workflow.model_copy(update={"repository": "octo-org/octo-repo"}) if profile.workflow else None
    listening = profile.model_copy(update={"project": project, "workflow": workflow})
    return replace(settings, profiles=[listening], installation_of=lambda _: None, app_id=29310, largest_body=10**6)


async def test_every_official_example_is_taken(everywhere: WebSettings, store: Store, official: list[tuple[str, Json]]) -> None:
    async with TestClient(TestServer(create_app(everywhere, store))) as client:
        statuses = {}
        for number, (event, body) in enumerate(official):
            statuses[event, number] = (await post(client, event, commanding(body)))[0]
    assert set(statuses.values()) == {200, 202}
    stored = {event for (event, _), status in statuses.items() if status == 202}
    assert stored == {"issue_comment", "push", "create", "delete", "workflow_run"}


async def test_no_body_passes_as_another_event(everywhere: WebSettings, store: Store, official: list[tuple[str, Json]]) -> None:
    async with TestClient(TestServer(create_app(everywhere, store))) as client:
        for event, body in official:
            for other in sorted(EVENTS.keys() - {event}):
                status, answer = await post(client, other, commanding(body))
                assert status == 400, (event, other, answer)


def test_what_is_no_comment_is_never_a_command(everywhere: WebSettings, official: list[tuple[str, Json]]) -> None:
    routing = Routing(territories=[Territory.of(profile) for profile in everywhere.profiles], app_id=everywhere.app_id)

    def route(event: str, body: Json) -> Routed | Irrelevant | None:
        try:
            shape = read(event, body)
        except WrongShape:
            return None
        return routing.route(shape) if shape else None

    commands = [event for event, body in official if isinstance(route("issue_comment", commanding(body)), Routed)]
    assert set(commands) == {"issue_comment"}
    assert len(commands) == 9
