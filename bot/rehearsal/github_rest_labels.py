"""Answer for labels, of a repository and on its issues: https://docs.github.com/en/rest/issues/labels."""

import re

from aiohttp import web

from bot.rehearsal.github_desk import Desk, answer, fields, text_field
from bot.rehearsal.github_model import Issue, Repository
from bot.rehearsal.github_problems import Invalid, NotFound, Problem
from bot.rehearsal.github_shapes_work import label_shape

REPOSITORY = "/repos/{owner}/{repo}"
COLOUR = re.compile("[0-9A-Fa-f]{6}")
LONGEST_DESCRIPTION = 100


class LabelsRest:
    """The endpoints by which issues and pull requests are sorted."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get(f"{REPOSITORY}/labels/{{name}}", self.label),
            web.post(f"{REPOSITORY}/labels", self.create),
            web.post(f"{REPOSITORY}/issues/{{issue_number}}/labels", self.add),
            web.delete(f"{REPOSITORY}/issues/{{issue_number}}/labels/{{name}}", self.remove),
        ]

    async def label(self, request: web.Request) -> web.Response:
        """Return one label of a repository."""
        repository = self._desk.repository(request)
        return answer(label_shape(self._desk.links, repository, _known(repository, request.match_info["name"])))

    async def create(self, request: web.Request) -> web.Response:
        """Make a label; GitHub does not tell capitals apart."""
        repository, name, wanted = self._desk.repository(request), text_field(request, "Label", "name"), fields(request)
        colour, description = str(wanted.get("color", "ededed")), str(wanted.get("description", ""))
        if any(name.lower() == known.lower() for known in repository.labels):
            raise Invalid("Label", "name", code="already_exists")
        if not COLOUR.fullmatch(colour):
            raise Invalid("Label", "color")
        if len(description) > LONGEST_DESCRIPTION:
            raise Invalid("Label", "description")
        self._desk.acts.create_label(self._desk.app.bot, repository, name, colour=colour, description=description)
        return answer(label_shape(self._desk.links, repository, name), 201)

    async def add(self, request: web.Request) -> web.Response:
        """Put labels on an issue; those that it has already stay."""
        repository, issue = self._desk.repository(request), self._desk.issue(request)
        names = fields(request).get("labels")
        if not isinstance(names, list) or not names:
            raise Invalid("Issue", "labels", code="missing_field")
        for name in names:
            self._desk.acts.label(self._desk.app.bot, repository, issue, str(name))
        return self._labels(repository, issue)

    async def remove(self, request: web.Request) -> web.Response:
        """Take a label off an issue; 404 where it is not on it."""
        repository, issue = self._desk.repository(request), self._desk.issue(request)
        name = request.match_info["name"]
        if name not in issue.labels:
            raise Problem(404, "Label does not exist")
        self._desk.acts.unlabel(self._desk.app.bot, repository, issue, name)
        return self._labels(repository, issue)

    def _labels(self, repository: Repository, issue: Issue) -> web.Response:
        return answer([label_shape(self._desk.links, repository, name) for name in issue.labels])


def _known(repository: Repository, name: str) -> str:
    found = next((known for known in repository.labels if known.lower() == name.lower()), None)
    if found is None:
        raise NotFound
    return found
