"""What a person can ask of the bot: one class per command."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from bot.command_arguments import ArgumentError
from bot.release.ids import ObjectId
from bot.release.version import Kind, Level, Version, kinds_of


class Verb(StrEnum):
    """What a command asks for, in the word a person writes."""

    OPEN = "release"
    STATUS = "status"
    APPROVE = "approve"
    ACKNOWLEDGE = "ack"
    WAIVE = "waive"
    RETRY = "retry"
    REFREEZE = "refreeze"
    HALT = "halt"
    RESUME = "resume"
    ABORT = "abort"
    GO = "go"
    DONE = "done"
    DEFER = "defer"
    APPROVE_STAGE = "approve-stage"
    REJECT_STAGE = "reject-stage"
    HELP = "help"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


@dataclass(frozen=True, kw_only=True)
class Open:
    """Start the release of a version; ``kind`` is set where the person chose it with ``--as``."""

    verb: ClassVar[Verb] = Verb.OPEN
    version: Version
    kind: Kind | None = None

    def __post_init__(self) -> None:
        """Refuse a kind that the version cannot be, whatever the status of its series."""
        kinds = kinds_of(self.version)
        if self.version.level is Level.END and self.kind is not Kind.END_OF_LIFE:
            ending = f"`/release {self.version} --as {Kind.END_OF_LIFE.slug}`"
            raise ArgumentError(f"{self.version} is a series and not a version: write three numbers, or end the series by {ending}.")
        if not kinds:
            raise ArgumentError(f"{self.version} cannot be released, because alphas and betas are made for {self.version.series}.0 only.")
        if self.kind is not None and self.kind not in kinds:
            choices = " or ".join(f"`--as {kind.slug}`" for kind in kinds)
            raise ArgumentError(f"{self.version} cannot be released as {self.kind}: leave `--as` out or write {choices}.")


def open_package(package: str, version: Version) -> Open:
    """Return the command that starts the release of one package; raise ArgumentError for what is no version of one."""
    if version.level is Level.END:
        raise ArgumentError(f"{version} is not a version of a package: write three numbers, such as {version}.0.")
    return Open(version=replace(version, package=package))


@dataclass(frozen=True, kw_only=True)
class Status:
    """Say where the release stands."""

    verb: ClassVar[Verb] = Verb.STATUS


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Approve the push plan of exactly this tag object."""

    verb: ClassVar[Verb] = Verb.APPROVE
    sha: ObjectId


@dataclass(frozen=True, kw_only=True)
class Go:
    """Let everything that was built for exactly this tag object become public."""

    verb: ClassVar[Verb] = Verb.GO
    sha: ObjectId


@dataclass(frozen=True, kw_only=True)
class Done:
    """Say that a step done by hand is done; ``sha256`` is that of the file it made, where it makes one."""

    verb: ClassVar[Verb] = Verb.DONE
    name: str
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Defer:
    """Go on without the files of a step done by hand; they follow later."""

    verb: ClassVar[Verb] = Verb.DEFER
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ApproveStage:
    """Let one artifact of a package release become public."""

    verb: ClassVar[Verb] = Verb.APPROVE_STAGE
    artifact: str


@dataclass(frozen=True, kw_only=True)
class RejectStage:
    """Keep one artifact of a package release back."""

    verb: ClassVar[Verb] = Verb.REJECT_STAGE
    artifact: str


@dataclass(frozen=True, kw_only=True)
class Acknowledge:
    """Take note of the findings with this digest."""

    verb: ClassVar[Verb] = Verb.ACKNOWLEDGE
    digest: str


@dataclass(frozen=True, kw_only=True)
class Waive:
    """Let one failed check pass, for one object, for a reason."""

    verb: ClassVar[Verb] = Verb.WAIVE
    check: str
    sha: ObjectId
    reason: str


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Do a failed step again."""

    verb: ClassVar[Verb] = Verb.RETRY
    step: str


@dataclass(frozen=True, kw_only=True)
class Refreeze:
    """Thaw, let a fix in, freeze again with the new head."""

    verb: ClassVar[Verb] = Verb.REFREEZE
    reason: str


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Stop the release where it stands, with its freeze."""

    verb: ClassVar[Verb] = Verb.HALT
    reason: str


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Let a halted release go on."""

    verb: ClassVar[Verb] = Verb.RESUME


@dataclass(frozen=True, kw_only=True)
class Abort:
    """Give the release up and thaw."""

    verb: ClassVar[Verb] = Verb.ABORT
    reason: str


@dataclass(frozen=True, kw_only=True)
class Help:
    """List the commands."""

    verb: ClassVar[Verb] = Verb.HELP


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """Freeze a branch outside any release."""

    verb: ClassVar[Verb] = Verb.FREEZE
    branch: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Unfreeze:
    """Lift a freeze that stands outside any release."""

    verb: ClassVar[Verb] = Verb.UNFREEZE
    branch: str


OnRelease = (
    Status | Approve | Go | Done | Defer | ApproveStage | RejectStage | Acknowledge | Waive | Retry | Refreeze | Halt | Resume | Abort
)
Command = Open | OnRelease | Help | Freeze | Unfreeze
