"""The command line as a person or a script meets it: one clear sentence, the right exit code, nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot import __version__
from bot.__main__ import COMMANDS, UNREAD, main

ROOT = Path(__file__).parent.parent


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program with nothing in the environment but what is given."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "bot", *words], capture_output=True, text=True, check=False, env=kept | environment)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in listed] == []
    assert max(map(len, listed.splitlines())) <= 80
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("words", [[], ["nonsense"], ["serve", "--nonsense"], ["rehearse"], ["verify-tag"], ["profile"]])
def test_wrong_use_is_2(words: list[str]) -> None:
    answer = run(*words)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr


def test_a_terminal_that_lacks_a_letter_gets_the_answer_all_the_same() -> None:
    answer = run("--help", PYTHONIOENCODING="ascii")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "COMMAND ?" in answer.stdout


def test_nobody_who_listens_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as unread:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "dossier", "docs"], cwd=ROOT, stdout=unread, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (UNREAD, b"")


def test_serve_says_every_setting_that_is_missing(tmp_path: Path) -> None:
    answer = run("serve", BOT_HOME=str(tmp_path / "home"))
    assert answer.returncode == 2
    for name in ("GH_APP_ID", "GH_PRIVATE_KEY", "GH_SECRET"):
        assert f"{name} is missing" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "home").exists()


def test_serve_refuses_to_keep_releases_on_a_disk_that_vanishes(app_key: str) -> None:
    settings = {"GH_APP_ID": "1", "GH_PRIVATE_KEY": app_key, "GH_SECRET": "a long enough secret"}
    answer = run("serve", **settings)
    assert answer.returncode == 2
    assert "SQLite is refused" in answer.stderr
    answer = run("serve", **settings, DYNO="web.1", BOT_HOME="/nowhere")
    assert answer.returncode == 2
    assert "dyno" in answer.stderr


def test_a_profile_with_a_wrong_key_is_refused_by_file_line_and_key(tmp_path: Path, app_key: str) -> None:
    text = (ROOT / "bot" / "profiles" / "minimal.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(f"{text}\n[timing]\npol = 60\n", encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index("pol = 60") + 1
    answer = run("profile", "check", str(path))
    assert answer.returncode == 2
    assert f"mine.toml, line {line}: timing.pol" in answer.stderr + answer.stdout
    settings = {"GH_APP_ID": "1", "GH_PRIVATE_KEY": app_key, "GH_SECRET": "a long enough secret", "BOT_HOME": str(tmp_path / "home")}
    served = run("serve", **settings, BOT_PROFILE=str(path))
    assert served.returncode == 2
    assert "timing.pol" in served.stderr
    assert not (tmp_path / "home").exists()


def test_a_good_profile_is_0() -> None:
    answer = run("profile", "check", str(ROOT / "bot" / "profiles" / "minimal.toml"), "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)


@pytest.fixture(scope="module")
def app_key() -> str:
    """A private key of an App, made for this test alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
