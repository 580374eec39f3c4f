"""Exactly what the bot reads of the classic protection of branches, as frozen data, parsed as strictly as the shapes beside it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import AliasPath, BeforeValidator, ConfigDict, Field

from bot.services.github import fields

_BOTH_NAMES = ConfigDict(validate_by_name=True, validate_by_alias=True)


@dataclass(frozen=True, kw_only=True)
class BranchProtection:
    """The part of a branch's classic protection that decides whether an App can push to it.

    ``push_apps`` are the slugs of the Apps that may push, None when pushing is not restricted; ``required_reviews`` tells that changes must
    come by pull request, which ``review_bypass_apps`` may ignore; ``required_checks`` are the names that must be green.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _BOTH_NAMES

    push_apps: Annotated[tuple[str, ...] | None, BeforeValidator(fields.pushers), Field(validation_alias="restrictions")] = None
    required_reviews: Annotated[fields.There, Field(validation_alias="required_pull_request_reviews")] = False
    review_bypass_apps: Annotated[
        tuple[str, ...],
        BeforeValidator(fields.slugs),
        Field(validation_alias=AliasPath("required_pull_request_reviews", "bypass_pull_request_allowances", "apps")),
    ] = ()
    required_checks: Annotated[tuple[str, ...], BeforeValidator(fields.contexts), Field(validation_alias="required_status_checks")] = ()
    required_signatures: fields.Flag = False
    lock_branch: fields.Flag = False
    enforce_admins: fields.Flag = False
    required_linear_history: fields.Flag = False


@dataclass(frozen=True, kw_only=True)
class ProtectionRule:
    """What only GraphQL shows of the classic protection of a branch.

    ``pattern`` is of the rule that holds for the branch, None where GitHub shows none; the rest is of that rule too, but for ``queued``,
    which tells that a merge queue works on the branch, and ``in_organization``, which is about the repository.
    """

    in_organization: bool
    queued: bool
    pattern: str | None = None
    branches: int = 0
    requires_deployments: bool = False
    force_pushers: int = 0
