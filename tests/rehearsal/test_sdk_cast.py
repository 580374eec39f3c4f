"""Who releases a package does what the bot asks for, but not against better knowledge; and what went wrong is seen in the end."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.azure_model import Run
from bot.rehearsal.scene import MARKER
from bot.rehearsal.sdk_cast import SdkApprover, SdkLead, SdkScene
from bot.rehearsal.sdk_inspection import sdk_problems
from bot.rehearsal.sdk_machinery import SdkMachines
from bot.rehearsal.sdk_pipeline import NUMBER, SKIP_TAG
from bot.rehearsal.sdk_rehearsal import populated
from bot.rehearsal.sdk_stage import UPSTREAM, SdkStage, sdk_stage
from bot.rehearsal.sdk_tree import sdk_tree
from bot.rehearsal.stage import Player
from bot.rehearsal.timeline import TimelineForPrograms
from bot.rehearsal.versions import WrongUse
from bot.rehearsal.world import World

MANAGER = Player(login="scbedd", id=45376673, name="Scott Beddall", fork="", roles=frozenset({"release-manager"}))
APPROVER = Player(login="kashifkhan", id=361477, name="Kashif Khan", fork="", roles=frozenset({"approver"}))
TAG = "2" * 40
DECIDE = "/release approve-stage azure-core"


@dataclass
class Play:
    """A release that was begun, and those who take part in it."""

    scene: SdkScene
    lead: SdkLead
    machines: SdkMachines

    def bot_says(self, *lines: str) -> None:
        """Let the bot comment on the issue."""
        bot = self.scene.world.github.app.bot.login
        self.scene.world.github.say(bot, UPSTREAM, self.scene.issue, "\n".join([f"{MARKER}sdk-azure-core_1.30.0-1 -->", *lines]))

    async def waiting(self) -> Run:
        """Queue a run, and let it go on until its release stages wait."""
        azure = self.scene.world.azure
        order: dict[str, object] = {"variables": {SKIP_TAG: {"value": "true"}}}
        run = azure.estate.place(azure.estate.pipelines[NUMBER], order, azure.estate.bot)
        while not all(stage.approval for stage in run.stages if stage.plan.asks):
            await self.machines.go_on()
        return run


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    setting = SdkStage(
        package="azure-core",
        version="1.30.0",
        tree=sdk_tree(tmp_path / "source.git", "azure-core", "1.30.0"),
        manager=MANAGER,
        approver=APPROVER,
        others=(APPROVER,),
        team=("Azure", "sdk-release"),
        project="azure-sdk-for-python",
        profile=tmp_path / "azure_sdk.toml",
    )
    async with World(tmp_path / "world") as world:
        machines = await populated(world, setting)
        scene = SdkScene(world=world, stage=setting, timeline=TimelineForPrograms(io.StringIO()), upstream=UPSTREAM)
        lead = SdkLead(scene)
        lead.begin()
        yield Play(scene, lead, machines)


async def test_a_tag_is_approved_only_where_the_branch_is(play: Play) -> None:
    play.bot_says("```", f"/release approve {TAG}", "```", f"It is a tag of {'1' * 40}.")
    assert await play.lead.go_on()
    assert not await play.lead.go_on()
    [why] = play.scene.refused
    assert why.endswith(f"it does not say that this is a tag of {play.scene.head()}, where main is")
    play.bot_says("```", f"/release approve {'3' * 40}", "```", f"It is a tag of {play.scene.head()}.")
    assert await play.lead.go_on()
    assert play.scene.approved == "3" * 40


async def test_a_stage_is_decided_about_only_with_the_hashes_of_what_was_built(play: Play) -> None:
    run = await play.waiting()
    play.bot_says("```", DECIDE, "```")
    assert await play.lead.go_on()
    table = [f"| `{name}` | `{hashlib.sha256(content).hexdigest()}` |" for name, content in play.scene.built(run, "azure-core").items()]
    play.bot_says(*table, "```", DECIDE, "/release reject-stage azure-core", "/release approve-stage azure-mgmt-core", "```")
    while await play.lead.go_on():
        pass
    assert [refused.partition(", but ")[2] for refused in play.scene.refused] == [
        "it does not show the hashes of what was built",
        "that is the package that is released",
        "that is not the package that is released",
    ]
    assert play.scene.said == {"/release azure-core 1.30.0", DECIDE}


async def test_the_approver_approves_one_stage_and_rejects_the_others(play: Play) -> None:
    run, approver = await play.waiting(), SdkApprover(play.scene)
    assert not await approver.go_on()
    where = f"http://azure/_build/results?buildId={run.id}"
    play.bot_says("@kashifkhan", f"Reject `azure-mgmt-core` and `azure-core-tracing-opencensus` at {where}")
    assert await approver.go_on()
    assert await approver.go_on()
    assert not await approver.go_on()
    play.scene.said.add(DECIDE)
    play.bot_says("@kashifkhan", f"Approve `azure-core` at {where}")
    assert await approver.go_on()
    assert not await approver.go_on()
    assert [stage.approval.status for stage in run.stages if stage.approval] == ["approved", "rejected", "rejected"]
    assert play.scene.refused == []


async def test_the_approver_waits_for_the_decision(play: Play) -> None:
    run, approver = await play.waiting(), SdkApprover(play.scene)
    play.bot_says("@kashifkhan", f"Approve `azure-core` at http://azure/_build/results?buildId={run.id}")
    assert await approver.go_on()
    assert [why.endswith("before anybody had decided so") for why in play.scene.refused] == [True]
    assert run.stage("Release_azurecore").approval.status == "pending"  # type: ignore[union-attr]  # the run waits for it


async def test_what_is_missing_in_the_end_is_seen(play: Play) -> None:
    world = play.scene.world
    before = await world.github.refs(UPSTREAM)
    run = await play.waiting()
    world.azure.approve("kashifkhan", run.id, "Release_azurecore")
    world.azure.approve("kashifkhan", run.id, "Release_azuremgmtcore")
    while run.stage("Release_azurecore").result is None:
        await play.machines.go_on()
    await world.github.set_ref("scbedd", UPSTREAM, "refs/heads/aside", run.commit)
    found = "\n".join(await sdk_problems(play.scene, before, 0))
    for said in (
        "the bot never took up the release",
        "refs/heads/aside moved, which nobody approved",
        "azure-core_1.30.0 is upstream as nothing, but nothing was approved",
        "nobody decided about what waits there",
        "the stage Release_azuremgmtcore of run",
        "was to be rejected, but is pending",
        "somebody did what is no row",
    ):
        assert said in found
    assert "PyPI does not have exactly" not in found
    play.machines.tampering["azure_core-1.30.0.tar.gz"] = b"something else"
    world.pypi.delete("azure-core", "azure_core-1.30.0.tar.gz")
    assert any("PyPI does not have exactly" in problem for problem in await sdk_problems(play.scene, before, 0))


@pytest.mark.parametrize(
    ("package", "version", "said"),
    [
        ("azure_core", "1.30.0", "is not a package that can be rehearsed"),
        ("azure-core", "soon", "is not a version that can be rehearsed"),
        ("azure-core", "1.30.0-beta.1", "write 1.30.0b1"),
        ("azure-core", "1.29.7", "is on PyPI already"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(package: str, version: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=said):
        sdk_stage(tmp_path, package, version)
