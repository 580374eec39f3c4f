"""Answer for issues, comments and reactions: https://docs.github.com/en/rest/issues."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from bot.rehearsal.github_desk import Desk, answer, fields, paged, text_field
from bot.rehearsal.github_model import Comment, Issue, JsonObject
from bot.rehearsal.github_problems import Invalid, Problem
from bot.rehearsal.github_shapes_work import REACTIONS, comment_shape, issue_shape, reaction_shape

LONGEST_BODY = 65_536
"""Characters in a comment; a longer one is refused with 422."""

REPOSITORY = "/repos/{owner}/{repo}"

Written = TypeVar("Written", Comment, Issue)


class TalkRest:
    """The endpoints by which people and the bot talk."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths; the fixed one stands before the one with the number."""
        return [
            web.get(f"{REPOSITORY}/issues", self.issues),
            web.post(f"{REPOSITORY}/issues", self.open_issue),
            web.get(f"{REPOSITORY}/issues/comments", self.all_comments),
            web.get(f"{REPOSITORY}/issues/comments/{{comment_id}}", self.comment),
            web.patch(f"{REPOSITORY}/issues/comments/{{comment_id}}", self.edit_comment),
            web.get(f"{REPOSITORY}/issues/comments/{{comment_id}}/reactions", self.reactions),
            web.post(f"{REPOSITORY}/issues/comments/{{comment_id}}/reactions", self.react),
            web.get(f"{REPOSITORY}/issues/{{issue_number}}", self.issue),
            web.get(f"{REPOSITORY}/issues/{{issue_number}}/comments", self.comments),
            web.post(f"{REPOSITORY}/issues/{{issue_number}}/comments", self.say),
        ]

    async def issues(self, request: web.Request) -> web.Response:
        """List issues and pull requests by labels (all of them), state and who opened them."""
        state, creator = request.query.get("state", "open"), request.query.get("creator")
        labels = {label for label in request.query.get("labels", "").split(",") if label}
        since = _since(request)
        chosen = [
            issue
            for issue in self._desk.repository(request).issues.values()
            if state in ("all", issue.state) and labels <= set(issue.labels) and (since is None or issue.updated >= since)
            if creator is None or issue.author.login.casefold() == creator.casefold()
        ]
        return paged(request, [self._issue(issue) for issue in self._ordered(request, chosen, newest_first=True)])

    async def open_issue(self, request: web.Request) -> web.Response:
        """Open an issue as the App."""
        wanted = fields(request)
        labels = wanted.get("labels", [])
        issue = self._desk.acts.open_issue(
            self._desk.app.bot,
            self._desk.repository(request),
            text_field(request, "Issue", "title"),
            body=str(wanted.get("body") or ""),
            labels=[str(label) for label in labels] if isinstance(labels, list) else [],
            is_pull_request=False,
        )
        return answer(self._issue(issue), 201)

    async def issue(self, request: web.Request) -> web.Response:
        """Return one issue."""
        return answer(self._issue(self._desk.issue(request)))

    async def comments(self, request: web.Request) -> web.Response:
        """List the comments of one issue, oldest first."""
        since = _since(request)
        chosen = [comment for comment in self._desk.issue(request).comments if since is None or comment.updated >= since]
        return paged(request, [self._comment(comment) for comment in chosen])

    async def all_comments(self, request: web.Request) -> web.Response:
        """List the comments of all issues of a repository that changed since a moment."""
        name, since = self._desk.repository(request).name, _since(request)
        chosen = [c for c in self._desk.model.comments.values() if c.repository == name and (since is None or c.updated >= since)]
        return paged(request, [self._comment(comment) for comment in self._ordered(request, chosen, newest_first=False)])

    async def say(self, request: web.Request) -> web.Response:
        """Comment as the App."""
        issue = self._desk.issue(request)
        comment = self._desk.acts.comment(self._desk.app.bot, self._desk.repository(request), issue, _body(request), through_app=True)
        return answer(self._comment(comment), 201)

    async def comment(self, request: web.Request) -> web.Response:
        """Return one comment."""
        return answer(self._comment(self._desk.comment(request)))

    async def edit_comment(self, request: web.Request) -> web.Response:
        """Write a comment anew as the App."""
        comment = self._desk.comment(request)
        self._desk.acts.edit_comment(self._desk.app.bot, comment, _body(request))
        return answer(self._comment(comment))

    async def reactions(self, request: web.Request) -> web.Response:
        """List the reactions to a comment."""
        content = request.query.get("content")
        chosen = [reaction for reaction in self._desk.comment(request).reactions if content in (None, reaction.content)]
        return paged(request, [reaction_shape(self._desk.links, reaction) for reaction in chosen])

    async def react(self, request: web.Request) -> web.Response:
        """React to a comment; once more changes nothing and is answered 200."""
        content = text_field(request, "Reaction", "content")
        if content not in REACTIONS:
            raise Invalid("Reaction", "content")
        reaction, is_new = self._desk.acts.react(self._desk.app.bot, self._desk.comment(request), content)
        return answer(reaction_shape(self._desk.links, reaction), 201 if is_new else 200)

    def _issue(self, issue: Issue) -> JsonObject:
        return issue_shape(self._desk.links, self._desk.app, self._desk.model.repositories[issue.repository], issue)

    def _comment(self, comment: Comment) -> JsonObject:
        return comment_shape(self._desk.links, self._desk.app, self._desk.model.repositories[comment.repository], comment)

    @staticmethod
    def _ordered(request: web.Request, items: Iterable[Written], *, newest_first: bool) -> list[Written]:
        direction = request.query.get("direction", "desc" if newest_first else "asc")
        by_update = request.query.get("sort", "created") == "updated"
        return sorted(items, key=lambda item: (item.updated if by_update else item.created, item.id), reverse=direction == "desc")


def _body(request: web.Request) -> str:
    body = text_field(request, "IssueComment", "body")
    if len(body) > LONGEST_BODY:
        raise Invalid("IssueComment", "body", code="custom", message=f"body is too long (maximum is {LONGEST_BODY} characters)")
    return body


def _since(request: web.Request) -> datetime | None:
    text = request.query.get("since")
    if text is None:
        return None
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(422, "Validation Failed", errors=[{"resource": "Issue", "field": "since", "code": "invalid"}]) from None
    if since.tzinfo is None:
        raise Invalid("Issue", "since")
    return since
