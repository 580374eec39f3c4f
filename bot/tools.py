"""What a step may use: adapters to read the world with, and the one door to change it through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from bot.authority import Role
from bot.effects import Door
from bot.errors import UserError
from bot.installations import Installations
from bot.profile import Person, Profile
from bot.release.ids import Repository
from bot.release.model import Release
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


class NotConfigured(UserError):
    """A step needs a system of which the bot was told nothing."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Everything a step is given. ``door`` belongs to this release and this attempt."""

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
    azure_or_none: AzureDevOps | None
    installations: Installations
    door: Door
    now: Callable[[], datetime]
    server: str
    """Where GitHub's pages are, without a slash at the end."""
    home: Path
    """A folder for what may vanish at any time."""
    url: str
    """Where the bot's own pages are, without a slash at the end; empty where they are not public."""

    @property
    def azure(self) -> AzureDevOps:
        """Return the pipelines on Azure; raise NotConfigured where the bot was not told of any."""
        if self.azure_or_none is None:
            raise NotConfigured("AZURE_DEVOPS_URL and AZURE_DEVOPS_TOKEN are not set, so nothing can be built on Azure.")
        return self.azure_or_none

    def page(self, repository: Repository, *parts: str) -> str:
        """Return the address of a page of a repository, for people to look at."""
        return "/".join([self.server, repository, *(quote(part, safe="") for part in parts)])

    def after(self, seconds: float) -> datetime:
        """Return the moment that many seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    def poll(self) -> datetime:
        """Return when to look at the world again, by the profile."""
        return self.after(self.profile.timing.poll)

    def experts(self, role: Role) -> tuple[str, ...]:
        """Return the logins of everybody with a role; some may not be obeyed yet, for want of their account number."""
        return logins(self.profile.people_with(role))

    def placeholders(self, release: Release) -> Mapping[str, str]:
        """Return what the words in braces of a profile stand for; empty texts while there is no tag."""
        return placeholders(release)

    def managers(self, release: Release) -> tuple[Person, ...]:
        """Return the people who may make this release: who started it and the release manager of the series."""
        ids = dict.fromkeys(actor.id for actor in (release.starter, release.manager) if actor)
        people = (self.profile.person(user) for user in ids)
        return tuple(person for person in people if person)


def logins(people: tuple[Person, ...]) -> tuple[str, ...]:
    """Return the logins of people."""
    return tuple(person.login for person in people)


def placeholders(release: Release) -> Mapping[str, str]:
    """Return what the words in braces of a profile stand for; empty texts while there is no tag."""
    tag = release.tag
    return {
        "version": str(release.version),
        "tag": release.version.tag,
        "commit": tag.commit if tag else "",
        "fork": tag.fork if tag else "",
        "owner": tag.fork.partition("/")[0] if tag else "",
        "series": release.series,
        "next": release.version.next_development,
    }
