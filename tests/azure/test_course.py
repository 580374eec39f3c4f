"""The course of a run as the bot sees it: stages, the people they wait for, failures, artifacts, tags and leases."""

from datetime import timedelta

import pytest

from bot.errors import Unavailable
from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_course import NotPossible
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.moments import now
from bot.services.azure_devops import AzureDevOps, AzureRefused
from bot.services.azure_devops.course import _decoded
from bot.services.azure_devops.shapes import ApprovalStatus, AzureRunId, RunResult, Stage, WorkResult, WorkState
from tests.azure.test_runs import MAIN, ORDER, WINDOWS
from tests.reference import reference

HASHES = b"Name                   Hash\r\npython-3.15.0a3.exe    abc\r\n"


async def queued(client: AzureDevOps, **parameters: str | bool) -> AzureRunId:
    return await client.queue_run(WINDOWS, {**ORDER, **parameters}, MAIN)


def go_on(azure: Azure, run: AzureRunId) -> None:
    while azure.advance(run):
        pass


async def stage(client: AzureDevOps, run: AzureRunId, name: str) -> Stage:
    return next(stage for stage in await client.timeline(run) if stage.name == name)


async def test_a_run_waits_for_people_and_shows_who_they_are_and_since_when(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    assert await client.timeline(run) == ()
    go_on(azure, run)
    stages = await client.timeline(run)
    assert [stage.name for stage in stages] == ["Build", "Sign", "Layout", "Pack", "Test"]
    build, sign = stages[:2]
    assert (build.state, build.result) == (WorkState.COMPLETED, WorkResult.SUCCEEDED)
    assert "Build_Python" in {job.name.rpartition(".")[2] for job in build.jobs}
    assert (sign.state, sign.result) == (WorkState.PENDING, None)
    (pending,) = sign.approvals
    assert pending.since is not None
    assert abs(pending.since - now()) < timedelta(minutes=1)
    (approval,) = await client.approvals([pending.id])
    assert (approval.status, approval.run, approval.needed) == (ApprovalStatus.PENDING, run, 1)
    assert [who.login for who in approval.open_to] == ["zooba"]
    azure.approve("zooba", run, "Sign")
    (given,) = await client.approvals([pending.id])
    assert (given.status, given.open_to) == (ApprovalStatus.APPROVED, ())
    assert given.steps[0].given_by is not None
    assert given.steps[0].given_by.login == "zooba"
    assert (await stage(client, run, "Sign")).approvals == ()


async def test_nobody_else_approves_and_nothing_is_approved_twice(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    go_on(azure, run)
    with pytest.raises(PermissionError):
        azure.approve("brother-maynard@python.example", run, "Sign")
    azure.approve("zooba", run, "Sign")
    with pytest.raises(NotPossible):
        azure.approve("zooba", run, "Sign")
    assert not [name for name in dir(client) if "approve" in name or "reject" in name]
    assert await client.approvals([]) == []


async def test_a_run_succeeds_when_all_have_approved(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client, DoPublish=True)
    for name in ("Sign", "Pack", "Publish"):
        go_on(azure, run)
        azure.approve("zooba", run, name)
    go_on(azure, run)
    ended = await client.run(run)
    assert ended.result is RunResult.SUCCEEDED
    assert ended.finished is not None


async def test_without_installers_only_two_stages_need_people(client: AzureDevOps, azure: Azure) -> None:
    reference("specs/azure/windows_stages.json")
    run = await queued(client, DoPublish=True, DoMSI=False)
    for name in ("Sign", "Publish"):
        go_on(azure, run)
        azure.approve("zooba", run, name)
    go_on(azure, run)
    assert (await client.run(run)).result is RunResult.SUCCEEDED
    assert "hashes" not in {artifact.name for artifact in await client.artifacts(run)}
    assert "signed" in (await client.run(run)).tags


async def test_a_rehearsed_signature_needs_nobody(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client, SigningCertificate="Unsigned")
    go_on(azure, run)
    assert (await client.run(run)).result is RunResult.SUCCEEDED


async def test_a_failed_stage_shows_its_error_and_is_tried_again(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client, SigningCertificate="Unsigned")
    azure.fail(run, "Build", "The ARM64 machine is offline.")
    go_on(azure, run)
    build = await stage(client, run, "Build")
    assert (build.result, build.jobs[0].problems) == (WorkResult.FAILED, ("The ARM64 machine is offline.",))
    assert (await stage(client, run, "Test")).result is WorkResult.SKIPPED
    assert (await client.run(run)).result is RunResult.FAILED
    await client.retry_stage(run, "Build")
    go_on(azure, run)
    assert (await client.run(run)).result is RunResult.SUCCEEDED
    assert (await stage(client, run, "Build")).attempt == 2
    with pytest.raises(AzureRefused, match="neither failed nor been cancelled"):
        await client.retry_stage(run, "Build")
    with pytest.raises(AzureRefused, match="Stage Dance was not found"):
        await client.retry_stage(run, "Dance")


async def test_a_refused_approval_fails_the_run_and_is_asked_for_anew(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    go_on(azure, run)
    (before,) = (await stage(client, run, "Sign")).approvals
    azure.reject("zooba", run, "Sign")
    go_on(azure, run)
    assert (await client.run(run)).result is RunResult.FAILED
    await client.retry_stage(run, "Sign")
    go_on(azure, run)
    (after,) = (await stage(client, run, "Sign")).approvals
    assert after.id != before.id


async def test_who_refused_and_why_can_be_read_afterwards(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    go_on(azure, run)
    (asked,) = (await stage(client, run, "Sign")).approvals
    azure.reject("zooba", run, "Sign", "Not today.")
    refused = await stage(client, run, "Sign")
    assert (refused.approvals, refused.decided) == ((), (asked.id,))
    (approval,) = await client.approvals(refused.decided)
    (step,) = approval.steps
    assert (approval.status, step.given_by and step.given_by.login, step.comment) == (ApprovalStatus.REJECTED, "zooba", "Not today.")


async def test_an_approval_that_came_too_late_is_asked_for_anew(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    go_on(azure, run)
    azure.time_out(run, "Sign")
    go_on(azure, run)
    late = await stage(client, run, "Sign")
    assert late.result is WorkResult.SKIPPED
    assert [one.status for one in await client.approvals(late.decided)] == [ApprovalStatus.TIMED_OUT]
    await client.retry_stage(run, "Sign")
    go_on(azure, run)
    assert (await stage(client, run, "Sign")).approvals


async def test_a_stage_may_end_well_but_for_an_error(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client, SigningCertificate="Unsigned")
    azure.limp(run, "Test", "One test is flaky.")
    go_on(azure, run)
    assert (await client.run(run)).result is RunResult.PARTIALLY_SUCCEEDED
    limped = await stage(client, run, "Test")
    assert (limped.result, limped.jobs[0].problems) == (WorkResult.SUCCEEDED_WITH_ISSUES, ("One test is flaky.",))


async def test_a_cancelled_run_takes_its_approvals_along(client: AzureDevOps, azure: Azure) -> None:
    run = await queued(client)
    go_on(azure, run)
    (pending,) = (await stage(client, run, "Sign")).approvals
    await client.cancel(run)
    go_on(azure, run)
    assert (await client.approvals([pending.id]))[0].status is ApprovalStatus.CANCELED
    assert (await stage(client, run, "Sign")).result is WorkResult.CANCELED


async def published(client: AzureDevOps, azure: Azure) -> AzureRunId:
    """Return a run with artifacts."""
    reference("specs/azure/windows_stages.json")
    run = await queued(client, SigningCertificate="Unsigned", DoPublish=True)
    go_on(azure, run)
    return run


async def test_a_file_of_an_artifact_is_read(client: AzureDevOps, azure: Azure) -> None:
    azure.fill("hashes", {"hashes.txt": HASHES, "signed/other.txt": b"\xef\xbb\xbfwith a mark", "wide.txt": "wide".encode("utf-16")})
    run = await published(client, azure)
    names = {artifact.name: artifact.type for artifact in await client.artifacts(run)}
    assert {"hashes", "bin_amd64_td", "tcltk_lib_arm64", "unsigned_win32_t"} <= names.keys()
    assert names["embed"] == "Container"
    assert await client.artifact_text(run, "hashes", "hashes.txt") == HASHES.decode()
    assert await client.artifact_text(run, "hashes", "signed/other.txt") == "with a mark"
    assert await client.artifact_text(run, "hashes", "wide.txt") == "wide"


async def test_what_is_no_readable_text_of_an_artifact_is_refused(client: AzureDevOps, azure: Azure) -> None:
    azure.fill("hashes", {"long.txt": b"x" * 3_000, "binary": b"\xff\xfe\x00"})
    run = await published(client, azure)
    for artifact, file, said in (
        ("hashes", "hashes.txt", "There is no file hashes.txt in the artifact hashes"),
        ("embed", "python.zip", "whose files lie on another host"),
        ("secrets", "a", "Artifact secrets was not found"),
    ):
        with pytest.raises(AzureRefused, match=said):
            await client.artifact_text(run, artifact, file)
    with pytest.raises(AzureRefused, match="The file 0 was not found"):
        await client._ask("read", lambda clients: clients.builds.file("cpython", run, "hashes", file="0", name="a", limit=9))
    with pytest.raises(Unavailable, match="a list of files that is no JSON"):
        _decoded(b"MZ", "read a file")
    for file, said in (("long.txt", "has more than 2000 bytes"), ("binary", "no text in UTF-8")):
        with pytest.raises(Unavailable, match=said):
            await client.artifact_text(run, "hashes", file)


async def test_runs_are_tagged_once(client: AzureDevOps) -> None:
    run = await queued(client)
    for _ in range(2):
        await client.add_tag(run, "bot-request-7")
    assert (await client.run(run)).tags == ("bot-request-7",)


async def test_runs_are_kept(client: AzureDevOps, azure: Azure, chronicle: Chronicle) -> None:
    run = await client.run(await queued(client))
    owner = "release-bot:3.15.0a3"
    assert await client.leases(owner, run) == []
    lease = await client.add_lease(owner, run)
    assert await client.leases(owner, run) == [lease]
    assert await client.leases("release-bot:3.15.0a4", run) == []
    assert (lease.owner, lease.run, lease.definition) == (owner, run.id, WINDOWS)
    assert lease.until > now() + timedelta(days=36_000)
    assert [lease.owner for lease in azure.leases] == [owner]
    with pytest.raises(AzureRefused, match="A lease needs"):
        await client.add_lease("", run, days=1)
    chronicle.faults.add(Fault(action=refuse(200, {"count": 0, "value": []}), method="POST"))
    with pytest.raises(Unavailable, match="named no lease"):
        await client.add_lease(owner, run)
