"""Comments and issues: where people and the bot talk."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter

from bot.release.ids import CommentId, IssueNumber, Repository
from bot.services.github.connection import TopicBase
from bot.services.github.fields import timestamp
from bot.services.github.permissions import Topic
from bot.services.github.shapes import Comment, Issue, Reaction

_COMMENT = TypeAdapter(Comment)
_ISSUE = TypeAdapter(Issue)


class Comments(TopicBase):
    """What is said on issues. Reading needs ``issues: read`` and ``pull_requests: read``, writing ``issues: write``."""

    async def comment(self, repository: Repository, comment: CommentId) -> Comment | None:
        """Return a comment as it stands now, or None when it is gone. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/comments#get-an-issue-comment
        """
        scope = await self._scope(repository, Topic.LISTENING)
        return await scope.find(_COMMENT, "/repos/{owner}/{repo}/issues/comments/{comment}", comment=comment)

    async def comments(self, repository: Repository, issue: IssueNumber) -> list[Comment]:
        """Return all comments of an issue, oldest first. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/comments#list-issue-comments
        """
        scope = await self._scope(repository, Topic.LISTENING)
        return await scope.every(_COMMENT, "/repos/{owner}/{repo}/issues/{issue}/comments{?per_page}", issue=issue)

    async def comments_since(self, repository: Repository, since: datetime) -> list[Comment]:
        """Return the comments of all issues that were written or changed since then, least recently changed first. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
        """
        scope = await self._scope(repository, Topic.LISTENING)
        path = "/repos/{owner}/{repo}/issues/comments{?sort,direction,since,per_page}"
        return await scope.every(_COMMENT, path, sort="updated", direction="asc", since=timestamp(since))

    async def create_comment(self, repository: Repository, issue: IssueNumber, body: str) -> Comment:
        """Write a comment. Permission: TALKING. Raise Refused when the issue is gone (410) or the text is empty or too long (422).

        https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
        """
        scope = await self._scope(repository, Topic.TALKING)
        return await scope.send(_COMMENT, "POST", "/repos/{owner}/{repo}/issues/{issue}/comments", {"body": body}, issue=issue)

    async def edit_comment(self, repository: Repository, comment: CommentId, body: str) -> Comment:
        """Replace the text of a comment; nobody is notified. Permission: TALKING.

        https://docs.github.com/en/rest/issues/comments#update-an-issue-comment
        """
        scope = await self._scope(repository, Topic.TALKING)
        return await scope.send(_COMMENT, "PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", {"body": body}, comment=comment)

    async def react(self, repository: Repository, comment: CommentId, content: Reaction) -> None:
        """Put a reaction on a comment; a second one of the same kind changes nothing. Permission: TALKING.

        https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment
        """
        scope = await self._scope(repository, Topic.TALKING)
        path = "/repos/{owner}/{repo}/issues/comments/{comment}/reactions"
        await scope.act("POST", path, {"content": content}, comment=comment)

    async def issue(self, repository: Repository, number: IssueNumber) -> Issue | None:
        """Return an issue or pull request, or None when there is none of that number. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/issues#get-an-issue
        """
        scope = await self._scope(repository, Topic.LISTENING)
        return await scope.find(_ISSUE, "/repos/{owner}/{repo}/issues/{issue}", issue=number)

    async def create_issue(self, repository: Repository, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue. Permission: TALKING.

        https://docs.github.com/en/rest/issues/issues#create-an-issue
        """
        scope = await self._scope(repository, Topic.TALKING)
        wanted = {"title": title, "body": body, "labels": list(labels)}
        return await scope.send(_ISSUE, "POST", "/repos/{owner}/{repo}/issues", wanted)

    async def issues_by(self, repository: Repository, login: str) -> list[Issue]:
        """Return the open and closed issues that an account opened. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/issues#list-repository-issues
        """
        scope = await self._scope(repository, Topic.LISTENING)
        return await scope.every(_ISSUE, "/repos/{owner}/{repo}/issues{?creator,state,per_page}", creator=login, state="all")

    async def open_issues(self, repository: Repository, label: str) -> list[Issue]:
        """Return the open issues and pull requests with a label, oldest first. Permission: LISTENING.

        https://docs.github.com/en/rest/issues/issues#list-repository-issues
        """
        scope = await self._scope(repository, Topic.LISTENING)
        path = "/repos/{owner}/{repo}/issues{?state,labels,sort,direction,per_page}"
        return await scope.every(_ISSUE, path, state="open", labels=label, sort="created", direction="asc")
