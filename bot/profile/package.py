"""What a profile may say about a project that releases packages, each with versions of its own."""

from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from bot.profile.forms import BranchName, Form, misfit
from bot.profile.table import Table
from bot.release.quoting import shown

PLACES: Final = ("package", "service", "safe_name")
"""What stands in braces in the table `[package]`, and is filled in for a package."""


def _with_places(value: str) -> str:
    """Refuse braces that would stay empty or could not be read."""
    known = ", ".join(f"{{{name}}}" for name in PLACES)
    try:
        found = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError:
        sentence = f"{shown(value)} has a brace without its partner: write {known}"
        raise misfit(sentence) from None
    if (strange := next((name for name in found if name not in PLACES), None)) is not None:
        sentence = f"{{{strange}}} stands for nothing: write {known}"
        raise misfit(sentence)
    return value


PlacePattern = Annotated[str, Field(min_length=1), AfterValidator(_with_places)]
"""A text with what is filled in for a package."""
FileName = Annotated[str, Form("the name of a file", "CHANGELOG.md", r"[A-Za-z0-9_.-]+")]
FolderPattern = Annotated[
    str, Form("a path in the repository with one star for the service", "sdk/*/{package}", r"[^*\\\s]*/?\*/[^*\\\s]+")
]
VariableName = Annotated[str, Form("the name of a variable", "Skip.TagRepository", r"[A-Za-z0-9_.]+")]


class PackagePipeline(Table):
    """The pipeline on Azure that builds, tests and releases the packages of a service."""

    project: Annotated[str, Field(min_length=1)]
    """The project in the organisation `AZURE_DEVOPS_URL`."""
    name: PlacePattern = "python - {service}"
    """Its name; `{service}` is the part of the folder that the star stands for."""
    folder: str = "\\"
    """Its folder; names repeat across folders."""
    variables: dict[VariableName, str] = Field(default_factory=dict)
    """The variables that a run is given; what they switch off is done by the bot, such as the tag."""
    build_stages: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=("Build", "Test"), min_length=1)
    """The stages that build and test; all have to end well."""
    artifact: Annotated[str, Field(min_length=1)] = "packages"
    """The artifact with a folder for each package, in it its files."""
    release_stage: PlacePattern = "Release_{safe_name}"
    """The name of the stage that releases a package, with the `safeName` that the list of artifacts gives it."""
    release_title: PlacePattern = "Release: {package}"
    """What people see as the name of that stage; it counts where the stage has no name of its own."""
    approves: bool = False
    """Whether the bot gives the approval of the one stage that somebody let it approve, and rejects the others of the run; it has to be an
    approver there. Otherwise people are given the links."""


class Package(Table):
    """How packages are released."""

    branch: BranchName = "main"
    """The branch from which they are released."""
    folder: FolderPattern = "sdk/*/{package}"
    """Where a package lies; the star stands for the service it belongs to."""
    ci_file: FileName = "ci.yml"
    """The pipeline's source in the folder of the service, with the list of artifacts."""
    version_file: FileName = "_version.py"
    """The file that states the version, somewhere in the package's folder; of several the one that lies highest."""
    changelog: FileName = "CHANGELOG.md"
    """The file in the package's folder with a dated section for every version."""
    readme: FileName = "README.md"
    """The file in the package's folder that has to name the package."""
    owner: str = ""
    """The account or organisation on PyPI that has to own every project; not looked at when left out."""
    pipeline: PackagePipeline | None = None
    """The pipeline; needed for the step package-build."""

    @model_validator(mode="after")
    def _places_are_known(self) -> Self:
        """Refuse a folder that does not name the package."""
        if "{package}" not in self.folder or any(brace in self.folder.replace("{package}", "") for brace in "{}"):
            sentence = f"{shown(self.folder)} has to hold {{package}}, and no other braces: write it like sdk/*/{{package}}"
            raise misfit(sentence, "folder")
        return self


def fill(pattern: str, places: Mapping[str, str]) -> str:
    """Fill in a pattern of the table."""
    return pattern.format_map(places)
