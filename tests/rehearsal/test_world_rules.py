"""Which refs a pattern names, and that both sides of the wall know nothing of each other."""

import subprocess
import sys

import pytest

from bot.rehearsal.update_hook import covers, matches


@pytest.mark.parametrize(
    ("pattern", "ref", "meant"),
    [
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/main", "refs/heads/main2", False),
        ("refs/heads/3.1", "refs/heads/301", False),
        ("refs/heads/3.*", "refs/heads/3.15", True),
        ("refs/heads/3.*", "refs/heads/3.15/fix", False),
        ("refs/heads/**/*", "refs/heads/a/b/c", True),
        ("refs/tags/v3.1?.0", "refs/tags/v3.15.0", True),
        ("refs/tags/v3.1[45].0", "refs/tags/v3.16.0", False),
        ("~DEFAULT_BRANCH", "refs/heads/main", True),
        ("~DEFAULT_BRANCH", "refs/heads/3.14", False),
        ("~ALL", "refs/tags/anything", True),
    ],
)
def test_a_pattern_means_what_github_says(pattern: str, ref: str, *, meant: bool) -> None:
    assert matches(pattern, ref, "main") is meant


def test_an_exclusion_wins() -> None:
    assert covers(["~ALL"], ["refs/heads/main"], "refs/heads/3.14", "main")
    assert not covers(["~ALL"], ["refs/heads/main"], "refs/heads/main", "main")


def test_the_world_knows_nothing_of_the_bot() -> None:
    program = "import sys, bot.rehearsal.world; print(*(name for name in sys.modules if name.startswith('bot.')))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "bot.rehearsal.github_server" in loaded
    assert not [name for name in loaded if not name.startswith("bot.rehearsal")]
