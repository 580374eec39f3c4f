"""The workflow that builds CPython's source release, as https://github.com/python/release-tools has it in build-release.yml."""

import hashlib
from collections.abc import Mapping
from typing import Final

from bot.rehearsal.github_actions_model import Input, PlannedJob, Run, Workflow
from bot.rehearsal.versions import Level, PythonVersion, WrongUse

REPOSITORY: Final = "python/release-tools"

VERIFY: Final = "verify-input"
SOURCE: Final = "build-source"
ARCHIVES: Final = ("Python-{}.tgz", "Python-{}.tar.xz")
"""The files of the artifact ``source``, in the order in which the build tells their hashes."""

_LINUX: Final = "ubuntu-24.04"
_FIRST_ANDROID: Final = (3, 14)
_FIRST_IOS: Final = (3, 15)

INPUTS: Final = (
    Input(name="git_remote", options=("python", "savannahostrowski", "hugovk", "Yhg1s", "pablogsal", "ambv"), default="python"),
    Input(name="git_commit", default="55ea59e7dc35e1363b203ae4dd9cfc3a0ac0a844"),
    Input(name="cpython_release", default="3.15.0a8"),
)
"""None is required: what is left out is what the workflow tests itself with."""


def jobs(inputs: Mapping[str, str], event: str) -> tuple[PlannedJob, ...]:
    """Plan the jobs for a version; those that no version needs here are skipped, and a test of the workflow itself has them all."""
    docs, android, ios = (True, True, True) if event != "workflow_dispatch" else _wanted(inputs["cpython_release"])
    verified = (VERIFY,)
    upload = "Upload the {} artifacts"
    return (
        PlannedJob(name=VERIFY, runner=_LINUX, steps=("Workflow run information", "Verify CPython commit matches tag", "Select jobs")),
        PlannedJob(name=SOURCE, runner=_LINUX, needs=verified, steps=("Build Python release artifacts", upload.format("source"))),
        PlannedJob(name="build-docs", runner=_LINUX, needs=verified, wanted=docs, steps=("Build docs", upload.format("docs"))),
        PlannedJob(
            name="test-source", runner=_LINUX, needs=(SOURCE,), steps=("Download the source artifacts", "Test Python source tarballs")
        ),
        PlannedJob(name="test-docs", runner=_LINUX, needs=("build-docs",), steps=("Check for fatal errors in EPUB",)),
        PlannedJob(name="build-android (aarch64)", runner="macos-15", needs=verified, wanted=android, steps=("Build and test",)),
        PlannedJob(name="build-android (x86_64)", runner=_LINUX, needs=verified, wanted=android, steps=("Build and test",)),
        # The job's key is build-ios; what the API shows is its name.
        PlannedJob(name="build-iOS", runner="macos-15", needs=verified, wanted=ios, steps=("Build and test",)),
    )


def printed(run: Run, job: str) -> list[str]:
    """Say what nothing else of a run shows: its inputs, and the hashes and sizes of the archives it has uploaded."""
    match job:
        case "verify-input":
            return [f"{known.name}: {run.inputs[known.name]}" for known in INPUTS]
        case "build-source":
            files = next((artifact.files for artifact in reversed(run.artifacts) if artifact.name == "source"), {})
            named = [name.format(run.inputs["cpython_release"]) for name in ARCHIVES]
            return [f"  {hashlib.sha256(files[name]).hexdigest()}  {len(files[name]):8}  {name}" for name in named if name in files]
        case _:
            return []


def text() -> str:
    """Write the part of the workflow's file that says with which inputs it can be started."""
    lines = [f"name: {BUILD_RELEASE.name}", "", "on:", "  workflow_dispatch:", "    inputs:"]
    for known in INPUTS:
        kind = "choice" if known.options else "string"
        lines += [f"      {known.name}:", f"        type: {kind}", f"        default: {known.default}"]
        lines += ["        options:", *(f"          - {option}" for option in known.options)] if known.options else []
    return "\n".join([*lines, ""])


def _wanted(release: str) -> tuple[bool, bool, bool]:
    """Tell whether documentation, Android and iOS are built; for what is no version nothing is, since its first job fails."""
    try:
        version = PythonVersion.parse(release)
    except WrongUse:
        return False, False, False
    series = (version.major, version.minor)
    return version.level in (Level.CANDIDATE, Level.FINAL), series >= _FIRST_ANDROID, series >= _FIRST_IOS


BUILD_RELEASE: Final = Workflow(file="build-release.yml", name="Build release artifacts", inputs=INPUTS, plan=jobs, printed=printed)
