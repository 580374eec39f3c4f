"""What is ordered for Windows, by series: the whole table of parameters, approvals and files, from nothing but the profile.

The rows: https://github.com/python/release-tools/tree/main/windows-release, whose labels say from and up to which version each is meant.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.azure.parameters import approvals, to_build, to_publish
from bot.context import Context
from bot.profile import Profile, load
from bot.profile.builders import Azure, AzurePlan
from bot.publication.files import expected_files
from bot.rehearsal.azure import Azure as SmallAzure
from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.reference import azure_specs, find_reference
from bot.release.course import StepSpec, align
from bot.release.model import Release, StepStatus
from bot.release.version import Kind, Version, kinds_of
from tests.reference import reference
from tests.release_builders import a_tag, opened

PROFILE = load("cpython")
FIRST = "Release_v3.15.0a3_20261120.01"

SERIES = ("3.13", "3.14", "3.15", "3.16", "3.17")
NO, YES = "false", "true"
TABLE = {
    "DoPublish": (NO, NO, NO, NO, NO),
    "Post315OutputDir": (NO, NO, YES, YES, YES),
    "DoTailCalling": (NO, NO, YES, YES, YES),
    "DoMSI": (YES, YES, YES, NO, NO),
    "DoJIT": (NO, YES, YES, YES, YES),
    "DoGPG": (YES, NO, NO, NO, NO),
    "DoMSIX": (YES, NO, NO, NO, NO),
    "DoFreethreaded": (YES, YES, YES, YES, YES),
}
"""What each series is built with; every other parameter of the pipeline keeps its default in all of them."""

APPROVALS = {"3.13": 3, "3.14": 3, "3.15": 3, "3.16": 2, "3.17": 2}
SECURITY = ("3.9.99", "3.10.99", "3.11.99", "3.12.99", "3.13.99", "3.14.99", "3.15.99", "3.16.99", "3.17.99")
OF_WINDOWS = ("windows", "windows-publish", "store")


def azure(profile: Profile = PROFILE) -> Azure:
    assert profile.azure is not None
    return profile.azure


def release(version: str, kind: Kind | None = None) -> Release:
    """Return a release with its tag, as its steps stand in the beginning."""
    parsed = Version.parse(version)
    tag = replace(a_tag(), name=parsed.tag)
    begun = replace(
        opened(), version=parsed, kind=kind or kinds_of(parsed)[0], series=parsed.series, branch=parsed.series, tag=tag, steps=()
    )
    return align(begun, specs())


def specs() -> tuple[StepSpec, ...]:
    """Return the steps of the profile as a release is given them."""
    holder: Any = type("OnlyAProfile", (), {"profile": PROFILE})()
    return tuple(vars(Context)["specs"].fget(holder))


def of(version: str, place: int) -> dict[str, str]:
    """Return the column of a series, filled in for a release of it."""
    where = {"GitRemote": "hugovk", "SourceTag": f"v{version}", "SourceCommit": "a" * 39 + "0"}
    return where | {"SigningCertificate": "PythonSoftwareFoundation"} | {name: row[place] for name, row in TABLE.items()}


def versions(series: str) -> list[str]:
    """Return one release of each level of a series."""
    return [f"{series}.0{level}" for level in ("a3", "b1", "b2", "rc1", "rc2", "")] + [f"{series}.5", f"{series}.5rc1"]


# ---- parameters --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "place"), [(version, place) for place, series in enumerate(SERIES) for version in versions(series)])
def test_a_run_that_builds_has_every_parameter_of_its_series_whatever_its_level(version: str, place: int) -> None:
    assert to_build(release(version), azure(), PROFILE).parameters == of(version, place)


@pytest.mark.parametrize(("series", "place"), [(series, place) for place, series in enumerate(SERIES)])
def test_a_run_that_publishes_has_the_same_and_takes_up_the_one_that_built(series: str, place: int) -> None:
    order = to_publish(release(f"{series}.0a3"), azure(), FIRST, PROFILE)
    assert order.parameters == of(f"{series}.0a3", place) | {"DoPublish": "true", "BuildToPublish": "build_to_publish"}
    assert (order.step, order.resources) == ("windows-publish", {"build_to_publish": FIRST})


def test_up_to_3_13_the_run_that_publishes_signs_with_openpgp_what_the_profile_expects_to_be_signed() -> None:
    for series in SERIES:
        ordered = to_publish(release(f"{series}.0"), azure(), FIRST, PROFILE).parameters["DoGPG"]
        files = PROFILE.series[series].files
        assert files is not None
        assert (ordered == "true") is (".asc" in files.companions), series


@pytest.mark.parametrize("series", SERIES)
def test_the_pipeline_knows_all_that_it_is_ordered_with(series: str) -> None:
    known = {one["name"]: one for one in json.loads(reference("specs/azure/windows_release.json").read_text())["parameters"]}
    run = release(f"{series}.0a3")
    for order in (to_build(run, azure(), PROFILE), to_publish(run, azure(), FIRST, PROFILE)):
        assert order.parameters.keys() <= known.keys()
        assert all(value in known[name].get("values", (value,)) for name, value in order.parameters.items())
        truths = {name for name, one in known.items() if one["type"] == "boolean"} & order.parameters.keys()
        assert {order.parameters[name] for name in truths} <= {"true", "false"}


# ---- approvals ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("series", "number"), APPROVALS.items())
def test_as_many_approvals_are_expected_as_there_are(series: str, number: int) -> None:
    ordered = to_build(release(f"{series}.0a3"), azure(), PROFILE).parameters
    assert approvals(azure(), ordered) == (("Sign", "Pack", "Publish") if number == 3 else ("Sign", "Publish"))


@pytest.mark.parametrize("series", SERIES)
def test_the_stages_that_are_expected_to_ask_are_those_that_do(series: str) -> None:
    """A stage asks where a job uses the certificate; which those are is known from the pipeline."""
    reference("specs/azure/windows_stages.json")
    world = SmallAzure(Chronicle(), azure_specs(find_reference()))
    run = release(f"{series}.0a3")
    orders = (to_build(run, azure(), PROFILE), to_publish(run, azure(), FIRST, PROFILE))
    asked = []
    for order in orders:
        queued = world.queue("zooba", order.parameters, dict.fromkeys(order.resources, next((one.name for one in world.runs), "")))
        while queued.status != "completed":
            for stage in [one for one in queued.stages if one.approval is not None and one.approval.status == "pending"]:
                asked.append(stage.plan.name)
                world.approve("zooba", queued.id, stage.plan.name)
            world.advance(queued.id)
    assert tuple(asked) == approvals(azure(), orders[0].parameters)


def test_without_a_table_of_approvals_nobody_is_told_how_many() -> None:
    assert approvals(azure().model_copy(update={"approvals": {}}), {"DoMSI": "true"}) == ()


# ---- which releases --------------------------------------------------------------------------------------------------------------------


def without(one: Release) -> set[str]:
    return {step.name for step in one.steps if step.status is StepStatus.NOT_APPLICABLE}


@pytest.mark.parametrize("version", SECURITY)
def test_a_security_release_orders_nothing_for_windows_and_asks_no_expert(version: str) -> None:
    assert {*OF_WINDOWS, "macos"} <= without(release(version, Kind.SECURITY))


@pytest.mark.parametrize("kind", [Kind.BUGFIX, Kind.SECURITY])
@pytest.mark.parametrize("series", ["3.9", "3.10", "3.11", "3.12"])
def test_old_series_are_never_built_for_windows_whatever_somebody_calls_their_release(series: str, kind: Kind) -> None:
    assert set(OF_WINDOWS) <= without(release(f"{series}.99", kind))


@pytest.mark.parametrize("series", SERIES)
def test_the_store_is_for_3_13_alone(series: str) -> None:
    for version in versions(series):
        missing = without(release(version)) & set(OF_WINDOWS)
        assert missing == (set() if series == "3.13" else {"store"})


def test_the_store_holds_up_neither_push_nor_thaw() -> None:
    needs: Mapping[str, set[str]] = {step.name.value: {need.value for need in step.needs} for step in PROFILE.steps}
    assert needs["store"] == {"windows-publish"}
    assert all("store" not in wanted for wanted in needs.values())
    names = list(needs)
    assert names.index("store") > names.index("thaw"), "what cannot be undone waits for every step above it"


# ---- files -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", SERIES)
def test_from_3_16_on_there_are_no_installers(series: str) -> None:
    files = PROFILE.series[series].files
    assert files is not None
    version = Version.parse(f"{series}.7")
    names = [file.name for file in expected_files(version, Kind.BUGFIX, files.policy) if not file.optional]
    assert any(name.endswith(".exe") for name in names) is (TABLE["DoMSI"][SERIES.index(series)] == YES)
    assert f"windows-{version}.json" in names
    security = [file.name for file in expected_files(version, Kind.SECURITY, files.policy) if file.system == "windows"]
    assert security == []


def test_one_run_for_all_publishes_with_the_same_parameters() -> None:
    policy = azure().model_copy(update={"plan": AzurePlan.ONE_RUN})
    assert to_build(release("3.13.5"), policy, PROFILE).parameters == of("3.13.5", 0) | {"DoPublish": "true"}
