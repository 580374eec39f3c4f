"""The files for Windows of a small release: installer, embeddable package and manifest, signed by an authority made for the test."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.verify.material import Choice, from_directory
from bot.verify.metadata import read_metadata
from bot.verify.release import verify_release
from bot.verify.release_policy import Builder
from bot.verify.report import Report
from bot.verify.result import ProofName, Result, Verdict
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
    assert "All 1 programs" in of(report, ZIP, ProofName.AUTHENTICODE).why
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
