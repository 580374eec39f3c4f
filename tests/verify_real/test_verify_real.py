"""``make verify-real`` itself: that it looks at every row, and notices what is wrong."""

from functools import partial
from pathlib import Path

import pytest

from bot.verify.result import NotProven, Proven, Unusable, Verdict
from tests.reference import reference
from tests.verify_real.__main__ import main
from tests.verify_real.checks import Artifacts, Check


def raising(trouble: Exception) -> object:
    raise trouble


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (partial(Proven, why="it is"), Verdict.VERIFIED),
        (partial(str, "it is"), Verdict.VERIFIED),
        (partial(raising, NotProven("it is not", "because")), Verdict.FAILED),
        (partial(raising, Unusable("nobody knows")), Verdict.UNUSABLE),
    ],
)
def test_a_check_tells_what_it_came_to(outcome: partial[object], verdict: Verdict) -> None:
    assert Check(row="a", what="b", work=outcome).reached()[0] is verdict


def test_every_row_of_the_manifest_is_read() -> None:
    root = reference("artifacts")
    rows = Artifacts(root, Path()).rows
    assert len(rows) == sum("`" in line.split("|")[3] for line in (root / "MANIFEST.md").read_text().splitlines() if line.startswith("| "))
    assert all((root / row.file).is_file() for row in rows)


def test_without_the_artifacts_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOT_REFERENCE", str(tmp_path))
    assert main() == 2
    assert "set BOT_REFERENCE" in capsys.readouterr().err


@pytest.mark.chaos
def test_every_row_reaches_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    reference("artifacts/MANIFEST.md")
    assert main() == 0, capsys.readouterr().out
    assert "all as expected" in capsys.readouterr().out
