"""Every verdict that a release can come to, on small releases made here: what was done to it, and the reason that a person gets."""

import gzip
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.publication import Companion
from bot.verify.material import Choice, Material, NothingFits, from_directory
from bot.verify.metadata import Stated, read_metadata, stated
from bot.verify.release import verify_release
from bot.verify.release_policy import Builder
from bot.verify.report import Report, Silent
from bot.verify.result import ProofName, Result, Verdict
from tests.verify.signing import GPG
from tests.verify.small_release import TREE, SmallRelease, tar_of

GOOD = (Verdict.VERIFIED, Verdict.ABSENT)


def verified(
    release: SmallRelease, *only: str, keys: Path | None = None, given: Stated | None = None, builders: Sequence[Builder] = ()
) -> Report:
    material = from_directory(release.files, given or read_metadata(release.metadata), Choice(patterns=only))
    return verify_release(material, release.policy(keys), only=only, builders=builders)


def result(report: Report, subject: str, proof: ProofName) -> Result:
    (found,) = [one for one in report.results if one.subject == subject and one.proof is proof]
    return found


@pytest.fixture
def release(tmp_path: Path) -> SmallRelease:
    return SmallRelease(tmp_path)


def test_a_good_release_is_good_and_every_proof_tells_why(release: SmallRelease) -> None:
    report = verified(release)
    assert report.good, report.bad
    assert {(one.subject, one.proof): one.verdict for one in report.results} == {
        ("Python 3.14.9", ProofName.LISTED): Verdict.VERIFIED,
        **{
            (path.name, proof): Verdict.ABSENT if proof is ProofName.OPENPGP else Verdict.VERIFIED
            for path in (release.tgz, release.txz)
            for proof in (ProofName.BYTES, ProofName.OPENPGP, ProofName.SIGSTORE, ProofName.SBOM, ProofName.ARCHIVE)
        },
        ("Python 3.14.9", ProofName.SAME_TAR): Verdict.VERIFIED,
    }
    assert result(report, release.tgz.name, ProofName.SIGSTORE).signer == "mona@python.org"
    assert "PEP 761" in result(report, release.tgz.name, ProofName.OPENPGP).why
    assert [sentence.partition(":")[0] for sentence in report.not_asked] == [
        "Whether python.org shows the release, and how it and its files are marked there",
        "Whether the sources are those of the tag",
        "Whether the documentation and NuGet have the release",
        "Whether the files are those that were built",
    ]


def flipped(release: SmallRelease) -> None:
    content = bytearray(release.tgz.read_bytes())
    content[len(content) // 2] ^= 1
    release.tgz.write_bytes(content)


def truncated(release: SmallRelease) -> None:
    release.tgz.write_bytes(release.tgz.read_bytes()[:-5])


def swapped_bundle(release: SmallRelease) -> None:
    bundle = release.txz.with_name(f"{release.txz.name}.sigstore")
    bundle.with_name(f"{release.tgz.name}.sigstore").write_bytes(bundle.read_bytes())


def renamed(release: SmallRelease) -> None:
    content = release.txz.read_bytes()
    release.tgz.write_bytes(content)
    release.state(release.tgz.name, filesize=len(content), md5_sum="", sha256_sum="")


def signed_by_another(release: SmallRelease) -> None:
    release.sign(release.tgz, identity="mallory@python.org")


def signed_elsewhere(release: SmallRelease) -> None:
    release.sign(release.tgz, issuer="https://accounts.example.org")


def unsigned(release: SmallRelease) -> None:
    release.tgz.with_name(f"{release.tgz.name}.sigstore").unlink()


def not_listed_as_signed(release: SmallRelease) -> None:
    unsigned(release)
    release.state(release.tgz.name, sigstore_bundle_file="")


def bundle_of_another(release: SmallRelease) -> None:
    release.state(release.tgz.name, sigstore_bundle_file=release.url(f"{release.txz.name}.sigstore"))


def no_bundle_at_all(release: SmallRelease) -> None:
    release.tgz.with_name(f"{release.tgz.name}.sigstore").write_bytes(b"{}")


def gone(release: SmallRelease) -> None:
    release.tgz.unlink()


def no_hash(release: SmallRelease) -> None:
    release.state(release.tgz.name, md5_sum="", sha256_sum="")


def other_md5(release: SmallRelease) -> None:
    release.state(release.tgz.name, md5_sum="0" * 32, sha256_sum="")


def other_size(release: SmallRelease) -> None:
    release.state(release.tgz.name, filesize=7)


def no_sbom(release: SmallRelease) -> None:
    release.tgz.with_name(f"{release.tgz.name}.spdx.json").unlink()
    release.state(release.tgz.name, sbom_spdx2_file="")


def sbom_of_another(release: SmallRelease) -> None:
    sbom = release.txz.with_name(f"{release.txz.name}.spdx.json")
    sbom.with_name(f"{release.tgz.name}.spdx.json").write_bytes(sbom.read_bytes())


def sbom_gone(release: SmallRelease) -> None:
    release.tgz.with_name(f"{release.tgz.name}.spdx.json").unlink()


def endless_sbom(release: SmallRelease) -> None:
    with release.tgz.with_name(f"{release.tgz.name}.spdx.json").open("r+b") as file:
        file.truncate(1 << 25)


def other_content(release: SmallRelease) -> None:
    content = gzip.compress(tar_of(release.version, {**TREE, "Lib/os.py": b"import evil\n"}), mtime=0)
    release.add(release.tgz.name, content, is_source=True)
    release.state()


def other_top(release: SmallRelease) -> None:
    for path, pack in ((release.tgz, gzip.compress), (release.txz, lzma.compress)):
        release.add(path.name, pack(tar_of("3.14.8")), is_source=True, download_button=path is release.txz)
    release.state()


def no_archive(release: SmallRelease) -> None:
    release.tgz.write_bytes(b"<html>We are down.</html>")


SPOILT: Sequence[tuple[Callable[[SmallRelease], None], str, ProofName, Verdict, str]] = (
    (flipped, "tgz", ProofName.BYTES, Verdict.FAILED, "is not the file that python.org states: SHA-256 and MD5 differ"),
    (flipped, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "genuine, but of other bytes"),
    (truncated, "tgz", ProofName.BYTES, Verdict.FAILED, "size, SHA-256 and MD5 differ"),
    (swapped_bundle, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "it was swapped, or the file was"),
    (renamed, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "genuine, but of other bytes"),
    (renamed, "tgz", ProofName.BYTES, Verdict.UNUSABLE, "states no hash"),
    (signed_by_another, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "mallory@python.org"),
    (signed_elsewhere, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "accounts.example.org"),
    (unsigned, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "which python.org lists, is not in the folder"),
    (not_listed_as_signed, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "python.org lists no .sigstore for it"),
    (bundle_of_another, "tgz", ProofName.SIGSTORE, Verdict.FAILED, "which is another file's"),
    (no_bundle_at_all, "tgz", ProofName.SIGSTORE, Verdict.UNUSABLE, "cannot be read as a Sigstore bundle"),
    (gone, "tgz", ProofName.BYTES, Verdict.FAILED, "Python-3.14.9.tgz, which python.org lists, is not in the folder"),
    (no_hash, "tgz", ProofName.BYTES, Verdict.UNUSABLE, "states no hash of Python-3.14.9.tgz"),
    (other_md5, "tgz", ProofName.BYTES, Verdict.FAILED, "MD5 differs"),
    (other_size, "tgz", ProofName.BYTES, Verdict.FAILED, "size differs"),
    (no_sbom, "tgz", ProofName.SBOM, Verdict.FAILED, "python.org lists no .spdx.json for it"),
    (sbom_gone, "tgz", ProofName.SBOM, Verdict.FAILED, "is not in the folder"),
    (endless_sbom, "tgz", ProofName.SBOM, Verdict.FAILED, "too many for what vouches for a file"),
    (sbom_of_another, "tgz", ProofName.SBOM, Verdict.FAILED, "is not about this Python-3.14.9.tgz"),
    (other_content, "release", ProofName.SAME_TAR, Verdict.FAILED, "Lib/os.py"),
    (other_top, "tgz", ProofName.ARCHIVE, Verdict.FAILED, "top folder 'Python-3.14.8'"),
    (no_archive, "tgz", ProofName.ARCHIVE, Verdict.FAILED, "neither a gzip nor an xz file"),
)


@pytest.mark.parametrize(("spoil", "subject", "proof", "verdict", "why"), SPOILT)
def test_what_is_wrong_is_said_of_the_right_file_by_the_right_proof(
    release: SmallRelease, spoil: Callable[[SmallRelease], None], subject: str, proof: ProofName, verdict: Verdict, why: str
) -> None:
    spoil(release)
    report = verified(release)
    found = result(report, release.tgz.name if subject == "tgz" else "Python 3.14.9", proof)
    assert not report.good
    assert found.verdict is verdict, found
    assert why in found.why
    # The other file is still looked at, and still good.
    assert {one.verdict for one in report.results if one.subject == release.txz.name and spoil is not other_top} <= set(GOOD)


def test_without_a_stated_sha256_a_verified_signature_has_to_vouch_for_the_bytes(release: SmallRelease) -> None:
    release.state(release.tgz.name, sha256_sum="")
    found = result(verified(release), release.tgz.name, ProofName.BYTES)
    assert (found.verdict, verified(release).good) == (Verdict.ABSENT, True)
    assert "states no SHA-256" in found.why
    release.sign(release.tgz, identity="mallory@python.org")
    found = result(verified(release), release.tgz.name, ProofName.BYTES)
    assert found.verdict is Verdict.UNUSABLE
    assert "can be forged" in found.why


def test_files_that_are_missing_unknown_or_listed_twice_are_named(release: SmallRelease) -> None:
    release.add("python-3.14.9-amd64.exe", b"MZ")
    page = json.loads(release.metadata.read_text())
    rows = [release.rows[release.tgz.name], release.rows[release.tgz.name], release.rows["python-3.14.9-amd64.exe"]]
    page["objects"], page["meta"]["total_count"] = rows, 3
    report = verified(release, given=stated(json.dumps(page).encode(), what="it"))
    listed = {one.subject: one.why for one in report.results if one.proof is ProofName.LISTED}
    assert listed.keys() == {release.txz.name, "python-3.14.9-amd64.exe", release.tgz.name}
    assert "does not list Python-3.14.9.tar.xz" in listed[release.txz.name]
    assert "which such a release does not have" in listed["python-3.14.9-amd64.exe"]
    assert "2 times" in listed[release.tgz.name]


def test_only_some_files_are_asked_about_and_the_rest_is_said_not_to_be(release: SmallRelease) -> None:
    release.tgz.unlink()
    report = verified(release, "*.tar.xz")
    assert report.good, report.bad
    assert {one.subject for one in report.results} == {"Python 3.14.9", release.txz.name}
    assert any("only some were asked about" in sentence for sentence in report.not_asked)
    assert any("hold the same files" in sentence for sentence in report.not_asked)


def test_a_pattern_that_fits_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(NothingFits, match=r"fits 'c\*'; its files are: a, b"):
        Choice(patterns=("a", "c*")).check(["b", "a"])
    Choice().check([])


def test_what_the_metadata_does_not_tell_is_used_where_it_is_and_otherwise_not_asked(release: SmallRelease) -> None:
    tracked = stated(release.tracked(), what="it")
    for companion in (".sigstore", ".spdx.json"):
        release.tgz.with_name(f"{release.tgz.name}{companion}").unlink()
    report = verified(release, given=tracked)
    assert report.good, report.bad
    assert result(report, release.tgz.name, ProofName.SIGSTORE).verdict is Verdict.VERIFIED
    assert result(report, release.txz.name, ProofName.SBOM).verdict is Verdict.VERIFIED
    assert any("SBOM" in sentence and "(Python-3.14.9.tgz)" in sentence and "does not tell" in sentence for sentence in report.not_asked)
    without = Stated(files=tracked.files, bundles={}, companions=False)
    found = result(verified(release, given=without), release.tgz.name, ProofName.SIGSTORE)
    assert "the metadata holds no bundle of it" in found.why


def test_where_nothing_is_listed_that_was_asked_about_nothing_is_proved(tmp_path: Path) -> None:
    release = SmallRelease(tmp_path)
    release.profile.write_text(release.profile.read_text().replace("groups = []", 'groups = [], optional = ["windows-embeddable"]'))
    report = verified(release, "python-*-embed-*.zip")
    assert report.results == ()
    assert not report.good


def test_what_python_org_does_not_list_counts_for_nothing_although_it_lies_in_the_folder(release: SmallRelease) -> None:
    release.state(release.tgz.name, sigstore_bundle_file="", sbom_spdx2_file="")
    report = verified(release)
    for proof, what in ((ProofName.SIGSTORE, "a Sigstore bundle (.sigstore)"), (ProofName.SBOM, "an SBOM (.spdx.json)")):
        found = result(report, release.tgz.name, proof)
        assert found.verdict is Verdict.FAILED
        assert f"has to have {what}, but python.org lists no" in found.why
    (release.files / f"{release.txz.name}.asc").write_bytes(b"anything")
    assert result(verified(release), release.txz.name, ProofName.OPENPGP).verdict is Verdict.ABSENT


def test_archives_of_today_that_were_packed_apart_are_refused(release: SmallRelease) -> None:
    content = lzma.compress(tar_of(release.version, dict(reversed(TREE.items()))))
    release.add(release.txz.name, content, is_source=True, download_button=True)
    release.state()
    assert "have to be the same tar, byte for byte" in result(verified(release), "Python 3.14.9", ProofName.SAME_TAR).why


def test_names_that_lead_elsewhere_are_never_looked_for(release: SmallRelease) -> None:
    release.state(release.tgz.name, url="https://www.python.org/ftp/python/3.14.9/..")
    report = verified(release)
    assert not report.good
    assert "does not end in the name of a file" in result(report, "..", ProofName.BYTES).why


def test_builders_who_tell_other_hashes_are_contradicted(release: SmallRelease) -> None:
    told = {name: str(row["sha256_sum"]) for name, row in release.rows.items()}
    report = verified(release, builders=[Builder(name="the workflow", sha256=told)])
    assert result(report, release.tgz.name, ProofName.BUILDER).verdict is Verdict.VERIFIED
    report = verified(release, builders=[Builder(name="the workflow", sha256={**told, release.tgz.name: "0" * 64})])
    found = result(report, release.tgz.name, ProofName.BUILDER)
    assert found.verdict is Verdict.FAILED
    assert "is not what the workflow built" in found.why


def test_a_release_that_python_org_does_not_show_is_not_good(release: SmallRelease) -> None:
    report = verify_release(Material(files=(), asked_site=True), release.policy())
    assert [one.verdict for one in report.results] == [Verdict.FAILED]
    assert "python.org does not show Python 3.14.9" in report.results[0].why


def test_a_report_of_nothing_is_not_good() -> None:
    assert not Report(results=()).good
    assert not Report(results=(Result.absent("file", ProofName.OPENPGP, "none"),)).good


def test_openpgp_is_asked_with_keys_and_demanded_where_the_series_has_it(tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        mona, mallory = gpg.key("Mona <mona@example.org>"), gpg.key("Mallory <mallory@example.org>")
        release = SmallRelease(tmp_path, version="3.13.14", companions=(".asc", ".sigstore"), fingerprints=(mona,))
        keys = tmp_path / "keys"
        keys.mkdir()
        (keys / "both.asc").write_bytes(gpg.export(mona, mallory))
        for path, who in ((release.tgz, mona), (release.txz, mallory)):
            path.with_name(f"{path.name}.asc").write_bytes(gpg.sign(path.read_bytes(), who))
            release.state(path.name, gpg_signature_file=release.url(f"{path.name}.asc"))
        report = verified(release, keys=keys)
        good, foreign = (result(report, path.name, ProofName.OPENPGP) for path in (release.tgz, release.txz))
        assert (good.verdict, good.signer) == (Verdict.VERIFIED, mona)
        assert foreign.verdict is Verdict.FAILED
        assert "does not count" in foreign.why

        report = verified(release)
        assert report.good, report.bad
        assert any("no OpenPGP keys were given" in sentence and release.tgz.name in sentence for sentence in report.not_asked)

        release.tgz.with_name(f"{release.tgz.name}.asc").unlink()
        release.state(release.tgz.name, gpg_signature_file="")
        for report in (verified(release), verified(release, keys=keys), verified(release, "*.tgz", keys=keys)):
            found = result(report, release.tgz.name, ProofName.OPENPGP)
            assert found.verdict is Verdict.FAILED
            assert "has to have an OpenPGP signature (.asc), but python.org lists no .asc for it" in found.why


def test_an_interruption_leaves_no_thread_at_work(release: SmallRelease) -> None:
    class Impatient(Silent):
        def read(self, name: str, count: int) -> None:
            raise KeyboardInterrupt(name, count)

    material = from_directory(release.files, read_metadata(release.metadata), Choice())
    with pytest.raises(KeyboardInterrupt):
        verify_release(material, release.policy(), watcher=Impatient())


def test_companions_that_are_looked_at_are_those_that_vouch(release: SmallRelease) -> None:
    material = from_directory(release.files, read_metadata(release.metadata), Choice())
    assert {companion for file in material.files for companion in file.companions} == {
        Companion.OPENPGP,
        Companion.SIGSTORE,
        Companion.SBOM,
    }
