from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.release.facts import Signed
from bot.verify.tag import LARGEST, MalformedTag, TagObject
from tests.verify.signing import TARGET, identity, payload

BLOCK = b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"


def test_a_tag_is_read_whole() -> None:
    tag = TagObject.parse(payload() + BLOCK)
    assert tag.object_id == identity(payload() + BLOCK)
    assert (tag.target, tag.name, tag.message) == (TARGET, "v3.9.2", "Python 3.9.2\n")
    assert tag.tagger == "Łukasz Langa <lukasz@langa.pl>"
    assert tag.dated.isoformat() == "2021-02-19T13:32:09+01:00"
    assert tag.dated.utcoffset() == timedelta(hours=1)
    assert (tag.payload, tag.signature, tag.signed) == (payload(), BLOCK, Signed.OPENPGP)


@pytest.mark.parametrize(
    ("words", "signed"), [("PGP SIGNATURE", Signed.OPENPGP), ("SSH SIGNATURE", Signed.SSH), ("SIGNED MESSAGE", Signed.GITSIGN)]
)
def test_each_kind_of_signature_is_recognised(words: str, signed: Signed) -> None:
    block = f"-----BEGIN {words}-----\nAAAA\n-----END {words}-----\n".encode()
    assert TagObject.parse(payload() + block).signed is signed


def test_without_a_block_it_is_unsigned() -> None:
    tag = TagObject.parse(payload())
    assert (tag.signed, tag.signature, tag.payload) == (Signed.UNSIGNED, b"", payload())


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "does not begin like a tag"),
        (b"hello\n", "does not begin like a tag"),
        (b"tree 1234\nauthor x\n\nm\n", "lightweight"),
        (payload(kind="tag"), "points to a 'tag'"),
        (payload(kind="tree"), "points to a 'tree'"),
        (payload(kind="blob"), "points to a 'blob'"),
        (payload(target="b494f59"), "full object id"),
        (payload(target=TARGET.upper()), "full object id"),
        (payload().replace(b"\n", b"\r\n"), "carriage return"),
        (payload()[:-1], "line feed"),
        (payload().replace(b"3.9.2\n", b"3.9.2\0hidden\n"), "NUL"),
        (payload(message="x" * LARGEST + "\n"), "at most"),
        (payload().replace(b"tag v3.9.2\n", b"tag v3.9.2\ntag v9.9.9\n"), "tag header more than once"),
        (payload().replace(b"type commit\n", b"type commit\ntype tag\n"), "type header more than once"),
        (payload().replace(b"type commit\n", b""), "no type header"),
        (payload().replace(b"tagger ", b"tagger2 "), "header 'tagger2'"),
        (payload().replace(b"\n\n", b"\ngpgsig x\n\n"), "header 'gpgsig'"),
        (payload().replace(b"\n\n", b"\n more\n\n"), "header ''"),
        (payload().replace(b"type commit\ntag v3.9.2\n", b"tag v3.9.2\ntype commit\n"), "order"),
        (payload().replace(b"\n\n", b"\n"), "no empty line|header"),
        (payload().replace(b"+0100", b"+9900"), "tagger line"),
        (payload().replace(b"1613737929", b"today"), "tagger line"),
        (payload().replace(b"1613737929", b"99999999999999999"), "tagger line"),
        (payload().replace(b"<lukasz@langa.pl>", b"lukasz@langa.pl"), "tagger line"),
        (payload().replace("Ł".encode(), b"\xff"), "UTF-8"),
        (payload() + BLOCK + BLOCK, "several signature blocks"),
        (payload(message="-----BEGIN PGP SIGNATURE-----\n") + BLOCK, "several signature blocks"),
        (payload() + BLOCK + b"Python 9.9.9\n", "something follows it"),
        (payload() + BLOCK[:-1] + b" \n", "git takes for the border"),
        (payload() + BLOCK.replace(b"-----\n", b"----- \n"), "git takes for the border"),
        (payload() + b"-----BEGIN SSH SIGNATURE-----x\nAAAA\n", "git takes for the border"),
        (payload(message="-----BEGIN pgp signature-----\n") + BLOCK, "git takes for the border"),
        (payload() + BLOCK + b"-----END \n", "git takes for the border"),
        (payload() + BLOCK.replace(b"END PGP", b"END SSH"), "not complete"),
        (payload() + BLOCK.replace(b"SIGNATURE", b"MESSAGE"), "'PGP MESSAGE'"),
    ],
)
def test_anything_odd_is_refused_with_its_reason(raw: bytes, why: str) -> None:
    with pytest.raises(MalformedTag, match=why):
        TagObject.parse(raw)


def test_the_tag_must_be_the_one_that_was_asked_for() -> None:
    tag = TagObject.parse(payload())
    tag.expect(name="v3.9.2", object_id=identity(payload()), target=TARGET)
    with pytest.raises(MalformedTag, match=r"made as 'v3\.9\.2', not as 'v9\.9\.9'"):
        tag.expect(name="v9.9.9")
    with pytest.raises(MalformedTag, match="altered or mixed up"):
        tag.expect(name="v3.9.2", object_id="a" * 40)
    with pytest.raises(MalformedTag, match="not the tag of that commit"):
        tag.expect(name="v3.9.2", target="a" * 40)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(payload() + BLOCK) - 1), st.binary(min_size=1, max_size=3))
def test_no_alteration_ever_crashes_or_keeps_the_id(position: int, noise: bytes) -> None:
    raw = payload() + BLOCK
    altered = raw[:position] + noise + raw[position + 1 :]
    try:
        tag = TagObject.parse(altered)
    except MalformedTag:
        return
    assert tag.payload + tag.signature == altered
    assert (tag.object_id == identity(raw)) == (altered == raw)
