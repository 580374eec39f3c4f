"""The page that accounts for every row of the five descriptions of how releases were made: none without an answer, no answer in the air."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from bot.profile.types import StepName

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "coverage.md"

ROWS: Final = {"S0": 45, "S1": 21, "S2": 54, "S3": 81, "S4": 34}
"""How many rows each description has."""
ANSWERS: Final = ("done by the bot", "verified by the bot", "asked of a person by the bot", "history, nothing to do")

_ROW: Final = re.compile(r"\| (?P<row>S\d-\d\d) \| (?P<what>[^|]+) \| (?P<answer>[^|]+) \| (?P<shown>[^|]+) \|")
_TEST: Final = re.compile(r"`(?P<path>tests/[\w/.-]+\.py)::(?P<name>\w+)`")
_STEPS: Final = re.compile(r"\bsteps? ((?:`[\w-]+`(?:, | and )?)+)")


def rows() -> list[re.Match[str]]:
    return list(_ROW.finditer(PAGE.read_text(encoding="utf-8")))


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_row_has_one_line_and_no_line_is_of_another() -> None:
    wanted = [f"{seed}-{number:02}" for seed, count in ROWS.items() for number in range(1, count + 1)]
    assert [row["row"] for row in rows()] == wanted
    assert len(wanted) == 235


def test_every_answer_is_one_of_four() -> None:
    assert {row["answer"] for row in rows()} == set(ANSWERS)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["row"])
def test_what_shows_it_exists(row: re.Match[str]) -> None:
    tests = list(_TEST.finditer(row["shown"]))
    steps = [name for match in _STEPS.finditer(row["shown"]) for name in re.findall(r"`([\w-]+)`", match[1])]
    for test in tests:
        assert test["name"] in functions(test["path"])
    assert set(steps) <= {step.value for step in StepName}
    others = re.search(r"rows? S\d-\d\d|`bot/|`python -m bot ", row["shown"])
    assert tests or steps or others or row["answer"] == "history, nothing to do"


def test_the_page_counts_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for answer in ANSWERS:
        count = sum(row["answer"] == answer for row in rows())
        assert f"| {answer} | {count} |" in text
