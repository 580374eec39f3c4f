"""How people have the network in front of python.org forget a file, so that everybody is handed what is there now.

Source: https://www.fastly.com/documentation/reference/api/purging/ and https://github.com/python/release-tools/blob/main/run_release.py.
"""

import re
from typing import Final

from bot.publication.files import FTP

_PLAIN: Final = re.compile(re.escape(FTP) + r"[A-Za-z0-9_+-][A-Za-z0-9._+/-]*")
"""The addresses that a shell takes as they are: others were typed by somebody and could be anything."""


def is_plain(address: str) -> bool:
    """Tell whether an address may be put into a command for people to paste."""
    return _PLAIN.fullmatch(address) is not None


def purge(*addresses: str) -> str:
    """Return the command that has these addresses forgotten."""
    return " ".join(["curl -X PURGE", *addresses])
