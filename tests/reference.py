"""Find the real data that some tests use.

It is a folder with ``artifacts``, ``specs`` and ``recordings``: the one that the environment variable BOT_REFERENCE names, otherwise
``../shared`` beside the repository. Without it these tests are skipped; when BOT_REFERENCE is set and something is not there, they fail.
"""

import os
from pathlib import Path

import pytest


def reference(relative: str) -> Path:
    """Return a file or folder of the real data; skip the test where there is none."""
    named = os.environ.get("BOT_REFERENCE")
    path = (Path(named) if named else Path(__file__).parent.parent.parent / "shared") / relative
    if path.exists():
        return path
    if named:
        pytest.fail(f"BOT_REFERENCE is set, but {path} does not exist.")
    pytest.skip(f"The real data {relative} is not here; set BOT_REFERENCE to its folder.")
