"""The pipelines of packages: a stage for each artifact, an approval for each stage, and PyPI at the end."""

import io
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.rehearsal.azure_model import Identity, Run
from bot.rehearsal.pypi_model import Refused
from bot.rehearsal.sdk_machinery import SdkMachines
from bot.rehearsal.sdk_pipeline import SKIP_TAG
from bot.rehearsal.sdk_stage import UPSTREAM, populated_sdk
from bot.rehearsal.sdk_tree import CI, sdk_tree
from bot.rehearsal.world import World

ACCEPT = {"Accept": "application/json;api-version=7.1"}
STAGES = ["Build", "Test", "Release_azurecore", "Release_azurecorecoretracingopencensus", "Release_azuremgmtcore"]
NO_TAG = {SKIP_TAG: {"value": "true"}}


@dataclass
class Estate:
    """A world with one service, and somebody who speaks plain HTTP with the token of the bot."""

    world: World
    machines: SdkMachines
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: object = None, *, project: str = "internal") -> tuple[int, Any]:
        url = f"{self.world.azure.url}/{project}/_apis/{path}"
        async with self.session.request(method, url, json=body) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else None

    async def queued(self, **more: object) -> Run:
        status, told = await self.ask("POST", "pipelines/983/runs", {"variables": NO_TAG, **more})
        assert status == 200, told
        return self.world.azure.estate.runs[told["id"]]

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(200):
            if true():
                return
            await self.machines.go_on()
        pytest.fail("it never came true")

    async def waiting(self, **more: object) -> Run:
        """Queue a run, and let it go on until its release stages wait."""
        run = await self.queued(**more)
        await self.until(lambda: all(stage.approval for stage in run.stages if stage.plan.asks))
        return run


@pytest.fixture
async def estate(tmp_path: Path) -> AsyncIterator[Estate]:
    tree = sdk_tree(tmp_path / "source.git", "azure-core", "1.30.0")
    async with World(tmp_path / "world") as world:
        world.github.add_user("scbedd")
        machines = await populated_sdk(world, tree, people=["scbedd"], approvers=["scbedd"], bot_approves=True)
        headers = {**ACCEPT, "Authorization": aiohttp.encode_basic_auth("", world.azure.token)}
        async with aiohttp.ClientSession(headers=headers) as session:
            yield Estate(world, machines, session)
        assert world.violations == []


def approval(run: Run, stage: str) -> str:
    found = run.stage(stage).approval
    assert found is not None
    return found.id


async def test_the_pipeline_is_found_by_its_name_in_every_folder(estate: Estate) -> None:
    _, told = await estate.ask("GET", "build/definitions?name=Python%20-%20CORE")
    assert {(one["id"], one["path"]) for one in told["value"]} == {(983, "\\python"), (1983, "\\python\\archive")}
    _, told = await estate.ask("GET", "build/definitions?name=python%20-%20core&path=%5Cpython")
    assert [one["id"] for one in told["value"]] == [983]


async def test_the_stages_are_those_of_the_list_of_artifacts_at_the_commit(estate: Estate) -> None:
    refs = await estate.world.github.refs(UPSTREAM)
    head = refs["refs/heads/main"]
    before = await estate.world.github.repository(UPSTREAM).git.resolve(f"{head}^")
    run = await estate.queued(resources={"repositories": {"self": {"refName": "refs/heads/main", "version": before}}})
    assert (run.commit, [stage.plan.name for stage in run.stages]) == (before, STAGES)
    assert (await estate.queued()).commit == head
    _, told = await estate.ask("GET", f"pipelines/983/runs/{run.id}")
    assert told["resources"]["repositories"]["self"]["version"] == before
    assert told["variables"] == NO_TAG


async def test_what_cannot_be_built_is_refused(estate: Estate) -> None:
    for itself, said in (
        ({"refName": "refs/heads/gone"}, "Could not get the latest source version"),
        ({"refName": "refs/heads/main", "version": "1" * 40}, "could not be found on the branch"),
    ):
        status, told = await estate.ask("POST", "pipelines/983/runs", {"resources": {"repositories": {"self": itself}}})
        assert (status, told["typeKey"]) == (400, "PipelineValidationException")
        assert said in told["message"]
    status, told = await estate.ask("POST", "pipelines/983/runs", {"variables": {"Anything": {"value": "1"}}})
    assert (status, told["message"]) == (400, "You can't set the following variables (Anything).")
    assert estate.world.violations.pop().endswith("has the variable Anything, which no release needs")


async def test_two_stages_of_one_name_make_no_run(estate: Estate) -> None:
    listed = "".join(f"    - name: {name}\n      safeName: a\n" for name in ("azure-core", "azure-mgmt-core"))
    twice = f"extends:\n  parameters:\n    Artifacts:\n{listed}"
    await estate.world.github.commit("scbedd", UPSTREAM, "main", {CI: twice}, "Mix up the names")
    status, told = await estate.ask("POST", "pipelines/983/runs", {})
    assert (status, "The stage name Release_a appears more than once" in told["message"]) == (400, True)


async def test_every_release_stage_waits_for_the_group(estate: Estate) -> None:
    run = await estate.waiting()
    _, told = await estate.ask("GET", f"build/builds/{run.id}/timeline")
    waiting = [record for record in told["records"] if record["type"] == "Checkpoint.Approval"]
    assert [record["state"] for record in waiting] == ["inProgress"] * 3
    _, told = await estate.ask("GET", "pipelines/approvals?state=pending&$expand=steps")
    assert {one["pipeline"]["owner"]["id"] for one in told["value"]} == {run.id}
    assert {one["id"] for one in told["value"]} == {record["id"] for record in waiting}
    [step] = told["value"][0]["steps"]
    assert step["assignedApprover"]["displayName"] == "[internal]\\Release to PyPI Approvers"
    assert step["assignedApprover"]["isContainer"]
    _, told = await estate.ask("GET", f"pipelines/approvals/{waiting[0]['id']}?$expand=permissions")
    assert (told["permissions"], told["steps"]) == ("update", [])
    assert set(run.artifacts["packages"].files) == {
        f"{name}/{file}"
        for name, file in (
            ("azure-core", "azure_core-1.30.0-py3-none-any.whl"),
            ("azure-core", "azure_core-1.30.0.tar.gz"),
            ("azure-core-tracing-opencensus", "azure_core_tracing_opencensus-1.0.0b10-py3-none-any.whl"),
            ("azure-core-tracing-opencensus", "azure_core_tracing_opencensus-1.0.0b10.tar.gz"),
            ("azure-mgmt-core", "azure_mgmt_core-1.5.0-py3-none-any.whl"),
            ("azure-mgmt-core", "azure_mgmt_core-1.5.0.tar.gz"),
        )
    }


async def test_what_is_approved_goes_to_pypi_and_what_is_rejected_does_not(estate: Estate) -> None:
    run = await estate.waiting()
    orders = [
        {"approvalId": approval(run, name), "status": status, "comment": "as decided"}
        for name, status in zip(STAGES[2:], ("approved", "rejected", "rejected"), strict=True)
    ]
    status, told = await estate.ask("PATCH", "pipelines/approvals", orders)
    assert (status, [one["status"] for one in told["value"]]) == (200, ["approved", "rejected", "rejected"])
    await estate.until(lambda: run.status == "completed")
    assert {stage.plan.name: stage.result for stage in run.stages} == dict(
        zip(STAGES, ("succeeded", "succeeded", "succeeded", "failed", "failed"), strict=True)
    )
    _, told = await estate.ask("GET", f"build/builds/{run.id}")
    assert (told["result"], told["parameters"]) == ("failed", '{"Skip.TagRepository": "true"}')
    built = run.artifacts["packages"].files
    assert estate.world.pypi.files("azure-core", "1.30.0") == {
        name.partition("/")[2]: content for name, content in built.items() if name.startswith("azure-core/")
    }
    assert set(estate.world.pypi.files("azure-mgmt-core")) == {"azure_mgmt_core-1.5.0-py3-none-any.whl", "azure_mgmt_core-1.5.0.tar.gz"}
    assert "refs/tags/azure-core_1.30.0" not in await estate.world.github.refs(UPSTREAM)
    with zipfile.ZipFile(io.BytesIO(built["azure-core/azure_core-1.30.0-py3-none-any.whl"])) as wheel:
        assert b"Version: 1.30.0" in wheel.read("azure_core-1.30.0.dist-info/METADATA")
    _, told = await estate.ask("GET", f"pipelines/approvals/{approval(run, STAGES[2])}?$expand=steps")
    assert told["steps"][0]["actualApprover"]["uniqueName"] == estate.world.azure.estate.bot.login


async def test_a_decision_is_taken_once_and_all_of_them_or_none(estate: Estate) -> None:
    run = await estate.waiting()
    first, second, third = (approval(run, name) for name in STAGES[2:])
    assert (await estate.ask("PATCH", "pipelines/approvals", [{"approvalId": first, "status": "rejected"}]))[0] == 200
    late = {"approvalId": first, "status": "rejected"}
    for orders, status, kind in (
        ([late], 409, "ApprovalAlreadyCompletedException"),
        ([{"approvalId": second, "status": "approved"}, late], 409, "ApprovalAlreadyCompletedException"),
        ([{"approvalId": "00000000-0000-4000-8000-000000000000", "status": "approved"}], 404, "ApprovalNotFoundException"),
        ([{"approvalId": third, "status": "skipped"}], 400, "InvalidApprovalUpdateException"),
        ([], 400, "ApprovalIdNotProvidedException"),
    ):
        answered, told = await estate.ask("PATCH", "pipelines/approvals", orders)
        assert (answered, told["typeKey"]) == (status, kind)
    assert run.stage(STAGES[3]).approval.status == "pending"  # type: ignore[union-attr]  # it was asked for above


async def test_who_is_no_approver_is_turned_away(estate: Estate) -> None:
    run = await estate.waiting()
    order = [{"approvalId": approval(run, STAGES[2]), "status": "approved"}]
    estate.world.azure.estate.requester_barred = True
    assert (await estate.ask("PATCH", "pipelines/approvals", order))[0] == 403
    estate.world.azure.estate.requester_barred = False
    estate.world.azure.estate.approvers = [Identity(login="somebody", name="Somebody")]
    status, told = await estate.ask("PATCH", "pipelines/approvals", order)
    assert (status, told["typeKey"]) == (403, "ApprovalUnauthorizedException")
    assert len(estate.world.violations) == 2
    estate.world.violations.clear()
    with pytest.raises(PermissionError):
        estate.world.azure.approve("scbedd", run.id, STAGES[2])


async def test_the_pipeline_tags_by_itself_and_fails_where_it_must_not(estate: Estate) -> None:
    github = estate.world.github
    run = await estate.waiting(variables={})
    estate.world.azure.approve("scbedd", run.id, "Release_azurecore")
    conditions = {"ref_name": {"include": ["refs/tags/azure-core_1.30.0"], "exclude": []}}
    rule = github.add_ruleset(
        "scbedd", UPSTREAM, {"name": "frozen", "target": "tag", "conditions": conditions, "rules": [{"type": "creation"}]}
    )
    await estate.until(lambda: run.stage("Release_azurecore").result == "failed")
    assert estate.world.pypi.files("azure-core", "1.30.0") == {}
    github.delete_ruleset("scbedd", rule)
    again = await estate.waiting(variables={})
    estate.world.azure.approve("scbedd", again.id, "Release_azurecore")
    await estate.until(lambda: again.stage("Release_azurecore").result == "succeeded")
    assert (await github.refs(UPSTREAM))["refs/tags/azure-core_1.30.0"] == again.commit


async def test_what_is_on_pypi_already_cannot_be_released_again(estate: Estate) -> None:
    run = await estate.waiting()
    estate.world.azure.approve("scbedd", run.id, "Release_azuremgmtcore")
    await estate.until(lambda: run.stage("Release_azuremgmtcore").result == "failed")
    assert "File already exists" in run.stage("Release_azuremgmtcore").error
    with pytest.raises(Refused):
        estate.world.pypi.upload("azure-sdk", "azure_mgmt_core-1.5.0.tar.gz", b"")
