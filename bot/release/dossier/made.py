"""What a dossier says of what was made, published and proved (see ``bot.release.dossier.persons``)."""

from dataclasses import dataclass

from bot.release.dossier.persons import Part, Person


@dataclass(frozen=True, kw_only=True)
class Tag(Part):
    """The tag object."""

    object: str
    """The id of the tag object itself."""
    commit: str
    name: str
    fork: str
    """Where it was found."""
    owner: int
    """The account id of the fork's owner."""
    content: str
    """The raw object in base64: its SHA-1, with git's head before it, is the id."""
    signature: str
    """`openpgp`, `ssh`, `gitsign` or `unsigned`."""
    signer: str | None
    """Whose signature was proved."""
    vouched: str
    """The signer, or `unsigned: typed SHA` where the approvals vouch for it, each of which typed its id in full."""
    tagger: str | None
    dated: str | None


@dataclass(frozen=True, kw_only=True)
class Line(Part):
    """One line of the push plan: a ref goes from the old id, null for none, to the new one."""

    ref: str
    old: str | None
    new: str


@dataclass(frozen=True, kw_only=True)
class Input(Part):
    """One input or parameter."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Run(Part):
    """One run of a builder that was ordered, in whatever attempt."""

    step: str
    purpose: str
    number: int
    """The how manieth order of that purpose it was in its attempt."""
    attempt: int
    id: int
    """The builder's own id; 0 for an order of which nobody ever saw a run."""
    name: str
    url: str
    ordered: tuple[Input, ...]
    """The inputs or parameters that it was ordered with, in their order."""
    result: str | None
    """How it ended, in the builder's own word; null where it was not looked at to its end."""
    certificate: str | None
    """Whom the certificate names that signed what it made."""
    at: str


@dataclass(frozen=True, kw_only=True)
class BuiltFile(Part):
    """A file as its builder made it."""

    name: str
    sha256: str
    size: int | None
    """In bytes."""


@dataclass(frozen=True, kw_only=True)
class Build(Part):
    """What a step made of the tag."""

    step: str
    tag: str
    commit: str
    files: tuple[BuiltFile, ...]
    url: str | None
    at: str


@dataclass(frozen=True, kw_only=True)
class Made(Part):
    """What a builder, or an expert by hand, says of a file."""

    step: str
    by: Person | None
    """The expert, null for a machine."""
    sha256: str
    size: int | None
    """In bytes."""
    at: str


@dataclass(frozen=True, kw_only=True)
class Stated(Part):
    """What python.org's list states of a file."""

    size: int
    """In bytes."""
    md5: str | None
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Read(Part):
    """What became of a file when all of its bytes were asked for."""

    at: str
    ended: str
    """`read`, `missing`, `withheld` or `oversized`."""
    size: int | None
    """In bytes."""
    md5: str | None
    sha256: str | None
    why: str | None


@dataclass(frozen=True, kw_only=True)
class File(Part):
    """One file by its name, with everything that anybody said of it."""

    name: str
    url: str | None
    """Where it is public."""
    made: tuple[Made, ...]
    stated: Stated | None
    """Null for what only vouches for another file, and for what is not public."""
    read: tuple[Read, ...]
    """The first time and, once it was confirmed, the second."""


@dataclass(frozen=True, kw_only=True)
class Publication(Part):
    """The publication on python.org."""

    rows: str
    """The digest of each row of the list, with the name of its file."""
    first: str
    """When exactly that was first read to its end."""
    again: str | None
    """When it was read for the second time."""
    right: bool
    """Whether nothing was wrong with it."""
    content: str
    """The digest of the hashes of everything that was read."""


@dataclass(frozen=True, kw_only=True)
class Proof(Part):
    """How one proof ended."""

    step: str
    at: str
    subject: str
    """A file by its name, a tag, or the release."""
    proof: str
    verdict: str
    """`verified`, `failed`, `absent as expected` or `unusable`; only the first and the third are good."""
    why: str
    signer: str | None
    diagnostics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Root(Part):
    """A trust root that a proof rested on."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Version(Part):
    """A program or library that took part."""

    name: str
    version: str
