"""What the audit of a release commit works with: changes, their context, rules and verdicts. Pure data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from bot.release.facts import Severity
from bot.release.version import Version

NEWS_FRAGMENTS: Final = "Misc/NEWS.d/next/"
"""Where CPython collects news between releases (https://devguide.python.org/getting-started/pull-request-lifecycle/#news-entries)."""


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """One path that differs between the frozen head and the tag's commit, without rename detection.

    Modes are git's six octal digits and content is the blob's bytes; both are None on the side where the path is absent.
    A side with a mode and without content could not be read.
    """

    path: str
    old_mode: str | None
    new_mode: str | None
    old: bytes | None = field(repr=False)
    new: bytes | None = field(repr=False)

    @property
    def deletes(self) -> bool:
        """Tell whether the path is gone after the change."""
        return self.new_mode is None


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule may know besides the changes.

    ``pep`` is the number of the series' release PEP, None when it could not be read; ``leftover_fragments`` are the paths still under
    Misc/NEWS.d/next in the tag's tree; ``tagged`` is the day that the tag object tells, None when nothing is to be compared with it.
    """

    version: Version
    series: str
    pep: int | None
    leftover_fragments: tuple[str, ...]
    tagged: date | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a rule says of one change.

    ``why`` completes the sentence "The file PATH …", without a full stop, and tells what to do where something is to be done. ``lines`` are
    the numbers, counted from 1, of those lines of the new file that it is about, where it is about some more than about others.
    """

    severity: Severity
    why: str
    lines: tuple[int, ...] = ()


class Rule(Protocol):
    """One proof: whether a change is exactly what the release tools make."""

    @property
    def name(self) -> str:
        """The name by which profiles and findings call the rule."""

    @property
    def required(self) -> bool:
        """Whether a release without such a change is no release."""

    @property
    def proves(self) -> str:
        """What an explained change is proved to be, as the end of a line in a table."""

    def verify(self, change: FileChange, context: Context, all_changes: Sequence[FileChange], /) -> Verdict:
        """Judge one change whose content is UTF-8 text of bounded size; never raise."""


class TableRow(Protocol):
    """One line of the table: changes of the paths that fit are judged by the rule of that name."""

    @property
    def path(self) -> str:
        """A path in which ``*`` stands for anything but a slash, ``**`` for any folders; ``{version}`` and ``{series}`` are filled in."""

    @property
    def rule(self) -> str:
        """The name of the rule."""


def explained(why: str) -> Verdict:
    """Return the verdict that a rule proves the change completely."""
    return Verdict(severity=Severity.EXPLAINED, why=why)


def acknowledge(why: str, lines: Iterable[int] = ()) -> Verdict:
    """Return the verdict that the change cannot be recomputed but can do no harm by its structure."""
    return Verdict(severity=Severity.ACKNOWLEDGE, why=why, lines=tuple(lines))


def waiver(why: str, lines: Iterable[int] = ()) -> Verdict:
    """Return the verdict that the change is not what the release tools make."""
    return Verdict(severity=Severity.WAIVER, why=why, lines=tuple(lines))
