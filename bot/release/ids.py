"""Name the ids that travel through the whole program, so that one is never taken for another."""

from collections.abc import Sequence
from typing import NewType

ObjectId = NewType("ObjectId", str)
"""Any git object's id: 40 lower-case hexadecimal digits."""

TagId = NewType("TagId", str)
"""The id of an annotated tag's own object, which is not the commit it points to."""

CommitId = NewType("CommitId", str)
"""The id of a commit."""

Ref = NewType("Ref", str)
"""A full ref name such as ``refs/heads/main``; never a short name."""

UserId = NewType("UserId", int)
"""GitHub's numeric account id: logins can be renamed and registered again, this cannot."""

CommentId = NewType("CommentId", int)
"""GitHub's id of an issue comment."""

IssueNumber = NewType("IssueNumber", int)
"""The number of an issue in its repository."""

RulesetId = NewType("RulesetId", int)
"""GitHub's id of a repository ruleset."""

RunId = NewType("RunId", int)
"""GitHub's id of a workflow run; it stays the same when the run is tried again."""

JobId = NewType("JobId", int)
"""GitHub's id of one job of a workflow run; every attempt has others."""

ArtifactId = NewType("ArtifactId", int)
"""GitHub's id of an artifact of a workflow run."""

ReleaseId = NewType("ReleaseId", str)
"""What names a release for ever, in markers and rule names; see ``release_id``."""

WorkKey = NewType("WorkKey", str)
"""The key of a row of work; see ``work_key`` and ``watch_key``."""

Repository = NewType("Repository", str)
"""``OWNER/NAME`` as GitHub spells it."""


def watch_key(project: str) -> WorkKey:
    """Return the key of the watch over a project's repository: ``PROJECT``."""
    return WorkKey(project)


def work_key(project: str, homes: Sequence[str], home: str, issue: int) -> WorkKey:
    """Return the key of an issue: ``PROJECT#ISSUE``, with ``@OWNER/NAME`` behind it where it is not in the first repository of commands."""
    first = home.casefold() == homes[0].casefold()
    return WorkKey(f"{project}#{issue}" if first else f"{project}#{issue}@{home.casefold()}")


def release_id(project: str, version: object, homes: Sequence[str], home: str, issue: int) -> ReleaseId:
    """Return ``PROJECT-VERSION-ISSUE``, such as ``cpython-3.15.0a3-42``; with ``@OWNER/NAME`` outside the first repository of commands."""
    return ReleaseId(f"{project}-{version}-{work_key(project, homes, home, issue).partition('#')[2]}")


def branch_ref(branch: str) -> Ref:
    """Return the full ref of a branch."""
    return Ref(f"refs/heads/{branch}")


def tag_ref(tag: str) -> Ref:
    """Return the full ref of a tag."""
    return Ref(f"refs/tags/{tag}")
