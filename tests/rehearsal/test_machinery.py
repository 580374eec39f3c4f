"""The builders of the rehearsal work by themselves, and wait for people."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from bot.rehearsal import publisher
from bot.rehearsal.azure_model import Run
from bot.rehearsal.machinery import Machines
from bot.rehearsal.release_files import ReleaseFiles
from bot.rehearsal.release_tools import add_release_tools
from bot.rehearsal.release_workflow import BUILD_RELEASE, REPOSITORY
from bot.rehearsal.trust_sigstore import SmallSigstore
from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.workshop import Workshop
from bot.rehearsal.world import World
from bot.release.version import Version
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.install_manager import CATALOGUE, INDEX, InstallManagerManifest, read_entries

COMMIT = "5d2a1c8f0e9b7a6d4c3b2a190817263544536271"
FILES = ReleaseFiles(PythonVersion.parse("3.15.0a3"))
ORDER = {"GitRemote": "hugovk", "SourceTag": "v3.15.0a3", "SourceCommit": COMMIT}
INPUTS = {"git_remote": "hugovk", "git_commit": COMMIT, "cpython_release": "3.15.0a3"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path) as world:
        world.github.add_user("hugovk")
        await add_release_tools(world, "hugovk")
        yield world
    assert not world.violations


@pytest.fixture
async def machines(world: World) -> AsyncIterator[Machines]:
    machines = Machines(world, FILES, tick=0.001)
    async with machines.working():
        yield machines


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


def asked(run: Run, stage: str) -> bool:
    approval = run.stage(stage).approval
    return approval is not None and approval.status == "pending"


async def test_a_workflow_runs_to_its_end_and_leaves_its_files(world: World, machines: Machines) -> None:
    number = await world.github.actions.dispatch("hugovk", REPOSITORY, BUILD_RELEASE.file, "main", INPUTS)
    run = world.github.actions.run(number)
    await until(lambda: run.status == "completed")
    assert run.conclusion == "success"
    assert {artifact.name for artifact in run.artifacts} == {"source", "aarch64-linux-android", "x86_64-linux-android", "ios"}
    assert all(FILES[name] == content for name, content in publisher.downloaded(world, FILES).items())
    assert machines.published == set()


async def test_a_job_that_is_to_fail_fails_until_it_may_succeed(world: World, machines: Machines) -> None:
    machines.failing.add("build-source")
    number = await world.github.actions.dispatch("hugovk", REPOSITORY, BUILD_RELEASE.file, "main", INPUTS)
    run = world.github.actions.run(number)
    await until(lambda: run.status == "completed")
    assert run.conclusion == "failure"
    machines.failing.clear()
    world.github.actions.run_failed_again(world.github.user("hugovk"), run)
    await until(lambda: run.conclusion == "success")


async def test_what_pauses_does_nothing(world: World) -> None:
    machines = Machines(world, FILES)
    machines.actions = machines.azure = False
    number = await world.github.actions.dispatch("hugovk", REPOSITORY, BUILD_RELEASE.file, "main", INPUTS)
    order = world.azure.queue("zooba", ORDER)
    machines.tick()
    assert (world.github.actions.run(number).status, order.status) == ("queued", "notStarted")


async def test_a_windows_build_waits_for_its_approvals_and_publishes_nothing(world: World, machines: Machines) -> None:
    run = world.azure.queue("zooba", ORDER)
    for stage in ("Sign", "Pack"):
        await until(partial(asked, run, stage))
        world.azure.approve("zooba", run.id, stage)
    await until(lambda: run.status == "completed")
    assert (run.result, machines.published) == ("succeeded", set())
    assert run.artifacts["cert"].files["certinfo.json"].endswith(b'S=Oregon, C=US"}\r\n')
    assert set(run.artifacts["embed"].files) == set(FILES.embeddable)


async def test_publishing_puts_the_windows_files_on_python_org(world: World, machines: Machines) -> None:
    world.azure.estate.chronicle.violations.clear()
    run = world.azure.queue("zooba", ORDER | {"DoPublish": "true"})
    for stage in ("Sign", "Pack", "Publish"):
        await until(partial(asked, run, stage))
        world.azure.approve("zooba", run.id, stage)
    await until(lambda: run.id in machines.published)
    assert all(world.python_org.has(FILES.path(name)) for name in FILES.windows)
    assert not world.python_org.has(FILES.path("Python-3.15.0a3.tgz"))
    table = run.artifacts["hashes"].files["hashes.txt"].decode("ascii")
    assert all(name in table for name in FILES.installers | FILES.embeddable)
    assert table.count("python-3.15.0a3.exe ") == 2


async def test_the_install_manager_is_offered_what_is_published_in_the_place_of_what_was_before(world: World, tmp_path: Path) -> None:
    windows = SmallWindowsSigning.create(tmp_path)
    workshop = Workshop(
        sigstore=SmallSigstore.create(), windows=windows, identity="hugo@python.org", issuer="https://example.org", openpgp={}
    )
    index = b""
    for version in ("3.14.6", "3.15.0a2", "3.15.0a3"):
        files = ReleaseFiles(PythonVersion.parse(version), workshop=workshop)
        run = world.azure.queue("zooba", ORDER | {"SourceTag": f"v{version}"})
        Machines(world, files).publish(run.id)
        index, catalogue = (world.python_org.content(name) or b"" for name in (INDEX, CATALOGUE))
        (manifest,) = files.manifest.values()
        assert "lists the same" in InstallManagerManifest(version=Version.parse(version)).verify(manifest, index).why
        assert Authenticode(Roots.from_pem(windows.roots_pem, name="ours"), AuthenticodePolicy()).verify_catalogue(catalogue, index).signer
    assert {entry.version for entry in read_entries(index, name=INDEX)} == {"3.14.6", "3.15.0a3"}


async def test_what_a_test_signed_is_never_published(world: World, machines: Machines) -> None:
    run = world.azure.queue("zooba", ORDER | {"DoPublish": "true", "SigningCertificate": "TestSign"})
    await until(lambda: run.status == "completed")
    assert (run.result, machines.published) == ("succeeded", set())


async def test_an_artifact_that_a_story_filled_stays_so(world: World, machines: Machines) -> None:
    world.azure.fill("cert", {"certinfo.json": b"{}"})
    run = world.azure.queue("zooba", ORDER | {"SigningCertificate": "TestSign"})
    await until(lambda: run.status == "completed")
    assert run.artifacts["cert"].files == {"certinfo.json": b"{}"}
    assert not machines.published


async def test_the_manager_publishes_every_file(world: World, machines: Machines) -> None:
    await world.github.actions.dispatch("hugovk", REPOSITORY, BUILD_RELEASE.file, "main", INPUTS)
    await until(lambda: bool(publisher.downloaded(world, FILES)))
    machines.publish(world.azure.queue("zooba", ORDER).id)
    world.python_org.upload(FILES.path("python-3.15.0a3-macos11.pkg"), FILES["python-3.15.0a3-macos11.pkg"])
    publisher.upload(world, FILES, publisher.downloaded(world, FILES))
    publisher.vouch(world, FILES)
    publisher.list_files(world, FILES)
    publisher.publish(world, FILES)
    listed = world.python_org.tables.files.values()
    assert {file.url.rpartition("/")[2] for file in listed} == set(FILES)
    assert all(file.sigstore_bundle_file for file in listed)
