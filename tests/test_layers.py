"""The walls: what may know of what. They are read from the source, so that nobody climbs over them by accident."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"

DOES_IO = {"aiohttp", "asyncio", "sqlalchemy", "subprocess", "socket", "pathlib", "os", "tempfile", "gidgethub", "jinja2", "shutil"}


def modules(folder: str) -> list[Path]:
    return sorted((BOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield every module a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_heart_does_no_input_or_output_and_knows_only_itself() -> None:
    for path in [*modules("release"), BOT / "commands.py", BOT / "authority.py", BOT / "journal.py"]:
        for name in imported(path):
            assert name.split(".")[0] not in DOES_IO, (path, name)
            if within(name, "bot"):
                assert within(
                    name, "bot.release", "bot.errors", "bot.journal", "bot.command_types", "bot.command_arguments", "bot.authority"
                ), (path, name)


def test_a_step_never_imports_another_step() -> None:
    for path in modules("steps"):
        if path.name != "__init__.py":
            assert not [name for name in imported(path) if within(name, "bot.steps")], path


def test_services_know_nothing_of_releases() -> None:
    allowed = ("bot.services", "bot.errors", "bot.release.ids", "bot.release.facts.PlannedRef")
    for path in modules("services"):
        for name in imported(path):
            assert not within(name, "bot") or within(name, *allowed), (path, name)


def test_only_the_command_line_knows_that_there_are_rehearsals() -> None:
    for path in sorted(BOT.rglob("*.py")):
        if "rehearsal" in path.relative_to(BOT).parts:
            continue
        assert not [name for name in imported(path) if within(name, "bot.rehearsal")], path
        if path.name != "__main__.py":
            assert "rehears" not in path.read_text(encoding="utf-8").lower(), path


def test_the_world_in_a_box_shares_nothing_with_the_bot() -> None:
    driver = {"rehearse.py"}
    for path in modules("rehearsal"):
        names = [name for name in imported(path) if within(name, "bot") and not within(name, "bot.rehearsal")]
        assert path.name in driver or not names, (path, names)


@pytest.mark.parametrize("module", ["bot.__main__", "bot.settings", "bot.profile"])
def test_a_command_loads_only_what_it_needs(module: str) -> None:
    script = f"import sys, {module}; print(' '.join(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert not {"sqlalchemy", "sentry_sdk", "bot.rehearsal"} & set(loaded)


def test_modules_stay_small_enough_to_be_read() -> None:
    too_long = {str(path.relative_to(ROOT)): count for path in BOT.rglob("*.py") if (count := len(path.read_text().splitlines())) > 350}
    assert not too_long
