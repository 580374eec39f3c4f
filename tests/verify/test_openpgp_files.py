"""Signatures of files: by keys made here, and those that release managers made of real releases."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.verify.openpgp import LARGEST_SIGNATURE, Keyring, OpenPGP
from bot.verify.result import NotProven, Proven, Unusable
from tests.reference import reference
from tests.verify.signing import GPG

CONTENT = b"These are the bytes of a release.\r\n" * 50_000
WOUTERS = "7169605F62C751356D054A26A821E680E5FA6305"
DOWER = "7ED10B6531D7C8E1BC296021FC624643487034E5"


@dataclass(frozen=True, kw_only=True)
class Keys:
    gpg: GPG
    manager: str
    subkey: str
    other: str
    signature: bytes


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with GPG.fresh() as gpg:
        manager = gpg.key("Release Manager <manager@example.org>")
        subkey = gpg.subkey(manager)
        other = gpg.key("Windows Expert <windows@example.org>")
        yield Keys(gpg=gpg, manager=manager, subkey=subkey, other=other, signature=gpg.sign(CONTENT, manager))


@pytest.fixture(scope="module")
def openpgp(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> OpenPGP:
    return trusting(tmp_path_factory.mktemp("keys"), keys.gpg.export(keys.manager, keys.other))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Python-3.13.5.tgz"
    path.write_bytes(CONTENT)
    return path


def trusting(folder: Path, *exports: bytes) -> OpenPGP:
    files = [folder / f"{number}.asc" for number in range(len(exports))]
    for path, content in zip(files, exports, strict=True):
        path.write_bytes(content)
    return OpenPGP(Keyring.from_files(files))


def refused(openpgp: OpenPGP, path: Path, signature: bytes, *allowed: str, kind: type[NotProven] = NotProven) -> str:
    """Return why a signature is not accepted; how it is refused has to be of exactly this kind."""
    with pytest.raises(NotProven) as caught:
        openpgp.verify_file(path, signature, allowed=allowed)
    assert type(caught.value) is kind
    assert caught.value.diagnostics
    assert path.name in caught.value.why
    assert caught.value.why.endswith(".")
    return caught.value.why


def test_the_primary_key_and_its_subkeys_count_as_the_primary(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    for signature in (keys.signature, keys.gpg.sign(CONTENT, keys.subkey)):
        found = openpgp.verify_file(file, signature, allowed=[keys.manager])
        assert (found.signer, found.why) == (keys.manager, "Python-3.13.5.tgz was signed by a key that is valid.")
        assert any(line.startswith("VALIDSIG") for line in found.diagnostics)


def test_white_space_around_the_signature_does_no_harm(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    signature = b"\r\n" + keys.signature.replace(b"\n", b"\r\n") + b"\n\n"
    assert openpgp.verify_file(file, signature, allowed=[keys.manager]).signer == keys.manager


def test_the_signature_of_somebody_else_does_not_count_for_this_kind_of_file(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    signature = keys.gpg.sign(CONTENT, keys.other)
    assert openpgp.verify_file(file, signature, allowed=[keys.other, keys.manager]).signer == keys.other
    assert f"signed by {keys.other}, whose signature does not count here" in refused(openpgp, file, signature, keys.manager)
    assert "does not count here" in refused(openpgp, file, keys.signature)
    assert "does not count here" in refused(openpgp, file, keys.gpg.sign(CONTENT, keys.subkey), keys.subkey)


def test_other_bytes_are_refused(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    for content in (b"X" + CONTENT[1:], CONTENT[:-1], CONTENT + b"\n", CONTENT.replace(b"\r\n", b"\n"), b""):
        file.write_bytes(content)
        assert "does not fit the content" in refused(openpgp, file, keys.signature, keys.manager)


def test_the_key_of_a_stranger_is_named(keys: Keys, file: Path, tmp_path: Path) -> None:
    alone = trusting(tmp_path, keys.gpg.export(keys.other))
    why = refused(alone, file, keys.signature, keys.manager)
    assert f"the key that signed is not among the given keys ({keys.manager[-16:]})" in why


def test_more_than_one_signature_is_refused(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    both = keys.gpg.sign(CONTENT, keys.manager, keys.other)
    assert "there is not exactly one valid signature" in refused(openpgp, file, both, keys.manager, keys.other)
    twice = keys.signature + keys.gpg.sign(CONTENT, keys.other)
    assert "not one whole armored signature" in refused(openpgp, file, twice, keys.manager, keys.other, kind=Unusable)


def test_what_is_no_signature_proves_nothing(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    signature = keys.signature
    binary = keys.gpg.run("--local-user", keys.manager, "--detach-sign", given=CONTENT)
    page = b"<html>404</html>"
    for wrong in (b"", page, signature[:-40], signature[40:], b"words\n" + signature, binary, keys.gpg.export(keys.manager)):
        assert "not one whole armored signature" in refused(openpgp, file, wrong, keys.manager, kind=Unusable)
    assert "not one whole" in refused(openpgp, file, signature + b"\n" * LARGEST_SIGNATURE, keys.manager, kind=Unusable)


def test_a_damaged_signature_is_refused(keys: Keys, openpgp: OpenPGP, file: Path) -> None:
    lines = keys.signature.splitlines(keepends=True)
    refused(openpgp, file, b"".join([*lines[:2], *lines[3:]]), keys.manager)
    refused(openpgp, file, b"".join([*lines[:2], b"AAAA\n", *lines[-1:]]), keys.manager)
    message = keys.gpg.run("--armor", "--local-user", keys.manager, "--sign", given=CONTENT).replace(b"MESSAGE", b"SIGNATURE")
    refused(openpgp, file, message, keys.manager)


def test_a_file_that_is_not_there_proves_nothing(keys: Keys, openpgp: OpenPGP, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.tgz", tmp_path):
        assert "cannot be read" in refused(openpgp, path, keys.signature, keys.manager, kind=Unusable)


def test_a_verification_without_end_is_ended(keys: Keys, file: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(keys.gpg.export(keys.manager))
    hurried = OpenPGP(Keyring.from_files([tmp_path / "key"]), timeout=0.0)
    assert "could not be judged in time" in refused(hurried, file, keys.signature, keys.manager, kind=Unusable)


def test_an_expired_key_counts_for_what_it_signed_before_and_only_for_that(file: Path, tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        key = gpg.key("Old <old@example.org>", at="20200101T000000")
        before, after = (gpg.sign(CONTENT, key, at=at) for at in ("20200201T000000", "20210601T000000"))
        short = gpg.sign(CONTENT, key, at="20200102T000000", options=["--default-sig-expire", "7d"])
        gpg.run("--quick-set-expire", key, "2021-01-01", at="20200301T000000")
        (tmp_path / "key").write_bytes(gpg.export(key))
        gpg.revoke(key)
        (tmp_path / "revoked").write_bytes(gpg.export(key))
    old = OpenPGP(Keyring.from_files([tmp_path / "key"]))
    found = old.verify_file(file, before, allowed=[key])
    assert found == Proven(
        why="Python-3.13.5.tgz was signed on 2020-02-01, before the key expired.", signer=key, diagnostics=found.diagnostics
    )
    assert "the key had expired when it signed" in refused(old, file, after, key)
    assert "the signature itself has expired" in refused(old, file, short, key)
    new = OpenPGP(Keyring.from_files([tmp_path / "key"]), expired_keys=False)
    assert "the key that signed has expired" in refused(new, file, before, key)
    revoked = OpenPGP(Keyring.from_files([tmp_path / "key", tmp_path / "revoked"]))
    assert "the key that signed was revoked" in refused(revoked, file, before, key)


def test_a_subkey_that_was_revoked_and_has_expired_does_not_count(file: Path, tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        key = gpg.key("Careful <careful@example.org>", at="20200101T000000")
        gpg.run("--quick-add-key", key, "ed25519", "sign", "1y", at="20200101T000000")
        lines = gpg.run("--list-keys", "--with-colons", key).decode().splitlines()
        subkey = [line.split(":")[9] for line in lines if line.startswith("fpr")][-1]
        signature = gpg.sign(CONTENT, subkey, at="20200201T000000")
        innocent = gpg.export(key)
        gpg.run("--no-tty", "--command-fd", "0", "--edit-key", key, given=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
        knowing = gpg.export(key)
    assert trusting(tmp_path, innocent).verify_file(file, signature, allowed=[key]).signer == key
    # gpgv says only that it has expired.
    assert "the key that signed was revoked" in refused(trusting(tmp_path, innocent, knowing), file, signature, key)


COPIES = ("thomas-wouters.debian-copy-expired.asc", "thomas-wouters.github-2026-08.asc", "thomas-wouters.merged.pgp")


@pytest.mark.parametrize("copies", [*((copy,) for copy in COPIES), COPIES])
def test_every_copy_of_the_key_proves_a_real_release(copies: tuple[str, ...]) -> None:
    openpgp = OpenPGP(Keyring.from_files([reference(f"artifacts/keys/{copy}") for copy in copies]))
    archive = reference("artifacts/source/Python-3.13.5.tar.xz")
    signature = reference("artifacts/source/Python-3.13.5.tar.xz.asc").read_bytes()
    found = openpgp.verify_file(archive, signature, allowed=[WOUTERS])
    assert found.signer == WOUTERS
    # The copy that Debian ships expired after it had signed.
    assert ("before the key expired" in found.why) is (copies == COPIES[:1])


def test_a_real_signature_does_not_prove_another_release() -> None:
    openpgp = OpenPGP(Keyring.from_files([reference(f"artifacts/keys/{COPIES[2]}"), reference("artifacts/keys/steve-dower.asc")]))
    archive = reference("artifacts/source/Python-3.13.5.tar.xz")
    other = reference("artifacts/source/Python-3.13.3.tar.xz.asc").read_bytes()
    assert "does not fit the content" in refused(openpgp, archive, other, WOUTERS)
    right = reference("artifacts/source/Python-3.13.5.tar.xz.asc").read_bytes()
    assert f"signed by {WOUTERS}, whose signature does not count here" in refused(openpgp, archive, right, DOWER)
