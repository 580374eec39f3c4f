"""Keys, metadata, bundles, SBOMs and sources: the rows of whole releases."""

import json
import lzma
import tarfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from bot.profile import load
from bot.release.version import Version
from bot.verify.archive import read_archive
from bot.verify.digests import digest_file
from bot.verify.material import Choice, from_directory
from bot.verify.metadata import read_metadata
from bot.verify.openpgp import Keyring, OpenPGP
from bot.verify.release import verify_release
from bot.verify.result import NotProven, ProofName, Proven, Verdict
from bot.verify.sbom import Sbom
from bot.verify.sigstore_bundle import SigstoreBundle
from bot.verify_policy import release_policy
from tests.verify.real_bundles import every_real_bundle, signers
from tests.verify_real.checks import Artifacts, Check, holds

LANGA = "E3FF2839C048B25C084DEBE9B26995E310250568"
GALINDO = "A035C8C19219BA821ECEA86B64E628F8D684696D"
DOWER = "7ED10B6531D7C8E1BC296021FC624643487034E5"
WOUTERS = "7169605F62C75135" + "6D054A26A821E680E5FA6305"
HAMANO = "96E07AF25771955980DAD10020D04E5A713660A7"
RELEASES, FILES, BUNDLES = 450, 3353, 886

EXPIRED, REFRESHED, MERGED = (f"keys/thomas-wouters.{which}" for which in ("debian-copy-expired.asc", "github-2026-08.asc", "merged.pgp"))


@cache
def keyring(*files: Path) -> Keyring:
    return Keyring.from_files(files)


@cache
def bundle_of(identity: str, issuer: str) -> SigstoreBundle:
    return SigstoreBundle(identity=identity, issuer=issuer)


def keys(found: Artifacts) -> Iterator[Check]:
    for file, fingerprint in (
        ("keys/junio-c-hamano.asc", HAMANO),
        ("keys/lukasz-langa.asc", LANGA),
        ("keys/pablo-galindo.asc", GALINDO),
        ("keys/steve-dower.asc", DOWER),
        (EXPIRED, WOUTERS),
        (REFRESHED, WOUTERS),
        (MERGED, WOUTERS),
    ):
        yield Check(row=file, what="the key in it", because=fingerprint, work=partial(_fingerprints, found.path(file)))
    signed = partial(openpgp, found, "3.13.5")
    yield Check(row=EXPIRED, what="3.13.5, signed before the key expired", because="before the key expired", work=partial(signed, EXPIRED))
    yield Check(
        row=EXPIRED,
        what="3.13.5, if it were released now",
        expected=Verdict.FAILED,
        because="has expired",
        work=partial(signed, EXPIRED, expired_keys=False),
    )
    yield Check(row=REFRESHED, what="3.13.5 by the refreshed key", because=WOUTERS, work=partial(signed, REFRESHED))
    yield Check(row=MERGED, what="3.13.5 by the merged key", because=WOUTERS, work=partial(signed, MERGED))


def _fingerprints(path: Path) -> str:
    return ", ".join(keyring(path).fingerprints)


def openpgp(found: Artifacts, version: str, key: str, *, file: str = "", expired_keys: bool = True) -> Proven:
    verifier = OpenPGP(keyring(found.path(key)), expired_keys=expired_keys)
    path = found.path(f"source/Python-{file or version}.tar.xz")
    return verifier.verify_file(path, found.read(f"source/Python-{version}.tar.xz.asc"), allowed={WOUTERS})


def metadata(found: Artifacts) -> Iterator[Check]:
    archive = "metadata/python-org-releases-2026-04-11.tar.xz"
    yield Check(
        row=archive, what=f"{RELEASES} releases with {FILES} files", because=f"{RELEASES} {FILES}", work=lambda: _count(found.path(archive))
    )
    yield Check(row=archive, what=f"{BUNDLES} bundles by the managers of their series", because=str(BUNDLES), work=lambda: _bundles(found))
    identities = "metadata/signing-identities.json"
    wrong = "of 3.16 and 3.17 are shifted"
    yield Check(
        row=identities,
        what="9 rows are right, 2 have shifted fields",
        because="9",
        work=lambda: f"{len(signers(found.root))} rows; those {wrong}",
    )


def _count(path: Path) -> str:
    with tarfile.open(path) as archive:
        contents = [json.load(file) for member in archive if "versions/" in member.name and (file := archive.extractfile(member))]
    return f"{len(contents)} {sum(map(len, contents))}"


def _bundles(found: Artifacts) -> str:
    refused = []
    count = 0
    for one in every_real_bundle(found.root):
        try:
            bundle_of(one.identity, one.issuer).verify(one.bundle, one.sha256)
            count += 1
        except NotProven as trouble:
            refused.append(f"{one.file}: {trouble.why}")
    if refused:
        raise NotProven(f"{len(refused)} bundles are refused.", *refused[:10])
    return f"{count} bundles verified"


def sigstore(found: Artifacts) -> Iterator[Check]:
    tgz = next(row for row in json.loads(found.read("metadata/3.12.5.json")) if row["raw"]["url"].endswith(".tgz"))["sha256"]
    wouters = bundle_of("thomas@python.org", "https://accounts.google.com")
    for file, expected, because in (
        ("sigstore/Python-3.12.5.tgz.sigstore", Verdict.VERIFIED, "thomas@python.org"),
        ("sigstore/Python-3.12.5.tgz.unmigrated.sigstore", Verdict.UNUSABLE, ""),
    ):
        yield Check(row=file, what="3.12.5's .tgz", expected=expected, because=because, work=partial(wouters.verify, found.read(file), tgz))


def sboms(found: Artifacts) -> Iterator[Check]:
    name = "Python-3.14.4.tgz"
    proof = Sbom(file_name=name, version=Version.parse("3.14.4"), url=f"https://www.python.org/ftp/python/3.14.4/{name}")
    for file in ("sbom/3.14.4-Misc-sbom.spdx.json", "sbom/release-tools-test-sbom-with-pip.json"):
        yield Check(row=file, what="a fragment", expected=Verdict.FAILED, work=partial(proof.verify, found.read(file), "0" * 64))
    file = "sbom/Python-3.14.4.tgz.regenerated.spdx.json.xz"

    def regenerated() -> Proven:
        path = found.release("3.14.4") / name
        return proof.verify(lzma.decompress(found.read(file)), digest_file(path).sha256, read_archive(path).members)

    yield Check(row=file, what="the files of the recompressed .tgz", because="5093", work=regenerated)


def sources(found: Artifacts) -> Iterator[Check]:
    good, bad = "source/Python-3.13.5.tar.xz.asc", "source/Python-3.13.3.tar.xz.asc"
    yield Check(row=good, what="the .asc of 3.13.5", because=WOUTERS, work=partial(openpgp, found, "3.13.5", MERGED))
    yield Check(
        row=bad,
        what="the .asc of 3.13.3 on 3.13.5",
        expected=Verdict.FAILED,
        because="does not fit",
        work=partial(openpgp, found, "3.13.3", MERGED, file="3.13.5"),
    )
    for version, manager in (("3.13.5", "thomas@python.org"), ("3.14.4", "hugo@python.org")):
        txz, tgz = f"source/Python-{version}.tar.xz", f"source/Python-{version}.tgz"
        proved = partial(_proved, found, version)
        yield Check(row=txz, what="= python.org", work=partial(proved, "tar.xz", ProofName.BYTES))
        yield Check(row=txz, what="packed as a release", work=partial(proved, "tar.xz", ProofName.ARCHIVE))
        yield Check(row=txz, what="the same tar as the .tgz", because="byte for byte", work=partial(proved, "", ProofName.SAME_TAR))
        yield Check(row=f"{txz}.sigstore", what="its file", because=manager, work=partial(proved, "tar.xz", ProofName.SIGSTORE))
        yield Check(row=f"{tgz}.sigstore", what="the recompressed .tgz", because=manager, work=partial(proved, "tgz", ProofName.SIGSTORE))
        yield Check(
            row=f"{tgz}.sigstore",
            what="the .tar.xz",
            expected=Verdict.FAILED,
            because="of other bytes",
            work=partial(_on_another, found, version, manager),
        )


@cache
def _report(folder: Path, metadata: Path, version: str) -> dict[tuple[str, ProofName], Proven | NotProven]:
    """Verify both source archives as the program does."""
    only = ("Python-*",)
    policy = release_policy(load("cpython"), Version.parse(version))
    material = from_directory(folder, read_metadata(metadata), Choice(patterns=only))
    outcomes: dict[tuple[str, ProofName], Proven | NotProven] = {}
    for one in verify_release(material, policy, only=only).results:
        good = Proven(why=one.why, signer=one.signer, diagnostics=one.diagnostics)
        outcomes[one.subject, one.proof] = good if one.verdict.good else NotProven(one.why, *one.diagnostics)
    return outcomes


def _proved(found: Artifacts, version: str, suffix: str, proof: ProofName) -> Proven:
    subject = f"Python-{version}.{suffix}" if suffix else f"Python {version}"
    outcome = _report(found.release(version), found.path(f"metadata/{version}.json"), version)[subject, proof]
    if isinstance(outcome, NotProven):
        raise outcome
    return outcome


def _on_another(found: Artifacts, version: str, manager: str) -> Proven:
    issuer = {"thomas@python.org": "https://accounts.google.com", "hugo@python.org": "https://github.com/login/oauth"}[manager]
    bundle = found.read(f"source/Python-{version}.tgz.sigstore")
    return bundle_of(manager, issuer).verify(bundle, digest_file(found.path(f"source/Python-{version}.tar.xz")).sha256)


def files(found: Artifacts) -> Iterator[Check]:
    """Yield that every file is the one that the MANIFEST names."""
    for row in found.rows:
        yield Check(row=row.file, what="the file itself", work=partial(_is_row, found.path(row.file), row.size, row.sha256))


def _is_row(path: Path, size: int, sha256: str) -> str:
    digests = digest_file(path)
    return holds((digests.size, digests.sha256) == (size, sha256), "size and SHA-256 are those of the MANIFEST")
