"""What a run that published tells of its files: installers up to 3.15, the packages of the install manager always."""

from types import SimpleNamespace
from typing import cast

import pytest

from bot.azure.results import Unreadable, published_files
from bot.rehearsal.azure import Azure
from bot.rehearsal.azure_model import Artifact
from bot.rehearsal.release_files import hash_table
from bot.services.azure_devops import AzureDevOps
from bot.services.azure_devops.shapes import AzureRunId
from bot.tools import Tools

EXE, ZIP, INDEX = {"python-3.15.0a3.exe": b"MZ"}, {"python-3.16.0a3-amd64.zip": b"PK"}, {"index-windows.json": b"{}"}
HASHES = {"hashes": EXE, "pymanager_hashes": ZIP | INDEX, "pymanager_index": {}}


async def told(azure: Azure, client: AzureDevOps, *artifacts: str, **parameters: str) -> set[str]:
    """Return the names of the files that a run with these artifacts tells of."""
    run = azure.queue("zooba", {"SourceTag": "v3.15.0a3", **parameters})
    for name in artifacts:
        files = {"hashes.txt": hash_table(HASHES[name], "SHA256")} if HASHES[name] else {}
        run.artifacts[name] = Artifact(kind="PipelineArtifact", files=files)
    tools = cast("Tools", SimpleNamespace(azure=client))
    return {file.name for file in await published_files(await client.run(AzureRunId(run.id)), tools)}


async def test_with_installers_both_tables_are_read(azure: Azure, client: AzureDevOps) -> None:
    assert await told(azure, client, *HASHES, DoMSI="true") == {*EXE, *ZIP}


async def test_without_installers_there_is_the_table_of_the_install_manager(azure: Azure, client: AzureDevOps) -> None:
    assert await told(azure, client, "pymanager_hashes", "pymanager_index", DoMSI="false") == {*ZIP}


async def test_a_run_that_makes_nothing_for_the_install_manager_has_no_such_table(azure: Azure, client: AzureDevOps) -> None:
    assert await told(azure, client, "hashes", DoMSI="true", DoPyManager="false") == {*EXE}
    assert await told(azure, client, DoMSI="false", DoPyManager="false") == set()


@pytest.mark.parametrize(
    ("artifacts", "said"),
    [
        (("hashes", "pymanager_index"), "left no artifact pymanager_hashes"),
        (("hashes", "pymanager_hashes"), "left no artifact pymanager_index"),
        (("hashes",), "left no artifact pymanager_index and no pymanager_hashes"),
        (("pymanager_index", "pymanager_hashes"), "should tell the hashes of its files, but does not"),
    ],
)
async def test_what_should_have_been_published_and_was_not_told_of_is_noticed(
    azure: Azure, client: AzureDevOps, artifacts: tuple[str, ...], said: str
) -> None:
    with pytest.raises(Unreadable, match=said):
        await told(azure, client, *artifacts, DoMSI="true")
