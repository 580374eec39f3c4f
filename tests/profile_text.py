"""A small profile to write, change and spoil."""

from pathlib import Path

import pytest

from bot.profile import ProfileError, load

GOOD = """\
[project]
name = "demo"
repository = "octo-org/demo"
team = "octo-org/managers"

[[person]]
login = "octocat"
id = 583231
name = "Mona Lisa"
roles = ["release-manager"]
forks = ["octocat/demo"]

[series."1.0"]
branch = "1.0"
signature = "required"
"""


def written(folder: Path, text: str, name: str = "demo.toml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        load(written(folder, text))
    return str(caught.value)
