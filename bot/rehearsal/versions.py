"""Version numbers as the rehearsal's people use them, and the state of the repository that makes a version the natural next one.

This is deliberately a second reading of the same facts as the bot's own, so that a mistake in one of them shows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*)(?:(a|b|rc)([1-9]\d*))?)?", re.ASCII)

_ALPHAS: Final = 7
"""How many alphas a series usually has (https://peps.python.org/pep-0745/#release-schedule)."""

_BETAS: Final = 4
_CANDIDATES: Final = 3
"""Two candidates are planned; 3.13, 3.14 and 3.15 all needed a third."""

_NEWEST_ORDINARY_MAIN: Final = 15
"""Which 3.X lives on main when an old series is rehearsed; any number will do, as long as it is newer."""

_USUAL_PATCHES: Final = (1, 5)
"""Where the two series in bugfix mode stand when they are not the ones that are rehearsed."""

_USUAL_SECURITY_PATCH: Final = 12


class WrongUse(Exception):
    """One sentence to the person who typed the command: what is wrong, why, and what to do."""


class Level(IntEnum):
    """The release levels with the numbers of ``Include/patchlevel.h``."""

    ALPHA = 0xA
    BETA = 0xB
    CANDIDATE = 0xC
    FINAL = 0xF
    END = 0x10
    """No level of that file: the end of a series, which has a tag and no release."""


_TOKENS: Final = {"a": Level.ALPHA, "b": Level.BETA, "rc": Level.CANDIDATE}
_WORDS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "release candidate"}


@dataclass(frozen=True, order=True)
class PythonVersion:
    """One version of Python; serial 0 with level alpha is the development version of main, which is never released."""

    major: int
    minor: int
    patch: int = 0
    level: Level = Level.FINAL
    serial: int = 0

    @classmethod
    def parse(cls, text: str) -> "PythonVersion":
        """Read ``3.15.0a3``, or ``3.10`` for the end of that series; raise WrongUse for anything else."""
        match = _VERSION.fullmatch(text)
        if match is None:
            message = f"{text!r} is not a version that can be rehearsed; write three numbers and perhaps a level, such as 3.15.0a3."
            raise WrongUse(message)
        major, minor, patch, token, serial = match.groups()
        if int(major) != 3 or int(minor) < 8:  # noqa: PLR2004 - the branches 3.8 and later share one layout of the tree
            message = f"{text} cannot be rehearsed, because its source tree is laid out differently; choose a version from 3.8.0 on."
            raise WrongUse(message)
        if patch is None:
            return cls(int(major), int(minor), 0, Level.END)
        return cls(int(major), int(minor), int(patch), _TOKENS[token] if token else Level.FINAL, int(serial or 0))

    @cached_property
    def text(self) -> str:
        """Give the canonical form, such as ``3.15.0a3``, or the series at its end."""
        if self.ends:
            return self.series
        token = next((token for token, level in _TOKENS.items() if level is self.level), "")
        return f"{self.base}{token}{self.serial}" if token else self.base

    def __str__(self) -> str:
        """Give the canonical form."""
        return self.text

    @property
    def base(self) -> str:
        """Give the three numbers alone."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def series(self) -> str:
        """Give the first two numbers."""
        return f"{self.major}.{self.minor}"

    @property
    def tag(self) -> str:
        """Name the git tag; the one that ends a series has the name of its branch."""
        return self.series if self.ends else f"v{self.text}"

    @property
    def ends(self) -> bool:
        """Tell whether this is the end of a series and no version (https://peps.python.org/pep-0101/)."""
        return self.level is Level.END

    @property
    def working_branch(self) -> str:
        """Name the branch that the release manager works on."""
        return f"branch-{self.text}"

    @property
    def news_path(self) -> str:
        """Name the file that collects the NEWS entries of this version."""
        return f"Misc/NEWS.d/{self.text}.rst"

    @property
    def in_words(self) -> str:
        """Give the form of README's first line, such as ``3.15.0 alpha 3``."""
        return f"{self.base} {_WORDS[self.level]} {self.serial}" if self.level in _WORDS else self.base

    @property
    def level_constant(self) -> str:
        """Name the constant of ``Include/patchlevel.h``; a candidate is called GAMMA there."""
        return f"PY_RELEASE_LEVEL_{'GAMMA' if self.level is Level.CANDIDATE else self.level.name}"

    @property
    def documented_as(self) -> str:
        """Give what takes the place of ``next`` in the documentation (https://devguide.python.org/documentation/markup/)."""
        return self.series if self.patch == 0 else self.base

    @property
    def suffix(self) -> str:
        """Give the mark of a development version after this release (https://github.com/python/release-tools/pull/422)."""
        return "+dev" if self.minor >= 15 else "+"  # noqa: PLR2004 - 3.15 is where it changed

    @property
    def made_on_main(self) -> bool:
        """Tell whether it is cut from main: alphas and the first beta (https://peps.python.org/pep-0101/)."""
        return self.level is Level.ALPHA or (self.level is Level.BETA and self.serial == 1)

    @property
    def cut_from_last_candidate(self) -> bool:
        """Tell whether it is cut from the candidate before it, with some commits picked (https://peps.python.org/pep-0101/)."""
        return self.level is Level.CANDIDATE and self.serial > 1

    @property
    def branch(self) -> str:
        """Name the branch that it is cut from."""
        return "main" if self.made_on_main else self.series

    @property
    def begins_branch(self) -> bool:
        """Tell whether the branch of the series begins with it: the first beta."""
        return self.level is Level.BETA and self.serial == 1 and self.patch == 0

    @property
    def moved(self) -> tuple[str, ...]:
        """Name the branches that it moves or begins."""
        if self.ends:
            return ()
        return ("main", self.series) if self.begins_branch else (self.branch,)

    @property
    def released(self) -> bool:
        """Tell whether such a version can be released at all: 3.16.0a0 cannot."""
        return self.level >= Level.FINAL or self.serial > 0

    @property
    def wants_signed_tag(self) -> bool:
        """Tell whether its tag is signed: up to 3.13 by the release tools (https://peps.python.org/pep-0761/), and at every series' end."""
        return self.ends or self.minor <= 13  # noqa: PLR2004 - 3.13 is the last series with OpenPGP


def prior(version: PythonVersion) -> PythonVersion:
    """Give the version that usually stands on the branch when the given one is made.

    Before the first alpha that is the development version ``3.X.0a0``, which has no tag.
    """
    major, minor, patch = version.major, version.minor, version.patch
    if version.ends:
        return PythonVersion(major, minor, _USUAL_SECURITY_PATCH)
    if patch and (version.level is Level.FINAL or version.serial == 1):
        return PythonVersion(major, minor, patch - 1)
    match version.level:
        case Level.FINAL:
            return PythonVersion(major, minor, 0, Level.CANDIDATE, _CANDIDATES)
        case Level.CANDIDATE if version.serial == 1:
            return PythonVersion(major, minor, 0, Level.BETA, _BETAS)
        case Level.BETA if version.serial == 1:
            return PythonVersion(major, minor, 0, Level.ALPHA, _ALPHAS)
        case _:
            return PythonVersion(major, minor, patch, version.level, version.serial - 1)


def follows(version: PythonVersion, before: PythonVersion) -> bool:
    """Tell whether a release can come right after another one; the number of alphas, betas and candidates varies."""
    if prior(version) == before:
        return True
    if version.base != before.base or not before.released:
        return False
    return before.level < version.level and version.serial in (0, 1)


def releases_up_to(last: PythonVersion) -> list[PythonVersion]:
    """Give every release of a series up to and including ``last``, oldest first; nothing for ``3.X.0a0``."""
    chain: list[PythonVersion] = []
    current = last
    while current.released:
        chain.append(current)
        current = prior(current)
    return chain[::-1]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How the world stands before a version is rehearsed: what every branch says, and the status of every series."""

    version: PythonVersion
    branches: dict[str, PythonVersion]
    statuses: dict[str, str]
    """By series, in the words of https://peps.python.org/api/release-cycle.json."""


def setting_for(version: PythonVersion, *beside: PythonVersion) -> Setting:
    """Work out the branches of the world in which the given version, and those beside it, are the natural next releases.

    Raise WrongUse for versions that no world has together: two of one series, or two of which one is made on main and another cannot be.
    """
    versions = (version, *beside)
    newest = max(_newest_series(one) for one in versions)
    on_main = [one for one in versions if one.made_on_main]
    if len({one.series for one in versions}) < len(versions) or any(one.minor != newest for one in on_main):
        raise WrongUse(f"{' and '.join(map(str, versions))} are never made at the same time; choose versions of series that live together.")
    main = prior(on_main[0]) if on_main else _ordinary_main(version, newest)
    branches = {"main": main}
    oldest = min(newest - 3, *(one.minor for one in versions))
    made = {one.minor: prior(one) for one in versions if not one.made_on_main}
    for minor in range(newest - 1, oldest - 1, -1):
        branches[f"3.{minor}"] = made.get(minor) or _usual(minor, newest)
    statuses = {f"3.{minor}": _status(minor, versions, newest) for minor in range(oldest, newest + 1)}
    return Setting(version=version, branches=branches, statuses=statuses)


def _newest_series(version: PythonVersion) -> int:
    if version.made_on_main:
        return version.minor
    if version.patch == 0 and not version.ends:
        return version.minor + 1
    return max(_NEWEST_ORDINARY_MAIN, version.minor + 1)


def _ordinary_main(version: PythonVersion, newest: int) -> PythonVersion:
    return PythonVersion(3, newest, 0, Level.ALPHA, 2 if version.patch or version.ends else 0)


def _usual(minor: int, newest: int) -> PythonVersion:
    age = newest - 1 - minor
    return PythonVersion(3, minor, _USUAL_PATCHES[age] if age < len(_USUAL_PATCHES) else _USUAL_SECURITY_PATCH)


def _status(minor: int, versions: Sequence[PythonVersion], newest: int) -> str:
    if minor == newest:
        return "feature"
    if any(minor == version.minor and version.patch == 0 and not version.ends for version in versions):
        return "prerelease"
    return "bugfix" if newest - minor <= len(_USUAL_PATCHES) else "security"
