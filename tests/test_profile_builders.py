"""Mistakes in what a profile says about those who build are told with their line, their key, and what is allowed."""

from pathlib import Path

import pytest

from bot.profile import load
from tests.profile_text import GOOD, refusal, written

AZURE = '[azure]\nproject = "p"\ndefinition = "d"\nparameters = { DoMSI = true }\n'
WORKFLOW = '[workflow]\nrepository = "o/r"\nfile = "f.yml"\n'
HAND = '[hand.store]\nrole = "windows-expert"\nwhat = "Go to the Store."\n'


@pytest.mark.parametrize(
    ("addition", "line", "key", "says"),
    [
        (
            f'{AZURE}approvals = {{ Pack = ["DoMSIX"] }}\n',
            20,
            "azure.approvals.Pack",
            "DoMSIX is no parameter of a run: write one of DoMSI",
        ),
        (f'{AZURE}approvals = {{ Pack = "DoMSI" }}\n', 20, "azure.approvals.Pack", "valid array"),
        (f'{WORKFLOW}jobs = [{{ name = "a", kinds = ["final", "beta3"] }}]\n', 19, "workflow.jobs[1].kinds[2]", "alpha, beta1, beta, rc"),
        (f'{WORKFLOW}jobs = [{{ name = "a", first_series = "3" }}]\n', 19, "workflow.jobs[1].first_series", "write it like 3.15"),
        (f'{WORKFLOW}documentation = ["docs-{{versoin}}.zip"]\n', 19, "workflow.documentation[1]", "versoin"),
        (f'{WORKFLOW}documented = ["all"]\n', 19, "workflow.documented[1]", "alpha, beta1, beta, rc"),
        (f'{HAND}links = {{ Store = "partner.microsoft.com" }}\n', 19, "hand.store.links.Store", "an https address"),
        (f"{HAND}artifacts = ['']\n", 19, "hand.store.artifacts[1]", "at least 1 character"),
        ('[[step]]\nname = "store"\n', 16, "step[1]", "must not be reached without windows-publish"),
    ],
)
def test_what_is_wrong_about_builders_is_told(tmp_path: Path, addition: str, line: int, key: str, says: str) -> None:
    text = refusal(tmp_path, GOOD + addition)
    assert f", line {line}: {key}: " in text
    assert says in text


def test_what_is_right_about_them_is_taken(tmp_path: Path) -> None:
    jobs = '[{ name = "docs", kinds = ["final"], first_series = "3.14" }]'
    text = f'{GOOD}{AZURE}approvals = {{ Sign = [], Pack = ["DoMSI"] }}\n{WORKFLOW}jobs = {jobs}\ndocumentation = ["d-{{version}}.zip"]\n'
    profile = load(written(tmp_path, text))
    assert profile.azure is not None
    assert profile.azure.approvals == {"Sign": (), "Pack": ("DoMSI",)}
    assert profile.workflow is not None
    assert profile.workflow.jobs[0].first_series == "3.14"
