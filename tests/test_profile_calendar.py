"""What a profile may say about the published schedule."""

from pathlib import Path

import pytest

from bot.profile import load
from tests.profile_text import GOOD, refusal, written


def test_the_shipped_profile_tells_people_a_day_ahead() -> None:
    assert load("cpython").schedule.ahead == 86_400


def test_without_a_schedule_no_issue_is_opened(tmp_path: Path) -> None:
    assert load(written(tmp_path, f'{GOOD}status = "bugfix"\n')).schedule.ahead == 0


@pytest.mark.parametrize("ahead", ["-1", "1e9", '"a day"', "true"])
def test_a_time_ahead_that_is_none_is_refused(tmp_path: Path, ahead: str) -> None:
    said = refusal(tmp_path, f"{GOOD}\n[schedule]\nahead = {ahead}\n")
    assert "demo.toml" in said
    assert "ahead" in said
