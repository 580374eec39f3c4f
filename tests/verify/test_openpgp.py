from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.release.facts import Signed
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.openpgp import Keyring, KeysUnusable, OpenPGP, judge
from tests.verify.signing import GPG, payload

LINE = payload()


@dataclass(frozen=True, kw_only=True)
class Keys:
    gpg: GPG
    manager: str
    subkey: str
    other: str


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with GPG.fresh() as gpg:
        manager = gpg.key("Release Manager <manager@example.org>")
        subkey = gpg.subkey(manager)
        other = gpg.key("Other Person [GNUPG:] GOODSIG 0123456789ABCDEF <other@example.org>")
        yield Keys(gpg=gpg, manager=manager, subkey=subkey, other=other)


def ring(folder: Path, *exports: bytes) -> Keyring:
    files = []
    for number, content in enumerate(exports):
        files.append(folder / f"{number}.asc")
        files[-1].write_bytes(content)
    return Keyring.from_files(files)


def verdict(keyring: Keyring, raw: bytes, *, allowed: set[str] | None = None) -> TagVerdict:
    return TagVerifier(openpgp=OpenPGP(keyring)).verify(raw, name="v3.9.2", signers=Signers(fingerprints=allowed))


def test_a_signature_by_the_primary_key_and_one_by_a_subkey_name_the_primary_key(keys: Keys, tmp_path: Path) -> None:
    keyring = ring(tmp_path, keys.gpg.export(keys.manager))
    assert keyring.fingerprints == {keys.manager}
    for key in (keys.manager, keys.subkey):
        found = verdict(keyring, LINE + keys.gpg.sign(LINE, key), allowed={keys.manager})
        assert (found.good, found.signed, found.signer) == (True, Signed.OPENPGP, keys.manager), found


def test_a_fingerprint_may_be_written_with_spaces_and_small_letters(keys: Keys, tmp_path: Path) -> None:
    written = " ".join(keys.manager.lower()[n : n + 4] for n in range(0, 40, 4))
    assert verdict(ring(tmp_path, keys.gpg.export(keys.manager)), LINE + keys.gpg.sign(LINE, keys.manager), allowed={written}).good


def test_a_good_signature_by_someone_else_does_not_count(keys: Keys, tmp_path: Path) -> None:
    keyring = ring(tmp_path, keys.gpg.export(keys.manager, keys.other))
    raw = LINE + keys.gpg.sign(LINE, keys.other)
    assert verdict(keyring, raw).good
    found = verdict(keyring, raw, allowed={keys.manager})
    assert (found.good, found.signer) == (False, "")
    assert "does not count here" in found.why
    assert not verdict(keyring, raw, allowed=set()).good
    assert not verdict(keyring, raw, allowed={keys.other[-16:]}).good


def test_pinning_the_subkey_is_not_enough(keys: Keys, tmp_path: Path) -> None:
    assert not verdict(ring(tmp_path, keys.gpg.export(keys.manager)), LINE + keys.gpg.sign(LINE, keys.subkey), allowed={keys.subkey}).good


def test_a_key_that_was_not_given_is_named(keys: Keys, tmp_path: Path) -> None:
    found = verdict(ring(tmp_path, keys.gpg.export(keys.manager)), LINE + keys.gpg.sign(LINE, keys.other))
    assert not found.good
    assert keys.other[-16:] in found.why


@pytest.mark.parametrize(("old", "new"), [(b"3.9.2\n", b"3.9.3\n"), (b"b494", b"a494"), (b"1613737929", b"1613737920")])
def test_a_tampered_payload_is_refused(keys: Keys, tmp_path: Path, old: bytes, new: bytes) -> None:
    raw = (LINE + keys.gpg.sign(LINE, keys.manager)).replace(old, new, 1)
    found = TagVerifier(openpgp=OpenPGP(ring(tmp_path, keys.gpg.export(keys.manager)))).verify(raw, name=raw.split()[5].decode())
    assert not found.good
    assert "does not fit" in found.why


def test_a_renamed_tag_is_refused_although_its_signature_is_good(keys: Keys, tmp_path: Path) -> None:
    found = TagVerifier(openpgp=OpenPGP(ring(tmp_path, keys.gpg.export(keys.manager)))).verify(
        LINE + keys.gpg.sign(LINE, keys.manager), name="v9.9.9"
    )
    assert (found.good, found.signed, found.tag) == (False, None, None)
    assert "another name" in found.why


def test_two_signatures_in_one_block_are_refused(keys: Keys, tmp_path: Path) -> None:
    keyring = ring(tmp_path, keys.gpg.export(keys.manager, keys.other))
    for second in (keys.other, keys.subkey):
        found = verdict(keyring, LINE + keys.gpg.sign(LINE, keys.manager, second))
        assert not found.good
        assert "not exactly one" in found.why


def test_a_block_that_brings_its_own_content_is_refused(keys: Keys, tmp_path: Path) -> None:
    message = keys.gpg.run("--armor", "--local-user", keys.manager, "--sign", given=b"something else").replace(b"MESSAGE", b"SIGNATURE")
    assert not verdict(ring(tmp_path, keys.gpg.export(keys.manager)), LINE + message).good


def test_a_text_signature_is_refused(keys: Keys, tmp_path: Path) -> None:
    found = verdict(ring(tmp_path, keys.gpg.export(keys.manager)), LINE + keys.gpg.sign(LINE, keys.manager, options=["--textmode"]))
    assert not found.good
    assert "line ends" in found.why


def test_an_expired_signature_is_refused(tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        key = gpg.key("Old <old@example.org>", at="20200101T000000")
        signature = gpg.sign(LINE, key, at="20200102T000000", options=["--default-sig-expire", "7d"])
        found = verdict(ring(tmp_path, gpg.export(key)), LINE + signature)
    assert not found.good
    assert "signature itself has expired" in found.why


def test_a_key_that_expired_counts_for_what_it_signed_before(tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        key = gpg.key("Old <old@example.org>", at="20200101T000000")
        before, after = (LINE + gpg.sign(LINE, key, at=at) for at in ("20200201T000000", "20210601T000000"))
        gpg.run("--quick-set-expire", key, "2021-01-01", at="20200301T000000")
        keyring = ring(tmp_path, gpg.export(key))
    early, late = verdict(keyring, before, allowed={key}), verdict(keyring, after, allowed={key})
    assert early.good
    assert "2020-02-01, before the key expired" in early.why
    assert not late.good
    assert "had expired when it signed" in late.why
    strict = OpenPGP(keyring, expired_keys=False).verify(LINE, before.removeprefix(LINE), allowed={key})
    assert not strict.good
    assert "has expired; extend it" in strict.why


def test_a_copy_that_knows_of_the_revocation_prevails(tmp_path: Path) -> None:
    with GPG.fresh() as gpg:
        key = gpg.key("Revoked <revoked@example.org>")
        raw = LINE + gpg.sign(LINE, key)
        innocent = gpg.export(key)
        gpg.revoke(key)
        knowing = gpg.export(key)
    assert verdict(ring(tmp_path, innocent), raw).good
    for copies in ((knowing,), (innocent, knowing), (knowing, innocent)):
        found = verdict(ring(tmp_path, *copies), raw)
        assert not found.good
        assert "revoked" in found.why


def test_a_weak_hash_is_refused() -> None:
    fingerprint = "A" * 40
    lines = [
        ["NEWSIG"],
        ["GOODSIG", "A" * 16, "x"],
        ["VALIDSIG", fingerprint, "2021-01-01", "1609459200", "0", "4", "0", "1", "2", "00", fingerprint],
    ]
    found = judge(lines, None)
    assert not found.good
    assert "SHA-1" in found.why


def test_words_in_a_user_id_are_only_words(keys: Keys, tmp_path: Path) -> None:
    raw = (LINE + keys.gpg.sign(LINE, keys.other)).replace(b"3.9.2\n", b"3.9.3\n")
    found = TagVerifier(openpgp=OpenPGP(ring(tmp_path, keys.gpg.export(keys.other)))).verify(raw, name=raw.split()[5].decode())
    assert "BADSIG" in " ".join(found.diagnostics)
    assert "GOODSIG" in " ".join(found.diagnostics)
    assert not found.good


@pytest.mark.parametrize("word", ["BADSIG", "ERRSIG", "REVKEYSIG", "EXPSIG", "PLAINTEXT", "FAILURE"])
def test_one_bad_word_spoils_everything(word: str) -> None:
    fingerprint = "A" * 40
    lines = [["GOODSIG", "A" * 16, "x"], ["VALIDSIG", fingerprint, "2021-01-01", "1609459200", "0", "4", "0", "1", "8", "00", fingerprint]]
    assert judge(lines, {fingerprint}).good
    assert not judge([*lines, [word, "x"]], {fingerprint}).good
    assert not judge([*lines, *lines], {fingerprint}).good
    assert not judge(lines[:1], {fingerprint}).good
    assert not judge(lines[1:], {fingerprint}).good
    assert not judge([], None).good


@pytest.mark.parametrize("block", ["AAAA", "", "not base64 at all", "iQIzBAAB"])
def test_a_damaged_block_is_refused(keys: Keys, tmp_path: Path, block: str) -> None:
    raw = LINE + f"-----BEGIN PGP SIGNATURE-----\n\n{block}\n-----END PGP SIGNATURE-----\n".encode()
    found = verdict(ring(tmp_path, keys.gpg.export(keys.manager)), raw)
    assert not found.good
    assert found.why.startswith("OpenPGP: ")


def test_binary_and_armored_keys_are_read_and_other_files_are_named(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "a.gpg").write_bytes(keys.gpg.run("--export", keys.manager))
    (tmp_path / "b.asc").write_bytes(keys.gpg.export(keys.other))
    (tmp_path / "README.txt").write_text("not a key")
    assert Keyring.from_folder(tmp_path).fingerprints == {keys.manager, keys.other}
    (tmp_path / "c.asc").write_text("not a key")
    with pytest.raises(KeysUnusable, match=r"c\.asc holds no usable OpenPGP key"):
        Keyring.from_folder(tmp_path)
    (tmp_path / "c.asc").write_bytes(keys.gpg.run("--armor", "--export-secret-keys", keys.manager))
    with pytest.raises(KeysUnusable, match=r"c\.asc holds a secret key"):
        Keyring.from_folder(tmp_path)
    with pytest.raises(KeysUnusable, match="No OpenPGP keys"):
        Keyring.from_files([])
    with pytest.raises(KeysUnusable, match="not a folder"):
        Keyring.from_folder(tmp_path / "nowhere")
