"""Tell the App what happened, in the payloads of https://docs.github.com/en/webhooks/webhook-events-and-payloads."""

from bot.rehearsal.git_objects import read_commit
from bot.rehearsal.git_repository import ABSENT
from bot.rehearsal.github_actions_model import Job, Run
from bot.rehearsal.github_model import App, CheckRun, Comment, Issue, JsonObject, Label, Model, Repository, Ruleset, Team, User
from bot.rehearsal.github_shapes import (
    Links,
    installation_shape,
    node_id,
    organization_shape,
    repository_shape,
    team_shape,
    user_shape,
)
from bot.rehearsal.github_shapes_actions import job_shape, run_shape, workflow_shape
from bot.rehearsal.github_shapes_work import check_run_shape, comment_shape, issue_shape, label_shape, ruleset_shape
from bot.rehearsal.webhooks import Webhooks

MOST_TAGS = 3
"""When more tags than this are pushed at once, there are no events for them at all (push event, GitHub's documentation)."""


class Events:
    """Every event that the App may hear, if it is installed where the event happens and subscribed to it."""

    def __init__(self, model: Model, app: App, links: Links, webhooks: Webhooks) -> None:
        """Speak of this model, to this App."""
        self._model = model
        self._app = app
        self._links = links
        self._webhooks = webhooks

    def comment(self, action: str, repository: Repository, comment: Comment, sender: User, was: str | None = None) -> None:
        """Send issue_comment; ``was`` is the body before an edit."""
        changes: JsonObject = {} if was is None else {"changes": {"body": {"from": was}}}
        payload: JsonObject = {
            "action": action,
            "issue": issue_shape(self._links, self._app, repository, repository.issues[comment.issue]),
            "comment": comment_shape(self._links, self._app, repository, comment),
            **changes,
        }
        self._send("issue_comment", repository, sender, payload)

    def issue(self, action: str, repository: Repository, issue: Issue, sender: User, label: Label | None = None) -> None:
        """Send issues; pull requests have events of their own, to which the App is not subscribed."""
        if issue.is_pull_request:
            return
        named: JsonObject = {} if label is None else {"label": label_shape(self._links, repository, label.name)}
        payload = {"action": action, "issue": issue_shape(self._links, self._app, repository, issue), **named}
        self._send("issues", repository, sender, payload)

    def ruleset(self, action: str, repository: Repository, ruleset: Ruleset, sender: User) -> None:
        """Send repository_ruleset."""
        changes: JsonObject = {"changes": {}} if action == "edited" else {}
        payload = {"action": action, "repository_ruleset": ruleset_shape(self._links, ruleset), **changes}
        self._send("repository_ruleset", repository, sender, payload)

    def check_run(self, action: str, repository: Repository, run: CheckRun, sender: User, identifier: str | None = None) -> None:
        """Send check_run; ``identifier`` names the button that was pressed."""
        pressed: JsonObject = {} if identifier is None else {"requested_action": {"identifier": identifier}}
        payload = {"action": action, "check_run": check_run_shape(self._links, self._app, run), **pressed}
        self._send("check_run", repository, sender, payload)

    def workflow_run(self, action: str, run: Run) -> None:
        """Send workflow_run: requested, in_progress or completed."""
        payload: JsonObject = {
            "action": action,
            "workflow_run": run_shape(self._links, run),
            "workflow": workflow_shape(self._links, run),
        }
        self._send("workflow_run", run.repository, run.triggering_actor, payload)

    def workflow_job(self, action: str, run: Run, job: Job) -> None:
        """Send workflow_job: queued, in_progress or completed."""
        payload: JsonObject = {"action": action, "workflow_job": job_shape(self._links, run, job)}
        self._send("workflow_job", run.repository, run.triggering_actor, payload)

    def membership(self, action: str, organization: User, team: Team, member: User, sender: User) -> None:
        """Send membership, to the installation on the organisation."""
        installation = next((found for found in self._model.installations.values() if found.account is organization), None)
        if installation is None or "membership" not in self._app.events:
            return
        payload: JsonObject = {
            "action": action,
            "scope": "team",
            "member": user_shape(self._links, member),
            "sender": user_shape(self._links, sender),
            "team": team_shape(self._links, organization, team),
            "organization": organization_shape(self._links, organization),
            "installation": {"id": installation.id, "node_id": node_id("Installation", installation.id)},
        }
        self._webhooks.send("membership", payload, installation=installation.id, repository=None)

    def installation(self, action: str, repository: Repository, sender: User) -> None:
        """Send installation, which no App can decline to hear."""
        installation = self._model.installation_of(repository.name)
        if installation is None:
            return
        named = {
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.short_name,
            "full_name": repository.name,
            "private": False,
        }
        payload: JsonObject = {
            "action": action,
            "installation": installation_shape(self._links, self._app, installation),
            "repositories": [named],
            "requester": None,
            "sender": user_shape(self._links, sender),
        }
        self._webhooks.send("installation", payload, installation=installation.id, repository=None)

    async def pushed(self, repository: Repository, sender: User, changes: dict[str, tuple[str, str]]) -> None:
        """Send create, delete and push for every ref that moved from its old to its new id."""
        tags = [ref for ref in changes if ref.startswith("refs/tags/")]
        for ref, (old, new) in changes.items():
            if ref in tags and len(tags) > MOST_TAGS:
                continue
            if ABSENT in (old, new):
                self._ref_came_or_went(repository, sender, ref, came=old == ABSENT)
            payload = await self._push(repository, sender, ref, (old, new))
            self._send("push", repository, sender, payload)

    def _ref_came_or_went(self, repository: Repository, sender: User, ref: str, *, came: bool) -> None:
        kind = "tag" if ref.startswith("refs/tags/") else "branch"
        payload: JsonObject = {"ref": ref.split("/", 2)[2], "ref_type": kind, "pusher_type": "user"}
        if came:
            payload |= {"master_branch": repository.default_branch, "description": None}
        self._send("create" if came else "delete", repository, sender, payload)

    async def _push(self, repository: Repository, sender: User, ref: str, change: tuple[str, str]) -> JsonObject:
        old, new = change
        is_branch = ref.startswith("refs/heads/")
        listed = await repository.git.commits_between(old, new) if is_branch and new != ABSENT else []
        commits = [await self._commit(repository, commit) for commit in listed]
        head = None if new == ABSENT else await repository.git.resolve(f"{new}^{{commit}}")
        forced = is_branch and ABSENT not in change and not await repository.git.is_ancestor(old, new)
        moment = int(repository.created.timestamp())
        described = {**repository_shape(self._links, repository), "stargazers": 0, "master_branch": repository.default_branch}
        return {
            "ref": ref,
            "before": old,
            "after": new,
            "base_ref": None,
            "created": old == ABSENT,
            "deleted": new == ABSENT,
            "forced": forced,
            "compare": f"{self._links.server}/{repository.name}/compare/{old[:12]}...{new[:12]}",
            "commits": commits,
            "head_commit": None if head is None else await self._commit(repository, head),
            "pusher": {"name": sender.login, "email": None},
            "repository": described | {"created_at": moment, "pushed_at": moment},
        }

    async def _commit(self, repository: Repository, commit: str) -> JsonObject:
        text = read_commit(await repository.git.content("commit", commit))
        return {
            "id": commit,
            "tree_id": text.tree,
            "distinct": True,
            "message": text.message,
            "timestamp": text.committer.at.isoformat(),
            "url": f"{self._links.server}/{repository.name}/commit/{commit}",
            "author": {"name": text.author.name, "email": text.author.email},
            "committer": {"name": text.committer.name, "email": text.committer.email},
            "added": [],
            "removed": [],
            "modified": [],
        }

    def _send(self, event: str, repository: Repository, sender: User, payload: JsonObject) -> None:
        installation = self._model.installation_of(repository.name)
        if installation is None or installation.suspended or event not in self._app.events:
            return
        whole: JsonObject = {
            "repository": repository_shape(self._links, repository),
            "sender": user_shape(self._links, sender),
            "installation": {"id": installation.id, "node_id": node_id("Installation", installation.id)},
            **payload,
        }
        if repository.owner.type == "Organization":
            whole["organization"] = organization_shape(self._links, repository.owner)
        self._webhooks.send(event, whole, installation=installation.id, repository=repository.id)
