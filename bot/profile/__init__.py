"""A project's release policy: typed, frozen, read from one TOML file. Pure data and look-ups; nothing here talks to the world.

The tables are in `bot.profile.types`, reading them with line numbers in `bot.profile.toml`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from bot.authority import EXPERTS, Role
from bot.errors import UserError
from bot.profile.builders import Azure, HandStep, Workflow
from bot.profile.calendar import Calendar
from bot.profile.forms import SeriesName, misfit, repeated
from bot.profile.lines import Where
from bot.profile.merging import FirstBeta, Merge
from bot.profile.package import Package
from bot.profile.steps import STANDARD_STEPS, Tables, check_order, check_people, check_tables
from bot.profile.table import Table
from bot.profile.toml import ProfileError, read_toml
from bot.profile.trust import AuthenticodeSigners, Trust
from bot.profile.types import (
    FLOORS,
    Audit,
    FreezePolicy,
    KindSource,
    Person,
    Preflight,
    Project,
    Series,
    Step,
    StepName,
    Timing,
)
from bot.profile.wrap_up import Checklist, WrapUp
from bot.release.ids import Repository, UserId
from bot.release.version import Version

__all__ = ["Person", "Profile", "ProfileError", "Series", "StepName", "Timing", "UnknownSeries", "WatchedFork", "load", "shipped"]


class UnknownSeries(UserError):
    """A version belongs to a series that the profile says nothing about."""


@dataclass(frozen=True, kw_only=True)
class WatchedFork:
    """A fork in which a tag may appear, and whose it is."""

    repository: Repository
    owner: Person


class Profile(Table):
    """A whole profile. Build one with `load`."""

    project: Project
    """What is released."""
    people: tuple[Person, ...] = Field(alias="person")
    """Who has a part in it."""
    series: dict[SeriesName, Series] = Field(default_factory=dict)
    """The policy of every series that can be released; a project of packages has none."""
    steps: tuple[Step, ...] = Field(alias="step", default=STANDARD_STEPS)
    """Which steps a release takes, in which order; when left out: preflight, freeze, tag, audit, approve, push, thaw."""
    preflight: Preflight = Preflight()
    """What is looked at before the freeze."""
    freeze: FreezePolicy = FreezePolicy()
    """How the branch is held still."""
    audit: Audit = Audit()
    """What a release commit may change."""
    merge: Merge = Merge()
    """How a release comes to a branch that has moved on since it was cut."""
    first_beta: FirstBeta = FirstBeta()
    """How the first beta begins a branch."""
    package: Package | None = None
    """How packages are released, in a project that has several."""
    workflow: Workflow | None = None
    """The workflow on GitHub that builds the sources, for the step source."""
    azure: Azure | None = None
    """The pipeline on Azure that builds and publishes for Windows, for the steps windows and windows-publish."""
    hand: dict[StepName, HandStep] = Field(default_factory=dict)
    """The steps that people do by hand, by their names."""
    wrap_up: WrapUp = WrapUp()
    """What is tidied up at the end, in the step wrap-up."""
    checklists: tuple[Checklist, ...] = Field(alias="checklist", default=())
    """What is left for people after some kinds of release."""
    schedule: Calendar = Calendar()
    """What follows from the published schedule of releases."""
    timing: Timing = Timing()
    """Every wait there is, in seconds."""
    authenticode: AuthenticodeSigners | None = None
    """Whose signatures stand on files for Windows."""
    trust: Trust = Trust()
    """The keys and roots that are believed."""

    @model_validator(mode="after")
    def _people_differ(self) -> Self:
        """Refuse an empty list of people, and two people who share what must tell them apart."""
        if not self.people:
            sentence = "nobody has a part in this project: add a table [[person]] for everybody who has"
            raise misfit(sentence, "person")
        for key in ("login", "name", "id"):
            if double := repeated(str(value) for person in self.people if (value := getattr(person, key))):
                sentence = f"two people have the {key} {double}: each person has one table, with a {key} of their own"
                raise misfit(sentence, "person")
        for key in ("forks", "pgp_fingerprints", "ssh_keys"):
            if double := repeated(value for person in self.people for value in getattr(person, key)):
                sentence = f"{double} stands twice among the {key}: it can belong to one person only"
                raise misfit(sentence, "person")
        return self

    @model_validator(mode="after")
    def _stand_ins_stand_in_for_experts(self) -> Self:
        """Refuse somebody who stands in for a stranger, for themselves, or for people in another office."""
        experts = [person.login for person in self.people if EXPERTS & set(person.roles)]
        for index, person in enumerate(self.people):
            others = [login.casefold() for login in experts if login != person.login]
            if wrong := next((login for login in person.stands_in_for if login.casefold() not in others), None):
                sentence = (
                    f"{person.login} cannot stand in for {wrong}: write the login of another expert, one of {', '.join(experts) or 'none'}"
                )
                raise misfit(sentence, "person", index, "stands_in_for")
        return self

    @model_validator(mode="after")
    def _series_know_their_manager(self) -> Self:
        """Refuse a profile without series, and a series without the data that the profile itself has to give."""
        if not self.series and self.package is None:
            sentence = 'there is no series, so nothing could be released: add a table such as [series."3.15"]'
            raise misfit(sentence, "series")
        logins = {person.login.casefold() for person in self.people}
        for name, series in self.series.items():
            if self.project.kind_source is KindSource.PROFILE and series.status is None:
                sentence = (
                    'the status is missing, although kind_source = "profile" takes it from here: write status = "bugfix" or what it is'
                )
                raise misfit(sentence, "series", name)
            if series.manager is not None and series.manager.casefold() not in logins:
                sentence = f"{series.manager} is no login of a [[person]]: write one of {', '.join(person.login for person in self.people)}"
                raise misfit(sentence, "series", name, "manager")
        return self

    @model_validator(mode="after")
    def _steps_are_safe(self) -> Self:
        """Refuse steps that go round in a circle or round a gate, and those whose table is missing."""
        tables = Tables(
            workflow=self.workflow, azure=self.azure, hand=self.hand, series=self.series, package=self.package, freeze=self.freeze
        )
        check_order(self.steps)
        check_tables(self.steps, tables)
        check_people(self.steps, self.hand, self.people)
        return self

    @property
    def name(self) -> str:
        """Return the project's short name."""
        return self.project.name

    @property
    def builds_on_azure(self) -> bool:
        """Tell whether a release of this project takes a step on Azure."""
        on_azure = {StepName.WINDOWS, StepName.WINDOWS_PUBLISH, StepName.PACKAGE_BUILD}
        return any(step.name in on_azure for step in self.steps)

    @property
    def azure_project(self) -> str | None:
        """Return the project on Azure in which the pipelines are, or None where there is none."""
        if self.azure is not None:
            return self.azure.project
        return self.package.pipeline.project if self.package and self.package.pipeline else None

    @property
    def experts(self) -> Mapping[str, Role]:
        """Return whose work each step done by hand is."""
        return {name.value: work.role for name, work in self.hand.items()}

    def person(self, account: UserId) -> Person | None:
        """Return the person with this account number; nobody for a stranger."""
        return next((person for person in self.people if person.id == account != 0), None)

    def person_named(self, login: str) -> Person | None:
        """Return the person with this login, without regard to case. Never decide by it: logins change hands."""
        return next((person for person in self.people if person.login.casefold() == login.casefold()), None)

    def by_name(self, name: str) -> Person | None:
        """Return the person with this full name, as the release-cycle data spells it."""
        return next((person for person in self.people if person.name.casefold() == name.casefold()), None)

    @property
    def without_file(self) -> frozenset[str]:
        """Return the steps done by hand that make no file."""
        return frozenset(name.value for name, work in self.hand.items() if not work.file)

    def people_with(self, role: Role) -> tuple[Person, ...]:
        """Return everybody with this role, and after them those who stand in for them."""
        own = tuple(person for person in self.people if role in person.roles)
        return (*own, *(person for person in self.people if person not in own and role in self._roles(person)))

    def stands_in(self, account: UserId, role: Role) -> tuple[str, ...]:
        """Return for whom somebody acts whose own role this is not; nobody for those who have it themselves."""
        person = self.person(account)
        if person is None or role in person.roles:
            return ()
        return tuple(login for login in person.stands_in_for if (other := self.person_named(login)) and role in other.roles)

    def roles_of(self, account: UserId) -> frozenset[Role]:
        """Return the roles of an account, those of the experts among them for whom it stands in; none for a stranger."""
        person = self.person(account)
        return self._roles(person) if person else frozenset()

    def _roles(self, person: Person) -> frozenset[Role]:
        others = (self.person_named(login) for login in person.stands_in_for)
        return frozenset(person.roles) | {role for other in others if other for role in other.roles if role in EXPERTS}

    def series_of(self, version: Version) -> Series:
        """Return the policy of the version's series; raise UnknownSeries where there is none."""
        if version.package and self.package is not None:
            return Series(branch=self.package.branch, signature="if-present", post_commit=False)
        if version.package:
            raise UnknownSeries(
                f"{self.name} has no packages of their own versions, so {version} cannot be released: give its version alone."
            )
        if version.series in self.series:
            return self.series[version.series]
        table = f'[series."{version.series}"]'
        message = f"The profile {self.name} says nothing about {version.series}, so {version} cannot be released: add {table} to it."
        raise UnknownSeries(message)

    def manager_of(self, series: str) -> Person | None:
        """Return the release manager of a series as far as the profile itself names one."""
        policy = self.series.get(series)
        return self.person_named(policy.manager) if policy and policy.manager else None

    def watched_forks(self, people: Iterable[UserId] = ()) -> tuple[WatchedFork, ...]:
        """Return the forks of the given people in which a tag may appear; of all release managers when nobody is given."""
        wanted = set(people) or {person.id for person in self.people_with(Role.RELEASE_MANAGER)}
        known = [person for person in self.people if person.id in wanted and person.id]
        return tuple(WatchedFork(repository=fork, owner=person) for person in known for fork in person.forks)


def shipped() -> tuple[str, ...]:
    """Return the names of the profiles that come with the bot."""
    folder = resources.files("bot") / "profiles"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load(source: str, *, home: Path | None = None) -> Profile:
    """Load a profile by the name of a shipped one or by its path; raise ProfileError naming file, line and key.

    Relative paths of ``[trust]`` start at the profile's folder; those of a shipped profile at ``home``, the folder ``BOT_HOME``.
    """
    is_shipped = source in shipped()
    path = Path(str(resources.files("bot") / "profiles" / f"{source}.toml")) if is_shipped else Path(source)
    if not is_shipped and not path.is_file():
        message = f"There is no profile {source}: write the path of a TOML file, or the name of a shipped one: {', '.join(shipped())}."
        raise ProfileError(message)
    document = read_toml(path)
    profile = document.validate(Profile)
    if (is_shipped or profile.project.production) and (short := _below_floor(profile.timing)):
        raise document.refusal(short)
    folder = home if is_shipped and home is not None else path.parent
    return profile.model_copy(update={"trust": profile.trust.anchored(folder.absolute())})


def _below_floor(timing: Timing) -> list[tuple[Where, str]]:
    short = [(key, getattr(timing, key), floor) for key, floor in FLOORS.items() if getattr(timing, key) < floor]
    return [(("timing", key), f"{value:g} s is too short for production: write at least {floor:g}") for key, value, floor in short]
