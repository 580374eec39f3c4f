"""Pull requests of the App's own: a branch, a changed file on it, and the wish to have it merged."""

import base64
from dataclasses import dataclass
from typing import Annotated

from pydantic import AliasPath, Field, TypeAdapter

from bot.release.ids import CommitId, ObjectId, Repository, branch_ref
from bot.services.github import fields
from bot.services.github.connection import TopicBase, split
from bot.services.github.permissions import Topic
from bot.services.github.shapes import Author, RefTarget


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request; ``state`` is ``open`` or ``closed``, and ``merged`` tells a merged one from one that was turned down."""

    number: fields.Number
    state: str
    url: Annotated[str, Field(validation_alias="html_url")]
    merged: Annotated[fields.There, Field(validation_alias="merged_at")] = False


@dataclass(frozen=True, kw_only=True)
class WholePullRequest(PullRequest):
    """A pull request with what decides whether it may be merged.

    ``head`` is the last of its ``commits``, which change ``changed_files``; ``base`` is the branch it is for. ``mergeable`` is None while
    GitHub is still working that out.
    """

    author: Author
    draft: fields.Truth = False
    head: Annotated[CommitId, Field(validation_alias=AliasPath("head", "sha"), pattern="^[0-9a-f]{40}$")]
    base: Annotated[str, Field(validation_alias=AliasPath("base", "ref"))]
    commits: fields.Number
    changed_files: fields.Number
    mergeable: fields.Truth | None = None
    created: Annotated[fields.Moment, Field(validation_alias="created_at")]


@dataclass(frozen=True, kw_only=True)
class _Parent:
    sha: Annotated[CommitId, Field(pattern="^[0-9a-f]{40}$")]


@dataclass(frozen=True, kw_only=True)
class _Commit:
    parents: tuple[_Parent, ...]


@dataclass(frozen=True, kw_only=True)
class PullRequestDraft:
    """A pull request to be made, from one branch of a repository to another."""

    head: str
    base: str
    title: str
    body: str


_PULL = TypeAdapter(PullRequest)
_WHOLE = TypeAdapter(WholePullRequest)
_COMMIT = TypeAdapter(_Commit)
_REF = TypeAdapter(RefTarget)
_NOTHING = TypeAdapter(object)


class Proposals(TopicBase):
    """What the App proposes elsewhere. Reading needs ``pull_requests: read``, proposing that and ``contents`` to be written."""

    async def pulls_from(self, repository: Repository, branch: str) -> list[PullRequest]:
        """Return the pull requests from a branch of the repository itself, open and closed. Permission: PROPOSING.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        head = f"{split(repository)[0]}:{branch}"
        return await scope.every(_PULL, "/repos/{owner}/{repo}/pulls{?state,head,per_page}", state="all", head=head)

    async def create_branch(self, repository: Repository, branch: str, commit: CommitId | ObjectId) -> None:
        """Begin a branch at a commit. Permission: PROPOSING. Raise Refused (422) where it is there already.

        https://docs.github.com/en/rest/git/refs#create-a-reference
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        await scope.send(_REF, "POST", "/repos/{owner}/{repo}/git/refs", {"ref": branch_ref(branch), "sha": commit})

    async def write_file(self, repository: Repository, branch: str, path: str, content: bytes, *, old: ObjectId, message: str) -> None:
        """Change a file on a branch by a commit of the App. Permission: PROPOSING.

        Raise Refused (409) where the file does not hold what ``old`` is the id of any more.
        https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        wanted = {"message": message, "content": base64.b64encode(content).decode(), "sha": old, "branch": branch}
        await scope.send(_NOTHING, "PUT", "/repos/{owner}/{repo}/contents{/segments*}", wanted, segments=path.split("/"))

    async def open_pull(self, repository: Repository, draft: PullRequestDraft) -> PullRequest:
        """Open a pull request. Permission: PROPOSING. Raise Refused (422) where there is an open one from the same branch.

        https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        wanted = {"title": draft.title, "body": draft.body, "head": draft.head, "base": draft.base}
        return await scope.send(_PULL, "POST", "/repos/{owner}/{repo}/pulls", wanted)

    async def pull(self, repository: Repository, number: int) -> WholePullRequest:
        """Return a pull request as it is now; asking makes GitHub work out whether it can be merged. Permission: PROPOSING.

        https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        return await scope.get(_WHOLE, "/repos/{owner}/{repo}/pulls/{number}", number=str(number))

    async def parents(self, repository: Repository, commit: CommitId) -> tuple[CommitId, ...]:
        """Return the commits on which one stands. Permission: PROPOSING.

        https://docs.github.com/en/rest/git/commits#get-a-commit-object
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        found = await scope.get(_COMMIT, "/repos/{owner}/{repo}/git/commits/{commit}", commit=commit)
        return tuple(parent.sha for parent in found.parents)

    async def merge_pull(self, repository: Repository, number: int, head: CommitId) -> None:
        """Merge a pull request as one commit, if it still brings ``head``. Permission: PROPOSING.

        Raise Refused: 405 where it cannot be merged, or a rule, a review or a check is in the way; 409 where it brings something else.
        https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
        """
        scope = await self._scope(repository, Topic.PROPOSING)
        wanted = {"sha": head, "merge_method": "squash"}
        await scope.send(_NOTHING, "PUT", "/repos/{owner}/{repo}/pulls/{number}/merge", wanted, number=str(number))
