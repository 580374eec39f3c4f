"""GitHub's classic protection in the box: as strict and as lopsided as the real one."""

import pytest

from bot.rehearsal.github_graphql import BadQuery, selected
from bot.rehearsal.world import World
from tests.rehearsal.stranger import UPSTREAM, Stranger

PATH = f"/repos/{UPSTREAM}/branches/3.14/protection"
PLAIN = {"enforce_admins": True, "restrictions": None, "required_status_checks": None, "required_pull_request_reviews": None}
QUERY = "query($o: String!) { repository(owner: $o, name: $n) { ref(qualifiedName: $r) { branchProtectionRule { %s } } } }"


async def test_what_is_read_cannot_be_written(stranger: Stranger) -> None:
    token = await stranger.token(administration="write")
    assert (await stranger.ask("PUT", PATH, token, PLAIN)).status == 200
    read = await stranger.ask("GET", PATH, token)
    assert (await stranger.ask("PUT", PATH, token, read.body)).status == 422
    assert (await stranger.ask("PUT", PATH, token, {"enforce_admins": True})).status == 422


async def test_signatures_are_required_by_a_request_of_their_own(stranger: Stranger) -> None:
    token = await stranger.token(administration="write")
    assert (await stranger.ask("POST", f"{PATH}/required_signatures", token)).status == 404
    await stranger.ask("PUT", PATH, token, PLAIN)
    assert (await stranger.ask("POST", f"{PATH}/required_signatures", token)).status == 200
    await stranger.ask("PUT", PATH, token, PLAIN)
    assert "'enabled': True" in str((await stranger.ask("GET", PATH, token))["required_signatures"])
    assert (await stranger.ask("DELETE", f"{PATH}/required_signatures", token)).status == 204
    assert [(await stranger.ask("DELETE", PATH, token)).status for _ in range(2)] == [204, 404]


async def test_writing_loses_what_rest_does_not_show(world: World, stranger: Stranger) -> None:
    world.github.write_protection("hugovk", UPSTREAM, "3.14", dict(PLAIN), merge_queue=True, pattern="3.*")
    await stranger.ask("PUT", PATH, await stranger.token(administration="write"), PLAIN)
    lost = [one for one in world.violations if "lost its merge_queue" in one or "the pattern 3.*" in one]
    assert len(lost) == 2


async def test_nobody_who_is_not_there_can_be_named(stranger: Stranger) -> None:
    token = await stranger.token(administration="write")
    for listed in ({"users": ["nobody"], "teams": []}, {"users": [], "teams": ["none"]}, {"users": [], "teams": [], "apps": ["other"]}):
        assert (await stranger.ask("PUT", PATH, token, {**PLAIN, "restrictions": listed})).status == 422


@pytest.mark.parametrize(
    "query",
    ["mutation { x }", "{ repository(owner: $o) { secrets } }", "{ repository(login: $o) { isInOrganization } }", QUERY % "lockBranch"],
)
def test_what_is_not_known_cannot_be_asked(query: str) -> None:
    with pytest.raises(BadQuery):
        selected(query)


def test_only_what_is_asked_is_answered() -> None:
    assert selected(QUERY % "pattern") == {"repository": {"ref": {"branchProtectionRule": {"pattern": {}}}}}
