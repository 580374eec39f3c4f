"""Say whether a tag is authentic by the policy of its series, with the keys of exactly those who may make it.

``required`` (up to 3.13): signed by this release's manager or recorded stand-in, not by just any key. ``if-present`` (from 3.14, whose
tools make unsigned tags): unsigned passes and is shown as such; a signature that is there must be good.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.profile import Person
from bot.profile.trust import Trust
from bot.release.facts import Signed
from bot.release.model import Release
from bot.release.version import Kind
from bot.tools import Tools
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.gitsign import Gitsign
from bot.verify.openpgp import Keyring, OpenPGP
from bot.verify.sigstore_bundle import OidcIdentity
from bot.verify.ssh_signature import SSH

Policy = Literal["required", "if-present"]


@dataclass(frozen=True, kw_only=True)
class Authenticity:
    """Whether the tag passes its series' policy; ``signer`` is empty for a tag that passes unsigned."""

    good: bool
    signed: Signed
    signer: str
    why: str
    diagnostics: tuple[str, ...] = ()


async def verify(raw: bytes, release: Release, tools: Tools) -> Authenticity:
    """Verify the tag object of a release: name, target, message, and the signature by those who may make this release."""
    tag = release.tag
    expected = (tag.object, tag.commit) if tag else (None, None)
    people, version = tools.managers(release), release.version
    if release.kind is Kind.END_OF_LIFE:
        # It takes the place of a whole branch, so it is signed whatever the series asks of its releases; its words are free.
        return await verify_by(raw, version.tag, people, "required", tools.profile.trust, expected=expected)
    policy = tools.profile.series_of(version).signature
    return await verify_by(raw, version.tag, people, policy, tools.profile.trust, expected=expected, message=version.tag_message)


async def verify_by(
    raw: bytes,
    name: str,
    people: Sequence[Person],
    policy: Policy,
    trust: Trust,
    *,
    expected: tuple[str | None, str | None] = (None, None),
    message: str = "",
) -> Authenticity:
    """Verify a tag object by the keys of these people."""
    object_id, target = expected
    verdict = await asyncio.to_thread(_verdict, raw, name, object_id, target, people, trust)
    if verdict.tag is not None and message and _subject(verdict.tag.message) != message:
        return _bad(verdict, f"Its message begins with {_subject(verdict.tag.message)!r}, where {message!r} is expected.")
    if verdict.good:
        return Authenticity(good=True, signed=verdict.signed or Signed.UNSIGNED, signer=verdict.signer, why=verdict.why)
    if verdict.signed is Signed.UNSIGNED and policy == "if-present":
        return Authenticity(good=True, signed=Signed.UNSIGNED, signer="", why="It is not signed, which this series allows.")
    if verdict.signed is Signed.UNSIGNED:
        who = " or ".join(person.login for person in people)
        return _bad(verdict, f"It is not signed, but tags of this series must be signed by {who}.")
    return _bad(verdict, verdict.why)


def _bad(verdict: TagVerdict, why: str) -> Authenticity:
    return Authenticity(good=False, signed=verdict.signed or Signed.UNSIGNED, signer="", why=why, diagnostics=verdict.diagnostics)


def _subject(message: str) -> str:
    return message.partition("\n")[0]


def _verdict(raw: bytes, name: str, object_id: str | None, target: str | None, people: Sequence[Person], trust: Trust) -> TagVerdict:
    """Read the keys anew each time: they are files that an operator replaces while the bot runs. This blocks for some milliseconds."""
    openpgp = OpenPGP(Keyring.from_files(trust.openpgp), expired_keys=False) if trust.openpgp else None
    signers = Signers(
        fingerprints=[fingerprint for person in people for fingerprint in person.pgp_fingerprints],
        principals=[person.login for person in people],
        oidc=[OidcIdentity(identity=login.identity, issuer=login.issuer) for person in people for login in person.oidc],
    )
    listed = _allowed_signers(people, trust)
    verifier = TagVerifier(openpgp=openpgp, ssh=SSH(listed) if listed.strip() else None, gitsign=_gitsign(trust))
    return verifier.verify(raw, name=name, object_id=object_id, target=target, signers=signers)


def _allowed_signers(people: Sequence[Person], trust: Trust) -> bytes:
    """Return the list of SSH keys that count, each for the login of the person whose it is."""
    own = "".join(f'{person.login} namespaces="git" {key}\n' for person in people for key in person.ssh_keys)
    listed = trust.allowed_signers.read_bytes() if trust.allowed_signers else b""
    return own.encode() + listed


def _gitsign(trust: Trust) -> Gitsign | None:
    """Return what verifies by the trusted root of the profile; without one, gitsign does not count."""
    if trust.sigstore_root is None:
        return None
    return Gitsign(trust.sigstore_root if isinstance(trust.sigstore_root, Path) else None)
