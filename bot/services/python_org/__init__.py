"""python.org, as everybody sees it who is not logged in: the releases it shows, their files, and the bytes of those files."""

from bot.services.python_org.python_org import PythonOrg
from bot.services.python_org.shapes import (
    AmbiguousRelease,
    Download,
    Downloaded,
    Limits,
    Missing,
    Oversized,
    Release,
    ReleaseFile,
    Unread,
    Withheld,
)

__all__ = [
    "AmbiguousRelease",
    "Download",
    "Downloaded",
    "Limits",
    "Missing",
    "Oversized",
    "PythonOrg",
    "Release",
    "ReleaseFile",
    "Unread",
    "Withheld",
]
