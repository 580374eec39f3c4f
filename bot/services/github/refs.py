"""Refs and tag objects, and the tokens for git itself."""

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.release.ids import ObjectId, Ref, Repository, TagId
from bot.services.answers import MalformedAnswer
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes import AnnotatedTag, RefTarget
from bot.services.github.verdict import GitHubRefused


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file as a branch, tag or commit has it; ``id`` is that of its content, which GitHub wants to hear before it changes it."""

    id: ObjectId
    content: bytes


@dataclass(frozen=True, kw_only=True)
class _File:
    type: Literal["file"]
    encoding: Literal["base64"]
    content: str
    sha: Annotated[ObjectId, Field(pattern="^[0-9a-f]{40}$")]

    def decoded(self, path: str) -> bytes:
        """Return the file's bytes."""
        try:
            return base64.b64decode("".join(self.content.split()), validate=True)
        except ValueError:
            raise MalformedAnswer(f"GitHub's copy of {path} is not in base64") from None


_FILE = TypeAdapter(_File)
_REF = TypeAdapter(RefTarget)
_TAG = TypeAdapter(AnnotatedTag)


class Refs(TopicBase):
    """What the names of a repository point to.

    Reading needs ``contents: read``, deleting ``contents: write``, a push ``workflows: write`` as well.

    ``via`` lets a public fork be read with the token of a repository where the App is installed.
    """

    async def ref(self, repository: Repository, ref: Ref, *, via: Repository | None = None) -> RefTarget | None:
        """Return what a full ref points to, or None when it does not exist. Permission: REFS.

        https://docs.github.com/en/rest/git/refs#get-a-reference
        """
        scope = await self._scope(repository, Topic.REFS, via=via)
        target = await scope.find(_REF, "/repos/{owner}/{repo}/git/ref{/ref*}", ref=_segments(ref))
        if target is not None and target.ref != _full(ref):
            raise MalformedAnswer(f"GitHub was asked for {_full(ref)} and answered with {target.ref}")
        return target

    async def matching_refs(self, repository: Repository, prefix: str, *, via: Repository | None = None) -> list[RefTarget]:
        """Return all refs that begin with a prefix such as ``tags/v``. Permission: REFS.

        https://docs.github.com/en/rest/git/refs#list-matching-references
        """
        scope = await self._scope(repository, Topic.REFS, via=via)
        return await scope.every(_REF, "/repos/{owner}/{repo}/git/matching-refs{/ref*}", ref=_segments(prefix))

    async def tag_object(self, repository: Repository, tag: TagId | ObjectId, *, via: Repository | None = None) -> AnnotatedTag | None:
        """Return an annotated tag's object, or None when there is none of that id. Permission: REFS.

        https://docs.github.com/en/rest/git/tags#get-a-tag
        """
        scope = await self._scope(repository, Topic.REFS, via=via)
        return await scope.find(_TAG, "/repos/{owner}/{repo}/git/tags/{tag}", tag=tag)

    async def file(self, repository: Repository, path: str, ref: str, *, via: Repository | None = None) -> bytes | None:
        """Return a small file as it is at a branch, tag or commit, or None when there is none. Permission: REFS.

        GitHub gives the content of files up to one megabyte; for larger ones, and for directories, MalformedAnswer is raised.
        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        stored = await self.stored_file(repository, path, ref, via=via)
        return stored.content if stored else None

    async def stored_file(self, repository: Repository, path: str, ref: str, *, via: Repository | None = None) -> StoredFile | None:
        """Return the same with the id of the content. Permission: REFS."""
        scope = await self._scope(repository, Topic.REFS, via=via)
        found = await scope.find(_FILE, "/repos/{owner}/{repo}/contents{/segments*}{?ref}", segments=path.split("/"), ref=ref)
        return StoredFile(id=found.sha, content=found.decoded(path)) if found else None

    async def delete_ref(self, repository: Repository, ref: Ref) -> None:
        """Delete a ref, wherever it points to; one that is gone already is fine. Permission: TIDYING.

        GitHub answers 422 for one that does not exist as well as for one that a rule keeps, so it is looked for then.
        https://docs.github.com/en/rest/git/refs#delete-a-reference
        """
        scope = await self._scope(repository, Topic.TIDYING)
        try:
            await scope.act("DELETE", "/repos/{owner}/{repo}/git/refs{/ref*}", None, ref=_segments(ref))
        except GitHubRefused as refused:
            if refused.status != HTTPStatus.UNPROCESSABLE_ENTITY or await self.ref(repository, ref) is not None:
                raise

    async def fetch_token(self, repository: Repository) -> str:
        """Return a token that can only read this repository's contents, for git. Permission: REFS."""
        return await self._connection.tokens.get(await self._connection.grant(repository, Topic.REFS))

    async def push_token(self, repository: Repository, *, workflows: bool) -> str:
        """Mint a token that can push to this one repository, and nothing else; never shared. Permission: PUSHING.

        Give it back with ``revoke`` as soon as the push is over. ``workflows`` adds ``workflows: write``, without which GitHub refuses refs
        that carry workflow files other than those it has.
        """
        topic = Topic.PUSHING_WORKFLOWS if workflows else Topic.PUSHING
        return await self._connection.tokens.fresh(await self._connection.grant(repository, topic))

    async def revoke(self, token: str) -> None:
        """Make a token useless from now on; one that is dead already is fine.

        https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token
        """
        await self._connection.revoke(token)


def _full(ref: str) -> str:
    """Return a ref with its ``refs/`` in front."""
    return ref if ref.startswith("refs/") else f"refs/{ref}"


def _segments(ref: str) -> list[str]:
    """Split a ref into path segments, without ``refs/``, as the API wants it."""
    return ref.removeprefix("refs/").split("/")
