"""What has to be right before a package is released, read from its own files. Pure.

Sources: https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md for the list of artifacts, and
https://azure.github.io/azure-sdk/policies_releases.html for changelogs.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as PackageVersion
from pydantic import Field, TypeAdapter, ValidationError

from bot.errors import UserError
from bot.release.facts import Finding, Severity
from bot.release.quoting import shown
from bot.release.version import Version

CHECK: Final = "package"

_LARGEST: Final = 256 * 1024
"""Bytes of a pipeline's source; the longest there are have a hundredth of it."""

_SAFE: Final = re.compile(r"[A-Za-z0-9]+", re.ASCII)
"""A safe name becomes a part of the name of a stage: https://learn.microsoft.com/en-us/azure/devops/pipelines/yaml-schema/stages-stage."""

_HEADING: Final = re.compile(r"^#{1,3}[ \t]+v?(?P<version>[0-9][^\s()]*)[ \t]*(?:\((?P<date>[^()\n]*)\))?[ \t\r]*$", re.MULTILINE)
_DATE: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)
_NOT_CODE: Final = frozenset({"test", "tests", "sample", "samples", "generated_samples", "doc", "docs"})


class Unfit(UserError):
    """The repository does not say how a package is built, so nothing of it can be released."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One entry of the list of artifacts: ``safe`` is a part of the name of its release stage."""

    name: str
    safe: str


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: Annotated[str, Field(min_length=1, max_length=200)]
    safe: Annotated[str, Field(min_length=1, max_length=200, validation_alias="safeName")]


_ENTRIES: Final = TypeAdapter(list[_Entry])


class _Plain(yaml.BaseLoader):
    """Read texts, lists and dictionaries, and nothing that Azure does not take either, for it may have been made to do harm.

    Aliases, with which a short text can become a long one, and keys that stand twice:
    https://learn.microsoft.com/en-us/azure/devops/pipelines/yaml-schema/.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's own
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.YAMLError
        return mapping


def places_in(paths: Iterable[str], folder: str, package: str) -> tuple[str, ...]:
    """Return every folder that is such as ``sdk/*/{package}`` and holds files, by the paths of all files."""
    before, after = folder.replace("{package}", package).split("*")
    pattern = re.compile(rf"({re.escape(before)}[^/]+{re.escape(after)})/.+")
    return tuple(sorted({found[1] for path in paths if (found := pattern.fullmatch(path))}))


def service_of(place: str, folder: str, package: str) -> str:
    """Return what the star of ``sdk/*/{package}`` stands for in the folder of a package."""
    before, after = folder.replace("{package}", package).split("*")
    return place.removeprefix(before).removesuffix(after)


def service_folder(place: str, folder: str, package: str) -> str:
    """Return the folder of the service that a package lies in: ``sdk/core``."""
    before, _ = folder.split("*")
    return f"{before}{service_of(place, folder, package)}"


def artifacts_of(source: bytes, path: str) -> tuple[Artifact, ...]:
    """Return the list of artifacts in the source of a pipeline; raise Unfit where there is none that can be read.

    It is the parameter ``Artifacts`` of the template that the source extends:
    https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/core/ci.yml.
    """
    if len(source) > _LARGEST:
        raise Unfit(f"{path} has more than {_LARGEST} bytes, which no pipeline's source has, so it was not read.")
    try:
        document: object = yaml.load(source, Loader=_Plain)  # noqa: S506 - it makes nothing but texts, lists and dictionaries
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        raise Unfit(f"{path} is no YAML that can be read, so nobody knows what its pipeline releases: mend it.") from None
    found = document
    for key in ("extends", "parameters", "Artifacts"):
        found = found.get(key) if isinstance(found, dict) else None
    try:
        entries = _ENTRIES.validate_python(found)
    except ValidationError:
        message = f"{path} has no list Artifacts with name and safeName below extends and parameters, so its pipeline releases nothing."
        raise Unfit(message) from None
    return tuple(Artifact(name=entry.name, safe=entry.safe) for entry in entries)


def artifact_of(package: str, artifacts: Sequence[Artifact]) -> Artifact | None:
    """Return the entry of a package; its name may be written with hyphens or underscores. None where there is not exactly one."""
    wanted = canonicalize_name(package)
    found = [artifact for artifact in artifacts if canonicalize_name(artifact.name) == wanted]
    return found[0] if len(found) == 1 else None


def artifact_findings(package: str, artifacts: Sequence[Artifact], path: str) -> tuple[Finding, ...]:
    """Return what is wrong with a list of artifacts: the entry of the package, and every safe name."""
    found = []
    if artifact_of(package, artifacts) is None:
        names = ", ".join(shown(artifact.name) for artifact in artifacts) or "nothing"
        found.append(_waiver("artifact", f"{path} has to list the artifact {package} exactly once; it lists {names}.", package))
    counts = Counter(artifact.safe.casefold() for artifact in artifacts)
    for artifact in artifacts:
        if not _SAFE.fullmatch(artifact.safe):
            what = f"The safeName {shown(artifact.safe)} of {shown(artifact.name)} in {path} is not made of letters and digits alone."
            found.append(_waiver("safe name", what, artifact.name))
        if counts[artifact.safe.casefold()] > 1:
            what = (
                f"The safeName {shown(artifact.safe)} of {shown(artifact.name)} in {path} is not its own: two stages would have one name."
            )
            found.append(_waiver("safe name", what, artifact.name))
    return tuple(found)


def version_file(paths: Iterable[str], place: str, name: str) -> str | None:
    """Return the file that states the version of a package: of several the one that lies highest, None where there is none."""
    start = f"{place}/"
    inside = [path for path in paths if path.startswith(start) and path.rpartition("/")[2] == name]
    code = [path for path in inside if not _NOT_CODE & set(path.removeprefix(start).split("/"))]
    return min(code, key=lambda path: (path.count("/"), path), default=None)


def stated_version(source: bytes) -> str | None:
    """Return the text that is assigned to ``VERSION``, or to ``__version__``, or None; the code is read and never run."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if names & {"VERSION", "__version__"} and isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def version_findings(version: Version, path: str | None, source: bytes | None, name: str) -> tuple[Finding, ...]:
    """Return that the package states another version than the one to be released, or none."""
    if path is None or source is None:
        return (_waiver("version", f"The package has no file {name} that states its version.", name),)
    stated = stated_version(source)
    if stated is None:
        return (_waiver("version", f"{path} assigns no text to VERSION, so nobody knows which version would be built.", path),)
    if _same(stated, version):
        return ()
    what = f"{path} says {shown(stated)}, and {version.number} is to be released: the pipeline would build {shown(stated)}."
    return (_waiver("version", what, path),)


def changelog_findings(version: Version, path: str, content: bytes | None) -> tuple[Finding, ...]:
    """Return that the changelog has no section of this version, or none with a date: ``## 1.30.0 (2026-11-20)``."""
    if content is None:
        return (_notice("changelog", f"There is no {path}.", path),)
    headings = [found for found in _HEADING.finditer(content.decode(errors="replace")) if _same(found["version"], version)]
    if len(headings) != 1:
        return (_notice("changelog", f"{path} has {'no section' if not headings else 'two sections'} of {version.number}.", path),)
    date = (headings[0]["date"] or "").strip()
    if _DATE.fullmatch(date):
        return ()
    what = f"The section of {version.number} in {path} has {shown(date) if date else 'nothing'} in the place of the date of its release."
    return (_notice("changelog", what, path),)


def readme_findings(package: str, path: str, content: bytes | None) -> tuple[Finding, ...]:
    """Return that there is no readme, or one that does not name the package."""
    if content is None:
        return (_notice("readme", f"There is no {path}, which PyPI shows to everybody.", path),)
    words = re.findall(r"[a-z0-9][a-z0-9._-]*", content.decode(errors="replace").lower())
    if any(canonicalize_name(word.strip("._-")) == canonicalize_name(package) for word in words):
        return ()
    return (_notice("readme", f"{path} does not name {package}.", path),)


def _same(text: str, version: Version) -> bool:
    try:
        return PackageVersion(text) == PackageVersion(version.number)
    except InvalidVersion:
        return False


def _waiver(rule: str, what: str, subject: str) -> Finding:
    return Finding(check=CHECK, rule=rule, severity=Severity.WAIVER, what=what, subject=(subject,))


def _notice(rule: str, what: str, subject: str) -> Finding:
    return Finding(check=CHECK, rule=rule, severity=Severity.ACKNOWLEDGE, what=what, subject=(subject,))
