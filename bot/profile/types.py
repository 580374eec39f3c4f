"""What a project's release policy may say, as types: every table and key of a profile, with its meaning, limits and default.

`docs/profile.md` is generated from these types, so a description here is what an operator reads.
"""

import base64
import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bot.authority import Role
from bot.profile.forms import (
    AccountId,
    BranchName,
    Fingerprint,
    KindSlug,
    Login,
    PackageId,
    Pattern,
    ProjectName,
    RepositoryName,
    RepositoryPath,
    Seconds,
    SeriesName,
    SshKey,
    TeamName,
    Url,
    VersionText,
    misfit,
)
from bot.profile.table import Table
from bot.profile.trust import FileSigners
from bot.publication.files import Companion, FileGroup, SeriesFiles
from bot.release.ids import Repository
from bot.release.version import Kind, SeriesStatus, Version


class KindSource(StrEnum):
    """Where the status and the release manager of a series come from."""

    PEPS = "peps"
    PROFILE = "profile"


class Project(Table):
    """What is released."""

    name: ProjectName
    """The short name of the project, in pages, markers, rule names and addresses."""
    repository: RepositoryName
    """The repository whose branch and tag are released."""
    command_repositories: tuple[RepositoryName, ...] = ()
    """Where commands are heard; the repository itself when left out."""
    team: TeamName | None = None
    """The team, as `ORGANISATION/TEAM`, in which a release manager must be active to be obeyed; without one, roles alone decide."""
    kind_source: KindSource = KindSource.PEPS
    """Where the status and the release manager of a series are read: `peps` asks `PEPS_URL`, live; `profile` takes them from `[series]`."""
    production: bool = False
    """Refuse timing below what outside systems bear. The shipped profiles are always held to it."""

    @property
    def homes(self) -> tuple[Repository, ...]:
        """Return the repositories in which commands are heard."""
        return self.command_repositories or (self.repository,)


class Identity(Table):
    """Who a certificate of an OpenID Connect login was issued to."""

    identity: Annotated[str, Field(min_length=1)]
    """The subject of the certificate, usually a mail address."""
    issuer: Url
    """The provider who vouched for it."""


class Person(Table):
    """Somebody with a part in releases."""

    login: Login
    """The GitHub login, for reading; the number decides."""
    id: AccountId
    """The number of the GitHub account (`gh api users/LOGIN --jq .id`): logins can be renamed and taken by others, numbers cannot. With 0,
    not known yet, the person is mentioned but neither obeyed nor watched."""
    name: Annotated[str, Field(min_length=1)]
    """The full name, spelt as the release-cycle data spells it."""
    roles: tuple[Role, ...] = ()
    """What this person may do."""
    pgp_fingerprints: tuple[Fingerprint, ...] = ()
    """The full fingerprints of the primary OpenPGP keys this person signs tags with; spaces are allowed."""
    ssh_keys: tuple[SshKey, ...] = ()
    """The SSH public keys this person signs tags with."""
    oidc: tuple[Identity, ...] = ()
    """The logins this person signs tags with by gitsign, in version 0.17 or later; needs the `sigstore_root` of `[trust]`."""
    azure: str = ""
    """The name in Azure DevOps, mostly a mail address, by which approvals that this person can give are shown as theirs."""
    forks: tuple[RepositoryName, ...] = ()
    """The forks in which this person's release tags are looked for."""
    stands_in_for: tuple[Login, ...] = ()
    """The experts whose work this person does as well as long as it stands here; both are called, and the word of either counts."""

    @property
    def ssh_fingerprints(self) -> tuple[str, ...]:
        """Return the keys' fingerprints as ``ssh-keygen -l`` prints them: ``SHA256:`` and unpadded base64."""
        blobs = (base64.b64decode(key.split()[1]) for key in self.ssh_keys)
        return tuple("SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=") for blob in blobs)


class Files(Table):
    """Which files a release of the series has on python.org, beside its sources."""

    groups: tuple[FileGroup, ...] = ()
    """The groups of files that are made and published together, each as a whole."""
    optional: tuple[FileGroup, ...] = ()
    """The groups that may be there or not."""
    from_beta: tuple[FileGroup, ...] = ()
    """Those of `groups` that may be missing before the first beta."""
    since: dict[FileGroup, VersionText] = Field(default_factory=dict)
    """The first release that had a group, for those of `groups` that may be missing before it."""
    companions: tuple[Companion, ...] = (Companion.SIGSTORE, Companion.SBOM)
    """What vouches for the files, where files of their kind have it at all."""

    @model_validator(mode="after")
    def _since_is_of_groups(self) -> Self:
        for group in self.since.keys() - set(self.groups):
            sentence = f"a first release of {group} means nothing where there are no such files: add {group} to groups"
            raise misfit(sentence, "since", group)
        return self

    @property
    def policy(self) -> SeriesFiles:
        """Return it as the rules of publication take it."""
        return SeriesFiles(
            groups=frozenset(self.groups),
            optional=frozenset(self.optional),
            from_beta=frozenset(self.from_beta),
            since={group: Version.parse(first) for group, first in self.since.items()},
            companions=frozenset(self.companions),
        )


class Series(Table):
    """The policy of one series."""

    branch: BranchName
    """The maintenance branch, existing or to come with the first beta."""
    signature: Literal["required", "if-present"]
    """`required`: the tag must be signed by this release's manager. `if-present`: an unsigned tag passes, shown as such; a bad
    signature never does."""
    post_commit: bool = True
    """Whether the bot adds the commit `Post VERSION` after the tagged one."""
    files: Files | None = None
    """Which files its releases have on python.org; needed for the step publication."""
    sigstore: Identity | None = None
    """Whose Sigstore signatures its files have; needed where its files have any."""
    openpgp: FileSigners = FileSigners()
    """Whose OpenPGP signatures its files have; needed where its files have any."""
    security_from: VersionText | None = None
    """The first release of the series that is a security release, for those who ask about old ones."""
    usage_from: VersionText | None = None
    """The first release whose Windows files are signed with the `usage` of `[authenticode]`; without one none needs it."""
    nuget: tuple[PackageId, ...] = ()
    """The packages on NuGet that its releases have for Windows, by their ids."""
    azure: dict[str, Pattern | bool] = Field(default_factory=dict)
    """Parameters of the Windows pipeline that differ in this series from those of `[azure]`."""
    status: SeriesStatus | None = None
    """The status of the series, where `kind_source` is `profile`."""
    manager: Login | None = None
    """The login of the release manager of the series, where `kind_source` is `profile`."""


class StepName(StrEnum):
    """The steps there are."""

    PREFLIGHT = "preflight"
    FREEZE = "freeze"
    TAG = "tag"
    AUDIT = "audit"
    APPROVE = "approve"
    SOURCE = "source"
    WINDOWS = "windows"
    MACOS = "macos"
    GO = "go"
    WINDOWS_PUBLISH = "windows-publish"
    PUBLICATION = "publication"
    PUSH = "push"
    THAW = "thaw"
    STORE = "store"
    WRAP_UP = "wrap-up"
    CHECKLIST = "checklist"
    PACKAGE_TAG = "package-tag"
    PACKAGE_BUILD = "package-build"
    PACKAGE_RELEASE = "package-release"
    PYPI = "pypi"


HAND_STEPS: Final = frozenset({StepName.MACOS, StepName.STORE, StepName.CHECKLIST})
"""The steps that people do by hand and outside of everything that the bot can see."""


class Step(Table):
    """One step of every release."""

    name: StepName
    """Which step."""
    needs: tuple[StepName, ...] = ()
    """What must have passed before it; each stands higher up in the file."""
    not_for: tuple[KindSlug, ...] = ()
    """The kinds of release that do not have this step, in the words of `--as`."""
    first_series: SeriesName | None = None
    """The first series whose releases have this step; no bound when left out."""
    last_series: SeriesName | None = None
    """The last series whose releases have this step; no bound when left out."""


class Blocker(Table):
    """A label whose open issues and pull requests stop a release."""

    label: Annotated[str, Field(min_length=1)]
    """The label."""
    kinds: tuple[KindSlug, ...] = ()
    """The kinds of release it stops, in the words of `--as`; all of them when left out."""

    def stops(self, kind: Kind) -> bool:
        """Tell whether the label stops a release of this kind."""
        return not self.kinds or kind in self.kinds


class Preflight(Table):
    """What is looked at before the freeze."""

    blockers: tuple[Blocker, ...] = (Blocker(label="release-blocker"),)
    """The labels that stop a release."""
    buildbots: bool = True
    """Whether the stable builders of the branch are looked at, at `BUILDBOT_URL`."""
    blocking_tiers: tuple[Annotated[int, Field(ge=1, le=9)], ...] = (1, 2)
    """A failing stable builder of these support tiers has to be acknowledged (PEP 11)."""
    other_builders: Literal["concern", "ignore"] = "concern"
    """What a failing stable builder of another tier or of none is: `concern` is shown and stops nothing, `ignore` is not shown."""
    magic_number_from: SeriesName | None = None
    """The first series whose bytecode magic number must equal the one that the tests of its branch expect; not looked at when left out."""


class FreezePolicy(Table):
    """How the branch is held still."""

    mode: Literal["ruleset", "classic"] = "ruleset"
    """`ruleset`: by rules of the bot's own, added and removed; nobody else's protection is changed. `classic`, for repositories without
    rulesets: the branch's classic protection is written down, replaced, and put back; names of tags and branches to come are not held."""
    branch: bool = True
    """Whether the branch is frozen with the name of the tag; with `false` it stays open, for releases that do not move it."""
    until: Literal["push"] = "push"
    """`push`: until branch and tag are upstream."""
    alarm: Annotated[float, Field(gt=0, le=720)] = 24.0
    """After how many hours an unfinished freeze is called out, and again every time as long."""

    @model_validator(mode="after")
    def _something_is_held(self) -> Self:
        if self.mode == "classic" and not self.branch:
            sentence = "classic protection holds nothing but branches, so nothing would be frozen: write true, or another mode"
            raise misfit(sentence, "branch")
        return self


class AuditRuleName(StrEnum):
    """The rules that can explain a change of a release commit, or of the one that makes main the next version."""

    PATCHLEVEL = "patchlevel"
    README = "readme"
    NEWS = "news"
    NEWS_FRAGMENT = "news-fragment"
    NEXT_DIRECTIVE = "next-directive"
    GENERATED = "generated"
    AUTOCONF = "autoconf"
    WHATSNEW_DATE = "whatsnew-date"
    WHATSNEW_PAGE = "whatsnew-page"
    WHATSNEW_INDEX = "whatsnew-index"
    EDITED = "edited"


class AuditRule(Table):
    """What may be changed where; the first rule whose path fits is asked."""

    path: RepositoryPath
    """A path in the repository: `*` stands for anything but `/`, `**` for anything; `{version}` and `{series}` are filled in."""
    rule: AuditRuleName
    """The rule that has to explain the change."""


class Audit(Table):
    """What a release commit may change; whatever no rule explains fails the audit."""

    rules: tuple[AuditRule, ...] = ()
    """The rules, the first fitting one decides."""


class Timing(Table):
    """Every wait there is, in seconds."""

    poll: Seconds = 60.0
    """How often a step that waits for a machine or a tag looks again."""
    confirm_gap: Seconds = 300.0
    """How long what was published must stay the same before it counts, and how long outside lists may be behind what happened."""
    confirm_again: tuple[Seconds, ...] = (3600.0, 86400.0, 604800.0)
    """How long after the push everything that was published is read again; each time once."""
    approval_valid: Seconds = 86400.0
    """How long an approval holds before it must be given again."""
    remind: Seconds = 14400.0
    """How often somebody who is waited for is reminded."""
    authority_patience: Annotated[float, Field(gt=0, le=300)] = 300.0
    """How long a failing look-up of who may do something is tried again before the command is refused."""
    write_gap: Annotated[float, Field(ge=0)] = 1.0
    """How long two writes to GitHub are apart, which asks for a second between them."""
    sweep: Seconds = 300.0
    """How often comments, refs and deliveries are read again, for what never arrived."""
    lease: Seconds = 60.0
    """How long a process may hold a release without a sign of life."""
    heartbeat: Seconds = 15.0
    """How often it gives one: at most half of `lease`."""

    @model_validator(mode="after")
    def _heartbeat_within_lease(self) -> Self:
        if self.heartbeat > self.lease / 2:
            sentence = f"a heartbeat of {self.heartbeat:g} s is too slow for a lease of {self.lease:g} s: write at most half of it"
            raise misfit(sentence, "heartbeat")
        return self


FLOORS: Final = {
    "poll": 10.0,
    "confirm_gap": 60.0,
    "approval_valid": 600.0,
    "remind": 3600.0,
    "authority_patience": 30.0,
    "write_gap": 1.0,
    "sweep": 60.0,
    "lease": 30.0,
    "heartbeat": 5.0,
}
"""The shortest waits in seconds that outside systems and people bear; profiles of production are held to them."""
