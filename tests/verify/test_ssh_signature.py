from pathlib import Path

import pytest

from bot.release.facts import Signed
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.ssh_signature import SSH, SignersUnusable
from tests.verify.signing import SSHKey, payload

TAG = payload()


@pytest.fixture
def manager(tmp_path: Path) -> SSHKey:
    return SSHKey.fresh(tmp_path, "manager@example.org")


def verdict(raw: bytes, allowed_signers: bytes, *, allowed: set[str] | None = None) -> TagVerdict:
    return TagVerifier(ssh=SSH(allowed_signers)).verify(raw, name="v3.9.2", signers=Signers(principals=allowed))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_signature_by_an_expected_person_is_good(tmp_path: Path, kind: str) -> None:
    key = SSHKey.fresh(tmp_path, "manager@example.org", kind)
    found = verdict(TAG + key.sign(TAG), key.line(), allowed={key.principal})
    assert (found.good, found.signed, found.signer) == (True, Signed.SSH, "manager@example.org")


def test_someone_else_on_the_list_does_not_count(tmp_path: Path, manager: SSHKey) -> None:
    other = SSHKey.fresh(tmp_path, "other@example.org")
    both = manager.line() + other.line()
    assert verdict(TAG + other.sign(TAG), both).good
    found = verdict(TAG + other.sign(TAG), both, allowed={manager.principal})
    assert (found.good, found.signer) == (False, "")
    assert "'other@example.org', whose signature does not count here" in found.why
    assert not verdict(TAG + other.sign(TAG), both, allowed=set()).good


def test_a_key_that_is_not_on_the_list_is_refused(tmp_path: Path, manager: SSHKey) -> None:
    other = SSHKey.fresh(tmp_path, "other@example.org")
    assert "not among the allowed signers" in verdict(TAG + other.sign(TAG), manager.line()).why


def test_one_key_of_several_names_speaks_for_the_expected_one(manager: SSHKey) -> None:
    found = verdict(TAG + manager.sign(TAG), manager.line(principal="first@example.org,second@example.org"), allowed={"second@example.org"})
    assert (found.good, found.signer) == (True, "second@example.org")


def test_a_tampered_payload_is_refused(manager: SSHKey) -> None:
    found = verdict((TAG + manager.sign(TAG)).replace(b"b494", b"a494"), manager.line())
    assert not found.good
    assert "does not fit" in found.why


@pytest.mark.parametrize("options", ["", 'namespaces="git,file" ', 'namespaces="file" '])
def test_a_signature_for_another_purpose_is_refused(manager: SSHKey, options: str) -> None:
    assert not verdict(TAG + manager.sign(TAG, namespace="file"), manager.line(options=options)).good


def test_a_key_that_is_not_for_git_is_refused(manager: SSHKey) -> None:
    assert not verdict(TAG + manager.sign(TAG), manager.line(options='namespaces="file" ')).good


def test_a_key_past_its_time_is_refused(manager: SSHKey) -> None:
    assert not verdict(TAG + manager.sign(TAG), manager.line(options='valid-before="20200101" ')).good
    assert verdict(TAG + manager.sign(TAG), manager.line(options='valid-after="20200101" ')).good


def test_a_damaged_block_is_refused(manager: SSHKey) -> None:
    assert not verdict(TAG + b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", manager.line()).good


def test_without_a_list_nobody_counts(manager: SSHKey) -> None:
    assert "no list of allowed signers" in TagVerifier().verify(TAG + manager.sign(TAG), name="v3.9.2").why


def test_a_list_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SignersUnusable, match="cannot be read"):
        SSH.from_file(tmp_path / "nowhere")
    (tmp_path / "empty").touch()
    with pytest.raises(SignersUnusable, match="empty"):
        SSH.from_file(tmp_path / "empty")
