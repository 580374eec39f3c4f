import base64
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.authenticity import verify_by
from bot.profile.trust import Trust
from bot.profile.types import Identity, Person
from bot.rehearsal.trust_sigstore import SmallSigstore, armored
from bot.rehearsal.trust_sigstore_cms import CmsSignature, attribute
from bot.release.ids import UserId
from bot.verify import cms
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.command import run
from bot.verify.gitsign import LARGEST_SIGNATURE, Gitsign
from bot.verify.log_entry import LARGEST_ENTRY, MalformedEntry, entry_json
from bot.verify.result import NotProven, Unusable, Verdict
from bot.verify.sigstore_bundle import OidcIdentity
from bot.verify.tag import TagObject
from tests.reference import reference
from tests.verify.signing import payload

WHO, WHERE = "manager@example.org", "https://accounts.example.org"
MANAGER = OidcIdentity(identity=WHO, issuer=WHERE)
BILLY = OidcIdentity(identity="billy@chainguard.dev", issuer="https://accounts.google.com")
PAYLOAD = payload()


@pytest.fixture(scope="module")
def small() -> SmallSigstore:
    return SmallSigstore.create()


@pytest.fixture(scope="module")
def gitsign(small: SmallSigstore) -> Gitsign:
    return Gitsign(small.trusted_root_json)


def real(name: str) -> bytes:
    return (reference("artifacts/tags") / f"{name}.tag").read_bytes()


def verdict_of(raw: bytes, name: str, gitsign: Gitsign | None, *allowed: OidcIdentity) -> TagVerdict:
    return TagVerifier(gitsign=gitsign).verify(raw, name=name, signers=Signers(oidc=allowed))


def test_a_real_tag_with_its_log_entry_is_proved_offline() -> None:
    verdict = verdict_of(real("gitsign-v0.17.1"), "v0.17.1", Gitsign(), OidcIdentity(identity="a", issuer="b"), BILLY)
    assert (verdict.good, verdict.verdict, verdict.signer) == (True, Verdict.VERIFIED, "billy@chainguard.dev")
    assert verdict.why == "it was signed by billy@chainguard.dev (logged in at https://accounts.google.com) on 2026-07-29"
    assert "log index 2283146946" in verdict.diagnostics


def test_a_real_tag_without_a_log_entry_cannot_be_completed() -> None:
    verdict = verdict_of(real("gitsign-v0.13.0"), "v0.13.0", Gitsign(), BILLY)
    assert (verdict.good, verdict.usable, verdict.verdict, verdict.signer) == (False, False, Verdict.UNUSABLE, "")
    assert "cannot be completed offline" in verdict.why


@pytest.mark.parametrize(
    ("allowed", "why"),
    [
        (OidcIdentity(identity="mallory@chainguard.dev", issuer=BILLY.issuer), r"signed by billy@chainguard.dev .*, not by mallory@"),
        (OidcIdentity(identity=BILLY.identity, issuer="https://github.com/login/oauth"), "but logged in at https://accounts.google.com"),
    ],
)
def test_a_real_tag_by_somebody_else_says_whose_it_is(allowed: OidcIdentity, why: str) -> None:
    tag = TagObject.parse(real("gitsign-v0.17.1"))
    with pytest.raises(NotProven, match=why):
        Gitsign().verify(tag.payload, tag.signature, allowed=[allowed])


def test_a_real_signature_moved_to_another_tag_is_refused(gitsign: Gitsign) -> None:
    tag = TagObject.parse(real("gitsign-v0.17.1"))
    for altered in (tag.payload + b"\n", tag.payload.replace(b"v0.17.1", b"v0.17.2"), PAYLOAD, b""):
        with pytest.raises(NotProven, match="another content"):
            Gitsign().verify(altered, tag.signature, allowed=[BILLY])
    with pytest.raises(NotProven, match="not issued by the trusted certificate authority"):
        gitsign.verify(tag.payload, tag.signature, allowed=[BILLY])


def test_a_tag_signed_here_is_proved_by_the_same_code(small: SmallSigstore, gitsign: Gitsign) -> None:
    for _ in range(5):
        verdict = verdict_of(PAYLOAD + small.sign_tag(PAYLOAD, WHO, WHERE), "v3.9.2", gitsign, MANAGER)
        assert (verdict.good, verdict.signer) == (True, WHO)


def test_nobody_counts_who_was_not_named(small: SmallSigstore, gitsign: Gitsign) -> None:
    """The root vouches for anyone in the world who can log in."""
    raw = PAYLOAD + small.sign_tag(PAYLOAD, WHO, WHERE)
    for verdict in (verdict_of(raw, "v3.9.2", gitsign), verdict_of(raw, "v3.9.2", None, MANAGER)):
        assert (verdict.good, verdict.verdict, verdict.signer) == (False, Verdict.FAILED, "")
        assert "no login was given" in verdict.why
    assert not TagVerifier(gitsign=gitsign).verify(raw, name="v3.9.2").good
    with pytest.raises(NotProven, match="nobody's login is allowed"):
        gitsign.verify(PAYLOAD, small.sign_tag(PAYLOAD, WHO, WHERE), allowed=[])


def test_what_another_sigstore_signed_proves_nothing(gitsign: Gitsign) -> None:
    with pytest.raises(NotProven, match="not issued by the trusted certificate authority"):
        gitsign.verify(PAYLOAD, SmallSigstore.create().sign_tag(PAYLOAD, WHO, WHERE), allowed=[MANAGER])


Change = Callable[[cms.SignedMessage], None]


def made(small: SmallSigstore, *, content: bytes = PAYLOAD, entry: bytes | None = None, keep: bool = True) -> bytes:
    """Return the DER of a signature, with another entry or none."""
    cms_ = CmsSignature(content, small.clock())
    signed = small.signed(sha256(cms_.covered).digest(), WHO, WHERE)
    unsigned = [attribute(cms.LOG_ENTRY, signed.entry.as_protobuf() if entry is None else entry)] if keep else []
    return cms_.message(signed.signature, signed.certificate, unsigned=unsigned)


def changed(der: bytes, change: Change) -> bytes:
    message = asn1.decode_der(cms.SignedMessage, der)
    change(message)
    return asn1.encode_der(message)


def signers(count: int) -> Change:
    def change(message: cms.SignedMessage) -> None:
        message.content.signers = asn1.SetOf(message.content.signers.as_list() * count)

    return change


def signer(**values: object) -> Change:
    def change(message: cms.SignedMessage) -> None:
        first = message.content.signers.as_list()[0]
        for name, value in values.items():
            setattr(first, name, value)
        message.content.signers = asn1.SetOf([first])

    return change


def content(**values: object) -> Change:
    def change(message: cms.SignedMessage) -> None:
        for name, value in values.items():
            setattr(message.content, name, value)

    return change


ENTRIES = [attribute(cms.LOG_ENTRY, b"")] * 2
SHA384 = ObjectIdentifier("2.16.840.1.101.3.4.2.2")


@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        (signers(0), NotProven, "not exactly one signer"),
        (signers(2), NotProven, "not exactly one signer"),
        (content(certificates=asn1.SetOf([])), Unusable, "cannot be read as a signature of gitsign"),
        (content(content=cms.ContentKind(kind=cms.SIGNED_DATA)), NotProven, "another kind of content"),
        (signer(signed=asn1.SetOf([])), NotProven, "another kind of content"),
        (signer(signed=asn1.SetOf([attribute(cms.CONTENT_TYPE, cms.DATA)])), NotProven, "another content"),
        (signer(digest=cms.Algorithm(algorithm=SHA384, parameters=None)), NotProven, "SHA-256"),
        (signer(signature=b"1234"), NotProven, "does not hold"),
        (signer(unsigned=None), Unusable, "cannot be completed offline"),
        (signer(unsigned=asn1.SetOf(ENTRIES)), Unusable, "cannot be read"),
        (signer(unsigned=asn1.SetOf([attribute(cms.LOG_ENTRY, 7)])), Unusable, "cannot be read"),
        (signer(unsigned=asn1.SetOf([attribute(cms.LOG_ENTRY, b"\x0a")])), Unusable, "cannot be read"),
        (signer(unsigned=asn1.SetOf([attribute(cms.LOG_ENTRY, b"")])), Unusable, "lacks the log's checkpoint|lacks a part|cannot be read"),
    ],
)
def test_an_altered_signature_is_refused_with_its_reason(
    small: SmallSigstore, gitsign: Gitsign, change: Change, kind: type[NotProven], why: str
) -> None:
    with pytest.raises(NotProven, match=why) as caught:
        gitsign.verify(PAYLOAD, armored(changed(made(small), change)), allowed=[MANAGER])
    assert type(caught.value) is kind


def test_signed_attributes_that_fit_need_a_signature_that_covers_them(small: SmallSigstore, gitsign: Gitsign) -> None:
    """The attributes of this payload under the signature of another one."""
    other = asn1.decode_der(cms.SignedMessage, made(small, content=b"another")).content.signers.as_list()[0]
    grafted = changed(made(small), signer(signature=other.signature, unsigned=other.unsigned))
    with pytest.raises(NotProven, match="does not hold"):
        gitsign.verify(PAYLOAD, armored(grafted), allowed=[MANAGER])


def test_an_entry_of_another_signature_or_a_late_one_does_not_help(small: SmallSigstore, gitsign: Gitsign) -> None:
    other = small.signed(sha256(b"other").digest(), WHO, WHERE).entry
    with pytest.raises(NotProven, match="entry in the log of signatures is not genuine"):
        gitsign.verify(PAYLOAD, armored(made(small, entry=other.as_protobuf())), allowed=[MANAGER])
    late = replace(other, time=int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
    with pytest.raises(NotProven, match="not valid at the time"):
        gitsign.verify(PAYLOAD, armored(made(small, entry=late.as_protobuf())), allowed=[MANAGER])


def test_what_is_no_signature_of_gitsign_is_unusable(small: SmallSigstore, gitsign: Gitsign) -> None:
    block, der = small.sign_tag(PAYLOAD, WHO, WHERE), made(small)
    attached = CmsSignature(PAYLOAD, small.clock()).message(b"", small.authority.chain[0], content=PAYLOAD)
    truncated = [armored(der[:length]) for length in range(0, len(der) - 1, 101)]
    noise = [b"", b"x", block[:-40], block.replace(b"SIGNED", b"SINGED"), block + block, armored(der + b"\0"), armored(attached)]
    larger = block.replace(b"\n", b"\n" * LARGEST_SIGNATURE, 1)
    odd = b"-----BEGIN SIGNED MESSAGE-----\nA\n-----END SIGNED MESSAGE-----\n"
    for wrong in [*truncated, *noise, larger, odd]:
        with pytest.raises(Unusable, match="cannot be read as a signature of gitsign"):
            gitsign.verify(PAYLOAD, wrong, allowed=[MANAGER])


def test_an_entry_is_read_as_a_bundle_holds_it(small: SmallSigstore) -> None:
    for number in range(5):
        entry = small.signed(sha256(bytes([number])).digest(), WHO, WHERE).entry
        expected = dict(entry.as_json())
        body = expected.pop("canonicalizedBody")
        whole = entry.as_protobuf()
        assert entry_json(whole) == expected
        raw = base64.b64decode(str(body))
        with_body = whole + b"\x3a" + bytes([len(raw) & 0x7F | 0x80, len(raw) >> 7]) + raw
        assert entry_json(with_body) == {**expected, "canonicalizedBody": body}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"\x08", "cut off"),
        (b"\x08\x80", "cut off"),
        (b"\x12\x05\x0a", "cut off"),
        (b"\x08\x01\x08\x01", "twice"),
        (b"\x40\x01", "does not belong there"),
        (b"\x0a\x00", "does not belong there"),
        (b"\x09" + b"\0" * 8, "of a kind that does not belong there"),
        (b"\x08" + b"\xff" * 10, "too large"),
        (b"\x08" + b"\xff" * 9 + b"\x7f", "too large"),
        (b"\x1a\x03\x0a\x01\xff", "text that is none"),
        (b"\0" * (LARGEST_ENTRY + 1), "too large"),
    ],
)
def test_an_entry_that_is_none_is_refused(message: bytes, why: str) -> None:
    with pytest.raises(MalformedEntry, match=why):
        entry_json(message)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64))
def test_no_bytes_ever_crash_the_reader_of_entries(message: bytes) -> None:
    try:
        entry = entry_json(message)
    except MalformedEntry:
        return
    assert json.dumps(entry)


SMALL = SmallSigstore.create()
DER = made(SMALL)


def test_a_certificate_of_an_unknown_version_is_refused(gitsign: Gitsign) -> None:
    start = DER.index(b"\xa0\x03\x02\x01\x02")
    with pytest.raises(Unusable, match="cannot be read as a signature of gitsign"):
        gitsign.verify(PAYLOAD, armored(DER[: start + 4] + b"\x28" + DER[start + 5 :]), allowed=[MANAGER])


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # altered serial numbers
@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(DER) - 1), st.binary(min_size=0, max_size=2))
def test_no_alteration_ever_proves_anything_else(position: int, noise: bytes) -> None:
    block = armored(DER[:position] + noise + DER[position + 1 :])
    gitsign = Gitsign(SMALL.trusted_root_json)
    with contextlib.suppress(NotProven):
        assert gitsign.verify(PAYLOAD, block, allowed=[MANAGER]).signer == WHO
    with pytest.raises(NotProven):
        gitsign.verify(PAYLOAD + b"\n", block, allowed=[MANAGER])


@pytest.mark.parametrize(
    ("logins", "trusted", "good", "why"),
    [
        ([WHO], True, True, f"signed by {WHO}"),
        (["other@example.org", WHO], True, True, f"signed by {WHO}"),
        (["other@example.org"], True, False, r"not by other@example\.org"),
        ([], True, False, "no login was given"),
        ([WHO], False, False, "no trusted root"),
    ],
)
async def test_the_audit_accepts_the_logins_of_those_who_may_release(
    small: SmallSigstore, tmp_path: Path, logins: list[str], *, trusted: bool, good: bool, why: str
) -> None:
    (tmp_path / "root.json").write_bytes(small.trusted_root_json)
    oidc = tuple(Identity(identity=login, issuer=WHERE) for login in logins)
    people = [Person(login="manager", id=UserId(1), name="Manager", oidc=oidc)]
    trust = Trust(sigstore_root=tmp_path / "root.json" if trusted else None)
    found = await verify_by(PAYLOAD + small.sign_tag(PAYLOAD, WHO, WHERE), "v3.9.2", people, "required", trust)
    assert (found.good, found.signer) == (good, WHO if good else "")
    assert re.search(why, found.why)


async def test_the_audit_refuses_what_sigstores_public_root_does_not_know(small: SmallSigstore) -> None:
    people = [Person(login="manager", id=UserId(1), name="Manager", oidc=(Identity(identity=WHO, issuer=WHERE),))]
    raw = PAYLOAD + small.sign_tag(PAYLOAD, WHO, WHERE)
    found = await verify_by(raw, "v3.9.2", people, "if-present", Trust(sigstore_root="production"))
    assert not found.good
    assert "not issued by the trusted certificate authority" in found.why


def test_the_command_verifies_a_real_tag(capsys: pytest.CaptureFixture[str]) -> None:
    tags = reference("artifacts/tags")
    login = ["--identity", BILLY.identity, "--issuer", BILLY.issuer, "--json"]
    assert run([str(tags / "gitsign-v0.17.1.tag"), "--name", "v0.17.1", *login]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["good"], row["verdict"], row["signer"], row["signed"]) == (True, "verified", BILLY.identity, "gitsign")
    assert run([str(tags / "gitsign-v0.13.0.tag"), "--name", "v0.13.0", *login]) == 1
    row = json.loads(capsys.readouterr().out)
    assert (row["good"], row["verdict"], row["signer"]) == (False, "unusable", "")
    assert "cannot be completed offline" in row["why"]


def test_the_command_takes_another_root(small: SmallSigstore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tag").write_bytes(PAYLOAD + small.sign_tag(PAYLOAD, WHO, WHERE))
    (tmp_path / "root.json").write_bytes(small.trusted_root_json)
    login = [str(tmp_path / "tag"), "--name", "v3.9.2", "--identity", WHO, "--issuer", WHERE]
    assert run([*login, "--sigstore-root", str(tmp_path / "root.json")]) == 0
    assert "v3.9.2: good" in capsys.readouterr().out
    assert run(login) == 1
    assert "not issued by the trusted" in " ".join(capsys.readouterr().out.split())
    assert run([*login, "--sigstore-root", str(tmp_path / "tag")]) == 2
    assert "trusted_root.json" in capsys.readouterr().err


@pytest.mark.parametrize("half", [["--identity", WHO], ["--issuer", WHERE], ["--sigstore-root", "root.json", "--keys", "."]])
def test_half_a_login_is_wrong_use(half: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tag").write_bytes(PAYLOAD)
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", *half]) == 2
    assert "both --identity WHO and --issuer URL" in " ".join(capsys.readouterr().err.split())
