"""Read what a run of the workflow left behind, and hold it against what a release has and against what its log says."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import Refused
from bot.profile.builders import Workflow, WorkflowJob
from bot.publication.files import FileGroup, SeriesFiles, expected_files
from bot.release.facts import BuiltFile
from bot.release.ids import Repository
from bot.release.model import Release
from bot.release.version import numbers
from bot.services.archive import ArchivedFile, HostileArchive
from bot.services.github.actions import UnusableArtifact
from bot.services.github.shapes_actions import Artifact, Job, WorkflowRun
from bot.tools import Tools
from bot.workflow import logs as workflow_logs

SUCCESS: Final = "success"
"""How a job ends that did what it should."""

MADE_HERE: Final = frozenset({FileGroup.SOURCE, FileGroup.ANDROID, FileGroup.IOS})
"""The groups of files that https://github.com/python/release-tools/blob/main/.github/workflows/build-release.yml makes."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run has to leave behind: files that are hashed by the log, that must be there, and that may be; and jobs that succeeded."""

    sources: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    documentation: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """What a run left behind: the files of the release, in the order of its table, and what is wrong with it, in sentences."""

    files: tuple[BuiltFile, ...]
    documentation: int
    problems: tuple[str, ...] = ()


def wanted(release: Release, workflow: Workflow, policy: SeriesFiles) -> Wanted:
    """Return which files the workflow makes for a release, and by which jobs."""
    made = [file for file in expected_files(release.version, release.kind, policy) if file.group in MADE_HERE]
    documented = release.kind in workflow.documented
    return Wanted(
        sources=tuple(file.name for file in made if file.is_source),
        required=tuple(file.name for file in made if not file.optional),
        optional=tuple(file.name for file in made if file.optional),
        documentation=tuple(name.format(version=release.version) for name in workflow.documentation) if documented else (),
        jobs=tuple(job.name for job in workflow.jobs if _runs(job, release)),
    )


def _runs(job: WorkflowJob, release: Release) -> bool:
    series = (release.version.major, release.version.minor)
    early = job.first_series is not None and series < numbers(job.first_series)
    return not early and (not job.kinds or release.kind in job.kinds)


async def harvest(release: Release, workflow: Workflow, run: WorkflowRun, jobs: Sequence[Job], tools: Tools) -> Harvest:
    """Read all artifacts of a successful run; raise Unavailable where they cannot be read now."""
    files = tools.profile.series_of(release.version).files
    wants = wanted(release, workflow, files.policy if files else SeriesFiles(groups=frozenset()))
    repository = Repository(workflow.repository)
    found, problems = await _unpacked(repository, await tools.github.artifacts(repository, run.id), wants, tools)
    missing = [name for name in (*wants.required, *wants.documentation) if name not in found]
    if missing:
        problems.append(f"It left no {', no '.join(missing)}.")
    problems += _left_out(wants, jobs)
    problems += await _differences(workflow, jobs, {name: found[name] for name in wants.sources if name in found}, tools)
    built = (name for name in (*wants.required, *wants.optional) if name in found)
    return Harvest(
        files=tuple(BuiltFile(name=name, sha256=found[name].sha256, size=found[name].size) for name in built),
        documentation=sum(name in found for name in wants.documentation),
        problems=tuple(problems),
    )


def _left_out(wants: Wanted, jobs: Sequence[Job]) -> list[str]:
    """Return which jobs did not succeed although the run did: a run is green, too, where some of them were skipped."""
    ended = {job.name: job.conclusion or job.status for job in jobs}
    return [
        f"Its job {name} should have succeeded, but {f'ended as {ended[name]}' if name in ended else 'there is none of this name'}."
        for name in wants.jobs
        if ended.get(name) != SUCCESS
    ]


async def _unpacked(
    repository: Repository, artifacts: Sequence[Artifact], wants: Wanted, tools: Tools
) -> tuple[dict[str, ArchivedFile], list[str]]:
    """Return the wanted files of all artifacts, and what is wrong with those that do not serve; extra files are none of our business."""
    names = {*wants.required, *wants.optional, *wants.documentation}
    found: dict[str, ArchivedFile] = {}
    problems = []
    for artifact in _newest(artifacts):
        try:
            files = await tools.github.artifact_files(repository, artifact)
        except (Refused, UnusableArtifact, HostileArchive) as error:
            problems.append(str(error))
            continue
        for name in sorted(names & files.keys()):
            if name in found and found[name].sha256 != files[name].sha256:
                problems.append(f"Two of its artifacts have a {name}, and they differ.")
            found[name] = files[name]
    return found, problems


def _newest(artifacts: Collection[Artifact]) -> list[Artifact]:
    """Return one artifact of each name: jobs that are run again leave theirs beside the old ones. Ids grow."""
    return sorted({artifact.name: artifact for artifact in sorted(artifacts, key=lambda one: one.id)}.values(), key=lambda one: one.name)


async def _differences(workflow: Workflow, jobs: Sequence[Job], sources: Mapping[str, ArchivedFile], tools: Tools) -> list[str]:
    """Return where the log of the build and what it uploaded do not agree."""
    if not workflow.hashed_by:
        return []
    job = next((job for job in jobs if job.name == workflow.hashed_by), None)
    log = await tools.github.job_log(Repository(workflow.repository), job.id) if job else None
    if log is None:
        return [f"There is no log of the job {workflow.hashed_by}, so the archives cannot be compared with what it printed."]
    said = workflow_logs.hashes(log)
    problems = []
    for name, file in sources.items():
        told = said.get(name, ())
        if not told:
            problems.append(f"The job {workflow.hashed_by} printed no SHA-256 of {name}.")
        others = {one.sha256 for one in told if one.sha256 != file.sha256 or one.size not in (file.size, None)}
        if others:
            problems.append(f"The artifact has a {name} with the SHA-256 {file.sha256}, but the build printed {', '.join(sorted(others))}.")
    return problems
