"""NuGet, where packages for Windows are published a second time: which versions of a package everybody can fetch."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

import aiohttp
from pydantic import FailFast, Field, TypeAdapter

from bot.services.reading import Reader

_LARGEST: Final = 1024 * 1024
"""Bytes of an answer; a package that has had some hundred versions takes a few thousand."""

_ID: Final = re.compile(r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*")
_LONGEST_ID: Final = 100


@dataclass(frozen=True, kw_only=True)
class _Versions:
    versions: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], FailFast()]


_ANSWER: Final = TypeAdapter(_Versions)


class NuGet:
    """The public reading side of NuGet, without credentials."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, *, timeout: float = 30.0) -> None:
        """Keep where to read, such as https://api.nuget.org; ``timeout`` in seconds."""
        self._reader = Reader(base_url=base_url, session=session, timeout=timeout, largest=_LARGEST)

    async def versions(self, package: str) -> tuple[str, ...]:
        """Return every version of a package that can be fetched, none where NuGet knows no such package; raise Unavailable.

        They are normalised and in small letters (``3.15.0-a3``), and the unlisted ones are among them:
        https://learn.microsoft.com/en-us/nuget/api/package-base-address-resource#enumerate-package-versions.
        A version that was pushed appears when NuGet has validated it, which takes minutes and sometimes an hour.
        """
        if not _ID.fullmatch(package) or len(package) > _LONGEST_ID:
            message = f"{package!r} is not the id of a package"
            raise ValueError(message)
        found = await self._reader.get(_ANSWER, f"v3-flatcontainer/{package.lower()}/index.json")
        return () if found is None else found.versions
