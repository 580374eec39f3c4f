"""What every REST handler has at hand: the parts of this GitHub, what a request names, and the forms of an answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from bot.rehearsal.github_access import Access, Caller
from bot.rehearsal.github_actions import Actions
from bot.rehearsal.github_acts import Acts
from bot.rehearsal.github_model import App, CheckRun, Comment, Issue, JsonObject, Model, Repository, Ruleset, User
from bot.rehearsal.github_policy import Rules
from bot.rehearsal.github_problems import Invalid, NotFound, Problem
from bot.rehearsal.github_protection import Protections
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.github_storage import Storage
from bot.rehearsal.webhooks import Webhooks

CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
BODY: web.RequestKey[object] = web.RequestKey("body", object)

USUAL_PAGE = 30
LARGEST_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of one GitHub."""

    model: Model
    app: App
    links: Links
    acts: Acts
    rules: Rules
    protections: Protections
    access: Access
    webhooks: Webhooks
    actions: Actions
    storage: Storage

    def repository(self, request: web.Request) -> Repository:
        """Return the repository in the path."""
        repository = self.model.repository(f"{request.match_info['owner']}/{request.match_info['repo']}")
        if repository is None:
            raise NotFound
        return repository

    def issue(self, request: web.Request) -> Issue:
        """Return the issue in the path."""
        issue = self.repository(request).issues.get(number(request, "issue_number"))
        if issue is None:
            raise NotFound
        return issue

    def comment(self, request: web.Request) -> Comment:
        """Return the comment in the path, if it is one of that repository."""
        comment = self.model.comments.get(number(request, "comment_id"))
        if comment is None or comment.repository != self.repository(request).name:
            raise NotFound
        return comment

    def ruleset(self, request: web.Request) -> Ruleset:
        """Return the ruleset in the path, if it applies to that repository."""
        ruleset = self.model.rulesets.get(number(request, "ruleset_id"))
        if ruleset is None or ruleset not in self.model.rulesets_of(self.repository(request)):
            raise NotFound
        return ruleset

    def check_run(self, request: web.Request) -> CheckRun:
        """Return the check run in the path, if it is one of that repository."""
        run = self.model.check_run(number(request, "check_run_id"))
        if run is None or run.repository != self.repository(request).name:
            raise NotFound
        return run

    def user(self, login: str) -> User:
        """Return an account by login."""
        user = self.model.user(login)
        if user is None:
            raise NotFound
        return user


def number(request: web.Request, name: str) -> int:
    """Return a number in the path; whatever is no number does not exist."""
    text = request.match_info[name]
    if not text.isdecimal():
        raise NotFound
    return int(text)


def fields(request: web.Request) -> JsonObject:
    """Return the JSON object of the body."""
    body = request[BODY]
    if not isinstance(body, dict):
        raise Problem(400, "Body should be a JSON object")
    return body


def text_field(request: web.Request, resource: str, name: str) -> str:
    """Return a text of the body that must be there and not be blank."""
    value = fields(request).get(name)
    if value is None:
        raise Invalid(resource, name, code="missing_field")
    if not isinstance(value, str) or not value.strip():
        raise Invalid(resource, name, code="custom", message=f"{name} can't be blank")
    return value


def answer(body: object, status: int = 200, headers: CIMultiDict[str] | None = None) -> web.Response:
    """Answer with JSON."""
    return web.json_response(body, status=status, headers=headers)


def _counted(request: web.Request, name: str, usual: int, most: int) -> int:
    text = request.query.get(name, "")
    return max(1, min(int(text), most)) if text.isdecimal() else usual


def paged(request: web.Request, items: Sequence[JsonObject], *, within: str | None = None) -> web.Response:
    """Answer with one page of a list and, in ``Link``, the way to the others.

    ``within`` is the key of the list where it stands in an object beside ``total_count``. See
    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    size = _counted(request, "per_page", USUAL_PAGE, LARGEST_PAGE)
    page = _counted(request, "page", 1, 1_000_000)
    last = max(1, -(-len(items) // size))
    chosen = list(items[(page - 1) * size : page * size])
    turns = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    wanted = [name for name in turns if (page > 1 if name in ("prev", "first") else page < last)]
    links = [f'<{request.url.update_query(page=turns[name])}>; rel="{name}"' for name in wanted]
    headers: CIMultiDict[str] = CIMultiDict({"Link": ", ".join(links)} if links else {})
    return answer(chosen if within is None else {"total_count": len(items), within: chosen}, headers=headers)
