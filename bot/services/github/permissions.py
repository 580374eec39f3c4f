"""What the App may be asked to do, and why: the one table for minting tokens, for `doctor` and for the documentation.

Every request is made with a token that holds the permissions of one row and no others. The names are those of
https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_RANK = {"read": 1, "write": 2, "admin": 3}


class Topic(StrEnum):
    """A group of methods that need the same permissions."""

    APP = "the App itself"
    ACCOUNTS = "accounts"
    REPOSITORY = "the repository"
    LISTENING = "listening"
    TALKING = "talking"
    REFS = "refs"
    RULES = "rules in force"
    PROTECTION = "branch protection"
    FREEZING = "freezing"
    TEAMS = "teams"
    READING_CHECKS = "reading checks"
    CHECKS = "checks"
    READING_WORKFLOWS = "reading workflow runs"
    WORKFLOWS = "running workflows"
    PUSHING = "pushing"
    PUSHING_WORKFLOWS = "pushing workflow files"
    TIDYING = "tidying up"
    LABELLING = "labelling"
    PROPOSING = "proposing"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One row: ``permissions`` by GitHub's names, ``read`` or ``write`` (none: the App signs for itself), who uses them, and why.

    ``where_granted`` is asked for only where the installation has it, because GitHub refuses tokens for more than was granted. Without
    what is not ``needed`` a release is made all the same.
    """

    permissions: Mapping[str, str]
    reason: str
    methods: tuple[str, ...]
    where_granted: Mapping[str, str] = field(default_factory=dict)
    needed: bool = True

    def of(self, granted: Mapping[str, str]) -> dict[str, str]:
        """Return the permissions of a token where so much was granted."""
        extra = {name: level for name, level in self.where_granted.items() if _covers(granted.get(name, ""), level)}
        return {**self.permissions, **extra}


PERMISSIONS: Mapping[Topic, Need] = MappingProxyType(
    {
        Topic.APP: Need(
            permissions={},
            reason="the App asks about itself and its missed deliveries with its own signature",
            methods=("app", "installation", "installation_details", "failed_deliveries", "redeliver"),
        ),
        Topic.ACCOUNTS: Need(
            permissions={"metadata": "read"},
            reason="people are known by numeric id, so their present login must be looked up",
            methods=("user",),
        ),
        Topic.REPOSITORY: Need(
            permissions={"metadata": "read"},
            reason="the default branch, and what a person may do in the repository, are read at the moment of acting",
            methods=("default_branch", "permission"),
        ),
        Topic.LISTENING: Need(
            permissions={"issues": "read"},
            where_granted={"pull_requests": "read"},
            reason="commands are comments, and release blockers are labels of issues and, in private repositories too, of pull requests",
            methods=("comment", "comments", "comments_since", "issue", "issues_by", "open_issues", "label"),
        ),
        Topic.TALKING: Need(
            permissions={"issues": "write"},
            reason="the bot shows the state of a release in comments and tells people what waits on them",
            methods=("create_comment", "edit_comment", "react", "create_issue"),
        ),
        Topic.REFS: Need(
            permissions={"contents": "read"},
            reason="the heads of branches, tags and tag objects are compared with what was approved",
            methods=("ref", "matching_refs", "tag_object", "file", "stored_file", "fetch_token"),
        ),
        Topic.RULES: Need(
            permissions={"metadata": "read"},
            reason="before the freeze it must be known which other rules would stop the push",
            methods=("rulesets", "branch_rules"),
        ),
        Topic.PROTECTION: Need(
            permissions={"administration": "read"},
            reason="classic branch protection may stop the push as well, and only administration shows it",
            methods=("branch_protection", "protection", "protection_rule"),
        ),
        Topic.FREEZING: Need(
            permissions={"administration": "write"},
            reason="a freeze is a ruleset, or classic protection where there are none, and GitHub shows who may pass a ruleset only to "
            "those who may change it",
            methods=(
                *("ruleset", "create_ruleset", "delete_ruleset"),
                *("protect", "require_signatures", "unrequire_signatures", "unprotect"),
            ),
        ),
        Topic.TEAMS: Need(
            permissions={"members": "read"},
            reason="only members of the release team are obeyed",
            methods=("team_membership",),
        ),
        Topic.READING_CHECKS: Need(
            permissions={"checks": "read"},
            reason="the bot finds its own check runs again after a crash",
            methods=("check_runs",),
        ),
        Topic.CHECKS: Need(
            permissions={"checks": "write"},
            reason="the verdict of every step stands at the commit it is about",
            methods=("create_check_run", "update_check_run"),
        ),
        Topic.READING_WORKFLOWS: Need(
            permissions={"actions": "read"},
            reason="the runs that build a release are watched, and their logs and files are held against what was approved",
            methods=("workflow_runs", "workflow_run", "jobs", "job_log", "artifacts", "artifact_files"),
        ),
        Topic.WORKFLOWS: Need(
            permissions={"actions": "write"},
            reason="the builds of an approved tag are workflows that somebody must start, start again where a job failed, and stop once "
            "nobody wants them any more",
            methods=("dispatch_workflow", "rerun_failed_jobs", "cancel_run"),
        ),
        Topic.PUSHING: Need(
            permissions={"contents": "write"},
            reason="the approved branch and tag are pushed in one atomic push",
            methods=("push_token",),
        ),
        Topic.PUSHING_WORKFLOWS: Need(
            permissions={"contents": "write", "workflows": "write"},
            reason="without it GitHub refuses changed workflow files, which a release branch carries sooner or later",
            methods=("push_token",),
        ),
        Topic.TIDYING: Need(
            permissions={"contents": "write"},
            reason="the branch a release was cut on is deleted in the manager's fork, where the App is installed there",
            methods=("delete_ref",),
        ),
        Topic.LABELLING: Need(
            permissions={"issues": "write"},
            where_granted={"pull_requests": "write"},
            reason="what was put off for a release blocks the next one again, and a new series has labels of its own",
            methods=("create_label", "add_label", "remove_label"),
        ),
        Topic.PROPOSING: Need(
            permissions={"contents": "write", "pull_requests": "write"},
            reason="the schedule is kept in another repository, where the dates of a release are proposed by a pull request, "
            "which the bot may merge",
            methods=("pulls_from", "create_branch", "write_file", "open_pull", "pull", "parents", "merge_pull"),
            needed=False,
        ),
    }
)


def wanted() -> dict[str, str]:
    """Return what the App should be granted: every permission of the table at its highest level."""
    return _highest(level for need in PERMISSIONS.values() for level in (*need.permissions.items(), *need.where_granted.items()))


def missing(granted: Mapping[str, str]) -> dict[str, str]:
    """Return what an installation lacks of what the bot cannot do without; ``admin`` includes ``write``, which includes ``read``."""
    required = _highest(level for need in PERMISSIONS.values() if need.needed for level in need.permissions.items())
    return {name: level for name, level in required.items() if not _covers(granted.get(name, ""), level)}


def table() -> str:
    """Return the table as Markdown, for the documentation."""
    rows = ["| for | permissions of the token | because |", "|---|---|---|"]
    for topic, need in PERMISSIONS.items():
        each = [f"{name}: {level}" for name, level in need.permissions.items()]
        each += [f"{name}: {level} (where granted)" for name, level in need.where_granted.items()]
        rows.append(f"| {topic} | {', '.join(each) or 'none'} | {need.reason} |")
    return "\n".join(rows) + "\n"


def _highest(levels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return every permission at its highest level, sorted by name."""
    result: dict[str, str] = {}
    for name, level in levels:
        if not _covers(result.get(name, ""), level):
            result[name] = level
    return dict(sorted(result.items()))


def _covers(granted: str, level: str) -> bool:
    """Tell whether a granted level is enough."""
    return _RANK.get(granted, 0) >= _RANK[level]
