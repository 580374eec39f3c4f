"""Find the folder with the official descriptions and real data, which are used where they lie and are no part of the project."""

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "BOT_REFERENCE"
BESIDE = Path(__file__).resolve().parents[2].with_name("shared")
"""Where the folder is looked for when the variable does not name it: ``../shared`` beside the checkout."""


@dataclass(frozen=True, kw_only=True)
class GitHubSpecs:
    """GitHub's descriptions of its REST API and of its webhooks; None where they are not at hand."""

    openapi: Path | None
    webhooks: Path | None


@dataclass(frozen=True, kw_only=True)
class AzureSpecs:
    """Microsoft's descriptions of Azure DevOps, and the parameters and stages of the Windows release pipeline; as far as at hand."""

    descriptions: tuple[Path, ...] = ()
    parameters: Path | None = None
    stages: Path | None = None


def find_reference() -> Path | None:
    """Return the folder, or None."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return BESIDE if BESIDE.is_dir() else None


def github_specs(reference: Path | None) -> GitHubSpecs:
    """Return the descriptions in the folder."""
    if reference is None:
        return GitHubSpecs(openapi=None, webhooks=None)
    folder = reference / "specs" / "github"
    openapi, webhooks = folder / "openapi.json.gz", folder / "webhook-schemas.json.gz"
    return GitHubSpecs(openapi=openapi if openapi.is_file() else None, webhooks=webhooks if webhooks.is_file() else None)


def azure_specs(reference: Path | None) -> AzureSpecs:
    """Return the descriptions in the folder."""
    if reference is None:
        return AzureSpecs()
    folder = reference / "specs" / "azure"
    descriptions = [folder / f"{name}.json" for name in ("build", "pipelines", "pipelinesapproval")]
    parameters, stages = folder / "windows_release.json", folder / "windows_stages.json"
    return AzureSpecs(
        descriptions=tuple(path for path in descriptions if path.is_file()),
        parameters=parameters if parameters.is_file() else None,
        stages=stages if stages.is_file() else None,
    )
