"""Exactly what the bot reads from GitHub and sends to it, as frozen data.

Every shape is parsed strictly from the answer (a text is never taken for a number) by ``bot.services.answers.parse``; keys that the bot
does not read are ignored. The keys are those of GitHub's own description: https://github.com/github/rest-api-description
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field, Strict

from bot.release.ids import CommentId, CommitId, IssueNumber, ObjectId, Ref, RulesetId, TagId, UserId
from bot.services.github import fields
from bot.services.github.shapes_checks import CheckAnnotation

_BOTH_NAMES = ConfigDict(validate_by_name=True, validate_by_alias=True)
"""Shapes read GitHub's keys, and their own, so that a shape written down as JSON can be read back."""

_SUCCESS = 2
"""The first digit of a successful HTTP status."""


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. ``type`` is ``User``, ``Bot`` or ``Organization``; a deleted account has the id 0."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[UserId, Strict()]
    login: str
    type: str

    @property
    def is_bot(self) -> bool:
        """Tell whether this is the account of an App."""
        return self.type == "Bot"


Author = Annotated[User, BeforeValidator(fields.or_ghost), Field(validation_alias="user")]


@dataclass(frozen=True, kw_only=True)
class App:
    """The bot's own App. ``user_id`` is the account its comments are written by; None when that account could not be read."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: fields.Number
    slug: str
    name: str
    user_id: Annotated[UserId, Strict()] | None = None


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The App in one account. ``permissions`` is what the owner granted, by name: ``read``, ``write`` or ``admin``."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: fields.Number
    app_id: fields.Number
    permissions: Mapping[str, str] = field(default_factory=dict)
    suspended: Annotated[fields.There, Field(validation_alias="suspended_at")] = False


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment of an issue or a pull request. ``through_app`` tells that an App wrote it, for itself or for its author."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[CommentId, Strict()]
    issue: Annotated[IssueNumber, Strict(), BeforeValidator(fields.last_number), Field(validation_alias="issue_url")]
    author: Author
    body: fields.Text = ""
    created: Annotated[fields.Moment, Field(validation_alias="created_at")]
    updated: Annotated[fields.Moment, Field(validation_alias="updated_at")]
    url: Annotated[str, Field(validation_alias="html_url")]
    through_app: Annotated[fields.There, Field(validation_alias="performed_via_github_app")] = False

    @property
    def edited(self) -> bool:
        """Tell whether somebody changed it after it was written."""
        return self.updated != self.created


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue, or a pull request seen as one."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    number: Annotated[IssueNumber, Strict()]
    title: str
    state: str
    author: Author
    body: fields.Text = ""
    labels: Annotated[tuple[str, ...], BeforeValidator(fields.label_names)] = ()
    locked: fields.Truth = False
    created: Annotated[fields.Moment, Field(validation_alias="created_at")]
    updated: Annotated[fields.Moment, Field(validation_alias="updated_at")]
    url: Annotated[str, Field(validation_alias="html_url")]
    is_pull_request: Annotated[fields.There, Field(validation_alias="pull_request")] = False


@dataclass(frozen=True, kw_only=True)
class RefTarget:
    """A ref and the object it names. ``type`` is ``commit`` for a branch or a lightweight tag, ``tag`` for an annotated one."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    ref: Ref
    id: Annotated[ObjectId, Field(validation_alias=AliasPath("object", "sha"), pattern="^[0-9a-f]{40}$")]
    type: Annotated[str, Field(validation_alias=AliasPath("object", "type"))]


@dataclass(frozen=True, kw_only=True)
class AnnotatedTag:
    """A tag object as GitHub shows it. ``verified`` and ``reason`` are GitHub's opinion, never proof for a release."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[TagId, Field(validation_alias="sha")]
    name: Annotated[str, Field(validation_alias="tag")]
    target: Annotated[ObjectId, Field(validation_alias=AliasPath("object", "sha"))]
    target_type: Annotated[str, Field(validation_alias=AliasPath("object", "type"))]
    message: fields.Text = ""
    verified: Annotated[fields.Truth, Field(validation_alias=AliasPath("verification", "verified"))] = False
    reason: Annotated[str, Field(validation_alias=AliasPath("verification", "reason"))] = ""


@dataclass(frozen=True, kw_only=True)
class BypassActor:
    """Who may pass a ruleset. For ``Integration`` the id is the App's, not the installation's."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    actor_type: str
    actor_id: fields.Number | None = None
    bypass_mode: str = "always"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a ruleset, such as ``update``, ``deletion``, ``non_fast_forward`` or ``creation``."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    type: str
    parameters: fields.Parameters = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The refs a ruleset is about: full names, fnmatch patterns, ``~DEFAULT_BRANCH`` or ``~ALL``."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    include: Annotated[tuple[str, ...], Field(validation_alias=AliasPath("ref_name", "include"))] = ()
    exclude: Annotated[tuple[str, ...], Field(validation_alias=AliasPath("ref_name", "exclude"))] = ()


@dataclass(frozen=True, kw_only=True)
class RulesetSummary:
    """A ruleset as the list shows it. ``source_type`` is ``Repository``, ``Organization`` or ``Enterprise``."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: Annotated[RulesetId, Strict()]
    name: str
    enforcement: str
    source: str
    target: str = "branch"
    source_type: str = "Repository"


@dataclass(frozen=True, kw_only=True)
class Ruleset(RulesetSummary):
    """A whole ruleset. ``bypass_actors`` is None when GitHub does not show it to the caller, which then may not change the ruleset.

    ``current_user_can_bypass`` is the App's own case: ``always``, ``pull_requests_only``, ``never``, ``exempt``, or None when not told.
    """

    conditions: Annotated[Conditions, BeforeValidator(lambda value: {} if value is None else value)] = field(default_factory=Conditions)
    rules: tuple[Rule, ...] = ()
    bypass_actors: tuple[BypassActor, ...] | None = None
    current_user_can_bypass: str | None = None
    created: Annotated[fields.Moment | None, Field(validation_alias="created_at")] = None
    updated: Annotated[fields.Moment | None, Field(validation_alias="updated_at")] = None


@dataclass(frozen=True, kw_only=True)
class RulesetDraft:
    """A ruleset to be made. ``target`` is ``branch`` or ``tag``; ``include`` are full ref names."""

    name: str
    target: Literal["branch", "tag"]
    include: tuple[str, ...]
    rules: tuple[Rule, ...]
    bypass_actors: tuple[BypassActor, ...]
    exclude: tuple[str, ...] = ()
    enforcement: Literal["active", "disabled"] = "active"


@dataclass(frozen=True, kw_only=True)
class BranchRule:
    """One rule in force on a branch, and the ruleset it comes from."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    type: str
    ruleset: Annotated[Annotated[RulesetId, Strict()] | None, Field(validation_alias="ruleset_id")] = None
    source: Annotated[str, Field(validation_alias="ruleset_source")] = ""
    source_type: Annotated[str, Field(validation_alias="ruleset_source_type")] = ""
    parameters: fields.Parameters = field(default_factory=dict)


class CheckStatus(StrEnum):
    """How far a check run is."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check run ended."""

    ACTION_REQUIRED = "action_required"
    CANCELLED = "cancelled"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SUCCESS = "success"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, kw_only=True)
class CheckRun:
    """A check run as GitHub shows it. ``status`` and ``conclusion`` stay texts: GitHub has more of them than the bot sets.

    ``annotated`` is how many annotations it has.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: fields.Number
    name: str
    head: Annotated[CommitId, Field(validation_alias="head_sha")]
    status: str
    conclusion: str | None = None
    external_id: fields.Text = ""
    app_id: Annotated[fields.Number | None, Field(validation_alias=AliasPath("app", "id"))] = None
    url: Annotated[fields.Text, Field(validation_alias="html_url")] = ""
    completed: Annotated[fields.Moment | None, Field(validation_alias="completed_at")] = None
    annotated: Annotated[fields.Number, Field(validation_alias=AliasPath("output", "annotations_count"))] = 0


@dataclass(frozen=True, kw_only=True)
class CheckAction:
    """A button of a check run: label at most 20 characters, description 40, identifier 20."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class CheckRunDraft:
    """A check run to be made or brought up to date; ``conclusion`` if and only if it is completed."""

    name: str
    head: CommitId
    external_id: str
    status: CheckStatus
    title: str
    summary: str
    conclusion: Conclusion | None = None
    text: str = ""
    details_url: str = ""
    actions: tuple[CheckAction, ...] = ()
    annotations: tuple[CheckAnnotation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HookDelivery:
    """One attempt of GitHub to deliver an event; all attempts of one event share ``guid``."""

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    id: fields.Number
    guid: str
    event: str
    action: str | None = None
    status: str
    status_code: fields.Number
    delivered: Annotated[fields.Moment, Field(validation_alias="delivered_at")]
    redelivery: fields.Truth
    installation_id: fields.Number | None = None
    repository_id: fields.Number | None = None

    @property
    def succeeded(self) -> bool:
        """Tell whether this attempt was answered with a 2xx status."""
        return self.status == "OK" or self.status_code // 100 == _SUCCESS


Membership = Literal["active", "pending"]
"""A person's place in a team; only ``active`` counts."""

RepositoryPermission = Literal["admin", "write", "read", "none"]
"""What an account may do in a repository; GitHub maps *maintain* to write and *triage* to read."""

Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
"""The reactions GitHub knows."""
