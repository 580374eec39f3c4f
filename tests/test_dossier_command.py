"""``python -m bot dossier``: what was kept of a release can be checked without the bot that made it."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.dossier_command import LARGEST, run
from bot.dossier_docs import page
from bot.errors import UserError
from bot.release import dossier
from bot.release.ids import TagId
from tests.test_dossier import full

RAW = b"object " + b"b" * 40 + b"\ntype commit\ntag v3.15.0a3\n\nPython 3.15.0a3\n"
OBJECT = TagId(hashlib.sha1(b"tag %d\0" % len(RAW) + RAW, usedforsecurity=False).hexdigest())


def kept() -> dict[str, Any]:
    """Return a dossier with real tag objects."""
    release = full()
    assert release.tag is not None
    tag = replace(release.tag, object=OBJECT, content=base64.b64encode(RAW).decode())
    return dossier.dossier(replace(release, tag=tag, past=tuple(replace(one, tag=tag) for one in release.past)))


def checked(tmp_path: Path, content: bytes, *digest: str) -> int:
    file = tmp_path / "dossier.json"
    file.write_bytes(content)
    return run(["check", str(file), *digest])


def test_a_dossier_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = dossier.written(kept())
    digest = hashlib.sha256(content).hexdigest()
    assert checked(tmp_path, content, digest.upper()) == 0
    assert checked(tmp_path, content) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{digest}  {tmp_path}")
    assert said.err == ""


def changed(**parts: object) -> bytes:
    return dossier.written({**kept(), **parts})


WRONG = {
    "no JSON": (b"{", "It is not JSON."),
    "bombs": (b"[" * 100_000, "It is not JSON."),
    "no bytes of a text": (b'"\xff"', "It is not JSON."),
    "no object": (b"[]", "It is no dossier of format 2"),
    "another format": (b'{"format":1}', "It is no dossier of format 2"),
    "something more": (changed(more=1), "'more' was unexpected"),
    "something less": (dossier.written({key: value for key, value in kept().items() if key != "tag"}), "'tag' is a required property"),
    "another spelling": (json.dumps(kept(), indent=1).encode(), "It is not written as dossiers are"),
    "another tag": (changed(tag={**kept()["tag"], "object": "0" * 40}), f"does not have the id {'0' * 40}"),
    "no tag": (changed(tag={**kept()["tag"], "content": "?"}), f"does not have the id {OBJECT}"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, why = WRONG[what]
    assert checked(tmp_path, content) == 1
    assert why in capsys.readouterr().err


def test_another_digest_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, dossier.written(kept()), "0" * 64) == 1
    assert f"Its SHA-256 is not {'0' * 64}." in capsys.readouterr().err


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        run(["check", str(tmp_path / "absent.json")])
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(UserError, match="it is no dossier"):
        run(["check", str(large)])


def test_the_form_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs"]) == 0
    assert capsys.readouterr().out == page()
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["additionalProperties"] is False
