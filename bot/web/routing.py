"""Decide whose business an event is: a release, a project's watch, or nobody's. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self, assert_never

from bot.commands import STANDING, addressed
from bot.journal import Document
from bot.profile import Profile
from bot.release.ids import Repository, UserId, WorkKey, watch_key, work_key
from bot.web.shapes import CheckRun, Create, Delete, IssueComment, Known, Push, RepositoryRuleset, WorkflowJob, WorkflowRun

# RELEASE-ID:ATTEMPT:STEP, where RELEASE-ID is PROJECT-VERSION-ISSUE; here without the project's name, which may hold hyphens itself.
_EXTERNAL_ID: Final = re.compile(r"[^\s:]+-[1-9][0-9]{0,9}(?:@[^\s:]+)?:[1-9][0-9]*:(?P<step>[a-z][a-z0-9-]*)")


@dataclass(frozen=True, kw_only=True)
class Territory:
    """The repositories of one project, their names in small letters as GitHub compares them; ``builds`` is where its workflow runs."""

    project: str
    repository: str
    homes: tuple[str, ...]
    forks: frozenset[str]
    builds: str | None = None

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Return the territory of a profile."""
        return cls(
            project=profile.name,
            repository=profile.project.repository.casefold(),
            homes=tuple(home.casefold() for home in profile.project.homes),
            forks=frozenset(fork.casefold() for person in profile.people for fork in person.forks),
            builds=profile.workflow.repository.casefold() if profile.workflow else None,
        )

    def has_refs_in(self, repository: str) -> bool:
        """Tell whether branches and tags of this repository matter."""
        return repository == self.repository or repository in self.forks


@dataclass(frozen=True, kw_only=True)
class Irrelevant:
    """The event is nobody's business; ``why`` is one sentence. ``suspicious``: it should not have come at all."""

    why: str
    suspicious: bool = False


@dataclass(frozen=True, kw_only=True)
class Routed:
    """The event goes to one piece of work; ``wake_project``: all live releases of that project should look again, too.

    ``payload`` is the little of the body that is kept: repository, ids, and the body of a comment as it was told.
    """

    key: WorkKey
    wake_project: str | None
    payload: Document


Route = Routed | Irrelevant


@dataclass(frozen=True, kw_only=True)
class Routing:
    """What must be known to route: the projects, our App's id, its account, and which installation serves which repository.

    ``account`` and ``installation_of`` answer from memory and None where they do not know; nothing is looked up for them.
    """

    territories: Sequence[Territory]
    app_id: int
    account: Callable[[], UserId | None] = lambda: None
    installation_of: Callable[[Repository], int | None] = lambda _: None

    def route(self, event: Known) -> Route:
        """Decide whose business the event is."""
        return self._not_for_us(event) or self._addressee(event)

    def _not_for_us(self, event: Known) -> Irrelevant | None:
        # What becomes of a workflow that we started is told in our name, and is not our doing.
        is_ours = event.sender and event.sender.type == "Bot" and event.sender.id == self.account()
        if is_ours and not isinstance(event, WorkflowRun | WorkflowJob):
            return Irrelevant(why="This is our own doing.")
        if event.repository is None or event.installation is None:
            return None
        if self.installation_of(Repository(event.repository.full_name)) in (None, event.installation.id):
            return None
        return Irrelevant(why="Another installation serves this repository.", suspicious=True)

    def _addressee(self, event: Known) -> Route:
        match event:
            case IssueComment():
                return self._comment(event)
            case Push() | Create() | Delete():
                return self._refs(event)
            case CheckRun():
                return self._button(event)
            case RepositoryRuleset():
                return self._ruleset(event)
            case WorkflowRun() | WorkflowJob():
                return self._workflow(event)
            case _:
                assert_never(event)

    def _comment(self, event: IssueComment) -> Route:
        name = event.repository.full_name
        territory = next((one for one in self.territories if name.casefold() in one.homes), None)
        if territory is None:
            return Irrelevant(why="Commands are not heard in this repository.")
        if event.issue.pull_request is not None:
            return Irrelevant(why="Commands are heard on issues only, not on pull requests.")
        if event.action not in ("created", "edited", "deleted"):
            return Irrelevant(why="Nothing was said.")
        bodies = [event.comment.body or "", event.changes.body.was if event.changes and event.changes.body else ""]
        verb = next(filter(None, map(addressed, bodies)), None)
        if verb is None:
            return Irrelevant(why="This comment holds no command.")
        project = territory.project
        key = watch_key(project) if verb in STANDING else work_key(project, territory.homes, name, event.issue.number)
        payload: Document = {
            "repository": name,
            "issue": event.issue.number,
            "comment": event.comment.id,
            "body": event.comment.body,
            "author": event.comment.user.id if event.comment.user else None,
            "sender": event.sender.id,
        }
        return Routed(key=key, wake_project=None, payload=payload)

    def _watch(self, repository: str, payload: Document) -> Route:
        """Tell the watch of the project, and all who may be waiting for a ref or a rule there."""
        name = repository.casefold()
        mine = [one for one in self.territories if name == one.repository]
        territory = next(iter(mine), None) or next((one for one in self.territories if name in one.forks), None)
        if territory is None:
            return Irrelevant(why="Nobody waits for anything in this repository.")
        return Routed(key=WorkKey(territory.project), wake_project=territory.project, payload=payload)

    def _refs(self, event: Push | Create | Delete) -> Route:
        payload: Document = {"repository": event.repository.full_name, "sender": event.sender.id if event.sender else None}
        match event:
            case Push():
                if not event.ref.startswith(("refs/heads/", "refs/tags/")):
                    return Irrelevant(why="This is neither a branch nor a tag.")
                payload |= {"ref": event.ref, "before": event.before, "after": event.after}
            case Create() | Delete():
                payload |= {"ref": f"refs/{'heads' if event.ref_type == 'branch' else 'tags'}/{event.ref}"}
            case _:
                assert_never(event)
        return self._watch(event.repository.full_name, payload)

    def _button(self, event: CheckRun) -> Route:
        run = event.check_run
        if event.action != "rerequested" or run.app is None or run.app.id != self.app_id:
            return Irrelevant(why="No button of ours was pressed.")
        external_id, repository = run.external_id or "", event.repository.full_name.casefold()
        named = (one for one in self.territories if external_id.startswith(f"{one.project}-") and one.has_refs_in(repository))
        territory = max(named, key=lambda one: len(one.project), default=None)
        match = _EXTERNAL_ID.fullmatch(external_id.removeprefix(f"{territory.project}-")) if territory else None
        if territory is None or match is None:
            return Irrelevant(why="This check run belongs to no release of ours.")
        payload: Document = {
            "repository": event.repository.full_name,
            "check_run": run.id,
            "external_id": external_id,
            "step": match["step"],
            "sender": event.sender.id,
        }
        # Looking again does no harm to the others, and the id does not tell in which repository the issue is.
        return Routed(key=watch_key(territory.project), wake_project=territory.project, payload=payload)

    def _ruleset(self, event: RepositoryRuleset) -> Route:
        if event.action not in ("edited", "deleted"):
            return Irrelevant(why="A new ruleset takes nothing of ours away.")
        payload: Document = {"ruleset": event.repository_ruleset.id, "name": event.repository_ruleset.name}
        if event.repository is not None:
            return self._watch(event.repository.full_name, payload | {"repository": event.repository.full_name})
        owner = event.organization.login.casefold() if event.organization else None
        territory = next((one for one in self.territories if one.repository.partition("/")[0] == owner), None)
        if territory is None:
            return Irrelevant(why="No project of ours is in this organisation.")
        return self._watch(territory.repository, payload | {"repository": territory.repository})

    def _workflow(self, event: WorkflowRun | WorkflowJob) -> Route:
        """Let those look again who may be waiting for a workflow."""
        name = event.repository.full_name
        territory = next((one for one in self.territories if name.casefold() == one.builds), None)
        if territory is None:
            return Irrelevant(why="Nobody waits for a workflow in this repository.")
        if isinstance(event, WorkflowJob) and event.action == "queued":
            return Irrelevant(why="A job that only waits for its turn changes nothing.")
        run = event.workflow_run.id if isinstance(event, WorkflowRun) else event.workflow_job.run_id
        payload: Document = {"repository": name, "run": run}
        return Routed(key=watch_key(territory.project), wake_project=territory.project, payload=payload)
