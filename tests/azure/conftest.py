"""The stand-in for Azure DevOps alone, and the bot's own adapter before it."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.azure import Azure
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.reference import azure_specs, find_reference
from bot.rehearsal.serving import reserve, serving, url_of
from bot.services.azure_devops import AzureDevOps
from bot.services.azure_devops.connection import Limits
from bot.services.patience import utc_now


class Clock:
    """The real time, moved on by the tests."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def chronicle() -> Iterator[Chronicle]:
    """What the stand-in remembers; a test that expects violations takes them out."""
    chronicle = Chronicle()
    yield chronicle
    assert chronicle.violations == []


@pytest.fixture
async def azure(chronicle: Chronicle) -> AsyncIterator[Azure]:
    azure = Azure(chronicle, azure_specs(find_reference()))
    reserved = reserve()
    async with serving(azure.application, reserved):
        azure.serve_at(url_of(reserved))
        yield azure


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "azure-devops"


@pytest.fixture
def client(azure: Azure, cache: Path, clock: Clock) -> AzureDevOps:
    return AzureDevOps(azure.url, azure.token, project="cpython", cache=cache, limits=Limits(timeout=5.0, largest_file=2_000), clock=clock)
