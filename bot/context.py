"""One project's profile and adapters together: what everything that works for that project shares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.authority import Role
from bot.desk import Desk
from bot.effects import Door, Observer
from bot.installations import Installations
from bot.profile import Profile
from bot.release.course import StepSpec
from bot.release.ids import IssueNumber, Repository, work_key
from bot.release.model import Actor
from bot.release.version import numbers
from bot.services.azure_devops import AzureDevOps
from bot.services.buildbot import Buildbot
from bot.services.cdn import Cdn
from bot.services.docs import Docs
from bot.services.git import Git
from bot.services.github import GitHub
from bot.services.github.shapes import App
from bot.services.nuget import NuGet
from bot.services.peps import Peps
from bot.services.pypi import PyPI
from bot.services.python_org import PythonOrg
from bot.store.claim import Claim
from bot.tools import Tools


@dataclass(frozen=True, kw_only=True)
class Context:
    """A project as the bot serves it.

    ``home`` is a folder for what may vanish at any time, ``server`` is where GitHub's pages are, ``url`` where the bot's own are, empty
    where they are not public.
    """

    profile: Profile
    app: App
    github: GitHub
    git: Git
    buildbot: Buildbot
    peps: Peps
    python_org: PythonOrg
    docs: Docs
    cdn: Cdn
    nuget: NuGet
    pypi: PyPI
    azure: AzureDevOps | None
    installations: Installations
    now: Callable[[], datetime]
    server: str
    home: Path
    url: str = ""
    observers: Sequence[Observer] = ()

    @property
    def specs(self) -> tuple[StepSpec, ...]:
        """Return the steps of the profile."""
        return tuple(
            StepSpec(
                name=step.name.value,
                needs=tuple(need.value for need in step.needs),
                not_for=frozenset(step.not_for),
                first=numbers(step.first_series) if step.first_series else None,
                last=numbers(step.last_series) if step.last_series else None,
            )
            for step in self.profile.steps
        )

    @property
    def approvers(self) -> tuple[Actor, ...]:
        """Return who may be the second person of a waiver."""
        deciders = {Role.RELEASE_MANAGER, Role.APPROVER}
        people = (person for person in self.profile.people if person.id and deciders & set(person.roles))
        return tuple(Actor(id=person.id, login=person.login) for person in people)

    def after(self, seconds: float) -> datetime:
        """Return the moment that many seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    def tools(self, door: Door) -> Tools:
        """Return what a step is given."""
        return Tools(
            profile=self.profile,
            app=self.app,
            github=self.github,
            git=self.git,
            buildbot=self.buildbot,
            peps=self.peps,
            python_org=self.python_org,
            docs=self.docs,
            cdn=self.cdn,
            nuget=self.nuget,
            pypi=self.pypi,
            azure_or_none=self.azure,
            installations=self.installations,
            door=door,
            now=self.now,
            server=self.server,
            home=self.home,
            url=self.url,
        )

    def desk(self, claim: Claim, home: Repository, issue: IssueNumber) -> Desk:
        """Return the means to talk on one issue."""
        project = self.profile.project
        door = Door(claim, work_key(project.name, project.homes, home, issue), 0, self.observers)
        return Desk(profile=self.profile, app=self.app, github=self.github, home=home, issue=issue, door=door, ledger=claim, now=self.now)
