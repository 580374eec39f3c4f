"""Orders of runs: checked, placed once, found again when the answer was lost."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.rehearsal.azure import Azure
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, drop_after, drop_before, refuse
from bot.rehearsal.moments import now
from bot.services.azure_devops import AzureDevOps, AzureRefused
from bot.services.azure_devops.connection import Limits
from bot.services.azure_devops.shapes import AzureRunId, DefinitionId, RunResult, RunStatus
from tests.reference import reference

WINDOWS = DefinitionId(21)
MAIN = "refs/heads/main"
COMMIT = "1" * 40
ORDER: dict[str, str | bool] = {
    "GitRemote": "hugovk",
    "SourceTag": "v3.15.0a3",
    "SourceCommit": COMMIT,
    "DoPublish": False,
    "Post315OutputDir": True,
}
PATTERN = "Release_v3.15.0a3_*"
QUEUE = "POST /{organization}/{project}/_apis/pipelines/{pipelineId}/runs"


async def test_a_pipeline_is_found_by_name_and_folder(client: AzureDevOps) -> None:
    assert await client.definition_id("windows-release") == WINDOWS
    assert await client.definition_id("Windows-Release", "\\old") is None
    assert await client.definition_id("Mac-Release") is None


async def test_the_disk_may_be_emptied_between_two_questions(client: AzureDevOps) -> None:
    assert await client.definition_id("windows-release") == WINDOWS
    from azure.devops._file_cache import RESOURCE_CACHE  # noqa: PLC0415 - the folder is chosen by whoever imports it first

    folder = Path(RESOURCE_CACHE.file_name).parent
    shutil.rmtree(folder)
    assert await client.definition_id("Windows-Release") == WINDOWS
    assert folder.is_dir()


async def test_a_run_is_queued_with_its_parameters_and_read_back(client: AzureDevOps, azure: Azure) -> None:
    run = await client.run(await client.queue_run(WINDOWS, ORDER, MAIN))
    (real,) = azure.runs
    assert (run.id, run.name, run.definition) == (real.id, f"Release_v3.15.0a3_{now():%Y%m%d}.01", WINDOWS)
    assert (run.status, run.result, run.started) == (RunStatus.NOT_STARTED, None, None)
    assert (run.requested_by.login, run.ref, run.commit) == ("brother-maynard@python.example", MAIN, real.commit)
    assert run.was_given(ORDER)
    assert not run.was_given({**ORDER, "SourceCommit": "2" * 40})
    assert not run.was_given({"DoPublish": True, "Unheard": "of"})
    assert client.page(run.id) == f"{azure.url}/cpython/_build/results?buildId={run.id}"


async def test_defaults_are_filled_in(client: AzureDevOps) -> None:
    reference("specs/azure/windows_release.json")
    run = await client.run(await client.queue_run(WINDOWS, ORDER, MAIN))
    assert run.was_given({"SigningCertificate": "PythonSoftwareFoundation", "DoMSI": True, "DoGPG": False})


async def test_a_check_names_everything_that_is_wrong_and_queues_nothing(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    reference("specs/azure/windows_release.json")
    assert "SourceTag: v3.15.0a3" in await client.preview_run(WINDOWS, ORDER, MAIN)
    with pytest.raises(AzureRefused) as refused:
        await client.preview_run(WINDOWS, {**ORDER, "GitRemote": "stranger", "DoMSI": "perhaps", "DoWin95": True}, "refs/heads/other")
    assert (refused.value.status, refused.value.kind) == (400, "PipelineValidationException")
    assert refused.value.sentences == (
        "Unexpected parameter 'DoWin95'",
        "The 'GitRemote' parameter value 'stranger' is not one of the allowed values.",
        "The 'DoMSI' parameter value 'perhaps' is not a valid Boolean.",
        "Could not get the latest source version for repository python/release-tools from branch refs/heads/other.",
    )
    assert str(refused.value).startswith(
        "Azure DevOps refused to check an order of pipeline 21: Unexpected parameter 'DoWin95'; The 'GitRemote'"
    )
    assert not azure.runs
    assert chronicle.counts[QUEUE] == 0


async def test_a_wrong_order_is_not_queued_either(client: AzureDevOps, azure: Azure) -> None:
    with pytest.raises(AzureRefused, match="refused to queue a run of pipeline 21: Could not get the latest source version"):
        await client.queue_run(WINDOWS, ORDER, "refs/heads/other")
    with pytest.raises(AzureRefused, match="Pipeline with id 7 was not found"):
        await client.queue_run(DefinitionId(7), ORDER, MAIN)
    assert not azure.runs


async def test_a_second_run_takes_up_the_first_by_its_name(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    first = await client.run(await client.queue_run(WINDOWS, ORDER, MAIN))
    publish = {**ORDER, "DoPublish": True, "BuildToPublish": "build_to_publish"}
    second = await client.queue_run(WINDOWS, publish, MAIN, {"build_to_publish": first.name})
    assert [stage.plan.name for stage in azure.runs[1].stages] == ["Publish"]
    with pytest.raises(AzureRefused, match="the version Release_no could not be found"):
        await client.preview_run(WINDOWS, publish, MAIN, {"build_to_publish": "Release_no"})
    with pytest.raises(AzureRefused, match="Unexpected pipeline resource 'another'"):
        await client.preview_run(WINDOWS, ORDER, MAIN, {"another": first.name})
    assert second != first.id
    assert await client.taken_up(WINDOWS, second) == {"build_to_publish": first.name}
    assert await client.taken_up(WINDOWS, first.id) == {}
    assert not chronicle.violations
    await client.preview_run(WINDOWS, publish, MAIN)
    assert chronicle.violations.pop().endswith("does not name the run, so that the newest would be taken")


@pytest.mark.parametrize("fault", [drop_after(), refuse(500)])
async def test_an_order_is_sent_once_whatever_becomes_of_it(client: AzureDevOps, chronicle: Chronicle, fault: object) -> None:
    await client.definition_id("Windows-Release")
    chronicle.faults.add(Fault(action=fault, path="/runs$", times=10))  # type: ignore[arg-type]  # an Action, as parametrize cannot say
    with pytest.raises(Unavailable):
        await client.queue_run(WINDOWS, ORDER, MAIN)
    assert chronicle.counts[QUEUE] == 1


async def test_after_a_lost_answer_exactly_one_run_is_there_and_is_found(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    azure.queue("zooba", {"SourceTag": "v3.15.0a3", "SourceCommit": COMMIT})
    since = now() - timedelta(minutes=1)
    chronicle.faults.add(Fault(action=drop_after(), path="/runs$"))
    with pytest.raises(Unavailable, match=r"^Azure DevOps was asked to queue a run of pipeline 21, and no answer came that could be used"):
        await client.queue_run(WINDOWS, ORDER, MAIN)
    found = await client.find_runs(WINDOWS, PATTERN, since)
    assert [run.requested_by.login for run in found] == ["brother-maynard@python.example", "zooba"]
    (ours,) = [run for run in found if run.was_given(ORDER)]
    assert ours.name.endswith(".02")
    assert await client.find_runs(WINDOWS, ours.name, since) == [ours]
    assert await client.find_runs(WINDOWS, "Release_v3.15.0a4_*", since) == []
    assert await client.find_runs(WINDOWS, PATTERN, now() + timedelta(minutes=1)) == []
    assert len(azure.runs) == 2


async def test_an_order_lost_on_its_way_leaves_nothing(client: AzureDevOps, chronicle: Chronicle) -> None:
    chronicle.faults.add(Fault(action=drop_before(), path="/runs$"))
    with pytest.raises(Unavailable):
        await client.queue_run(WINDOWS, ORDER, MAIN)
    assert await client.find_runs(WINDOWS, PATTERN, now() - timedelta(minutes=1)) == []


async def test_more_runs_than_are_read_are_no_answer(azure: Azure, client: AzureDevOps) -> None:
    for _ in range(3):
        azure.queue("zooba", {"SourceTag": "v3.15.0a3"})
    few = AzureDevOps(azure.url, azure.token, project="cpython", cache=client._connection._cache, limits=Limits(most_runs=2))
    with pytest.raises(Unavailable, match="more than 2, more than the bot reads"):
        await few.find_runs(WINDOWS, PATTERN, now() - timedelta(minutes=1))


async def test_a_run_is_cancelled(client: AzureDevOps, azure: Azure) -> None:
    run = await client.queue_run(WINDOWS, ORDER, MAIN)
    azure.advance(run)
    await client.cancel(run)
    assert (await client.run(run)).status is RunStatus.CANCELLING
    azure.advance(run)
    ended = await client.run(run)
    assert (ended.status, ended.result) == (RunStatus.COMPLETED, RunResult.CANCELED)
    with pytest.raises(AzureRefused, match="has ended"):
        await client.cancel(run)
    with pytest.raises(AzureRefused, match="The requested build 7 could not be found") as refused:
        await client.run(AzureRunId(7))
    assert refused.value.status == 404
