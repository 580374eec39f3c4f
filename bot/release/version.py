"""Versions of CPython: their grammar, the names made from them, their kinds, and what may follow what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Self

from bot.errors import UserError
from bot.release.quoting import shown


class VersionError(UserError, ValueError):
    """A text is not a version that can be released, or numbers do not make one."""


class KindUnclear(UserError):
    """The version and the life cycle of its series do not tell together what kind of release this is."""


class Level(IntEnum):
    """The maturity of a version, with the numbers of ``PY_RELEASE_LEVEL``, so that final sorts last.

    Source: https://docs.python.org/3/c-api/apiabiversion.html.
    """

    ALPHA = 10
    BETA = 11
    CANDIDATE = 12
    FINAL = 15
    END = 16
    """Not a maturity: the end of a whole series, after which it has no version any more."""

    @property
    def token(self) -> str:
        """Return how the level is written inside a version: ``a``, ``b``, ``rc`` or nothing."""
        return _TOKENS[self]


class SeriesStatus(StrEnum):
    """The life cycle of a series, in the words of https://peps.python.org/api/release-cycle.json."""

    FEATURE = "feature"
    PRERELEASE = "prerelease"
    BUGFIX = "bugfix"
    SECURITY = "security"
    END_OF_LIFE = "end-of-life"


class Kind(StrEnum):
    """The kinds of release that are prepared differently (https://peps.python.org/pep-0101/)."""

    ALPHA = "alpha"
    FIRST_BETA = "first beta"
    BETA = "beta"
    CANDIDATE = "release candidate"
    FINAL = "final"
    BUGFIX = "bugfix"
    SECURITY = "security"
    END_OF_LIFE = "end of life"
    PACKAGE = "package"

    @property
    def slug(self) -> str:
        """Return the word that ``--as`` takes for this kind."""
        return _SLUGS.get(self, self.value)

    @classmethod
    def from_slug(cls, slug: str) -> Self | None:
        """Return the kind that ``--as`` calls by this word, or None."""
        return next((kind for kind in cls if kind.slug == slug), None)


_TOKENS: Final = {Level.ALPHA: "a", Level.BETA: "b", Level.CANDIDATE: "rc", Level.FINAL: "", Level.END: ""}
_LEVELS: Final = {"a": Level.ALPHA, "b": Level.BETA, "rc": Level.CANDIDATE, "": Level.FINAL}
_SLUGS: Final = {Kind.FIRST_BETA: "beta1", Kind.CANDIDATE: "rc", Kind.END_OF_LIFE: "eol"}

# Four digits are plenty, and keep every number short enough for names, URLs and databases.
_NUMBER: Final = "0|[1-9][0-9]{0,3}"
_VERSION: Final = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:(a|b|rc)([1-9][0-9]{{0,3}}))?")
_SERIES: Final = re.compile(rf"({_NUMBER})\.({_NUMBER})")
_HOW: Final = "write three numbers and, for a pre-release, a, b or rc with a number from 1, such as 3.15.0a3 or 3.14.7"


@dataclass(frozen=True, order=True)
class Version:
    """One version; versions sort in the order in which they are released.

    ``serial`` counts pre-releases from 1 and is 0 for a final version. Raises VersionError for numbers that make no version.
    The names below are those of https://github.com/python/release-tools (``release.py``, ``run_release.py``). ``package`` is the name of
    the package in a project that releases several; its names are those of https://github.com/Azure/azure-sdk-for-python.
    """

    major: int
    minor: int
    patch: int
    level: Level = Level.FINAL
    serial: int = 0
    package: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be written as a version."""
        negative = min(self.major, self.minor, self.patch, self.serial) < 0
        if negative or (self.level in (Level.FINAL, Level.END)) is not (self.serial == 0):
            raise VersionError(f"{shown(str(self))} with the serial {self.serial} is not a version: {_HOW}.")

    @classmethod
    def parse(cls, text: str, package: str = "") -> Self:
        """Read a version such as ``3.15.0a3``; raise VersionError for anything else, however near.

        The grammar is stricter than that of the release tools: all three numbers, no leading zeros, no white space, ASCII only.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise VersionError(f"{shown(text)} is not a version to release: {_HOW}.")
        major, minor, patch, token, serial = match.groups(default="")
        return cls(int(major), int(minor), int(patch), _LEVELS[token], int(serial or 0), package)

    @classmethod
    def end_of(cls, series: str) -> Self:
        """Return the end of a series such as ``3.10``; raise VersionError for anything else."""
        match = _SERIES.fullmatch(series)
        if match is None:
            raise VersionError(f"{shown(series)} is not a series: write two numbers, such as 3.10.")
        return cls(int(match[1]), int(match[2]), 0, Level.END)

    def __str__(self) -> str:
        """Write the version in its one canonical form, which names it within its project: ``3.15.0a3``, ``3.10``, ``azure-core_1.30.0``."""
        return f"{self.package}_{self.number}" if self.package else self.number

    @property
    def number(self) -> str:
        """Return the version without the package: ``1.30.0``; the series where it ends: ``3.10``."""
        if self.level is Level.END:
            return f"{self.major}.{self.minor}"
        return f"{self.base}{self.level.token}{self.serial or ''}"

    @property
    def base(self) -> str:
        """Return the three numbers, shared by all pre-releases of one final version: ``3.15.0``."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def series(self) -> str:
        """Return the series, which is also the name of its maintenance branch: ``3.15``; a package is one of its own: ``azure-core``."""
        return self.package or f"{self.major}.{self.minor}"

    @property
    def tag(self) -> str:
        """Return the short name of the tag: ``v3.15.0a3``, ``azure-core_1.30.0``; at the end of a series its branch's name: ``3.10``.

        Sources: https://peps.python.org/pep-0101/ and https://github.com/Azure/azure-sdk-for-python/tags.
        """
        return str(self) if self.package or self.level is Level.END else f"v{self}"

    @property
    def tag_message(self) -> str:
        """Return the message of the tag, the subject of its commit and the name on python.org: ``Python 3.15.0a3``."""
        return f"{self.package or 'Python'} {self.number}"

    @property
    def working_branch(self) -> str:
        """Return the branch that the release manager works on, in their fork: ``branch-3.15.0a3``."""
        return f"branch-{self}"

    @property
    def news_file(self) -> str:
        """Return the path of the merged NEWS file: ``Misc/NEWS.d/3.15.0a3.rst``."""
        return f"Misc/NEWS.d/{self}.rst"

    @property
    def next_directive(self) -> str:
        """Return what replaces ``next`` in the directives of the documentation: ``3.15`` for 3.15.0 of any level, else ``3.14.7``."""
        return self.series if self.patch == 0 else self.base

    @property
    def is_prerelease(self) -> bool:
        """Tell whether this is an alpha, a beta or a candidate."""
        return self.level not in (Level.FINAL, Level.END)

    @property
    def development_suffix(self) -> str:
        """Return what patchlevel.h adds to the version between releases: ``+dev`` from 3.15 on, ``+`` before."""
        return "+dev" if (self.major, self.minor) >= (3, 15) else "+"

    @property
    def next_series(self) -> str:
        """Return the series after this one: ``3.16``."""
        return f"{self.major}.{self.minor + 1}"

    @property
    def next_development(self) -> str:
        """Return what main becomes when this series leaves it: ``3.16.0a0``, which is never released."""
        return f"{self.next_series}.0a0"

    @property
    def slug(self) -> str:
        """Return the last part of the release's page on python.org: ``python-3150a3``.

        Two versions may share a slug (3.1.21 and 3.12.1): never look a release up by it.
        """
        return f"python-{str(self).replace('.', '')}"


def numbers(series: str) -> tuple[int, int]:
    """Return the two numbers of a series such as ``3.15``, so that series can be compared; raise VersionError for anything else."""
    end = Version.end_of(series)
    return (end.major, end.minor)


def series_among(names: Iterable[str]) -> frozenset[str]:
    """Return those names, of labels for instance, that are series such as ``3.15``."""
    return frozenset(name for name in names if _SERIES.fullmatch(name))


def kinds_of(version: Version) -> tuple[Kind, ...]:
    """Return every kind this version can be, most likely first; none for an alpha or beta of a patch version, which nobody makes.

    A candidate of a patch version exists: https://github.com/python/cpython/releases/tag/v3.14.5rc1.
    """
    if version.package:
        return (Kind.PACKAGE,)
    match version.level:
        case Level.END:
            return (Kind.END_OF_LIFE,)
        case Level.FINAL if version.patch == 0:
            return (Kind.FINAL,)
        case Level.FINAL:
            return (Kind.BUGFIX, Kind.SECURITY)
        case Level.CANDIDATE:
            return (Kind.CANDIDATE,)
        case _ if version.patch != 0:
            return ()
        case Level.ALPHA:
            return (Kind.ALPHA,)
        case _:
            return (Kind.FIRST_BETA,) if version.serial == 1 else (Kind.BETA,)


# The second status of a pair is there because the status is edited by hand on the day of the release, before or after it.
_EXPECTED: Final[dict[Kind, tuple[SeriesStatus, ...]]] = {
    Kind.ALPHA: (SeriesStatus.FEATURE,),
    Kind.FIRST_BETA: (SeriesStatus.FEATURE, SeriesStatus.PRERELEASE),
    Kind.BETA: (SeriesStatus.PRERELEASE,),
    Kind.CANDIDATE: (SeriesStatus.PRERELEASE,),
    Kind.FINAL: (SeriesStatus.PRERELEASE, SeriesStatus.BUGFIX),
    Kind.BUGFIX: (SeriesStatus.BUGFIX,),
    Kind.SECURITY: (SeriesStatus.SECURITY,),
    Kind.END_OF_LIFE: (SeriesStatus.SECURITY, SeriesStatus.END_OF_LIFE),
    Kind.PACKAGE: tuple(SeriesStatus),
}


def _expected(kind: Kind, version: Version) -> tuple[SeriesStatus, ...]:
    """Return the statuses in which a series brings forth this kind of release."""
    if kind is Kind.CANDIDATE and version.patch != 0:
        return (SeriesStatus.BUGFIX, SeriesStatus.SECURITY)
    return _EXPECTED[kind]


def fits(kind: Kind, version: Version, status: SeriesStatus) -> bool:
    """Tell whether a series with this status brings forth this kind of release."""
    return status in _expected(kind, version)


def kind_of(version: Version, status: SeriesStatus | None) -> Kind:
    """Return the kind of this release, by its version and the status of its series (None: the status could not be read).

    Raises KindUnclear where the two contradict each other, and where an unknown status leaves more than one kind.
    """
    kinds = kinds_of(version)
    if not kinds:
        raise KindUnclear(f"{version} has no kind: alphas and betas are made for {version.series}.0 only, so please check the version.")
    if status is None and len(kinds) == 1:
        return kinds[0]
    fitting = [kind for kind in kinds if status in _expected(kind, version)]
    if fitting:
        return fitting[0]
    known = "the status of its series could not be read" if status is None else f"the series {version.series} has the status {status}"
    choices = " or ".join(f"`/release {version} --as {kind.slug}`" for kind in kinds)
    raise KindUnclear(f"The kind of {version} is unclear, because {known}: write {choices} to choose it yourself.")


def branch_of(version: Version) -> str:
    """Return the branch a version is cut from: ``main`` for alphas and the first beta, afterwards that of the series.

    Source: https://peps.python.org/pep-0101/ and ``release_branch`` of https://github.com/python/release-tools.
    """
    if version.level is Level.ALPHA or (version.level, version.serial) == (Level.BETA, 1):
        return "main"
    return version.series


def successors(version: Version) -> tuple[Version, ...]:
    """Return what may naturally follow a version in its series, the most ordinary first.

    The number of pre-releases is not fixed (3.13 had six alphas, 3.15 eight), and a bugfix release may have a candidate (3.14.5rc1).
    """
    major, minor, patch = version.major, version.minor, version.patch
    if version.level is Level.FINAL:
        return (Version(major, minor, patch + 1), Version(major, minor, patch + 1, Level.CANDIDATE, 1))
    again = Version(major, minor, patch, version.level, version.serial + 1)
    match version.level:
        case Level.ALPHA:
            return (again, Version(major, minor, patch, Level.BETA, 1))
        case Level.BETA:
            return (again, Version(major, minor, patch, Level.CANDIDATE, 1))
        case _:
            return (Version(major, minor, patch), again)


def sequence_problem(version: Version, existing: Iterable[Version]) -> str | None:
    """Return one sentence when the version is not the natural successor of what its series has already released, else None.

    Versions of other series in ``existing`` are passed over: series are released side by side.
    """
    released = [other for other in existing if other.series == version.series]
    if version in released:
        return f"{version} already exists, so it cannot be released again: take the next version."
    newest = max(released, default=None)
    if version.level is Level.END or (version.package and (newest is None or newest < version)):
        return None
    expected = successors(newest) if newest else (Version(version.major, version.minor, 0, Level.ALPHA, 1),)
    if version in expected:
        return None
    wanted = f"{' or '.join(str(choice) for choice in expected)} is expected: please check the version."
    if newest is None:
        return f"{version} would be the first release of {version.series}, where {wanted}"
    relation = "comes before" if version < newest else "does not follow"
    return f"{version} {relation} {newest}, the newest release of {version.series}, after which {wanted}"
