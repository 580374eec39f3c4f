"""What the workflow makes for a release, by its series and kind: files and jobs, from nothing but the profile.

The switches: https://github.com/python/release-tools/blob/main/.github/workflows/build-release.yml.
"""

from dataclasses import replace

import pytest

from bot.profile import load
from bot.profile.builders import Workflow
from bot.rehearsal.release_workflow import jobs as planned_jobs
from bot.release.ids import CommitId, RunId, UserId
from bot.release.model import Release
from bot.release.version import Kind, Version, kinds_of
from bot.services.github.shapes import User
from bot.services.github.shapes_actions import WorkflowRun
from bot.workflow.files import wanted
from bot.workflow.runs import stranger
from tests.release_builders import NOW, opened

PROFILE = load("cpython")
ALWAYS = ("verify-input", "build-source", "test-source")
DOCS = ("build-docs", "test-docs")
ANDROID = ("build-android (aarch64)", "build-android (x86_64)")
IOS = ("build-iOS",)

TABLE = {
    "3.12.99": (*ALWAYS, *DOCS),
    "3.13.16": (*ALWAYS, *DOCS),
    "3.14.0a3": (*ALWAYS, *ANDROID),
    "3.14.0b1": (*ALWAYS, *ANDROID),
    "3.14.0rc2": (*ALWAYS, *DOCS, *ANDROID),
    "3.14.0": (*ALWAYS, *DOCS, *ANDROID),
    "3.14.5rc1": (*ALWAYS, *DOCS, *ANDROID),
    "3.14.9": (*ALWAYS, *DOCS, *ANDROID),
    "3.15.0a3": (*ALWAYS, *ANDROID, *IOS),
    "3.15.0b2": (*ALWAYS, *ANDROID, *IOS),
    "3.15.0rc2": (*ALWAYS, *DOCS, *ANDROID, *IOS),
    "3.15.0": (*ALWAYS, *DOCS, *ANDROID, *IOS),
    "3.16.0a3": (*ALWAYS, *ANDROID, *IOS),
    "3.16.1": (*ALWAYS, *DOCS, *ANDROID, *IOS),
    "3.17.0a1": (*ALWAYS, *ANDROID, *IOS),
}


def workflow() -> Workflow:
    assert PROFILE.workflow is not None
    return PROFILE.workflow


def release(version: str, kind: Kind | None = None) -> Release:
    parsed = Version.parse(version)
    return replace(opened(), version=parsed, kind=kind or kinds_of(parsed)[0], series=parsed.series)


def kinds(version: str) -> tuple[Kind, ...]:
    return kinds_of(Version.parse(version))


CASES = [(version, kind) for version in TABLE for kind in kinds(version)]


def files(one: Release) -> tuple[set[str], set[str], set[str]]:
    """Return the files that must be there, those that may be, and the documentation."""
    policy = PROFILE.series[one.series].files
    assert policy is not None
    wants = wanted(one, workflow(), policy.policy)
    return set(wants.required), set(wants.optional), set(wants.documentation)


@pytest.mark.parametrize(("version", "kind"), CASES)
def test_these_jobs_have_to_succeed(version: str, kind: Kind) -> None:
    policy = PROFILE.series[release(version).series].files
    assert policy is not None
    assert wanted(release(version, kind), workflow(), policy.policy).jobs == TABLE[version]


@pytest.mark.parametrize(("version", "kind"), CASES)
def test_they_are_those_that_the_workflow_does_not_skip(version: str, kind: Kind) -> None:
    inputs = {"git_remote": "hugovk", "git_commit": "1" * 40, "cpython_release": version}
    plan = planned_jobs(inputs, "workflow_dispatch")
    skipped = {job.name for job in plan if not job.wanted}
    run = {job.name for job in plan} - skipped - {job.name for job in plan if skipped & set(job.needs)}
    assert run == set(TABLE[version]), kind


@pytest.mark.parametrize(("version", "kind"), CASES)
def test_these_files_have_to_be_left(version: str, kind: Kind) -> None:
    required, optional, documentation = files(release(version, kind))
    sources = {f"Python-{version}.tgz", f"Python-{version}.tar.xz"}
    mobile = {f"python-{version}-{name}-linux-android.tar.gz" for name in ("aarch64", "x86_64")} if ANDROID[0] in TABLE[version] else set()
    mobile |= {f"python-{version}-iOS-XCframework.tar.gz"} if IOS[0] in TABLE[version] else set()
    assert required | optional == sources | mobile
    assert sources <= required
    # No series of theirs has come to its security releases yet, so nobody has decided about those; and they came in the midst of a series.
    settled = kind is not Kind.SECURITY and version not in ("3.14.0a3", "3.14.0b1", "3.15.0a3")
    assert (required == sources | mobile) is (settled or not mobile)
    assert len(documentation) == (7 if DOCS[0] in TABLE[version] else 0)
    assert all(name.startswith(f"python-{version}-docs") for name in documentation)


@pytest.mark.parametrize("event", ["push", "pull_request", "schedule"])
def test_a_run_that_tests_the_workflow_itself_is_never_ours(event: str) -> None:
    assert stranger(a_run("workflow_dispatch"), workflow()) == ""
    assert f"by the event {event}, not by an order" in stranger(a_run(event), workflow())


def a_run(event: str) -> WorkflowRun:
    return WorkflowRun(
        id=RunId(7),
        status="queued",
        event=event,
        head=CommitId("1" * 40),
        path=f".github/workflows/{workflow().file}",
        actor=User(id=UserId(1), login="brother-maynard[bot]", type="Bot"),
        attempt=1,
        url="https://github.example/7",
        created=NOW,
    )
