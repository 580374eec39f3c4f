"""Model GitHub as plain data: who there is, what they own, and what was said. No behaviour beyond looking things up."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from bot.rehearsal.git_repository import BareRepository
from bot.rehearsal.moments import now

JsonObject = dict[str, object]
"""A JSON object on its way in or out."""


@dataclass(kw_only=True)
class User:
    """An account: ``type`` is User, Bot or Organization."""

    id: int
    login: str
    type: str = "User"
    created: datetime = field(default_factory=now)
    token: str = ""
    """What the person types as a password for git."""


@dataclass(kw_only=True)
class Team:
    """A team of an organisation; ``members`` maps user ids to ``active`` or ``pending``."""

    id: int
    organization: str
    slug: str
    members: dict[int, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Reaction:
    """One reaction of one account to a comment."""

    id: int
    user: User
    content: str
    created: datetime


@dataclass(kw_only=True)
class Comment:
    """A comment on an issue or pull request."""

    id: int
    repository: str
    issue: int
    author: User
    body: str
    created: datetime
    updated: datetime
    through_app: bool = False
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(kw_only=True)
class Issue:
    """An issue, or a pull request in its role as one."""

    id: int
    number: int
    repository: str
    title: str
    body: str
    author: User
    created: datetime
    updated: datetime
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    closed: datetime | None = None
    is_pull_request: bool = False
    head: str = ""
    """The branch of the same repository that a pull request comes from, empty where nobody looks at that."""
    base: str = ""
    worked_out: bool = False
    """Whether GitHub has worked out if a pull request can be merged, which it begins to do when somebody looks at it."""
    merged: datetime | None = None
    merged_as: str = ""
    merged_by: User | None = None
    through_app: bool = False
    comments: list[Comment] = field(default_factory=list)


@dataclass(kw_only=True)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(kw_only=True)
class Ruleset:
    """A ruleset of a repository, or (``source_type`` Organization) of all repositories of its owner."""

    id: int
    name: str
    source: str
    source_type: str
    target: str
    enforcement: str
    conditions: JsonObject
    rules: list[JsonObject]
    bypass_actors: list[JsonObject]
    created: datetime
    updated: datetime

    def patterns(self, which: str) -> list[str]:
        """Return the ``include`` or ``exclude`` patterns of the ref names it is about."""
        ref_name = self.conditions.get("ref_name")
        listed = ref_name.get(which, []) if isinstance(ref_name, dict) else []
        return [str(pattern) for pattern in listed]


@dataclass(kw_only=True)
class CheckRun:
    """A check run of the App on one commit of one repository."""

    id: int
    suite: int
    repository: str
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str = ""
    output: JsonObject = field(default_factory=dict)
    actions: list[JsonObject] = field(default_factory=list)
    annotations: list[JsonObject] = field(default_factory=list)
    """Those of all requests: nothing ever takes one away."""
    started: datetime | None = None
    completed: datetime | None = None


@dataclass(kw_only=True)
class Repository:
    """A public repository; ``name`` is OWNER/NAME; committers (user ids) may push, besides the owner."""

    id: int
    name: str
    owner: User
    git: BareRepository
    default_branch: str
    fork_of: str | None = None
    committers: set[int] = field(default_factory=set)
    administrators: set[int] = field(default_factory=set)
    created: datetime = field(default_factory=now)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    check_runs: list[CheckRun] = field(default_factory=list)
    protection: dict[str, JsonObject] = field(default_factory=dict)
    """The classic protection of branches, as REST shows it."""
    beyond_rest: dict[str, JsonObject] = field(default_factory=dict)
    """What REST does not show of it: ``pattern``, ``branches`` (how many it covers), ``merge_queue``, ``requires_deployments``,
    ``force_pushers``."""

    @property
    def short_name(self) -> str:
        """Return the name without the owner."""
        return self.name.partition("/")[2]


@dataclass(kw_only=True)
class App:
    """The GitHub App, with what its owner was given when it was registered."""

    id: int
    slug: str
    name: str
    client_id: str
    owner: User
    bot: User
    private_key: str
    """In PEM: for the bot alone; the stand-in itself uses only the public half."""
    public_key: str
    permissions: dict[str, str]
    events: list[str]
    webhook_secrets: list[str]
    """Deliveries are signed with the first."""
    webhook_url: str | None = None
    hook_id: int = 0
    created: datetime = field(default_factory=now)


@dataclass(kw_only=True)
class Installation:
    """The App on one account: ``repositories`` are full names."""

    id: int
    account: User
    permissions: dict[str, str]
    repositories: set[str] = field(default_factory=set)
    created: datetime = field(default_factory=now)
    suspended: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class InstallationToken:
    """What a token may do, where, until when."""

    text: str
    installation: int
    permissions: dict[str, str]
    repositories: frozenset[str]
    expires: datetime


class Model:
    """Everything there is on this GitHub, and the ways to find it."""

    def __init__(self) -> None:
        """Begin with an empty GitHub."""
        self.users: dict[int, User] = {}
        self.teams: dict[tuple[str, str], Team] = {}
        self.repositories: dict[str, Repository] = {}
        self.rulesets: dict[int, Ruleset] = {}
        self.comments: dict[int, Comment] = {}
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, InstallationToken] = {}
        self._ids = count(1_001)

    def new_id(self) -> int:
        """Return an id that nothing else has."""
        return next(self._ids)

    def user(self, login: str) -> User | None:
        """Find an account by login; GitHub does not distinguish capitals."""
        return next((user for user in self.users.values() if user.login.lower() == login.lower()), None)

    def repository(self, name: str) -> Repository | None:
        """Find a repository by OWNER/NAME, in any capitals."""
        return next((found for key, found in self.repositories.items() if key.lower() == name.lower()), None)

    def rulesets_of(self, repository: Repository, *, parents: bool = True) -> list[Ruleset]:
        """List the repository's own rulesets and, with ``parents``, its organisation's."""
        sources = {repository.name, repository.owner.login} if parents else {repository.name}
        return [ruleset for ruleset in self.rulesets.values() if ruleset.source in sources]

    def installation_of(self, repository: str) -> Installation | None:
        """Find the installation that covers a repository."""
        return next((found for found in self.installations.values() if repository in found.repositories), None)

    def check_run(self, check_run_id: int) -> CheckRun | None:
        """Find a check run by id in any repository."""
        return next((run for repository in self.repositories.values() for run in repository.check_runs if run.id == check_run_id), None)
