"""The policy of a series, on whole tag objects: which are authentic, and what is said of the others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from bot.authenticity import Authenticity, Policy, verify_by
from bot.profile.trust import Trust
from bot.profile.types import Person
from bot.release.facts import Signed
from bot.release.ids import UserId
from tests.verify.signing import GPG, TARGET, SSHKey, identity, payload

VERSION = "v3.15.0a3"
MESSAGE = "Python 3.15.0a3"
TAG = payload(VERSION, message=f"{MESSAGE}\n")


@dataclass(frozen=True, kw_only=True)
class People:
    """A release manager with an OpenPGP key, a subkey of it and an SSH key, and somebody else with keys that are trusted as well."""

    gpg: GPG
    primary: str
    subkey: str
    stranger: str
    ssh: SSHKey
    other_ssh: SSHKey
    trust: Trust

    @property
    def manager(self) -> Person:
        line = self.ssh.path.with_suffix(".pub").read_text().strip()
        return Person(login="hugovk", id=UserId(1), name="Hugo", pgp_fingerprints=(self.primary,), ssh_keys=(line,))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("keys")
    with GPG.fresh() as gpg:
        primary, stranger = gpg.key("Manager <manager@example.org>"), gpg.key("Stranger <stranger@example.org>")
        subkey = gpg.subkey(primary)
        (folder / "keys.asc").write_bytes(gpg.export(primary, stranger))
        ssh, other = SSHKey.fresh(folder, "hugovk"), SSHKey.fresh(folder, "stranger")
        (folder / "signers").write_bytes(other.line())
        trust = Trust(openpgp=(folder / "keys.asc",), allowed_signers=folder / "signers")
        yield People(gpg=gpg, primary=primary, subkey=subkey, stranger=stranger, ssh=ssh, other_ssh=other, trust=trust)


async def judged(raw: bytes, people: People, policy: Policy, *, object_id: str = "", target: str = TARGET) -> Authenticity:
    expected = (object_id or identity(raw), target)
    return await verify_by(raw, VERSION, [people.manager], policy, people.trust, expected=expected, message=MESSAGE)


SIGNED: dict[str, tuple[Callable[[People], bytes], Signed]] = {
    "the primary key": (lambda people: people.gpg.sign(TAG, people.primary), Signed.OPENPGP),
    "a subkey": (lambda people: people.gpg.sign(TAG, people.subkey), Signed.OPENPGP),
    "an SSH key": (lambda people: people.ssh.sign(TAG), Signed.SSH),
}


@pytest.mark.parametrize("policy", ["required", "if-present"])
@pytest.mark.parametrize("kind", SIGNED)
async def test_every_policy_accepts_the_managers_own_signature(people: People, policy: Policy, kind: str) -> None:
    sign, signed = SIGNED[kind]
    verdict = await judged(TAG + sign(people), people, policy)
    assert (verdict.good, verdict.signed) == (True, signed), verdict
    assert verdict.signer == (people.primary if signed is Signed.OPENPGP else "hugovk")


async def test_an_unsigned_tag_is_for_the_series_to_judge(people: People) -> None:
    passed = await judged(TAG, people, "if-present")
    assert (passed.good, passed.signed, passed.signer) == (True, Signed.UNSIGNED, "")
    refused = await judged(TAG, people, "required")
    assert (refused.good, refused.why) == (False, "It is not signed, but tags of this series must be signed by hugovk.")


REFUSED: dict[str, tuple[Callable[[People], bytes], str]] = {
    "a stranger's OpenPGP key": (lambda people: TAG + people.gpg.sign(TAG, people.stranger), "whose signature does not count here"),
    "a stranger's SSH key": (lambda people: TAG + people.other_ssh.sign(TAG), "signed by 'stranger', whose signature does not count here"),
    "an SSH signature over a file": (lambda people: TAG + people.ssh.sign(TAG, namespace="file"), "was not made for git"),
    "a signature of another tag": (lambda people: TAG + people.gpg.sign(TAG + b"x", people.primary), "does not fit the content"),
    "renamed": (
        lambda people: (other := payload("v3.15.0a2", message=f"{MESSAGE}\n")) + people.gpg.sign(other, people.primary),
        "was made as 'v3.15.0a2', not as 'v3.15.0a3'",
    ),
    "renamed, unsigned": (lambda _: payload("v3.15.0a2", message=f"{MESSAGE}\n"), "was made as 'v3.15.0a2', not as 'v3.15.0a3'"),
    "nested": (
        lambda people: (other := payload(VERSION, kind="tag", message=f"{MESSAGE}\n")) + people.gpg.sign(other, people.primary),
        "points to a 'tag', not to a commit",
    ),
    "on a tree": (lambda _: payload(VERSION, kind="tree", message=f"{MESSAGE}\n"), "points to a 'tree', not to a commit"),
    "lightweight": (
        lambda _: f"tree {TARGET}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n".encode(),
        "the tag is lightweight",
    ),
    "on another commit": (
        lambda people: (other := payload(VERSION, target="1" * 40, message=f"{MESSAGE}\n")) + people.gpg.sign(other, people.primary),
        f"not to '{TARGET}'",
    ),
    "of another version": (
        lambda people: (other := payload(VERSION, message="Python 3.15.0a2\n")) + people.gpg.sign(other, people.primary),
        "Its message begins with 'Python 3.15.0a2'",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_even_the_policy_that_demands_no_signature_accepts_nothing_else(people: People, kind: str) -> None:
    make, why = REFUSED[kind]
    verdict = await judged(make(people), people, "if-present")
    assert not verdict.good
    assert why in verdict.why
    assert verdict.signer == ""


async def test_a_tag_that_moved_to_another_object_is_refused_although_it_is_signed(people: People) -> None:
    raw = TAG + people.gpg.sign(TAG, people.primary)
    moved = await judged(raw, people, "required", object_id="2" * 40)
    assert not moved.good
    assert f"The content belongs to object {identity(raw)}, not to '{'2' * 40}'" in moved.why
