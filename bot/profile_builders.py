"""What a profile may say about those who build: workflow, pipeline, people with their own hands; and about what is tidied up afterwards."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bot.authority import Role
from bot.profile_forms import BranchName, Pattern, RepositoryName
from bot.profile_table import Table


class HandStep(Table):
    """A step that people do by hand: they are asked for it, and say when it is done."""

    role: Role
    """Whose work it is; one of them says `/release done NAME`."""
    what: Annotated[Pattern, Field(min_length=1)]
    """What they are asked to do, in one sentence; `{version}`, `{tag}`, `{commit}` and `{fork}` are filled in."""
    file: Pattern = ""
    """The file they make, as it is named on python.org, with `{version}`; its SHA-256 is asked for and compared with what is published."""


class Workflow(Table):
    """The workflow on GitHub that builds the sources."""

    repository: RepositoryName
    """Where it lies."""
    file: Annotated[str, Field(min_length=1)]
    """The name of its file in `.github/workflows`."""
    ref: BranchName = "main"
    """The branch whose workflow file is used."""
    inputs: dict[str, Pattern] = Field(default_factory=dict)
    """All its inputs; `{version}`, `{tag}`, `{commit}` and `{owner}`, the owner of the fork, are filled in."""
    shown_by: str = ""
    """The job whose log shows the inputs, by which a run is told from others and is known to build what it should."""
    hashed_by: str = ""
    """The job whose log shows size and SHA-256 of the archives."""


class AzurePlan(StrEnum):
    """How Windows is built and published."""

    TWO_RUNS = "two-runs"
    ONE_RUN = "one-run-that-is-public-once-its-last-stage-is-approved"


class Azure(Table):
    """The pipeline on Azure that builds and publishes for Windows."""

    project: Annotated[str, Field(min_length=1)]
    """The project in the organisation `AZURE_DEVOPS_URL`."""
    definition: Annotated[str, Field(min_length=1)]
    """The name of the pipeline."""
    folder: str = "\\"
    """Its folder."""
    ref: str = "refs/heads/main"
    """The branch of the pipeline's own repository."""
    plan: AzurePlan = AzurePlan.TWO_RUNS
    """`two-runs`: a second run publishes what the first one built, after the go. The other builds and publishes in one run, and everything
    is public as soon as somebody approves its last stage, whatever became of the other builds."""
    run_name: Pattern = "Release_{tag}_*"
    """How the pipeline names its runs; the star stands for what cannot be known before."""
    parameters: dict[str, Pattern | bool] = Field(default_factory=dict)
    """The parameters of a run that builds; `{version}`, `{tag}`, `{commit}` and `{owner}`, the owner of the fork, are filled in."""
    publish: dict[str, Pattern | bool] = Field(default_factory=dict)
    """The parameters that are added for publishing."""
    resource: str = "build_to_publish"
    """Under which name the publishing run is given the run that built."""
    publish_stage: str = "Publish"
    """The stage that publishes."""
    certificate: str = ""
    """Whom the signing certificate must name, as the artifact `cert` shows it; not looked at when left out."""


class WrapUp(Table):
    """What is tidied up at the end."""

    fork_branch: Pattern = ""
    """The branch of the manager's fork that is deleted where the App may, with `{version}`; nothing is when left out."""
    retain: bool = True
    """Whether the runs on Azure are kept for ever."""
