import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.verify.command import run
from tests.reference import reference
from tests.verify.signing import GPG, SSHKey, payload

LANGA = "E3FF2839C048B25C084DEBE9B26995E310250568"
GALINDO = "A035C8C19219BA821ECEA86B64E628F8D684696D"
HAMANO = "96E07AF25771955980DAD10020D04E5A713660A7"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, bytes]]:
    """A folder with one key, and a tag signed with it."""
    folder = tmp_path_factory.mktemp("keys")
    with GPG.fresh() as gpg:
        key = gpg.key("Manager <manager@example.org>")
        (folder / "manager.asc").write_bytes(gpg.export(key))
        yield folder, payload() + gpg.sign(payload(), key)


@pytest.mark.parametrize(
    ("file", "name", "code", "signer", "why"),
    [
        ("cpython-v3.9.2", "v3.9.2", 0, LANGA, "valid"),
        ("cpython-v3.10.0", "v3.10.0", 0, GALINDO, "valid"),
        ("git-v2.47.3", "v2.47.3", 0, HAMANO, "valid"),
        ("k8s-release-v0.13.0", "v0.13.0", 0, "foo@auggie.dev", "allowed signers"),
        ("sigstore-python-v1.0.0", "v1.0.0", 0, "william@trailofbits.com", "allowed signers"),
        ("blurb-v1.1.0", "v1.1.0", 1, "", "unsigned"),
        ("gitsign-v0.13.0", "v0.13.0", 1, "", "no login was given"),
        ("gitsign-v0.17.1", "v0.17.1", 1, "", "no login was given"),
        ("cpython-v3.9.2", "v9.9.9", 1, "", "another name"),
    ],
)
def test_real_tags_get_the_verdict_they_deserve(
    capsys: pytest.CaptureFixture[str], file: str, name: str, code: int, signer: str, why: str
) -> None:
    tags, keys = reference("artifacts/tags"), reference("artifacts/keys")
    tag = tags / f"{file}.tag"
    assert run([str(tag), "--name", name, "--keys", str(keys), "--allowed-signers", str(tags / "allowed_signers"), "--json"]) == code
    row = json.loads(capsys.readouterr().out)
    assert (row["good"], row["signer"]) == (code == 0, signer)
    assert why in row["why"]
    if name != "v9.9.9":
        oid = (tags / f"{file}.oid").read_text().strip()
        assert row["object"] == oid


@pytest.mark.parametrize("file", ["cpython-v3.9.2", "cpython-v3.10.0", "git-v2.47.3"])
def test_real_tags_without_the_needed_key_are_not_good(capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], file: str) -> None:
    tag = reference("artifacts/tags") / f"{file}.tag"
    assert run([str(tag), "--name", file.rpartition("-")[2], "--keys", str(keys[0])]) == 1
    assert "not among the given keys" in " ".join(capsys.readouterr().out.split())


def test_a_real_commit_is_a_lightweight_tag(capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes]) -> None:
    commit = reference("artifacts/tags") / "cpython-v3.9.2.commit"
    assert run([str(commit), "--name", "v3.9.2", "--keys", str(keys[0])]) == 1
    assert "lightweight" in capsys.readouterr().out


def test_a_good_tag_is_told_in_a_few_lines_of_eighty_columns(
    capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, raw = keys
    (tmp_path / "tag").write_bytes(raw)
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", "--keys", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "v3.9.2: good"
    assert len(printed) <= 10
    assert max(map(len, printed)) <= 80
    assert any("Łukasz Langa" in line for line in printed)


def test_json_is_one_line_with_every_field(capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path) -> None:
    folder, raw = keys
    (tmp_path / "tag").write_bytes(raw)
    run([str(tmp_path / "tag"), "--name", "v3.9.2", "--keys", str(folder), "--json"])
    good = capsys.readouterr().out
    run([str(tmp_path / "tag"), "--name", "v9.9.9", "--keys", str(folder), "--json"])
    refused = capsys.readouterr().out
    assert good.count("\n") == refused.count("\n") == 1
    assert set(json.loads(good)) == set(json.loads(refused))


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_nothing_that_a_terminal_would_obey_is_told(
    capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path, form: tuple[str, ...]
) -> None:
    folder, raw = keys
    (tmp_path / "tag").write_bytes(raw.replace(b"tagger ", "tagger \x1b[2J\x9b2J\u202e".encode()))
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", "--keys", str(folder), *form]) == 1
    assert capsys.readouterr().out.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("raw", "why"), [(b"", "does not begin"), (b"\x1b[2J", "does not begin"), (b"object " + bytes(2 << 20), "at most")]
)
def test_what_is_no_tag_at_all_is_a_no_with_its_reason(
    capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path, raw: bytes, why: str
) -> None:
    (tmp_path / "tag").write_bytes(raw)
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", "--keys", str(keys[0])]) == 1
    assert why in " ".join(capsys.readouterr().out.split())


def test_an_ssh_tag_needs_the_list_of_allowed_signers(capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path) -> None:
    key = SSHKey.fresh(tmp_path, "manager@example.org")
    (tmp_path / "tag").write_bytes(payload() + key.sign(payload()))
    (tmp_path / "allowed").write_bytes(key.line())
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", "--keys", str(keys[0])]) == 1
    assert "no list of allowed signers" in " ".join(capsys.readouterr().out.split())
    assert run([str(tmp_path / "tag"), "--name", "v3.9.2", "--allowed-signers", str(tmp_path / "allowed")]) == 0


def test_wrong_use_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str], keys: tuple[Path, bytes], tmp_path: Path) -> None:
    folder, raw = keys
    tag = tmp_path / "tag"
    tag.write_bytes(raw)
    wrong = [
        [str(tmp_path / "nowhere"), "--name", "v1", "--keys", str(folder)],
        [str(tmp_path), "--name", "v1", "--keys", str(folder)],
        [str(tag), "--name", "v1", "--keys", str(tmp_path / "nowhere")],
        [str(tag), "--name", "v1", "--keys", str(tmp_path)],
        [str(tag), "--name", "v1", "--allowed-signers", str(tmp_path / "nowhere")],
        [str(tag), "--name", "v1"],
        [str(tag), "--keys", str(folder)],
        [],
    ]
    for arguments in wrong:
        assert run(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err
        assert "Traceback" not in captured.err
    assert run(["--help"]) == 0
