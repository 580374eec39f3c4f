"""The commit that makes main the next version when a series leaves it: what may be in it besides the version itself.

Source: the tasks for a new branch in https://github.com/python/release-tools/blob/main/run_release.py, of which most open the manager's
editor, and https://peps.python.org/pep-0101/.
"""

from collections.abc import Sequence
from typing import Final

from bot.release.version import Level, Version, VersionError
from bot.verify.release_diff.model import Context, FileChange, Verdict, acknowledge, explained, waiver
from bot.verify.release_diff.text import added_lines, first_difference


class Development(Version):
    """What main is before its first alpha, such as 3.16.0a0: written like an alpha, never released, and so never read from a text."""

    def __post_init__(self) -> None:
        """Refuse everything else."""
        if (self.patch, self.level, self.serial) != (0, Level.ALPHA, 0) or min(self.major, self.minor) < 0:
            raise VersionError(f"{self.base} does not begin a series.")

    @classmethod
    def begin(cls, version: Version) -> "Development":
        """Return what main becomes when the series of this version leaves it."""
        return cls(version.major, version.minor + 1, 0, Level.ALPHA, 0)

    @property
    def number(self) -> str:
        """Return the version: ``3.16.0a0``."""
        return f"{self.base}{self.level.token}{self.serial}"


class EditedByHand:
    """A file that people edit for the new series, in a way that cannot be worked out."""

    name: Final = "edited"
    required: Final = False
    proves: Final = "a file that people edit when a series begins"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Let somebody read what changed in a file that stays."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted, where it is only edited: take that out")
        return acknowledge(f"was edited by hand for {context.version}: read it", added_lines(change.old, change.new))


class WhatsNewPage:
    """The page of news of the new series, which does not exist before."""

    name: Final = "whatsnew-page"
    required: Final = False
    proves: Final = "the page of news of a series that begins"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Let somebody read a new page whose first lines name the series."""
        if change.old is not None or change.new is None:
            return waiver(f"exists already, where the page of {context.series} is only begun: take the change out")
        heading = b"\n".join(change.new.split(b"\n")[:_HEADING])
        if f"Python {context.series}".encode() not in heading:
            return waiver(f"does not name Python {context.series} in its heading: write it from the template of the release tools", [1])
        return acknowledge(f"is the new page of news of {context.series}: read it", added_lines(None, change.new))


class WhatsNewIndex:
    """One line more in the list of the pages of news: that of the new series, above the one before it."""

    name: Final = "whatsnew-index"
    required: Final = False
    proves: Final = "the line of the new series above that of the one before it, and nothing else differs"

    def verify(self, change: FileChange, context: Context, _all_changes: Sequence[FileChange], /) -> Verdict:
        """Compare the whole file with the old one and its new line."""
        if change.old is None or change.new is None:
            return waiver("is added or deleted: restore it")
        expected = _with_line(change.old, context.version)
        if expected is None:
            return waiver("cannot be recomputed, because it does not list the page of the series before exactly once: compare it by hand")
        if change.new == expected:
            return explained(f"lists the page of {context.series} above the one before it, and nothing else differs")
        line = first_difference(expected, change.new)
        return waiver(f"has more or less than a new line for {context.series}, from line {line} on: correct it", [line])


_HEADING: Final = 12
"""Lines within which a page of news has its title."""


def _with_line(index: bytes, version: Version) -> bytes | None:
    """Return the list with a line for the series above that of the one before; None where that one is not there exactly once."""
    before = f"{version.major}.{version.minor - 1}".encode("ascii")
    lines = index.split(b"\n")
    places = [number for number, line in enumerate(lines) if line.strip() in (before, before + b".rst")]
    if len(places) != 1:
        return None
    [place] = places
    new = lines[place].replace(before, version.series.encode("ascii"))
    return b"\n".join([*lines[:place], new, *lines[place:]])
