"""What a dossier says of people: who they are, what they said and decided, and what they were asked for.

Of these types, and of what stands below each name, ``docs/dossier.md`` and the JSON schema are made. All times are ISO 8601 in UTC, all
lengths of time whole seconds, all hashes hexadecimal in small letters; what is not there is null.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class Part:
    """A part of the document: nothing else is in it than what is named."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"use_attribute_docstrings": True, "extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class Issue(Part):
    """The issue on which people and the bot talked."""

    repository: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Person(Part):
    """A person by GitHub's numeric account id; the login is only for reading, for it can be renamed."""

    id: int
    login: str


@dataclass(frozen=True, kw_only=True)
class Actor(Person):
    """Somebody who acted."""

    did: tuple[str, ...]
    """What they did, each once: the words of their commands, and `tag` for whoever cut the tag."""


@dataclass(frozen=True, kw_only=True)
class Command(Part):
    """A command that took effect."""

    verb: str
    by: Person
    comment: int
    """GitHub's id of the comment."""
    said: str
    """When GitHub says that it was written."""
    at: str
    """When it was acted on."""
    what: str
    """What it did, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Decision(Part):
    """What somebody decided in a comment, and when it counted."""

    by: Person
    at: str
    comment: int


@dataclass(frozen=True, kw_only=True)
class Approval(Decision):
    """An approval of one push plan."""

    tag: str
    plan: str
    """The digest of the plan."""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement(Decision):
    """Somebody took note of findings."""

    findings: str
    """Their digest."""


@dataclass(frozen=True, kw_only=True)
class Waiver(Decision):
    """A second person let a failed check pass."""

    check: str
    sha: str
    findings: str
    """The digest of exactly those findings."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Go(Decision):
    """The go: everything that was built for this tag may become public."""

    tag: str
    results: str
    """The digest of what was built."""


@dataclass(frozen=True, kw_only=True)
class HandWork(Decision):
    """An expert said that a step done by hand was done."""

    step: str
    tag: str
    sha256: str | None
    """That of the file they made, where one was asked for."""


@dataclass(frozen=True, kw_only=True)
class Deferral(Decision):
    """The release went on without the files of a step done by hand."""

    step: str
    tag: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Recall(Decision):
    """Somebody wanted to give up a release that may have been public already."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Ask(Part):
    """Something that people were asked for; null where it was not done."""

    step: str
    who: tuple[str, ...]
    """The logins of those who were asked."""
    what: str
    since: str
    done: str | None
    seconds: int | None
