"""Git, the command line, as a careful and disposable servant: fetch by exact id, read, write one commit, push atomically.

    git = Git(home, "https://github.com")
    await git.fetch(repository, [tag_id, frozen_head], token)    # commits with their history and trees, tag objects, blobs: any exact ids
    await git.fetch_range(repository, base, tip, token)          # the same, plus the trees and the changed blobs of every commit between
    await git.diff(base, tip)                                    # everything from here on is local
    await git.push(upstream, plan, token)

Each project gets a ``Git`` with a home of its own. What is there is a cache: it may vanish at any time, after which reading raises
``ObjectMissing`` (an ``Unavailable``) until the objects are fetched again.

Requires git 2.39 or newer (https://git-scm.com/docs/git).
"""

from bot.services.git.client import Git
from bot.services.git.errors import GitError, ObjectMissing, TooLarge
from bot.services.git.model import Change, Commit, Identity, Limits, Merged, Moment, PushedRef, PushReport, PushStatus, Range
from bot.services.git.objects import EMPTY_TREE

__all__ = [
    "EMPTY_TREE",
    "Change",
    "Commit",
    "Git",
    "GitError",
    "Identity",
    "Limits",
    "Merged",
    "Moment",
    "ObjectMissing",
    "PushReport",
    "PushStatus",
    "PushedRef",
    "Range",
    "TooLarge",
]
