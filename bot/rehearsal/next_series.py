"""What names a series in the files of CPython besides its version, and what the release manager makes of it when the next one begins.

Which files: the tasks for a new branch in https://github.com/python/release-tools/blob/main/run_release.py; the prose is our own.
"""

from collections.abc import Mapping
from typing import Final

from bot.rehearsal.fast_import import Write
from bot.rehearsal.release_edits import PATCHLEVEL, README, patchlevel, readme
from bot.rehearsal.versions import Level, PythonVersion

WHATSNEW_INDEX: Final = "Doc/whatsnew/index.rst"
CONFIGURE_AC: Final = "configure.ac"
MAGIC_HEADER: Final = "Include/internal/pycore_magic_number.h"

_OLDEST_PAGE: Final = 2
"""The first 3.X that is still listed among the pages of news."""

_TUTORIAL: Final = """.. _tut-{name}:

{title}
{line}

This page was last tried with Python {series}.
"""

_FORM: Final = """name: {title}
description: Tell us about it
body:
  - type: dropdown
    attributes:
      label: "Python versions"
      multiple: true
      options:
        - "{before}"
        - "{series}"
        - "main"
"""

_PC_CONFIG: Final = """/* The name of the import library. */
#define PARROT_LIBRARY "python{joined}.lib"
"""

TEMPLATES: Final[Mapping[str, str]] = {
    "Doc/tutorial/interpreter.rst": _TUTORIAL.format(name="using", title="Using it", line="========", series="{series}"),
    "Doc/tutorial/stdlib.rst": _TUTORIAL.format(name="brieftour", title="A Tour", line="======", series="{series}"),
    "Doc/tutorial/stdlib2.rst": _TUTORIAL.format(name="brieftourtwo", title="More Tours", line="==========", series="{series}"),
    "PC/pyconfig.h": _PC_CONFIG,
    ".github/ISSUE_TEMPLATE/bug.yml": _FORM.replace("{title}", "Bug report"),
    ".github/ISSUE_TEMPLATE/crash.yml": _FORM.replace("{title}", "Crash report"),
}
"""What the files that people edit say at any time, by path."""

EDITED: Final = (*TEMPLATES, CONFIGURE_AC, MAGIC_HEADER, WHATSNEW_INDEX, PATCHLEVEL, README)
"""What the commit that begins a series changes, besides the page of news that it adds."""


def series_files(version: PythonVersion) -> list[Write]:
    """Give the files that name the series, as they stand on main while it lives there."""
    texts = {path: _filled(text, version.minor) for path, text in TEMPLATES.items()} | {WHATSNEW_INDEX: _index(version.minor)}
    return [Write(path=path, content=text.encode()) for path, text in texts.items()]


def development(version: PythonVersion) -> PythonVersion:
    """Give what main becomes when the series of a version leaves it."""
    return PythonVersion(version.major, version.minor + 1, 0, Level.ALPHA, 0)


def bumped(old: Mapping[str, str], version: PythonVersion) -> dict[str, str]:
    """Give the files as the manager leaves them for the series after the version's; what is not there stays away, as in their tools."""
    new, before = development(version), f"3.{version.minor}"
    edits = {path: _edited(text, version.minor) for path, text in old.items() if path in TEMPLATES}
    if CONFIGURE_AC in old:
        edits[CONFIGURE_AC] = old[CONFIGURE_AC].replace(before, new.series)
    if MAGIC_HEADER in old:
        edits[MAGIC_HEADER] = old[MAGIC_HEADER].replace("#define PYC_MAGIC_NUMBER 3", f"/* {new.series} */\n#define PYC_MAGIC_NUMBER 3")
    if WHATSNEW_INDEX in old:
        edits[WHATSNEW_INDEX] = old[WHATSNEW_INDEX].replace(f"   {before}.rst", f"   {new.series}.rst\n   {before}.rst")
    edits[PATCHLEVEL] = patchlevel(old[PATCHLEVEL], new)
    edits[README] = readme(old[README], new)
    return edits


def _edited(text: str, minor: int) -> str:
    option = f'        - "3.{minor}"\n'
    added = text.replace(option, f'{option}        - "3.{minor + 1}"\n')
    if added != text:
        return added
    return text.replace(f"3.{minor}", f"3.{minor + 1}").replace(f"python3{minor}.", f"python3{minor + 1}.")


def _filled(text: str, minor: int) -> str:
    return text.replace("{series}", f"3.{minor}").replace("{before}", f"3.{minor - 1}").replace("{joined}", f"3{minor}")


def _index(minor: int) -> str:
    pages = "".join(f"   3.{number}.rst\n" for number in range(minor, _OLDEST_PAGE - 1, -1))
    return f"What's New in Python\n====================\n\n.. toctree::\n   :maxdepth: 2\n\n{pages}"
