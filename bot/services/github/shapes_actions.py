"""Exactly what the bot reads of GitHub Actions, as frozen data, parsed as strictly as the shapes beside it.

The keys are those of GitHub's own description: https://github.com/github/rest-api-description
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field, Strict

from bot.release.ids import ArtifactId, CommitId, JobId, RunId
from bot.services.github import fields
from bot.services.github.shapes import User

_BOTH_NAMES = ConfigDict(validate_by_name=True, validate_by_alias=True)
"""Shapes read GitHub's keys, and their own, so that a shape written down as JSON can be read back."""

COMPLETED = "completed"
"""The status of a run or job that is over; only then has it a conclusion."""


@dataclass(frozen=True, kw_only=True)
class WorkflowDispatched:
    """The run that a dispatch started. ``url`` is its page for people."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    run: Annotated[RunId, Strict(), Field(validation_alias="workflow_run_id")]
    url: Annotated[str, Field(validation_alias="html_url")]


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """A run of a workflow, as its latest attempt stands; ``head`` is the commit whose workflow file runs.

    ``path`` is that file, sometimes with ``@`` and a ref behind it; ``actor`` is who started the run at first. Where a fork's code runs,
    ``head_repository`` (an id) is the fork: anybody can choose names and paths there. ``repository`` is where the run is.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[RunId, Strict()]
    status: fields.Text
    conclusion: str | None = None
    event: str
    head: Annotated[CommitId, Field(validation_alias="head_sha")]
    head_repository: Annotated[fields.Number | None, Field(validation_alias=AliasPath("head_repository", "id"))] = None
    repository: Annotated[fields.Number | None, Field(validation_alias=AliasPath("repository", "id"))] = None
    path: str
    actor: Annotated[User, BeforeValidator(fields.or_ghost)]
    attempt: Annotated[fields.Number, Field(validation_alias="run_attempt")]
    url: Annotated[str, Field(validation_alias="html_url")]
    created: Annotated[fields.Moment, Field(validation_alias="created_at")]

    @property
    def file(self) -> str:
        """Return the path of the workflow file alone."""
        return self.path.partition("@")[0]

    @property
    def completed(self) -> bool:
        """Tell whether the latest attempt is over."""
        return self.status == COMPLETED


@dataclass(frozen=True, kw_only=True)
class JobStep:
    """One step of a job. ``status`` and ``conclusion`` are GitHub's words."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    number: fields.Number
    name: str
    status: str
    conclusion: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of a run. ``status`` and ``conclusion`` stay texts: GitHub adds to them; ``url`` is its page for people."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[JobId, Strict()]
    run: Annotated[RunId, Strict(), Field(validation_alias="run_id")]
    name: str
    status: str
    conclusion: str | None = None
    steps: tuple[JobStep, ...] = ()
    attempt: Annotated[fields.Number, Field(validation_alias="run_attempt")] = 1
    url: Annotated[fields.Text, Field(validation_alias="html_url")] = ""
    started: Annotated[fields.Moment | None, Field(validation_alias="started_at")] = None
    completed: Annotated[fields.Moment | None, Field(validation_alias="completed_at")] = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A zip archive that a run left behind. ``size`` is its length in bytes, ``digest`` such as ``sha256:…``, or empty for old ones."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[ArtifactId, Strict()]
    name: str
    size: Annotated[fields.Number, Field(validation_alias="size_in_bytes")]
    digest: fields.Text = ""
    expired: fields.Truth
    url: str
    run: Annotated[Annotated[RunId, Strict()] | None, Field(validation_alias=AliasPath("workflow_run", "id"))] = None
    created: Annotated[fields.Moment | None, Field(validation_alias="created_at")] = None
