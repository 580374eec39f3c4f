"""Hold what python.org hands out against what was built: the same bytes, from the builder's disk to everybody's."""

from collections.abc import Iterator, Mapping, Sequence

from bot.publication.comparison import Published
from bot.publication.files import ExpectedFile, FileGroup
from bot.publication.manifest import packages
from bot.publication.problems import Problem, Rule, findings_of, named, quoted
from bot.release.facts import Build, Finding
from bot.services.python_org import Downloaded

Told = Mapping[str, Mapping[str, str]]
"""What was told of each file: by its name, then by who built it, its SHA-256."""


def compare_with_builders(expected: Sequence[ExpectedFile], published: Published, builds: Sequence[Build]) -> tuple[Finding, ...]:
    """Return which files are not those that were built, and of which nobody can tell; at most one finding for each rule.

    Files are known by their names. One that could not be read is no finding here: ``compare`` says so.

    The job that publishes for Windows tells the hashes of everything but the manifest, which it writes last; so those that the manifest
    itself names are held against what the job told. Source:
    https://github.com/python/release-tools/blob/main/windows-release/merge-and-upload.py.
    """
    told = _told(builds)
    manifests = {file.url for file in expected if file.group is FileGroup.WINDOWS_MANIFEST}
    listed = {file.url: file.file_name for file in published.files}
    read = {url: download.sha256 for url in listed if isinstance(download := published.downloads.get(url), Downloaded)}
    problems: list[Problem] = []
    for url, sha256 in read.items():
        problems += _of_file(url, sha256, told.get(listed[url], {}), silent=url in manifests)
        if url in manifests and url in published.manifests:
            problems += _of_manifest(url, published.manifests[url], told)
    return findings_of(problems)


def _told(builds: Sequence[Build]) -> Told:
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
            yield Problem(rule=Rule.BUILDER_HASH, what=f"{named(url)}: SHA-256 is {sha256}, that of {step} is {wanted}", address=url)


def _of_manifest(url: str, manifest: bytes, told: Told) -> Iterator[Problem]:
    """Look at the hashes that a manifest names."""
    entries = packages(manifest)
    if entries is None:
        yield Problem(rule=Rule.MANIFEST, what=named(url), address=url)
    for entry in entries or ():
        for step, wanted in sorted(told.get(entry.name, {}).items()):
            if wanted != entry.sha256:
                is_now = f"SHA-256 {quoted(entry.sha256)}" if entry.sha256 else "no SHA-256"
                what = f"{named(url)}: it names {entry.name} with {is_now}, that of {step} is {wanted}"
                yield Problem(rule=Rule.BUILDER_HASH, what=what, address=url)
