"""What has to be right in the repository before a package is released."""

import pytest

from bot.packages import rules
from bot.packages.rules import Artifact, Unfit
from bot.release.facts import Severity
from bot.release.version import Version

VERSION = Version.parse("1.30.0", package="azure-core")
FOLDER = "sdk/*/{package}"
CI = "sdk/core/ci.yml"
GOOD = b"""\
trigger: none
extends:
  template: ../../eng/pipelines/templates/stages/archetype-sdk-client.yml
  parameters:
    ServiceDirectory: core
    Artifacts:
    - name: azure-core
      safeName: azurecore
    - name: azure-core-tracing-opencensus
      safeName: azurecorecoretracingopencensus
      skipPublishDocs: true
"""


def source(*entries: str) -> bytes:
    """Write a pipeline's source with these entries, each such as ``name safeName``."""
    listed = "".join(f"    - {{name: {name}, safeName: {safe}}}\n" for name, safe in (entry.split() for entry in entries))
    return f"extends:\n  parameters:\n    Artifacts:\n{listed}".encode()


def found(content: bytes, package: str = "azure-core") -> list[tuple[str, Severity]]:
    findings = rules.artifact_findings(package, rules.artifacts_of(content, CI), CI)
    return [(finding.rule, finding.severity) for finding in findings]


def test_a_package_lies_in_exactly_one_folder() -> None:
    paths = [
        "sdk/core/azure-core/setup.py",
        "sdk/core/azure-core/azure/core/_version.py",
        "sdk/core/azure-core-tracing/setup.py",
        "README.md",
    ]
    assert rules.places_in(paths, FOLDER, "azure-core") == ("sdk/core/azure-core",)
    assert rules.places_in([*paths, "sdk/old/azure-core/setup.py"], FOLDER, "azure-core") == ("sdk/core/azure-core", "sdk/old/azure-core")
    assert rules.places_in([*paths, "sdk/a/b/azure-core/setup.py"], FOLDER, "azure-core") == ("sdk/core/azure-core",)
    assert rules.places_in(paths, FOLDER, "azure.core") == ()
    assert rules.service_of("sdk/core/azure-core", FOLDER, "azure-core") == "core"
    assert rules.service_folder("sdk/core/azure-core", FOLDER, "azure-core") == "sdk/core"


def test_the_artifacts_are_read_and_nothing_else_of_the_source() -> None:
    assert rules.artifacts_of(GOOD, CI) == (
        Artifact(name="azure-core", safe="azurecore"),
        Artifact(name="azure-core-tracing-opencensus", safe="azurecorecoretracingopencensus"),
    )
    assert found(GOOD) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- a\n- b\n",
        b"extends: template\n",
        b"extends: {parameters: {Artifacts: none}}\n",
        b"extends: {parameters: {Artifacts: [{name: a}]}}\n",
        b"extends: {parameters: {Artifacts: [{name: a, safeName: [b]}]}}\n",
        b"extends: [\n",
        b"\xff\xfe\xff",
        b"a: !!python/object/apply:os.system ['true']\n",
        b"a: &a [*a, *a]\nextends: *a\n",
        b"x: &x {a: b}\nextends: {parameters: {Artifacts: [{name: azure-core, safeName: azurecore, <<: *x}]}}\n",
        "\n".join(["a0: &a0 {k: v}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 20))]).encode(),
        b"x: 1" + b":1" * 120_000,
        source("azure-core azurecore") + source("azure-core azureevil"),
        b"? [a, b]\n: c\n",
        b"[" * 5000,
        b"#" * 300_000,
    ],
)
def test_a_source_without_artifacts_is_refused_in_one_sentence_and_never_run(content: bytes) -> None:
    with pytest.raises(Unfit, match=r"^sdk/core/ci\.yml .*\.$"):
        rules.artifacts_of(content, CI)


def test_names_may_be_written_with_underscores() -> None:
    assert found(source("azure_core azurecore", "azure-mgmt-core azuremgmtcore")) == []
    assert rules.artifact_of("azure-core", (Artifact(name="Azure_Core", safe="a"),)) is not None


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        (["azure-mgmt-core azuremgmtcore"], ["artifact"]),
        (["azure-core azurecore", "azure_core other"], ["artifact"]),
        (["azure-core azure-core"], ["safe name"]),
        (["azure-core azurecore", "azure-mgmt-core AzureCore"], ["safe name", "safe name"]),
        (["azure-core azurecore", "azure-mgmt-core a_b"], ["safe name"]),
    ],
)
def test_every_broken_rule_of_the_list_needs_a_waiver(entries: list[str], wrong: list[str]) -> None:
    assert found(source(*entries)) == [(rule, Severity.WAIVER) for rule in wrong]


def test_of_several_files_the_highest_states_the_version() -> None:
    paths = [
        "sdk/core/azure-core/tests/_version.py",
        "sdk/core/azure-core/azure/core/_version.py",
        "sdk/core/azure-core/azure/core/deep/_version.py",
        "sdk/core/azure-core-other/_version.py",
    ]
    assert rules.version_file(paths, "sdk/core/azure-core", "_version.py") == paths[1]
    assert rules.version_file(paths[:1], "sdk/core/azure-core", "_version.py") is None


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        (b'VERSION = "1.30.0"\n', "1.30.0"),
        (b"# coding\nVERSION: str = '1.30.0'\n", "1.30.0"),
        (b'__version__ = VERSION = "1.30.0"\n', "1.30.0"),
        (b'VERSION = open("/etc/passwd").read()\n', None),
        (b"VERSION = 1\n", None),
        (b"if True:\n    VERSION = '1'\n", None),
        (b"VERSION = ", None),
        (b"\x00", None),
    ],
)
def test_the_version_is_read_and_its_code_never_run(content: bytes, stated: str | None) -> None:
    assert rules.stated_version(content) == stated


def test_another_version_than_the_one_to_be_released_needs_a_waiver() -> None:
    path = "sdk/core/azure-core/azure/core/_version.py"
    assert rules.version_findings(VERSION, path, b'VERSION = "1.30.0"\n', "_version.py") == ()
    for content in (b'VERSION = "1.30.1"\n', b'VERSION = "soon"\n', b"pass\n"):
        [finding] = rules.version_findings(VERSION, path, content, "_version.py")
        assert (finding.rule, finding.severity) == ("version", Severity.WAIVER)
    [finding] = rules.version_findings(VERSION, None, None, "_version.py")
    assert "no file _version.py" in finding.what


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"# Release History\n\n## 1.30.0 (2026-11-20)\n\n### Bugs Fixed\n\n## 1.29.0 (2026-01-01)\n", ""),
        (b"## 1.30.0 (2026-11-20) \r\n", ""),
        (b"## 1.30.0 (Unreleased)\n", "has `Unreleased` in the place of the date"),
        (b"## 1.30.0 (2026-13-20)\n", "in the place of the date"),
        (b"## 1.30.0\n", "has nothing in the place of the date"),
        (b"## 1.30.1 (2026-11-20)\n", "has no section of 1.30.0"),
        (b"## 1.30.0 (2026-11-20)\n## 1.30.0 (2026-11-21)\n", "has two sections of 1.30.0"),
        (b"", "has no section of 1.30.0"),
        (None, "There is no"),
    ],
)
def test_a_changelog_has_one_dated_section_of_the_version(content: bytes | None, says: str) -> None:
    findings = rules.changelog_findings(VERSION, "sdk/core/azure-core/CHANGELOG.md", content)
    assert [finding.severity for finding in findings] == ([Severity.ACKNOWLEDGE] if says else [])
    assert says in "".join(finding.what for finding in findings)


@pytest.mark.parametrize(
    ("content", "good"),
    [
        (b"# Azure Core\n\npip install azure-core\n", True),
        (b"`azure_core`.", True),
        (b"# Azure Core\n", False),
        (b"azure-core-x", False),
        (None, False),
    ],
)
def test_a_readme_names_its_package(content: bytes | None, good: bool) -> None:  # noqa: FBT001 - a row of a table
    assert (rules.readme_findings("azure-core", "README.md", content) == ()) is good
