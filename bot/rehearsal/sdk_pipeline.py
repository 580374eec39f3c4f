"""The pipeline of one service of the Azure SDK for Python: what its source says at a commit, and what it builds there.

Sources: https://github.com/Azure/azure-sdk-for-python/tree/main/eng/pipelines/templates/stages, in it ``archetype-sdk-client.yml`` and
``archetype-python-release.yml``, and https://github.com/Azure/azure-sdk-for-python/blob/main/doc/dev/release.md.
"""

import base64
import gzip
import hashlib
import io
import re
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.rehearsal.azure_model import Checkout, Identity, JobPlan, Pipeline, StagePlan
from bot.rehearsal.repository import GitFailed, LocalRepository

ORGANIZATION: Final = "azure-sdk"
PROJECT: Final = "internal"
FOLDER: Final = "\\python"
NUMBER: Final = 983
PACKAGES: Final = "packages"
"""The artifact with a folder for each package."""

SKIP_TAG: Final = "Skip.TagRepository"
"""The variable that keeps the release stages from making the tag themselves."""

APPROVERS: Final = "[internal]\\Release to PyPI Approvers"

_ARTIFACTS: Final = re.compile(r"^( *)Artifacts:\n((?:\1 *-.*\n|\1 +.*\n)*)", re.MULTILINE)
_ARTIFACT: Final = re.compile(r"- name: *(?P<name>\S+)\n +safeName: *(?P<safe>\S+)$", re.MULTILINE)
_VERSION: Final = re.compile(rb'^VERSION = "([^"]+)"', re.MULTILINE)
_SAFE: Final = re.compile(r"[A-Za-z0-9_]+")
"""What a stage may be called: https://learn.microsoft.com/en-us/azure/devops/pipelines/yaml-schema/stages-stage."""

_FIRST_OF_1980: Final = 315_532_800
"""The first second of which a zip archive can tell, in those since 1970."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """An entry of the list of artifacts."""

    name: str
    safe: str

    @property
    def stage(self) -> str:
        """Return the name of its release stage."""
        return f"Release_{self.safe}"


class ServiceSource:
    """The repository as the pipeline of a service reads it; all methods block."""

    def __init__(self, directory: Path, repository: str, service: str) -> None:
        """Read the bare repository in this directory, which is known as OWNER/NAME."""
        self._git = LocalRepository(directory)
        self._repository = repository
        self.service = service

    def at(self, ref: str, version: str) -> Checkout:
        """Return the stages at a commit of a ref; raise LookupError with what Azure says."""
        try:
            head = self._git.resolve(f"{ref}^{{commit}}")
        except GitFailed:
            raise LookupError(f"Could not get the latest source version for repository {self._repository} from branch {ref}.") from None
        commit = version or head
        if self._git.attempt("merge-base", "--is-ancestor", commit, head).returncode:
            raise LookupError(f"The commit {commit} could not be found on the branch {ref} of the repository {self._repository}.")
        artifacts = self.artifacts(commit)
        names = [artifact.stage for artifact in artifacts]
        path = f"/sdk/{self.service}/ci.yml"
        for place, name in enumerate(names):
            if name in names[:place]:
                raise LookupError(f"{path}: The stage name {name} appears more than once. Stage names must be unique within a pipeline.")
            if not _SAFE.fullmatch(name):
                raise LookupError(f"{path}: The stage name {name} is not valid.")
        return Checkout(commit=commit, stages=_stages(artifacts))

    def artifacts(self, commit: str) -> list[Artifact]:
        """Return the list of artifacts at a commit; raise LookupError where the pipeline has no source there."""
        path = f"sdk/{self.service}/ci.yml"
        content = self._git.read(commit, [path]).get(path)
        if content is None:
            raise LookupError(f"/{path}: File not found in repository {self._repository}, version {commit}.")
        block = _ARTIFACTS.search(content.decode())
        return [Artifact(name=found["name"], safe=found["safe"]) for found in _ARTIFACT.finditer(block[2])] if block else []

    def built(self, commit: str, run: int) -> dict[str, bytes]:
        """Return the files of the artifact ``packages`` that a run builds at a commit: a folder for each package, with wheel and source.

        Archives hold the time at which they were made, so no two runs build the same bytes.
        """
        files: dict[str, bytes] = {}
        for artifact in self.artifacts(commit):
            folder = f"sdk/{self.service}/{artifact.name}/"
            read = self._git.read(commit, sorted(self._git.entries(commit, folder)))
            code = {path.removeprefix(folder): content for path, content in read.items()}
            version = next((match[1].decode() for content in code.values() if (match := _VERSION.search(content))), "")
            if version:
                made = distributions(artifact.name, version, code, made=run)
                files |= {f"{artifact.name}/{name}": content for name, content in made.items()}
        return files

    def pipeline(self, number: int = NUMBER, *, folder: str = FOLDER) -> Pipeline:
        """Return the pipeline, which is found by its name."""
        return Pipeline(
            id=number,
            name=f"python - {self.service}",
            path=folder,
            parameters=(),
            repository=self._repository,
            source=self,
            settable=frozenset({SKIP_TAG, "Skip.PublishPackage", "Skip.PublishDocs", "Skip.Release", "SetDevVersion"}),
            needed=frozenset({SKIP_TAG}),
        )


def approvers(*people: Identity) -> Identity:
    """Return the group that is asked before anything goes to PyPI."""
    return Identity(login=APPROVERS, name=APPROVERS, members=people)


def distributions(name: str, version: str, code: dict[str, bytes], *, made: int = 0) -> dict[str, bytes]:
    """Return a wheel and a source archive with this code; the same for the same code made at the same time, in seconds."""
    normal = re.sub(r"[-_.]+", "_", name).lower()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    start = f"{normal}-{version}"
    wheel = {path: content for path, content in code.items() if path.startswith("azure/")}
    about = b"Wheel-Version: 1.0\nGenerator: rehearsal\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    wheel |= {f"{start}.dist-info/METADATA": metadata, f"{start}.dist-info/WHEEL": about}
    wheel |= {f"{start}.dist-info/RECORD": _record(wheel, f"{start}.dist-info/RECORD")}
    source = {f"{start}/{path}": content for path, content in code.items()} | {f"{start}/PKG-INFO": metadata}
    return {f"{start}-py3-none-any.whl": _zipped(wheel, made), f"{start}.tar.gz": _tarred(source, made)}


def _stages(artifacts: list[Artifact]) -> tuple[StagePlan, ...]:
    build = (JobPlan(name="Build", display="Build", artifacts={PACKAGES: "PipelineArtifact"}), JobPlan(name="Analyze", display="Analyze"))
    tests = tuple(JobPlan(name=f"Test_{version}", display=f"Test Python 3.{version}") for version in (10, 13))
    release = (JobPlan(name="TagRepository", display="Create release tag"), JobPlan(name="PublishPackage", display="Publish to PyPI"))
    return (
        StagePlan(name="Build", display="Build", jobs=build),
        StagePlan(name="Test", display="Test", depends=("Build",), jobs=tests),
        *(
            StagePlan(name=artifact.stage, display=f"Release: {artifact.name}", depends=("Build", "Test"), jobs=release, asks=True)
            for artifact in artifacts
        ),
    )


def _record(files: dict[str, bytes], itself: str) -> bytes:
    """Write the list of a wheel: https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file."""
    hashes = {path: base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode() for path, content in files.items()}
    lines = [f"{path},sha256={hashes[path]},{len(content)}\n" for path, content in sorted(files.items())]
    return "".join([*lines, f"{itself},,\n"]).encode()


def _zipped(files: dict[str, bytes], made: int) -> bytes:
    written = io.BytesIO()
    # A zip archive counts in steps of two seconds.
    at = time.gmtime(_FIRST_OF_1980 + 2 * made)
    with zipfile.ZipFile(written, "w") as archive:
        for path, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, at[:6]), content)
    return written.getvalue()


def _tarred(files: dict[str, bytes], made: int) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(written.getvalue(), mtime=made)
