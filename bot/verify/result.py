"""What a proof says of one file, one tag or one release, so that nobody has to guess what a bare no or yes would mean.

In the manner of https://sigstore.github.io/sigstore-python/: a proof is a small object made once with what is trusted and expected; its one
``verify`` returns what it proved, or raises why it could not, with diagnostics for a person.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Verdict(StrEnum):
    """How the question of a proof was answered; only the first and the third are good."""

    VERIFIED = "verified"
    FAILED = "failed"
    ABSENT = "absent as expected"
    UNUSABLE = "unusable"

    @property
    def good(self) -> bool:
        """Tell whether a release may rest on it."""
        match self:
            case Verdict.VERIFIED | Verdict.ABSENT:
                return True
            case Verdict.FAILED | Verdict.UNUSABLE:
                return False
            case _:
                assert_never(self)


class ProofName(StrEnum):
    """The proofs there are, in the order in which they are told."""

    TAG = "tag"
    LISTED = "expected files"
    BYTES = "bytes"
    OPENPGP = "OpenPGP"
    SIGSTORE = "Sigstore"
    AUTHENTICODE = "Authenticode"
    SBOM = "SBOM"
    ARCHIVE = "archive"
    SAME_TAR = "same tar"
    SOURCE_TREE = "tarball = tag"
    BUILDER = "builder = public"
    INSTALL_MANAGER = "install manager"
    NUGET = "NuGet"
    DOCS = "documentation"


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What was proved: ``why`` is one sentence; ``signer`` is whose signature it was, empty where there is none."""

    why: str
    signer: str = ""
    diagnostics: tuple[str, ...] = ()


class NotProven(Exception):
    """A proof did not succeed; ``why`` is one sentence, ``diagnostics`` are the details that a person needs to act on it."""

    verdict = Verdict.FAILED

    def __init__(self, why: str, *diagnostics: str) -> None:
        """Say why, and with which details."""
        super().__init__(why)
        self.why = why
        self.diagnostics = diagnostics


class Unusable(NotProven):
    """What should prove it cannot be used at all, so it proves nothing either way: it is no sign of an attack, and no proof."""

    verdict = Verdict.UNUSABLE


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one proof ended for one ``subject``: a file by its name, a tag, or the release by its name."""

    subject: str
    proof: ProofName
    verdict: Verdict
    why: str
    signer: str = ""
    diagnostics: tuple[str, ...] = ()

    @classmethod
    def of(cls, subject: str, proof: ProofName, outcome: Proven | NotProven) -> "Result":
        """Return the result of what ``verify`` returned or raised."""
        match outcome:
            case Proven(why=why, signer=signer, diagnostics=diagnostics):
                return cls(subject=subject, proof=proof, verdict=Verdict.VERIFIED, why=why, signer=signer, diagnostics=diagnostics)
            case NotProven():
                return cls(subject=subject, proof=proof, verdict=outcome.verdict, why=outcome.why, diagnostics=outcome.diagnostics)
            case _:
                assert_never(outcome)

    @classmethod
    def absent(cls, subject: str, proof: ProofName, why: str) -> "Result":
        """Return that nothing is there, and that nothing should be."""
        return cls(subject=subject, proof=proof, verdict=Verdict.ABSENT, why=why)
