"""A package is rehearsed like a version of Python: the same command, another world."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.calls import FOR_PACKAGES
from bot.rehearsal.rehearse import run


@pytest.fixture
def leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["azure-core"], ["azure-core", "1.30.0", "1.31.0"], ["azure-core", "1.0.0"], ["azure-core", "soon"], ["Azure Core", "1.30.0"]]
)
def test_wrong_use_is_answered_in_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str], leftovers: Path) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), said.err[-2:]) == ("", 1, ".\n")
    assert leftovers.exists()


def test_a_package_goes_to_pypi_and_its_tag_upstream(capsys: pytest.CaptureFixture[str], leftovers: Path) -> None:
    code = run(["azure-core", "1.30.0", "--json"])
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[-1]["problems"] == [], said.err
    assert code == 0
    acts = [line["what"] for line in lines if line["type"] == "act"]
    assert len(acts) <= 12, acts
    [release] = [line["release"] for line in lines if line["type"] == "release"]
    assert (release["state"], release["version"]) == ("done", "azure-core_1.30.0")
    asked = {line["system"]: line for line in lines if line["type"] == "calls"}
    assert tuple(asked) == FOR_PACKAGES
    assert (asked["git"]["writes"], asked["PyPI"]["writes"]) == (1, 0)
    assert leftovers.exists()
