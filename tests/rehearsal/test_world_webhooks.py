"""Webhooks are signed and logged, get lost, doubled and shuffled when asked, and come again only when asked."""

import hashlib
import hmac
import json

from bot.rehearsal.world import World
from tests.rehearsal.stranger import UPSTREAM, Ear, Stranger


def talk(world: World, count: int) -> int:
    number = world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    for index in range(count):
        world.github.say("hugovk", UPSTREAM, number, f"{index}")
    return number


def bodies(ear: Ear) -> list[str]:
    payloads = [json.loads(heard.body) for heard in ear.heard]
    return [payload["comment"]["body"] for payload in payloads if "comment" in payload]


async def test_a_delivery_is_signed_over_its_very_bytes(world: World, ear: Ear) -> None:
    number = world.github.open_issue("hugovk", UPSTREAM, "Release 3.15.0a3")
    comment = world.github.say("hugovk", UPSTREAM, number, "/release 3.15.0a3")
    await world.drain()
    heard = ear.heard[-1]
    expected = hmac.new(world.github.app.webhook_secrets[0].encode(), heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["x-hub-signature-256"] == f"sha256={expected}"
    assert heard.headers["x-github-event"] == "issue_comment"
    assert heard.headers["x-github-hook-installation-target-type"] == "integration"
    payload = json.loads(heard.body)
    assert (payload["action"], payload["comment"]["id"], payload["sender"]["type"]) == ("created", comment, "User")
    assert payload["installation"]["id"] == world.github._model.installation_of(UPSTREAM).id  # type: ignore[union-attr]  # installed by the fixture
    assert world.log[-1] == "github: python/cpython#1 comment by hugovk: /release 3.15.0a3"
    assert not world.violations


async def test_the_app_hears_its_own_words_marked_as_its_own(world: World, stranger: Stranger, ear: Ear) -> None:
    number = talk(world, 0)
    await stranger.ask("POST", f"/repos/{UPSTREAM}/issues/{number}/comments", await stranger.token(issues="write"), {"body": "Frozen."})
    await world.drain()
    payload = json.loads(ear.heard[-1].body)
    assert payload["sender"]["login"] == "brother-maynard[bot]"
    assert payload["comment"]["performed_via_github_app"]["id"] == world.github.app.id


async def test_a_refused_delivery_stays_failed_until_it_is_asked_for_again(world: World, stranger: Stranger, ear: Ear) -> None:
    ear.status = 503
    talk(world, 1)
    await world.drain()
    assert len(ear.heard) == 2
    failed = await stranger.ask("GET", "/app/hook/deliveries?status=failure&per_page=100", stranger.signature())
    assert isinstance(failed.body, list)
    assert [(one["event"], one["status_code"], one["redelivery"]) for one in failed.body] == [
        ("issue_comment", 503, False),
        ("issues", 503, False),
    ]
    ear.status = 202
    delivery = failed.body[0]
    again = await stranger.ask("POST", f"/app/hook/deliveries/{delivery['id']}/attempts", stranger.signature())
    assert again.status == 202
    await world.drain()
    assert ear.guids()[-1] == delivery["guid"] == ear.guids()[1]
    assert ear.heard[-1].body == ear.heard[1].body
    newest = await stranger.ask("GET", "/app/hook/deliveries?per_page=1", stranger.signature())
    assert isinstance(newest.body, list)
    assert [(one["guid"], one["status"], one["redelivery"]) for one in newest.body] == [(delivery["guid"], "OK", True)]
    assert 'rel="next"' in newest.headers["link"]


async def test_nobody_listening_is_a_failure_too(world: World) -> None:
    talk(world, 0)
    await world.drain()
    assert [delivery.status_code for delivery in world.github.webhooks.log] == [502]


async def test_duplicates_keep_their_guid(world: World, ear: Ear) -> None:
    world.github.webhooks.duplicate = True
    talk(world, 2)
    await world.drain()
    assert len(ear.heard) == 6
    assert len(set(ear.guids())) == 3


async def test_every_second_delivery_is_lost_with_or_without_a_trace(world: World, ear: Ear) -> None:
    webhooks = world.github.webhooks
    webhooks.drop_every = 2
    talk(world, 3)
    await world.drain()
    assert bodies(ear) == ["1"]
    assert [delivery.status for delivery in webhooks.log].count("failed to connect to host") == 2
    webhooks.drop_logged = False
    talk(world, 3)
    await world.drain()
    assert len(webhooks.log) == 6


async def test_shuffling_changes_the_order_within_its_window_and_the_seed_decides(world: World, ear: Ear) -> None:
    world.github.webhooks.shuffle = 4
    talk(world, 12)
    await world.drain()
    said = [int(body) for body in bodies(ear)]
    assert sorted(said) == list(range(12))
    assert said != sorted(said)


async def test_a_button_on_a_check_run_is_told_to_the_app(world: World, stranger: Stranger, ear: Ear) -> None:
    head = (await world.github.refs(UPSTREAM))["refs/heads/main"]
    run = {"name": "release / preflight", "head_sha": head, "external_id": "cpython-3.15.0a3-1", "conclusion": "failure"}
    made = await stranger.ask("POST", f"/repos/{UPSTREAM}/check-runs", await stranger.token(checks="write"), run)
    world.github.press("hugovk", int(str(made["id"])), "retry")
    world.github.press("encukou", int(str(made["id"])))
    await world.drain()
    told = [json.loads(heard.body) for heard in ear.heard]
    assert [(payload["action"], payload["sender"]["login"]) for payload in told] == [
        ("created", "brother-maynard[bot]"),
        ("completed", "brother-maynard[bot]"),
        ("requested_action", "hugovk"),
        ("rerequested", "encukou"),
    ]
    assert told[2]["requested_action"] == {"identifier": "retry"}
    assert not world.violations


async def test_leaving_the_team_is_told(world: World, ear: Ear) -> None:
    world.github.leave_team("hugovk", "python", "release-managers")
    world.github.join_team("encukou", "python", "release-managers")
    await world.drain()
    assert [json.loads(heard.body)["action"] for heard in ear.heard] == ["removed", "added"]
    assert not world.violations
