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

ReleaseId = NewType("ReleaseId", str)
"""``PROJECT-VERSION-ISSUE``, for example ``cpython-3.15.0a3-42``: unique for ever, used in markers and rule names."""

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


def branch_ref(branch: str) -> Ref:
    """Return the full ref of a branch."""
    return Ref(f"refs/heads/{branch}")


def tag_ref(tag: str) -> Ref:
    """Return the full ref of a tag."""
    return Ref(f"refs/tags/{tag}")
