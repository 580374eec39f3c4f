"""python.org in a box, and the bot's view of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.profile import load
from bot.publication import SeriesFiles
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.python_org import PythonOrg as Site
from bot.rehearsal.serving import reserve, serving, url_of
from bot.services.python_org import Limits, PythonOrg

FAST = Limits(timeout=5.0, backoff=0.001, stall=5.0, whole=10.0, page_size=2, attempts=3)
NAME = "Python 3.15.0a3"
CPYTHON = load("cpython")


def files_of_series(series: str) -> SeriesFiles:
    """Return what the shipped profile says about the files of a series."""
    files = CPYTHON.series[series].files
    assert files is not None, series
    return files.policy


@dataclass
class Box:
    """The site and what it remembers."""

    site: Site
    chronicle: Chronicle

    def fail(self, status: int, path: str = ".", times: int = 1, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.chronicle.faults.add(Fault(action=refuse(status, headers=named), path=path, times=times))

    def asked(self, path: str) -> list[int]:
        """Return how requests of a path were answered."""
        return [request.status for request in self.chronicle.requests if request.path == path]


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    chronicle = Chronicle()
    site, port = Site(chronicle), reserve()
    async with serving(site.application, port):
        site.url = url_of(port)
        yield Box(site, chronicle)
    assert chronicle.violations == [], "the bot asked what the site does not answer"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def python_org(box: Box, session: aiohttp.ClientSession) -> PythonOrg:
    return PythonOrg(box.site.url, session, limits=FAST)
