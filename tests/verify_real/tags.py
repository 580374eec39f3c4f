"""Tags and trees."""

import dataclasses
from collections.abc import Iterator
from functools import partial

from bot.release.version import Version
from bot.verify.authenticity import Signers, TagVerifier
from bot.verify.gitsign import Gitsign
from bot.verify.openpgp import OpenPGP
from bot.verify.result import NotProven, Proven, Unusable, Verdict
from bot.verify.sigstore_bundle import OidcIdentity
from bot.verify.source_tree import ExportRules, SourceTree
from bot.verify.ssh_signature import SSH
from tests.verify.test_source_tree import archive_of, real_tree
from tests.verify_real.checks import Artifacts, Check, holds
from tests.verify_real.releases import GALINDO, HAMANO, LANGA, keyring

BILLY = OidcIdentity(identity="billy@chainguard.dev", issuer="https://accounts.google.com")
KEYS = ("keys/lukasz-langa.asc", "keys/pablo-galindo.asc", "keys/junio-c-hamano.asc")
ALLOWED = "tags/allowed_signers"

TAGS = (
    ("blurb-v1.1.0", Verdict.FAILED, "unsigned"),
    ("cpython-v3.10.0", Verdict.VERIFIED, GALINDO),
    ("cpython-v3.9.2", Verdict.VERIFIED, LANGA),
    ("git-v2.47.3", Verdict.VERIFIED, HAMANO),
    ("gitsign-v0.13.0", Verdict.UNUSABLE, ""),
    ("gitsign-v0.17.1", Verdict.VERIFIED, BILLY.identity),
    ("k8s-release-v0.13.0", Verdict.VERIFIED, "foo@auggie.dev"),
    ("sigstore-python-v1.0.0", Verdict.VERIFIED, "william@trailofbits.com"),
)


def judged(found: Artifacts, raw: bytes, name: str, oid: str | None = None) -> Proven:
    """Judge a raw tag object as ``verify-tag`` does."""
    verifier = TagVerifier(
        openpgp=OpenPGP(keyring(*(found.path(key) for key in KEYS))), ssh=SSH.from_file(found.path(ALLOWED)), gitsign=Gitsign()
    )
    verdict = verifier.verify(raw, name=name, object_id=oid, signers=Signers(oidc=(BILLY,)))
    if verdict.good:
        return Proven(why=verdict.why, signer=verdict.signer)
    raise (NotProven if verdict.usable else Unusable)(verdict.why)


def tags(found: Artifacts) -> Iterator[Check]:
    for file, expected, because in TAGS:
        raw, oid = found.read(f"tags/{file}.tag"), found.read(f"tags/{file}.oid").decode().strip()
        name = file.rpartition("-")[2]
        yield Check(row=f"tags/{file}.tag", what=name, expected=expected, because=because, work=partial(judged, found, raw, name, oid))
    raw = found.read("tags/cpython-v3.9.2.tag")
    yield Check(row=ALLOWED, what="the keys in it", because="2", work=lambda: f"{len(found.read(ALLOWED).splitlines())} keys")
    variants = (
        ("under another name", raw, "v9.9.9", "another name"),
        ("renamed within", raw.replace(b"tag v3.9.2", b"tag v9.9.9"), "v9.9.9", "does not fit"),
        ("its commit replaced", raw.replace(b"object ", b"object 0000", 1)[: len(raw)], "v3.9.2", ""),
        ("its signature taken away", raw.partition(b"-----BEGIN")[0], "v3.9.2", "unsigned"),
        ("cut off", raw[: len(raw) // 2], "v3.9.2", ""),
        ("a commit instead", found.read("tags/cpython-v3.9.2.commit"), "v3.9.2", "lightweight"),
    )
    for what, content, name, because in variants:
        work = partial(judged, found, content, name)
        yield Check(row="tags/cpython-v3.9.2.tag", what=f"variant: {what}", expected=Verdict.FAILED, because=because, work=work)


def trees(found: Artifacts) -> Iterator[Check]:
    """The contents of v3.9.2's files are not here, so that its archive is generated from git's ids of them."""
    tree, attributes = "trees/cpython-v3.9.2.tree.json.xz", "trees/cpython-v3.9.2.gitattributes"
    oid = found.read("tags/cpython-v3.9.2.oid").decode().strip()
    yield Check(row=tree, what="tag → commit → tree", work=lambda: holds((of := real_tree().revision) and of.tag_id == oid, "the ids fit"))
    yield Check(row=attributes, what="line ends of the (generated) matching archive", because="150 of them with the CRLF", work=_matching)
    yield Check(row=tree, what="a matching archive (generated)", because="nothing is unexplained", work=_matching)
    yield Check(row=tree, what="an altered archive (generated)", expected=Verdict.FAILED, because="'Lib/os.py'", work=_altered)


def _matching() -> Proven:
    tree = real_tree()
    return SourceTree(tree, ExportRules.for_version(Version.parse("3.9.2"))).verify(archive_of(tree))


def _altered() -> Proven:
    tree = real_tree()
    archive = archive_of(tree)
    members = {**archive.members, "Lib/os.py": dataclasses.replace(archive.members["Lib/os.py"], blob_id="0" * 40)}
    return SourceTree(tree, ExportRules.for_version(Version.parse("3.9.2"))).verify(dataclasses.replace(archive, members=members))
