"""Check runs: the verdict of every step, at the commit it is about."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from bot.release.ids import CommitId, Repository
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes import CheckRun, CheckRunDraft
from bot.services.github.shapes_checks import CheckAnnotation

_RUN = TypeAdapter(CheckRun)

TEXT_LIMIT = 65535
"""GitHub's limit for the summary and the text of a check run, counted here in bytes, the stricter reading."""

MOST_ANNOTATIONS = 50
"""GitHub takes no more of them in one request, and keeps those of all requests for one check run."""

_CUT = "\n\n… (shortened)"


class Checks(TopicBase):
    """The bot's own check runs. Reading needs ``checks: read``, writing ``checks: write``."""

    async def create_check_run(self, repository: Repository, draft: CheckRunDraft) -> CheckRun:
        """Make a check run at a commit. Permission: CHECKS. Raise Refused (422) for a commit that the repository does not have.

        Annotations that do not fit into one request follow in others.
        https://docs.github.com/en/rest/checks/runs#create-a-check-run
        """
        scope = await self._scope(repository, Topic.CHECKS)
        body = {"head_sha": draft.head, **_body(draft, draft.annotations[:MOST_ANNOTATIONS])}
        made = await scope.send(_RUN, "POST", "/repos/{owner}/{repo}/check-runs", body)
        if len(draft.annotations) <= MOST_ANNOTATIONS:
            return made
        return await self.update_check_run(repository, made.id, draft, annotated=MOST_ANNOTATIONS)

    async def update_check_run(self, repository: Repository, run: int, draft: CheckRunDraft, *, annotated: int = 0) -> CheckRun:
        """Bring a check run up to date; its commit stays what it was. Permission: CHECKS.

        GitHub adds annotations to those that the check run has, and never takes one away: ``annotated`` is how many of the draft's it has.
        https://docs.github.com/en/rest/checks/runs#update-a-check-run
        """
        scope = await self._scope(repository, Topic.CHECKS)
        rest = draft.annotations[annotated:]
        parts = [rest[start : start + MOST_ANNOTATIONS] for start in range(0, len(rest), MOST_ANNOTATIONS)]
        updates = [
            await scope.send(_RUN, "PATCH", "/repos/{owner}/{repo}/check-runs/{run}", _body(draft, part), run=run) for part in parts or [()]
        ]
        return updates[-1]

    async def check_runs(self, repository: Repository, commit: CommitId, *, name: str | None = None) -> list[CheckRun]:
        """Return all of the bot's own check runs at a commit, also superseded ones. Permission: READING_CHECKS.

        Only runs that carry our App's id count: any App may give a run any name.
        https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
        """
        scope = await self._scope(repository, Topic.READING_CHECKS)
        path = "/repos/{owner}/{repo}/commits/{commit}/check-runs{?check_name,filter,app_id,per_page}"
        ours = self._connection.app_id
        runs = await scope.every(_RUN, path, key="check_runs", commit=commit, check_name=name, filter="all", app_id=ours)
        return [run for run in runs if run.app_id == ours]


def _body(draft: CheckRunDraft, annotations: Sequence[CheckAnnotation]) -> dict[str, object]:
    """Write a draft as GitHub's description of the request wants it, with some of its annotations; what is empty is left out."""
    output: dict[str, object] = {"title": draft.title, "summary": _shortened(draft.summary)}
    if annotations:
        output["annotations"] = [_annotation(one) for one in annotations]
    if draft.text:
        output["text"] = _shortened(draft.text)
    body: dict[str, object] = {"name": draft.name, "external_id": draft.external_id, "status": draft.status.value, "output": output}
    if draft.conclusion is not None:
        body["conclusion"] = draft.conclusion.value
    if draft.details_url:
        body["details_url"] = draft.details_url
    if draft.actions:
        body["actions"] = [
            {"label": action.label, "description": action.description, "identifier": action.identifier} for action in draft.actions
        ]
    return body


def _annotation(one: CheckAnnotation) -> dict[str, object]:
    title = {"title": one.title} if one.title else {}
    lines = {"path": one.path, "start_line": one.first, "end_line": one.last}
    return {**lines, "annotation_level": one.level.value, "message": one.message, **title}


def _shortened(text: str) -> str:
    """Keep a text within GitHub's limit, and say so where it was cut."""
    raw = text.encode()
    if len(raw) <= TEXT_LIMIT:
        return text
    return raw[: TEXT_LIMIT - len(_CUT.encode())].decode(errors="ignore") + _CUT
