"""Load the azure-devops package late, and with a folder of our own for its cache.

The package keeps what it learned of a server on disk for twelve hours, in the home directory unless AZURE_DEVOPS_CACHE_DIR names another
folder when it is imported: https://github.com/microsoft/azure-devops-python-api/blob/dev/azure-devops/azure/devops/_file_cache.py
"""

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bot.services.azure_devops.pace import Pace

if TYPE_CHECKING:
    from bot.services.azure_devops.clients import Clients

_VARIABLE = "AZURE_DEVOPS_CACHE_DIR"
_LOADING = threading.Lock()

_TALKATIVE = ("azure.devops", "msrest")
"""Loggers that, at their lower levels, write down what is sent and answered, whatever is in it."""


def clients(organization: str, token: str, *, cache: Path, timeout: float, pace: Pace) -> "Clients":
    """Import the package, which takes a while, and make the clients; the first ``cache`` counts for the whole process."""
    with _LOADING:
        before = os.environ.get(_VARIABLE)
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[_VARIABLE] = str(cache)
        try:
            from bot.services.azure_devops.clients import Clients  # noqa: PLC0415 - the variable must be set before
            from bot.services.azure_devops.guard import Manner  # noqa: PLC0415 - the same
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
    return Clients(Manner(organization=organization, token=token, timeout=timeout, pace=pace))
