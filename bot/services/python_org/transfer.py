"""What has arrived of one file, and how to ask for the rest."""

import hashlib
import re
from collections.abc import Mapping
from typing import BinaryIO, Final

from bot.services.python_org.shapes import Downloaded

_PART: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


class Transfer:
    """One file on its way. ``size`` bytes of it are here; ``total`` is how many there are, None where the site did not say."""

    def __init__(self, limit: int, into: BinaryIO | None) -> None:
        """Begin with nothing; ``into`` is written from its first byte on."""
        self.limit = limit
        self._into = into
        self._validator = ""
        self.restart({})

    def restart(self, headers: Mapping[str, str]) -> None:
        """Forget what arrived: the file begins anew, described by these headers."""
        self.size = 0
        length = headers.get("Content-Length", "")
        self.total = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        self._validator = _strong(headers)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        if self._into is not None:
            self._into.seek(0)
            self._into.truncate()

    def forget(self) -> None:
        """Ask for the whole file the next time."""
        self._validator = ""

    def range_headers(self) -> dict[str, str]:
        """Return how to ask for the rest, and for the whole if the file changed since; nothing where that cannot be asked.

        Source: https://www.rfc-editor.org/rfc/rfc9110#field.if-range.
        """
        if not self.size or not self._validator:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._validator}

    def continued_by(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a partial answer begins where this one ends, reaches the end, and is of the same file."""
        part = _PART.fullmatch(headers.get("Content-Range", ""))
        if part is None or not self._validator or _strong(headers) != self._validator:
            return False
        first, last, total = (int(number) for number in part.groups())
        return first == self.size and last == total - 1 and self.total in (None, total)

    def take(self, chunk: bytes) -> None:
        """Add what arrived."""
        self._md5.update(chunk)
        self._sha256.update(chunk)
        if self._into is not None:
            self._into.write(chunk)
        self.size += len(chunk)

    @property
    def complete(self) -> bool:
        """Tell whether as much arrived as was announced."""
        return self.total in (None, self.size)

    def result(self) -> Downloaded:
        """Return what the file is."""
        return Downloaded(size=self.size, md5=self._md5.hexdigest(), sha256=self._sha256.hexdigest())


def _strong(headers: Mapping[str, str]) -> str:
    """Return the ETag that names exactly these bytes, or nothing: a weak one or a date may name several versions."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else ""
