"""Windows programs within zip files, and catalogues over other files."""

import io
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.rehearsal.trust_windows import SmallWindowsSigning
from bot.rehearsal.trust_windows_cms import LooseSignature
from bot.rehearsal.trust_windows_program import signature_of
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots, ZipLimits
from bot.verify.authenticode_signify import OpenSSLMissing, _Repairing
from bot.verify.result import NotProven, Proven, Unusable, Verdict

CODE = ExtendedKeyUsageOID.CODE_SIGNING.dotted_string
DESCRIPTION = "Built: Release_v3.14.0_20261007.01"
INDEX = b'{"versions": []}\n'
BOT = Path(__file__).parent.parent.parent / "bot"


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SmallWindowsSigning:
    return SmallWindowsSigning.create(tmp_path_factory.mktemp("signing"))


def proof(signing: SmallWindowsSigning, *, policy: AuthenticodePolicy | None = None, limits: ZipLimits | None = None) -> Authenticode:
    return Authenticode(Roots.from_pem(signing.roots_pem, name="the small root"), policy or AuthenticodePolicy(), limits=limits)


def refused(verify: Callable[[], Proven]) -> NotProven:
    with pytest.raises(NotProven) as caught:
        verify()
    assert caught.value.verdict is Verdict.FAILED
    assert caught.value.why.endswith("."), caught.value.why
    return caught.value


def zipped(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", packing) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return archive.getvalue()


def embeddable(signing: SmallWindowsSigning, **instead: bytes) -> bytes:
    """Return a zip file like the embeddable one; ``instead`` are other programs than the good ones."""
    good = signing.sign_pe(signing.small_pe(b"python"), DESCRIPTION)
    library = signing.issue(usages=(CODE,)).sign_pe(signing.small_pe(b"crypto"), "OpenSSL for Python")
    programs = {"python": good, "python314": good, "libcrypto": library} | instead
    return zipped(
        [
            ("python.exe", programs["python"]),
            ("python314.dll", programs["python314"]),
            ("libcrypto-3.dll", programs["libcrypto"]),
            ("python314.zip", zipped([("os.pyc", b"code")])),
            ("python314._pth", b"python314.zip\n.\n"),
            ("LICENSE.txt", b"A. HISTORY OF THE SOFTWARE\n"),
        ]
    )


# ---- zip files


def test_all_programs_of_an_embeddable_zip_are_verified_and_the_rest_is_named(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    path = tmp_path / "python-3.14.0-embed-amd64.zip"
    path.write_bytes(embeddable(signing))
    proven = proof(signing).verify_zip(path)
    assert proven.why == "All programs in python-3.14.0-embed-amd64.zip (3) bear the signatures that they must, and were not changed since."
    assert proven.signer == "Python Software Foundation"
    assert [signature.file for signature in proven.signatures] == ["python.exe", "python314.dll", "libcrypto-3.dll"]
    assert proven.descriptions == {DESCRIPTION}
    assert proven.diagnostics[-1] == (
        "python314.zip, python314._pth, LICENSE.txt: covered by the digest and the Sigstore bundle of the zip file only"
    )


def test_one_program_that_is_not_signed_is_named(signing: SmallWindowsSigning) -> None:
    fault = refused(lambda: proof(signing).verify_zip(embeddable(signing, python314=signing.small_pe()), "embed.zip"))
    assert fault.why == "In embed.zip, python314.dll is not signed; it must bear an Authenticode signature."


def test_all_programs_that_are_not_good_are_named(signing: SmallWindowsSigning) -> None:
    changed = bytearray(signing.sign_pe(signing.small_pe(b"python"), DESCRIPTION))
    changed[0x205] ^= 1
    fault = refused(lambda: proof(signing).verify_zip(embeddable(signing, python=bytes(changed), libcrypto=b"no program"), "embed.zip"))
    assert fault.why.startswith("2 of the programs in embed.zip are not as they must be; the first: python.exe is not what was signed")
    assert any("libcrypto-3.dll is no Windows program" in line for line in fault.diagnostics)


def test_a_program_is_one_by_how_it_begins_too(signing: SmallWindowsSigning) -> None:
    hidden = zipped([("python.exe", signing.sign_pe(signing.small_pe(b"python"), DESCRIPTION)), ("Lib/data.bin", signing.small_pe())])
    assert "Lib/data.bin is not signed" in refused(lambda: proof(signing).verify_zip(hidden, "a.zip")).why
    excused = AuthenticodePolicy(unsigned=("data.bin",))
    assert "Lib/data.bin" not in proof(signing, policy=excused).verify_zip(hidden, "a.zip").why


def test_a_zip_without_a_program_is_not_what_it_should_be(signing: SmallWindowsSigning) -> None:
    for content in (zipped([("LICENSE.txt", b"A.")]), zipped([])):
        with pytest.raises(NotProven, match="holds no Windows program"):
            proof(signing).verify_zip(content, "embed.zip")


def linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("python3.exe")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../python.exe", b"MZ")], "leads elsewhere"),
        ([("/python.exe", b"MZ")], "leads elsewhere"),
        ([("C:/python.exe", b"MZ")], "leads elsewhere"),
        ([("Lib\\..\\python.exe", b"MZ")], "leads elsewhere"),
        ([("a//b.dll", b"MZ")], "leads elsewhere"),
        ([(linked(), b"python.exe")], "is a link"),
        ([("python.exe", b"MZ"), ("PYTHON.EXE", b"MZ")], "is there twice"),
        ([("python.exe.", b"MZ")], "that Windows would shorten"),
        ([("Lib /a.dll", b"MZ")], "that Windows would shorten"),
        ([("zeros.txt", bytes(2_000_000))], "is packed from 2000000 to"),
    ],
    ids=["up", "root", "drive", "backslash", "empty", "link", "twice", "dot", "space", "bomb"],
)
def test_members_that_no_release_has_are_refused(
    signing: SmallWindowsSigning, members: list[tuple[str | zipfile.ZipInfo, bytes]], said: str
) -> None:
    fault = refused(lambda: proof(signing).verify_zip(zipped(members), "a.zip"))
    assert "holds a member that no zip file of a release has" in fault.why
    assert said in fault.diagnostics[0]


def test_other_ways_of_packing_and_locked_members_are_refused(signing: SmallWindowsSigning) -> None:
    fault = refused(lambda: proof(signing).verify_zip(zipped([("python.exe", b"MZ")], zipfile.ZIP_LZMA), "a.zip"))
    assert "is packed by method 14" in fault.diagnostics[0]
    locked = bytearray(zipped([("python.exe", b"MZ")]))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refused(lambda: proof(signing).verify_zip(bytes(locked), "a.zip")).diagnostics[0]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ZipLimits(members=5), "has a directory larger than any"),
        (ZipLimits(directory=100), "has a directory larger than any"),
        (ZipLimits(total=1000), "unpacks to more than any"),
        (ZipLimits(program=1000), "holds a program larger than any"),
    ],
    ids=["members", "directory", "total", "program"],
)
def test_bounds_are_kept(signing: SmallWindowsSigning, limits: ZipLimits, said: str) -> None:
    assert said in refused(lambda: proof(signing, limits=limits).verify_zip(embeddable(signing), "a.zip")).why


def test_a_directory_that_lies_about_its_length_is_refused(signing: SmallWindowsSigning) -> None:
    huge = bytearray(embeddable(signing))
    struct.pack_into("<I", huge, len(huge) - 10, 0xFFFF_FFF0)
    assert "has a directory larger than any" in refused(lambda: proof(signing).verify_zip(bytes(huge), "a.zip")).why
    longer = embeddable(signing)[:-22] + b"PK\x06\x07" + bytes(16) + embeddable(signing)[-22:]
    assert "has a directory larger than any" in refused(lambda: proof(signing).verify_zip(longer, "a.zip")).why


def test_what_is_no_whole_zip_file_is_refused_wherever_it_ends(signing: SmallWindowsSigning) -> None:
    whole = embeddable(signing)
    for content in (b"", b"<html>", whole[:100], whole[: len(whole) // 2], whole[:-1], whole[100:]):
        with pytest.raises(NotProven, match="is no whole zip file"):
            proof(signing).verify_zip(content, "a.zip")


def unlisted(whole: bytes, hidden: bytes) -> bytes:
    """Return a zip file with one more member, which its directory does not name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened, zipfile.ZipFile(io.BytesIO(whole)) as good:
        opened.writestr("hidden.exe", hidden)
        for info in good.infolist():
            opened.writestr(info.filename, good.read(info))
        del opened.filelist[0]
    return archive.getvalue()


def commented(whole: bytes) -> bytes:
    archive = io.BytesIO(whole)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.comment = b"MZ"
    return archive.getvalue()


def test_nothing_may_lie_where_only_some_programs_look(signing: SmallWindowsSigning) -> None:
    whole = embeddable(signing)
    hidden = signing.small_pe(b"hidden")
    between = whole[: (place := whole.index(b"PK\x01\x02"))] + hidden + whole[place:]
    struct.pack_into("<I", moved := bytearray(between), len(between) - 6, place + len(hidden))
    for content in (hidden + whole, whole + hidden, commented(whole), unlisted(whole, hidden), bytes(moved)):
        with pytest.raises(NotProven, match="holds something that is not in its directory"):
            proof(signing).verify_zip(content, "a.zip")


def test_a_damaged_member_is_refused(signing: SmallWindowsSigning) -> None:
    for offset in (40, 200, 600):
        damaged = bytearray(embeddable(signing))
        damaged[offset] ^= 0xFF
        with pytest.raises(NotProven):
            proof(signing).verify_zip(bytes(damaged), "a.zip")


def test_a_zip_that_is_not_there_is_unusable(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=re.escape("embed.zip cannot be read from this machine")):
        proof(signing).verify_zip(tmp_path / "embed.zip")


# ---- catalogues


def test_a_catalogue_proves_the_index_that_it_lists(signing: SmallWindowsSigning) -> None:
    proven = proof(signing).verify_catalogue(signing.sign_catalogue(b"another index", INDEX, description="PyManager 1"), INDEX)
    assert proven.why == (
        f"index-windows.json.cat, signed by Python Software Foundation on {signing.at:%Y-%m-%d}, lists the index exactly as it is."
    )
    assert proven.descriptions == {"PyManager 1"}


def test_one_byte_more_in_the_index_is_not_listed(signing: SmallWindowsSigning) -> None:
    catalogue = signing.sign_catalogue(INDEX)
    for index in (INDEX + b"\n", INDEX[:-1], b""):
        with pytest.raises(NotProven, match="does not list this file"):
            proof(signing).verify_catalogue(catalogue, index)


def test_a_catalogue_by_others_is_refused(signing: SmallWindowsSigning, tmp_path: Path) -> None:
    stranger = SmallWindowsSigning.create(tmp_path)
    for other, said in (
        (stranger, "does not lead to a trusted root"),
        (signing.issue("Python Software Foundations"), "is signed by Python Software Foundations, not by"),
        (signing.issue(usages=(CODE,)), "lacks the usage of the Trusted Signing account"),
        (signing.issue(usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,)), "is not for signing programs"),
    ):
        with pytest.raises(NotProven, match=said):
            proof(signing).verify_catalogue(other.sign_catalogue(INDEX), INDEX)


def test_a_catalogue_that_was_changed_is_refused(signing: SmallWindowsSigning) -> None:
    catalogue = signing.sign_catalogue(INDEX)
    for content, said in (
        (catalogue + b"\0", "holds something after the signed catalogue"),
        (catalogue[:-1], "cannot be read"),
        (b"", "cannot be read"),
        (b"0" * 5_000_000, "is larger than any catalogue"),
        (catalogue.replace(b"\x04\x20", b"\x04\x21", 1), "cannot be read"),
    ):
        fault = refused(lambda content=content: proof(signing).verify_catalogue(content, INDEX))  # type: ignore[misc] # bound in the loop
        assert said in fault.why, content[:20]


def test_a_changed_bit_in_a_catalogue_is_noticed_or_means_nothing(signing: SmallWindowsSigning) -> None:
    """Nothing covers the number of the structure's version and the algorithm's name, which the key gives away; all else is noticed."""
    catalogue = signing.sign_catalogue(INDEX)
    proven, unnoticed = proof(signing).verify_catalogue(catalogue, INDEX), []
    for place in range(5, len(catalogue), 41):
        changed = bytearray(catalogue)
        changed[place] ^= 1 << place % 8
        try:
            assert proof(signing).verify_catalogue(bytes(changed), INDEX) == proven
        except NotProven:
            continue
        unnoticed.append(place)
    assert len(unnoticed) <= 3


def test_a_signature_of_a_program_is_no_catalogue(signing: SmallWindowsSigning) -> None:
    signature = LooseSignature.of(signature_of(signing.sign_pe(signing.small_pe(), DESCRIPTION))).whole()
    assert "cannot be read" in refused(lambda: proof(signing).verify_catalogue(signature, INDEX)).why
    certificate = signing.root.certificate.public_bytes(serialization.Encoding.DER)
    assert "cannot be read" in refused(lambda: proof(signing).verify_catalogue(certificate, INDEX)).why


# ---- the one door to the library


def asked(folder: Path, pattern: str) -> str | None:
    """Return which version a module like oscrypto's finds, when it is loaded through the door."""
    path = folder / "asking.py"
    path.write_text(f"import re\nfound = re.search('\\\\b({pattern})\\\\b', 'OpenSSL 3.0.19 27 Jan 2026')\n")
    found: dict[str, re.Match[str] | None] = {}
    exec(_Repairing("asking", str(path)).get_code("asking"), found)  # noqa: S102 - what a loader makes is run
    match = found["found"]
    return match and match.group(1)


def test_the_door_repairs_the_one_pattern_and_leaves_a_repaired_one_alone(tmp_path: Path) -> None:
    assert re.search(r"\b(\d\.\d\.\d[a-z]*)\b", "OpenSSL 3.0.19 27 Jan 2026") is None
    assert asked(tmp_path, r"\\d\\.\\d\\.\\d[a-z]*") == "3.0.19"
    assert asked(tmp_path, r"\\d\\.\\d\\.\\d+[a-z]*") == "3.0.19"
    assert not list(tmp_path.rglob("*.pyc"))


def test_the_door_leaves_no_trace_in_how_other_modules_are_found() -> None:
    assert not [finder for finder in sys.meta_path if "authenticode" in type(finder).__module__]


def test_without_the_library_of_openssl_a_person_is_told_what_to_install() -> None:
    script = "import ctypes.util; ctypes.util.find_library = lambda name: None; import bot.verify.authenticode_signify"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=BOT.parent)
    assert f"{OpenSSLMissing.__name__}: Windows signatures cannot be verified without OpenSSL's library; install it" in done.stderr


def test_nobody_else_imports_signify() -> None:
    importing = re.compile(r"^\s*(?:from|import) (?:signify|oscrypto|certvalidator)\b", re.MULTILINE)
    found = {path.name for path in BOT.rglob("*.py") if importing.search(path.read_text(encoding="utf-8"))}
    assert found == {"authenticode_signify.py"}
