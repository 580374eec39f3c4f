"""What only people can do is asked for where they are at work already, and at the end otherwise."""

from dataclasses import replace

import pytest

from bot import checklists
from bot.profile import load
from bot.release.model import HumanAct, Release
from bot.release.version import Kind, Version
from tests.release_builders import NOW, opened

PROFILE = load("cpython")
ORDINARY = {
    "3.15.0a3": Kind.ALPHA,
    "3.15.0b2": Kind.BETA,
    "3.15.0rc2": Kind.CANDIDATE,
    "3.15.0": Kind.FINAL,
    "3.15.1": Kind.BUGFIX,
    "3.16.0": Kind.FINAL,
}


def release(version: str, *called: str) -> Release:
    """Return a release for whose publication people were called in these words."""
    people = tuple(HumanAct(step="publication", who=("hugovk",), what=what, since=NOW, done=NOW) for what in called)
    parsed = Version.parse(version)
    return replace(opened(), version=parsed, kind=ORDINARY[version], series=parsed.series, people=people)


@pytest.mark.parametrize("version", ORDINARY)
def test_an_ordinary_release_ends_without_an_act_of_its_own_for_what_belongs_to_the_publication(version: str) -> None:
    call = checklists.of_the_publication(release(version), PROFILE)
    assert checklists.of_the_end(release(version, f"Publish it.{call}"), PROFILE) == ()


def test_the_call_for_the_publication_of_a_final_release_holds_the_link_and_the_mark() -> None:
    said = checklists.of_the_publication(release("3.15.0"), PROFILE)
    assert said.startswith(" In the same sitting: If 3.15 is the newest series that is out, let the link current in ")
    assert "lead to 3.15.0, on the server" in said
    assert "tick the mark of the latest release in the form in which 3.15.0 is published" in said
    assert checklists.of_the_publication(release("3.15.0a3"), PROFILE) == ""


def test_what_nobody_was_called_for_is_left_for_the_end() -> None:
    late = checklists.of_the_end(release("3.15.1", "Upload what is missing."), PROFILE)
    assert [item.split(", ")[1].split(" ")[:2] for item in late] == [["let", "the"], ["tick", "the"]]
