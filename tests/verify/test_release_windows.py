"""The files for Windows of a small release: installer, embeddable package and manifest, signed by an authority made for the test."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.install_manager import CATALOGUE, INDEX, LARGEST
from bot.verify.material import Choice, from_directory
from bot.verify.metadata import read_metadata
from bot.verify.release import verify_release
from bot.verify.release_policy import Builder
from bot.verify.report import Report
from bot.verify.result import ProofName, Result, Verdict
from tests.reference import reference
from tests.verify.small_release import SmallRelease

EXE, ZIP, MANIFEST = "python-3.14.9-amd64.exe", "python-3.14.9-embed-amd64.zip", "windows-3.14.9.json"
ONLY = (EXE, ZIP, MANIFEST)
PACKAGE = "python-3.14.9-amd64.zip"


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def manifest(version: str = "3.14.9") -> bytes:
    url = f"https://www.python.org/ftp/python/3.14.9/{PACKAGE}"
    entry = {"schema": 1, "id": "pythoncore-3.14-64", "sort-version": version, "company": "PythonCore", "tag": "3.14-64"}
    return json.dumps({"versions": [{**entry, "url": url, "hash": {"sha256": "ab" * 32}}]}).encode()


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SmallWindowsSigning:
    return SmallWindowsSigning.create(tmp_path_factory.mktemp("signing"))


@pytest.fixture
def release(tmp_path: Path, signing: SmallWindowsSigning) -> SmallRelease:
    groups = ("windows-installer", "windows-embeddable", "windows-manifest")
    made = SmallRelease(tmp_path, groups=groups, companions=(".sigstore",), roots=signing.roots_pem)
    signed = signing.sign_pe(signing.small_pe(), "Built: Release_v3.14.9_20260801.01")
    made.add(EXE, signed)
    made.add(ZIP, zipped({"python.exe": signed, "python314.zip": b"PK"}))
    made.add(MANIFEST, manifest())
    made.state()
    return made


def verified(release: SmallRelease, *builders: Builder) -> Report:
    material = from_directory(release.files, read_metadata(release.metadata), Choice(patterns=ONLY))
    return verify_release(material, release.policy(), only=ONLY, builders=builders)


def of(report: Report, subject: str, proof: ProofName) -> Result:
    (found,) = [one for one in report.results if one.subject == subject and one.proof is proof]
    return found


def test_signatures_within_files_and_the_manifest_are_verified(release: SmallRelease) -> None:
    report = verified(release, Builder(name="Azure", sha256={PACKAGE: "ab" * 32}))
    assert report.good, report.bad
    assert of(report, EXE, ProofName.AUTHENTICODE).signer == "Python Software Foundation"
    assert "All programs in" in of(report, ZIP, ProofName.AUTHENTICODE).why
    assert "the hashes of 1 of which were compared" in of(report, MANIFEST, ProofName.INSTALL_MANAGER).why


def test_what_is_unsigned_or_of_another_release_is_refused(release: SmallRelease, signing: SmallWindowsSigning) -> None:
    release.add(EXE, signing.small_pe())
    release.add(ZIP, zipped({"python.exe": signing.small_pe()}))
    release.add(MANIFEST, manifest("3.14.8"))
    release.state()
    report = verified(release)
    for subject, proof, why in (
        (EXE, ProofName.AUTHENTICODE, "is not signed"),
        (ZIP, ProofName.AUTHENTICODE, "python.exe is not signed"),
        (MANIFEST, ProofName.INSTALL_MANAGER, "is not the manifest of Python 3.14.9"),
    ):
        found = of(report, subject, proof)
        assert found.verdict is Verdict.FAILED
        assert why in found.why
    # They were signed with Sigstore all the same: each proof stands for itself.
    assert of(report, EXE, ProofName.SIGSTORE).verdict is Verdict.VERIFIED


def test_packages_that_are_not_those_that_were_built_are_named(release: SmallRelease) -> None:
    found = of(verified(release, Builder(name="Azure", sha256={PACKAGE: "cd" * 32})), MANIFEST, ProofName.INSTALL_MANAGER)
    assert found.verdict is Verdict.FAILED
    assert PACKAGE in found.why


def test_without_roots_the_signatures_of_windows_are_not_asked(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path, groups=("windows-installer",), companions=(".sigstore",))
    release.add(EXE, b"MZ")
    release.state()
    material = from_directory(release.files, read_metadata(release.metadata), Choice(patterns=(EXE,)))
    report = verify_release(material, release.policy(), only=(EXE,))
    assert report.good
    assert any("Authenticode" in sentence and EXE in sentence for sentence in report.not_asked)


# --- what the signer says that a file is


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ("Built: Release_v3.14.8_20260801.01", "is signed as built from v3.14.8, but this release is v3.14.9"),
        ("Built: Release_v3.14.9rc1_20260801.01", "is signed as built from v3.14.9rc1, but this release is v3.14.9"),
        ("Python 3.14.8", ""),
        ("Built: somewhere else", ""),
    ],
)
def test_a_file_that_was_built_from_another_tag_is_refused(
    release: SmallRelease, signing: SmallWindowsSigning, description: str, why: str
) -> None:
    signed = signing.sign_pe(signing.small_pe(), description)
    release.add(EXE, signed)
    release.add(ZIP, zipped({"python.exe": signed}))
    release.state()
    report = verified(release)
    for name in (EXE, ZIP):
        found = of(report, name, ProofName.AUTHENTICODE)
        assert found.verdict is (Verdict.FAILED if why else Verdict.VERIFIED)
        assert not why or f"{name} {why}" in found.why
        assert any(description in line for line in found.diagnostics)


@pytest.mark.parametrize(("version", "verdict"), [("3.13.2", Verdict.VERIFIED), ("3.13.3", Verdict.FAILED)])
def test_the_real_package_of_one_release_is_not_that_of_the_next(tmp_path: Path, version: str, verdict: Verdict) -> None:
    content = reference("artifacts/windows/python-3.13.2-embed-amd64.zip").read_bytes()
    release = SmallRelease(tmp_path, version=version, groups=("windows-embeddable",), companions=(".sigstore",))
    name = f"python-{version}-embed-amd64.zip"
    release.add(name, content)
    release.state()
    policy = replace(release.policy(), authenticode=Authenticode(Roots.microsoft(), AuthenticodePolicy()))
    material = from_directory(release.files, read_metadata(release.metadata), Choice(patterns=(name,)))
    found = of(verify_release(material, policy, only=(name,)), name, ProofName.AUTHENTICODE)
    assert found.verdict is verdict
    if verdict is Verdict.FAILED:
        assert f"{name} is signed as built from v3.13.2, but this release is v3.13.3" in found.why


# --- what the install manager is offered


def indexed(release: SmallRelease, signing: SmallWindowsSigning, index: bytes, catalogue: bytes | None = None) -> Report:
    """Verify the release with an index beside it, and with its catalogue unless it is to be another one, or empty for none."""
    (release.files / INDEX).write_bytes(index)
    made = signing.sign_catalogue(index) if catalogue is None else catalogue
    if made:
        (release.files / CATALOGUE).write_bytes(made)
    return verified(release)


def listing(version: str = "3.14.9", **change: object) -> bytes:
    document = json.loads(manifest(version))
    document["versions"][0].update(change)
    return json.dumps(
        {"versions": [{**document["versions"][0], "id": "pythoncore-3.13-64", "sort-version": "3.13.99"}, *document["versions"]]}
    ).encode()


def test_the_index_and_its_catalogue_are_verified_where_they_lie_beside_the_manifest(
    release: SmallRelease, signing: SmallWindowsSigning
) -> None:
    report = indexed(release, signing, listing())
    assert report.good, report.bad
    assert of(report, MANIFEST, ProofName.INSTALL_MANAGER).why.endswith(f"and {INDEX} lists the same.")
    assert of(report, INDEX, ProofName.AUTHENTICODE).signer == "Python Software Foundation"
    assert not [sentence for sentence in report.not_asked if "install manager" in sentence]


@pytest.mark.parametrize(
    ("index", "why"),
    [
        (listing(hash={"sha256": "cd" * 32}), f"{INDEX} does not list what {MANIFEST} names"),
        (listing("3.14.8"), f"{INDEX} does not list what {MANIFEST} names"),
        (b"spam", f"{INDEX} "),
    ],
)
def test_an_index_that_offers_something_else_is_refused(
    release: SmallRelease, signing: SmallWindowsSigning, index: bytes, why: str
) -> None:
    report = indexed(release, signing, index)
    assert [(result.subject, result.proof) for result in report.bad] == [(MANIFEST, ProofName.INSTALL_MANAGER)]
    assert why in report.bad[0].why


Signs = Callable[[SmallWindowsSigning], bytes]


@pytest.mark.parametrize(
    ("signs", "why"),
    [
        (lambda signing: signing.sign_catalogue(b"another index"), "does not list this file"),
        (lambda signing: signing.issue("Somebody Else").sign_catalogue(listing()), "is signed by Somebody Else"),
        (lambda _: b"spam", f"{CATALOGUE} "),
        (lambda _: b"s" * (LARGEST + 1), "too many for what the install manager reads"),
    ],
)
def test_a_catalogue_that_does_not_vouch_for_the_index_is_refused(
    release: SmallRelease, signing: SmallWindowsSigning, signs: Signs, why: str
) -> None:
    report = indexed(release, signing, listing(), signs(signing))
    assert [(result.subject, result.proof) for result in report.bad] == [(INDEX, ProofName.AUTHENTICODE)]
    assert why in report.bad[0].why


def test_an_index_that_is_too_long_is_not_read(release: SmallRelease, signing: SmallWindowsSigning) -> None:
    report = indexed(release, signing, b" " * (LARGEST + 1))
    assert [(result.subject, result.proof) for result in report.bad] == [(INDEX, ProofName.INSTALL_MANAGER)]


@pytest.mark.parametrize(
    ("index", "catalogue", "says"),
    [
        (None, b"", f"{INDEX} is not here"),
        (listing("3.14.10"), b"", f"{INDEX} has moved on to Python 3.14.10"),
        (listing(), b"", f"{CATALOGUE} is not here"),
    ],
)
def test_what_nobody_can_tell_is_said_and_no_failure(
    release: SmallRelease, signing: SmallWindowsSigning, index: bytes | None, catalogue: bytes, says: str
) -> None:
    report = verified(release) if index is None else indexed(release, signing, index, catalogue)
    assert report.good, report.bad
    assert any(says in sentence for sentence in report.not_asked)


def test_an_index_that_moved_on_must_be_signed_all_the_same(release: SmallRelease, signing: SmallWindowsSigning) -> None:
    report = indexed(release, signing, listing("3.14.10"), b"not signed at all")
    assert [(result.subject, result.proof) for result in report.bad] == [(INDEX, ProofName.AUTHENTICODE)]


def test_packages_that_lie_beside_the_manifest_have_the_hashes_that_it_names(release: SmallRelease) -> None:
    (release.files / PACKAGE).write_bytes(b"spam")
    found = of(verified(release), MANIFEST, ProofName.INSTALL_MANAGER)
    assert found.verdict is Verdict.FAILED
    assert f"{PACKAGE} has the SHA-256 4e388ab3" in found.why
