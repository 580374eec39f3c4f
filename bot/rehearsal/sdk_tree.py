"""The upstream repository of a world in which packages are released: a few packages of one service, as in the Azure SDK for Python.

Its layout: https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/core. Everything in it is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.rehearsal.fast_import import Write, commit_on, fast_import
from bot.rehearsal.repository import Identity, LocalRepository

SERVICE: Final = "core"

CI: Final = f"sdk/{SERVICE}/ci.yml"
"""The pipeline's source; its list of artifacts decides which stages a run has."""

_MAIN: Final = "refs/heads/main"
_SOMEBODY: Final = Identity(name="SDK Developer", email="developer@rehearsal.invalid")
_AGE: Final = timedelta(days=20)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package of the service: ``module`` is the path of its code, ``safe`` the name that its stage goes by."""

    name: str
    version: str
    module: str
    safe: str

    @property
    def folder(self) -> str:
        """Return where it lies."""
        return f"sdk/{SERVICE}/{self.name}"


NEIGHBOURS: Final = (
    Package(name="azure-core", version="1.29.7", module="azure/core", safe="azurecore"),
    Package(
        name="azure-core-tracing-opencensus",
        version="1.0.0b10",
        module="azure/core/tracing/ext/opencensus_span",
        safe="azurecorecoretracingopencensus",
    ),
    Package(name="azure-mgmt-core", version="1.5.0", module="azure/mgmt/core", safe="azuremgmtcore"),
)
"""What the service has, in the versions that are on PyPI already."""


@dataclass(frozen=True, kw_only=True)
class SdkTree:
    """What was built: the packages as main has them, of which ``released`` is the one to be released."""

    path: Path
    packages: tuple[Package, ...]
    released: Package
    before: str
    """The version of that package that is on PyPI, empty before its first release."""


def sdk_tree(path: Path, name: str, version: str, *, now: datetime | None = None) -> SdkTree:
    """Build the repository with this version of this package ready to be released; one that the service does not have is a new one."""
    when = now or datetime.now(UTC)
    known = next((package for package in NEIGHBOURS if package.name == name), None)
    ready = replace(known, version=version) if known else new_package(name, version)
    packages = (*(ready if package is known else package for package in NEIGHBOURS), *(() if known else (ready,)))
    repository = LocalRepository.create(path)
    with fast_import(repository) as importing:
        past = [write for package in NEIGHBOURS for write in _files(package, when - _AGE)]
        importing.commit(
            _MAIN, message="Begin\n", by=_SOMEBODY, when=when - _AGE, changes=[*past, Write(path=CI, content=ci(NEIGHBOURS).encode())]
        )
        for package in NEIGHBOURS:
            words = f"{package.name} {package.version}\n"
            importing.tag(f"{package.name}_{package.version}", target=":1", message=words, by=_SOMEBODY, when=when - _AGE)
    changes = [*_files(ready, when), Write(path=CI, content=ci(packages).encode())]
    head = repository.resolve(_MAIN)
    ready_at = when - timedelta(hours=2)
    commit_on(repository, _MAIN, parent=head, message=f"Prepare {name} {version}\n", by=_SOMEBODY, when=ready_at, changes=changes)
    return SdkTree(path=path, packages=packages, released=ready, before=known.version if known else "")


def new_package(name: str, version: str) -> Package:
    """Return a package that the service does not have yet."""
    return Package(name=name, version=version, module=name.replace("-", "/"), safe=name.replace("-", ""))


def ci(packages: tuple[Package, ...]) -> str:
    """Write the pipeline's source: https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/core/ci.yml."""
    artifacts = "".join(f"    - name: {package.name}\n      safeName: {package.safe}\n" for package in packages)
    return (
        "trigger:\n  branches:\n    include:\n    - main\n  paths:\n    include:\n    - sdk/core/\n    - eng/\n\n"
        "extends:\n  template: ../../eng/pipelines/templates/stages/archetype-sdk-client.yml\n  parameters:\n"
        f"    ServiceDirectory: {SERVICE}\n    Artifacts:\n{artifacts}"
        "    CondaArtifacts:\n    - name: azure-core\n      common_root: azure\n"
    )


def changelog(version: str, when: datetime, *, unreleased: bool = False) -> str:
    """Write a changelog: https://azure.github.io/azure-sdk/policies_releases.html#change-logs."""
    date = "Unreleased" if unreleased else f"{when:%Y-%m-%d}"
    return f"# Release History\n\n## {version} ({date})\n\n### Features Added\n\n- Parrots rest longer between two requests.\n"


def _files(package: Package, when: datetime) -> Iterator[Write]:
    """Give the files of a package at a version that is ready."""
    text = {
        "CHANGELOG.md": changelog(package.version, when),
        "README.md": f"# {package.name}\n\nHelps the other packages.\n\n```bash\npip install {package.name}\n```\n",
        "setup.py": _setup(package),
        f"{package.module}/_version.py": f'VERSION = "{package.version}"\n',
        f"{package.module}/__init__.py": "from ._version import VERSION\n\n__version__ = VERSION\n",
    }
    yield from (Write(path=f"{package.folder}/{path}", content=content.encode()) for path, content in text.items())


def _setup(package: Package) -> str:
    return (
        "import os\nimport re\n\nfrom setuptools import setup\n\n"
        f'with open(os.path.join("{package.module}", "_version.py")) as file:\n'
        '    version = re.search(r\'^VERSION\\s*=\\s*"([^"]*)"\', file.read(), re.MULTILINE).group(1)\n\n'
        f'setup(name="{package.name}", version=version)\n'
    )
