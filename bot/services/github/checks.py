"""Check runs: the verdict of every step, at the commit it is about."""

from pydantic import TypeAdapter

from bot.release.ids import CommitId, Repository
from bot.services.github.connection import TopicBase
from bot.services.github.permissions import Topic
from bot.services.github.shapes import CheckRun, CheckRunDraft

_RUN = TypeAdapter(CheckRun)

TEXT_LIMIT = 65535
"""GitHub's limit for the summary and the text of a check run, counted here in bytes, the stricter reading."""

_CUT = "\n\n… (shortened)"


class Checks(TopicBase):
    """The bot's own check runs. Reading needs ``checks: read``, writing ``checks: write``."""

    async def create_check_run(self, repository: Repository, draft: CheckRunDraft) -> CheckRun:
        """Make a check run at a commit. Permission: CHECKS. Raise Refused (422) for a commit that the repository does not have.

        https://docs.github.com/en/rest/checks/runs#create-a-check-run
        """
        scope = await self._scope(repository, Topic.CHECKS)
        body = {"head_sha": draft.head, **_body(draft)}
        return await scope.send(_RUN, "POST", "/repos/{owner}/{repo}/check-runs", body)

    async def update_check_run(self, repository: Repository, run: int, draft: CheckRunDraft) -> CheckRun:
        """Bring a check run up to date; its commit stays what it was. Permission: CHECKS.

        https://docs.github.com/en/rest/checks/runs#update-a-check-run
        """
        scope = await self._scope(repository, Topic.CHECKS)
        return await scope.send(_RUN, "PATCH", "/repos/{owner}/{repo}/check-runs/{run}", _body(draft), run=run)

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


def _body(draft: CheckRunDraft) -> dict[str, object]:
    """Write a draft as GitHub's description of the request wants it; what is empty is left out."""
    output = {"title": draft.title, "summary": _shortened(draft.summary)}
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


def _shortened(text: str) -> str:
    """Keep a text within GitHub's limit, and say so where it was cut."""
    raw = text.encode()
    if len(raw) <= TEXT_LIMIT:
        return text
    return raw[: TEXT_LIMIT - len(_CUT.encode())].decode(errors="ignore") + _CUT
