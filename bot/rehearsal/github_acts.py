"""Change GitHub: every act that people and the App can do, each written into the log and told to the App by webhook."""

from collections.abc import Iterable, Mapping

from bot.rehearsal.chronicle import Chronicle
from bot.rehearsal.github_events import Events
from bot.rehearsal.github_model import CheckRun, Comment, Issue, JsonObject, Label, Model, Reaction, Repository, Ruleset, Team, User
from bot.rehearsal.moments import later_than, now


def first_line(text: str, most: int = 120) -> str:
    """Return the first line of a text that says something, cut to a length that fits the log."""
    line = next((line for line in text.splitlines() if line.strip() and not line.startswith("<!--")), "")
    return line if len(line) <= most else line[: most - 1] + "…"


class Acts:
    """What can be done, whoever does it and by whichever door."""

    def __init__(self, model: Model, chronicle: Chronicle, events: Events) -> None:
        """Act on this model."""
        self._model = model
        self._chronicle = chronicle
        self._events = events

    def open_issue(
        self, actor: User, repository: Repository, title: str, *, body: str, labels: Iterable[str], is_pull_request: bool
    ) -> Issue:
        """Open an issue or pull request; labels that do not exist are made."""
        moment = now()
        issue = Issue(
            id=self._model.new_id(),
            number=len(repository.issues) + 1,
            repository=repository.name,
            title=title,
            body=body,
            author=actor,
            created=moment,
            updated=moment,
            labels=[self.ensure_label(repository, name).name for name in labels],
            is_pull_request=is_pull_request,
            through_app=actor.type == "Bot",
        )
        repository.issues[issue.number] = issue
        self._log(f"{repository.name}#{issue.number} opened by {actor.login}: {title}")
        self._events.issue("opened", repository, issue, actor)
        return issue

    def open_pull(self, actor: User, repository: Repository, title: str, *, body: str, head: str, base: str) -> Issue:
        """Open a pull request from one branch of a repository to another."""
        pull = self.open_issue(actor, repository, title, body=body, labels=(), is_pull_request=True)
        pull.head, pull.base = head, base
        return pull

    def merge_pull(self, actor: User, repository: Repository, pull: Issue, commit: str) -> None:
        """Close a pull request as merged by a commit, which the branch it is for has already."""
        pull.state, pull.merged_as, pull.merged_by = "closed", commit, actor
        pull.updated = pull.closed = pull.merged = now()
        self._log(f"{repository.name}#{pull.number} merged by {actor.login}")

    def create_label(self, actor: User, repository: Repository, name: str, *, colour: str, description: str) -> None:
        """Make a label."""
        repository.labels[name] = Label(id=self._model.new_id(), name=name, color=colour, description=description)
        self._log(f"{repository.name} label {name} created by {actor.login}")

    def set_state(self, actor: User, repository: Repository, issue: Issue, state: str) -> None:
        """Close or reopen an issue."""
        if issue.state == state:
            return
        issue.state = state
        issue.updated = now()
        issue.closed = issue.updated if state == "closed" else None
        action = "closed" if state == "closed" else "reopened"
        self._log(f"{repository.name}#{issue.number} {action} by {actor.login}")
        self._events.issue(action, repository, issue, actor)

    def ensure_label(self, repository: Repository, name: str) -> Label:
        """Return the label of this name."""
        return repository.labels.setdefault(name, Label(id=self._model.new_id(), name=name))

    def label(self, actor: User, repository: Repository, issue: Issue, name: str) -> None:
        """Put a label on an issue."""
        label = self.ensure_label(repository, name)
        if name in issue.labels:
            return
        issue.labels.append(name)
        issue.updated = now()
        self._log(f"{repository.name}#{issue.number} labeled {name} by {actor.login}")
        self._events.issue("labeled", repository, issue, actor, label)

    def unlabel(self, actor: User, repository: Repository, issue: Issue, name: str) -> None:
        """Take a label off an issue."""
        if name not in issue.labels:
            return
        issue.labels.remove(name)
        issue.updated = now()
        self._log(f"{repository.name}#{issue.number} unlabeled {name} by {actor.login}")
        self._events.issue("unlabeled", repository, issue, actor, repository.labels[name])

    def comment(self, actor: User, repository: Repository, issue: Issue, body: str, *, through_app: bool) -> Comment:
        """Comment on an issue."""
        moment = now()
        comment = Comment(
            id=self._model.new_id(),
            repository=repository.name,
            issue=issue.number,
            author=actor,
            body=body,
            created=moment,
            updated=moment,
            through_app=through_app,
        )
        issue.comments.append(comment)
        issue.updated = moment
        self._model.comments[comment.id] = comment
        self._log(f"{repository.name}#{issue.number} comment by {actor.login}: {first_line(body)}")
        self._events.comment("created", repository, comment, actor)
        return comment

    def edit_comment(self, actor: User, comment: Comment, body: str) -> None:
        """Write a comment anew; its author stays who it was."""
        was, comment.body = comment.body, body
        comment.updated = later_than(comment.updated)
        self._log(f"{comment.repository}#{comment.issue} comment {comment.id} edited by {actor.login}: {first_line(body)}")
        self._events.comment("edited", self._model.repositories[comment.repository], comment, actor, was)

    def delete_comment(self, actor: User, comment: Comment) -> None:
        """Delete a comment."""
        repository = self._model.repositories[comment.repository]
        del self._model.comments[comment.id]
        repository.issues[comment.issue].comments.remove(comment)
        self._log(f"{comment.repository}#{comment.issue} comment {comment.id} deleted by {actor.login}")
        self._events.comment("deleted", repository, comment, actor)

    def react(self, actor: User, comment: Comment, content: str) -> tuple[Reaction, bool]:
        """React to a comment; the second value tells whether that was new. GitHub has no webhook for reactions."""
        for reaction in comment.reactions:
            if reaction.user is actor and reaction.content == content:
                return reaction, False
        reaction = Reaction(id=self._model.new_id(), user=actor, content=content, created=now())
        comment.reactions.append(reaction)
        self._log(f"{comment.repository}#{comment.issue} comment {comment.id} reaction {content} by {actor.login}")
        return reaction, True

    def create_ruleset(self, actor: User, source: Repository | User, fields: JsonObject) -> Ruleset:
        """Create a ruleset of a repository or, for an account, of all its repositories; ``fields`` are those of the REST body."""
        moment = now()
        in_repository = isinstance(source, Repository)
        ruleset = Ruleset(
            id=self._model.new_id(),
            name="",
            source=source.name if isinstance(source, Repository) else source.login,
            source_type="Repository" if in_repository else "Organization",
            target="branch",
            enforcement="active",
            conditions={},
            rules=[],
            bypass_actors=[],
            created=moment,
            updated=moment,
        )
        self._fill(ruleset, fields)
        self._model.rulesets[ruleset.id] = ruleset
        self._log(f"{ruleset.source} ruleset {ruleset.name!r} created by {actor.login}")
        self._tell_ruleset("created", ruleset, actor)
        return ruleset

    def edit_ruleset(self, actor: User, ruleset: Ruleset, fields: Mapping[str, object]) -> None:
        """Change some fields of a ruleset."""
        self._fill(ruleset, fields)
        ruleset.updated = later_than(ruleset.updated)
        self._log(f"{ruleset.source} ruleset {ruleset.name!r} edited by {actor.login}")
        self._tell_ruleset("edited", ruleset, actor)

    def delete_ruleset(self, actor: User, ruleset: Ruleset) -> None:
        """Delete a ruleset."""
        del self._model.rulesets[ruleset.id]
        self._log(f"{ruleset.source} ruleset {ruleset.name!r} deleted by {actor.login}")
        self._tell_ruleset("deleted", ruleset, actor)

    def create_check_run(self, actor: User, repository: Repository, name: str, head_sha: str, fields: JsonObject) -> CheckRun:
        """Create a check run of the App."""
        suite = next((run.suite for run in repository.check_runs if run.head_sha == head_sha), None) or self._model.new_id()
        run = CheckRun(id=self._model.new_id(), suite=suite, repository=repository.name, name=name, head_sha=head_sha, started=now())
        self._fill_check_run(run, fields)
        repository.check_runs.append(run)
        self._log(f"{repository.name}@{head_sha[:12]} check {name!r} {run.conclusion or run.status} by {actor.login}")
        self._events.check_run("created", repository, run, actor)
        if run.status == "completed":
            self._events.check_run("completed", repository, run, actor)
        return run

    def update_check_run(self, actor: User, run: CheckRun, fields: JsonObject) -> None:
        """Change some fields of a check run."""
        was = run.status
        self._fill_check_run(run, fields)
        self._log(f"{run.repository}@{run.head_sha[:12]} check {run.name!r} {run.conclusion or run.status} by {actor.login}")
        if was != run.status == "completed":
            self._events.check_run("completed", self._model.repositories[run.repository], run, actor)

    def press(self, actor: User, run: CheckRun, identifier: str | None) -> None:
        """Press Re-run, or the button of this identifier; the check run itself does not change."""
        button = "Re-run" if identifier is None else identifier
        self._log(f"{run.repository}@{run.head_sha[:12]} check {run.name!r} button {button} pressed by {actor.login}")
        action = "rerequested" if identifier is None else "requested_action"
        self._events.check_run(action, self._model.repositories[run.repository], run, actor, identifier)

    def set_membership(self, actor: User, organization: User, team: Team, member: User, state: str | None) -> None:
        """Let somebody join a team (``active`` or ``pending``) or leave it (None)."""
        if state is None:
            team.members.pop(member.id, None)
        else:
            team.members[member.id] = state
        self._log(f"{team.organization}/{team.slug} {member.login} {state or 'removed'} by {actor.login}")
        if state != "pending":
            self._events.membership("added" if state else "removed", organization, team, member, actor)

    async def refs_moved(self, actor: User, repository: Repository, changes: dict[str, tuple[str, str]]) -> None:
        """Tell of refs that went from their old to their new ids."""
        for ref, (old, new) in changes.items():
            self._log(f"{repository.name} push by {actor.login}: {ref} {old[:12]} → {new[:12]}")
        await self._events.pushed(repository, actor, changes)

    def _log(self, sentence: str) -> None:
        self._chronicle.happened(f"github: {sentence}")

    def _tell_ruleset(self, action: str, ruleset: Ruleset, actor: User) -> None:
        repository = self._model.repositories.get(ruleset.source)
        if repository is not None:
            self._events.ruleset(action, repository, ruleset, actor)

    @staticmethod
    def _fill(ruleset: Ruleset, fields: Mapping[str, object]) -> None:
        for name in ("name", "target", "enforcement", "conditions", "rules", "bypass_actors"):
            if name in fields:
                setattr(ruleset, name, fields[name])

    @staticmethod
    def _fill_check_run(run: CheckRun, fields: JsonObject) -> None:
        for name in ("name", "status", "conclusion", "external_id", "details_url", "output", "actions"):
            if name in fields:
                setattr(run, name, fields[name])
        added = run.output.get("annotations")
        run.annotations.extend(added if isinstance(added, list) else ())
        run.output = {name: value for name, value in run.output.items() if name != "annotations"}
        if fields.get("conclusion"):
            run.status = "completed"
        run.completed = now() if run.status == "completed" else None
