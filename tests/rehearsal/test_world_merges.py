"""A pull request is merged only as GitHub merges one: as it was read, and with nothing in the way."""

from typing import Final

import pytest

from bot.rehearsal.github_model import Issue
from bot.rehearsal.world import World
from tests.rehearsal.stranger import UPSTREAM, Stranger

PULLS: Final = f"/repos/{UPSTREAM}/pulls"
MAIN: Final = "refs/heads/main"

REVIEW: Final = {
    "type": "pull_request",
    "parameters": {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
        "required_approving_review_count": 1,
    },
}
CHECK: Final = {
    "type": "required_status_checks",
    "parameters": {"strict_required_status_checks_policy": False, "required_status_checks": [{"context": "lint"}]},
}
LOCK: Final = {"type": "update"}


class Proposal:
    """A pull request of the App with one commit."""

    def __init__(self, world: World, stranger: Stranger) -> None:
        self.world = world
        self.stranger = stranger
        self.token = ""

    async def opened(self) -> None:
        github = self.world.github
        await github.set_ref("hugovk", UPSTREAM, "refs/heads/day", (await github.refs(UPSTREAM))[MAIN])
        await github.commit("hugovk", UPSTREAM, "day", {"DAY": "today"}, "Set the day")
        self.token = await self.stranger.token(contents="write", pull_requests="write")
        wanted = {"title": "The day", "head": "day", "base": "main", "body": ""}
        made = await self.stranger.ask("POST", PULLS, self.token, wanted)
        assert (made.status, made["mergeable"]) == (201, None)

    @property
    def pull(self) -> Issue:
        return next(issue for issue in self.world.github.repository(UPSTREAM).issues.values() if issue.is_pull_request)

    async def looked(self) -> object:
        """Return whether it can be merged, as GitHub knows now."""
        return (await self.stranger.ask("GET", f"{PULLS}/{self.pull.number}", self.token))["mergeable_state"]

    async def merged(self, token: str = "", **more: str) -> int:
        """Try to merge what the branch holds now; return the status."""
        head = (await self.world.github.refs(UPSTREAM))["refs/heads/day"]
        body = {"sha": head, "merge_method": "squash", **more}
        return (await self.stranger.ask("PUT", f"{PULLS}/{self.pull.number}/merge", token or self.token, body)).status


@pytest.fixture
async def proposal(world: World, stranger: Stranger) -> Proposal:
    made = Proposal(world, stranger)
    await made.opened()
    return made


async def test_it_is_merged_once_and_as_one_commit(proposal: Proposal, world: World, stranger: Stranger) -> None:
    before = (await world.github.refs(UPSTREAM))[MAIN]
    assert await proposal.merged() == 405, "GitHub has not worked out yet whether it can be"
    assert [await proposal.looked(), await proposal.looked()] == ["unknown", "clean"]
    assert await proposal.merged(await stranger.token(contents="read", pull_requests="write")) == 403
    assert await proposal.merged(sha=before) == 409
    assert await proposal.merged(merge_method="octopus") == 422
    assert await proposal.merged() == 200
    git, after = world.github.repository(UPSTREAM).git, (await world.github.refs(UPSTREAM))[MAIN]
    assert (proposal.pull.state, proposal.pull.merged_as) == ("closed", after)
    assert await git.commits_between(before, after) == [after]
    assert await git.resolve(f"{after}:DAY")
    assert await proposal.merged() == 405


@pytest.mark.parametrize("rule", [REVIEW, CHECK, LOCK], ids=lambda rule: str(rule["type"]))
async def test_a_rule_keeps_it_from_being_merged(proposal: Proposal, world: World, rule: dict[str, object]) -> None:
    names = {"ref_name": {"include": [MAIN], "exclude": []}}
    number = world.github.add_ruleset("hugovk", UPSTREAM, {"name": "rule", "conditions": names, "rules": [rule]})
    await proposal.looked()
    assert await proposal.looked() == "blocked"
    assert await proposal.merged() == 405
    app = {"actor_type": "Integration", "actor_id": world.github.app.id, "bypass_mode": "pull_request"}
    world.github.edit_ruleset("hugovk", number, {"bypass_actors": [app]})
    assert (await proposal.looked(), await proposal.merged()) == ("clean", 200)


async def test_what_both_sides_changed_is_not_merged(proposal: Proposal, world: World) -> None:
    await world.github.commit("hugovk", UPSTREAM, "main", {"DAY": "yesterday"}, "Set another day")
    await proposal.looked()
    assert await proposal.looked() == "dirty"
    assert await proposal.merged() == 405
