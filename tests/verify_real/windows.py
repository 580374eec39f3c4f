"""Windows files, and variants of every kind of file that somebody tampered with."""

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from bot.profile import load
from bot.release.version import Version
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.digests import digest_file
from bot.verify.material import Choice, from_directory
from bot.verify.metadata import read_metadata
from bot.verify.openpgp import OpenPGP
from bot.verify.release import verify_release
from bot.verify.result import NotProven, ProofName, Proven, Verdict
from bot.verify_policy import release_policy
from tests.verify_real.checks import Artifacts, Check, flipped, truncated
from tests.verify_real.releases import MERGED, WOUTERS, bundle_of, keyring

ZIP = "windows/python-3.13.2-embed-amd64.zip"
CATALOGUE, INDEX, PEM = "windows/psf-signed.cat", "windows/index-windows.json", "windows/psf-roots.pem"
OLD = "windows/python-3.8.10-amd64-python.exe"
TARBALL = "source/Python-3.13.5.tar.xz"


@cache
def microsoft(*, usage: bool = True) -> Authenticode:
    return Authenticode(Roots.microsoft(), AuthenticodePolicy() if usage else AuthenticodePolicy(usage=None))


def windows(found: Artifacts) -> Iterator[Check]:
    for file, because in (("python-tampered.exe", "digest"), ("python-unsigned.exe", "is not signed")):
        path = found.path(f"windows/negative/{file}")
        yield Check(
            row=f"windows/negative/{file}",
            what="its signature",
            expected=Verdict.FAILED,
            because=because,
            work=partial(microsoft().verify, path),
        )
    own = Roots.from_file(found.path(PEM))
    yield Check(row=PEM, what="the roots of PSF's own", because="3", work=lambda: f"{len(own.certificates)} roots")
    catalogue = partial(microsoft().verify_catalogue, found.read(CATALOGUE))
    by_own = Authenticode(own, AuthenticodePolicy()).verify_catalogue
    yield Check(row=PEM, what="lead to the catalogue", work=lambda: by_own(found.read(CATALOGUE), found.read(INDEX)))
    yield Check(row=CATALOGUE, what="its signature", because="PyManager 20260413.5", work=lambda: catalogue(found.read(INDEX)))
    yield Check(row=INDEX, what="in the catalogue", because="exactly as it is", work=lambda: catalogue(found.read(INDEX)))
    yield Check(row=INDEX, what="with one byte more", expected=Verdict.FAILED, work=lambda: catalogue(found.read(INDEX) + b"\n"))
    old = found.path(OLD)
    yield Check(row=OLD, what="in its era", because="Python 3.8.10", work=lambda: microsoft(usage=False).verify(old, "python.exe"))
    yield Check(
        row=OLD, what="in today's", expected=Verdict.FAILED, because="lacks the usage", work=lambda: microsoft().verify(old, "python.exe")
    )
    for proof, row, because in (
        (ProofName.BYTES, ZIP, "python.org"),
        (ProofName.AUTHENTICODE, ZIP, "(30) bear"),
        (ProofName.SIGSTORE, f"{ZIP}.sigstore", "thomas@python.org"),
    ):
        work = partial(_proved, found.path("windows"), found.path("metadata/3.13.2.json"), proof)
        yield Check(row=row, what=f"{proof} of the zip", because=because, work=work)


@cache
def _proved(folder: Path, metadata: Path, proof: ProofName) -> Proven:
    only = ("*-embed-amd64.zip",)
    policy = release_policy(load("cpython"), Version.parse("3.13.2"))
    report = verify_release(from_directory(folder, read_metadata(metadata), Choice(patterns=only)), policy, only=only)
    (one,) = [result for result in report.results if result.proof is proof and result.subject == Path(ZIP).name]
    if not one.verdict.good:
        raise NotProven(one.why, *one.diagnostics)
    return Proven(why=one.why, signer=one.signer, diagnostics=one.diagnostics)


def variants(found: Artifacts) -> Iterator[Check]:
    """Yield what was made of real files by somebody who should not have, each of which has to be refused."""
    wouters = bundle_of("thomas@python.org", "https://accounts.google.com")
    openpgp = OpenPGP(keyring(found.path(MERGED)))
    signature, bundle = found.read(f"{TARBALL}.asc"), found.read(f"{TARBALL}.sigstore")
    for what, change in (("one bit flipped", flipped), ("cut off", truncated)):
        path = found.altered(TARBALL, change)
        refused = partial(Check, row=TARBALL, expected=Verdict.FAILED)
        digest = digest_file(path).sha256
        yield refused(what=f"variant: {what}: Sigstore", because="of other bytes", work=partial(wouters.verify, bundle, digest))
        work = partial(openpgp.verify_file, path, signature, allowed={WOUTERS})
        yield refused(what=f"variant: {what}: OpenPGP", because="does not fit", work=work)
        yield refused(
            what=f"variant: {what}: bytes", because="is not the file that python.org states", work=partial(_bytes, found, path, TARBALL)
        )
    sha256 = digest_file(found.path(TARBALL)).sha256
    for what, content, expected in (
        ("swapped with the .tgz's", found.read("source/Python-3.13.5.tgz.sigstore"), Verdict.FAILED),
        ("of another series' manager", found.read("source/Python-3.14.4.tar.xz.sigstore"), Verdict.FAILED),
        ("cut off", truncated(bundle), Verdict.UNUSABLE),
        ("empty", b"", Verdict.UNUSABLE),
    ):
        yield Check(row=f"{TARBALL}.sigstore", what=f"variant: {what}", expected=expected, work=partial(wouters.verify, content, sha256))
    langa = bundle_of("lukasz@langa.pl", "https://github.com/login/oauth")
    yield Check(
        row=f"{TARBALL}.sigstore",
        what="variant: somebody else expected",
        expected=Verdict.FAILED,
        because="thomas@python.org",
        work=partial(langa.verify, bundle, sha256),
    )
    renamed = found.altered(TARBALL, bytes, "Python-3.14.4.tar.xz")
    yield Check(
        row=TARBALL,
        what="variant: renamed to 3.14.4",
        expected=Verdict.FAILED,
        because="is not the file",
        work=partial(_bytes, found, renamed, "source/Python-3.14.4.tar.xz"),
    )
    program = "windows/negative/python-tampered.exe"
    for what, path in (("one bit flipped", found.altered(ZIP, flipped)), ("cut off", found.altered(ZIP, truncated))):
        yield Check(row=ZIP, what=f"variant: {what}", expected=Verdict.FAILED, work=partial(microsoft().verify_zip, path))
    cut = found.altered(program, truncated)
    yield Check(row=program, what="variant: cut off", expected=Verdict.FAILED, work=partial(microsoft().verify, cut))
    yield Check(
        row=CATALOGUE,
        what="variant: one bit flipped",
        expected=Verdict.FAILED,
        work=lambda: microsoft().verify_catalogue(flipped(found.read(CATALOGUE)), found.read(INDEX)),
    )


def _bytes(found: Artifacts, path: Path, file: str) -> Proven:
    """Hold a file against what is stated of the one whose name it bears."""
    version = Path(file).name.removeprefix("Python-").removesuffix(".tar.xz")
    only = (Path(file).name,)
    policy = release_policy(load("cpython"), Version.parse(version))
    material = from_directory(path.parent, read_metadata(found.path(f"metadata/{version}.json")), Choice(patterns=only))
    report = verify_release(material, policy, only=only)
    (one,) = [result for result in report.results if result.proof is ProofName.BYTES]
    if not one.verdict.good:
        raise NotProven(one.why, *one.diagnostics)
    return Proven(why=one.why)
