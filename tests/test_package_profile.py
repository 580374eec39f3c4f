"""What a profile says about packages, and what it cannot say."""

from pathlib import Path

import pytest

from bot.profile import load
from bot.profile.types import StepName
from bot.release.ids import Repository
from bot.release.version import Version
from tests.profile_text import refusal, written

STEPS = ("preflight", "freeze", "package-tag", "approve", "package-build", "package-release", "pypi", "push", "thaw")


def steps(*names: str) -> str:
    needs = ("", *(f'needs = ["{name}"]\n' for name in names))
    return "".join(f'[[step]]\nname = "{name}"\n{need}' for name, need in zip(names, needs, strict=False))


HEAD = """\
[project]
name = "sdk"
repository = "octo-org/sdk"
kind_source = "profile"

[[person]]
login = "octocat"
id = 583231
name = "Mona Lisa"
roles = ["release-manager"]

[freeze]
branch = false
"""
PACKAGE = '[package]\nowner = "microsoft"\n'
PIPELINE = '[package.pipeline]\nproject = "internal"\n'
GOOD = HEAD + PACKAGE + PIPELINE + steps(*STEPS)


def test_the_shipped_profile_releases_packages_of_the_azure_sdk() -> None:
    profile = load("azure_sdk")
    assert profile.project.repository == Repository("Azure/azure-sdk-for-python")
    assert [step.name for step in profile.steps] == [*STEPS, StepName.WRAP_UP]
    assert profile.azure_project == "internal"
    assert profile.builds_on_azure
    assert not profile.freeze.branch
    policy = profile.package
    assert policy is not None
    assert policy.pipeline is not None
    assert (policy.owner, policy.pipeline.folder, policy.pipeline.approves) == ("microsoft", "\\python", False)
    assert policy.pipeline.variables == {"Skip.TagRepository": "true"}
    series = profile.series_of(Version.parse("1.30.0", package="azure-core"))
    assert (series.branch, series.signature, series.post_commit) == ("main", "if-present", False)


def test_a_small_one_is_enough(tmp_path: Path) -> None:
    profile = load(written(tmp_path, GOOD))
    assert profile.package is not None
    assert profile.package.folder == "sdk/*/{package}"


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ((PACKAGE, '[package]\nfolder = "sdk/{package}"\n'), "package.folder", "with one star for the service"),
        ((PACKAGE, '[package]\nfolder = "sdk/*/*/{package}"\n'), "package.folder", "with one star for the service"),
        ((PACKAGE, '[package]\nfolder = "sdk/*/package"\n'), "package.folder", "has to hold {package}"),
        ((PACKAGE, '[package]\nfolder = "sdk/*/{package}/{version}"\n'), "package.folder", "and no other braces"),
        ((PACKAGE, '[package]\nchangelog = "docs/CHANGELOG.md"\n'), "package.changelog", "the name of a file"),
        ((PIPELINE, PIPELINE + 'name = "python - {servce}"\n'), "package.pipeline.name", "write {package}, {service}, {safe_name}"),
        ((PIPELINE, PIPELINE + 'release_stage = "Release_{safe_name"\n'), "package.pipeline.release_stage", "without its partner"),
        ((PIPELINE, PIPELINE + "build_stages = []\n"), "package.pipeline.build_stages", "at least 1 item"),
        ((PIPELINE, PIPELINE + 'approves = "yes"\n'), "package.pipeline.approves", "valid boolean"),
        ((PIPELINE, PIPELINE + 'variables = { "a b" = "1" }\n'), 'package.pipeline.variables."a b"', "the name of a variable"),
        ((PIPELINE, ""), "step", "add the table [package.pipeline]"),
        ((PIPELINE, '[package.pipeline]\nname = "python"\n'), "package.pipeline.project", "missing"),
        (("branch = false", 'mode = "classic"\nbranch = false'), "freeze.branch", "nothing would be frozen"),
        ((steps(*STEPS), steps("preflight", "freeze", "tag", "audit", "approve", "push", "thaw")), "freeze.branch", "needs it frozen"),
        ((steps(*STEPS), steps(*(step for step in STEPS if step != "pypi"))), "step[7]", "must not be reached without pypi"),
        ((steps(*STEPS), steps(*(step for step in STEPS if step != "approve"))), "step[4]", "must not be reached without approve"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_is_allowed(tmp_path: Path, change: tuple[str, str], key: str, says: str) -> None:
    assert change[0] in GOOD
    text = refusal(tmp_path, GOOD.replace(*change))
    assert f": {key}: " in text
    assert says in text
    assert text.endswith(".")
