"""Read the manifest of a release for the install manager of Windows: which packages it names, with which hashes.

Written by https://github.com/python/release-tools/blob/main/windows-release/merge-and-upload.py, in the form of
https://github.com/python/pymanager/blob/main/src/manage/indexutils.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import TypeAdapter, ValidationError

from bot.release.facts import BuiltFile


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One package; ``hash`` is by algorithm."""

    url: str
    hash: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    """All of them, one for each way to install it: some may share a package."""

    versions: tuple[_Entry, ...]


def packages(text: bytes) -> tuple[BuiltFile, ...] | None:
    """Return the packages a manifest names, each with its SHA-256 in small letters, empty without one; None where it is no manifest."""
    try:
        manifest = _adapter().validate_json(text)
    except ValidationError:
        return None
    named = (BuiltFile(name=entry.url.rsplit("/", 1)[-1], sha256=entry.hash.get("sha256", "").lower()) for entry in manifest.versions)
    return tuple(dict.fromkeys(named))


@cache
def _adapter() -> TypeAdapter[_Manifest]:
    return TypeAdapter(_Manifest)
