import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.rehearsal.trust_windows_cms import NESTED, LooseSignature, Signer, timestamp
from bot.rehearsal.trust_windows_program import signature_of, with_signature
from bot.rehearsal.versions import WrongUse
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.authenticode_policy import TRUSTED_SIGNING
from bot.verify.authenticode_roots import RootsUnusable
from bot.verify.result import NotProven, ProofName, Proven, Result, Unusable, Verdict

DESCRIPTION = "Built: Release_v3.14.0_20261007.01"
CODE = ExtendedKeyUsageOID.CODE_SIGNING.dotted_string
PSF = "Python Software Foundation"


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SmallWindowsSigning:
    return SmallWindowsSigning.create(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> SmallWindowsSigning:
    """Somebody who calls everything as we do, and has another root."""
    return SmallWindowsSigning.create(tmp_path_factory.mktemp("stranger"))


def roots(signing: SmallWindowsSigning) -> Roots:
    return Roots.from_pem(signing.roots_pem, name="the small root")


def proof(signing: SmallWindowsSigning, **policy: object) -> Authenticode:
    return Authenticode(roots(signing), AuthenticodePolicy(**policy))  # type: ignore[arg-type] # each test gives what its policy takes


def program(signing: SmallWindowsSigning, content: bytes = b"python") -> bytes:
    return signing.sign_pe(signing.small_pe(content), DESCRIPTION)


def refused(verify: Callable[[], Proven]) -> NotProven:
    with pytest.raises(NotProven) as caught:
        verify()
    assert caught.value.verdict is Verdict.FAILED
    assert caught.value.why.endswith("."), caught.value.why
    return caught.value


def loose(program: bytes) -> LooseSignature:
    return LooseSignature.of(signature_of(program))


def bare(signing: SmallWindowsSigning) -> bytes:
    return signing.sign_pe(signing.small_pe(b"python"), DESCRIPTION, timestamped=False)


def der(signer: Signer) -> bytes:
    return signer.certificate.public_bytes(serialization.Encoding.DER)


# ---- what is good


def test_a_good_program_is_proved_with_its_signer_its_time_and_what_the_signer_calls_it(signing: SmallWindowsSigning) -> None:
    proven = proof(signing).verify(program(signing), "python.exe")
    assert proven.why == f"python.exe was signed by {PSF} on {signing.at:%Y-%m-%d}, and not changed since."
    assert proven.signer == PSF
    assert proven.descriptions == {DESCRIPTION}
    (signature,) = proven.signatures
    assert signature.usages == (CODE, TRUSTED_SIGNING)
    assert signature.signed_at == signing.at.replace(microsecond=0)
    assert DESCRIPTION in proven.diagnostics[0]
    assert Result.of("python.exe", ProofName.AUTHENTICODE, proven).verdict is Verdict.VERIFIED


def test_a_program_is_read_from_a_file_and_named_after_it(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    path = tmp_path / "python-3.14.0-amd64.exe"
    path.write_bytes(program(signing))
    assert proof(signing).verify(path).signatures[0].file == path.name


def test_the_certificate_may_long_have_ended_when_the_timestamp_lies_in_its_life(signing: SmallWindowsSigning) -> None:
    then = signing.stamped(signing.at - timedelta(days=100)).issue()
    assert proof(signing).verify(program(then), "python.exe").signatures[0].signed_at.date() == then.at.date()


def test_the_other_program_for_signatures_agrees_that_ours_are_good(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(signing.roots_pem)
    (tmp_path / "python.exe").write_bytes(program(signing))
    command = ["osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile", "root.pem", "python.exe"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature verification: ok" in done.stdout


def test_digests_of_single_pages_are_compared_too(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    signed = by_hand(signing, tmp_path, "-h", "sha256", "-ph")
    assert proof(signing).verify(signed, "python.exe").signer == PSF


def test_several_threads_may_verify_at_once(signing: SmallWindowsSigning, stranger: SmallWindowsSigning) -> None:
    good, bad = program(signing), program(stranger)
    verifier = proof(signing)
    with ThreadPoolExecutor(4) as threads:
        proofs = [threads.submit(verifier.verify, good if number % 2 else bad, "python.exe") for number in range(16)]
    assert [type(one.exception()) for one in proofs] == [NotProven, type(None)] * 8


def by_hand(signing: SmallWindowsSigning, folder: Path, *options: str) -> bytes:
    """Sign with options that the service does not use."""
    files = {"c.pem": signing.signer.certificate_pem, "k.pem": signing.signer.key_pem, "in.exe": signing.small_pe(b"python")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = ["osslsigncode", "sign", "-certs", "c.pem", "-key", "k.pem", *options, "-in", "in.exe", "-out", "out.exe"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return signing.stamp_pe((folder / "out.exe").read_bytes())


# ---- whether it is whole


def test_a_program_that_is_not_signed_is_said_to_be_so(signing: SmallWindowsSigning) -> None:
    assert refused(lambda: proof(signing).verify(signing.small_pe(), "python.exe")).why == (
        "python.exe is not signed; it must bear an Authenticode signature."
    )


def test_one_bit_changed_in_the_program_does_not_fit_the_signature(signing: SmallWindowsSigning) -> None:
    changed = bytearray(program(signing))
    changed[0x210] ^= 1
    fault = refused(lambda: proof(signing).verify(bytes(changed), "python.exe"))
    assert "its digest does not fit the signature" in fault.why
    assert fault.diagnostics[0].startswith("signed was sha256 ")


def test_the_signature_of_another_program_does_not_fit(signing: SmallWindowsSigning) -> None:
    swapped = with_signature(program(signing), signature_of(program(signing, b"another")))
    assert "its digest does not fit" in refused(lambda: proof(signing).verify(swapped, "python.exe")).why


def test_a_program_that_is_cut_short_says_so_wherever_it_ends(signing: SmallWindowsSigning) -> None:
    whole = program(signing)
    for length in (0, 1, 2, 0x3F, 0x40, 0x50, 0x90, 0x100):
        fault = refused(partial(proof(signing).verify, whole[:length], "a.exe"))
        assert "is no Windows program (PE), or only the beginning of one" in fault.why
    for length in (0x1FF, 0x200, 0x300, 0x400, 0x408, len(whole) - 8, len(whole) - 1):
        assert "is cut short" in refused(partial(proof(signing).verify, whole[:length], "a.exe")).why


def test_what_is_no_windows_program_at_all_counts_as_failed(signing: SmallWindowsSigning) -> None:
    for content in (b"<html>Not found</html>", b"xar!" * 100, b"MZ" + bytes(200), b"\x7fELF" + bytes(200)):
        assert "is no Windows program" in refused(partial(proof(signing).verify, content, "a.exe")).why


def test_nothing_may_follow_the_signature_nor_hide_behind_it(signing: SmallWindowsSigning) -> None:
    whole = program(signing)
    assert "holds something after its signature" in refused(lambda: proof(signing).verify(whole + bytes(8), "a.exe")).why
    signature = signature_of(whole)
    hidden = with_signature(whole, signature + b"#!/bin/sh rm -r /")
    assert "behind its signature" in refused(lambda: proof(signing).verify(hidden, "a.exe")).why


def test_a_table_that_cannot_be_one_is_refused(signing: SmallWindowsSigning) -> None:
    whole = bytearray(program(signing))
    for place, value in ((0x400, 7), (0x400, 1 << 30), (0x404, 0x100), (0x406, 1)):
        changed = bytearray(whole)
        struct.pack_into("<I" if place == 0x400 else "<H", changed, place, value)
        assert "cannot be read" in refused(partial(proof(signing).verify, bytes(changed), "a.exe")).why
    struct.pack_into("<II", whole, 0x40 + 24 + 144, 8, len(whole) - 8)
    assert "cannot be one" in refused(lambda: proof(signing).verify(bytes(whole), "a.exe")).why


def unnoticed(signing: SmallWindowsSigning, step: int) -> list[int]:
    """Change every ``step``-th bit, and return where that went unnoticed and changed nothing that was proved."""
    whole, found = program(signing), []
    proven = proof(signing).verify(whole, "python.exe")
    for place in range(3, len(whole), step):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        try:
            assert proof(signing).verify(bytes(changed), "python.exe") == proven
        except NotProven:
            continue
        found.append(place)
    return found


def test_a_changed_bit_is_noticed_or_means_nothing(signing: SmallWindowsSigning) -> None:
    """Nothing covers the checksum, the numbers of the structures' versions, and the algorithms' names, which the keys give away."""
    assert len(unnoticed(signing, 53)) <= 2


@pytest.mark.chaos
def test_each_changed_bit_is_noticed_or_means_nothing(signing: SmallWindowsSigning) -> None:
    assert len(unnoticed(signing, 1)) <= 40


# ---- who signed


def test_another_root_is_not_trusted_even_when_it_bears_the_same_name(signing: SmallWindowsSigning, stranger: SmallWindowsSigning) -> None:
    fault = refused(lambda: proof(signing).verify(program(stranger), "python.exe"))
    assert "does not lead to a trusted root" in fault.why
    assert any(PSF in line for line in fault.diagnostics)


def test_a_root_that_copies_name_and_signature_of_ours_is_not_ours(signing: SmallWindowsSigning, stranger: SmallWindowsSigning) -> None:
    """A reader that knows roots by their signatures alone would take the copy for the original."""
    copied = asn1_x509.Certificate.load(der(stranger.root))
    copied["signature_value"] = asn1_x509.Certificate.load(der(signing.root))["signature_value"]
    theirs = program(stranger)
    signature = loose(theirs)
    forged = with_signature(theirs, replace(signature, certificates=(*signature.certificates, copied.dump())).whole())
    assert "does not lead to a trusted root" in refused(lambda: proof(signing).verify(forged, "python.exe")).why


def test_windows_own_roots_do_not_trust_ours(signing: SmallWindowsSigning) -> None:
    windows = Authenticode(Roots.microsoft(), AuthenticodePolicy())
    assert "does not lead to a trusted root" in refused(lambda: windows.verify(program(signing), "python.exe")).why


@pytest.mark.parametrize(
    "name", ["Python Software Foundation Inc", "python software foundation", "P\u0443thon Software Foundation", "Microsoft Corporation"]
)
def test_only_the_exact_common_name_counts(signing: SmallWindowsSigning, name: str) -> None:
    fault = refused(lambda: proof(signing).verify(program(signing.issue(name)), "python.exe"))
    assert fault.why == f"python.exe is signed by {name}, not by {PSF}; do not use it."


def test_the_usage_of_trusted_signing_is_demanded_where_the_era_has_it(signing: SmallWindowsSigning) -> None:
    plain = program(signing.issue(usages=(CODE,)))
    fault = refused(lambda: proof(signing).verify(plain, "python.exe"))
    assert "lacks the usage of the Trusted Signing account" in fault.why
    assert TRUSTED_SIGNING in fault.diagnostics[0]
    assert proof(signing, usage=None).verify(plain, "python.exe").signer == PSF


@pytest.mark.parametrize(
    ("name", "demanded"),
    [
        ("python-3.14.0-amd64.exe", True),
        ("PYTHON.EXE", True),
        ("python314.dll", True),
        ("python3.dll", True),
        ("DLLs/_ssl.pyd", True),
        ("libcrypto-3.dll", False),
        ("libssl-3.dll", False),
        ("libffi-8.dll", False),
        ("tcl86t.dll", False),
    ],
)
def test_the_usage_is_demanded_of_what_the_release_itself_builds(signing: SmallWindowsSigning, name: str, *, demanded: bool) -> None:
    plain = program(signing.issue(usages=(CODE,)))
    if demanded:
        refused(lambda: proof(signing).verify(plain, name))
    else:
        assert proof(signing).verify(plain, name).descriptions == frozenset()


def test_the_runtime_is_microsofts_and_nobody_elses(signing: SmallWindowsSigning) -> None:
    microsoft = program(signing.issue("Microsoft Corporation", (CODE,)))
    assert proof(signing).verify(microsoft, "vcruntime140_1.dll").signer == "Microsoft Corporation"
    fault = refused(lambda: proof(signing).verify(program(signing), "vcruntime140.dll"))
    assert fault.why.startswith(f"vcruntime140.dll is signed by {PSF}, not by Microsoft Corporation or ")


def test_a_certificate_that_is_not_for_programs_does_not_count(signing: SmallWindowsSigning) -> None:
    web = signing.issue(usages=(ExtendedKeyUsageOID.SERVER_AUTH.dotted_string, TRUSTED_SIGNING))
    assert "is not for signing programs" in refused(lambda: proof(signing).verify(program(web), "python.exe")).why


def test_a_signature_by_another_key_than_the_certificates_is_told_apart(signing: SmallWindowsSigning) -> None:
    mine = bare(signing)
    forged = with_signature(mine, replace(loose(mine), value=loose(program(signing, b"another")).value).whole())
    forged = signing.stamp_pe(forged)
    assert "the key of its certificate did not make" in refused(lambda: proof(signing).verify(forged, "python.exe")).why


def test_a_signature_without_its_certificate_is_nobodys(signing: SmallWindowsSigning) -> None:
    mine = program(signing)
    stripped = with_signature(mine, replace(loose(mine), certificates=()).whole())
    assert "does not carry the certificate that signed it" in refused(lambda: proof(signing).verify(stripped, "python.exe")).why


def test_a_flood_of_certificates_is_not_searched(signing: SmallWindowsSigning) -> None:
    mine = program(signing)
    more = tuple(der(Signer.root("Small Windows Root", born=signing.at)) for _ in range(12))
    flooded = with_signature(mine, replace(loose(mine), certificates=(*loose(mine).certificates, *more)).whole())
    assert "carries more certificates than any signature needs" in refused(lambda: proof(signing).verify(flooded, "python.exe")).why


def test_a_weak_digest_is_refused(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    weak = by_hand(signing, tmp_path, "-h", "sha1")
    assert "rests on SHA1, which can be forged" in refused(lambda: proof(signing).verify(weak, "python.exe")).why


# ---- when


def test_a_signature_without_a_timestamp_is_refused(signing: SmallWindowsSigning) -> None:
    assert "has no timestamp" in refused(lambda: proof(signing).verify(bare(signing), "python.exe")).why


@pytest.mark.parametrize("days", [-1, 4])
def test_a_time_outside_the_life_of_the_certificate_is_refused(signing: SmallWindowsSigning, days: int) -> None:
    elsewhen = program(signing.stamped(signing.at + timedelta(days=days)))
    assert "at a time at which its certificate was not valid" in refused(lambda: proof(signing).verify(elsewhen, "python.exe")).why


def test_the_timestamp_of_another_signature_is_refused(signing: SmallWindowsSigning) -> None:
    swapped = signing.stamp_pe(bare(signing), stamp=timestamp(b"another signature", signing.stamper, at=signing.at))
    assert "has a timestamp that is not good" in refused(lambda: proof(signing).verify(swapped, "python.exe")).why


@pytest.mark.parametrize("who", ["stranger", "signer"])
def test_only_a_trusted_timestamping_certificate_tells_the_time(
    signing: SmallWindowsSigning, stranger: SmallWindowsSigning, who: str
) -> None:
    mine = bare(signing)
    stamper = stranger.stamper if who == "stranger" else signing.signer
    swapped = signing.stamp_pe(mine, stamp=timestamp(loose(mine).value, stamper, at=signing.at))
    assert "has a timestamp that is not good" in refused(lambda: proof(signing).verify(swapped, "python.exe")).why


# ---- several signatures


def test_every_signature_must_be_good(signing: SmallWindowsSigning, stranger: SmallWindowsSigning) -> None:
    unsigned = signing.small_pe(b"python")
    first, second = signing.issue("Microsoft Corporation"), signing.issue("Microsoft Windows Software Compatibility Publisher")
    both = first.sign_pe_twice(unsigned, "Microsoft", second)
    names = [signature.common_name for signature in proof(signing).verify(both, "vcruntime140.dll").signatures]
    assert names == ["Microsoft Corporation", "Microsoft Windows Software Compatibility Publisher"]
    one_bad = first.sign_pe_twice(unsigned, "Microsoft", stranger.issue("Microsoft Corporation"))
    assert refused(lambda: proof(signing).verify(one_bad, "vcruntime140.dll")).why == (
        "vcruntime140.dll, in signature 2 of 2, is signed by a certificate that does not lead to a trusted root; do not use it."
    )
    one_named_otherwise = first.sign_pe_twice(unsigned, "Microsoft", signing)
    assert f"is signed by {PSF}, not by Microsoft" in refused(lambda: proof(signing).verify(one_named_otherwise, "vcruntime140.dll")).why


def test_a_second_signature_of_another_program_is_refused(signing: SmallWindowsSigning) -> None:
    mine = program(signing)
    nested = loose(mine).bearing(NESTED, loose(program(signing, b"another")).whole()).whole()
    fault = refused(lambda: proof(signing).verify(with_signature(mine, nested), "python.exe"))
    assert fault.why.startswith("python.exe, in signature 2 of 2, is not what was signed")


def test_signatures_within_signatures_have_an_end(signing: SmallWindowsSigning) -> None:
    mine = program(signing)
    nested = loose(mine).whole()
    for _ in range(9):
        nested = loose(mine).bearing(NESTED, nested).whole()
    deep = with_signature(mine, nested)
    assert "bears more than 8 signatures" in refused(lambda: proof(signing).verify(deep, "python.exe")).why


# ---- what cannot be asked


@pytest.mark.parametrize("name", ["core.msi", "python-manager-26.0.msix", "python-3.14.0-macos11.pkg"])
def test_kinds_of_files_that_are_not_read_here_are_unusable_not_good(signing: SmallWindowsSigning, name: str) -> None:
    with pytest.raises(Unusable, match="cannot be verified here"):
        proof(signing).verify(b"MZ", name)


def test_a_file_that_is_not_there_is_unusable(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be read from this machine"):
        proof(signing).verify(tmp_path / "python.exe")


def test_roots_are_shown_by_the_digest_of_their_file(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_bytes(signing.roots_pem * 2)
    summed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert Roots.from_file(path).sha256 == summed
    assert len(Roots.from_file(path).certificates) == 1
    with pytest.raises(RootsUnusable, match="holds no certificate"):
        Roots.from_pem(b"-----BEGIN CERTIFICATE-----\n", name="roots.pem")
    with pytest.raises(RootsUnusable, match="cannot be read"):
        Roots.from_file(tmp_path)


def test_without_osslsigncode_a_person_is_told_which_package_to_install(
    signing: SmallWindowsSigning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WrongUse, match=r"install it \(Debian: the package osslsigncode\)"):
        signing.sign_pe(signing.small_pe(b"never signed before"), DESCRIPTION)


def test_what_osslsigncode_refuses_is_told(signing: SmallWindowsSigning) -> None:
    with pytest.raises(WrongUse, match="osslsigncode did not sign"):
        signing.sign_pe(b"no program", DESCRIPTION)


# ---- loading the library


def test_signify_is_loaded_only_when_there_is_a_signature_to_look_at() -> None:
    script = "import sys, bot.verify.authenticode; print({'signify', 'oscrypto', 'asn1crypto'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "set()"
