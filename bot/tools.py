"""What a step may use: adapters to read the world with, and the one door to change it through."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from bot.effects import Door
from bot.profile import Person, Profile
from bot.release.ids import Repository
from bot.release.model import Release
from bot.services.buildbot import Buildbot
from bot.services.git import Git
from bot.services.github import GitHub
from bot.services.github.shapes import App
from bot.services.peps import Peps


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Everything a step is given. ``door`` belongs to this release and this attempt."""

    profile: Profile
    app: App
    github: GitHub
    git: Git
    buildbot: Buildbot
    peps: Peps
    door: Door
    now: Callable[[], datetime]
    server: str
    """Where GitHub's pages are, without a slash at the end."""

    def page(self, repository: Repository, *parts: str) -> str:
        """Return the address of a page of a repository, for people to look at."""
        return "/".join([self.server, repository, *(quote(part, safe="") for part in parts)])

    def after(self, seconds: float) -> datetime:
        """Return the moment that many seconds from now."""
        return self.now() + timedelta(seconds=seconds)

    def poll(self) -> datetime:
        """Return when to look at the world again, by the profile."""
        return self.after(self.profile.timing.poll)

    def managers(self, release: Release) -> tuple[Person, ...]:
        """Return the people who may make this release: who started it and the release manager of the series."""
        ids = dict.fromkeys(actor.id for actor in (release.starter, release.manager) if actor)
        people = (self.profile.person(user) for user in ids)
        return tuple(person for person in people if person)


def logins(people: tuple[Person, ...]) -> tuple[str, ...]:
    """Return the logins of people."""
    return tuple(person.login for person in people)
