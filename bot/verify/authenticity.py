"""Say whether a tag is authentic: read it, compare it with what was asked for, verify its signature against those who may sign.

In the manner of https://sigstore.github.io/sigstore-python/: an object made once with what is trusted, and one ``verify``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from bot.release.facts import Signed
from bot.verify.gitsign import Gitsign
from bot.verify.openpgp import OpenPGP
from bot.verify.proof import Proof, bad, good
from bot.verify.result import NotProven, Verdict
from bot.verify.sigstore_bundle import OidcIdentity
from bot.verify.ssh_signature import SSH
from bot.verify.tag import MalformedTag, TagObject


@dataclass(frozen=True, kw_only=True)
class Signers:
    """Whose signatures count: fingerprints of OpenPGP primary keys and principals of SSH keys; None is everyone who is trusted at all.

    ``oidc`` are the logins that may sign by gitsign. There the trusted root vouches for anyone in the world, so nobody else counts.
    """

    fingerprints: Collection[str] | None = None
    principals: Collection[str] | None = None
    oidc: Collection[OidcIdentity] = ()


@dataclass(frozen=True, kw_only=True)
class TagVerdict:
    """What was found about a tag.

    ``good``: it is the tag that was asked for, and a signature that counts covers it. ``signed`` and ``tag`` are None when the object
    itself is refused (malformed, another name, not on a commit): no policy may accept that, signed or not. An unsigned tag that is
    well-formed has ``signed`` UNSIGNED and is not good; whether that is enough is for the series to say. ``signer`` is the primary
    fingerprint, principal or identity, set only when good. Of one that is not ``usable`` nobody can tell offline whether it is good.
    """

    good: bool
    signed: Signed | None
    signer: str = ""
    why: str
    diagnostics: tuple[str, ...] = ()
    tag: TagObject | None = None
    usable: bool = True

    @property
    def verdict(self) -> Verdict:
        """How the question ended in the words of all proofs."""
        if self.good:
            return Verdict.VERIFIED
        return Verdict.FAILED if self.usable else Verdict.UNUSABLE


class TagVerifier:
    """Verifies tags by what it was made with."""

    def __init__(self, *, openpgp: OpenPGP | None = None, ssh: SSH | None = None, gitsign: Gitsign | None = None) -> None:
        """Trust these; a kind of signature for which nothing is trusted never counts."""
        self._openpgp = openpgp
        self._ssh = ssh
        self._gitsign = gitsign

    def verify(
        self, raw: bytes, *, name: str, object_id: str | None = None, target: str | None = None, signers: Signers = Signers()
    ) -> TagVerdict:
        """Verify a raw tag object; this blocks for some milliseconds.

        ``name`` is the tag's name without ``refs/tags/``; ``object_id`` and ``target`` are the ids it must have, where they are known.
        Raises nothing about the tag: every doubt is in the verdict. Raises Unavailable when a program took too long, and ProgramMissing.
        """
        try:
            tag = TagObject.parse(raw)
            tag.expect(name=name, object_id=object_id, target=target)
        except MalformedTag as error:
            return TagVerdict(good=False, signed=None, why=str(error))
        proof = self._prove(tag, signers)
        return TagVerdict(
            good=proof.good,
            signed=tag.signed,
            signer=proof.signer,
            why=proof.why,
            diagnostics=proof.said,
            tag=tag,
            usable=proof.usable,
        )

    def _prove(self, tag: TagObject, signers: Signers) -> Proof:
        """Verify the tag's signature, whatever its kind."""
        match tag.signed:
            case Signed.OPENPGP:
                if not self._openpgp:
                    return bad("OpenPGP: no keys were given to verify the signature with", ())
                return self._openpgp.verify(tag.payload, tag.signature, allowed=signers.fingerprints)
            case Signed.SSH:
                if not self._ssh:
                    return bad("SSH: no list of allowed signers was given to verify the signature with", ())
                return self._ssh.verify(tag.payload, tag.signature, allowed=signers.principals)
            case Signed.GITSIGN:
                if not self._gitsign or not signers.oidc:
                    return bad("gitsign: no login was given that may sign, or no trusted root to verify the signature with", ())
                return _by_gitsign(self._gitsign, tag, signers.oidc)
            case Signed.UNSIGNED:
                return bad("unsigned", ())
            case _:
                assert_never(tag.signed)


def _by_gitsign(gitsign: Gitsign, tag: TagObject, allowed: Collection[OidcIdentity]) -> Proof:
    """Verify a signature of gitsign."""
    try:
        proven = gitsign.verify(tag.payload, tag.signature, allowed=allowed)
    except NotProven as error:
        return Proof(good=False, why=f"gitsign: {_clause(error.why)}", said=error.diagnostics, usable=error.verdict is not Verdict.UNUSABLE)
    return good(proven.signer, _clause(proven.why), proven.diagnostics)


def _clause(sentence: str) -> str:
    """Return a sentence so that it can stand within another one."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")
