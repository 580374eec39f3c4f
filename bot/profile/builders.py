"""What a profile may say about those who build: workflow, pipeline, people with their own hands."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.authority import Role
from bot.profile.forms import BranchName, KindSlug, Pattern, RepositoryName, SeriesName, Url, misfit
from bot.profile.table import Table


class HandStep(Table):
    """A step that people do by hand: they are asked for it, and say when it is done."""

    role: Role
    """Whose work it is; one of them says `/release done NAME`."""
    what: Annotated[Pattern, Field(min_length=1)]
    """What they are asked to do, in one sentence; `{version}`, `{tag}`, `{commit}` and `{fork}` are filled in."""
    file: Pattern = ""
    """The file they make, as it is named on python.org, with `{version}`; its SHA-256 is asked for and compared with what is published."""
    links: dict[str, Url] = Field(default_factory=dict)
    """Pages they need, by what each is called."""
    artifacts: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """What they take from the run that built for Windows, by the names of its artifacts; they are given the address of all of them."""


class WorkflowJob(Table):
    """A job of the workflow that has to succeed; one that is skipped has not."""

    name: Annotated[str, Field(min_length=1)]
    """Its name, as GitHub shows it."""
    kinds: tuple[KindSlug, ...] = ()
    """The kinds of release for which it runs, in the words of `--as`; all of them when left out."""
    first_series: SeriesName | None = None
    """The first series for which it runs; no bound when left out."""


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
    jobs: tuple[WorkflowJob, ...] = ()
    """The jobs that have to succeed, so that nobody takes a run for green in which one was left out."""
    documentation: tuple[Pattern, ...] = ()
    """The archives of the documentation that it makes, with `{version}`."""
    documented: tuple[KindSlug, ...] = ()
    """The kinds of release that have them, in the words of `--as`."""


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
    approvals: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The stages that somebody has to approve, in their order, so that the experts know how many there are; each with the parameters of
    which one has to be true for it, and without any when it always has to be approved."""
    index_job: str = ""
    """The job that publishes the index of the install manager, and stops where somebody else changed that meanwhile."""
    certificate: str = ""
    """Whom the signing certificate must name, as the artifact `cert` shows it; not looked at when left out."""

    @model_validator(mode="after")
    def _approvals_depend_on_parameters(self) -> Self:
        """Refuse a stage that depends on what no run is ordered with: whether it has to be approved could not be told."""
        for stage, when in self.approvals.items():
            if unknown := next((name for name in when if name not in self.parameters), None):
                sentence = f"{unknown} is no parameter of a run: write one of {', '.join(self.parameters) or 'parameters, which has none'}"
                raise misfit(sentence, "approvals", stage)
        return self
