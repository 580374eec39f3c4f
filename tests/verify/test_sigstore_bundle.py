import base64
import hashlib
import itertools
import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rehearsal.trust_sigstore import SmallSigstore, body
from bot.verify.result import NotProven, Unusable, Verdict
from bot.verify.sigstore_bundle import LARGEST_BUNDLE, OidcIdentity, SigstoreBundle
from bot.verify.sigstore_root import LARGEST_ROOT, RootUnusable, SigstoreRoot, production_root
from tests.reference import reference
from tests.verify.real_bundles import RealBundle, every_real_bundle

WHO, WHERE = "manager@example.org", "https://accounts.example.org"
THOMAS, GOOGLE = "thomas@python.org", "https://accounts.google.com"
HUGO, GITHUB = "hugo@python.org", "https://github.com/login/oauth"
FILE = hashlib.sha256(b"Python-3.99.0.tgz").hexdigest()
OTHER = hashlib.sha256(b"Python-3.99.0.tar.xz").hexdigest()


@pytest.fixture(scope="module")
def small() -> SmallSigstore:
    return SmallSigstore.create()


@pytest.fixture(scope="module")
def proof(small: SmallSigstore) -> SigstoreBundle:
    return SigstoreBundle(small.trusted_root_json, identity=WHO, issuer=WHERE)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize(
    ("file", "identity", "issuer"),
    [
        ("source/Python-3.13.5.tar.xz", THOMAS, GOOGLE),
        ("source/Python-3.14.4.tar.xz", HUGO, GITHUB),
        ("windows/python-3.13.2-embed-amd64.zip", THOMAS, GOOGLE),
    ],
)
def test_real_files_are_proved_by_their_bundles(file: str, identity: str, issuer: str) -> None:
    path = reference(f"artifacts/{file}")
    bundle = path.with_name(f"{path.name}.sigstore").read_bytes()
    proven = SigstoreBundle(identity=identity, issuer=issuer).verify(bundle, sha256(path))
    assert proven.signer == identity
    assert identity in proven.why
    assert issuer in proven.why
    text = "\n".join(proven.diagnostics)
    assert f"certificate of {identity}\nissuer {issuer}\nlog index " in text
    assert "integrated 202" in text


@pytest.mark.parametrize("version", ["3.13.5", "3.14.4"])
def test_a_real_bundle_does_not_prove_another_file(version: str) -> None:
    path = reference(f"artifacts/source/Python-{version}.tar.xz")
    bundle = path.with_name(f"Python-{version}.tgz.sigstore").read_bytes()
    identity, issuer = (THOMAS, GOOGLE) if version == "3.13.5" else (HUGO, GITHUB)
    with pytest.raises(NotProven, match="genuine, but of other bytes") as caught:
        SigstoreBundle(identity=identity, issuer=issuer).verify(bundle, sha256(path))
    assert caught.value.verdict is Verdict.FAILED


def test_a_real_bundle_by_somebody_else_says_whose_it_is() -> None:
    bundle = reference("artifacts/source/Python-3.13.5.tar.xz.sigstore").read_bytes()
    digest = "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640"
    with pytest.raises(NotProven, match=rf"signed by {THOMAS} \(logged in at {GOOGLE}\), not by {HUGO} \(logged in at {GITHUB}\)\."):
        SigstoreBundle(identity=HUGO, issuer=GITHUB).verify(bundle, digest)
    with pytest.raises(NotProven, match=rf"signed by {THOMAS}, but logged in at {GOOGLE}, not at {GITHUB}\."):
        SigstoreBundle(identity=THOMAS, issuer=GITHUB).verify(bundle, digest)
    with pytest.raises(NotProven, match=f"not by {THOMAS.upper()}"):
        SigstoreBundle(identity=THOMAS.upper(), issuer=GOOGLE).verify(bundle, digest)


def test_a_real_bundle_from_before_the_migration_is_unusable_and_its_migrated_form_is_not() -> None:
    folder = reference("artifacts/sigstore")
    proof = SigstoreBundle(identity=THOMAS, issuer=GOOGLE)
    migrated = (folder / "Python-3.12.5.tgz.sigstore").read_bytes()
    digest = base64.b64decode(json.loads(migrated)["messageSignature"]["messageDigest"]["digest"]).hex()
    assert digest.startswith("38dc4e2c")
    assert proof.verify(migrated, digest).signer == THOMAS
    with pytest.raises(Unusable, match="before the migration of September 2024") as caught:
        proof.verify((folder / "Python-3.12.5.tgz.unmigrated.sigstore").read_bytes(), digest)
    assert caught.value.verdict is Verdict.UNUSABLE


def verify_all(bundles: Iterable[RealBundle]) -> int:
    root = SigstoreRoot.of()
    return sum(
        SigstoreBundle(root, identity=one.identity, issuer=one.issuer).verify(one.bundle, one.sha256).signer == one.identity
        for one in bundles
    )


def test_a_sample_of_all_real_bundles_is_proved() -> None:
    assert verify_all(itertools.islice(every_real_bundle(reference("artifacts")), 0, None, 40)) == 23


@pytest.mark.chaos
def test_every_real_bundle_is_proved_and_none_proves_another_file() -> None:
    bundles = list(every_real_bundle(reference("artifacts")))
    assert verify_all(bundles) == len(bundles) == 886
    root = SigstoreRoot.of()
    for one, other in itertools.pairwise(bundles):
        with pytest.raises(NotProven):
            SigstoreBundle(root, identity=one.identity, issuer=one.issuer).verify(one.bundle, other.sha256)


def test_a_bundle_made_here_is_proved_by_the_same_code(small: SmallSigstore, proof: SigstoreBundle) -> None:
    for _ in range(9):
        proven = proof.verify(small.sign(FILE, WHO, WHERE), FILE)
        assert (proven.signer, WHERE in proven.why) == (WHO, True)
    assert proof.verify(small.sign(FILE.upper(), WHO, WHERE), FILE.upper()).signer == WHO


def test_a_workflow_signs_by_its_address(small: SmallSigstore) -> None:
    who, where = "https://github.com/o/r/.github/workflows/build.yml@refs/heads/main", "https://token.actions.githubusercontent.com"
    assert SigstoreBundle(small.trusted_root_json, identity=who, issuer=where).verify(small.sign(FILE, who, where), FILE).signer == who


def test_the_time_is_the_one_at_which_it_was_signed() -> None:
    for moment in (datetime(2021, 3, 4, 5, 6, 7, 999_999, tzinfo=UTC), datetime(2042, 1, 1, tzinfo=UTC)):
        small = SmallSigstore.create(itertools.repeat(moment).__next__)
        proven = SigstoreBundle(small.trusted_root_json, identity=WHO, issuer=WHERE).verify(small.sign(FILE, WHO, WHERE), FILE)
        assert f"on {moment:%Y-%m-%d}" in proven.why
        assert f"integrated {moment:%Y-%m-%d %H:%M:%S} UTC" in proven.diagnostics


def test_what_another_sigstore_signed_proves_nothing(proof: SigstoreBundle) -> None:
    foreign = SmallSigstore.create()
    with pytest.raises(NotProven, match="not issued by the trusted certificate authority"):
        proof.verify(foreign.sign(FILE, WHO, WHERE), FILE)
    with pytest.raises(NotProven, match="not issued by the trusted certificate authority"):
        SigstoreBundle(identity=WHO, issuer=WHERE).verify(foreign.sign(FILE, WHO, WHERE), FILE)


def test_an_authority_without_the_logs_is_not_enough(small: SmallSigstore, proof: SigstoreBundle) -> None:
    """Whoever stole the authority's key cannot do without the logs, which others watch."""
    foreign = SmallSigstore.create()
    unlogged = replace(small, log=foreign.log)
    with pytest.raises(NotProven, match="entry in the log of signatures is not genuine"):
        proof.verify(unlogged.sign(FILE, WHO, WHERE), FILE)
    unlisted = replace(small, authority=replace(small.authority, log_key=foreign.authority.log_key))
    with pytest.raises(NotProven, match="not in the trusted log of certificates"):
        proof.verify(unlisted.sign(FILE, WHO, WHERE), FILE)


@pytest.mark.parametrize("after", [timedelta(minutes=-1), timedelta(minutes=11), timedelta(days=400)])
def test_a_key_counts_only_while_its_certificate_lives(small: SmallSigstore, proof: SigstoreBundle, after: timedelta) -> None:
    now = datetime.now(UTC)
    key, digest = ec.generate_private_key(ec.SECP256R1()), bytes.fromhex(FILE)
    certificate = small.authority.issue(key.public_key(), WHO, WHERE, now)
    signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    signed = replace(
        small.signed(digest, WHO, WHERE),
        signature=signature,
        certificate=certificate,
        entry=small.log.add(body(digest, signature, certificate), now + after),
    )
    with pytest.raises(NotProven, match="not valid at the time"):
        proof.verify(signed.bundle, FILE)


STAMPS = ("verificationMaterial", "timestampVerificationData", "rfc3161Timestamps")


def test_a_time_stamp_is_enough_where_the_log_promises_nothing() -> None:
    moment = datetime(2026, 8, 9, 10, 11, 12, tzinfo=UTC)
    small = SmallSigstore.create(itertools.repeat(moment).__next__)
    proof = SigstoreBundle(small.trusted_root_json, identity=WHO, issuer=WHERE)
    document = json.loads(small.sign(FILE, WHO, WHERE))
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    document["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1577836800"
    proven = proof.verify(json.dumps(document).encode(), FILE)
    assert "on 2026-08-09" in proven.why
    assert "integrated 2026-08-09 10:11:12 UTC" in proven.diagnostics


@pytest.mark.parametrize("after", [timedelta(), timedelta(minutes=11)])
def test_a_time_stamp_must_be_by_a_trusted_stamper_and_in_time(after: timedelta) -> None:
    small, foreign = SmallSigstore.create(), SmallSigstore.create()
    proof = SigstoreBundle(small.trusted_root_json, identity=WHO, issuer=WHERE)
    signed = small.signed(bytes.fromhex(FILE), WHO, WHERE)
    stamper = small.stamper if after else foreign.stamper
    document = json.loads(replace(signed, stamp=stamper.stamp(signed.signature, datetime.now(UTC) + after)).bundle)
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    with pytest.raises(NotProven, match="not valid at the time" if after else "nothing that is trusted says when"):
        proof.verify(json.dumps(document).encode(), FILE)


def test_a_time_stamp_of_another_signature_says_nothing(small: SmallSigstore, proof: SigstoreBundle) -> None:
    signed, other = (small.signed(bytes.fromhex(FILE), WHO, WHERE) for _ in range(2))
    document = json.loads(replace(signed, stamp=other.stamp).bundle)
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    with pytest.raises(NotProven, match="nothing that is trusted says when"):
        proof.verify(json.dumps(document).encode(), FILE)


def test_a_bundle_of_another_file_is_told_from_an_altered_one(small: SmallSigstore, proof: SigstoreBundle) -> None:
    with pytest.raises(NotProven, match=f"genuine, but of other bytes, those with the SHA-256 {OTHER}"):
        proof.verify(small.sign(OTHER, WHO, WHERE), FILE)
    relabelled = json.loads(small.sign(OTHER, WHO, WHERE))
    relabelled["messageSignature"]["messageDigest"]["digest"] = base64.b64encode(bytes.fromhex(FILE)).decode()
    with pytest.raises(NotProven, match="it does not fit the bytes; it or they were altered"):
        proof.verify(json.dumps(relabelled).encode(), FILE)
    del relabelled["messageSignature"]["messageDigest"]
    with pytest.raises(NotProven, match="it does not fit the bytes; it or they were altered"):
        proof.verify(json.dumps(relabelled).encode(), FILE)


def test_wrong_signers_are_named(small: SmallSigstore, proof: SigstoreBundle) -> None:
    with pytest.raises(NotProven, match=rf"signed by eve@example\.org \(logged in at {WHERE}\), not by {WHO} \(") as caught:
        proof.verify(small.sign(FILE, "eve@example.org", WHERE), FILE)
    assert "certificate of eve@example.org" in caught.value.diagnostics
    with pytest.raises(NotProven, match=rf"but logged in at https://evil\.example, not at {WHERE}\."):
        proof.verify(small.sign(FILE, WHO, "https://evil.example"), FILE)
    with pytest.raises(NotProven, match="signed by") as caught:
        proof.verify(small.sign(FILE, WHO, "https://e/\n\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 999), FILE)
    assert all(line.isprintable() and len(line) < 600 for line in (caught.value.why, *caught.value.diagnostics))


Alter = Callable[[Any], None]


def without(*path: str) -> Alter:
    """Return what takes a part out of a bundle."""

    def alter(document: Any) -> None:
        for step in path[:-1]:
            document = document[0] if step == "0" else document[step]
        del document[path[-1]]

    return alter


def flipped(*path: str) -> Alter:
    """Return what alters one bit of binary data in a bundle."""

    def alter(document: Any) -> None:
        for step in path[:-1]:
            document = document[0] if step == "0" else document[step]
        raw = bytearray(base64.b64decode(document[path[-1]]))
        raw[len(raw) // 2] ^= 1
        document[path[-1]] = base64.b64encode(bytes(raw)).decode()

    return alter


def put(value: object, *path: str) -> Alter:
    """Return what puts something else into a bundle."""

    def alter(document: Any) -> None:
        for step in path[:-1]:
            document = document[0] if step == "0" else document[step]
        document[path[-1]] = value

    return alter


ENTRY = ("verificationMaterial", "tlogEntries", "0")
STATEMENT = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA"}]}


@pytest.mark.parametrize(
    ("alter", "kind", "why"),
    [
        (flipped("messageSignature", "signature"), NotProven, "does not fit the bytes"),
        (flipped(*ENTRY, "canonicalizedBody"), NotProven, "entry in the log of signatures is not genuine"),
        (flipped(*ENTRY, "inclusionPromise", "signedEntryTimestamp"), NotProven, "entry in the log of signatures is not genuine"),
        (flipped(*ENTRY, "inclusionProof", "rootHash"), NotProven, "entry in the log of signatures is not genuine"),
        (put("7", *ENTRY, "logIndex"), NotProven, "entry in the log of signatures is not genuine"),
        (put("nonsense", *ENTRY, "inclusionProof", "checkpoint", "envelope"), NotProven, "entry in the log of signatures is not genuine"),
        (put("1577836800", *ENTRY, "integratedTime"), NotProven, "not valid at the time"),
        (put("9" * 18, *ENTRY, "integratedTime"), NotProven, "does not hold"),
        (without(*ENTRY, "integratedTime"), None, "signed by"),
        (put([{"signedTimestamp": "AAAA"}], *STAMPS), NotProven, "does not hold"),
        (put([], *STAMPS), None, "signed by"),
        (flipped("verificationMaterial", "certificate", "rawBytes"), NotProven, "not issued by the trusted|does not hold"),
        (without(*ENTRY, "inclusionProof", "checkpoint"), Unusable, "lacks the log's checkpoint"),
        (without(*ENTRY, "inclusionProof"), Unusable, "cannot be read"),
        (without("verificationMaterial", "timestampVerificationData"), None, "signed by"),
        (without("verificationMaterial", "tlogEntries"), Unusable, "cannot be read"),
        (put([], "verificationMaterial", "tlogEntries"), Unusable, "lacks a part"),
        (without("verificationMaterial", "certificate"), Unusable, "cannot be read"),
        (put("AAAA", "verificationMaterial", "certificate", "rawBytes"), Unusable, "lacks a part"),
        (put("0.0.9", *ENTRY, "kindVersion", "version"), Unusable, "lacks a part"),
        (without("messageSignature"), Unusable, "cannot be read"),
        (put("application/json", "mediaType"), Unusable, "cannot be read"),
        (put(1, "more"), Unusable, "cannot be read"),
    ],
)
def test_an_altered_bundle_is_refused_with_its_reason(
    small: SmallSigstore, proof: SigstoreBundle, alter: Alter, kind: type[NotProven] | None, why: str
) -> None:
    """Or not at all, where the part that is missing is one of two that say the same."""
    document = json.loads(small.sign(FILE, WHO, WHERE))
    alter(document)
    if kind is None:
        assert why in proof.verify(json.dumps(document).encode(), FILE).why
        return
    with pytest.raises(NotProven, match=why) as caught:
        proof.verify(json.dumps(document).encode(), FILE)
    assert type(caught.value) is kind
    assert caught.value.why.endswith(".")


def test_a_bundle_that_nobody_dated_is_unusable(small: SmallSigstore, proof: SigstoreBundle) -> None:
    document = json.loads(small.sign(FILE, WHO, WHERE))
    without("verificationMaterial", "timestampVerificationData")(document)
    without(*ENTRY, "integratedTime")(document)
    with pytest.raises(NotProven, match="nothing that is trusted says when"):
        proof.verify(json.dumps(document).encode(), FILE)
    without(*ENTRY, "inclusionPromise")(document)
    with pytest.raises(Unusable, match="lacks a part"):
        proof.verify(json.dumps(document).encode(), FILE)


def test_what_is_not_a_bundle_of_a_file_is_unusable(small: SmallSigstore, proof: SigstoreBundle) -> None:
    bundle = small.sign(FILE, WHO, WHERE)
    statement = {**json.loads(bundle), "dsseEnvelope": STATEMENT}
    del statement["messageSignature"]
    wrong: list[tuple[bytes, str]] = [
        (b"", "cut off"),
        (b"\xff\xfe", "cut off"),
        (b"null", "cut off"),
        (b"<html>404</html>", "cut off"),
        (b"[" * 9_999, "cut off"),
        (b'{"a":' * 9_999, "cut off"),
        (json.dumps(statement).encode(), "a signed statement instead"),
        (bundle + b" " * LARGEST_BUNDLE, "more than"),
    ]
    for content, why in wrong:
        with pytest.raises(Unusable, match=why):
            proof.verify(content, FILE)
    for length in range(0, len(bundle) - 1, 97):
        with pytest.raises(Unusable, match="cut off"):
            proof.verify(bundle[:length], FILE)


def test_expectations_must_be_whole(small: SmallSigstore, proof: SigstoreBundle) -> None:
    """The library itself takes a missing issuer for any issuer."""
    for identity, issuer in (("", WHERE), (WHO, ""), ("", "")):
        with pytest.raises(ValueError, match="both an identity and an issuer"):
            SigstoreBundle(small.trusted_root_json, identity=identity, issuer=issuer)
    for digest in ("", "ab", FILE[2:], FILE + "00", "x" * 64):
        with pytest.raises(ValueError, match="hexadecimal"):
            proof.verify(small.sign(FILE, WHO, WHERE), digest)
    assert str(OidcIdentity(identity=WHO, issuer=WHERE)) == f"{WHO} (logged in at {WHERE})"


def test_the_root_is_taken_from_bytes_from_a_file_or_from_the_library(small: SmallSigstore, tmp_path: Path) -> None:
    document = small.trusted_root_json
    (tmp_path / "trusted_root.json").write_bytes(document)
    for root in (document, tmp_path / "trusted_root.json", SigstoreRoot(document)):
        proof = SigstoreBundle(root, identity=WHO, issuer=WHERE)
        assert proof.verify(small.sign(FILE, WHO, WHERE), FILE).signer == WHO
        assert proof.root_sha256 == hashlib.sha256(document).hexdigest()
    shipped = json.loads(production_root())
    assert {log["baseUrl"] for log in shipped["tlogs"]} >= {"https://rekor.sigstore.dev"}
    assert SigstoreBundle(identity=WHO, issuer=WHERE).root_sha256 == hashlib.sha256(production_root()).hexdigest()


def test_a_root_that_is_none_is_refused_in_one_sentence(small: SmallSigstore, tmp_path: Path) -> None:
    without_logs = {**json.loads(small.trusted_root_json), "tlogs": []}
    without_authorities = {**json.loads(small.trusted_root_json), "certificateAuthorities": []}
    bad: list[bytes | Path] = [b"", b"{}", b"[]", b"\xff", b"[" * 9_999, b" " * (LARGEST_ROOT + 1), tmp_path, tmp_path / "nowhere"]
    for root in [*bad, json.dumps(without_logs).encode(), json.dumps(without_authorities).encode()]:
        with pytest.raises(RootUnusable, match=r"trusted_root\.json"):
            SigstoreBundle(root, identity=WHO, issuer=WHERE)


def test_neither_network_nor_home_is_needed(small: SmallSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a proof opened a connection")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setenv("HOME", "/nonexistent")
    assert SigstoreBundle(small.trusted_root_json, identity=WHO, issuer=WHERE).verify(small.sign(FILE, WHO, WHERE), FILE).signer == WHO
    with pytest.raises(NotProven):
        SigstoreBundle(identity=WHO, issuer=WHERE).verify(small.sign(FILE, WHO, WHERE), FILE)


SMALL = SmallSigstore.create()
BUNDLE = SMALL.sign(FILE, WHO, WHERE)


def outcome(bundle: bytes, digest: str) -> str:
    try:
        return SigstoreBundle(SMALL.trusted_root_json, identity=WHO, issuer=WHERE).verify(bundle, digest).why
    except NotProven as error:
        return error.why


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # altered serial numbers
@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(BUNDLE) - 1), st.binary(min_size=0, max_size=3))
def test_no_alteration_ever_proves_anything_else(position: int, noise: bytes) -> None:
    altered = BUNDLE[:position] + noise + BUNDLE[position + 1 :]
    assert outcome(altered, FILE).startswith((f"It was signed by {WHO} (logged in at {WHERE}) on", "It cannot be read", "The "))
    assert not outcome(altered, OTHER).startswith("It was signed")
