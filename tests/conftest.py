"""What every test may ask for."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from aiohttp import web_app
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.databases"]

# A machine that is busy with something else is no fault of the code: no test asserts how long anything takes.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files, always in the same way: those whose tests take long lie together, and one process would get all of them."""
    items.sort(key=lambda item: sha256(item.location[0].encode()).digest())


@pytest.fixture(autouse=True)
def no_server_outlives_its_test() -> Iterator[None]:
    """Let go of the applications that aiohttp remembers by their handlers: hundreds of worlds would stay in memory, and slow all others."""
    yield
    web_app._cached_build_middleware.cache_clear()
