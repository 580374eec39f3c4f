"""The Windows release pipeline: its parameters and stages, and what a set of values makes of them.

The real pipeline is https://github.com/python/release-tools/tree/main/windows-release; where its parameters and stages are at hand as data
they are used, otherwise only its outline, with any parameters.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.rehearsal.azure_model import JobPlan, Parameter, Pipeline, StagePlan

NAME = "Windows-Release"
NUMBER = 21
"""https://dev.azure.com/Python/cpython/_build?definitionId=21"""

EARLIER = {"BuildToPublish": "build_to_publish", "BuildToPackage": "build_to_package"}
"""The parameters that make a run take up an earlier one, and under which name that one is given."""

REAL_CERTIFICATE = "PythonSoftwareFoundation"
"""The only one whose use somebody must approve: the variable group CPythonSign asks, CPythonTestSign does not."""

SIGNING = frozenset({"Sign_Files", "Make_MSI", "Pack_MSIX", "Publish_PyManager"})
"""The jobs that use the certificate; a stage waits until all checks on everything used anywhere in it have passed."""

SETTABLE = frozenset(
    {
        *("OverrideNugetVersion", "PyManagerIndexFilename", "SkipNugetPublish", "SkipPipTests", "SkipPythonOrgPublish", "SkipSBOM"),
        *("SkipTests", "SkipTkTests"),
    }
)
"""The variables that may be set when a run is queued."""

_PIPELINE, _CONTAINER = "PipelineArtifact", "Container"
"""The kinds of artifacts."""

_OUTLINE = (
    StagePlan(name="Build", display="Build", when=("build",), jobs=(JobPlan(name="Build_Python", display="Build Python"),)),
    StagePlan(
        name="Sign",
        display="Sign",
        depends=("Build",),
        when=("build",),
        jobs=(JobPlan(name="Sign_Files", display="Sign", when=("signed",), artifacts={"cert": _PIPELINE}, tag="signed"),),
    ),
    StagePlan(
        name="Layout", display="Layout", depends=("Sign",), when=("current",), jobs=(JobPlan(name="Make_Layouts", display="Layouts"),)
    ),
    StagePlan(
        name="Pack",
        display="Pack",
        depends=("Layout",),
        when=("current",),
        jobs=(JobPlan(name="Make_MSI", display="Make MSI", artifacts={"msi": _PIPELINE, "embed": _CONTAINER, "sbom": _CONTAINER}),),
    ),
    StagePlan(name="Test", display="Test", depends=("Pack",), when=("current",), jobs=(JobPlan(name="Test_MSI", display="Test MSI"),)),
    StagePlan(
        name="Publish",
        display="Publish",
        depends=("Test",),
        when=("DoPublish",),
        jobs=(
            JobPlan(
                name="Publish_PyManager",
                display="Publish for the install manager",
                artifacts={"pymanager_index": _PIPELINE, "pymanager_hashes": _PIPELINE},
            ),
            JobPlan(name="Publish_Python", display="Publish", artifacts={"hashes": _PIPELINE}),
        ),
    ),
)

_BUILDS = ("win32", "amd64", "arm64")


def windows_release(parameters: Path | None, stages: Path | None) -> Pipeline:
    """Return the pipeline, from its data where that is at hand."""
    return Pipeline(
        id=NUMBER,
        name=NAME,
        path="\\",
        parameters=None if parameters is None else tuple(_parameters(parameters)),
        stages=_OUTLINE if stages is None else tuple(_stages(stages)),
        naming="Release_{SourceTag}_",
        digits=2,
        settable=SETTABLE,
    )


def values(pipeline: Pipeline, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the values that a run has, and what is wrong with those that were given."""
    if pipeline.parameters is None:
        return dict(given), []
    known = {parameter.name: parameter for parameter in pipeline.parameters}
    wrong = [f"Unexpected parameter '{name}'" for name in given if name not in known]
    wrong += [sentence for name, value in given.items() if name in known for sentence in _mistakes(known[name], value)]
    return {name: _kept(parameter, given.get(name, parameter.default)) for name, parameter in known.items()}, wrong


def holds(condition: str, given: Mapping[str, str]) -> bool:
    """Tell whether a condition of a stage or job is true."""
    match condition:
        case "build":
            return all(given.get(name, "current") == "current" for name in EARLIER)
        case "current":
            return given.get("BuildToPublish", "current") == "current"
        case "signed" | "unsigned":
            return (given.get("SigningCertificate", REAL_CERTIFICATE) != "Unsigned") is (condition == "signed")
        case _:
            return given.get(condition, "false").lower() == "true"


def needs_approval(jobs: list[JobPlan], given: Mapping[str, str]) -> bool:
    """Tell whether somebody must approve a stage that has these jobs."""
    real = given.get("SigningCertificate", REAL_CERTIFICATE) == REAL_CERTIFICATE
    return real and any(job.name in SIGNING for job in jobs)


def artifact_names(pattern: str, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the names that a pattern stands for: ``bin_*plain`` is one for each build, ``*debug`` its debug form, ``*arch`` neither."""
    start, star, kind = pattern.partition("*")
    if not star:
        yield pattern
        return
    threaded = holds("DoFreethreaded", given) and kind != "arch"
    for build in _BUILDS:
        yield f"{start}{build}{'_d' if kind == 'debug' else ''}"
        if threaded:
            yield f"{start}{build}{'_td' if kind == 'debug' else '_t'}"


def _parameters(path: Path) -> Iterator[Parameter]:
    for described in json.loads(path.read_text(encoding="utf-8"))["parameters"]:
        default = described["default"]
        yield Parameter(
            name=described["name"],
            type=described["type"],
            default=str(default) if isinstance(default, bool) else default,
            values=tuple(described.get("values", ())),
        )


def _stages(path: Path) -> Iterator[StagePlan]:
    for stage in json.loads(path.read_text(encoding="utf-8")):
        yield StagePlan(
            name=stage["name"],
            display=stage["display"],
            depends=tuple(stage["depends"]),
            when=tuple(stage["when"]),
            jobs=tuple(
                JobPlan(
                    name=job["name"],
                    display=job["display"],
                    when=tuple(job.get("when", ())),
                    artifacts=job.get("artifacts", {}),
                    tag=job.get("tag", ""),
                )
                for job in stage["jobs"]
            ),
        )


def _mistakes(parameter: Parameter, value: str) -> Iterator[str]:
    if parameter.type == "boolean" and value.lower() not in ("true", "false"):
        yield f"The '{parameter.name}' parameter value '{value}' is not a valid Boolean."
    if parameter.values and value not in parameter.values:
        yield f"The '{parameter.name}' parameter value '{value}' is not one of the allowed values."


def _kept(parameter: Parameter, value: str) -> str:
    """Return a value as a run keeps it: truth values as ``True`` and ``False``."""
    return value.capitalize() if parameter.type == "boolean" else value
