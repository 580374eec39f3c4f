"""The bodies of the events we act on, with the few fields we read, and the proof that a body belongs to its event. Pure.

The header that names the event is not covered by the signature, so the same signed body could be sent again as another event: whatever
does not have the shape of its event is refused. Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import UserError

Id = Annotated[int, Field(gt=0, lt=2**63)]
Text = Annotated[str, StringConstraints(min_length=1)]
ObjectName = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class WrongShape(UserError):
    """A body is not what its event looks like."""


class Part(BaseModel):
    """A part of a body; what we do not read may be anything."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Account(Part):
    """A person, a bot or an organisation."""

    id: Id
    login: Text
    type: str = "User"


class RepositoryPart(Part):
    """A repository, by the name it has now."""

    full_name: Text


class Numbered(Part):
    """Something of which we read the id only: an installation, an App."""

    id: Id


class Event(Part):
    """What every event may say: where it happened, who made it happen, and by which installation we hear of it."""

    action: str = ""
    sender: Account | None = None
    repository: RepositoryPart | None = None
    installation: Numbered | None = None
    organization: Account | None = None


class IssuePart(Part):
    """An issue; a pull request where ``pull_request`` is set."""

    number: Id
    pull_request: Mapping[str, object] | None = None


class CommentPart(Part):
    """A comment as it was when the event happened."""

    id: Id
    body: str | None
    user: Account | None


class Was(Part):
    """A text before it was edited."""

    was: str = Field(alias="from")


class Changes(Part):
    """What an edit changed."""

    body: Was | None = None


class IssueComment(Event):
    """Somebody wrote, edited or deleted a comment: ``issue_comment``."""

    action: Text
    repository: RepositoryPart
    sender: Account
    issue: IssuePart
    comment: CommentPart
    changes: Changes | None = None


class Push(Event):
    """A branch or tag moved, came or went: ``push``."""

    repository: RepositoryPart
    ref: Annotated[str, StringConstraints(pattern=r"^refs/.")]
    before: ObjectName
    after: ObjectName
    commits: list[object]


class Create(Event):
    """A branch or tag came: ``create``. Only this event names the default branch."""

    repository: RepositoryPart
    ref: Text
    ref_type: Literal["branch", "tag"]
    master_branch: Text
    pusher_type: Text


class Delete(Event):
    """A branch or tag went: ``delete``."""

    repository: RepositoryPart
    ref: Text
    ref_type: Literal["branch", "tag"]
    master_branch: None = None
    pusher_type: Text


class Run(Part):
    """A check run and the App whose it is."""

    id: Id
    name: Text
    external_id: str | None = None
    app: Numbered | None


class CheckRun(Event):
    """Something happened to a check run: ``check_run``."""

    action: Text
    repository: RepositoryPart
    sender: Account
    check_run: Run


class RulesetPart(Part):
    """A ruleset of a repository or organisation."""

    id: Id
    name: Text


class RepositoryRuleset(Event):
    """Somebody created, edited or deleted a ruleset: ``repository_ruleset``. One of an organisation names no repository."""

    action: Text
    repository_ruleset: RulesetPart


class WorkflowRun(Event):
    """A run of a workflow was asked for, began or ended: ``workflow_run``."""

    action: Text
    repository: RepositoryPart
    sender: Account
    workflow: Numbered | None
    workflow_run: Numbered


class JobPart(Part):
    """A job of a run of a workflow."""

    id: Id
    run_id: Id


class WorkflowJob(Event):
    """A job of a run of a workflow was queued, waits, began or ended: ``workflow_job``."""

    action: Text
    repository: RepositoryPart
    sender: Account
    workflow_job: JobPart


Known = IssueComment | Push | Create | Delete | CheckRun | RepositoryRuleset | WorkflowRun | WorkflowJob

EVENTS: Final[Mapping[str, type[Known]]] = {
    "issue_comment": IssueComment,
    "push": Push,
    "create": Create,
    "delete": Delete,
    "check_run": CheckRun,
    "repository_ruleset": RepositoryRuleset,
    "workflow_run": WorkflowRun,
    "workflow_job": WorkflowJob,
}
"""The events that can concern us, by the name in the header."""


def read(event: str, body: object) -> Known | None:
    """Return the body as what its event says, or None for an event that never concerns us; raise WrongShape where it is not that."""
    if not isinstance(body, dict):
        raise WrongShape("The body is not a JSON object: send what GitHub sends.")
    shape = EVENTS.get(event)
    if shape is None:
        return None
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise WrongShape(f"The body is not one of the event {event}, as its {place} shows: the header and the body must agree.") from None
