"""Hold what python.org hands out against what was built: the same bytes, from the builder's disk to everybody's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.publication.comparison import Published
from bot.publication.files import ExpectedFile, FileGroup
from bot.publication.problems import Problem, Rule, findings_of, named
from bot.release.facts import Build, Finding
from bot.services.python_org import Downloaded

_WINDOWS: Final = frozenset({FileGroup.WINDOWS_EMBEDDABLE, FileGroup.WINDOWS_MANIFEST})
"""Files for Windows beside the installers."""


def compare_with_builders(expected: Sequence[ExpectedFile], published: Published, builds: Sequence[Build]) -> tuple[Finding, ...]:
    """Return which files are not those that were built, and of which nobody can tell; at most one finding for each rule.

    Files are known by their names. One that could not be read is no finding here: ``compare`` says so.
    """
    told = _told(builds)
    groups = {file.url: file.group for file in expected}
    silent = _silent(expected)
    listed = {file.url: file.file_name for file in published.files}
    return findings_of(
        problem
        for url, name in listed.items()
        if isinstance(download := published.downloads.get(url), Downloaded)
        for problem in _of_file(url, download.sha256, told.get(name, {}), silent=groups.get(url) in silent)
    )


def _told(builds: Sequence[Build]) -> Mapping[str, Mapping[str, str]]:
    """Return what was told of each file: by its name, then by who built it, its SHA-256."""
    told: dict[str, dict[str, str]] = {}
    for build in builds:
        for file in build.files:
            if file.sha256:
                told.setdefault(file.name, {})[build.step] = file.sha256.strip().lower()
    return told


def _of_file(url: str, sha256: str, told: Mapping[str, str], *, silent: bool) -> Iterator[Problem]:
    if not told:
        rule = Rule.SILENT_BUILDER if silent else Rule.NO_BUILDER_HASH
        yield Problem(rule=rule, what=f"{named(url)}: SHA-256 is {sha256}")
    for step, wanted in sorted(told.items()):
        if wanted != sha256:
            yield Problem(rule=Rule.BUILDER_HASH, what=f"{named(url)}: SHA-256 is {sha256}, that of {step} is {wanted}")


def _silent(expected: Sequence[ExpectedFile]) -> frozenset[FileGroup]:
    """Return the groups of which no builder ever tells a hash.

    Those of Windows are told by the job that publishes its installers, which leaves out the manifest; a series without installers does
    not run it. Source: https://github.com/python/release-tools/blob/main/windows-release/stage-publish-pythonorg.yml.
    """
    installers = any(file.group is FileGroup.WINDOWS_INSTALLER for file in expected)
    return frozenset({FileGroup.WINDOWS_MANIFEST}) if installers else _WINDOWS
