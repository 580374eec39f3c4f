"""GitHub in a box: what people do there, how it is set up, and what can be seen. The servers behind it speak REST and git."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.rehearsal.git_repository import ABSENT, BareRepository, Identity
from bot.rehearsal.github_desk import Desk
from bot.rehearsal.github_merging import Merges
from bot.rehearsal.github_model import CheckRun, Comment, Installation, Issue, JsonObject, Repository, Ruleset, Team, User
from bot.rehearsal.github_policy import Actor
from bot.rehearsal.github_shapes_protection import names_of
from bot.rehearsal.update_hook import explanation, refusals


class RuleViolation(Exception):
    """A change in the web interface was refused by rules; the text is what the person reads."""


class GitHub:
    """The stand-in as people see it. Make it with ``bot.rehearsal.github_assembly``.

    Acts are written into the log of the world and told to the App by webhook; setting up is not.
    Logins, repositories and labels that do not exist raise KeyError: they are mistakes of the story.
    """

    def __init__(self, desk: Desk, directory: Path) -> None:
        """Put the parts together; ``directory`` holds the repositories."""
        self.app = desk.app
        self.webhooks = desk.webhooks
        self.actions = desk.actions
        self.storage = desk.storage
        self.api_url = desk.links.api
        self.server_url = desk.links.server
        self._model = desk.model
        self._acts = desk.acts
        self._rules = desk.rules
        self._merges = Merges(desk.rules, desk.acts)
        self._protections = desk.protections
        self._directory = directory

    # Setting up

    def add_user(self, login: str, *, id: int | None = None, type: str = "User") -> User:  # noqa: A002 - the names of GitHub's own fields
        """Add an account; ``type`` is User, Bot or Organization."""
        user = User(id=id or self._model.new_id(), login=login, type=type)
        user.token = f"ghp_{user.id}_{login}"
        self._model.users[user.id] = user
        return user

    def user(self, login: str) -> User:
        """Return an account."""
        user = self._model.user(login)
        if user is None:
            raise KeyError(login)
        return user

    def add_team(self, organization: str, slug: str, members: Iterable[str] = (), pending: Iterable[str] = ()) -> Team:
        """Add a team; the organisation is made where it does not exist."""
        self._organization(organization)
        team = Team(id=self._model.new_id(), organization=organization, slug=slug)
        team.members = {self.user(login).id: "active" for login in members} | {self.user(login).id: "pending" for login in pending}
        self._model.teams[organization.lower(), slug] = team
        return team

    async def add_repository(
        self,
        full_name: str,
        *,
        default_branch: str = "main",
        source: Path | None = None,
        fork_of: str | None = None,
        committers: Iterable[str] = (),
        administrators: Iterable[str] = (),
        labels: Iterable[str] = (),
    ) -> Repository:
        """Add a public repository with an object store of its own, filled from ``source`` or, for a fork, from its parent.

        The owner is made, as an organisation, where it does not exist. Committers may push, administrators too.
        """
        directory = self._directory / f"{full_name}.git"
        parent = None if fork_of is None else self.repository(fork_of).git.directory
        git = BareRepository(directory)
        await git.create(default_branch, self._directory / "hooks", source or parent)
        repository = Repository(
            id=self._model.new_id(),
            name=full_name,
            owner=self._organization(full_name.partition("/")[0]),
            git=git,
            default_branch=default_branch,
            fork_of=fork_of,
            committers={self.user(login).id for login in committers},
            administrators={self.user(login).id for login in administrators},
        )
        self._model.repositories[full_name] = repository
        for name in labels:
            self._acts.ensure_label(repository, name)
        return repository

    def repository(self, full_name: str) -> Repository:
        """Return a repository."""
        return self._model.repositories[full_name]

    def install(self, full_name: str) -> Installation:
        """Install the App on a repository, or add it to the installation on the account that owns it."""
        owner = self.repository(full_name).owner
        installation = next((found for found in self._model.installations.values() if found.account is owner), None)
        if installation is None:
            installation = Installation(id=self._model.new_id(), account=owner, permissions=dict(self.app.permissions))
            self._model.installations[installation.id] = installation
        installation.repositories.add(full_name)
        return installation

    def uninstall(self, full_name: str) -> None:
        """Take a repository out of its installation; its tokens lose it with the next one minted."""
        installation = self._model.installation_of(full_name)
        if installation is not None:
            installation.repositories.discard(full_name)

    def protect(self, repository: str, branch: str, protection: JsonObject | None) -> None:
        """Put classic protection on a branch, in the shape in which REST returns it, or take it off."""
        if protection is None:
            self.repository(repository).protection.pop(branch, None)
        else:
            self.repository(repository).protection[branch] = protection

    def write_protection(
        self, login: str, repository: str, branch: str, body: JsonObject, *, signatures: bool = False, **beyond: object
    ) -> None:
        """Protect a branch as an administrator does, with the fields of the REST body, and with what goes ``beyond`` REST."""
        found, person = self.repository(repository), self.user(login)
        found.beyond_rest.pop(branch, None)
        self._protections.write(person, found, branch, body)
        self._protections.sign(person, found, branch, enabled=signatures)
        found.beyond_rest[branch] = dict(beyond)

    def protection(self, repository: str, branch: str) -> JsonObject | None:
        """Return the classic protection of a branch as REST shows it."""
        return self.repository(repository).protection.get(branch)

    def closed_branches(self, repository: str) -> list[str]:
        """Return the branches that nobody but the App may push to by their classic protection."""
        only = {"users": [], "teams": [], "apps": [self.app.slug]}
        protected = self.repository(repository).protection.items()
        return sorted(branch for branch, protection in protected if names_of(protection.get("restrictions")) == only)

    def _organization(self, login: str) -> User:
        return self._model.user(login) or self.add_user(login, type="Organization")

    # What people do

    def say(self, login: str, repository: str, issue: int, body: str, *, through_app: bool = False) -> int:
        """Comment, and return the comment's id; ``through_app`` is a person who speaks by means of some App."""
        found = self.repository(repository)
        return self._acts.comment(self.user(login), found, found.issues[issue], body, through_app=through_app).id

    def edit(self, login: str, comment_id: int, body: str) -> None:
        """Edit a comment, one's own or, with write access, anybody's."""
        self._acts.edit_comment(self.user(login), self.comment(comment_id), body)

    def delete(self, login: str, comment_id: int) -> None:
        """Delete a comment."""
        self._acts.delete_comment(self.user(login), self.comment(comment_id))

    def react(self, login: str, comment_id: int, content: str) -> None:
        """React to a comment."""
        self._acts.react(self.user(login), self.comment(comment_id), content)

    def open_issue(
        self, login: str, repository: str, title: str, *, body: str = "", labels: Iterable[str] = (), pull_request: bool = False
    ) -> int:
        """Open an issue or pull request, and return its number."""
        found = self.repository(repository)
        return self._acts.open_issue(self.user(login), found, title, body=body, labels=labels, is_pull_request=pull_request).number

    def label(self, login: str, repository: str, issue: int, name: str) -> None:
        """Put a label on an issue."""
        self._acts.label(self.user(login), self.repository(repository), self.issue(repository, issue), name)

    def unlabel(self, login: str, repository: str, issue: int, name: str) -> None:
        """Take a label off an issue."""
        self._acts.unlabel(self.user(login), self.repository(repository), self.issue(repository, issue), name)

    def close(self, login: str, repository: str, issue: int) -> None:
        """Close an issue."""
        self._acts.set_state(self.user(login), self.repository(repository), self.issue(repository, issue), "closed")

    def reopen(self, login: str, repository: str, issue: int) -> None:
        """Reopen an issue."""
        self._acts.set_state(self.user(login), self.repository(repository), self.issue(repository, issue), "open")

    def add_ruleset(self, login: str, source: str, fields: Mapping[str, object]) -> int:
        """Create a ruleset of a repository (OWNER/NAME) or organisation, with the fields of the REST body, and return its id."""
        home = self.repository(source) if "/" in source else self.user(source)
        usual: JsonObject = {"target": "branch", "enforcement": "active", "bypass_actors": []}
        return self._acts.create_ruleset(self.user(login), home, {**usual, **fields}).id

    def edit_ruleset(self, login: str, ruleset_id: int, fields: Mapping[str, object]) -> None:
        """Change some fields of a ruleset."""
        self._acts.edit_ruleset(self.user(login), self._model.rulesets[ruleset_id], fields)

    def delete_ruleset(self, login: str, ruleset_id: int) -> None:
        """Delete a ruleset."""
        self._acts.delete_ruleset(self.user(login), self._model.rulesets[ruleset_id])

    def press(self, login: str, check_run_id: int, identifier: str | None = None) -> None:
        """Press Re-run on a check run, or the button of this identifier."""
        run = self._model.check_run(check_run_id)
        if run is None:
            raise KeyError(check_run_id)
        self._acts.press(self.user(login), run, identifier)

    def join_team(self, login: str, organization: str, slug: str, *, state: str = "active") -> None:
        """Make somebody a member of a team, at once or pending."""
        member, team = self.user(login), self._model.teams[organization.lower(), slug]
        self._acts.set_membership(member, self._organization(organization), team, member, state)

    def leave_team(self, login: str, organization: str, slug: str) -> None:
        """Take somebody out of a team."""
        member, team = self.user(login), self._model.teams[organization.lower(), slug]
        self._acts.set_membership(member, self._organization(organization), team, member, None)

    async def commit(self, login: str, repository: str, branch: str, files: Mapping[str, str | bytes | None], message: str) -> str:
        """Merge a change in the web interface, and return the new head; raise RuleViolation where a rule refuses it.

        A file whose content is None is removed.
        """
        person, found, ref = self.user(login), self.repository(repository), f"refs/heads/{branch}"
        policy = self._rules.policy(found, Actor(user=person, by_pull_request=True))
        async with found.git.pushing:
            old = (await found.git.refs(ref))[ref]
            contents = {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}
            identity = Identity(name=login, email=f"{person.id}+{login}@users.noreply.github.com")
            new = await found.git.commit(old, contents, identity, message)
            refused = refusals(policy, ref, old, new, fast_forward=True)
            if refused:
                raise RuleViolation(explanation(ref, refused))
            await found.git.update_ref(ref, new, old)
        await self._acts.refs_moved(person, found, {ref: (old, new)})
        return new

    async def merge(self, login: str, repository: str, number: int) -> str:
        """Merge a pull request in the web interface, reviewed and with whatever else it needs, and return the new head."""
        found = self.repository(repository)
        pull = found.issues[number]
        pull.worked_out = True
        return await self._merges.squash(found, pull, Actor(user=self.user(login), by_pull_request=True), reviewed=True)

    async def create_tag(self, login: str, repository: str, tag: str, commit: str) -> None:
        """Create a lightweight tag as a release made in the web interface does; raise RuleViolation where a rule refuses it."""
        person, found, ref = self.user(login), self.repository(repository), f"refs/tags/{tag}"
        policy = self._rules.policy(found, Actor(user=person))
        async with found.git.pushing:
            old = (await found.git.refs(ref)).get(ref, ABSENT)
            refused = refusals(policy, ref, old, commit, fast_forward=False)
            if refused or old != ABSENT:
                raise RuleViolation(explanation(ref, refused) if refused else f"{tag} exists already")
            await found.git.update_ref(ref, commit, old)
        await self._acts.refs_moved(person, found, {ref: (ABSENT, commit)})

    async def set_ref(self, login: str, repository: str, ref: str, new: str | None) -> None:
        """Move, create or (with None) delete a ref as an administrator who passes every rule: the disaster of some stories."""
        found = self.repository(repository)
        async with found.git.pushing:
            old = (await found.git.refs(ref)).get(ref, ABSENT)
            await found.git.update_ref(ref, new or ABSENT, old)
        await self._acts.refs_moved(self.user(login), found, {ref: (old, new or ABSENT)})

    # What can be seen

    def issue(self, repository: str, number: int) -> Issue:
        """Return an issue or pull request."""
        return self.repository(repository).issues[number]

    def comments(self, repository: str, issue: int) -> list[Comment]:
        """Return the comments of an issue, oldest first."""
        return list(self.issue(repository, issue).comments)

    def comment(self, comment_id: int) -> Comment:
        """Return a comment."""
        return self._model.comments[comment_id]

    def reactions(self, comment_id: int) -> list[tuple[str, str]]:
        """Return who reacted to a comment, and how."""
        return [(reaction.user.login, reaction.content) for reaction in self.comment(comment_id).reactions]

    def rulesets(self, repository: str) -> list[Ruleset]:
        """Return the rulesets of a repository itself."""
        return self._model.rulesets_of(self.repository(repository), parents=False)

    def check_runs(self, repository: str, sha: str | None = None) -> list[CheckRun]:
        """Return the check runs on a commit, or all."""
        return [run for run in self.repository(repository).check_runs if sha in (None, run.head_sha)]

    async def refs(self, repository: str) -> dict[str, str]:
        """Return every ref with the id of what it names."""
        return await self.repository(repository).git.refs()

    def clone_url(self, repository: str, login: str | None = None) -> str:
        """Return the address for git, with a person's credentials in it where one is named."""
        if login is None:
            return f"{self.server_url}/{repository}.git"
        scheme, _, rest = self.server_url.partition("://")
        return f"{scheme}://{login}:{self.person_token(login)}@{rest}/{repository}.git"

    def person_token(self, login: str) -> str:
        """Return what a person types as password for git."""
        return self.user(login).token
