"""What is installed is what is locked, what is locked is what is declared, and what is declared has a reason."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import bot

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEVELOPMENT = [Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines]
LOCKS = ("requirements.lock", "requirements-dev.lock")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
# Written so that this file does not find itself.
MACHINES = re.compile(r"/[w]ork/|/[h]ome/|/[r]oot/|/[t]mp/|--(?:extra-)?[i]ndex-url|--[f]ind-links")


def locked(name: str) -> dict[str, tuple[Version, set[str]]]:
    """Return version and hashes of every requirement of a lock."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, tuple[Version, set[str]]] = {}
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement = Requirement(HASH.sub("", line).strip())
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[canonicalize_name(requirement.name)] = (Version(pin.version), set(HASH.findall(line)))
    return found


def committed() -> list[Path]:
    """Return the files that belong to the project: those git knows or would add."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so the list of files is not known")
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_has_one_version_and_hashes(name: str) -> None:
    assert [package for package, (_, hashes) in locked(name).items() if not hashes] == []


def test_the_locks_fulfil_what_is_declared_and_agree_with_each_other() -> None:
    runtime, development = (locked(name) for name in LOCKS)
    assert runtime.items() <= development.items()
    for lock, requirements in ((runtime, RUNTIME), (development, RUNTIME + DEVELOPMENT)):
        for requirement in requirements:
            version, _ = lock[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version, prereleases=True), requirement
    assert not {canonicalize_name(requirement.name) for requirement in DEVELOPMENT if requirement.name != "hatchling"} & runtime.keys()


def test_every_declared_dependency_has_a_reason_and_no_other() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    reasons = [canonicalize_name(name) for name in re.findall(r"^\| ([a-z0-9-]+) \| .{10,}", text, re.MULTILINE) if name != "package"]
    assert sorted(reasons) == sorted(canonicalize_name(requirement.name) for requirement in RUNTIME + DEVELOPMENT)


def test_whatever_the_program_imports_is_declared() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in RUNTIME}
    distributions = packages_distributions()
    undeclared = set()
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = (name or "").partition(".")[0]
                owners = {canonicalize_name(owner) for owner in distributions.get(top, [top])}
                if top not in sys.stdlib_module_names and top != "bot" and not owners & declared:
                    undeclared.add(f"{path.relative_to(ROOT)}: {top}")
    assert undeclared == set()


def test_no_committed_file_names_a_machine_or_an_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in committed()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINES.search(line)
    ]
    assert found == []


def test_no_committed_file_holds_a_private_key() -> None:
    # A whole line of that form; the words alone stand in code that recognises keys.
    begin = re.compile(rb"^-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----$", re.MULTILINE)
    assert [path for path in committed() if begin.search(path.read_bytes())] == []


def test_the_version_is_that_of_the_package() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["name"] == "brother-maynard"
    assert str(Version(bot.__version__)) == bot.__version__
    assert f"## [{bot.__version__}]" in changelog or "## [Unreleased]" in changelog


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist and, from it, the wheel, as an installer would."""
    folder = tmp_path_factory.mktemp("dist")
    build = "from hatchling import build; import sys; print(getattr(build, sys.argv[1])(sys.argv[2]))"
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1790000000"}
    command = [sys.executable, "-c", build]
    sdist = subprocess.run([*command, "build_sdist", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    with tarfile.open(folder / sdist.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / f"brother_maynard-{bot.__version__}"
    made = subprocess.run([*command, "build_wheel", str(folder)], cwd=unpacked, env=environment, capture_output=True, text=True, check=True)
    return folder / made.stdout.strip().splitlines()[-1]


def test_everything_below_bot_travels_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {str(path.relative_to(ROOT)) for path in committed() if path.is_relative_to(ROOT / "bot")} <= inside
    assert "bot/profiles/cpython.toml" in inside
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    assert not any(name.startswith(("tests/", "docs/")) for name in inside)


def test_the_program_starts_without_the_tests_dependencies() -> None:
    # What only tests need must not be imported by the command line, not even indirectly.
    only_for_tests = {requirement.name.replace("-", "_") for requirement in DEVELOPMENT}
    code = "import sys, bot.__main__, bot.profile.command, bot.serve_command; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert only_for_tests & set(loaded) == set()
