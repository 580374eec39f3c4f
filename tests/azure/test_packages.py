"""Runs of pipelines that release packages: pinned to a commit, and with approvals that the bot may give or not."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.rehearsal.sdk_machinery import SdkMachines
from bot.rehearsal.sdk_pipeline import SKIP_TAG
from bot.rehearsal.sdk_stage import UPSTREAM, populated_sdk
from bot.rehearsal.sdk_tree import sdk_tree
from bot.rehearsal.world import World
from bot.services.azure_devops import AzureDevOps, AzureRefused
from bot.services.azure_devops.runs import EVERY_NAME
from bot.services.azure_devops.shapes import ApprovalStatus, AzureRunId, DefinitionId, Stage
from bot.services.patience import utc_now

MAIN = "refs/heads/main"
CORE = DefinitionId(983)
VARIABLES = {SKIP_TAG: "true"}


@dataclass(frozen=True, kw_only=True)
class Estate:
    """A world with the pipeline of one service, and the bot's adapter before it."""

    world: World
    machines: SdkMachines
    client: AzureDevOps

    async def head(self) -> str:
        return (await self.world.github.refs(UPSTREAM))[MAIN]

    async def queued(self) -> AzureRunId:
        return await self.client.queue_run(CORE, {}, MAIN, commit=await self.head(), variables=VARIABLES)

    async def asking(self) -> tuple[AzureRunId, dict[str, Stage]]:
        run = await self.queued()
        for _ in range(100):
            await self.machines.go_on()
        return run, {stage.name: stage for stage in await self.client.timeline(run)}


Within = Callable[..., AbstractAsyncContextManager[Estate]]


@pytest.fixture
def within(tmp_path: Path) -> Within:
    @asynccontextmanager
    async def begin(*, bot_approves: bool = True) -> AsyncIterator[Estate]:
        tree = sdk_tree(tmp_path / "source.git", "azure-core", "1.30.0")
        async with World(tmp_path / "world") as world:
            world.github.add_user("scbedd")
            machines = await populated_sdk(world, tree, people=["scbedd"], approvers=["scbedd"], bot_approves=bot_approves)
            client = AzureDevOps(world.azure.url, world.azure.token, project="internal", cache=tmp_path / "azure-devops")
            yield Estate(world=world, machines=machines, client=client)
            assert world.violations == []

    return begin


async def test_a_run_is_of_the_pinned_commit_and_found_again_by_it(within: Within) -> None:
    async with within() as estate:
        head = await estate.head()
        definition = await estate.client.definition_id("Python - CORE", "\\python")
        assert definition == CORE
        await estate.client.preview_run(CORE, {}, MAIN, commit=head, variables=VARIABLES)
        number = await estate.queued()
        run = await estate.client.run(number)
        assert (run.commit, run.ref, run.reason) == (head, MAIN, "manual")
        assert run.was_set({SKIP_TAG.upper(): "True"})
        assert not run.was_set({SKIP_TAG: "false"})
        assert not run.was_set({"Other": ""})
        [found] = await estate.client.find_runs(CORE, EVERY_NAME, utc_now() - timedelta(minutes=1))
        assert found.id == number


async def test_exactly_one_stage_is_approved_and_another_rejected(within: Within) -> None:
    async with within() as estate:
        run, stages = await estate.asking()
        own, other = stages["Release_azurecore"].approvals[0].id, stages["Release_azuremgmtcore"].approvals[0].id
        assert await estate.client.permitted([own, other]) == {own, other}
        await estate.client.decide(own, "it was decided", approved=True)
        await estate.client.decide(other, "not now", approved=False)
        decided = {one.id: one for one in await estate.client.approvals([own, other])}
        assert (decided[own].status, decided[other].status) == (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED)
        assert decided[own].steps[0].comment == "it was decided"
        with pytest.raises(AzureRefused) as twice:
            await estate.client.decide(own, "again", approved=False)
        assert (twice.value.status, twice.value.kind, twice.value.denied) == (409, "ApprovalAlreadyCompletedException", False)
        assert run


async def test_who_is_no_approver_learns_so_without_trying(within: Within) -> None:
    async with within(bot_approves=False) as estate:
        _, stages = await estate.asking()
        own = stages["Release_azurecore"].approvals[0].id
        assert await estate.client.permitted([own]) == frozenset()
        assert await estate.client.permitted([]) == frozenset()
        with pytest.raises(AzureRefused) as refusal:
            await estate.client.decide(own, "all the same", approved=True)
        assert refusal.value.kind == "ApprovalUnauthorizedException"
        [violation] = estate.world.violations
        assert "without being an approver" in violation
        estate.world.violations.clear()


async def test_the_files_of_one_package_are_read_and_never_more_than_allowed(within: Within) -> None:
    async with within() as estate:
        run, _ = await estate.asking()
        read = partial(estate.client.artifact_files, run, endings=(".whl", ".tar.gz"))
        files = await read("packages", "azure-core", largest=1_000_000)
        built = estate.world.azure.runs[0].artifacts["packages"].files
        assert files == {path.partition("/")[2]: content for path, content in built.items() if path.startswith("azure-core/")}
        assert await read("packages", "azure", largest=1_000_000) == {}
        for too_few in (10, max(map(len, files.values())), sum(map(len, files.values())) - 1):
            with pytest.raises(AzureRefused, match=f"holds more than {too_few} bytes"):
                await read("packages", "azure-core", largest=too_few)
        assert await read("packages", "azure-core", largest=sum(map(len, files.values()))) == files
        with pytest.raises(AzureRefused):
            await read("nothing", "azure-core", largest=10)


async def test_what_is_not_released_is_not_read_and_too_much_is_refused(within: Within) -> None:
    async with within() as estate:
        run, _ = await estate.asking()
        artifact = estate.world.azure.runs[0].artifacts["packages"]
        read = partial(estate.client.artifact_files, run, "packages", "azure-core", largest=1_000_000)
        artifact.files["azure-core/log.txt"] = b" " * 2_000_000
        assert all(name.endswith(".whl") for name in await read(endings=(".whl",)))
        artifact.files |= {f"azure-core/{number}.whl": b"" for number in range(101)}
        with pytest.raises(AzureRefused, match="more than 100 files"):
            await read(endings=(".whl",))


async def test_runs_of_other_commits_are_not_read_however_many_there_are(within: Within) -> None:
    async with within() as estate:
        ours, since = await estate.queued(), utc_now() - timedelta(minutes=1)
        head = await estate.head()
        for _ in range(60):
            await estate.queued()
        for run in estate.world.azure.runs[1:]:
            run.commit = "b" * 40
        assert [run.id for run in await estate.client.find_runs(CORE, EVERY_NAME, since, commit=head)] == [ours]
        with pytest.raises(Unavailable, match="more than 50"):
            await estate.client.find_runs(CORE, EVERY_NAME, since)
